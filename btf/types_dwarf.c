// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Types out of DWARF. dwarf_index.h finds the compile units that may define the wanted types. Those
 * that may define most of them are read first. dwarf_btf.h converts the types to BTF, which then
 * answers.
 */
#include <stdlib.h>
#include <string.h>

#include "btf/dwarf_btf.h"
#include "btf/dwarf_file.h"
#include "btf/dwarf_index.h"
#include "btf/nameset.h"
#include "btf/types.h"
#include "util/cleanup.h"

/*
 * Compile units with a definition of one name that are read. Two structs may share a name, and one
 * definition is as good as thousands; those that matter to us are in units that define many of our
 * names, and are read first.
 */
#define DEFINITIONS_MAX 3
/* Holders of a struct have to be known all: who includes timekeeper_internal.h are a dozen. */
#define HOLDERS_MAX 64
/* Units looked at in all, again and again: no kernel comes near it. */
#define LOOKS_MAX 100000
/* The promise of a unit that has the names of all members of a type. */
#define WHOLE 16

struct dwarf_types {
	struct types base;
	struct dwarf_file file;
};

/* A name that is looked for: of a type, of its member, or of a member that has the type. */
struct sought {
	bool type, held;
	unsigned int reads;   /* units with a definition */
	unsigned int members; /* names of members, of a type, that are anywhere */
	unsigned int seen;    /* the most of them that a unit with a definition has */
};

/* A member that is wanted of a type. A unit that defines the type has both names. */
struct evidence {
	size_t type, member;
};

struct search {
	struct dwarf_file *file;
	struct dwarf_index index;
	struct nameset names;
	struct sought *sought; /* parallel to names.names */
	struct evidence *evidence;
	size_t n_evidence;
	char **copies; /* of the first part of paths */
	size_t n_copies;
	unsigned int *members;  /* parallel to names.names: those that the unit at hand has */
	unsigned int *promises; /* of each unit, as of when it was looked at; 0: read */
	size_t looks;
	struct dwarf_btf *btf;
};

static void search_deinit(struct search *s)
{
	dwarf_btf_destroy(s->btf);
	dwarf_index_deinit(&s->index);
	nameset_deinit(&s->names);
	for (size_t i = 0; i < s->n_copies; i++)
		free(s->copies[i]);
	free(s->copies);
	free(s->sought);
	free(s->evidence);
	free(s->members);
	free(s->promises);
}

/* Counts, for each type, how many names of its wanted members a unit has. */
static void count_members(const struct search *s, const uint8_t *hits)
{
	memset(s->members, 0, s->names.n * sizeof(*s->members));
	for (size_t i = 0; i < s->n_evidence; i++)
		s->members[s->evidence[i].type] += hits[s->evidence[i].member] != 0;
}

/*
 * Rates what a unit may define. A unit that only declares a type does not have the names of most of
 * its members. If no member is wanted, the number of times that the unit has the type's name
 * counts, which variables and parameters have, too. A type that was read already is not expected
 * again from a unit that has less of it.
 */
static unsigned int promise(const struct search *s, size_t unit)
{
	const uint8_t *hits = dwarf_index_hits(&s->index, unit);
	unsigned int n = 0;

	count_members(s, hits);
	for (size_t i = 0; i < s->names.n; i++) {
		const struct sought *want = &s->sought[i];

		/* A member has its name, and so has a type of the same one that it holds. */
		if (want->held && want->reads < HOLDERS_MAX && hits[i] > want->type)
			n += WHOLE;
		else if (want->type && want->reads < DEFINITIONS_MAX && hits[i] &&
			 (!want->reads || s->members[i] >= want->seen))
			n += want->members ? 1 + WHOLE * s->members[i] / want->members : hits[i];
	}
	return n;
}

/* The unit that promised most when it was last looked at; of equal ones the smallest. */
static size_t best_promise(const struct search *s)
{
	size_t best = 0;

	for (size_t i = 1; i < s->index.n_units; i++) {
		const struct dwarf_unit *u = &s->index.units[i], *b = &s->index.units[best];

		if (s->promises[i] > s->promises[best] ||
		    (s->promises[i] == s->promises[best] && u->end - u->start < b->end - b->start))
			best = i;
	}
	return best;
}

/*
 * The unit to read next; false when none can bring anything. What a unit promises only becomes
 * less, as more is known: so one that keeps its promise is the best.
 */
