/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The xarray (and the IDR on top of it) of a stopped guest, breadth first. */
#ifndef KT_MEMORY_XARRAY_H
#define KT_MEMORY_XARRAY_H

#include "memory/view.h"

struct xarray_entry {
	uint64_t index;
	gaddr_t pointer;
};

struct xarray_entries {
	KT_VEC(struct xarray_entry) v; /* by index */
	bool damaged;                  /* nodes that made no sense were left out */
};

void xarray_entries_deinit(struct xarray_entries *entries);

/* False: no memory. */
bool xarray_wants(struct wants *wants);

/*
 * All pointer entries below head, the value of xa_head, in one batch a level. Value, retry and
 * sibling entries are skipped. Every walk ends: a node's shift has to be smaller than its parent's,
 * and more than max entries, or max nodes, are KT_ERROR_FORMAT.
 *
 * The layout of entries (bottom bits 00 pointer, 10 internal; internal above 4096 a node) is
 * that of include/linux/xarray.h since 4.20.
 */
struct kt_error *xarray_walk(const struct kfacts *facts, const struct gmem *memory, gaddr_t head,
			     size_t max, struct xarray_entries *ret);

#endif
