// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_struct_ops.h"
#include "memory/cstring.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define POINTER_SIZE 8
/* BPF_STRUCT_OPS_MAX_NR_MEMBERS is 64. */
#define MEMBERS_MAX 256
/* btf_type.info: how many members a struct has. */
#define VLEN_MASK    0xffff
#define NAME_MAX_LEN 15

enum { MAP_REFCNT, MAP_ID, MAP_TYPE, MAP_NAME };
static const struct view_field map_fields[] = {
	[MAP_REFCNT] = {.path = "refcnt.counter", .optional = true},
	[MAP_ID] = {.path = "id"},
	[MAP_TYPE] = {.path = "map_type"},
	[MAP_NAME] = {.path = "name", .max = 16},
};
static const struct view_type map_view = VIEW_TYPE("bpf_map", map_fields);
static const struct bpf_idr_type map_idr = {
	.symbol = "map_idr", .view = &map_view, .id = MAP_ID, .refcnt = MAP_REFCNT};

enum { OPS_DESC, OPS_OPS, OPS_LINKS, OPS_PROGS, OPS_COUNT, OPS_STATE, OPS_COMMON_STATE };
static const struct view_field ops_fields[] = {
	[OPS_DESC] = {.path = "st_ops_desc", .optional = true}, /* since 6.9 */
	[OPS_OPS] = {.path = "st_ops", .optional = true},       /* before */
	[OPS_LINKS] = {.path = "links", .optional = true},      /* since 5.19 */
	[OPS_PROGS] = {.path = "progs", .optional = true},      /* before */
	/* Entries of links, since 6.13; before, as many as the struct has members. */
	[OPS_COUNT] = {.path = "funcs_cnt", .optional = true},
	[OPS_STATE] = {.path = "kvalue.state", .optional = true},               /* before 6.9 */
	[OPS_COMMON_STATE] = {.path = "kvalue.common.state", .optional = true}, /* since then */
};
static const struct view_type ops_view = VIEW_TYPE("bpf_struct_ops_map", ops_fields);
#define DATA "kvalue.data"

enum { DESC_OPS, DESC_TYPE };
static const struct view_field desc_fields[] = {
	[DESC_OPS] = {.path = "st_ops"},
	[DESC_TYPE] = {.path = "type"},
};
static const struct view_type desc_view = VIEW_TYPE("bpf_struct_ops_desc", desc_fields);

enum { KIND_NAME, KIND_TYPE };
static const struct view_field kind_fields[] = {
	[KIND_NAME] = {.path = "name"},
	[KIND_TYPE] = {.path = "type", .optional = true}, /* before 6.9
							   */
};
static const struct view_type kind_view = VIEW_TYPE("bpf_struct_ops", kind_fields);

static const struct view_field type_fields[] = {{.path = "info"}};
static const struct view_type type_view = VIEW_TYPE("btf_type", type_fields);
static const struct view_field link_fields[] = {{.path = "prog"}};
static const struct view_type link_view = VIEW_TYPE("bpf_link", link_fields);
static const struct view_field prog_fields[] = {{.path = "aux"}};
static const struct view_type prog_view = VIEW_TYPE("bpf_prog", prog_fields);
static const struct view_field aux_fields[] = {{.path = "id"}};
static const struct view_type aux_view = VIEW_TYPE("bpf_prog_aux", aux_fields);

/* A pointer that a struct_ops has; where it leads to so far. */
struct slot {
	size_t ops; /* its index */
	gaddr_t addr;
};

/* All structures of one level, of each struct_ops. */
struct reading {
	struct gmem memory;
	const struct kfacts *facts;
	struct bpf_idr idr;
	size_t n;
	const struct bpf_idr_entry **entries; /* those of maps that are struct_ops */
	gaddr_t *addrs;                       /* of what is read next */
	struct view view[4];                  /* of the levels, which objects refer to */
	struct objects ops, descs, kinds, types;
	struct cstring *names;
	size_t *counts; /* of pointers to links or programs, of each */
	bool *known;    /* of each, whether all its programs are */
	KT_VEC(struct slot) slots;
};

static void reading_deinit(struct reading *r)
{
	for (size_t i = 0; r->names && i < r->n; i++)
		cstring_deinit(&r->names[i]);
	free(r->names);
	objects_deinit(&r->ops);
	objects_deinit(&r->descs);
	objects_deinit(&r->kinds);
	objects_deinit(&r->types);
	bpf_idr_deinit(&r->idr);
	free(r->entries);
	free(r->addrs);
	free(r->counts);
	free(r->known);
	kt_vec_free(&r->slots);
}

bool bpf_struct_ops_wants(struct wants *wants)
{
	static const struct view_type *const views[] = {
		&ops_view, &desc_view, &kind_view, &type_view, &link_view, &prog_view, &aux_view};

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (!view_wants(views[i], wants))
			return false;
	return bpf_idr_wants(&map_idr, wants) &&
	       wants_add(wants, KFACTS_MEMBER, ops_view.name, DATA, true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_map_type", NULL, true) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_struct_ops_state", NULL, true);
}

