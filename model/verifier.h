/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a run of a scheduler, a loader or BPF objects in a guest came to: data types, the
 * verdict, and the text that a person reads. Plain data: whoever ran the guest fills it in.
 */
#ifndef KT_MODEL_VERIFIER_H
#define KT_MODEL_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logparse/text.h"
#include "model/program.h"
#include "util/error.h"

/* ProgStats: what the verifier thought of one program. Strings are its own. */
struct kt_prog_stats {
	char *name;                           /* the full one where it is known; never NULL */
	char *type;                           /* as bpftool names it, "struct_ops"; NULL: unknown */
	char *tag;                            /* 16 hex digits; NULL: unknown */
	struct program_number verified_insns; /* of one that failed: as its log says, if it does */
	bool failed;                          /* the verifier, or libbpf before it, refused it */
};

struct kt_prog_stats_list {
	struct kt_prog_stats *all;
	size_t n;
};

/*
 * Appends a copy of stats; its strings stay the caller's. KT_ERROR_NO_MEMORY, and then the list
 * is as it was.
 */
struct kt_error *kt_prog_stats_add(struct kt_prog_stats_list *list,
				   const struct kt_prog_stats *stats);

/*
 * Appends a guest's loaded programs. A program is called by its full name where that is known.
 * KT_ERROR_NO_MEMORY, with some of them appended.
 */
struct kt_error *kt_prog_stats_add_loaded(struct kt_prog_stats_list *list,
					  const struct programs *programs);

/* Frees those from n on. */
void kt_prog_stats_truncate(struct kt_prog_stats_list *list, size_t n);

/* Frees what the list owns. */
void kt_prog_stats_deinit(struct kt_prog_stats_list *list);

#endif
