// SPDX-License-Identifier: LGPL-2.1-or-later
/* A whole type out of BTF: its members in order, and their types as C writes them. */
#include <stdlib.h>
#include <string.h>

#include "btf/btf_lookup.h"
#include "btf/types_layout.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/vec.h"

/* The deepest nesting: of structs without a name, of pointers and arrays. */
#define NESTING_MAX 16
/* Members of one type; the kernel's largest has 1,000. */
#define MEMBERS_MAX 65536
/* How many similar names the hint of an error has. */
#define SIMILAR_MAX 3

struct rows {
	KT_VEC(struct types_member) v;
	const struct btf *btf;
};

static void put_type(struct kt_buf *out, const struct btf *btf, uint32_t id, int depth);

static void put_named(struct kt_buf *out, const struct btf *btf, const char *keyword,
		      const struct btf_type *t)
{
	const char *name = btf_name_of(btf, t->name_off);

	kt_buf_printf(out, "%s%s", keyword, *name ? name : "{...}");
}

static bool is_pointer(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	return t && btf_is_ptr(t);
}

static void put_pointer(struct kt_buf *out, const struct btf *btf, const struct btf_type *t,
			int depth)
{
	uint32_t id = t->type;
	const struct btf_type *to = btf_strip(btf, &id);

	if (to && btf_is_func_proto(to) && id == t->type) {
		kt_buf_appends(out, "function *");
		return;
	}
	put_type(out, btf, t->type, depth + 1);
	kt_buf_appends(out, is_pointer(btf, t->type) ? "*" : " *");
}

/* "int[2][3]": the element's type, then the dimensions, the outermost first. */
static void put_array(struct kt_buf *out, const struct btf *btf, const struct btf_type *t,
		      int depth)
{
	struct kt_buf sizes = KT_BUF_INIT;
	uint32_t id = 0;

	for (int i = 0; i < NESTING_MAX && t && btf_is_array(t); i++) {
		kt_buf_printf(&sizes, "[%u]", btf_array(t)->nelems);
		id = btf_array(t)->type;
		t = btf__type_by_id(btf, id);
	}
	put_type(out, btf, id, depth + 1);
	kt_buf_append(out, sizes.data, sizes.len);
	kt_buf_deinit(&sizes);
}

static void put_qualified(struct kt_buf *out, const struct btf *btf, const char *qualifier,
			  const struct btf_type *t, int depth)
{
	bool behind = is_pointer(btf, t->type);

	if (!behind)
		kt_buf_printf(out, "%s ", qualifier);
	put_type(out, btf, t->type, depth + 1);
	if (behind)
		kt_buf_printf(out, " %s", qualifier);
}

static void put_type(struct kt_buf *out, const struct btf *btf, uint32_t id, int depth)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	if (!id || !t) {
		kt_buf_appends(out, id ? "?" : "void");
		return;
	}
	if (depth > NESTING_MAX) {
		kt_buf_appends(out, "...");
		return;
	}
	switch (btf_kind(t)) {
	case BTF_KIND_STRUCT: put_named(out, btf, "struct ", t); return;
	case BTF_KIND_UNION: put_named(out, btf, "union ", t); return;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: put_named(out, btf, "enum ", t); return;
	case BTF_KIND_FWD: put_named(out, btf, btf_kflag(t) ? "union " : "struct ", t); return;
	case BTF_KIND_PTR: put_pointer(out, btf, t, depth); return;
	case BTF_KIND_ARRAY: put_array(out, btf, t, depth); return;
	case BTF_KIND_CONST: put_qualified(out, btf, "const", t, depth); return;
	case BTF_KIND_VOLATILE: put_qualified(out, btf, "volatile", t, depth); return;
	case BTF_KIND_RESTRICT: put_qualified(out, btf, "restrict", t, depth); return;
	case BTF_KIND_TYPE_TAG: put_type(out, btf, t->type, depth + 1); return;
	case BTF_KIND_FUNC_PROTO: kt_buf_appends(out, "function"); return;
	default: put_named(out, btf, "", t);
	}
}

