// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_map.h"
#include "introspect/bpf_map_memory.h"
#include "util/cleanup.h"

enum {
	MAP_REFCNT,
	MAP_ID,
	MAP_TYPE,
	MAP_NAME,
	MAP_FLAGS,
	MAP_KEY,
	MAP_VALUE,
	MAP_ENTRIES,
	MAP_FROZEN,
	MAP_BTF,
};
static const struct view_field map_fields[] = {
	[MAP_REFCNT] = {.path = "refcnt.counter", .optional = true},
	[MAP_ID] = {.path = "id"},
	[MAP_TYPE] = {.path = "map_type"},
	[MAP_NAME] = {.path = "name", .max = 16},
	[MAP_FLAGS] = {.path = "map_flags", .optional = true},
	[MAP_KEY] = {.path = "key_size", .optional = true},
	[MAP_VALUE] = {.path = "value_size", .optional = true},
	[MAP_ENTRIES] = {.path = "max_entries", .optional = true},
	[MAP_FROZEN] = {.path = "frozen", .optional = true}, /* since 5.2 */
	[MAP_BTF] = {.path = "btf", .optional = true},
};
static const struct view_type map_view = VIEW_TYPE("bpf_map", map_fields);

static const struct view_field btf_fields[] = {{.path = "id"}};
static const struct view_type btf_view = VIEW_TYPE("btf", btf_fields);

static const struct bpf_idr_type map_idr = {
	.symbol = "map_idr", .view = &map_view, .id = MAP_ID, .refcnt = MAP_REFCNT};

/* BPF_OBJ_NAME_LEN - 1 */
#define NAME_MAX_LEN 15

/* A map's struct btf. */
struct map_btf {
	bool known;
	uint8_t image[8];
};

struct bpf_maps {
	struct bpf_idr idr;
	struct view btf;
	struct map_btf *btfs;      /* one for each entry; NULL: this kernel has no IDs of BTF */
	struct map_memory *memory; /* of each entry */
};

bool bpf_maps_wants(struct wants *wants)
{
	return bpf_idr_wants(&map_idr, wants) && view_wants(&btf_view, wants) &&
	       bpf_map_memory_wants(wants) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_map_type", NULL, true);
}

struct kt_error *bpf_maps_check(const struct kfacts *facts)
{
	return bpf_idr_check(&map_idr, facts);
}

static bool has_btf(const struct bpf_maps *maps, const struct bpf_idr_entry *entry)
{
	return entry->readable && view_uint(&maps->idr.view, entry->image, MAP_BTF);
}

static struct kt_error *read_btfs(struct guest *guest, struct bpf_maps *maps)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;
	size_t at = 0;

	if (!view_try(&maps->btf, &btf_view, guest_facts(guest)) ||
	    !view_has(&maps->idr.view, MAP_BTF))
		return NULL;
	maps->btfs = calloc(maps->idr.n + 1, sizeof(*maps->btfs));
	if (!maps->btfs)
		return kt_error_no_memory();
	for (size_t i = 0; i < maps->idr.n; i++) {
		const struct bpf_idr_entry *entry = &maps->idr.entries[i];

		if (has_btf(maps, entry) &&
		    !view_read(&maps->btf, &batch,
			       view_uint(&maps->idr.view, entry->image, MAP_BTF),
			       maps->btfs[i].image))
			return kt_error_no_memory();
	}
	err = guest_read(guest, &batch);
	for (size_t i = 0; i < maps->idr.n && !err; i++)
		if (has_btf(maps, &maps->idr.entries[i])) {
			maps->btfs[i].known = !gmem_batch_fault(&batch, at, at + maps->btf.n_spans);
			at += maps->btf.n_spans;
		}
	return err;
}

static struct kt_error *read_memory(struct guest *guest, struct bpf_maps *maps)
{
	const struct view *view = &maps->idr.view;

