// SPDX-License-Identifier: LGPL-2.1-or-later
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_map_memory.h"
#include "introspect/bpf_prog_one.h"
#include "memory/object.h"
#include "memory/percpu.h"
#include "util/cleanup.h"

#define POINTER_SIZE 8 /* 64-bit kernels */

#define MAP_TYPE_CGRP_STORAGE 32 /* 6.2; newer than the headers that this builds with */

struct family;

/* What a family's rule gets. */
struct sized {
	const struct map_memory *map;
	const struct family *family;
	const struct view *view;
	const uint8_t *image;
	const struct kfacts *facts;
	uint64_t cpus, page_size; /* 0: unknown */
	bool failed;              /* something is not known */
};

struct family {
	struct view_type view; /* the structure of the map's own, which begins with the bpf_map */
	void (*usage)(struct sized *s, uint64_t *sum);
};

static uint64_t round_up(uint64_t value, uint64_t to)
{
	return to ? (value + to - 1) / to * to : value;
}

static uint64_t number(struct sized *s, unsigned int field)
{
	s->failed |= !view_has(s->view, field);
	return view_uint(s->view, s->image, field);
}

static uint64_t size_of(struct sized *s, const char *type)
{
	uint64_t size = 0;

	s->failed |= !kfacts_size(s->facts, type, &size);
	return size;
}

static uint64_t own_size(struct sized *s)
{
	return size_of(s, s->family->view.name);
}

static uint64_t cpus(struct sized *s)
{
	s->failed |= !s->cpus;
	return s->cpus;
}

static uint64_t pages(struct sized *s, uint64_t bytes)
{
	s->failed |= !s->page_size;
	return round_up(bytes, s->page_size);
}

static bool is_type(const struct sized *s, enum bpf_map_type type)
{
	return s->map->type == type;
}

/* --- the rules, by the kernel's functions of these names --- */

/* array_map_mem_usage() */
enum { ARRAY_ELEM_SIZE };
static const struct view_field array_fields[] = {[ARRAY_ELEM_SIZE] = {.path = "elem_size"}};

static void array_usage(struct sized *s, uint64_t *sum)
{
	uint64_t elem_size = number(s, ARRAY_ELEM_SIZE), n = s->map->max_entries;

	*sum = own_size(s);
	if (is_type(s, BPF_MAP_TYPE_PERCPU_ARRAY))
		*sum += n * POINTER_SIZE + n * elem_size * cpus(s);
	else if (s->map->flags & BPF_F_MMAPABLE)
		*sum = pages(s, *sum) + pages(s, n * elem_size);
	else
		*sum += n * elem_size;
}

/* htab_map_mem_usage() */
enum { HTAB_BUCKETS, HTAB_ELEM_SIZE, HTAB_PERCPU_COUNTER, HTAB_COUNT, HTAB_LOCKED, HTAB_EXTRA };
static const struct view_field htab_fields[] = {
	[HTAB_BUCKETS] = {.path = "n_buckets"},
	[HTAB_ELEM_SIZE] = {.path = "elem_size"},
	[HTAB_PERCPU_COUNTER] = {.path = "use_percpu_counter", .optional = true},
	[HTAB_COUNT] = {.path = "count.counter", .optional = true},
	/* A spare element of each CPU; maps of maps have none since 6.16. */
	[HTAB_EXTRA] = {.path = "extra_elems"},
	[HTAB_LOCKED] = {.path = "map_locked", .max = POINTER_SIZE, .optional = true},
};
#define HTAB_LOCKS 8 /* HASHTAB_MAP_LOCK_COUNT, an int each; up to 6.14 */

