/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A load of a BPF program, passed or failed, as it was seen from outside: plain data, which
 * render/ shows. Needs nothing but the C library, like program.h.
 */
#ifndef KT_MODEL_LOAD_H
#define KT_MODEL_LOAD_H

#include "model/program.h"

struct bpf_load {
	int64_t at_ns; /* when it came back, by this machine's clock: nanoseconds since 1970 */
	bool by_known; /* the process: */
	char comm[17]; /* its name, at most 15 characters */
	uint32_t pid;  /* of the process, not of the thread */
	char name[16]; /* as in struct program; "": none, or unknown */
	char *full_name, *type;
	struct program_number error; /* what bpf(2) gave: an errno, 0: it passed */
	/* From here on what the verifier knew; all unknown if the load never got to it. */
	struct program_number verified_insns;
	struct program_number total_states, peak_states, max_states_per_insn, mark_read;
	struct program_number verification_time_ns;
	uint32_t *stack_depth; /* bytes, of each subprogram, the main program first */
	size_t n_stack_depth;
	struct program_number stack_max; /* since Linux 7.2 */
	struct program_number log_level; /* that the loader asked for */
	struct program_number log_bytes; /* that the verifier wrote for it */
	/*
	 * What the loader's own buffer held in the end, if that was asked for and the load
	 * failed; NULL: none, or not readable.
	 */
	char *log;
	size_t log_len;
	int64_t pause_ns; /* as long as the guest stood still for this load */
};

static inline void bpf_load_deinit(struct bpf_load *load)
{
	free(load->full_name);
	free(load->type);
	free(load->stack_depth);
	free(load->log);
	*load = (struct bpf_load){0};
}

/* A load that is in the verifier right now. */
struct bpf_load_progress {
	char comm[17];
	uint32_t pid;
	char name[16];
	char *full_name;                /* as in struct bpf_load */
	int64_t since_ns;               /* nanoseconds since it got there */
	struct program_number insn_idx; /* the instruction that it is at */
	struct program_number verified_insns, total_states, peak_states;
	/* How fast these grow, since the sample before: a second. */
	struct program_number insns_rate, states_rate;
	char *file, *source; /* the source line's; NULL: not known */
	uint32_t line;       /* 0: not known */
};

static inline void bpf_load_progress_deinit(struct bpf_load_progress *progress)
{
	free(progress->full_name);
	free(progress->file);
	free(progress->source);
	*progress = (struct bpf_load_progress){0};
}

#endif
