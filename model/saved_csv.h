/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A result as CSV: what `veristat -o csv` prints, with any of its columns in any order, and what
 * `ktstr-gdb collect --csv` prints. Not a public header.
 *
 *	file_name,prog_name,verdict,duration,total_insns,...
 *	bpf_loop1.bpf.o,nested_loops,success,1234,361349,...
 *
 * Without the first line, the columns are veristat's first ones, in its order. Cells may be quoted
 * as RFC 4180 says. A number that is 0, or empty, is not known: no verification processes 0
 * instructions, and veristat prints that where it has none.
 */
#ifndef KT_MODEL_SAVED_CSV_H
#define KT_MODEL_SAVED_CSV_H

#include "logparse/text.h"
#include "model/verifier.h"
#include "util/error.h"

/* Whether it is meant to be such a text: its first line tells. */
bool kt_saved_is_csv(struct kt_text text);

/*
 * Appends the programs to *ret. *kernel_ret is the kernel's release, which the caller frees; NULL:
 * the text does not have it. Errors: KT_ERROR_FORMAT, with line and reason, and KT_ERROR_NO_MEMORY;
 * some programs may be in *ret then. Time is linear.
 */
struct kt_error *kt_saved_read_csv(struct kt_text text, struct kt_prog_stats_list *ret,
				   char **kernel_ret);

#endif