static void htab_usage(struct sized *s, uint64_t *sum)
{
	bool lru = is_type(s, BPF_MAP_TYPE_LRU_HASH) || is_type(s, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	bool percpu = is_type(s, BPF_MAP_TYPE_PERCPU_HASH) ||
		      is_type(s, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	uint64_t value = round_up(s->map->value_size, 8), n = s->map->max_entries;
	uint64_t elem_size = number(s, HTAB_ELEM_SIZE);

	*sum = own_size(s) + size_of(s, "bucket") * number(s, HTAB_BUCKETS);
	if (view_has(s->view, HTAB_LOCKED))
		*sum += 4 * cpus(s) * HTAB_LOCKS;
	if (!(s->map->flags & BPF_F_NO_PREALLOC)) {
		n += !lru && !percpu && number(s, HTAB_EXTRA) ? cpus(s) : 0;
		*sum += elem_size * n;
		if (percpu)
			*sum += value * cpus(s) * n;
		else if (!lru)
			*sum += POINTER_SIZE * cpus(s);
		return;
	}
	/* The sum of a counter of each CPU is not read. */
	s->failed |= number(s, HTAB_PERCPU_COUNTER) != 0;
	n = number(s, HTAB_COUNT);
	*sum += (elem_size + POINTER_SIZE) * n; /* each with a struct llist_node */
	if (percpu)
		*sum += 2 * POINTER_SIZE * n + value * cpus(s) * n;
}

/* trie_mem_usage() */
enum { TRIE_ENTRIES, TRIE_DATA_SIZE };
static const struct view_field trie_fields[] = {
	[TRIE_ENTRIES] = {.path = "n_entries"},
	[TRIE_DATA_SIZE] = {.path = "data_size"},
};

static void trie_usage(struct sized *s, uint64_t *sum)
{
	*sum = (size_of(s, "lpm_trie_node") + number(s, TRIE_DATA_SIZE) + s->map->value_size) *
	       number(s, TRIE_ENTRIES);
}

/* Only sizes count: a view needs some member all the same. */
static const struct view_field map_fields[] = {{.path = "map.max_entries"}};

/* queue_stack_map_mem_usage() */
static void queue_usage(struct sized *s, uint64_t *sum)
{
	*sum = own_size(s) + (s->map->max_entries + 1) * s->map->value_size;
}

/* bloom_map_mem_usage() */
static const struct view_field bloom_fields[] = {{.path = "bitset_mask"}};

static void bloom_usage(struct sized *s, uint64_t *sum)
{
	*sum = own_size(s) + round_up(number(s, 0) + 1, 64) / 8;
}

/* stack_map_mem_usage() */
static const struct view_field stack_fields[] = {{.path = "n_buckets"}};

static void stack_usage(struct sized *s, uint64_t *sum)
{
	*sum = own_size(s) + number(s, 0) * POINTER_SIZE +
	       s->map->max_entries * (size_of(s, "stack_map_bucket") + s->map->value_size);
}

/* dev_map_mem_usage() */
enum { DTAB_BUCKETS, DTAB_ITEMS };
static const struct view_field dtab_fields[] = {
	[DTAB_BUCKETS] = {.path = "n_buckets"},
	[DTAB_ITEMS] = {.path = "items"},
};

static void dtab_usage(struct sized *s, uint64_t *sum)
{
	uint64_t n = is_type(s, BPF_MAP_TYPE_DEVMAP_HASH) ? number(s, DTAB_BUCKETS)
							  : s->map->max_entries;

	*sum = own_size(s) + n * POINTER_SIZE +
	       number(s, DTAB_ITEMS) * size_of(s, "bpf_dtab_netdev");
}

/* cpu_map_mem_usage(), sock_map_mem_usage(), reuseport_array_mem_usage(), xsk_map_mem_usage() */
static void pointers_usage(struct sized *s, uint64_t *sum)
{
	*sum = own_size(s) + s->map->max_entries * POINTER_SIZE;
}

/* sock_hash_mem_usage() */
enum { SHTAB_BUCKETS, SHTAB_ELEM_SIZE, SHTAB_COUNT };
static const struct view_field shtab_fields[] = {
	[SHTAB_BUCKETS] = {.path = "buckets_num"},
	[SHTAB_ELEM_SIZE] = {.path = "elem_size"},
	[SHTAB_COUNT] = {.path = "count.counter"},
};

static void shtab_usage(struct sized *s, uint64_t *sum)
{
	*sum = own_size(s) + number(s, SHTAB_BUCKETS) * size_of(s, "bpf_shtab_bucket") +
	       number(s, SHTAB_COUNT) * number(s, SHTAB_ELEM_SIZE);
}

/* cgroup_storage_map_usage() */
static void own_usage(struct sized *s, uint64_t *sum)
{
	*sum = own_size(s);
}

/* bpf_local_storage_map_mem_usage() */
static const struct view_field storage_fields[] = {{.path = "bucket_log"}};

static void storage_usage(struct sized *s, uint64_t *sum)
{
	uint64_t log = number(s, 0);

	s->failed |= log > 31;
	*sum = own_size(s) + (size_of(s, "bpf_local_storage_map_bucket") << (log & 31));
}

/* ringbuf_map_mem_usage(): each page of data is mapped twice, and two pages are positions. */
static void ringbuf_usage(struct sized *s, uint64_t *sum)
{
	struct kfacts_member first;
	uint64_t meta, data;

	s->failed |= !s->page_size ||
		     !kfacts_member(s->facts, "bpf_ringbuf", "consumer_pos", &first);
	if (s->failed)
		return;
	meta = first.offset / s->page_size + 2;
	data = s->map->max_entries / s->page_size;
	*sum = own_size(s) + (meta + data) * s->page_size + (meta + 2 * data) * POINTER_SIZE;
}

enum {
	ARRAY,
	HTAB,
	TRIE,
	QUEUE,
	BLOOM,
	STACK,
	DTAB,
	CPUMAP,
	STAB,
	SHTAB,
	REUSEPORT,
	XSKMAP,
	CGROUP_STORAGE,
	STORAGE,
	RINGBUF,
	N_FAMILIES
};

/* clang-format off */
static const struct family families[N_FAMILIES] = {
	[ARRAY] = {VIEW_TYPE("bpf_array", array_fields), array_usage},
	[HTAB] = {VIEW_TYPE("bpf_htab", htab_fields), htab_usage},
	[TRIE] = {VIEW_TYPE("lpm_trie", trie_fields), trie_usage},
	[QUEUE] = {VIEW_TYPE("bpf_queue_stack", map_fields), queue_usage},
	[BLOOM] = {VIEW_TYPE("bpf_bloom_filter", bloom_fields), bloom_usage},
	[STACK] = {VIEW_TYPE("bpf_stack_map", stack_fields), stack_usage},
	[DTAB] = {VIEW_TYPE("bpf_dtab", dtab_fields), dtab_usage},
	[CPUMAP] = {VIEW_TYPE("bpf_cpu_map", map_fields), pointers_usage},
	[STAB] = {VIEW_TYPE("bpf_stab", map_fields), pointers_usage},
	[SHTAB] = {VIEW_TYPE("bpf_shtab", shtab_fields), shtab_usage},
	[REUSEPORT] = {VIEW_TYPE("reuseport_array", map_fields), pointers_usage},
	[XSKMAP] = {VIEW_TYPE("xsk_map", map_fields), pointers_usage},
	[CGROUP_STORAGE] = {VIEW_TYPE("bpf_cgroup_storage_map", map_fields), own_usage},
	[STORAGE] = {VIEW_TYPE("bpf_local_storage_map", storage_fields), storage_usage},
	[RINGBUF] = {VIEW_TYPE("bpf_ringbuf_map", map_fields), ringbuf_usage},
};
/* clang-format on */

/* Those that rules use besides a family's own. */
static const char *const other_sizes[] = {
	"bucket",          "lpm_trie_node",    "stack_map_bucket",
	"bpf_dtab_netdev", "bpf_shtab_bucket", "bpf_local_storage_map_bucket",
};

/* Numbers of <linux/bpf.h>, which no kernel changes. */
static int family_of(uint64_t type)
{
	switch (type) {
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS: return ARRAY;
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_HASH_OF_MAPS: return HTAB;
	case BPF_MAP_TYPE_LPM_TRIE: return TRIE;
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK: return QUEUE;
	case BPF_MAP_TYPE_BLOOM_FILTER: return BLOOM;
	case BPF_MAP_TYPE_STACK_TRACE: return STACK;
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH: return DTAB;
	case BPF_MAP_TYPE_CPUMAP: return CPUMAP;
	case BPF_MAP_TYPE_SOCKMAP: return STAB;
	case BPF_MAP_TYPE_SOCKHASH: return SHTAB;
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY: return REUSEPORT;
	case BPF_MAP_TYPE_XSKMAP: return XSKMAP;
	case BPF_MAP_TYPE_CGROUP_STORAGE:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE: return CGROUP_STORAGE;
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case MAP_TYPE_CGRP_STORAGE: return STORAGE;
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF: return RINGBUF;
	default: return -1;
	}
}

/* --- what counts, by release --- */

static const struct view_field pages_fields[] = {{.path = "memory.pages"}}; /* 5.3 to 5.10 */
static const struct view_type pages_type = VIEW_TYPE("bpf_map", pages_fields);

static bool tells_usage(const struct kfacts *facts)
{
	struct kfacts_member member;

	return kfacts_member(facts, "bpf_map_ops", "map_mem_usage", &member);
}

bool bpf_map_memory_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_FAMILIES; i++)
		if (!view_wants(&families[i].view, wants) ||
		    !wants_add(wants, KFACTS_SIZE, families[i].view.name, NULL, true))
			return false;
	for (size_t i = 0; i < sizeof(other_sizes) / sizeof(other_sizes[0]); i++)
		if (!wants_add(wants, KFACTS_SIZE, other_sizes[i], NULL, true))
			return false;
	return view_wants(&pages_type, wants) && prog_page_wants(wants) && percpu_wants(wants) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_map_ops", "map_mem_usage", true);
}

