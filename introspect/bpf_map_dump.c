// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_btf.h"
#include "introspect/bpf_idr.h"
#include "introspect/bpf_map_dump_impl.h"
#include "memory/object.h"
#include "util/cleanup.h"

/* A key is at most 64 KB (a hash's element is one allocation), a value 4 GB; be content with less.
 */
#define KEY_MAX   (64u << 10)
#define VALUE_MAX (256u << 20)

/* A map that may be larger is read only as far as --max-entries says. */
#define SIZE_MAX_ASKED (UINT64_C(256) << 20)

enum {
	MAP_REFCNT,
	MAP_ID,
	MAP_TYPE,
	MAP_NAME,
	MAP_FLAGS,
	MAP_KEY,
	MAP_VALUE,
	MAP_ENTRIES,
	MAP_BTF,
	MAP_KEY_TYPE,
	MAP_VALUE_TYPE,
};
static const struct view_field map_fields[] = {
	[MAP_REFCNT] = {.path = "refcnt.counter", .optional = true},
	[MAP_ID] = {.path = "id"},
	[MAP_TYPE] = {.path = "map_type"},
	[MAP_NAME] = {.path = "name", .max = 16},
	[MAP_FLAGS] = {.path = "map_flags", .optional = true},
	[MAP_KEY] = {.path = "key_size"},
	[MAP_VALUE] = {.path = "value_size"},
	[MAP_ENTRIES] = {.path = "max_entries"},
	[MAP_BTF] = {.path = "btf", .optional = true},
	[MAP_KEY_TYPE] = {.path = "btf_key_type_id", .optional = true},
	[MAP_VALUE_TYPE] = {.path = "btf_value_type_id", .optional = true},
};
static const struct view_type map_view = VIEW_TYPE("bpf_map", map_fields);

static const struct bpf_idr_type map_idr = {
	.symbol = "map_idr", .view = &map_view, .id = MAP_ID, .refcnt = MAP_REFCNT};

/* By the names of their types, so that no number of one kernel is taken for that of another. */
static const struct reader {
	const char *type;
	enum map_content content;
	struct kt_error *(*read)(struct map_walk *walk);
} readers[] = {
	{"array", MAP_VALUES, map_array_read},
	{"percpu_array", MAP_PER_CPU, map_array_read},
	{"prog_array", MAP_PROGRAMS, map_array_read},
	{"array_of_maps", MAP_MAPS, map_array_read},
	{"hash", MAP_VALUES, map_hash_read},
	{"lru_hash", MAP_VALUES, map_hash_read},
	{"percpu_hash", MAP_PER_CPU, map_hash_read},
	{"lru_percpu_hash", MAP_PER_CPU, map_hash_read},
	{"hash_of_maps", MAP_MAPS, map_hash_read},
	{"lpm_trie", MAP_VALUES, map_trie_read},
	{"queue", MAP_VALUES, map_queue_read},
	{"stack", MAP_VALUES, map_stack_read},
};

static const struct reader *reader_of(const char *type)
{
	for (size_t i = 0; type && i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(readers[i].type, type) == 0)
			return &readers[i];
	return NULL;
}

static const char known_types[] =
	"array, percpu_array, prog_array, array_of_maps, hash, lru_hash, percpu_hash, "
	"lru_percpu_hash, hash_of_maps, lpm_trie, queue and stack can be read";

bool bpf_map_dump_wants(struct wants *wants)
{
	return bpf_idr_wants(&map_idr, wants) && bpf_btf_wants(wants) && percpu_wants(wants) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_map_type", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_prog", "aux", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_prog_aux", "id", true) &&
	       map_array_wants(wants) && map_hash_wants(wants) && map_queue_wants(wants) &&
	       map_trie_wants(wants);
}

struct kt_error *bpf_map_dump_check(const struct kfacts *facts)
{
	return bpf_idr_check(&map_idr, facts);
}

static struct kt_error *read_percpu(struct map_walk *walk)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch masks = {0}, offsets = {0};
	_cleanup_(percpu_reader_deinit) struct percpu_reader reader = {0};
	struct kt_error *err = percpu_begin(&reader, walk->guest, &masks);

	if (!err)
		err = guest_read(walk->guest, &masks);
	if (!err)
		err = percpu_next(&reader, walk->guest, &masks, &offsets);
	if (!err)
		err = guest_read(walk->guest, &offsets);
	if (!err)
		err = percpu_end(&reader, walk->guest, &offsets, &walk->percpu);
	if (!err && !walk->percpu.offsets.len)
		err = map_walk_fault(walk, "nothing tells where each CPU has its values");
	return err;
}

/* The map's BTF, if its types are told by it. Unreadable BTF costs the types and nothing else. */
static struct kt_error *read_btf(struct map_walk *walk, const struct view *view,
				 const struct object *map)
{
	_cleanup_(btf_data_deinit) struct btf_data data = {0};
	gaddr_t addr = view_uint(view, map->image, MAP_BTF);
	struct kt_error *err = addr ? bpf_btf_read_at(walk->guest, addr, &data) : NULL;

	if (err || !data.data)
		return err;
	walk->out->map.btf_id = (struct program_number){true, data.object.id};
	walk->out->key_type = (uint32_t)view_uint(view, map->image, MAP_KEY_TYPE);
	walk->out->value_type = (uint32_t)view_uint(view, map->image, MAP_VALUE_TYPE);
	walk->out->btf = kt_take_ptr(data.data);
	walk->out->btf_len = data.len;
	return NULL;
}

