// SPDX-License-Identifier: LGPL-2.1-or-later
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "btf/btf_checked.h"
#include "util/cleanup.h"
#include "util/io.h"

/* In which types may lie in types. Kernels of 2026 need less than 40. */
#define DEPTH_MAX 256
/* Numbers in one value; or lines of one declaration, for structs without a name. */
#define WEIGHT_MAX (UINT64_C(1) << 40)

/* --- each type by itself: IDs, names --- */

static bool name_fits(const struct btf *btf, uint32_t offset)
{
	return btf__str_by_offset(btf, offset) != NULL;
}

static bool type_fits(const struct btf *btf, uint32_t id)
{
	return id < btf__type_cnt(btf);
}

/* The parts of a type that have types and names of their own. */
static bool parts_fit(const struct btf *btf, const struct btf_type *t)
{
	bool ok = true;

	for (uint32_t i = 0; i < btf_vlen(t) && ok; i++)
		switch (btf_kind(t)) {
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
			ok = type_fits(btf, btf_members(t)[i].type) &&
			     name_fits(btf, btf_members(t)[i].name_off);
			break;
		case BTF_KIND_ENUM: ok = name_fits(btf, btf_enum(t)[i].name_off); break;
		case BTF_KIND_ENUM64: ok = name_fits(btf, btf_enum64(t)[i].name_off); break;
		case BTF_KIND_FUNC_PROTO:
			ok = type_fits(btf, btf_params(t)[i].type) &&
			     name_fits(btf, btf_params(t)[i].name_off);
			break;
		case BTF_KIND_DATASEC: ok = type_fits(btf, btf_var_secinfos(t)[i].type); break;
		default: break;
		}
	return ok;
}

static bool fits(const struct btf *btf, const struct btf_type *t)
{
	if (!name_fits(btf, t->name_off))
		return false;
	switch (btf_kind(t)) {
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_DECL_TAG:
	case BTF_KIND_VAR: return type_fits(btf, t->type);
	case BTF_KIND_FUNC:
		return type_fits(btf, t->type) && btf_is_func_proto(btf__type_by_id(btf, t->type));
	case BTF_KIND_FUNC_PROTO: return type_fits(btf, t->type) && parts_fit(btf, t);
	case BTF_KIND_ARRAY:
		return type_fits(btf, btf_array(t)->type) &&
		       type_fits(btf, btf_array(t)->index_type);
	case BTF_KIND_INT:
		return t->size && t->size <= 16 && btf_int_bits(t) &&
		       btf_int_bits(t) <= t->size * 8 && !btf_int_offset(t);
	case BTF_KIND_FLOAT: return t->size && t->size <= 16;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return t->size && t->size <= 8 && !(t->size & (t->size - 1)) && parts_fit(btf, t);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC: return parts_fit(btf, t);
	case BTF_KIND_FWD: return true;
	default: return false;
	}
}

/* --- types in types --- */

/* What is known of a type: of it as a part, or of it behind a pointer. */
struct mark {
	bool under_way;
	unsigned int depth; /* of types in it; 0: not seen yet */
	uint64_t weight;    /* numbers in it */
};

/*
 * What a declaration or a value has in it, without what it only points to: libbpf goes the same
 * ways, and recurses. A struct with a name ends a way that went through a pointer.
 */
struct depth {
	const struct btf *btf;
	struct mark *marks[2]; /* by ID; [1]: a pointer leads there */
	const char *why;       /* NULL: all is well so far */
};

static void weigh(struct depth *d, uint32_t id, bool pointed, unsigned int level);

static struct mark *mark_of(const struct depth *d, uint32_t id, bool pointed)
{
	return &d->marks[pointed][id];
}

/* The type is in the one of mark, so many times. */
static void add(struct depth *d, struct mark *mark, uint64_t times, uint32_t id, bool pointed,
		unsigned int level)
{
	const struct mark *part = mark_of(d, id, pointed);

	if (!id || d->why)
		return;
	weigh(d, id, pointed, level);
	if (d->why)
		return;
	if (part->depth >= mark->depth)
		mark->depth = part->depth + 1;
	if (part->weight && times > (WEIGHT_MAX - mark->weight) / part->weight)
		d->why = "a type has too many parts";
	else
		mark->weight += times * part->weight;
	if (mark->depth > DEPTH_MAX)
		d->why = "types lie too deep in one another";
}

static void add_parts(struct depth *d, struct mark *mark, const struct btf_type *t,
		      unsigned int level)
{
	for (uint32_t i = 0; i < btf_vlen(t) && !d->why; i++)
		if (btf_is_composite(t))
			add(d, mark, 1, btf_members(t)[i].type, false, level);
		else if (btf_is_datasec(t))
			add(d, mark, 1, btf_var_secinfos(t)[i].type, false, level);
		else
			add(d, mark, 1, btf_params(t)[i].type, true, level);
}

