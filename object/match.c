// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <string.h>

#include "object/globals_impl.h"
#include "object/match.h"
#include "util/cleanup.h"

/* So many differences are told: the first ones say what happened. */
#define TOLD_MAX 3

struct differences {
	struct kt_buf text;
	size_t n;
};

static struct kt_buf *one_more(struct differences *d)
{
	if (d->n++ && d->n <= TOLD_MAX)
		kt_buf_appends(&d->text, "; ");
	return d->n <= TOLD_MAX ? &d->text : NULL;
}

#define tell(d, ...)                                                                               \
	do {                                                                                       \
		struct kt_buf *out_ = one_more(d);                                                 \
                                                                                                   \
		if (out_)                                                                          \
			kt_buf_printf(out_, __VA_ARGS__);                                          \
	} while (0)

const uint8_t *object_section_data(const struct object_globals *globals, const char *section,
				   size_t *len)
{
	kt_vec_for_each (&globals->sections, it) {
		if (strcmp(it->name, section) != 0)
			continue;
		*len = it->len;
		return it->data;
	}
	return NULL;
}

bool object_has_function(const struct object_globals *globals, const char *name)
{
	kt_vec_for_each (&globals->functions, function)
		if (!strcmp(*function, name))
			return true;
	return false;
}

/* Of several variables of a name (linked files may each have a static one) the one at that place.
 */
static const struct global *find(const struct object_globals *globals, const char *section,
				 const struct object_loaded_var *var)
{
	const struct global *found = NULL;

	kt_vec_for_each (&globals->all, global)
		if (!strcmp(global->name, var->name) && !strcmp(global->section, section) &&
		    (!found || global->offset == var->offset))
			found = global;
	return found;
}

static void compare(const struct object_globals *globals, const char *section,
		    const struct object_loaded_var *var, struct differences *d)
{
	const struct global *global = find(globals, section, var);

	if (!global)
		tell(d, "'%.80s' is not in the object", var->name);
	else if (global->size != var->size)
		tell(d, "'%.80s' has %" PRIu64 " bytes in the guest, and %" PRIu64 " in the object",
		     var->name, var->size, global->size);
	else if (global->offset != var->offset)
		tell(d,
		     "'%.80s' lies at byte %" PRIu64 " in the guest, and at %" PRIu64
		     " in the object",
		     var->name, var->offset, global->offset);
}

/* Symbols without a type are no variables: the compiler makes them for constants of its own. */
static void find_unloaded(const struct object_globals *globals, const struct object_loaded *loaded,
			  struct differences *d)
{
	kt_vec_for_each (&globals->all, global) {
		bool there = strcmp(global->section, loaded->name) != 0;
		struct kt_error *err;
		struct place place;

		for (size_t i = 0; i < loaded->n_vars && !there; i++)
			there = !strcmp(loaded->vars[i].name, global->name);
		if (there)
			continue;
		err = global_place(globals, global, &place);
		if (!err)
			tell(d, "'%.80s' is not in the guest", global->name);
		kt_error_destroy(err);
	}
}

/* Of the object's own variables, of which there are no more than its file has room for. */
static void mark_variables(const struct object_globals *globals, const char *section, uint8_t *mask,
			   size_t len)
{
	kt_vec_for_each (&globals->all, global) {
		if (strcmp(global->section, section) != 0 || global->offset > len ||
		    global->size > len - global->offset)
			continue;
		memset(mask + global->offset, 1, global->size);
	}
}

/* Bytes between the variables: padding, and what the compiler put there. */
static struct kt_error *compare_nameless(const struct object_globals *globals,
					 const struct object_loaded *loaded, const uint8_t *data,
					 struct differences *d)
{
	_cleanup_free_ uint8_t *mask = calloc(1, loaded->len ? loaded->len : 1);

	if (!mask)
		return kt_error_no_memory();
	mark_variables(globals, loaded->name, mask, loaded->len);
	for (size_t i = 0; i < loaded->len; i++) {
		if (data[i] == loaded->data[i] || mask[i])
			continue;
		tell(d, "a constant without a name differs at byte %zu", i);
		break;
	}
	return NULL;
}

struct kt_error *object_match(const struct object_globals *globals,
			      const struct object_loaded *loaded)
{
	_cleanup_(kt_buf_deinit) struct kt_buf more = KT_BUF_INIT;
	struct differences d = {.text = KT_BUF_INIT};
	const uint8_t *data;
	struct kt_error *err = NULL;
	size_t len = 0;

	data = object_section_data(globals, loaded->name, &len);
	if (!data)
		return kt_error_new(KT_ERROR_MISMATCH, "the object has no %.80s", loaded->name);
	for (size_t i = 0; i < loaded->n_vars; i++)
		compare(globals, loaded->name, &loaded->vars[i], &d);
	find_unloaded(globals, loaded, &d);
	if (!d.n && len != loaded->len)
		tell(&d, "it has %zu bytes in the guest, and %zu in the object", loaded->len, len);
	if (!d.n)
		err = compare_nameless(globals, loaded, data, &d);
	if (d.n > TOLD_MAX)
		kt_buf_printf(&more, "; and %zu more", d.n - TOLD_MAX);
	if (!err && (d.text.failed || more.failed))
		err = kt_error_no_memory();
	else if (!err && d.n)
		err = kt_error_new(KT_ERROR_MISMATCH,
				   "the guest's %.80s is of another object: %s%s", loaded->name,
				   d.text.data, more.len ? more.data : "");
	kt_buf_deinit(&d.text);
	return err;
}
