// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_btf.h"
#include "introspect/bpf_idr.h"
#include "introspect/bpf_map_dump_impl.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"

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

/* What glibc says of the kernel's ENOTSUPP, which is no error of user space. */
#define NOT_SUPPORTED "Unknown error 524"

/* By the names of their types, so that no number of one kernel is taken for that of another. */
static const struct reader {
	const char *type;
	enum map_content content;
	struct kt_error *(*read)(struct map_walk *walk);
	bool no_keys, no_values; /* whatever the map says of their sizes */
	bool indexed;            /* a key is an index, at which a part may begin */
	const char *refusal;     /* the kernel's answer to a lookup, if it is always the same */
} readers[] = {
	{.type = "array", .content = MAP_VALUES, .read = map_array_read, .indexed = true},
	{.type = "percpu_array", .content = MAP_PER_CPU, .read = map_array_read, .indexed = true},
	{.type = "prog_array", .content = MAP_PROGRAMS, .read = map_array_read, .indexed = true},
	{.type = "array_of_maps", .content = MAP_MAPS, .read = map_array_read, .indexed = true},
	{.type = "hash", .content = MAP_VALUES, .read = map_hash_read},
	{.type = "lru_hash", .content = MAP_VALUES, .read = map_hash_read},
	{.type = "percpu_hash", .content = MAP_PER_CPU, .read = map_hash_read},
	{.type = "lru_percpu_hash", .content = MAP_PER_CPU, .read = map_hash_read},
	{.type = "hash_of_maps", .content = MAP_MAPS, .read = map_hash_read},
	{.type = "lpm_trie", .content = MAP_VALUES, .read = map_trie_read},
	{.type = "queue", .content = MAP_VALUES, .read = map_queue_read},
	{.type = "stack", .content = MAP_VALUES, .read = map_stack_read},
	{.type = "task_storage",
	 .content = MAP_VALUES,
	 .read = map_task_storage_read,
	 .no_keys = true},
	{.type = "inode_storage",
	 .content = MAP_VALUES,
	 .read = map_inode_storage_read,
	 .no_keys = true},
	{.type = "sk_storage", .content = MAP_VALUES, .read = map_sk_storage_read, .no_keys = true},
	{.type = "cgrp_storage",
	 .content = MAP_VALUES,
	 .read = map_cgrp_storage_read,
	 .no_keys = true},
	{.type = "cgroup_storage", .content = MAP_VALUES, .read = map_cgroups_read},
	{.type = "percpu_cgroup_storage", .content = MAP_PER_CPU, .read = map_cgroups_read},
	{.type = "stack_trace", .content = MAP_VALUES, .read = map_stacks_read, .indexed = true},
	{.type = "struct_ops", .content = MAP_VALUES, .read = map_ops_read},
	{.type = "devmap", .content = MAP_VALUES, .read = map_slots_read, .indexed = true},
	{.type = "devmap_hash", .content = MAP_VALUES, .read = map_devmap_hash_read},
	{.type = "cpumap", .content = MAP_VALUES, .read = map_slots_read, .indexed = true},
	{.type = "sockmap", .content = MAP_VALUES, .read = map_slots_read, .indexed = true},
	{.type = "sockhash", .content = MAP_VALUES, .read = map_sockhash_read},
	{.type = "reuseport_sockarray",
	 .content = MAP_VALUES,
	 .read = map_slots_read,
	 .indexed = true},
	{.type = "xskmap",
	 .content = MAP_VALUES,
	 .read = map_refused_read,
	 .refusal = "Operation not supported"},
	{.type = "perf_event_array",
	 .content = MAP_VALUES,
	 .read = map_refused_read,
	 .refusal = NOT_SUPPORTED},
	{.type = "cgroup_array",
	 .content = MAP_VALUES,
	 .read = map_refused_read,
	 .refusal = NOT_SUPPORTED},
	{.type = "ringbuf",
	 .content = MAP_VALUES,
	 .read = map_ringbuf_read,
	 .no_keys = true,
	 .no_values = true},
	{.type = "user_ringbuf",
	 .content = MAP_VALUES,
	 .read = map_ringbuf_read,
	 .no_keys = true,
	 .no_values = true},
	{.type = "bloom_filter",
	 .content = MAP_VALUES,
	 .read = map_bloom_read,
	 .no_keys = true,
	 .no_values = true},
	{.type = "arena",
	 .content = MAP_VALUES,
	 .read = map_arena_read,
	 .no_keys = true,
	 .no_values = true},
};

static const struct reader *reader_of(const char *type)
{
	for (size_t i = 0; type && i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(readers[i].type, type) == 0)
			return &readers[i];
	return NULL;
}

