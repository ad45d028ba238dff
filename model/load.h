/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A load of a BPF program, passed or failed, as seen from outside the guest. Plain data: this
 * header needs only the C library.
 */
#ifndef KT_MODEL_LOAD_H
#define KT_MODEL_LOAD_H

#include "model/program.h"

/* Whether it is one of libbpf's probes, by the program itself (introspection knows no more). */
enum bpf_load_probe {
	BPF_LOAD_NO_PROBE,
	BPF_LOAD_MAYBE_PROBE, /* no name, and just the instructions of one of them */
	BPF_LOAD_IS_PROBE,    /* likewise, and by a name that libbpf gives it */
};

/* What a load is for, seen beside the loads before it (model/load_fold.h). */
enum bpf_load_role {
	BPF_LOAD_ORDINARY,
	BPF_LOAD_PROBE, /* libbpf tries what this kernel can do */
	BPF_LOAD_RETRY, /* a load that failed, once more, so that the verifier writes a log */
};

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
	struct program_number log_size;  /* of the loader's buffer for it */
	/*
	 * The log in the loader's own buffer, if that was asked for and the load failed. NULL:
	 * there is none, or it could not be read.
	 */
	char *log;
	size_t log_len;
	enum bpf_load_probe probe;
	enum bpf_load_role role;
	int64_t pause_ns; /* how long the guest stood still for this load */
};

static inline bool bpf_load_failed(const struct bpf_load *load)
{
	return load->error.known && load->error.value != 0;
}

/* Its full name, or as much as is known of it; "": none. */
static inline const char *bpf_load_name(const struct bpf_load *load)
{
	return load->full_name ? load->full_name : load->name;
}

/*
 * Whether the verifier accepted the program: 1 or 0, unknown where neither the result nor the log
 * tells. ENOSPC says only that the log did not fit into its buffer, and takes the place of the
 * verifier's own error (bpf_check() up to 7.3).
 */
struct program_number kt_bpf_load_accepted(const struct bpf_load *load);

/*
 * Takes the verifier's numbers that are not known yet from the end of the log, as far as it has
 * them. The time is there in whole microseconds. False: no memory.
 */
bool kt_bpf_load_take_stats(struct bpf_load *load);

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
