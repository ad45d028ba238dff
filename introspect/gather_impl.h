/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Internal to gather.c and gather_image.c. */
#ifndef KT_INTROSPECT_GATHER_IMPL_H
#define KT_INTROSPECT_GATHER_IMPL_H

#include "introspect/gather.h"
#include "introspect/pagetable.h"

/* A part of the mapped image that is contiguous in physical memory, too. */
struct gather_piece {
	gaddr_t virtual, physical;
	uint64_t len;
	bool writable, executable;
	uint8_t *data; /* in a range; NULL: this pass does not read it */
};

enum gather_pass {
	GATHER_CONSTANTS, /* read-only, not executable */
	GATHER_READ_ONLY,
	GATHER_ALL,
};

struct gather {
	const struct gather_stops *stops;
	int64_t wanted_ns; /* the length of a stop, as the caller wants it */
	int64_t stop_ns;   /* of the next stop */
	struct source source;
	bool stopped;
	int64_t stopped_ns, last_pause_ns;
	struct gather_stats stats;

	const struct arch *arch;
	struct recover_memory memory; /* what arch's kernels are like */
	gaddr_t image_start;          /* the lowest address that is mapped */
	KT_VEC(struct gather_piece) pieces;
	KT_VEC(struct recover_range) ranges;
	struct recovered kernel;
	struct record_place place;
};

/*
 * Finds out which architecture the guest has, and where its kernel image is mapped by the page
 * tables that the vCPUs' registers lead to. Fills arch, memory, image_start and pieces.
 */
struct kt_error *gather_find_image(struct gather *g);

/* Reads vmcoreinfo. *len_ret is 0 if there is none that can be read, which is no error. */
struct kt_error *gather_read_vmcoreinfo(struct gather *g, char text[4096], size_t *len_ret);

void gather_free_ranges(struct gather *g);

#endif