	maps->memory = calloc(maps->idr.n + 1, sizeof(*maps->memory));
	if (!maps->memory)
		return kt_error_no_memory();
	for (size_t i = 0; i < maps->idr.n; i++) {
		const struct bpf_idr_entry *entry = &maps->idr.entries[i];

		if (!entry->readable || !view_has(view, MAP_ENTRIES) || !view_has(view, MAP_FLAGS))
			continue;
		maps->memory[i] = (struct map_memory){
			.addr = entry->addr,
			.type = view_uint(view, entry->image, MAP_TYPE),
			.flags = view_uint(view, entry->image, MAP_FLAGS),
			.key_size = view_uint(view, entry->image, MAP_KEY),
			.value_size = view_uint(view, entry->image, MAP_VALUE),
			.max_entries = view_uint(view, entry->image, MAP_ENTRIES),
		};
	}
	return bpf_map_memory_read(guest, maps->memory, maps->idr.n);
}

struct kt_error *bpf_maps_read(struct guest *guest, struct bpf_maps **ret)
{
	struct bpf_maps *maps = calloc(1, sizeof(*maps));
	struct kt_error *err;

	if (!maps)
		return kt_error_no_memory();
	err = bpf_idr_read(guest, &map_idr, &maps->idr);
	if (!err)
		err = read_btfs(guest, maps);
	if (!err)
		err = read_memory(guest, maps);
	if (err) {
		bpf_maps_destroy(maps);
		return err;
	}
	*ret = maps;
	return NULL;
}

void bpf_maps_destroy(struct bpf_maps *maps)
{
	if (!maps)
		return;
	bpf_idr_deinit(&maps->idr);
	free(maps->btfs);
	free(maps->memory);
	free(maps);
}

static struct program_number number(const struct view *view, const void *image, unsigned int field)
{
	return (struct program_number){view_has(view, field), view_uint(view, image, field)};
}

static struct kt_error *map_finish(const struct bpf_maps *maps, size_t i,
				   const struct kfacts *facts, struct map *ret)
{
	const struct view *view = &maps->idr.view;
	const uint8_t *image = maps->idr.entries[i].image;
	size_t len = 0;
	const char *name = view_bytes(view, image, MAP_NAME, &len);

	ret->id = (uint32_t)view_uint(view, image, MAP_ID);
	memcpy(ret->name, name, strnlen(name, len < NAME_MAX_LEN ? len : NAME_MAX_LEN));
	ret->flags = number(view, image, MAP_FLAGS);
	ret->bytes_key = number(view, image, MAP_KEY);
	ret->bytes_value = number(view, image, MAP_VALUE);
	ret->max_entries = number(view, image, MAP_ENTRIES);
	ret->frozen = number(view, image, MAP_FROZEN);
	ret->bytes_memlock = maps->memory[i].bytes;
	if (maps->btfs && maps->btfs[i].known)
		ret->btf_id = number(&maps->btf, maps->btfs[i].image, 0);
	else if (maps->btfs && !has_btf(maps, &maps->idr.entries[i]))
		ret->btf_id.known = true;
	return bpf_enum_text(facts, "bpf_map_type", "BPF_MAP_TYPE_",
			     view_uint(view, image, MAP_TYPE), &ret->type);
}

struct kt_error *bpf_maps_finish(const struct bpf_maps *maps, const struct kfacts *facts,
				 struct maps *ret)
{
	_cleanup_(maps_deinit) struct maps out = {.n_unreadable = maps->idr.damaged};

	out.all = calloc(maps->idr.n + 1, sizeof(*out.all));
	if (!out.all)
		return kt_error_no_memory();
	for (size_t i = 0; i < maps->idr.n; i++) {
		enum bpf_idr_state state = bpf_idr_state(&maps->idr, &maps->idr.entries[i]);
		struct kt_error *err;

		out.n_unreadable += state == BPF_IDR_UNREADABLE;
		if (state != BPF_IDR_HERE)
			continue;
		err = map_finish(maps, i, facts, &out.all[out.n++]);
		if (err)
			return err;
	}
	*ret = out;
	out = (struct maps){0};
	return NULL;
}
