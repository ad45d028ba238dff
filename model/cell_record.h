/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VerifierCellRecord: what became of one cell of a sweep, which is one scheduler on one kernel
 * and one topology. Plain data, and its JSON.
 */
#ifndef KT_MODEL_CELL_RECORD_H
#define KT_MODEL_CELL_RECORD_H

#include "model/verifier.h"

/* Strings are its own; NULL: not known. */
struct kt_cell_record {
	char *scheduler, *kernel, *topology; /* never NULL; none has a "/" in it */
	bool passed;
	bool skipped;                    /* not run: this host or this QEMU cannot give it */
	struct kt_prog_stats_list stats; /* by program; `failed` ones too */

	/* What spec.md does not ask for; all optional. */
	char *verdict; /* kt_verdict_name(), or "error": it could not be found out */
	char *reason;  /* as a sentence: why it failed, or was skipped */
	char *release; /* of the kernel that ran, `uname -r` */
	char *log;     /* name of the file beside the record with the scheduler's log, collapsed */
	int64_t started;   /* seconds since 1970; 0: not known */
	double duration_s; /* of the cell's process; 0: not known */
	unsigned attempts; /* how often it was tried; 0: not known */
};

struct kt_cell_records {
	struct kt_cell_record *all;
	size_t n;
};

void kt_cell_record_deinit(struct kt_cell_record *record);
void kt_cell_records_deinit(struct kt_cell_records *records);

#endif
