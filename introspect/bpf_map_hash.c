// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Hash maps (kernel/bpf/hashtab.c): an array of buckets, each a list of elements whose last pointer
 * is odd. Of an element are read its link, hash and key, and what lies behind the key: the value,
 * or a pointer. All lists go on at the same time, so that there are as many round trips as the
 * longest list has elements.
 *
 * What is proved of an element: its hash belongs into its bucket, and it is there once.
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_map_dump_impl.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"

enum { HTAB_BUCKETS, HTAB_N, HTAB_ELEM };
static const struct view_field htab_fields[] = {
	[HTAB_BUCKETS] = {.path = "buckets"},
	[HTAB_N] = {.path = "n_buckets"},
	[HTAB_ELEM] = {.path = "elem_size"},
};
static const struct view_type htab_view = VIEW_TYPE("bpf_htab", htab_fields);

enum { ELEM_NEXT, ELEM_HASH };
static const struct view_field elem_fields[] = {
	[ELEM_NEXT] = {.path = "hash_node.next"},
	[ELEM_HASH] = {.path = "hash"},
};
static const struct view_type elem_view = VIEW_TYPE("htab_elem", elem_fields);

static const struct view_field bucket_fields[] = {{.path = "head.first"}};
static const struct view_type bucket_view = VIEW_TYPE("bucket", bucket_fields);

bool map_hash_wants(struct wants *wants)
{
	return view_wants(&htab_view, wants) && view_wants(&elem_view, wants) &&
	       view_wants(&bucket_view, wants) &&
	       wants_add(wants, KFACTS_SIZE, "bucket", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "htab_elem", "key", true);
}

/* An element that was found, and the bucket whose list led to it. */
struct elem {
	gaddr_t addr;
	uint64_t bucket;
	uint8_t *image; /* of the view; then the key as it is padded, and the value or a pointer */
	bool gone;      /* it makes no sense, or was there before */
};

struct hash {
	struct view htab, elem, bucket;
	uint64_t bucket_size, n_buckets;
	gaddr_t buckets;
	uint32_t key_offset;
	size_t padded;  /* bytes of a key */
	size_t behind;  /* bytes that are read behind it */
	size_t image;   /* bytes of an element's image */
	uint64_t limit; /* of elements in a part: more than any real one has */
	KT_VEC(struct elem) elems;
};

static void hash_deinit(struct hash *hash)
{
	kt_vec_for_each (&hash->elems, elem)
		free(elem->image);
	kt_vec_free(&hash->elems);
}

static struct kt_error *prepare(struct map_walk *walk, struct hash *hash)
{
	const struct kfacts *facts = guest_facts(walk->guest);
	_cleanup_(object_deinit) struct object object = {0};
	struct gmem memory = guest_memory(walk->guest);
	struct kfacts_member key;
	struct kt_error *err = view_init(&hash->htab, &htab_view, facts);

	if (!err)
		err = view_init(&hash->elem, &elem_view, facts);
	if (!err)
		err = view_init(&hash->bucket, &bucket_view, facts);
	if (!err && (!kfacts_size(facts, "bucket", &hash->bucket_size) || !hash->bucket_size ||
		     !kfacts_member(facts, "htab_elem", "key", &key)))
		err = kt_error_new(KT_ERROR_NOT_FOUND,
				   "nothing tells how this kernel lays out a hash map");
	if (!err)
		err = object_read(&object, &hash->htab, walk->addr, &memory);
	if (err)
		return err;
	if (!object.known)
		return map_walk_fault(walk, "it is not mapped in the guest");
	hash->buckets = view_uint(&hash->htab, object.image, HTAB_BUCKETS);
	hash->n_buckets = view_uint(&hash->htab, object.image, HTAB_N);
	hash->key_offset = key.offset;
	hash->padded = ((size_t)walk->key_size + 7) & ~(size_t)7;
	hash->behind = walk->content == MAP_VALUES ? (size_t)walk->value_size : MAP_POINTER_SIZE;
	hash->image = hash->elem.size + hash->padded + hash->behind;
	/* htab_map_alloc(): the power of two that holds max_entries. */
	if (!walk->key_size || !hash->n_buckets || hash->n_buckets & (hash->n_buckets - 1) ||
	    hash->n_buckets / 2 > walk->max_entries)
		return map_walk_senseless(walk, "its number of buckets makes no sense");
	if (view_uint(&hash->htab, object.image, HTAB_ELEM) <
	    hash->key_offset + hash->padded + hash->behind)
		return map_walk_senseless(walk,
					  "its elements are smaller than their key and value");
	return NULL;
}