static struct kt_error *add_row(struct rows *rows, const char *name,
				const struct btf_lookup *lookup, unsigned int depth)
{
	struct types_member m = {.depth = depth, .name = strdup(name)};
	struct kt_buf type = KT_BUF_INIT;
	struct kt_error *err;

	put_type(&type, rows->btf, lookup->type, 0);
	err = kt_buf_finish(&type, &m.type);
	if (!err && rows->v.len >= MEMBERS_MAX)
		err = kt_error_new(KT_ERROR_FORMAT, "its BTF is damaged: members without end");
	m.placed = btf_place(lookup, &m.place);
	if (!err && m.name && kt_vec_push(&rows->v, m))
		return NULL;
	free(m.name);
	free(m.type);
	return err ? err : kt_error_no_memory();
}

/*
 * Adds the members of t, which begins at a bit of the outermost struct. The members of a struct
 * without a name follow it.
 */
static struct kt_error *add_members(struct rows *rows, const struct btf_type *t, uint64_t bits,
				    unsigned int depth)
{
	const struct btf_member *members = btf_members(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		struct btf_lookup lookup = {.btf = rows->btf,
					    .bits = bits + btf_member_bit_offset(t, i),
					    .bitfield = btf_member_bitfield_size(t, i),
					    .type = members[i].type};
		const char *name = btf_name_of(rows->btf, members[i].name_off);
		uint32_t id = members[i].type;
		const struct btf_type *inner = *name ? NULL : btf_strip(rows->btf, &id);
		struct kt_error *err = add_row(rows, name, &lookup, depth);

		if (!err && inner && btf_is_struct_or_union(inner) && depth < NESTING_MAX)
			err = add_members(rows, inner, lookup.bits, depth + 1);
		if (err)
			return err;
	}
	return NULL;
}

/* Adds a member, and its own members if it is a struct or union. */
static struct kt_error *add_path(struct rows *rows, const struct btf_type *t, const char *path)
{
	struct btf_lookup lookup = {.btf = rows->btf, .visits = BTF_VISITS_MAX};
	const struct btf_type *inner;
	struct kt_error *err;
	uint32_t id;

	if (!btf_find_path(&lookup, t, path))
		return kt_error_new(KT_ERROR_NOT_FOUND, "no such member");
	err = add_row(rows, path, &lookup, 0);
	id = lookup.type;
	inner = btf_strip(rows->btf, &id);
	if (err || lookup.bitfield || !inner || !btf_is_struct_or_union(inner))
		return err;
	return add_members(rows, inner, lookup.bits, 1);
}

static bool has_path(const struct btf *btf, const struct btf_type *t, const char *path)
{
	struct btf_lookup lookup = {.btf = btf, .visits = BTF_VISITS_MAX};

	return btf_is_struct_or_union(t) && btf_find_path(&lookup, t, path);
}

/* The first type of a name that has the path, else the first of that name; NULL: none. */
static const struct btf_type *find_type(const struct btf *btf, const char *name, const char *path,
					unsigned int *n_ret)
{
	uint32_t end = btf__type_cnt(btf);
	const struct btf_type *found = NULL;
	bool has = false;

	*n_ret = 0;
	for (uint32_t id = 1; id < end; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!t || !(btf_is_struct_or_union(t) || btf_is_any_enum(t)) ||
		    strcmp(btf_name_of(btf, t->name_off), name) ||
		    (btf_is_any_enum(t) && !btf_vlen(t)))
			continue;
		++*n_ret;
		if (!found || (path && !has && has_path(btf, t, path))) {
			found = t;
			has = path && has_path(btf, t, path);
		}
	}
	return found;
}

/* Levenshtein's distance; SIZE_MAX for a name that is too long for it. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b);

	if (n >= 64 || strlen(a) >= 64)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

/* How different a name is: 1 if one contains the other, SIZE_MAX if they are not alike. */
static size_t unlike(const char *name, const char *want)
{
	size_t d = distance(name, want), len = strlen(want);

	if (!*name)
		return SIZE_MAX;
	if (strstr(name, want) || strstr(want, name))
		return 1;
	return d <= (len + 1) / 2 ? d : SIZE_MAX;
}

static void put_similar(struct kt_buf *out, const struct rows *rows, const char *want)
{
	size_t n = 0;

	for (size_t d = 0; d < 64 && n < SIMILAR_MAX; d++) {
		kt_vec_for_each (&rows->v, m) {
			if (n < SIMILAR_MAX && unlike(m->name, want) == d)
				kt_buf_printf(out, "%s%s", n++ ? ", " : "", m->name);
		}
	}
}

