/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's lists with a head of one pointer (struct hlist_head), many at once: a round trip for
 * each place in the longest. It bounds how long a list may be, and notices one that ends in a
 * circle.
 */
#ifndef KT_MEMORY_HLIST_H
#define KT_MEMORY_HLIST_H

#include "memory/view.h"

#define HLIST_NONE SIZE_MAX

struct hlist_layout {
	const struct view *view; /* of the structures in the list */
	unsigned int next;       /* the view's field hlist_node.next */
	uint32_t node;           /* where the hlist_node is in the structure */
	size_t longest;          /* more places than any list has that is not damaged */
};

struct hlist_entry {
	size_t list; /* the index of its head */
	size_t prev; /* the entry before it in the list, or HLIST_NONE */
	gaddr_t addr;
	uint8_t *image; /* the view's; NULL: could not be read, and the list ends here */
};

struct hlists {
	KT_VEC(struct hlist_entry) v; /* by their place in the list, then by the list */
	size_t n_damaged;             /* lists that lead to what is not there, or do not end */
};

/*
 * heads: the values of n heads, 0 where a list is empty. *ret is for hlists_deinit() after an
 * error, too.
 */
struct kt_error *hlists_read(const struct gmem *memory, const struct hlist_layout *layout,
			     const gaddr_t *heads, size_t n, struct hlists *ret);
void hlists_deinit(struct hlists *lists);

#endif