/* bpf_map_memory_footprint(), bpf_map_value_size() */
static void footprint(struct sized *s, uint64_t *sum)
{
	uint64_t value = s->map->value_size;

	switch (s->map->type) {
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE: value = round_up(value, 8) * cpus(s); break;
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS: value = 4; break;
	default: break;
	}
	*sum = pages(s, s->map->max_entries * round_up(s->map->key_size + value, 8));
}

struct reading {
	struct view views[N_FAMILIES], pages;
	bool has[N_FAMILIES], has_pages, has_usage;
	struct object *objects; /* of each map */
	struct percpu percpu;
	uint64_t page_size;
};

static void reading_deinit(struct reading *r, size_t n)
{
	for (size_t i = 0; r->objects && i < n; i++)
		object_deinit(&r->objects[i]);
	free(r->objects);
	percpu_deinit(&r->percpu);
}

static const struct view *view_of(const struct reading *r, const struct map_memory *map)
{
	int family = family_of(map->type);

	if (r->has_pages)
		return &r->pages;
	return r->has_usage && family >= 0 && r->has[family] ? &r->views[family] : NULL;
}

/* The maps' own structures, and how many CPUs are possible. */
static struct kt_error *read_all(struct guest *guest, struct reading *r,
				 const struct map_memory *maps, size_t n)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch first = {0}, next = {0};
	_cleanup_(percpu_reader_deinit) struct percpu_reader reader = {0};
	struct kt_error *err = percpu_begin(&reader, guest, &first);

	for (size_t i = 0; i < n && !err; i++) {
		const struct view *view = view_of(r, &maps[i]);

		if (view)
			err = object_begin(&r->objects[i], view, maps[i].addr, &first);
	}
	if (!err)
		err = guest_read(guest, &first);
	for (size_t i = 0; i < n && !err; i++)
		object_end(&r->objects[i], &first);
	if (!err)
		err = percpu_next(&reader, guest, &first, &next);
	if (!err)
		err = guest_read(guest, &next);
	return err ? err : percpu_end(&reader, guest, &next, &r->percpu);
}

