/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Internal to gather.c, gather_image.c and gather_kept.c. */
#ifndef KT_MEMORY_GATHER_IMPL_H
#define KT_MEMORY_GATHER_IMPL_H

#include "memory/gather.h"
#include "memory/pagetable.h"

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

/* Where reading is. Pieces without data are passed over. */
struct gather_progress {
	size_t piece;
	uint64_t offset; /* in that piece */
	uint64_t done;   /* bytes in all */
};

struct gather {
	const struct gather_stops *stops;
	const struct gather_options *options;
	int64_t stop_ns;  /* for reading, as the caller wants it */
	int64_t total_ns; /* for all of it, likewise */
	int64_t start_ns; /* of all of it */
	size_t size;      /* bytes of the next stop */
	struct source source;
	bool stopped;
	int64_t last_pause_ns;
	struct gather_stats stats;

	const struct arch *arch;
	struct recover_memory memory; /* what arch's kernels are like */
	gaddr_t image_start;          /* the lowest address that is mapped */
	KT_VEC(struct gather_piece) pieces;
	KT_VEC(struct recover_range) ranges;
	enum gather_pass pass;
	struct gather_progress at;
	struct recovered kernel;
	struct record_place place;
};

/*
 * Finds out which architecture the guest has, and where its kernel image is mapped by the page
 * tables that the vCPUs' registers lead to. Fills arch, memory, image_start and pieces.
 */
struct kt_error *gather_find_image(struct gather *g);

/*
 * Tells which of the options' kernels this is, by its build ID, in one batch. *ret NULL: none of
 * them. The guest is stopped, and its image was found.
 */
struct kt_error *gather_recognise(struct gather *g, const struct record_known **ret);

/*
 * Reads vmcoreinfo. *len_ret is 0 if there is none that can be read, which is no error.
 * KT_ERROR_NESTED: all vCPUs are in guests of the guest.
 */
struct kt_error *gather_read_vmcoreinfo(struct gather *g, char text[4096], size_t *len_ret);

void gather_free_ranges(struct gather *g);

/* --- gather.c --- */

struct kt_error *gather_stop(struct gather *g);

/* Takes the error of what was done in the stop, and returns it together with resume's own. */
struct kt_error *gather_resume(struct gather *g, struct kt_error *err);

/* The guest runs at least as long as it stood. */
struct kt_error *gather_rest(struct gather *g);

/* --- gather_kept.c --- */

/* What an earlier try left. data points into the buffer. */
struct gather_kept {
	enum gather_pass pass;
	uint64_t done;
	const uint8_t *data;
};

/* Puts what was read so far into *ret, in place of what is there. */
void gather_keep(const struct gather *g, struct kt_buf *ret);

/* False: it is not of an image with the same pieces. */
bool gather_kept_open(const struct gather *g, const struct kt_buf *kept, struct gather_kept *ret);

/*
 * Compares samples of what is kept with the guest's memory, in one stop. If they hold, it is put
 * into the ranges, and g->at is behind it. The ranges are those of the same pass.
 */
struct kt_error *gather_go_on(struct gather *g, const struct gather_kept *kept, bool *same_ret);

#endif
