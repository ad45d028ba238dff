/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far a load is that is in the verifier right now. bpf_vlog_init() tells where its
 * bpf_verifier_env is; from then on that is read in short stops. Internal to watch/.
 */
#ifndef KT_WATCH_PROGRESS_H
#define KT_WATCH_PROGRESS_H

#include "watch/lines.h"
#include "watch/reader.h"

struct progress {
	bool on;
	double max_overhead;         /* the share of time that the guest may be stopped for this */
	const struct reader *reader; /* the caller's */
	struct view env;
	struct lines_views lines;
	int64_t next_ns; /* when to look again, in kt_now_ns() time */
};

/* A load that is looked at: what is kept of it from one sample to the next. */
struct sampled {
	gaddr_t env;            /* its bpf_verifier_env; 0: it is not in the verifier */
	int64_t since_ns;       /* when it got there */
	int64_t at_ns;          /* of the last sample; 0: there was none */
	uint64_t insns, states; /* in that sample */
	bool program_read;      /* its full name and its lines, as far as there are any */
	struct lines lines;
};

/* False: no memory. */
bool progress_wants(struct wants *wants);

/* reader stays in use; it has been initialized. */
struct kt_error *progress_init(struct progress *progress, const struct reader *reader,
			       double max_overhead);

/* A load has got to the verifier, in this stop. *sampled is empty before. */
void progress_begin(struct progress *progress, gaddr_t env, struct sampled *sampled);
void sampled_deinit(struct sampled *sampled);

/*
 * One sample, in this stop, through a guest that was found in it: what the verifier knows, in *out.
 * Unknown verified_insns: the env is not readable. load is who it is, from bpf_vlog_init(); its
 * full name was cut there, and is completed.
 */
struct kt_error *progress_sample(const struct progress *progress, struct guest *guest,
				 struct sampled *sampled, struct bpf_load *load,
				 struct bpf_load_progress *out);

/* All samples of this stop are taken: plans the next by the time that they took. */
void progress_plan(struct progress *progress);

#endif
