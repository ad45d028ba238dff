// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/core.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "btf/btf_lookup.h"
#include "preflight/compat.h"
#include "util/buf.h"

#define STEPS_MAX   64 /* libbpf's own bound: BPF_CORE_SPEC_MAX_LEN */
#define NESTING_MAX 16

/* A step from a type to one of its parts. */
struct step {
	uint32_t type;    /* of the object, without qualifiers: the struct or array */
	uint32_t index;   /* of the member or element */
	const char *name; /* of the member; NULL: an element */
};

/* "0:1:2", understood: &root[0].member_1.member_2 */
struct spec {
	uint32_t root;
	const char *root_name;
	size_t n;
	struct step steps[STEPS_MAX];
};

static bool take_index(const char **access, uint32_t *ret)
{
	char *end;
	unsigned long value;

	if (**access == ':')
		++*access;
	if (**access < '0' || **access > '9')
		return false;
	value = strtoul(*access, &end, 10);
	*access = end;
	*ret = (uint32_t)value;
	return value < UINT32_MAX && (!*end || *end == ':');
}

/* The next type of a step, without qualifiers; false: it makes no sense. */
static bool add_step(const struct btf *btf, struct spec *spec, uint32_t *type, uint32_t index)
{
	const struct btf_type *t = btf_strip(btf, type);
	struct step step = {.type = *type, .index = index};

	if (!t)
		return false;
	if (btf_is_struct_or_union(t)) {
		if (index >= btf_vlen(t))
			return false;
		step.name = btf_name_of(btf, btf_members(t)[index].name_off);
		*type = btf_members(t)[index].type;
		if (!*step.name)
			return true; /* what is in it is looked for in the outer one */
	} else if (btf_is_array(t)) {
		*type = btf_array(t)->type;
	} else {
		return false;
	}
	spec->steps[spec->n++] = step;
	return true;
}

/* False: it makes no sense, or is of a kind that is not read so. */
static bool read_spec(const struct pf_object *o, const struct pf_core *core, struct spec *ret)
{
	const struct btf_type *t = btf__type_by_id(o->btf, core->type);
	const char *access = core->access;
	uint32_t type = core->type, index;

	*ret = (struct spec){.root = core->type};
	if (!t || !core->type)
		return false;
	ret->root_name = btf_name_of(o->btf, t->name_off);
	if (!*ret->root_name || !take_index(&access, &index))
		return false;
	/* The first one is an index into an array of the root, which every type may be in. */
	while (*access) {
		if (ret->n == STEPS_MAX || !take_index(&access, &index) ||
		    !add_step(o->btf, ret, &type, index))
			return false;
	}
	return true;
}

static bool is_of_field(uint32_t kind)
{
	return kind <= PF_CORE_FIELD_RSHIFT;
}

/* Finds the member in a target's type, in members without a name, too. *type_ret: its type. */
static bool find_member(const struct btf *local, const struct step *step, const struct btf *target,
			uint32_t type, uint32_t *type_ret, int nesting, size_t *left)
{
	const struct btf_type *t = btf_strip(target, &type);
	const struct btf_type *own = btf__type_by_id(local, step->type);

	if (!t || !btf_is_struct_or_union(t) || nesting == NESTING_MAX)
		return false;
	for (uint32_t i = 0; i < btf_vlen(t) && *left; i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *name = btf_name_of(target, m->name_off);

		--*left;
		if (!*name) {
			if (find_member(local, step, target, m->type, type_ret, nesting + 1, left))
				return true;
			continue;
		}
		if (strcmp(name, step->name))
			continue;
		*type_ret = m->type;
		return pf_fields_fit(local, btf_members(own)[step->index].type, target, m->type);
	}
	return !*left;
}

/* An array at the end of a struct may have any size: only what surely is too far is refused. */
static bool has_element(const struct btf_type *array, uint32_t index)
{
	return index < btf_array(array)->nelems || btf_array(array)->nelems <= 1;
}

/* Follows the steps in a target's type; the number of the step that fails, or spec->n. */
static size_t follow(const struct btf *local, const struct spec *spec, const struct btf *target,
		     uint32_t type, uint32_t *last_ret)
{
	size_t left = BTF_VISITS_MAX;

	for (size_t i = 0; i < spec->n; i++) {
		const struct step *step = &spec->steps[i];
		const struct btf_type *t = btf_strip(target, &type);

		*last_ret = type;
		if (!t)
			return spec->n;
		if (step->name) {
			if (!find_member(local, step, target, type, &type, 0, &left))
				return i;
		} else {
			if (!btf_is_array(t) || !has_element(t, step->index))
				return i;
			type = btf_array(t)->type;
		}
	}
	return spec->n;
}

static const char *enumerator(const struct btf *btf, const struct btf_type *t, uint32_t i)
{
	return btf_name_of(btf,
			   btf_is_enum64(t) ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off);
}

/* The enumerator that a relocation asks for; NULL: it makes no sense. */
static const char *wanted_enumerator(const struct pf_object *o, const struct pf_core *core)
{
	uint32_t id = core->type, index;
	const struct btf_type *t = btf_strip(o->btf, &id);
	const char *access = core->access;

	if (!t || !btf_is_any_enum(t) || !take_index(&access, &index) || index >= btf_vlen(t))
		return NULL;
	return enumerator(o->btf, t, index);
}

