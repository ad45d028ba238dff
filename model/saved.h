/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A result, as much of it as two can be compared by. It is read back from a file, the document that
 * `attach --json` and `collect --json` print, or made of what was just read from a guest. Both ways
 * give the same.
 */
#ifndef KT_MODEL_SAVED_H
#define KT_MODEL_SAVED_H

#include <stdbool.h>

#include "logparse/text.h"
#include "model/verdict.h"
#include "util/error.h"

/* The strings are its own; NULL: not known. */
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
/*
 * Without a file: zero *saved, copy the kernel's release, and add the loaded programs
 * (kt_prog_stats_add_loaded()). Then set the run of a scheduler, or else add each program that was
 * not taken: name is empty where its whole object was bad, and log is what libbpf printed of it.
 * KT_ERROR_NO_MEMORY, after which kt_saved_deinit() is all that *saved is good for.
 */
struct kt_error *kt_saved_add_failure(struct kt_saved *saved, const char *object, const char *name,
				      const char *log);
struct kt_error *kt_saved_set_run(struct kt_saved *saved, const char *scheduler,
				  const struct kt_verifier_vm_result *run);

/* Frees what *saved owns, and zeroes it. */
void kt_saved_deinit(struct kt_saved *saved);

#define KT_SAVED_MAX ((size_t)256 << 20)

#endif
