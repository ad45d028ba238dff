/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells libbpf's own loads apart from those of its user. libbpf loads small programs to see what a
 * kernel can do; and when a load fails for which nobody wanted a log, it loads the program again
 * with one. Not a public header.
 *
 * A program is taken for a probe by evidence only. libbpf names one of them "libbpf_nametest" and
 * loads it before any program of its user; the others have no name, and few instructions that are
 * always the same. Such a one counts if its process loads "libbpf_nametest", too, next or before.
 * So a user's program that looks the same, in a process without libbpf, is none.
 */
#ifndef KT_MODEL_LOAD_FOLD_H
#define KT_MODEL_LOAD_FOLD_H

#include "model/load.h"
#include "util/error.h"
#include "util/vec.h"

/* What may be a probe waits so long for its process's next load. */
#define LOAD_FOLD_HOLD_NS INT64_C(2000000000)

/* All zero: nothing was seen yet. The members are private. */
struct load_fold {
	KT_VEC(struct bpf_load) held, ready;
	/* The last processes that were seen to use libbpf, and the last loads that failed. */
	struct load_fold_process {
		char comm[17];
		uint32_t pid;
	} users[64];
	struct load_fold_failure {
		struct load_fold_process by;
		char name[16], type[32];
		uint64_t error, insns;
	} failures[64];
	size_t n_users, n_failures; /* count on */
};

/* Takes *load, which is empty then. *role* of each load is set when it comes out. */
struct kt_error *load_fold_add(struct load_fold *fold, struct bpf_load *load);

/* Takes out the next load, which is the caller's then; false: there is none yet. */
bool load_fold_next(struct load_fold *fold, struct bpf_load *ret);

/* When the first that is held has waited long enough, by at_ns; INT64_MAX: none is held. */
int64_t load_fold_due_ns(const struct load_fold *fold);

/* Lets those go that have waited until now_ns: INT64_MAX for all. */
struct kt_error *load_fold_let_go(struct load_fold *fold, int64_t now_ns);
void load_fold_deinit(struct load_fold *fold);

#endif
