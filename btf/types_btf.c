// SPDX-License-Identifier: LGPL-2.1-or-later
/* Types out of BTF, parsed by libbpf. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "btf/btf_lookup.h"
#include "btf/nameset.h"
#include "btf/types.h"
#include "btf/types_layout.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* How many types of one name are compared. */
#define SAME_NAME_MAX 16

struct btf_types {
	struct types base;
	struct btf *btf;
};

/* The best type so far for the wants of one name. */
struct candidate {
	uint32_t id;
	size_t score; /* wants that it can answer */
	size_t seen;  /* types of this name so far */
};

static bool answer_member(const struct btf *btf, const struct btf_type *t, const char *path,
			  struct kfacts_member *ret)
{
	struct btf_lookup l = {.btf = btf, .visits = BTF_VISITS_MAX};

	return btf_find_path(&l, t, path) && btf_place(&l, ret);
}

static bool kind_fits(const struct kfacts_want *want, const struct btf_type *t)
{
	switch (want->kind) {
	case KFACTS_ENUM: return btf_is_any_enum(t);
	case KFACTS_MEMBER:
	case KFACTS_SIZE:
	case KFACTS_MEMBERS:
	case KFACTS_HELD: return btf_is_struct_or_union(t);
	case KFACTS_PARAM: return btf_is_func(t);
	default: return false;
	}
}

/*
 * How many wants of this name the type would answer. Only a member may be missing in a type of the
 * right kind.
 */
static size_t score(const struct btf *btf, const struct btf_type *t, const char *name,
		    const struct kfacts_want *wants, size_t n)
{
	struct kfacts_member m;
	size_t points = 0;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(wants[i].name, name) || !kind_fits(&wants[i], t))
			continue;
		points++;
		if (wants[i].kind == KFACTS_MEMBER && answer_member(btf, t, wants[i].path, &m))
			points++;
	}
	return points;
}

/*
 * One pass over all types. Two C files may have different structs of one name, and in a kernel some
 * have: the one that answers most wants is taken.
 */
static void find_candidates(const struct btf *btf, const struct nameset *names,
			    const struct kfacts_want *wants, size_t n, struct candidate *found)
{
	uint32_t end = btf__type_cnt(btf);

	for (uint32_t id = 1; id < end; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name;
		ptrdiff_t i;
		size_t points;

		if (!t || !t->name_off ||
		    !(btf_is_struct_or_union(t) || btf_is_any_enum(t) || btf_is_func(t)))
			continue;
		name = btf_name_of(btf, t->name_off);
		i = nameset_find(names, name, strlen(name));
		if (i < 0 || found[i].seen++ >= SAME_NAME_MAX)
			continue;
		points = score(btf, t, name, wants, n);
		if (points > found[i].score) {
			found[i].id = id;
			found[i].score = points;
		}
	}
}

/*
 * Finds the struct that has a member of this name and type. Two structs that have it at different
 * offsets give no answer, rather than perhaps the wrong one.
 */
static void answer_held(const struct btf *btf, uint32_t held, const struct kfacts_want *want,
			struct kfacts_answer *answer)
{
	uint32_t end = btf__type_cnt(btf), holders = 0;
	struct kfacts_member m;

	for (uint32_t id = 1; id < end; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const struct btf_member *members;

		if (!t || !btf_is_struct_or_union(t))
			continue;
		members = btf_members(t);
		for (uint32_t i = 0; i < btf_vlen(t); i++) {
			struct btf_lookup l = {.btf = btf,
					       .bits = btf_member_bit_offset(t, i),
					       .type = members[i].type};
			uint32_t type = members[i].type;

			if (strcmp(btf_name_of(btf, members[i].name_off), want->path) ||
			    (type != held && (!btf_strip(btf, &type) || type != held)) ||
			    !btf_place(&l, &m))
				continue;
			if (holders++ && m.offset != answer->member.offset) {
				answer->present = false;
				return;
			}
			answer->member = m;
			answer->present = true;
		}
	}
}

/* Finds the first parameter that is a pointer to the struct. */
static void answer_param(const struct btf *btf, const struct btf_type *func, const char *type,
			 struct kfacts_answer *answer)
{
	const struct btf_type *proto = btf__type_by_id(btf, func->type);

	if (!proto || !btf_is_func_proto(proto))
		return;
	for (uint32_t i = 0; i < btf_vlen(proto) && !answer->present; i++) {
		uint32_t id = btf_params(proto)[i].type;
		const struct btf_type *t = btf_strip(btf, &id);

		if (!t || !btf_is_ptr(t))
			continue;
		id = t->type;
		t = btf_strip(btf, &id);
		answer->present = t && btf_is_struct_or_union(t) &&
				  !strcmp(btf_name_of(btf, t->name_off), type);
		answer->value = answer->present ? i : 0;
	}
}

