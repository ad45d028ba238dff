// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Maps whose entries hang on lists, and two of them: sockhash (net/core/sock_map.c) and devmap_hash
 * (kernel/bpf/devmap.c).
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_map_lists.h"
#include "util/cleanup.h"
#include "util/cursor.h"

void map_elems_deinit(struct map_elems *elems)
{
	kt_vec_for_each (&elems->v, elem)
		free(elem->image);
	kt_vec_free(&elems->v);
}

static bool is_end(const struct map_lists *lists, gaddr_t pointer)
{
	return !pointer || pointer == lists->end;
}

static struct kt_error *read_heads(struct map_walk *walk, struct map_lists *lists, uint64_t first,
				   size_t n, struct map_elems *ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *heads = calloc(n + 1, MAP_POINTER_SIZE);
	struct kt_error *err;

	if (!heads)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (!gmem_batch_add(&batch, lists->heads + (first + i) * lists->stride,
				    heads + i * MAP_POINTER_SIZE, MAP_POINTER_SIZE))
			return kt_error_no_memory();
	err = guest_read(walk->guest, &batch);
	for (size_t i = 0; i < n && !err; i++) {
		gaddr_t head = kt_load_uint(heads + i * MAP_POINTER_SIZE, MAP_POINTER_SIZE,
					    walk->out->big_endian);

		if (gmem_batch_fault(&batch, i, i + 1))
			walk->out->n_unreadable++;
		else if (!is_end(lists, head) && ret->v.len >= lists->limit)
			lists->cut = true;
		else if (!is_end(lists, head) &&
			 !kt_vec_push(&ret->v, (struct map_elem){.addr = head - lists->node,
								 .bucket = first + i}))
			return kt_error_no_memory();
	}
	return err;
}

/* Reads the elements [from, end): the next of each list. */
static struct kt_error *read_elems(struct map_walk *walk, const struct map_lists *lists,
				   size_t from, size_t end, struct map_elems *ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t pieces = lists->elem->n_spans + (lists->tail_len != 0);
	struct kt_error *err;

	for (size_t i = from; i < end; i++) {
		struct map_elem *elem = &ret->v.data[i];

		elem->image = calloc(1, lists->elem->size + lists->tail_len + 1);
		if (!elem->image || !view_read(lists->elem, &batch, elem->addr, elem->image) ||
		    (lists->tail_len &&
		     !gmem_batch_add(&batch, elem->addr + lists->tail,
				     elem->image + lists->elem->size, lists->tail_len)))
			return kt_error_no_memory();
	}
	err = guest_read(walk->guest, &batch);
	for (size_t i = from; i < end && !err; i++) {
		struct map_elem *elem = &ret->v.data[i];

		elem->gone = gmem_batch_fault(&batch, (i - from) * pieces,
					      (i - from + 1) * pieces) ||
			     !lists->belongs(lists, elem);
		walk->out->n_unreadable += elem->gone;
	}
	return err;
}