static bool has_enumerator(const struct btf *target, uint32_t id, const char *name)
{
	const struct btf_type *t = btf_strip(target, &id);
	size_t len = pf_essential(name);

	for (uint32_t i = 0; t && btf_is_any_enum(t) && i < btf_vlen(t); i++) {
		const char *have = enumerator(target, t, i);

		if (pf_essential(have) == len && !memcmp(have, name, len))
			return true;
	}
	return false;
}

/* Whether a target's type has what is asked for. */
static bool fits(const struct pf_object *o, const struct pf_core *core, const struct spec *spec,
		 const struct pf_kernel *k, uint32_t id)
{
	const char *name;
	uint32_t last;

	if (core->kind != PF_CORE_ENUMVAL_VALUE)
		return follow(o->btf, spec, k->btf, id, &last) == spec->n;
	name = wanted_enumerator(o, core);
	return !name || has_enumerator(k->btf, id, name);
}

/*
 * Those that only ask never fail; the size or ID of a type that is not there is 0
 * (bpf_core_calc_type_relo() in libbpf's relo_core.c); and newer kinds are not known here.
 */
static bool can_fail(uint32_t kind)
{
	return (is_of_field(kind) && kind != PF_CORE_FIELD_EXISTS) || kind == PF_CORE_ENUMVAL_VALUE;
}

/* The next type that libbpf would look at: of the same name, but for flavours, and kind. */
static bool next_target(const struct pf_object *o, const struct spec *spec,
			const struct pf_kernel *k, uint32_t *id)
{
	const struct btf_type *own = btf__type_by_id(o->btf, spec->root);
	size_t len = pf_essential(spec->root_name);

	while (pf_kernel_next(k, spec->root_name, len, id))
		if (pf_same_kind(own, btf__type_by_id(k->btf, *id)))
			return true;
	return false;
}

/* The same of any kind: of those that are not about a field, the type. */
static bool read_any_spec(const struct pf_object *o, const struct pf_core *core, struct spec *ret)
{
	struct pf_core plain = *core;

	if (!is_of_field(core->kind))
		plain.access = "0";
	return read_spec(o, &plain, ret);
}

char *pf_core_lacks_type(const struct pf_object *o, const struct pf_core *core,
			 const struct pf_kernel *k, uint32_t *kind_ret)
{
	struct spec spec;
	uint32_t id = 0;

	if (!read_any_spec(o, core, &spec) || next_target(o, &spec, k, &id))
		return NULL;
	*kind_ret = btf_kind(btf__type_by_id(o->btf, spec.root));
	return strndup(spec.root_name, pf_essential(spec.root_name));
}

bool pf_core_fails(const struct pf_object *o, const struct pf_core *core, const struct pf_kernel *k)
{
	struct spec spec;
	uint32_t id = 0;

	if (!can_fail(core->kind) || !read_any_spec(o, core, &spec))
		return false;
	while (next_target(o, &spec, k, &id))
		if (fits(o, core, &spec, k, id))
			return false;
	return true;
}

static const char *kind_word(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	if (!t)
		return "type";
	return btf_is_struct(t)     ? "struct"
	       : btf_is_union(t)    ? "union"
	       : btf_is_any_enum(t) ? "enum"
				    : "type";
}

static void field_words(const struct pf_object *o, const struct spec *spec,
			const struct pf_kernel *k, uint32_t target, struct kt_buf *what,
			char **try_ret)
{
	const struct btf_type *t;
	uint32_t last = target;
	size_t failed = follow(o->btf, spec, k->btf, target, &last);
	const struct step *step = &spec->steps[failed < spec->n ? failed : 0];
	const char *of;

	t = btf__type_by_id(k->btf, last);
	of = t ? btf_name_of(k->btf, t->name_off) : "";
	if (!step->name) {
		kt_buf_printf(what, "%s %.*s has no element %u there",
			      kind_word(o->btf, spec->root), (int)pf_essential(spec->root_name),
			      spec->root_name, step->index);
		return;
	}
	kt_buf_printf(what, "%s %s has no such member %s", kind_word(k->btf, last),
		      *of ? of : "without a name", step->name);
	*try_ret = pf_near_members(k->btf, last, step->name);
}

void pf_core_words(const struct pf_object *o, const struct pf_core *core, const struct pf_kernel *k,
		   char **what_ret, char **try_ret)
{
	struct kt_buf what = KT_BUF_INIT;
	struct spec spec;
	uint32_t id = 0;

	*what_ret = *try_ret = NULL;
	if (!read_any_spec(o, core, &spec))
		return;
	if (!next_target(o, &spec, k, &id)) {
		const struct btf_type *t = btf__type_by_id(o->btf, spec.root);
		char *name = strndup(spec.root_name, pf_essential(spec.root_name));

		kt_buf_printf(&what, "%s %s", kind_word(o->btf, spec.root), name ? name : "");
		if (name)
			*try_ret = pf_kernel_near(k, "", name, btf_kind(t));
		free(name);
	} else if (core->kind == PF_CORE_ENUMVAL_VALUE) {
		const char *name = wanted_enumerator(o, core);

		kt_buf_printf(&what, "enum %s has no %s", spec.root_name, name ? name : "such");
		*try_ret = name ? pf_near_enumerators(k->btf, id, name) : NULL;
	} else {
		field_words(o, &spec, k, id, &what, try_ret);
	}
	*what_ret = kt_buf_steal(&what);
}
