/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VerifierCellRecord: the result of one cell of a sweep, which is one scheduler on one kernel in
 * one topology. Plain data; model/cell_json.h reads and writes it as JSON.
 */
#ifndef KT_MODEL_CELL_RECORD_H
#define KT_MODEL_CELL_RECORD_H

#include "model/verifier.h"

/* The record owns its strings; NULL: not known. */
struct kt_cell_record {
	char *scheduler, *kernel, *topology; /* never NULL; none has a "/" in it */
	bool passed;
	bool skipped; /* not run: this host or QEMU cannot provide the topology */
	struct kt_prog_stats_list stats; /* one per program; also those that were refused */

	/* Optional. */
	char *verdict;     /* kt_verdict_name(), or "error": no result, see reason */
	char *reason;      /* why it failed or was skipped, as a sentence */
	char *release;     /* `uname -r` of the kernel that ran */
	char *log;         /* file beside the record with the scheduler's collapsed log */
	char *dump;        /* likewise, of what failed: its state when the scheduler began to end */
	char *no_dump;     /* why it failed, and there is no dump */
	char *workload;    /* of a scheduler: --workload, with an absolute path */
	char *last;        /* the steps that led to the errors in it, as `log --last` has them */
	int64_t started;   /* seconds since 1970; 0: not known */
	double duration_s; /* how long the cell's process ran; 0: not known */
	unsigned place;    /* of its scheduler in the sweep file, from 1; 0: not known */
	char *file;        /* the sweep file, as an absolute path */
	char *host;        /* the name of the machine that ran it */
	char *version;     /* of this tool */
	unsigned attempts; /* tries so far, including this one; 0: not known */
};

struct kt_cell_records {
	struct kt_cell_record *all;
	size_t n;
};

/* Whether it is not known if the cell passes: the verdict is "error" or "host_too_slow". */
bool kt_cell_is_unknown(const struct kt_cell_record *record);

void kt_cell_record_deinit(struct kt_cell_record *record);
void kt_cell_records_deinit(struct kt_cell_records *records);

#endif
