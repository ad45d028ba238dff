// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "cli/cli.h"
#include "cli/globals.h"
#include "util/cleanup.h"
#include "util/io.h"

#define FILE_MAX (64u << 20) /* bytes of a file with values */

void cli_globals_options_deinit(struct cli_globals_options *options)
{
	kt_vec_free(&options->sets);
	kt_vec_free(&options->rodata);
	free(options->where);
}

/* "--set: ...", or "sweep.conf:3: set: ..." */
static struct kt_error *wrap(const struct cli_globals_options *options, struct kt_error *err,
			     const char *option)
{
	return options->where ? kt_error_wrap(err, "%s: %s", options->where, option + strlen("--"))
			      : kt_error_wrap(err, "%s", option);
}

/* An object that has no types has no variables either, where others may have what is meant. */
static struct kt_error *open_objects(const char *const *objects, size_t n, struct cli_globals *ret)
{
	for (size_t i = 0; i < n; i++) {
		struct object_globals *globals = NULL;
		struct kt_error *err = object_globals_open(objects[i], &globals);

		if (err && (n == 1 || kt_error_code(err) != KT_ERROR_FORMAT))
			return err;
		kt_error_destroy(err);
		if (!kt_vec_push(&ret->objects, globals)) {
			object_globals_close(globals);
			return kt_error_no_memory();
		}
	}
	return NULL;
}

/* In no object: the error of one that has a name near it. */
static struct kt_error *in_no_object(const struct cli_globals *globals, const char *assignment)
{
	struct kt_error *err = NULL;

	kt_vec_for_each (&globals->objects, object) {
		struct kt_error *other = *object ? object_globals_set(*object, assignment) : NULL;

		if (other && (!err || (kt_error_hint_text(other) && !kt_error_hint_text(err)))) {
			kt_error_destroy(err);
			err = kt_take_ptr(other);
		}
		kt_error_destroy(other);
	}
	return err ? err : kt_error_new(KT_ERROR_NOT_FOUND, "no object has types (BTF)");
}

static struct kt_error *set(const struct cli_globals *globals, const char *assignment)
{
	struct kt_error *err = NULL;
	bool found = false;

	kt_vec_for_each (&globals->objects, object) {
		if (err || !*object || !object_globals_has(*object, assignment))
			continue;
		found = true;
		err = object_globals_set(*object, assignment);
	}
	return found ? err : in_no_object(globals, assignment);
}

/* An assignment a line; blank lines, and those that begin with '#', do not count. */
static struct kt_error *set_from_file(const struct cli_globals *globals, const char *path)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	struct kt_error *err = kt_read_file(path, FILE_MAX, &text);
	char *rest = text.data, *line;
	unsigned n = 0;

	while (!err && (line = strsep(&rest, "\n"))) {
		line += strspn(line, " \t\r");
		n++;
		if (*line && *line != '#')
			err = kt_error_wrap(set(globals, line), "%s:%u", path, n);
	}
	return err;
}

/* Notes the lines of the first object's list that are in the lists of all others, too. */
static void note_missing(const char *path, struct kt_buf *lists, size_t n)
{
	char *rest = n ? lists[0].data : NULL, *line;

	while (rest && (line = strsep(&rest, "\n"))) {
		bool everywhere = *line;

		for (size_t i = 1; i < n && everywhere; i++)
			everywhere = lists[i].data && strstr(lists[i].data, line);
		if (everywhere)
			cli_note("rodata %s: not set, since no object has it: %s", path, line);
	}
}

static size_t count_writes(const struct cli_globals *globals)
{
	size_t all = 0, n;

	kt_vec_for_each (&globals->objects, object) {
		if (*object)
			object_globals_writes(*object, &n);
		all += *object ? n : 0;
	}
	return all;
}

static struct kt_error *set_rodata(const struct cli_globals *globals, const char *path)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	size_t n = 0, before = count_writes(globals);
	struct kt_error *err = kt_read_file(path, FILE_MAX, &text);
	struct kt_buf *missing = calloc(globals->objects.len, sizeof(*missing));

	if (!err && !missing)
		err = kt_error_no_memory();
	kt_vec_for_each (&globals->objects, object)
		if (!err && *object)
			err = kt_error_wrap(object_globals_set_json(*object,
								    text.data ? text.data : "",
								    text.len, &missing[n++]),
					    "%s", path);
	if (!err && count_writes(globals) == before)
		err = kt_error_new(KT_ERROR_NOT_FOUND, "%s: no object has any of its variables",
				   path);
	else if (!err)
		note_missing(path, missing, n);
	for (size_t i = 0; missing && i < n; i++)
		kt_buf_deinit(&missing[i]);
	free(missing);
	return err;
}

static bool take_writes(struct cli_globals *ret)
{
	for (size_t i = 0; i < ret->objects.len; i++) {
		const struct object_write *writes = NULL;
		size_t n = 0;

		if (ret->objects.data[i])
			writes = object_globals_writes(ret->objects.data[i], &n);
		for (size_t j = 0; j < n; j++) {
			const struct vm_set all = {i,
						   writes[j].section,
						   writes[j].offset,
						   writes[j].data,
						   writes[j].mask,
						   writes[j].size};

			if (!kt_vec_push(&ret->sets, all))
				return false;
		}
	}
	return true;
}

struct kt_error *cli_globals_load(const struct cli_globals_options *options,
				  const char *const *objects, size_t n, struct cli_globals *ret)
{
	struct kt_error *err = NULL;

	if (!options->sets.len && !options->rodata.len)
		return NULL;
	err = open_objects(objects, n, ret);
	if (err)
		return wrap(options, err, options->sets.len ? "--set" : "--rodata");
	kt_vec_for_each (&options->rodata, path)
		if (!err)
			err = wrap(options, set_rodata(ret, *path), "--rodata");
	kt_vec_for_each (&options->sets, assignment)
		if (!err)
			err = wrap(options,
				   (*assignment)[0] == '@' ? set_from_file(ret, *assignment + 1)
							   : set(ret, *assignment),
				   "--set");
	if (!err && !take_writes(ret))
		err = kt_error_no_memory();
	return err;
}

void cli_globals_deinit(struct cli_globals *globals)
{
	kt_vec_for_each (&globals->objects, object)
		object_globals_close(*object);
	kt_vec_free(&globals->objects);
	kt_vec_free(&globals->sets);
}
