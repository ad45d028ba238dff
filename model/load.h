/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A load of a BPF program, passed or failed, as seen from outside the guest. Plain data: this
 * header needs only the C library.
 */
#ifndef KT_MODEL_LOAD_H
#define KT_MODEL_LOAD_H

#include "model/program.h"

struct bpf_load {
	int64_t at_ns; /* when bpf(2) returned, by the host's clock: nanoseconds since 1970 */
	bool by_known; /* comm and pid of the loading process are known */
	char comm[17]; /* its name, at most 15 characters */
	uint32_t pid;  /* of the process, not of the thread */
	char name[16]; /* as in struct program; "": none, or unknown */
	char *full_name, *type;
	struct program_number error; /* the errno of bpf(2), or 0 if the load passed */
	/* The rest is the verifier's, and unknown if the load did not get that far. */
	struct program_number verified_insns;
	struct program_number total_states, peak_states, max_states_per_insn, mark_read;
	struct program_number verification_time_ns;
	uint32_t *stack_depth; /* bytes, of each subprogram, the main program first */
	size_t n_stack_depth;
	struct program_number stack_max; /* since Linux 7.2 */
	struct program_number log_level; /* that the loader asked for */
	struct program_number log_bytes; /* that the verifier wrote */
	/*
	 * The log in the loader's own buffer, if that was asked for and the load failed. NULL:
	 * there is none, or it could not be read.
	 */
	char *log;
	size_t log_len;
	int64_t pause_ns; /* how long the guest stood still for this load */
};

static inline void bpf_load_deinit(struct bpf_load *load)
{
	free(load->full_name);
	free(load->type);
	free(load->stack_depth);
	free(load->log);
	*load = (struct bpf_load){0};
}

/* A load that the verifier is still working on. */
struct bpf_load_progress {
	char comm[17];
	uint32_t pid;
	char name[16];
	char *full_name;                /* as in struct bpf_load */
	int64_t since_ns;               /* nanoseconds since the verifier began */
	struct program_number insn_idx; /* the instruction that the verifier is at */
	struct program_number verified_insns, total_states, peak_states;
	/* How much these grow per second, since the sample before. */
	struct program_number insns_rate, states_rate;
	char *file, *source; /* the source line there, and its file; NULL: not known */
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
