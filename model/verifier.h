/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ProgStats: a program and its verified_insns, and lists of them. Plain data. */
#ifndef KT_MODEL_VERIFIER_H
#define KT_MODEL_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logparse/text.h"
#include "model/program.h"
#include "model/trial.h"
#include "util/error.h"

/* One program, loaded or refused. It owns its strings. */
struct kt_prog_stats {
	char *name;                           /* the full one where it is known; never NULL */
	char *type;                           /* as bpftool names it, "struct_ops"; NULL: unknown */
	char *tag;                            /* 16 hex digits; NULL: unknown */
	struct program_number verified_insns; /* if it failed: as its log says */
	/* What else the verifier counted, by enum kt_trial_number; verified_insns is above. */
	struct program_number more[KT_N_TRIAL_NUMBERS];
	bool failed; /* refused by the verifier, or by libbpf before it */
};

struct kt_prog_stats_list {
	struct kt_prog_stats *all;
	size_t n;
};

/*
 * Appends a copy of stats, with copies of its strings. On KT_ERROR_NO_MEMORY the list is
 * unchanged.
 */
struct kt_error *kt_prog_stats_add(struct kt_prog_stats_list *list,
				   const struct kt_prog_stats *stats);

/*
 * Appends a guest's loaded programs, with the full name where it is known. On KT_ERROR_NO_MEMORY
 * some of them may be in the list.
 */
struct kt_error *kt_prog_stats_add_loaded(struct kt_prog_stats_list *list,
					  const struct programs *programs);

/* Frees and removes all entries from index n on. */
void kt_prog_stats_truncate(struct kt_prog_stats_list *list, size_t n);

/* Frees the list, and zeroes it. */
void kt_prog_stats_deinit(struct kt_prog_stats_list *list);

#endif
