/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a scheduler printed, cut out of a guest's console: the guest's init puts it between
 * two lines of its own,
 *
 *	===SCHED_OUTPUT_START===
 *	libbpf: prog 'enqueue': -- BEGIN PROG LOAD LOG --
 *	...
 *	===SCHED_OUTPUT_END===
 */
#ifndef KT_LOGPARSE_SCHED_OUTPUT_H
#define KT_LOGPARSE_SCHED_OUTPUT_H

#include "logparse/text.h"

#define SCHED_OUTPUT_START "===SCHED_OUTPUT_START==="
#define SCHED_OUTPUT_END   "===SCHED_OUTPUT_END==="

/*
 * The slice of text between the first START and the last END (the scheduler may print an END marker
 * itself), without white space (ASCII) around it. False, and *ret untouched, if a marker is
 * missing, no END comes after the START, or nothing is between. Linear.
 */
bool kt_parse_sched_output(struct kt_text text, struct kt_text *ret);

/*
 * The same for a guest that died before it could print END: from the first START to the end
 * of text. False, and *ret untouched, without a START or with nothing after it.
 */
bool kt_parse_sched_output_partial(struct kt_text text, struct kt_text *ret);

#endif