/* What the map says of itself. */
static struct kt_error *describe(struct map_walk *walk, const struct view *view,
				 const struct object *map)
{
	const struct kfacts *facts = guest_facts(walk->guest);
	struct map *out = &walk->out->map;
	size_t len = 0;
	const char *name = view_bytes(view, map->image, MAP_NAME, &len);

	out->id = walk->order->id;
	memcpy(out->name, name, strnlen(name, len < 15 ? len : 15));
	walk->key_size = view_uint(view, map->image, MAP_KEY);
	walk->value_size = view_uint(view, map->image, MAP_VALUE);
	walk->max_entries = view_uint(view, map->image, MAP_ENTRIES);
	out->bytes_key = (struct program_number){true, walk->key_size};
	out->bytes_value = (struct program_number){true, walk->value_size};
	out->max_entries = (struct program_number){true, walk->max_entries};
	out->flags = (struct program_number){view_has(view, MAP_FLAGS),
					     view_uint(view, map->image, MAP_FLAGS)};
	walk->out->big_endian = kfacts_kernel(facts)->big_endian;
	return bpf_enum_text(facts, "bpf_map_type", "BPF_MAP_TYPE_",
			     view_uint(view, map->image, MAP_TYPE), &out->type);
}

/* The shape of the entries, once the type is known to be one of those that are read. */
static struct kt_error *plan(struct map_walk *walk, enum map_content content)
{
	struct map_dump *out = walk->out;
	struct kt_error *err = NULL;
	uint64_t entry;

	walk->content = content;
	out->per_cpu = content == MAP_PER_CPU;
	out->of_maps = content == MAP_MAPS;
	if (out->per_cpu)
		err = read_percpu(walk);
	if (err)
		return err;
	out->n_values = out->per_cpu ? walk->percpu.offsets.len : 1;
	out->key_len = (size_t)walk->key_size;
	out->value_len = (size_t)walk->value_size;
	if (walk->key_size > KEY_MAX || !walk->value_size ||
	    walk->value_size > VALUE_MAX / out->n_values)
		return map_walk_senseless(walk, "the sizes of its keys and values make no sense");
	if ((content == MAP_PROGRAMS || content == MAP_MAPS) && walk->value_size != 4)
		return map_walk_senseless(walk, "its values are no IDs");
	entry = out->key_len + out->value_len * out->n_values;
	out->size = entry * walk->max_entries;
	if (out->size > SIZE_MAX_ASKED && !walk->order->max_entries)
		return kt_error_hint(
			kt_error_new(KT_ERROR_UNSUPPORTED, "map %u may hold %llu entries, %llu MB",
				     walk->order->id, (unsigned long long)walk->max_entries,
				     (unsigned long long)(out->size >> 20)),
			"say with --max-entries N how many of them are to be read");
	return NULL;
}

static struct kt_error *read_map(struct map_walk *walk)
{
	_cleanup_(object_deinit) struct object map = {0};
	struct gmem memory = guest_memory(walk->guest);
	const struct reader *reader;
	struct view view;
	struct kt_error *err = view_init(&view, &map_view, guest_facts(walk->guest));

	if (!err)
		err = bpf_idr_find(walk->guest, &bpf_idr_maps, walk->order->id, &walk->addr);
	if (!err)
		err = object_read(&map, &view, walk->addr, &memory);
	if (err)
		return err;
	if (!map.known)
		return map_walk_fault(walk, "it is not mapped in the guest");
	if (view_uint(&view, map.image, MAP_ID) != walk->order->id ||
	    (view_has(&view, MAP_REFCNT) && !view_uint(&view, map.image, MAP_REFCNT)))
		return bpf_idr_none(&bpf_idr_maps, walk->order->id);
	err = describe(walk, &view, &map);
	if (err)
		return err;
	reader = reader_of(walk->out->map.type);
	if (!reader)
		return kt_error_hint(
			kt_error_new(KT_ERROR_UNSUPPORTED,
				     "map %u is of type %s, whose contents are not read",
				     walk->order->id,
				     walk->out->map.type ? walk->out->map.type : "unknown"),
			"%s", known_types);
	err = plan(walk, reader->content);
	if (!err && !walk->order->first)
		err = read_btf(walk, &view, &map);
	if (err || (walk->out->size > BPF_MAP_PIECE && !walk->order->large))
		return err;
	return reader->read(walk);
}

struct kt_error *bpf_map_dump_read(struct guest *guest, const struct map_dump_order *order,
				   struct map_dump *ret)
{
	_cleanup_(map_dump_deinit) struct map_dump out = {.next = order->first};
	struct map_walk walk = {.guest = guest, .order = order, .out = &out};
	struct kt_error *err = read_map(&walk);

	percpu_deinit(&walk.percpu);
	if (err)
		return err;
	*ret = out;
	out = (struct map_dump){0};
	return NULL;
}
