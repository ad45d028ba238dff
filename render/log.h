/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verifier logs that a table or a document is made of: log_table.h, log_json.h. */
#ifndef KT_RENDER_LOG_H
#define KT_RENDER_LOG_H

#include "logparse/blocks.h"
#include "logparse/unwrap.h"

/* One verifier log. */
struct render_log_program {
	struct kt_text file;     /* what it was read from, "-": standard input */
	struct kt_log_block log; /* program is empty: its name is not known */

	/* Where the log is in that file, for render/log_format.h alone; both may be zero. */
	struct kt_text input;               /* the file's text, of which the log is a slice, */
	const struct kt_unwrapped *wrapped; /* unless this is not NULL: then the log is of it */
};

#endif
