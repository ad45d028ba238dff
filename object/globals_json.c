// SPDX-License-Identifier: LGPL-2.1-or-later
/* Values as `bpftool map dump -j` prints them. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "object/globals_impl.h"
#include "util/cleanup.h"

static void decref(json_t **json)
{
	json_decref(*json);
}

/*
 * Jansson's integers have 63 bits, bpftool's 64: long ones become strings, which are read as
 * numbers where the variable is one.
 */
static void quote_long_numbers(const char *text, size_t len, struct kt_buf *out)
{
	bool string = false;

	for (size_t i = 0; i < len; i++) {
		size_t n = 0;

		while (!string && i + n < len &&
		       (isdigit((unsigned char)text[i + n]) || (!n && text[i] == '-')))
			n++;
		if (n >= 19 && (i + n == len || !strchr(".eE", text[i + n]))) {
			kt_buf_appendc(out, '"');
			kt_buf_append(out, text + i, n);
			kt_buf_appendc(out, '"');
		} else if (n) {
			kt_buf_append(out, text + i, n);
		} else {
			kt_buf_appendc(out, text[i]);
			if (string && text[i] == '\\' && i + 1 < len)
				kt_buf_appendc(out, text[++i]);
			else if (text[i] == '"')
				string = !string;
		}
		i += n ? n - 1 : 0;
	}
}

/* What is to be set, and what could not be. */
struct setting {
	struct object_globals *globals;
	struct kt_buf *missing;
};

static struct kt_error *set_json(const struct setting *s, const struct place *place,
				 const json_t *value);

static struct kt_error *set_members(const struct setting *s, const struct place *place,
				    const json_t *value)
{
	struct kt_error *err = NULL;
	json_t *all = (json_t *)value, *of;
	struct place member;
	const char *key;

	json_object_foreach(all, key, of)
	{
		/* Members of a struct without a name are found by theirs. */
		if (!strcmp(key, "(anon)") || !key[0]) {
			err = set_json(s, place, of);
		} else {
			err = place_member(place, key, &member);
			if (!err)
				err = set_json(s, &member, of);
			err = kt_error_wrap(err, ".%.80s", key);
		}
		if (err)
			break;
	}
	return err;
}

static struct kt_error *set_elements(const struct setting *s, const struct place *place,
				     const json_t *value)
{
	struct kt_error *err = NULL;
	struct place element;

	for (size_t i = 0; i < json_array_size(value) && !err; i++) {
		err = place_element(place, i, &element);
		if (!err)
			err = set_json(s, &element, json_array_get(value, i));
		err = kt_error_wrap(err, "[%zu]", i);
	}
	return err;
}

static struct kt_error *set_scalar(const struct setting *s, const struct place *place,
				   const json_t *value)
{
	struct place_writes *writes = &s->globals->writes;
	char text[32];

	if (json_is_string(value) && place_is_text(place))
		return place_put_text(place, json_string_value(value), json_string_length(value),
				      writes);
	if (json_is_string(value) && json_string_length(value) != strlen(json_string_value(value)))
		return kt_error_new(KT_ERROR_USAGE, "a text with a NUL in it is no number");
	if (json_is_string(value))
		return place_put(place, json_string_value(value), writes);
	if (json_is_integer(value))
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(text, sizeof(text), "%.17g", json_real_value(value));
	else
		snprintf(text, sizeof(text), "%s", json_is_true(value) ? "true" : "false");
	return place_put(place, text, writes);
}

/* Pointers stay as they are, and are told of. */
static struct kt_error *set_json(const struct setting *s, const struct place *place,
				 const json_t *value)
{
	const struct btf_type *t = place_type(place);
	struct kt_error *err;

	if (json_is_object(value) && t && btf_is_composite(t))
		return set_members(s, place, value);
	if (json_is_array(value))
		return set_elements(s, place, value);
	if (json_is_object(value) || json_is_null(value) || (t && btf_is_ptr(t)))
		err = kt_error_new(KT_ERROR_UNSUPPORTED, "it cannot be set");
	else
		err = set_scalar(s, place, value);
	return err;
}

/* What the compiler makes for bpf_printk() is no variable of anybody's. */
static bool is_format(const char *name)
{
	const char *dot = strrchr(name, '.');

	return !strncmp(dot ? dot + 1 : name, "____fmt", 7);
}