bool bpf_map_dump_wants(struct wants *wants)
{
	return bpf_idr_wants(&map_idr, wants) && bpf_btf_wants(wants) && percpu_wants(wants) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_map_type", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_prog", "aux", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_prog_aux", "id", true) &&
	       map_array_wants(wants) && map_hash_wants(wants) && map_queue_wants(wants) &&
	       map_trie_wants(wants) && map_slots_wants(wants) && map_lists_wants(wants) &&
	       map_storage_wants(wants) && map_cgroups_wants(wants) && map_stacks_wants(wants) &&
	       map_ops_wants(wants) && map_rings_wants(wants) && map_arena_wants(wants) &&
	       map_owners_wants(wants);
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
static struct kt_error *plan(struct map_walk *walk, const struct reader *reader)
{
	enum map_content content = reader->content;
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
	out->key_len = reader->no_keys ? 0 : (size_t)walk->key_size;
	out->value_len = reader->no_values ? 0 : (size_t)walk->value_size;
	out->refusal = reader->refusal;
	if (walk->key_size > KEY_MAX || (!walk->value_size && !reader->no_values) ||
	    walk->value_size > VALUE_MAX / out->n_values)
		return map_walk_senseless(walk, "the sizes of its keys and values make no sense");
	if ((content == MAP_PROGRAMS || content == MAP_MAPS) && walk->value_size != 4)
		return map_walk_senseless(walk, "its values are no IDs");
	entry = out->key_len + out->value_len * out->n_values;
	out->size = entry * walk->max_entries;
	if (out->size > SIZE_MAX_ASKED && !walk->order->max_entries && !walk->order->key)
		return kt_error_hint(
			kt_error_new(KT_ERROR_UNSUPPORTED, "map %u may hold %llu entries, %llu MB",
				     walk->order->id, (unsigned long long)walk->max_entries,
				     (unsigned long long)(out->size >> 20)),
			"say with --max-entries N how many of them are to be read");
	return NULL;
}

static struct kt_error *check_key(const struct map_walk *walk, const struct reader *reader)
{
	if (reader->no_keys || !walk->out->key_len)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "map %u is of type %s, which has no keys",
				    walk->order->id, reader->type);
	if (walk->order->key_len != walk->out->key_len)
		return kt_error_new(KT_ERROR_USAGE, "a key of map %u has %zu bytes, not %zu",
				    walk->order->id, walk->out->key_len, walk->order->key_len);
	return NULL;
}

/* Of a prefix of len bits in bytes that are whole: are these of the key, too? */
static bool begins_with(const uint8_t *key, const uint8_t *prefix, uint64_t len)
{
	uint64_t bytes = len / 8;
	unsigned int rest = (unsigned int)(len % 8);

	return !memcmp(key, prefix, bytes) &&
	       (!rest || !((key[bytes] ^ prefix[bytes]) >> (8 - rest)));
}

/*
 * How well an entry's key fits the one that is looked up: 0: not at all. Of a trie, 1 and the
 * length of the prefix (trie_lookup_elem()), which the first 4 bytes of a key are.
 */
static uint64_t fits(const struct map_walk *walk, bool trie, size_t i)
{
	const uint8_t *key = walk->order->key, *own = map_walk_key(walk, i);
	uint64_t len, asked, most = (walk->out->key_len - 4) * 8;

	if (!trie)
		return !memcmp(own, key, walk->out->key_len);
	len = kt_load_uint(own, 4, walk->out->big_endian);
	asked = kt_load_uint(key, 4, walk->out->big_endian);
	return len <= asked && asked <= most && begins_with(key + 4, own + 4, len) ? len + 1 : 0;
}

/* Leaves the entry that fits best, as the first one. */
static void keep_one(struct map_walk *walk, bool trie)
{
	struct map_dump *out = walk->out;
	size_t values = out->n_values * out->value_len, best = 0;
	uint64_t best_fit = 0;

	for (size_t i = 0; i < out->n; i++) {
		uint64_t fit = fits(walk, trie, i);

		if (fit > best_fit) {
			best_fit = fit;
			best = i;
		}
	}
	out->n = best_fit != 0;
	if (!best_fit)
		return;
	memcpy(out->keys, walk->order->key, out->key_len);
	memmove(out->values, out->values + best * values, values);
	memmove(out->facts, out->facts + best * out->n_facts, out->n_facts * sizeof(*out->facts));
	out->states[0] = out->states[best];
	out->done = true;
}

/* The one entry with the order's key. An index says where it is; others are walked. */
static struct kt_error *read_one(struct map_walk *walk, const struct reader *reader)
{
	const struct map_dump_order *order = walk->order;
	struct map_dump_order one = *order;
	struct kt_error *err = check_key(walk, reader);

	if (err)
		return err;
	if (reader->indexed && order->key_len == 4) {
		one.first = kt_load_uint(order->key, 4, walk->out->big_endian);
		one.max_entries = 1;
		walk->order = &one;
	}
	err = reader->read(walk);
	walk->order = order;
	if (err)
		return err;
	if (one.max_entries)
		walk->out->done = true;
	keep_one(walk, strcmp(reader->type, "lpm_trie") == 0);
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
			"the types that can be read are those of `ktstr-gdb map dump --help`");
	err = plan(walk, reader);
	if (!err && !walk->order->first)
		err = read_btf(walk, &view, &map);
	if (!err && walk->order->key)
		return read_one(walk, reader);
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