static struct program_number bytes_of(const struct reading *r, const struct kfacts *facts,
				      const struct map_memory *map, const struct object *object)
{
	struct sized s = {.map = map,
			  .facts = facts,
			  .view = view_of(r, map),
			  .image = object->image,
			  .cpus = r->percpu.offsets.len,
			  .page_size = r->page_size};
	uint64_t sum = 0;

	if (!map->addr || (s.view && !object->known))
		return (struct program_number){0};
	if (r->has_pages) {
		s.failed = !r->page_size;
		sum = number(&s, 0) * r->page_size;
	} else if (!r->has_usage) {
		footprint(&s, &sum);
	} else if (s.view) {
		s.family = &families[family_of(map->type)];
		s.family->usage(&s, &sum);
	} else {
		return (struct program_number){0};
	}
	return (struct program_number){!s.failed, s.failed ? 0 : sum};
}

struct kt_error *bpf_map_memory_read(struct guest *guest, struct map_memory *maps, size_t n)
{
	const struct kfacts *facts = guest_facts(guest);
	struct reading r = {.objects = calloc(n + 1, sizeof(*r.objects)),
			    .has_usage = tells_usage(facts),
			    .page_size = prog_page_size(facts)};
	struct kt_error *err;

	if (!r.objects)
		return kt_error_no_memory();
	r.has_pages = !r.has_usage && view_try(&r.pages, &pages_type, facts);
	for (size_t i = 0; i < N_FAMILIES; i++)
		r.has[i] = view_try(&r.views[i], &families[i].view, facts);
	err = read_all(guest, &r, maps, n);
	for (size_t i = 0; i < n && !err; i++)
		maps[i].bytes = bytes_of(&r, facts, &maps[i], &r.objects[i]);
	reading_deinit(&r, n);
	return err;
}
