/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stop of a guest, from connect to detach: find the kernel, read the programs, go. */
#ifndef KT_INTROSPECT_INSPECT_H
#define KT_INTROSPECT_INSPECT_H

#include "gdbrsp/client.h"
#include "introspect/bpf_prog.h"
#include "introspect/scx.h"

/* Where the time went, in nanoseconds of CLOCK_MONOTONIC. */
struct inspect_timing {
	int64_t connect_ns; /* connect and handshake; the guest is stopped from here */
	int64_t locate_ns;  /* registers, page tables, KASLR, the proof */
	int64_t read_ns;    /* the walk of the programs */
	int64_t detach_ns;  /* until the stub's word that the guest runs */
	int64_t pause_ns;   /* connect to detach: as long as the guest stood still, at most */
	int64_t finish_ns;  /* making sense of what was read; the guest runs again */
	uint64_t requests, bytes_read, round_trips;
};

/* What is read, and how. */
struct inspect_options {
	const int64_t *hint; /* where the kernel was, as for guest_create(); may be NULL */
	bool scx;            /* sched_ext's state, too: one round trip more, or two */
};

struct inspection {
	struct programs programs;
	struct scx_state scx; /* when asked for */
	int64_t kaslr_offset;
	bool was_paused; /* before we came, as far as the stub tells (QEMU up to 8.0) */
	struct inspect_timing timing;
};

/*
 * Reads all programs of the guest at target. facts (which have to be there before the guest
 * is touched) are the caller's. After an error too, the guest runs again, unless the stub does
 * not answer; then the message says that.
 */
struct kt_error *inspect_programs(const struct rsp_target *target,
				  const struct rsp_options *options, const struct kfacts *facts,
				  const struct inspect_options *what, struct inspection *ret);
void inspection_deinit(struct inspection *inspection);

#endif
