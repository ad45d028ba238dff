/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guest memory, whoever provides it: the GDB stub of a stopped guest, or a fixture.
 *
 * It is read in batches. Neighbouring pieces of a batch are merged into larger requests, since a
 * request costs the stub about as much as half a kilobyte of payload. So a walker asks for exactly
 * the fields that it needs.
 */
#ifndef KT_MEMORY_MEMORY_H
#define KT_MEMORY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/gaddr.h"
#include "util/vec.h"

/* One piece of a batch. After the read, buf holds len bytes, or fault is set. */
struct gmem_read {
	gaddr_t addr;
	size_t len;
	void *buf; /* the caller's; undefined where fault is set */
	bool fault;
};

struct gmem_batch {
	KT_VEC(struct gmem_read) reads;
};

/* Adds a piece. False: no memory. Pieces of length 0 are not added. */
bool gmem_batch_add(struct gmem_batch *batch, gaddr_t addr, void *buf, size_t len);

/* After the read: is any of the pieces [first, end) missing? */
bool gmem_batch_fault(const struct gmem_batch *batch, size_t first, size_t end);

/* Frees the list, not the buffers. */
void gmem_batch_deinit(struct gmem_batch *batch);

/*
 * Reads pieces from a source. An error means that the source is of no more use; a piece
 * that is not there has fault set and is no error.
 */
typedef struct kt_error *gmem_read_fn(void *source, struct gmem_read *reads, size_t count);

/* A reader and its source, for those who pass both on. */
struct gmem {
	gmem_read_fn *read;
	void *source;
};

/*
 * Reads a batch through fn, merged. A piece faults only for its own sake, never for a
 * neighbour's: pieces are merged over a gap only within pages that they touch themselves, and a
 * merged piece that faults is read again in its parts.
 */
struct kt_error *gmem_batch_read(struct gmem_batch *batch, gmem_read_fn *fn, void *source);

#endif