struct kt_error *bpf_struct_ops_check(const struct kfacts *facts)
{
	return bpf_idr_check(&map_idr, facts);
}

static bool is_struct_ops(const struct reading *r, const struct bpf_idr_entry *entry)
{
	const char *type;

	if (bpf_idr_state(&r->idr, entry) != BPF_IDR_HERE)
		return false;
	type = kfacts_enum_name(r->facts, "bpf_map_type",
				(int64_t)view_uint(&r->idr.view, entry->image, MAP_TYPE));
	return type && strcmp(type, "BPF_MAP_TYPE_STRUCT_OPS") == 0;
}

static struct kt_error *find_maps(struct reading *r)
{
	r->entries = calloc(r->idr.n + 1, sizeof(*r->entries));
	if (!r->entries)
		return kt_error_no_memory();
	for (size_t i = 0; i < r->idr.n; i++)
		if (is_struct_ops(r, &r->idr.entries[i]))
			r->entries[r->n++] = &r->idr.entries[i];
	r->addrs = calloc(r->n + 1, sizeof(*r->addrs));
	r->names = calloc(r->n + 1, sizeof(*r->names));
	r->counts = calloc(r->n + 1, sizeof(*r->counts));
	r->known = calloc(r->n + 1, sizeof(*r->known));
	return r->addrs && r->names && r->counts && r->known ? NULL : kt_error_no_memory();
}

/* Reads one level at r->addrs. A kernel that does not have the structure: nothing is known. */
static struct kt_error *level(struct reading *r, size_t nth, const struct view_type *type,
			      struct objects *ret)
{
	return view_try(&r->view[nth], type, r->facts)
		       ? objects_read(&r->memory, &r->view[nth], r->addrs, r->n, ret)
		       : NULL;
}

/* The map's own structure, what it is for (in one or two steps), and that one's type. */
static struct kt_error *read_kinds(struct reading *r)
{
	struct kt_error *err;

	for (size_t i = 0; i < r->n; i++)
		r->addrs[i] = r->entries[i]->addr;
	err = level(r, 0, &ops_view, &r->ops);
	for (size_t i = 0; i < r->n; i++)
		r->addrs[i] = objects_uint(&r->ops, i, OPS_DESC);
	if (!err)
		err = level(r, 1, &desc_view, &r->descs);
	for (size_t i = 0; i < r->n; i++)
		r->addrs[i] = r->addrs[i] ? objects_uint(&r->descs, i, DESC_OPS)
					  : objects_uint(&r->ops, i, OPS_OPS);
	if (!err)
		err = level(r, 2, &kind_view, &r->kinds);
	for (size_t i = 0; i < r->n; i++) {
		gaddr_t type = objects_uint(&r->descs, i, DESC_TYPE);

		r->names[i].addr = objects_uint(&r->kinds, i, KIND_NAME);
		r->addrs[i] = type ? type : objects_uint(&r->kinds, i, KIND_TYPE);
	}
	if (!err)
		err = level(r, 3, &type_view, &r->types);
	return err ? err : cstrings_read(&r->memory, r->names, r->n);
}

/* How many pointers to links or programs there are. False: not known. */
static bool count_pointers(const struct reading *r, size_t i, size_t *ret)
{
	const uint8_t *ops = objects_image(&r->ops, i);
	uint64_t count;

	if (!ops)
		return false;
	if (view_has(&r->view[0], OPS_COUNT))
		count = view_uint(&r->view[0], ops, OPS_COUNT);
	else if (objects_image(&r->types, i))
		count = objects_uint(&r->types, i, 0) & VLEN_MASK;
	else
		return false;
	*ret = count <= MEMBERS_MAX ? (size_t)count : 0;
	return count <= MEMBERS_MAX;
}

/* The pointers of each struct_ops, those that are not null, by struct_ops. */
static struct kt_error *read_pointers(struct reading *r)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	unsigned int array = view_has(&r->view[0], OPS_LINKS) ? OPS_LINKS : OPS_PROGS;
	const size_t size = MEMBERS_MAX * POINTER_SIZE;
	_cleanup_free_ uint8_t *raw = calloc(r->n + 1, size);
	bool big_endian = kfacts_kernel(r->facts)->big_endian;
	struct kt_error *err;

	if (!raw)
		return kt_error_no_memory();
	for (size_t i = 0; i < r->n; i++) {
		gaddr_t addr = objects_uint(&r->ops, i, array);

		r->known[i] = addr && count_pointers(r, i, &r->counts[i]);
		if (!r->known[i])
			r->counts[i] = 0;
		if (!gmem_batch_add(&batch, addr, raw + i * size, r->counts[i] * POINTER_SIZE))
			return kt_error_no_memory();
	}
	err = gmem_batch_read(&batch, r->memory.read, r->memory.source);
	for (size_t i = 0, piece = 0; i < r->n && !err; i++) {
		if (!r->counts[i])
			continue;
		r->known[i] = !gmem_batch_fault(&batch, piece, piece + 1);
		piece++;
		for (size_t k = 0; k < r->counts[i] && r->known[i]; k++) {
			struct slot slot = {.ops = i};

			slot.addr = kt_load_uint(raw + i * size + k * POINTER_SIZE, POINTER_SIZE,
						 big_endian);
			if (slot.addr && !kt_vec_push(&r->slots, slot))
				return kt_error_no_memory();
		}
	}
	return err;
}