static bool is_end(gaddr_t pointer)
{
	return !pointer || pointer & 1;
}

/* The first element of each bucket of this part. */
static struct kt_error *read_heads(struct map_walk *walk, struct hash *hash, uint64_t first,
				   size_t n)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *heads = calloc(n + 1, hash->bucket.size);
	size_t spans = hash->bucket.n_spans;
	struct kt_error *err;

	if (!heads)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (!view_read(&hash->bucket, &batch,
			       hash->buckets + (first + i) * hash->bucket_size,
			       heads + i * hash->bucket.size))
			return kt_error_no_memory();
	err = guest_read(walk->guest, &batch);
	for (size_t i = 0; i < n && !err; i++) {
		gaddr_t head = view_uint(&hash->bucket, heads + i * hash->bucket.size, 0);

		if (gmem_batch_fault(&batch, i * spans, (i + 1) * spans))
			walk->out->n_unreadable++;
		else if (!is_end(head) &&
			 !kt_vec_push(&hash->elems,
				      (struct elem){.addr = head, .bucket = first + i}))
			return kt_error_no_memory();
	}
	return err;
}

/* Reads the elements [from, end): the next of each list. */
static struct kt_error *read_elems(struct map_walk *walk, struct hash *hash, size_t from,
				   size_t end)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t pieces = hash->elem.n_spans + 1;
	struct kt_error *err;

	for (size_t i = from; i < end; i++) {
		struct elem *elem = &hash->elems.data[i];

		elem->image = calloc(1, hash->image);
		if (!elem->image || !view_read(&hash->elem, &batch, elem->addr, elem->image) ||
		    !gmem_batch_add(&batch, elem->addr + hash->key_offset,
				    elem->image + hash->elem.size, hash->padded + hash->behind))
			return kt_error_no_memory();
	}
	err = guest_read(walk->guest, &batch);
	for (size_t i = from; i < end && !err; i++) {
		struct elem *elem = &hash->elems.data[i];
		uint64_t bucket = view_uint(&hash->elem, elem->image, ELEM_HASH) &
				  (hash->n_buckets - 1);

		elem->gone = gmem_batch_fault(&batch, (i - from) * pieces,
					      (i - from + 1) * pieces) ||
			     bucket != elem->bucket;
		walk->out->n_unreadable += elem->gone;
	}
	return err;
}

static struct kt_error *read_lists(struct map_walk *walk, struct hash *hash)
{
	size_t from = 0, end = hash->elems.len;
	struct kt_error *err = NULL;

	while (from < end && !err) {
		err = read_elems(walk, hash, from, end);
		for (size_t i = from; i < end && !err; i++) {
			const struct elem *elem = &hash->elems.data[i];
			gaddr_t next = view_uint(&hash->elem, elem->image, ELEM_NEXT);
			uint64_t bucket = elem->bucket;

			if (elem->gone || is_end(next))
				continue;
			if (hash->elems.len >= hash->limit) {
				walk->out->n_unreadable++;
				break;
			}
			if (!kt_vec_push(&hash->elems,
					 (struct elem){.addr = next, .bucket = bucket}))
				return kt_error_no_memory();
		}
		from = end;
		end = hash->elems.len;
	}
	return err;
}

static int by_address(const void *a, const void *b)
{
	const struct elem *x = *(const struct elem *const *)a, *y = *(const struct elem *const *)b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (x > y) - (x < y);
}

/* A list that runs in a circle shows its elements again: each counts once. */
static struct kt_error *drop_repeated(struct map_walk *walk, struct hash *hash)
{
	_cleanup_free_ struct elem **order = calloc(hash->elems.len + 1, sizeof(*order));
	size_t n = 0;

