/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verifier logs in what a loader printed. libbpf puts a log between two lines,
 *
 *	libbpf: prog 'tp_loop1': -- BEGIN PROG LOAD LOG --
 *	0: R1=ctx() R10=fp0
 *	...
 *	libbpf: -- END PROG LOAD LOG --
 *
 * (older ones: "libbpf: -- BEGIN DUMP LOG ---", and "-- BEGIN PROG LOAD LOG --" alone). One
 * output can hold many: retries, several programs.
 */
#ifndef KT_LOGPARSE_BLOCKS_H
#define KT_LOGPARSE_BLOCKS_H

#include "logparse/collapse.h"
#include "logparse/text.h"

struct kt_log_block {
	struct kt_text program; /* the name in the BEGIN line; empty where it has none */
	struct kt_text trace;   /* the lines between, with the newline of the last one */
	bool complete;          /* false: the text ended before the END marker */
};

struct kt_log_blocks {
	struct kt_text rest; /* what has not been looked at */
};

/* Starts at the beginning of blob. Nothing to release. */
void kt_log_blocks_init(struct kt_log_blocks *it, struct kt_text blob);

/* The next block, slices of the blob. False: there is none. Linear over all calls. */
bool kt_log_blocks_next(struct kt_log_blocks *it, struct kt_log_block *ret);

/*
 * The trace of the first complete block, without trailing newlines. False when the blob has
 * no BEGIN with an END after it.
 */
bool kt_extract_verifier_log(struct kt_text blob, struct kt_text *ret);

/*
 * The blob to sink, each block's trace collapsed and every byte outside unchanged. A block
 * that was cut off is a block too. Errors: as kt_collapse_cycles_to().
 */
struct kt_error *kt_collapse_blocks_to(struct kt_text blob,
				       const struct kt_collapse_options *options, kt_sink_fn sink,
				       void *arg);

#endif