/* Goes on from each slot's address to the pointer in its structure there. */
static struct kt_error *follow_slots(struct reading *r, const struct view_type *type, bool *has)
{
	_cleanup_(objects_deinit) struct objects objects = {0};
	_cleanup_free_ gaddr_t *addrs = calloc(r->slots.len + 1, sizeof(*addrs));
	struct kt_error *err;
	struct view view;

	*has = view_try(&view, type, r->facts);
	if (!addrs)
		return kt_error_no_memory();
	if (!*has)
		return NULL;
	for (size_t i = 0; i < r->slots.len; i++)
		addrs[i] = r->slots.data[i].addr;
	err = objects_read(&r->memory, &view, addrs, r->slots.len, &objects);
	for (size_t i = 0; i < r->slots.len && !err; i++) {
		r->slots.data[i].addr = objects_uint(&objects, i, 0);
		if (!r->slots.data[i].addr)
			r->known[r->slots.data[i].ops] = false;
	}
	return err;
}

/* From links or programs to the programs' IDs, which are in slot.addr then. */
static struct kt_error *read_programs(struct reading *r)
{
	struct kt_error *err = NULL;
	bool has = true;

	if (view_has(&r->view[0], OPS_LINKS))
		err = follow_slots(r, &link_view, &has);
	if (!err && has)
		err = follow_slots(r, &prog_view, &has);
	if (!err && has)
		err = follow_slots(r, &aux_view, &has);
	for (size_t i = 0; i < r->n && !has; i++)
		r->known[i] = false;
	return err;
}

static struct kt_error *read_all(struct reading *r, struct guest *guest)
{
	struct kt_error *err = bpf_idr_read(guest, &map_idr, &r->idr);

	if (!err)
		err = find_maps(r);
	if (err || !r->n)
		return err;
	err = read_kinds(r);
	if (err || !r->ops.view)
		return err;
	err = read_pointers(r);
	return err ? err : read_programs(r);
}

static struct kt_error *copy_programs(const struct reading *r, size_t i, struct struct_ops *ret)
{
	ret->progs_known = r->known[i];
	ret->progs = calloc(r->slots.len + 1, sizeof(*ret->progs));
	if (!ret->progs)
		return kt_error_no_memory();
	for (size_t s = 0; s < r->slots.len && r->known[i]; s++)
		if (r->slots.data[s].ops == i)
			ret->progs[ret->n_progs++].id = (uint32_t)r->slots.data[s].addr;
	return NULL;
}

static struct kt_error *row_finish(const struct reading *r, size_t i, struct struct_ops *ret)
{
	const struct bpf_idr_entry *entry = r->entries[i];
	const uint8_t *ops = objects_image(&r->ops, i);
	const struct cstring *name = &r->names[i];
	struct kfacts_member data;
	size_t len = 0;
	const char *map_name = view_bytes(&r->idr.view, entry->image, MAP_NAME, &len);
	struct kt_error *err;

	ret->id = (uint32_t)entry->index;
	if (kfacts_member(r->facts, ops_view.name, DATA, &data))
		ret->data = entry->addr + data.offset;
	memcpy(ret->name, map_name, strnlen(map_name, len < NAME_MAX_LEN ? len : NAME_MAX_LEN));
	if (name->known) {
		ret->kernel_struct_ops = strdup(name->text.data ? name->text.data : "");
		if (!ret->kernel_struct_ops)
			return kt_error_no_memory();
	}
	err = copy_programs(r, i, ret);
	if (err || !ops)
		return err;
	return bpf_enum_text(r->facts, "bpf_struct_ops_state", "BPF_STRUCT_OPS_STATE_",
			     view_has(&r->view[0], OPS_COMMON_STATE)
				     ? view_uint(&r->view[0], ops, OPS_COMMON_STATE)
				     : view_uint(&r->view[0], ops, OPS_STATE),
			     &ret->state);
}

struct kt_error *bpf_struct_ops_read(struct guest *guest, struct struct_ops_list *ret)
{
	_cleanup_(reading_deinit) struct reading r = {.memory = guest_memory(guest),
						      .facts = guest_facts(guest)};
	_cleanup_(struct_ops_list_deinit) struct struct_ops_list out = {0};
	struct kt_error *err = read_all(&r, guest);

	if (err)
		return err;
	out.n_unreadable = r.idr.damaged;
	for (size_t i = 0; i < r.idr.n; i++)
		out.n_unreadable += bpf_idr_state(&r.idr, &r.idr.entries[i]) == BPF_IDR_UNREADABLE;
	out.all = calloc(r.n + 1, sizeof(*out.all));
	if (!out.all)
		return kt_error_no_memory();
	for (size_t i = 0; i < r.n && !err; i++)
		err = row_finish(&r, i, &out.all[out.n++]);
	if (err)
		return err;
	*ret = out;
	out = (struct struct_ops_list){0};
	return NULL;
}
