/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verifier logs that a table or a document is made of: log_table.h, log_json.h. */
#ifndef KT_RENDER_LOG_H
#define KT_RENDER_LOG_H

#include "logparse/text.h"
#include "logparse/unwrap.h"

/* One verifier log: a libbpf block, or a text that is a log and nothing else. */
struct render_log_program {
	struct kt_text file;    /* what it was read from, "-": standard input */
	struct kt_text program; /* empty: its name is not known */
	struct kt_text trace;   /* the log */
	bool complete;          /* false: a block without an end */

	/* Where the log is in that file, for render/log_format.h alone; both may be zero. */
	struct kt_text input;               /* the file's text, of which trace is a slice, */
	const struct kt_unwrapped *wrapped; /* unless this is not NULL: then trace is of it */
};

#endif
