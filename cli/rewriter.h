/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes what is made of an unwrapped text (logparse/unwrap.h), with what the input has around its
 * lines. With colours, a line has that of its role in the log, and what is around it is faint.
 */
#ifndef KT_CLI_REWRITER_H
#define KT_CLI_REWRITER_H

#include "cli/writer.h"
#include "logparse/unwrap.h"
#include "util/vec.h"

struct cli_rewriter {
	/* For cli/rewriter.c alone. */
	struct cli_writer *writer;
	struct kt_text input;
	struct kt_rewrap rewrap;
	struct kt_roles roles;
	KT_VEC(struct kt_text) held; /* lines whose role is undecided, one behind the other */
	size_t held_len;
	struct kt_text painted; /* in the input: the text of the line at hand, */
	enum kt_line_role role; /* and its role */
};

/*
 * input: what `unwrapped` was taken out of. blocks: it has libbpf's markers, and only what is
 * between them is a log. The writer has to be at the beginning of a line.
 */
void cli_rewriter_init(struct cli_rewriter *rewriter, struct cli_writer *writer,
		       const struct kt_unwrapped *unwrapped, struct kt_text input, bool blocks);

/*
 * A kt_sink_fn, of which `rewriter` is the argument. Pieces are whole lines of the unwrapped text,
 * or marks. Errors: as cli_writer_put().
 */
struct kt_error *cli_rewriter_put(void *rewriter, struct kt_text piece);

/* Ends the output, and releases the memory; also to be called after an error. */
struct kt_error *cli_rewriter_end(struct cli_rewriter *rewriter);

#endif
