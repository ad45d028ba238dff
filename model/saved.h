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

/* It owns its strings; NULL: not known. */
struct kt_saved {
	char *kernel;              /* the release, "6.12.107+deb13-amd64" */
	char *scheduler;           /* the scheduler that was run */
	char *verdict;             /* kt_verdict_text(), or kt_verdict_name() */
	bool passed_known, passed; /* the run as a whole */
	/* Loaded programs, then refused ones, which have `failed` set. */
	struct kt_prog_stats_list programs;
};

/*
 * Reads the document "ktstr-gdb.programs.v1", whose keys are in docs/json.md, from text
 * that may be anything. Errors call it `name`. verified_insns of a refused program is taken from
 * its verifier log. If a whole object was bad, a program stands for it that has the object's name.
 *
 * It may be the CSV of `veristat -o csv`, or that of `collect --csv`, too (model/saved_csv.h).
 *
 * Unknown keys are ignored, and so are values of a wrong type in `run`; elsewhere they are an
 * error. So is a text of more than KT_SAVED_MAX bytes.
 *
 * kt_saved_deinit() frees *ret. Errors: KT_ERROR_FORMAT, with the place and the reason, and a hint
 * if it is some other document; KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_saved_read(struct kt_text text, const char *name, struct kt_saved *ret);
/*
 * Without a file: zero *saved, copy the kernel's release, and add the loaded programs
 * (kt_prog_stats_add_loaded()). Then set the run of a scheduler, or else add each program that was
 * not taken, or is not in the guest's memory; one of no object that has no name is left out.
 * KT_ERROR_NO_MEMORY, after which kt_saved_deinit() is all that *saved is good for.
 */
struct kt_error *kt_saved_add_trial(struct kt_saved *saved, const struct kt_trial *trial);
struct kt_error *kt_saved_set_run(struct kt_saved *saved, const char *scheduler,
				  const struct kt_verifier_vm_result *run);

/*
 * Another number than verified_insns is to be compared: it takes the place of that. A result of no
 * objects does not have it: then it is unknown.
 */
void kt_saved_choose(struct kt_saved *saved, enum kt_trial_number number);

/* Frees what *saved owns, and zeroes it. */
void kt_saved_deinit(struct kt_saved *saved);

#define KT_SAVED_MAX ((size_t)256 << 20)

#endif