static bool best_unit(struct search *s, size_t *ret)
{
	for (; s->index.n_units && s->looks < LOOKS_MAX; s->looks++) {
		size_t i = best_promise(s);
		unsigned int n = s->promises[i] ? promise(s, i) : 0;

		if (n == s->promises[i]) {
			*ret = i;
			return n;
		}
		s->promises[i] = n;
	}
	return false;
}

static ptrdiff_t name_index(struct search *s, Dwarf_Die die)
{
	const char *name = dwarf_file_name(s->file, die);

	return name ? nameset_find(&s->names, name, strlen(name)) : -1;
}

/* Does a struct have a member with the name of a KFACTS_HELD? */
static bool holds(struct search *s, Dwarf_Die die)
{
	bool found = false;
	Dwarf_Die child;

	dwarf_file_child(s->file, die, &child);
	for (; child; dwarf_file_next(s->file, &child)) {
		ptrdiff_t i = found || dwarf_file_tag(s->file, child) != DW_TAG_member
				      ? -1
				      : name_index(s, child);

		found |= i >= 0 && s->sought[i].held;
	}
	return found;
}

static bool read_type(struct search *s, Dwarf_Die die, bool look_inside, bool *defined)
{
	unsigned int tag = dwarf_file_tag(s->file, die);
	bool composite = tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
	ptrdiff_t i;

	if (!(composite || tag == DW_TAG_enumeration_type) ||
	    dwarf_file_flag(s->file, die, DW_AT_declaration))
		return true;
	i = name_index(s, die);
	if (i >= 0 && s->sought[i].type) {
		defined[i] = true;
		/* Headers define the most common ones in every unit: each would be converted anew.
		 */
		if (s->sought[i].reads < DEFINITIONS_MAX)
			return dwarf_btf_add(s->btf, die);
	}
	return !(composite && look_inside && holds(s, die)) || dwarf_btf_add(s->btf, die);
}

static bool looks_inside(const struct search *s, size_t unit)
{
	const uint8_t *hits = dwarf_index_hits(&s->index, unit);

	for (size_t i = 0; i < s->names.n; i++)
		if (s->sought[i].held && hits[i] > s->sought[i].type)
			return true;
	return false;
}

/* Types are children of the unit. Those in functions are never asked for. */
static bool read_unit(struct search *s, size_t unit, bool *defined)
{
	bool inside = looks_inside(s, unit), good = true;
	Dwarf_Die root, die;

	if (!dwarf_file_die(s->file, s->index.units[unit].die, &root))
		return false;
	dwarf_file_child(s->file, root, &die);
	dwarf_dealloc_die(root);
	for (; die; dwarf_file_next(s->file, &die))
		good = good && read_type(s, die, inside, defined);
	count_members(s, dwarf_index_hits(&s->index, unit));
	for (size_t i = 0; i < s->names.n; i++) {
		s->sought[i].reads += defined[i] || (s->sought[i].held && inside);
		if (defined[i] && s->members[i] > s->sought[i].seen)
			s->sought[i].seen = s->members[i];
		defined[i] = false;
	}
	return good && !s->file->damage[0];
}

static struct kt_error *read_units(struct search *s)
{
	_cleanup_free_ bool *defined = calloc(s->names.n + 1, sizeof(*defined));
	size_t unit = 0;

	s->promises = calloc(s->index.n_units + 1, sizeof(*s->promises));
	if (!defined || !s->promises)
		return kt_error_no_memory();
	for (size_t i = 0; i < s->index.n_units; i++)
		s->promises[i] = promise(s, i);
	while (best_unit(s, &unit)) {
		s->promises[unit] = 0; /* it is kept once */
		/* If it failed, dwarf_btf_finish() will tell. */
		if (!read_unit(s, unit, defined))
			break;
	}
	return NULL;
}

/* The member that "a.b.c" wants of a type is a. False: no memory. */
static bool add_evidence(struct search *s, size_t type, const char *path)
{
	char *name = strndup(path, strcspn(path, "."));

	if (!name)
		return false;
	s->copies[s->n_copies++] = name;
	s->evidence[s->n_evidence++] = (struct evidence){type, nameset_add(&s->names, name)};
	return true;
}