static int by_address(const void *a, const void *b)
{
	const struct map_elem *x = *(struct map_elem *const *)a, *y = *(struct map_elem *const *)b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* A list that runs in a circle shows its elements again: each counts once. */
static struct kt_error *drop_repeated(struct map_walk *walk, struct map_elems *elems)
{
	_cleanup_free_ struct map_elem **order = calloc(elems->v.len + 1, sizeof(*order));
	size_t n = 0;

	if (!order)
		return kt_error_no_memory();
	kt_vec_for_each (&elems->v, elem)
		if (!elem->gone)
			order[n++] = elem;
	qsort(order, n, sizeof(*order), by_address);
	for (size_t i = 1, kept = 0; i < n; i++) {
		if (order[i]->addr != order[kept]->addr) {
			kept = i;
			continue;
		}
		order[i]->gone = true;
		walk->out->n_unreadable++;
	}
	return NULL;
}

/*
 * Goes from the element at i to the next one of its list. The mark moves on at each power of two of
 * steps (Brent), so that a circle ends after a few rounds.
 */
static struct kt_error *go_on(struct map_walk *walk, struct map_lists *lists, size_t i, size_t step,
			      struct map_elems *ret)
{
	const struct map_elem *elem = &ret->v.data[i];
	gaddr_t next = view_uint(lists->elem, elem->image, lists->next);
	struct map_elem new = {.addr = next - lists->node,
			       .bucket = elem->bucket,
			       .mark = step & (step - 1) ? elem->mark : elem->addr};

	if (elem->gone || is_end(lists, next))
		return NULL;
	if (new.addr == new.mark) {
		walk->out->n_unreadable++;
		return NULL;
	}
	if (ret->v.len >= lists->limit) {
		lists->cut = true;
		return NULL;
	}
	return kt_vec_push(&ret->v, new) ? NULL : kt_error_no_memory();
}

struct kt_error *map_lists_read(struct map_walk *walk, struct map_lists *lists, uint64_t first,
				size_t n, struct map_elems *ret)
{
	struct kt_error *err = read_heads(walk, lists, first, n, ret);
	size_t from = 0, end = ret->v.len;

	for (size_t step = 1; from < end && !err; step++) {
		err = read_elems(walk, lists, from, end, ret);
		for (size_t i = from; i < end && !err && !lists->cut; i++)
			err = go_on(walk, lists, i, step, ret);
		from = end;
		end = ret->v.len;
	}
	return err ? err : drop_repeated(walk, ret);
}

size_t map_elems_count(const struct map_walk *walk, const struct map_elems *elems)
{
	size_t n = 0;

	kt_vec_for_each (&elems->v, elem)
		n += !elem->gone;
	return walk->order->max_entries && n > walk->order->max_entries
		       ? (size_t)walk->order->max_entries
		       : n;
}

/* --- sockhash, devmap_hash --- */

enum { TABLE_BUCKETS, TABLE_N };
static const struct view_field shtab_fields[] = {
	[TABLE_BUCKETS] = {.path = "buckets"},
	[TABLE_N] = {.path = "buckets_num"},
};
static const struct view_type shtab_view = VIEW_TYPE("bpf_shtab", shtab_fields);
static const struct view_field dtab_fields[] = {
	[TABLE_BUCKETS] = {.path = "dev_index_head"},
	[TABLE_N] = {.path = "n_buckets"},
};
static const struct view_type dtab_view = VIEW_TYPE("bpf_dtab", dtab_fields);

enum { ELEM_NEXT, ELEM_PLACE, ELEM_SK };
static const struct view_field sock_fields[] = {
	[ELEM_NEXT] = {.path = "node.next"},
	[ELEM_PLACE] = {.path = "hash"},
	[ELEM_SK] = {.path = "sk"},
};
static const struct view_type sock_view = VIEW_TYPE("bpf_shtab_elem", sock_fields);
static const struct view_field dev_fields[] = {
	[ELEM_NEXT] = {.path = "index_hlist.next"},
	[ELEM_PLACE] = {.path = "idx"},
};
static const struct view_type dev_view = VIEW_TYPE("bpf_dtab_netdev", dev_fields);

/* How a table is laid out: sockets by the hash of their key, devices by their index. */
static const struct table {
	const struct view_type *view, *elem;
	const char *bucket, *first; /* the struct of a bucket, and its list */
	const char *key; /* a flexible array of the element; NULL: its place is the key */
} sock_table = {&shtab_view, &sock_view, "bpf_shtab_bucket", "head.first", "key"},
  dev_table = {&dtab_view, &dev_view, "hlist_head", "first", NULL};

bool map_lists_wants(struct wants *wants)
{
	static const struct table *const tables[] = {&sock_table, &dev_table};

	for (size_t i = 0; i < 2; i++)
		if (!view_wants(tables[i]->view, wants) || !view_wants(tables[i]->elem, wants) ||
		    !wants_add(wants, KFACTS_SIZE, tables[i]->bucket, NULL, true) ||
		    !wants_add(wants, KFACTS_MEMBER, tables[i]->bucket, tables[i]->first, true))
			return false;
	return wants_add(wants, KFACTS_MEMBER, "bpf_shtab_elem", "key", true);
}

static bool in_its_bucket(const struct map_lists *lists, const struct map_elem *elem)
{
	return (view_uint(lists->elem, elem->image, ELEM_PLACE) & (lists->n - 1)) == elem->bucket;
}

/* What all lists of the table have in common, by the table's own struct. */
static struct kt_error *prepare(struct map_walk *walk, const struct table *table, struct view *elem,
				struct map_lists *ret)
{
	const struct kfacts *facts = guest_facts(walk->guest);
	_cleanup_(object_deinit) struct object object = {0};
	struct kfacts_member first, key = {0};
	struct view view;
	struct kt_error *err = map_walk_head(walk, table->view, NULL, &view, &object, NULL);

	if (!err)
		err = view_init(elem, table->elem, facts);
	if (err)
		return err;
	if (!kfacts_size(facts, table->bucket, &ret->stride) ||
	    !kfacts_member(facts, table->bucket, table->first, &first) ||
	    (table->key && !kfacts_member(facts, table->elem->name, table->key, &key)))
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "nothing tells how this kernel lays out a %s",
				    walk->out->map.type);
	ret->heads = view_uint(&view, object.image, TABLE_BUCKETS) + first.offset;
	ret->n = view_uint(&view, object.image, TABLE_N);
	ret->elem = elem;
	ret->next = ELEM_NEXT;
	ret->node = elem->fields[ELEM_NEXT].member.offset;
	ret->tail = key.offset;
	ret->tail_len = table->key ? walk->out->key_len : 0;
	ret->belongs = in_its_bucket;
	/* Both take the power of two that holds max_entries. */
	if (!ret->n || ret->n & (ret->n - 1) || ret->n / 2 > walk->max_entries)
		return map_walk_senseless(walk, "its number of buckets makes no sense");
	return NULL;
}

