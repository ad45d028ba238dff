/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text to stdout: as it is, or for a terminal. What a log holds never gets to control a
 * terminal: control characters and what is no UTF-8 are shown as "\x1b", and the carriage
 * return of a CRLF is left out.
 */
#ifndef KT_CLI_WRITER_H
#define KT_CLI_WRITER_H

#include "logparse/text.h"
#include "util/buf.h"
#include "util/error.h"

enum cli_writer_style {
	CLI_STYLE_PLAIN,
	CLI_STYLE_MARK,
	CLI_STYLE_SOURCE,
	CLI_STYLE_FAINT,
	CLI_STYLE_HEAD,
	CLI_STYLE_ERROR,
};

struct cli_writer {
	bool visible; /* the text is for a terminal */
	bool color;   /* its lines are coloured by what they mean in a log, */
	bool about;   /* or in the text about one that --last gives */
	bool pager;   /* one is started before the first byte */
	bool paged;   /* it was: EPIPE then says that the user has quit it */
	bool blocks;  /* only what is between libbpf's markers is a log; see cli_writer_begin() */

	/* For cli/writer.c alone. */
	struct kt_buf line;  /* a line whose end has not come yet */
	struct kt_buf held;  /* lines of which what follows tells whether they are the error */
	struct kt_buf shown; /* scratch */
	bool inside;         /* the beginning of a long line is out, in this style: */
	enum cli_writer_style style;
	bool in_log, seen_log, explaining;
	size_t len;
	char buf[65536];
};

/* A text begins. blocks: it has libbpf's markers, and what is outside of them is no log. */
void cli_writer_begin(struct cli_writer *writer, bool blocks);

/*
 * Takes a piece of it; a kt_sink_fn, of which `writer` is the argument.
 * Errors: KT_ERROR_OS, of which EPIPE says that nobody reads on; KT_ERROR_NO_MEMORY.
 */
struct kt_error *cli_writer_put(void *writer, struct kt_text piece);

/* The text ends: what was waited with goes on its way. */
struct kt_error *cli_writer_end(struct cli_writer *writer);

/* Everything that was put is written. */
struct kt_error *cli_writer_flush(struct cli_writer *writer);

void cli_writer_deinit(struct cli_writer *writer);

#endif
