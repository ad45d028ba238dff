/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verifier logs in a text: those between libbpf's markers (logparse/blocks.h), and those that
 * stand there without. A log without markers
 *
 * - begins with the first line that is surely the kernel's (logparse/anchor.h), or with the notes
 *   and source lines right before it;
 * - ends with "processed N insns ..."; if it has no such line, with its last line that is the
 *   kernel's, and the error behind that. What follows does not belong to it: a backtrace,
 *   "Caused by:", "1: Invalid argument (os error 22)".
 *
 * Where another log begins behind an error ("0: R1=ctx() R10=fp0"), there are two. A log that is
 * the same as the one before, byte for byte, is left out: an error chain often prints it twice.
 * Errors of cilium/ebpf have one or two of a log's lines in one:
 *
 *	program p: load program: permission denied: 7: (61) r0 = *(u32 *)(r0 +0): R0 invalid mem
 *	access 'scalar' (12 line(s) omitted)		(in one line)
 */
#ifndef KT_LOGPARSE_LOGS_H
#define KT_LOGPARSE_LOGS_H

#include "logparse/blocks.h"
#include "logparse/unwrap.h"
#include "util/error.h"
#include "util/vec.h"

struct kt_logs {
	KT_VEC(struct kt_log_block) v; /* in the order of the text, without overlap */
};

/*
 * All logs of a text. `unwrapped` is what the text was taken out of, or NULL: what stood before a
 * line may name the program and the error. Time is linear. For kt_logs_deinit(). Errors:
 * KT_ERROR_NO_MEMORY; *ret is untouched then.
 */
struct kt_error *kt_logs_find(struct kt_text text, const struct kt_unwrapped *unwrapped,
			      struct kt_logs *ret);
void kt_logs_deinit(struct kt_logs *logs);

/*
 * What stands for a text in which there is no log: the text itself, or, if a loader says in its end
 * that a load failed, no trace at all with what it says.
 */
struct kt_log_block kt_logs_none(struct kt_text text);

#endif
