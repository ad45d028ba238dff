/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes text to stdout, as it is or for a terminal. A log must not control a terminal: control
 * characters and what is no UTF-8 are shown as "\x1b", and the carriage return of a CRLF is left
 * out.
 */
#ifndef KT_CLI_WRITER_H
#define KT_CLI_WRITER_H

#include "logparse/role.h"
#include "util/buf.h"
#include "util/error.h"

struct cli_writer {
	bool visible; /* the text is for a terminal */
	bool color;   /* colour its lines by their role in a log, */
	bool about;   /* or by their role in the text that --last prints */
	bool pager;   /* start a pager before the first byte */
	bool paged;   /* it was started: EPIPE then says that the user has quit it */

	/* For cli/writer.c alone. */
	struct kt_buf line;  /* a line whose end has not come yet */
	struct kt_buf held;  /* lines whose role is undecided */
	struct kt_buf shown; /* scratch */
	bool inside;         /* the beginning of a long line is out, with this role: */
	enum kt_line_role role;
	struct kt_roles roles;
	bool begun; /* of `about`: its first line is out */
	size_t len;
	char buf[65536];
};

/* Begins a text. blocks: it has libbpf's markers, and only what is between them is a log. */
void cli_writer_begin(struct cli_writer *writer, bool blocks);

/*
 * Takes a piece of it; a kt_sink_fn, of which `writer` is the argument.
 * Errors: KT_ERROR_OS, of which EPIPE says that nobody reads on; KT_ERROR_NO_MEMORY.
 */
struct kt_error *cli_writer_put(void *writer, struct kt_text piece);

/*
 * Takes a piece of a line, or of several, in the colour of a role. Not within a line that
 * cli_writer_put() has the beginning of. Errors: likewise.
 */
struct kt_error *cli_writer_put_as(struct cli_writer *writer, struct kt_text piece,
				   enum kt_line_role role);

/* Ends the text: shows the lines that were held. */
struct kt_error *cli_writer_end(struct cli_writer *writer);

/* Writes everything that is still in the buffer. */
struct kt_error *cli_writer_flush(struct cli_writer *writer);

void cli_writer_deinit(struct cli_writer *writer);

#endif