static void rows_deinit(struct rows *rows)
{
	kt_vec_for_each (&rows->v, m) {
		free(m->name);
		free(m->type);
	}
	kt_vec_free(&rows->v);
}

/* The error for "bpf_prog.aux.name": aux is a pointer, ask for "bpf_prog_aux.name". */
static struct kt_error *through_pointer(const struct btf *btf, const struct btf_type *t,
					const char *name, const char *path, const char *last)
{
	struct kt_error *err = kt_error_new(KT_ERROR_NOT_FOUND, "%s.%.*s is a pointer", name,
					    (int)(last - path - 1), path);
	uint32_t id = t->type;
	const struct btf_type *to = btf_strip(btf, &id);
	const char *to_name = to && btf_is_struct_or_union(to) ? btf_name_of(btf, to->name_off)
							       : "";

	return *to_name ? kt_error_hint(err, "ask for %s.%s", to_name, last) : err;
}

/* The error for a path that leads to no member: where it ends, and similar names there. */
static struct kt_error *no_member(const struct btf *btf, const struct btf_type *t, const char *name,
				  const char *path)
{
	_cleanup_(rows_deinit) struct rows rows = {.btf = btf};
	_cleanup_free_ char *head = strdup(path), *want = NULL;
	struct kt_buf similar = KT_BUF_INIT;
	struct kt_error *err;
	const char *last = path;
	uint32_t id;

	if (!head)
		return kt_error_no_memory();
	/* Find the longest part of the path that leads to a member. */
	for (char *dot; (dot = strrchr(head, '.'));) {
		struct btf_lookup l = {.btf = btf, .visits = BTF_VISITS_MAX};

		*dot = '\0';
		if (!btf_find_path(&l, t, head))
			continue;
		last = path + strlen(head) + 1;
		id = l.type;
		t = btf_strip(btf, &id);
		break;
	}
	err = t && btf_is_struct_or_union(t) ? add_members(&rows, t, 0, 0) : NULL;
	if (err)
		return err;
	if (t && last != path && btf_is_ptr(t))
		return through_pointer(btf, t, name, path, last);
	want = strndup(last, strcspn(last, "."));
	if (want)
		put_similar(&similar, &rows, want);
	if (last != path)
		err = kt_error_new(KT_ERROR_NOT_FOUND, "%s.%.*s has no member %s", name,
				   (int)(last - path - 1), path, want ? want : last);
	else
		err = kt_error_new(KT_ERROR_NOT_FOUND, "%s has no member %s", name,
				   want ? want : last);
	if (similar.len)
		err = kt_error_hint(err, "near it: %s", similar.data);
	kt_buf_deinit(&similar);
	return err;
}

static struct kt_error *fill(const struct btf *btf, const struct btf_type *t, const char *path,
			     struct types_layout *ret)
{
	struct rows rows = {.btf = btf};
	struct kt_error *err;

	ret->size = t->size;
	if (btf_is_any_enum(t)) {
		ret->kind = TYPES_ENUM;
		return btf_enumerators(btf, t, &ret->enums, &ret->n_enums);
	}
	ret->kind = btf_is_union(t) ? TYPES_UNION : TYPES_STRUCT;
	err = path ? add_path(&rows, t, path) : add_members(&rows, t, 0, 0);
	ret->members = rows.v.data;
	ret->n_members = rows.v.len;
	return err;
}

struct kt_error *types_layout_find(const struct btf *btf, const char *name, const char *path,
				   struct types_layout *ret)
{
	struct types_layout layout = {.name = strdup(name)};
	const struct btf_type *t = find_type(btf, name, path, &layout.same_name);
	struct kt_error *err;

	if (!layout.name)
		return kt_error_no_memory();
	if (!t)
		err = kt_error_new(KT_ERROR_NOT_FOUND, "no struct, union or enum %s", name);
	else if (path && !has_path(btf, t, path))
		err = no_member(btf, t, name, path);
	else
		err = fill(btf, t, path, &layout);
	if (err)
		types_layout_deinit(&layout);
	else
		*ret = layout;
	return err;
}