static struct kt_error *answer_one(const struct btf *btf, uint32_t id,
				   const struct kfacts_want *want, struct kfacts_answer *answer)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	if (!kind_fits(want, t))
		return NULL;
	switch (want->kind) {
	case KFACTS_MEMBER:
		answer->present = answer_member(btf, t, want->path, &answer->member);
		return NULL;
	case KFACTS_SIZE:
		answer->value = t->size;
		answer->present = true;
		return NULL;
	case KFACTS_ENUM:
		answer->present = true;
		return btf_enumerators(btf, t, &answer->enums, &answer->n_enums);
	case KFACTS_MEMBERS:
		answer->present = true;
		return btf_named_members(btf, t, &answer->enums, &answer->n_enums);
	case KFACTS_HELD: answer_held(btf, id, want, answer); return NULL;
	case KFACTS_PARAM: answer_param(btf, t, want->path, answer); return NULL;
	default: return NULL;
	}
}

static struct kt_error *btf_types_resolve(struct types *types, const struct kfacts_want *wants,
					  size_t n, struct kfacts_answer *answers)
{
	_cleanup_free_ struct candidate *found = calloc(n ? n : 1, sizeof(*found));
	_cleanup_(nameset_deinit) struct nameset names = {0};
	const struct btf *btf = ((struct btf_types *)types)->btf;

	if (!found || !nameset_init(&names, n))
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		if (wants[i].kind != KFACTS_SYMBOL && wants[i].kind != KFACTS_CODE)
			nameset_add(&names, wants[i].name);
	}
	find_candidates(btf, &names, wants, n, found);
	for (size_t i = 0; i < n; i++) {
		ptrdiff_t at = nameset_find(&names, wants[i].name, strlen(wants[i].name));
		struct kt_error *err;

		if (at < 0 || !found[at].score)
			continue;
		err = answer_one(btf, found[at].id, &wants[i], &answers[i]);
		if (err)
			return err;
	}
	return NULL;
}

static struct kt_error *btf_types_describe(struct types *types, const char *name, const char *path,
					   struct types_layout *ret)
{
	return types_layout_find(((struct btf_types *)types)->btf, name, path, ret);
}

static bool btf_types_big_endian(const struct types *types)
{
	return btf__endianness(((const struct btf_types *)types)->btf) == BTF_BIG_ENDIAN;
}

static void btf_types_destroy(struct types *types)
{
	btf__free(((struct btf_types *)types)->btf);
	free(types);
}

static const struct types_ops btf_ops = {
	.name = "BTF",
	.resolve = btf_types_resolve,
	.describe = btf_types_describe,
	.big_endian = btf_types_big_endian,
	.destroy = btf_types_destroy,
};

/*
 * Is it the BTF of a module? The first string of a kernel's BTF is empty, that of a module's is
 * not, because it continues the kernel's strings (btf_parse_str_sec() in kernel/bpf/btf.c).
 */
static bool is_split(const void *data, size_t len)
{
	struct kt_cursor c = kt_cursor(data, len, false);
	uint32_t hdr_len, str_off, str_len;
	const uint8_t *first;

	c.big_endian = kt_cursor_u16(&c) != BTF_MAGIC;
	kt_cursor_bytes(&c, 2); /* version, flags */
	hdr_len = kt_cursor_u32(&c);
	kt_cursor_bytes(&c, 8); /* type_off, type_len */
	str_off = kt_cursor_u32(&c);
	str_len = kt_cursor_u32(&c);
	kt_cursor_seek(&c, (uint64_t)hdr_len + str_off);
	first = kt_cursor_bytes(&c, 1);
	return first && str_len && *first;
}

static bool has_magic(const void *data, size_t len)
{
	return len >= 2 && (kt_load_uint(data, 2, false) == BTF_MAGIC ||
			    kt_load_uint(data, 2, true) == BTF_MAGIC);
}

static struct kt_error *damaged(const void *data, size_t len)
{
	if (!has_magic(data, len))
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT,
						  "its BTF is damaged: no magic number"),
				     "--btf takes a copy of the guest's /sys/kernel/btf/vmlinux");
	if (is_split(data, len))
		return kt_error_hint(
			kt_error_new(KT_ERROR_FORMAT,
				     "damaged, or split BTF, a module's: it says nothing without "
				     "the kernel's"),
			"--btf takes a copy of the guest's /sys/kernel/btf/vmlinux");
	return kt_error_new(KT_ERROR_FORMAT, "its BTF is damaged");
}

struct kt_error *types_parse_btf(const void *data, size_t len, unsigned int pointer_size,
				 struct btf **ret)
{
	/* libbpf prints what is wrong with damaged BTF; only cli/ may print. */
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct btf *btf = len > UINT32_MAX ? NULL : btf__new(data, (uint32_t)len);
	int errnum = errno;

	libbpf_set_print(print);
	if (!btf)
		return errnum == ENOMEM ? kt_error_no_memory() : damaged(data, len);
	if (pointer_size)
		btf__set_pointer_size(btf, pointer_size);
	*ret = btf;
	return NULL;
}

struct kt_error *types_of_btf(struct btf *btf, struct types **ret)
{
	struct btf_types *types = calloc(1, sizeof(*types));

	if (!types) {
		btf__free(btf);
		return kt_error_no_memory();
	}
	types->base.ops = &btf_ops;
	types->btf = btf;
	*ret = &types->base;
	return NULL;
}

struct kt_error *types_from_btf(const void *data, size_t len, unsigned int pointer_size,
				struct types **ret)
{
	struct btf *btf;
	struct kt_error *err = types_parse_btf(data, len, pointer_size, &btf);

	return err ? err : types_of_btf(btf, ret);
}