/* The elements of this part, as entries with keys. The objects with their values go to *objects. */
static struct kt_error *read_table(struct map_walk *walk, const struct table *table,
				   gaddr_t **objects)
{
	_cleanup_(map_elems_deinit) struct map_elems elems = {0};
	struct map_lists lists = {0};
	uint64_t first = walk->order->first, n, room;
	struct view elem_view;
	size_t at = 0;
	struct kt_error *err = prepare(walk, table, &elem_view, &lists);

	if (err)
		return err;
	n = first < lists.n ? lists.n - first : 0;
	room = map_walk_room(walk, lists.stride + elem_view.size + lists.tail_len);
	n = n < room ? n : room;
	lists.limit = n * 8 + 1024;
	err = map_lists_read(walk, &lists, first, (size_t)n, &elems);
	walk->out->n_unreadable += lists.cut;
	if (!err && !map_walk_grow(walk, map_elems_count(walk, &elems)))
		err = kt_error_no_memory();
	*objects = calloc(walk->out->n + 1, sizeof(**objects));
	if (!*objects && !err)
		err = kt_error_no_memory();
	kt_vec_for_each (&elems.v, elem) {
		if (err || elem->gone || at == walk->out->n)
			continue;
		if (table->key)
			memcpy(map_walk_key(walk, at), elem->image + elem_view.size,
			       walk->out->key_len);
		else
			map_walk_store(map_walk_key(walk, at),
				       view_uint(&elem_view, elem->image, ELEM_PLACE), 4,
				       walk->out->big_endian);
		(*objects)[at++] = table->key ? view_uint(&elem_view, elem->image, ELEM_SK)
					      : elem->addr;
	}
	walk->out->next = first + n;
	walk->out->done = walk->out->next >= lists.n;
	return err;
}

struct kt_error *map_sockhash_read(struct map_walk *walk)
{
	_cleanup_free_ gaddr_t *socks = NULL;
	bool refused = walk->value_size != 8;
	struct kt_error *err;

	if (!walk->out->key_len)
		return map_walk_senseless(walk, "it has no keys");
	if (refused)
		walk->out->refusal = MAP_NO_SPACE;
	else
		map_walk_owned(walk, &map_owner_sock);
	err = read_table(walk, &sock_table, &socks);
	if (err)
		return err;
	if (refused) {
		memset(walk->out->states, MAP_REFUSED, walk->out->n);
		return NULL;
	}
	err = map_walk_members(walk, "sock", MAP_COOKIE, 0, socks);
	return err ? err : map_walk_own(walk, &map_owner_sock, 0, socks);
}

struct kt_error *map_devmap_hash_read(struct map_walk *walk)
{
	_cleanup_free_ gaddr_t *devs = NULL;
	struct kt_error *err;

	if (walk->out->key_len != 4)
		return map_walk_senseless(walk, "its keys are no numbers");
	err = read_table(walk, &dev_table, &devs);
	return err ? err : map_walk_members(walk, "bpf_dtab_netdev", "val", 0, devs);
}
