// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "introspect/bpf_ids.h"
#include "util/cleanup.h"

static const struct view_field prog_fields[] = {{.path = "aux"}};
static const struct view_field id_fields[] = {{.path = "id"}};

static const struct view_type prog_type = VIEW_TYPE("bpf_prog", prog_fields);
/* What has the ID; of a program that is its aux. */
static const struct view_type id_types[N_HELD_KINDS] = {
	[HELD_PROG] = VIEW_TYPE("bpf_prog_aux", id_fields),
	[HELD_MAP] = VIEW_TYPE("bpf_map", id_fields),
	[HELD_LINK] = VIEW_TYPE("bpf_link", id_fields),
	[HELD_BTF] = VIEW_TYPE("btf", id_fields),
};

bool bpf_ids_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_HELD_KINDS; i++)
		if (!view_wants(&id_types[i], wants))
			return false;
	return view_wants(&prog_type, wants);
}

void bpf_ids_deinit(struct bpf_ids *ids)
{
	kt_vec_for_each (&ids->v, object)
		object_deinit(&object->read);
	kt_vec_free(&ids->v);
}

static int compare(const void *a, const void *b)
{
	const struct bpf_id *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

bool bpf_ids_add(struct bpf_ids *ids, enum held_kind kind, gaddr_t addr)
{
	struct bpf_id object = {.kind = kind, .addr = addr, .has_id = addr};

	return kt_vec_push(&ids->v, object);
}

static void sort(struct bpf_ids *ids)
{
	size_t kept = 0;

	if (ids->v.len)
		qsort(ids->v.data, ids->v.len, sizeof(*ids->v.data), compare);
	for (size_t i = 0; i < ids->v.len; i++)
		if (!kept || compare(&ids->v.data[kept - 1], &ids->v.data[i]))
			ids->v.data[kept++] = ids->v.data[i];
	ids->v.len = kept;
}

/* One batch: each program's aux, or (last) what has the ID of each object. */
static struct kt_error *read_one(struct bpf_ids *ids, struct guest *guest, bool last)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	kt_vec_for_each (&ids->v, object) {
		const struct view *view = last ? &ids->ids[object->kind] : &ids->prog;

		object_deinit(&object->read);
		if (ids->has[object->kind] && (last || object->kind == HELD_PROG))
			err = object_begin(&object->read, view, object->has_id, &batch);
		if (err)
			return err;
	}
	if (batch.reads.len)
		err = guest_read(guest, &batch);
	kt_vec_for_each (&ids->v, object)
		object_end(&object->read, &batch);
	return err;
}

struct kt_error *bpf_ids_read(struct bpf_ids *ids, struct guest *guest)
{
	const struct kfacts *facts = guest_facts(guest);
	struct kt_error *err;

	sort(ids);
	for (size_t i = 0; i < N_HELD_KINDS; i++)
		ids->has[i] = view_try(&ids->ids[i], &id_types[i], facts);
	ids->has[HELD_PROG] &= view_try(&ids->prog, &prog_type, facts);
	err = read_one(ids, guest, false);
	if (err)
		return err;
	kt_vec_for_each (&ids->v, object)
		if (object->kind == HELD_PROG)
			object->has_id = object->read.known
						 ? view_uint(&ids->prog, object->read.image, 0)
						 : 0;
	return read_one(ids, guest, true);
}

bool bpf_ids_find(const struct bpf_ids *ids, enum held_kind kind, gaddr_t addr, uint32_t *ret)
{
	const struct bpf_id key = {.kind = kind, .addr = addr};
	const struct bpf_id *found = ids->v.len ? bsearch(&key, ids->v.data, ids->v.len,
							  sizeof(key), compare)
						: NULL;

	if (!found || !found->read.known)
		return false;
	*ret = (uint32_t)view_uint(&ids->ids[kind], found->read.image, 0);
	return true;
}
