/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of elements in a map that is being read. Internal to introspect/. */
#ifndef KT_INTROSPECT_BPF_MAP_LISTS_H
#define KT_INTROSPECT_BPF_MAP_LISTS_H

#include "introspect/bpf_map_dump_impl.h"
#include "util/vec.h"

struct map_elem {
	gaddr_t addr;
	uint64_t bucket; /* whose list led to it */
	gaddr_t mark;    /* an element before it in that list: to come there again is a circle */
	uint8_t *image;  /* of the view; then the tail */
	bool gone;       /* it makes no sense, or was there before */
};

struct map_elems {
	KT_VEC(struct map_elem) v;
};

void map_elems_deinit(struct map_elems *elems);

struct map_lists {
	gaddr_t heads; /* the pointer to the first node of list 0 */
	uint64_t stride;
	uint64_t n;  /* lists */
	gaddr_t end; /* a pointer that ends a list, besides NULL */
	const struct view *elem;
	unsigned int next; /* the field that leads to the next node */
	uint32_t node;     /* offset of the node in an element */
	uint32_t tail;     /* offset of the bytes that are read besides the view */
	size_t tail_len;
	uint64_t limit; /* of elements in one call: more than any real map has */
	/* Whether what was read of the element proves that it is one of this list. */
	bool (*belongs)(const struct map_lists *lists, const struct map_elem *elem);
	gaddr_t map; /* for belongs() */
	bool cut;    /* the limit was reached */
};

/*
 * The elements of the lists [first, first + n). All lists go on at the same time, so that there are
 * as many round trips as the longest one has elements. What cannot be read, or does not belong, is
 * counted as unreadable.
 */
struct kt_error *map_lists_read(struct map_walk *walk, struct map_lists *lists, uint64_t first,
				size_t n, struct map_elems *ret);

/* Those that are not gone, or as many as were asked for. */
size_t map_elems_count(const struct map_walk *walk, const struct map_elems *elems);

#endif
