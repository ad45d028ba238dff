/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the kernel from a running guest's memory, when there is no file of it.
 *
 * A kernel's read-only data (a dozen megabytes: kallsyms, BTF, notes) never changes while it
 * runs, and does not move. So it is read in many short stops, with the guest running in
 * between at least as long. The first stop finds where the data is in physical memory; the later
 * ones need no vCPU to be in the kernel. btf/recover.h proves what was read. Later, whoever uses
 * the facts proves in the same stop that the build ID is in memory (memory/guest.h).
 */
#ifndef KT_MEMORY_GATHER_H
#define KT_MEMORY_GATHER_H

#include "btf/record.h"
#include "memory/source.h"

/* How long a short stop took, as well as can be told: at most that long. */
struct gather_look {
	int64_t pause_ns; /* from when it was asked for */
	int64_t read_ns;  /* of this, what came after the stop: the reading */
};

/* Stops the guest and lets it run: through the stub, or in a test. */
struct gather_stops {
	void *context;
	/* Stops it; *source_ret is good until resume. */
	struct kt_error *(*stop)(void *context, struct source *source_ret);
	/* Lets it run. *pause_ns_ret: how long it stood, as well as can be told. */
	struct kt_error *(*resume)(void *context, int64_t *pause_ns_ret);
	/* Stops it, reads physical memory, and lets it run. After an error it runs, or nobody can
	 * tell. */
	struct kt_error *(*look)(void *context, struct gmem_read *reads, size_t n,
				 struct gather_look *ret);
	/* Lets it be for that long; an error means that somebody wants to give up. */
	struct kt_error *(*rest)(void *context, int64_t ns);
};

struct gather_stats {
	size_t stops;
	int64_t longest_ns; /* of one stop */
	int64_t paused_ns;  /* of all of them */
	int64_t total_ns;
	uint64_t bytes;
};

struct gather_options {
	/* How long reading in a stop may take, in nanoseconds; 0: 3 ms. See gather_kernel(). */
	int64_t stop_ns;
	/* How long all of it is to take, so far as larger stops can help; 0: 4 s. */
	int64_t total_ns;
	/* Kernels that it may be, the likeliest first. */
	const struct record_known *known;
	size_t n_known;
	/*
	 * In: what an earlier try at this guest left, or empty. Out: what is left for the next one.
	 * NULL: nothing is kept.
	 */
	struct kt_buf *kept;
	/* Told after each stop that reads: how many bytes there are, and how many it takes. */
	void (*progress)(void *context, uint64_t done, uint64_t all);
	void *context;
};

/* A kernel that was found. recovered points into the memory; gathered_deinit() frees all. */
struct gathered {
	/* One of the options' that the guest seems to run: nothing was read, but stats. */
	const struct record_known *known;
	struct recovered kernel;
	struct record_place place;
	struct recover_range *ranges;
	size_t n_ranges;
	struct gather_stats stats;
};

/*
 * A stop reads as much as the stub sends without waiting for this process (64 KiB); and half of
 * what the one before read, but 32 KiB at least, where that took longer than stop_ns. Where
 * stopping the guest takes so long that all of it would take longer than total_ns, stops read more,
 * in up to 6 times stop_ns.
 *
 * KT_ERROR_NOT_READY: no vCPU runs on a kernel's page table yet. KT_ERROR_NOT_FOUND: no
 * kernel in what is mapped. KT_ERROR_FORMAT: what is there contradicts itself. The guest runs
 * again in any case, unless resume itself fails.
 */
struct kt_error *gather_kernel(const struct gather_stops *stops,
			       const struct gather_options *options, struct gathered *ret);
void gathered_deinit(struct gathered *gathered);

#endif