static bool seek(struct search *s, const struct kfacts_want *want)
{
	size_t type = nameset_add(&s->names, want->name);

	s->sought[type].type = true;
	if (want->kind == KFACTS_HELD)
		s->sought[nameset_add(&s->names, want->path)].held = true;
	return want->kind != KFACTS_MEMBER || add_evidence(s, type, want->path);
}

/* Members whose names no unit has do not count. */
static void count_evidence(struct search *s)
{
	for (size_t i = 0; i < s->n_evidence; i++) {
		const struct evidence *e = &s->evidence[i];
		bool there = false;

		for (size_t unit = 0; unit < s->index.n_units && !there; unit++)
			there = dwarf_index_hits(&s->index, unit)[e->member];
		s->sought[e->type].members += there;
	}
}

/* Others name a symbol, or a function. */
static bool wants_a_type(enum kfacts_kind kind)
{
	switch (kind) {
	case KFACTS_MEMBER:
	case KFACTS_SIZE:
	case KFACTS_ENUM:
	case KFACTS_HELD:
	case KFACTS_MEMBERS: return true;
	default: return false;
	}
}

static struct kt_error *search_init(struct search *s, struct dwarf_file *file,
				    const struct kfacts_want *wants, size_t n)
{
	size_t max = 2 * n + 1;
	struct kt_error *err;

	*s = (struct search){.file = file};
	s->sought = calloc(max, sizeof(*s->sought));
	s->evidence = calloc(max, sizeof(*s->evidence));
	s->copies = calloc(max, sizeof(*s->copies));
	s->members = calloc(max, sizeof(*s->members));
	s->btf = dwarf_btf_create(file);
	if (!s->sought || !s->evidence || !s->copies || !s->members || !s->btf ||
	    !nameset_init(&s->names, max))
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (wants_a_type(wants[i].kind) && !seek(s, &wants[i]))
			return kt_error_no_memory();
	err = dwarf_index_create(file, s->names.names, s->names.n, &s->index);
	if (err)
		return err;
	count_evidence(s);
	return read_units(s);
}

/* All types that the wants need, converted to BTF. */
static struct kt_error *gather(struct dwarf_types *types, const struct kfacts_want *wants, size_t n,
			       struct types **ret)
{
	struct search s;
	struct btf *btf = NULL;
	struct kt_error *err = search_init(&s, &types->file, wants, n);

	if (!err)
		err = dwarf_btf_finish(kt_take_ptr(s.btf), &btf);
	search_deinit(&s);
	return err ? err : types_of_btf(btf, ret);
}

static struct kt_error *dwarf_types_resolve(struct types *types, const struct kfacts_want *wants,
					    size_t n, struct kfacts_answer *answers)
{
	_cleanup_(types_destroyp) struct types *btf = NULL;
	struct kt_error *err = gather((struct dwarf_types *)types, wants, n, &btf);

	return err ? err : types_resolve(btf, wants, n, answers);
}

static struct kt_error *dwarf_types_describe(struct types *types, const char *name,
					     const char *path, struct types_layout *ret)
{
	_cleanup_(types_destroyp) struct types *btf = NULL;
	const struct kfacts_want wants[] = {
		{KFACTS_SIZE, name, NULL, true},
		{KFACTS_MEMBER, name, path, true},
	};
	struct kt_error *err = gather((struct dwarf_types *)types, wants, path ? 2 : 1, &btf);

	return err ? err : types_describe(btf, name, path, ret);
}

static bool dwarf_types_big_endian(const struct types *types)
{
	return ((const struct dwarf_types *)types)->file.big_endian;
}

static void dwarf_types_destroy(struct types *types)
{
	dwarf_file_close(&((struct dwarf_types *)types)->file);
	free(types);
}

static const struct types_ops dwarf_ops = {
	.name = "DWARF",
	.resolve = dwarf_types_resolve,
	.describe = dwarf_types_describe,
	.big_endian = dwarf_types_big_endian,
	.destroy = dwarf_types_destroy,
};

struct kt_error *types_from_dwarf(struct image *image, struct types **ret)
{
	struct dwarf_types *types = calloc(1, sizeof(*types));
	struct kt_error *err;

	if (!types)
		return kt_error_no_memory();
	types->base.ops = &dwarf_ops;
	err = dwarf_file_open(image, &types->file);
	if (err) {
		free(types);
		return err;
	}
	*ret = &types->base;
	return NULL;
}