	if (!order)
		return kt_error_no_memory();
	kt_vec_for_each (&hash->elems, elem)
		if (!elem->gone)
			order[n++] = elem;
	qsort(order, n, sizeof(*order), by_address);
	for (size_t i = 1; i < n; i++)
		if (order[i]->addr == order[i - 1]->addr) {
			order[i]->gone = true;
			walk->out->n_unreadable++;
		}
	return NULL;
}

/* So many elements are looked at to find that out. */
#define SAMPLES 8

/*
 * Where an element of a per-CPU map has its pointer: behind the key with its padding, or, in older
 * kernels (6.1), right behind the key. No member tells; memory does. Halves of two numbers are no
 * pointer to an aligned value of each CPU.
 */
static struct kt_error *pointer_offset(struct map_walk *walk, const struct hash *hash,
				       size_t *offset_ret)
{
	size_t cpus = walk->percpu.offsets.len, n = 0;
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *seen = calloc(cpus + 1, SAMPLES);
	size_t offset = (size_t)walk->key_size;
	struct kt_error *err;

	*offset_ret = hash->padded;
	if (walk->content != MAP_PER_CPU || offset == hash->padded)
		return NULL;
	if (!seen)
		return kt_error_no_memory();
	for (size_t i = 0; i < hash->elems.len && n < SAMPLES; i++) {
		const struct elem *elem = &hash->elems.data[i];
		gaddr_t pointer;

		if (elem->gone)
			continue;
		pointer = kt_load_uint(elem->image + hash->elem.size + offset, MAP_POINTER_SIZE,
				       walk->out->big_endian);
		if (pointer & 7)
			return NULL;
		for (size_t cpu = 0; cpu < cpus; cpu++)
			if (!gmem_batch_add(&batch, pointer + walk->percpu.offsets.data[cpu],
					    seen + n * cpus + cpu, 1))
				return kt_error_no_memory();
		n++;
	}
	err = guest_read(walk->guest, &batch);
	if (!err && n && !gmem_batch_fault(&batch, 0, batch.reads.len))
		*offset_ret = offset;
	return err;
}

/* The entries out of the elements. */
static struct kt_error *finish(struct map_walk *walk, const struct hash *hash)
{
	_cleanup_free_ gaddr_t *slots = calloc(hash->elems.len + 1, sizeof(*slots));
	size_t n = 0, offset = 0;
	struct kt_error *err = slots ? NULL : kt_error_no_memory();

	if (!err)
		err = pointer_offset(walk, hash, &offset);
	if (err)
		return err;
	kt_vec_for_each (&hash->elems, elem)
		n += !elem->gone;
	if (walk->order->max_entries && n > walk->order->max_entries)
		n = (size_t)walk->order->max_entries;
	if (!map_walk_grow(walk, n))
		return kt_error_no_memory();
	n = 0;
	kt_vec_for_each (&hash->elems, elem) {
		const uint8_t *key = elem->image + hash->elem.size;

		if (elem->gone || n == walk->out->n)
			continue;
		memcpy(map_walk_key(walk, n), key, walk->out->key_len);
		if (walk->content == MAP_VALUES)
			memcpy(map_walk_value(walk, n), key + hash->padded, walk->out->value_len);
		else
			slots[n] = kt_load_uint(key + offset, MAP_POINTER_SIZE,
						walk->out->big_endian);
		n++;
	}
	return walk->content == MAP_VALUES ? NULL : map_walk_follow(walk, 0, slots);
}

struct kt_error *map_hash_read(struct map_walk *walk)
{
	_cleanup_(hash_deinit) struct hash hash = {0};
	uint64_t first = walk->order->first, n;
	struct kt_error *err = prepare(walk, &hash);

	if (err)
		return err;
	n = first < hash.n_buckets ? hash.n_buckets - first : 0;
	/* A bucket has one element on average, if the map is full. */
	if (n > map_walk_room(walk, hash.bucket_size + hash.image))
		n = map_walk_room(walk, hash.bucket_size + hash.image);
	hash.limit = n * 8 + 1024;
	err = read_heads(walk, &hash, first, (size_t)n);
	if (!err)
		err = read_lists(walk, &hash);
	if (!err)
		err = drop_repeated(walk, &hash);
	if (!err)
		err = finish(walk, &hash);
	walk->out->next = first + n;
	walk->out->done = walk->out->next >= hash.n_buckets;
	return err;
}
