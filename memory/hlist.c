// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "memory/hlist.h"
#include "util/cleanup.h"

void hlists_deinit(struct hlists *lists)
{
	for (size_t i = 0; i < lists->v.len; i++)
		free(lists->v.data[i].image);
	kt_vec_free(&lists->v);
	*lists = (struct hlists){0};
}

/* Is a node at addr among the last `longest` entries that lead to `prev`, or are there as many? */
static bool is_endless(const struct hlists *lists, const struct hlist_layout *layout, size_t prev,
		       gaddr_t addr)
{
	size_t len = 0;

	for (; prev != HLIST_NONE && len < layout->longest; len++) {
		if (lists->v.data[prev].addr == addr)
			return true;
		prev = lists->v.data[prev].prev;
	}
	return len >= layout->longest;
}

/* node: the address of the hlist_node, 0 at the end of the list. */
static bool append(struct hlists *lists, const struct hlist_layout *layout, size_t list,
		   size_t prev, gaddr_t node)
{
	struct hlist_entry entry = {.list = list, .prev = prev, .addr = node - layout->node};

	if (!node)
		return true;
	if (is_endless(lists, layout, prev, entry.addr)) {
		lists->n_damaged++;
		return true;
	}
	entry.image = calloc(1, layout->view->size);
	if (entry.image && kt_vec_push(&lists->v, entry))
		return true;
	free(entry.image);
	return false;
}

/* Reads the entries from `first` on, which are in one place of their lists. */
static struct kt_error *read_place(const struct gmem *memory, const struct hlist_layout *layout,
				   struct hlists *lists, size_t first)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	size_t n_spans = layout->view->n_spans, end = lists->v.len;
	struct kt_error *err;

	for (size_t i = first; i < end; i++)
		if (!view_read(layout->view, &batch, lists->v.data[i].addr, lists->v.data[i].image))
			return kt_error_no_memory();
	err = gmem_batch_read(&batch, memory->read, memory->source);
	for (size_t i = first; i < end && !err; i++) {
		size_t piece = (i - first) * n_spans;

		if (gmem_batch_fault(&batch, piece, piece + n_spans)) {
			free(lists->v.data[i].image);
			lists->v.data[i].image = NULL;
			lists->n_damaged++;
		}
	}
	return err;
}

struct kt_error *hlists_read(const struct gmem *memory, const struct hlist_layout *layout,
			     const gaddr_t *heads, size_t n, struct hlists *ret)
{
	size_t first = 0;

	*ret = (struct hlists){0};
	for (size_t i = 0; i < n; i++)
		if (!append(ret, layout, i, HLIST_NONE, heads[i]))
			return kt_error_no_memory();
	while (first < ret->v.len) {
		size_t end = ret->v.len;
		struct kt_error *err = read_place(memory, layout, ret, first);

		if (err)
			return err;
		for (; first < end; first++) {
			const struct hlist_entry entry = ret->v.data[first];

			if (entry.image &&
			    !append(ret, layout, entry.list, first,
				    view_uint(layout->view, entry.image, layout->next)))
				return kt_error_no_memory();
		}
	}
	return NULL;
}