static void weigh_new(struct depth *d, struct mark *mark, const struct btf_type *t, bool pointed,
		      unsigned int level)
{
	switch (btf_kind(t)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		if (!pointed || !t->name_off)
			add_parts(d, mark, t, level);
		return;
	case BTF_KIND_DATASEC: add_parts(d, mark, t, level); return;
	case BTF_KIND_PTR: add(d, mark, 1, t->type, true, level); return;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_VAR:
	case BTF_KIND_FUNC: add(d, mark, 1, t->type, pointed, level); return;
	case BTF_KIND_ARRAY:
		/* The elements of an array that is only pointed to are never shown. */
		add(d, mark, pointed ? 1 : btf_array(t)->nelems, btf_array(t)->type, pointed,
		    level);
		return;
	case BTF_KIND_FUNC_PROTO:
		add_parts(d, mark, t, level);
		add(d, mark, 1, t->type, true, level);
		return;
	default: return;
	}
}

static void weigh(struct depth *d, uint32_t id, bool pointed, unsigned int level)
{
	const struct btf_type *t = btf__type_by_id(d->btf, id);
	struct mark *mark = mark_of(d, id, pointed);

	if (mark->under_way)
		d->why = "a type is a part of itself";
	else if (level > DEPTH_MAX)
		d->why = "types lie too deep in one another";
	if (d->why || mark->depth)
		return;
	*mark = (struct mark){.under_way = true, .depth = 1, .weight = 1};
	weigh_new(d, mark, t, pointed, level + 1);
	mark->under_way = false;
}

static bool depth_init(struct depth *d, const struct btf *btf)
{
	size_t n = btf__type_cnt(btf);

	*d = (struct depth){.btf = btf};
	for (size_t i = 0; i < 2; i++)
		d->marks[i] = calloc(n, sizeof(*d->marks[i]));
	return d->marks[0] && d->marks[1];
}

static void depth_deinit(struct depth *d)
{
	free(d->marks[0]);
	free(d->marks[1]);
}

static struct kt_error *damaged(const char *why)
{
	return kt_error_new(KT_ERROR_FORMAT, "damaged BTF: %s", why);
}

static struct kt_error *check(const struct btf *btf)
{
	_cleanup_(depth_deinit) struct depth depth = {0};
	uint32_t n = btf__type_cnt(btf);

	if (!depth_init(&depth, btf))
		return kt_error_no_memory();
	for (uint32_t id = 1; id < n; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!t || !fits(btf, t))
			return damaged("a type refers to what is not there");
	}
	for (uint32_t id = 1; id < n && !depth.why; id++) {
		weigh(&depth, id, false, 0);
		if (!depth.why)
			weigh(&depth, id, true, 0);
	}
	return depth.why ? damaged(depth.why) : NULL;
}

/* --- what others call --- */

/* libbpf declares btf__new_split(), but 1.1 does not have it: a path has to do. */
static struct kt_error *new_split(const void *data, size_t len, struct btf *base, struct btf **ret)
{
	_cleanup_close_ int fd = memfd_create("split BTF", MFD_CLOEXEC);
	struct kt_error *err = fd < 0 ? kt_error_os(errno, "no file in memory for split BTF")
				      : kt_write_all(fd, data, len);
	char path[64];

	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*ret = btf__parse_raw_split(path, base);
	return NULL;
}

struct kt_error *btf_parse_checked(const void *data, size_t len, struct btf *base, struct btf **ret)
{
	/* libbpf prints what is wrong with damaged BTF; only cli/ may print. */
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct kt_error *err = NULL;
	struct btf *btf = NULL;
	int errnum;

	errno = EINVAL;
	if (base)
		err = new_split(data, len, base, &btf);
	else if (len <= UINT32_MAX)
		btf = btf__new(data, (uint32_t)len);
	errnum = errno;
	libbpf_set_print(print);
	if (err)
		return err;
	if (!btf)
		return errnum == ENOMEM ? kt_error_no_memory() : damaged("libbpf cannot parse it");
	err = check(btf);
	if (err) {
		btf__free(btf);
		return err;
	}
	*ret = btf;
	return NULL;
}

uint64_t btf_weight(const struct btf *btf, uint32_t type)
{
	_cleanup_(depth_deinit) struct depth depth = {0};

	if (!type_fits(btf, type) || !depth_init(&depth, btf))
		return UINT64_MAX;
	weigh(&depth, type, false, 0);
	return depth.why ? UINT64_MAX : mark_of(&depth, type, false)->weight;
}
