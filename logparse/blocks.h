/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verifier logs in what a loader printed. libbpf puts a log between two markers,
 *
 *	libbpf: prog 'tp_loop1': -- BEGIN PROG LOAD LOG --
 *	0: R1=ctx() R10=fp0
 *	...
 *	-- END PROG LOAD LOG --
 *
 * and before 0.7 so, with a line "libbpf: " that belongs to the marker:
 *
 *	libbpf: -- BEGIN DUMP LOG ---
 *	libbpf:
 *	0: R1=ctx() R10=fp0
 *	...
 *
 *	libbpf: -- END LOG --
 *
 * One output can hold many: retries, several programs. What is a marker:
 *
 * - BEGIN ends its line. Before it may stand libbpf's own words, a logger's prefix
 *   ("[12:33:01] "), or the end of something else that was printed without a newline. A
 *   source line or an instruction of a trace is no BEGIN, unless libbpf's words are in it.
 * - A trace starts with the line after BEGIN. It ends where the line of END starts, when only
 *   libbpf's words or a logger's prefix stand before END, else (a log that was cut off, and so
 *   lacks its last newline) right before END or libbpf's words.
 * - A source line may quote END: `; puts("-- END PROG LOAD LOG --");`. With more text behind
 *   it, such an END is none. One that ends the source line is either a comment or the END of a
 *   log that was cut off in that line: it counts when no other END comes before the next
 *   BEGIN, and so does an END in the middle of any other line.
 * - A BEGIN before any END: the loader was killed, and started once more. The first block is
 *   not complete, and ends where the line of that BEGIN starts.
 *
 * Lines may end in CR LF.
 */
#ifndef KT_LOGPARSE_BLOCKS_H
#define KT_LOGPARSE_BLOCKS_H

#include "logparse/collapse.h"
#include "logparse/loader.h"
#include "logparse/text.h"

/* Slices of the blob; data is never NULL. */
struct kt_log_block {
	struct kt_text program; /* the name in the BEGIN line; empty where it has none */
	struct kt_text trace;   /* the lines between, with the newline of the last one */
	bool complete;          /* false: the text ended, or a BEGIN came, before the END */
	bool btf;               /* it is of a BTF that the kernel refused, and of no program */
	bool quoted;            /* it is a message that a loader quotes, and no more */
	bool marked;            /* libbpf's markers are around it */
	struct kt_loader_words loader; /* said around it; only kt_logs_find() reads that */
};

struct kt_log_blocks {
	struct kt_text rest; /* what has not been looked at */
};

/* Starts at the beginning of blob. Nothing to release. */
void kt_log_blocks_init(struct kt_log_blocks *it, struct kt_text blob);

/*
 * The next block, in order, without overlap. False, and *ret untouched: there is none. Linear
 * over all calls.
 */
bool kt_log_blocks_next(struct kt_log_blocks *it, struct kt_log_block *ret);

/*
 * The trace of the first complete block, without trailing newlines; it may be empty. False,
 * and *ret untouched, when the blob has no BEGIN with an END after it.
 */
bool kt_extract_verifier_log(struct kt_text blob, struct kt_text *ret);

/*
 * The blob to sink, each block's trace collapsed and every byte outside unchanged. A block
 * that was cut off is a block too; a blob without any block goes through as it is. Pieces are
 * never empty. Errors: as kt_collapse_cycles_to().
 */
struct kt_error *kt_collapse_blocks_to(struct kt_text blob,
				       const struct kt_collapse_options *options, kt_sink_fn sink,
				       void *arg);

#endif
