// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "memory/xarray.h"
#include "util/cleanup.h"
#include "util/cursor.h"

enum { NODE_SHIFT, NODE_SLOTS };
static const struct view_field node_fields[] = {
	[NODE_SHIFT] = {.path = "shift"},
	/* XA_CHUNK_SIZE is 64, or 16 with CONFIG_BASE_SMALL. */
	[NODE_SLOTS] = {.path = "slots", .max = 64 * 8},
};
static const struct view_type node_type = VIEW_TYPE("xa_node", node_fields);

#define POINTER_SIZE 8 /* 64-bit kernels */
#define MAX_SHIFT    60

struct node {
	gaddr_t addr;
	uint64_t index;     /* of its first slot's first entry */
	unsigned int below; /* its parent's shift: its own has to be smaller */
};

struct level {
	KT_VEC(struct node) nodes;
};

static void level_deinit(struct level *level)
{
	kt_vec_free(&level->nodes);
}

void xarray_entries_deinit(struct xarray_entries *entries)
{
	kt_vec_free(&entries->v);
}

bool xarray_wants(struct wants *wants)
{
	return view_wants(&node_type, wants);
}

static bool is_node(uint64_t entry)
{
	return (entry & 3) == 2 && entry > 4096;
}

static bool is_pointer(uint64_t entry)
{
	return entry && (entry & 3) == 0;
}

struct walk {
	const struct view *view;
	const struct gmem *memory;
	size_t max;
	size_t n_nodes; /* of all levels */
	struct level next;
	struct xarray_entries out;
};

static void walk_deinit(struct walk *walk)
{
	level_deinit(&walk->next);
	xarray_entries_deinit(&walk->out);
}

static struct kt_error *too_many(size_t max)
{
	return kt_error_new(KT_ERROR_FORMAT, "an xarray in the guest claims more than %zu entries",
			    max);
}

static struct kt_error *node_take(struct walk *walk, const struct node *node, const void *image)
{
	unsigned int shift = (unsigned int)view_uint(walk->view, image, NODE_SHIFT);
	const uint8_t *slots;
	size_t len;

	slots = view_bytes(walk->view, image, NODE_SLOTS, &len);
	if (shift >= node->below) {
		walk->out.damaged = true;
		return NULL;
	}
	for (size_t i = 0; i < len / POINTER_SIZE; i++) {
		uint64_t entry = kt_load_uint(slots + i * POINTER_SIZE, POINTER_SIZE,
					      walk->view->big_endian);
		uint64_t index = node->index + ((uint64_t)i << shift);

		if (is_node(entry)) {
			/* A bound for all levels together, since nodes may share their children. */
			if (walk->n_nodes++ >= walk->max)
				return too_many(walk->max);
			if (!kt_vec_push(&walk->next.nodes,
					 (struct node){entry & ~UINT64_C(3), index, shift}))
				return kt_error_no_memory();
		} else if (is_pointer(entry)) {
			if (walk->out.v.len >= walk->max)
				return too_many(walk->max);
			if (!kt_vec_push(&walk->out.v, (struct xarray_entry){index, entry}))
				return kt_error_no_memory();
		}
	}
	return NULL;
}

static struct kt_error *level_walk(struct walk *walk, const struct level *level)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t size = walk->view->size, spans = walk->view->n_spans;
	_cleanup_free_ uint8_t *images = malloc(level->nodes.len * size);
	struct kt_error *err;

	if (!images)
		return kt_error_no_memory();
	for (size_t i = 0; i < level->nodes.len; i++)
		if (!view_read(walk->view, &batch, level->nodes.data[i].addr, images + i * size))
			return kt_error_no_memory();
	err = gmem_batch_read(&batch, walk->memory->read, walk->memory->source);
	if (err)
		return err;
	for (size_t i = 0; i < level->nodes.len; i++) {
		if (gmem_batch_fault(&batch, i * spans, (i + 1) * spans)) {
			walk->out.damaged = true;
			continue;
		}
		err = node_take(walk, &level->nodes.data[i], images + i * size);
		if (err)
			return err;
	}
	return NULL;
}

static int by_index(const void *a, const void *b)
{
	const struct xarray_entry *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

struct kt_error *xarray_walk(const struct kfacts *facts, const struct gmem *memory, gaddr_t head,
			     size_t max, struct xarray_entries *ret)
{
	_cleanup_(level_deinit) struct level level = {0};
	struct view view;
	_cleanup_(walk_deinit) struct walk walk = {.view = &view, .memory = memory, .max = max};
	struct kt_error *err = view_init(&view, &node_type, facts);

	if (err)
		return err;
	if (is_node(head)) {
		if (!kt_vec_push(&level.nodes,
				 (struct node){head & ~UINT64_C(3), 0, MAX_SHIFT + 1}))
			return kt_error_no_memory();
	} else if (is_pointer(head)) { /* a single entry at index 0 needs no node */
		if (!kt_vec_push(&walk.out.v, (struct xarray_entry){0, head}))
			return kt_error_no_memory();
	}
	while (level.nodes.len) {
		struct level done;

		err = level_walk(&walk, &level);
		if (err)
			return err;
		done = level;
		level = walk.next;
		walk.next = done;
		walk.next.nodes.len = 0;
	}
	if (walk.out.v.len)
		qsort(walk.out.v.data, walk.out.v.len, sizeof(*walk.out.v.data), by_index);
	*ret = walk.out;
	walk.out = (struct xarray_entries){0};
	return NULL;
}
