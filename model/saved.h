/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A saved result, read back: the document that `attach --json` and `collect --json` print. */
#ifndef KT_MODEL_SAVED_H
#define KT_MODEL_SAVED_H

#include <stdbool.h>

#include "logparse/text.h"
#include "model/verifier.h"
#include "util/error.h"

/* As much of a result as two can be compared by. The strings are its own; NULL: not known. */
struct kt_saved {
	char *kernel;    /* the release, "6.12.107+deb13-amd64" */
	char *scheduler; /* what was run */
	char *verdict;   /* what came of it, in words */
	bool passed_known, passed;
	/* Those that were loaded, then those that were not taken, which are `failed`. */
	struct kt_prog_stats_list programs;
};

/*
 * Reads "ktstr-gdb.programs.v1"; docs/architecture.md has its keys. The text may be anything;
 * name is what an error calls it. Of a program that was not taken verified_insns is what its
 * verifier log says; one whose object itself was bad has the object's name.
 *
 * Keys that are not known are ignored, and so is what cannot be read of `run`; elsewhere a
 * value of a wrong type is an error. Read are at most KT_SAVED_MAX bytes.
 *
 * kt_saved_deinit() frees *ret. Errors: KT_ERROR_FORMAT, which says where and what; of another
 * document, with a hint; KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_saved_read(struct kt_text text, const char *name, struct kt_saved *ret);
void kt_saved_deinit(struct kt_saved *saved);

#define KT_SAVED_MAX ((size_t)256 << 20)

#endif