static struct kt_error *set_one(const struct setting *s, const struct global *global,
				const json_t *value)
{
	size_t before = s->globals->writes.v.len;
	struct place place;
	struct kt_error *err = global_place(s->globals, global, &place);

	if (!err)
		err = set_json(s, &place, value);
	if (!err || (kt_error_code(err) != KT_ERROR_UNSUPPORTED))
		return kt_error_wrap(err, "%.80s", global->name);
	kt_buf_printf(s->missing, "%.200s (%.200s)\n", global->name, kt_error_message(err));
	kt_error_destroy(err);
	/* The members before it are set already: a part of a value is none. */
	globals_drop_writes(s->globals, before);
	return NULL;
}

/* section: of the dump, or NULL. A variable may be in another one by now. */
static struct kt_error *set_variable(const struct setting *s, const char *section, const char *name,
				     const json_t *value)
{
	const struct global *found = NULL;

	kt_vec_for_each (&s->globals->all, global)
		if (!strcmp(global->name, name) &&
		    (!found || (section && !strcmp(global->section, section))))
			found = global;
	if (is_format(name))
		return NULL;
	if (found)
		return set_one(s, found, value);
	kt_buf_printf(s->missing, "%.200s\n", name);
	return NULL;
}

static struct kt_error *set_all(const struct setting *s, const char *section, const json_t *values)
{
	struct kt_error *err = NULL;
	json_t *all = (json_t *)values, *value;
	const char *name;

	json_object_foreach(all, name, value)
	{
		err = set_variable(s, section, name, value);
		if (err)
			break;
	}
	return err;
}

/* {".rodata": [{"VAR": VALUE}, ...]}; *n counts such sections. */
static struct kt_error *set_sections(const struct setting *s, const json_t *sections, size_t *n)
{
	struct kt_error *err = NULL;
	json_t *all = (json_t *)sections, *values;
	const char *name;

	json_object_foreach(all, name, values)
	{
		if (name[0] != '.' || !json_is_array(values))
			continue;
		++*n;
		for (size_t i = 0; i < json_array_size(values) && !err; i++)
			err = set_all(s, name, json_array_get(values, i));
	}
	return err;
}

static struct kt_error *set_dump(const struct setting *s, const json_t *root)
{
	struct kt_error *err = NULL;
	size_t n = 0;

	if (json_is_object(root) && !json_object_get(root, "formatted") &&
	    !json_object_get(root, "value"))
		return set_all(s, NULL, root);
	for (size_t i = 0; i < json_array_size(root) && !err; i++) {
		const json_t *entry = json_array_get(root, i);
		const json_t *formatted = json_object_get(entry, "formatted");

		err = set_sections(s, json_object_get(formatted ? formatted : entry, "value"), &n);
	}
	if (err || n)
		return err;
	return kt_error_hint(
		kt_error_new(KT_ERROR_FORMAT, "no variables are in it"),
		"`bpftool map dump -j` prints them, of a map like .rodata whose types the "
		"kernel has");
}

struct kt_error *object_globals_set_json(struct object_globals *globals, const char *text,
					 size_t len, struct kt_buf *missing)
{
	const struct setting s = {globals, missing};
	_cleanup_(kt_buf_deinit) struct kt_buf plain = KT_BUF_INIT;
	_cleanup_(decref) json_t *root = NULL;
	size_t before = globals->writes.v.len;
	struct kt_error *err;
	json_error_t wrong;

	quote_long_numbers(text, len, &plain);
	if (plain.failed)
		return kt_error_no_memory();
	root = json_loadb(plain.data ? plain.data : "", plain.len, JSON_ALLOW_NUL, &wrong);
	if (!root)
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT, "line %d: it is no JSON: %.80s",
						  wrong.line, wrong.text),
				     "`bpftool map dump -j` prints JSON");
	err = json_is_array(json_object_get(root, "bytes")) && json_object_size(root) == 1
		      ? globals_set_bytes(globals, json_object_get(root, "bytes"))
		      : set_dump(&s, root);
	if (!err && missing->failed)
		err = kt_error_no_memory();
	if (err)
		globals_drop_writes(globals, before);
	return err;
}
