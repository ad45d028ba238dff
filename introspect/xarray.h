/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The xarray (and the IDR on top of it) of a stopped guest, breadth first. */
#ifndef KT_INTROSPECT_XARRAY_H
#define KT_INTROSPECT_XARRAY_H

#include "introspect/view.h"

struct xarray_entry {
	uint64_t index;
	gaddr_t pointer;
};

struct xarray_entries {
	KT_VEC(struct xarray_entry) v; /* by index */
	bool damaged;                  /* nodes that made no sense were left out */
};

void xarray_entries_deinit(struct xarray_entries *entries);

/* What the walk needs to know of the kernel. False: no memory. */
bool xarray_wants(struct wants *wants);

/*
 * All pointer entries below head, the value of xa_head, in a batch a level. Bounded and
 * cycle-proof: a node's shift must be smaller than its parent's, and no array has more than
 * max entries, or max nodes; more are KT_ERROR_FORMAT. Value, retry and sibling entries are passed
 * over.
 *
 * The layout of entries (bottom bits 00 pointer, 10 internal; internal above 4096 a node) is
 * that of include/linux/xarray.h since 4.20.
 */
struct kt_error *xarray_walk(const struct kfacts *facts, gmem_read_fn *read, void *source,
			     gaddr_t head, size_t max, struct xarray_entries *ret);

#endif
