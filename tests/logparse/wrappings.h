/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands around logs that people have, put around any log. Written from what loggers and mail
 * programs do, and not from how logparse/unwrap.c undoes it.
 */
#ifndef KT_TESTS_LOGPARSE_WRAPPINGS_H
#define KT_TESTS_LOGPARSE_WRAPPINGS_H

#include <stdlib.h>
#include <string.h>

#include "logparse/text.h"
#include "util/buf.h"

enum escape { AS_IS, BACKSLASH, RUST, OCTAL, PRINTABLE };

struct wrapping_kind {
	const char *name;
	const char *head, *tail;     /* of the whole */
	const char *before, *behind; /* of each line; NULL: one line for all */
	const char *newline;         /* between lines, where they are one */
	enum escape escape;
};

static const struct wrapping_kind wrapping_kinds[] = {
	{"tab", "", "", "\t", "\n", NULL, AS_IS},
	{"spaces", "", "", "      ", "\n", NULL, AS_IS},
	{"mail", "", "", "> ", "\n", NULL, AS_IS},
	{"mail of a mail", "", "", "> > > ", "\n", NULL, AS_IS},
	{"CRLF in a mail", "", "", "> ", "\r\n", NULL, AS_IS},
	{"quoted-printable", "", "", "> ", "\n", NULL, PRINTABLE},
	{"fence in a list", "  ```\n", "  ```\n", "  ", "\n", NULL, AS_IS},
	{"journald", "", "", "Apr 01 10:41:53 host prog[104]: ", "\n", NULL, AS_IS},
	{"dmesg", "", "", "[   12.345678] prog: ", "\n", NULL, AS_IS},
	{"compose", "", "", "agent-1  | ", "\n", NULL, AS_IS},
	{"Kubernetes", "", "", "2024-01-01T10:11:12.123456789Z stderr F ", "\n", NULL, AS_IS},
	{"time", "", "", "2024/01/01 10:11:12 ", "\n", NULL, AS_IS},
	{"logrus for people", "", "", "ERRO[0045] ", "\n", NULL, AS_IS},
	{"colon", "", "", ":", "\n", NULL, AS_IS},
	{"logrus", "", "", "time=\"2024-01-01\" level=warning msg=\"", "\" subsys=loader\n", NULL,
	 BACKSLASH},
	{"JSON lines", "", "", "{\"log\":\"", "\\n\",\"stream\":\"stderr\"}\n", NULL, BACKSLASH},
	{"colours", "", "", "\033[33mWARN\033[0m ", "\033[0m\n", NULL, AS_IS},
	{"JSON string", "{\"error\":\"load program: ", "\"}\n", NULL, NULL, "\\n", BACKSLASH},
	{"Go %q", "error: \"load program: ", "\" (errno 13)\n", NULL, NULL, "\\n", BACKSLASH},
	{"Rust", "Error: VerifierError { log: \"", "\" }\n", NULL, NULL, "\\n", RUST},
	{"rsyslog", "failed: permission denied: ", "\n", NULL, NULL, "#012", OCTAL},
};
#define N_WRAPPINGS (sizeof(wrapping_kinds) / sizeof(wrapping_kinds[0]))

static inline void wrap_bytes(struct kt_buf *out, struct kt_text text, enum escape escape)
{
	size_t column = 0;

	for (size_t i = 0; i < text.len; i++, column++) {
		char c = text.data[i];

		if ((escape == BACKSLASH || escape == RUST) && (c == '"' || c == '\\')) {
			kt_buf_printf(out, "\\%c", c);
		} else if ((escape == BACKSLASH || escape == RUST) && c == '\t') {
			kt_buf_appends(out, "\\t");
		} else if ((escape == BACKSLASH || escape == RUST) && c == '\r') {
			kt_buf_appends(out, "\\r");
		} else if (escape == OCTAL && c == '\r') {
			kt_buf_appends(out, "#015");
		} else if (escape == BACKSLASH && c == '>') {
			kt_buf_appends(out, "\\u003e");
		} else if (escape == RUST && c == '\'') {
			kt_buf_appends(out, "\\'");
		} else if (escape == OCTAL && c == '\t') {
			kt_buf_appends(out, "#011");
		} else if (escape == PRINTABLE && c == '=') {
			kt_buf_appends(out, "=3D");
		} else {
			kt_buf_appendc(out, c);
		}
		if (escape == PRINTABLE && column % 60 == 59)
			kt_buf_appends(out, "=\n");
	}
}

/* Each line gets its wrapping; a log that is one line afterwards begins and ends in that. */
static inline void wrap_log(struct kt_buf *out, struct kt_text log,
			    const struct wrapping_kind *kind)
{
	struct kt_text line;

	kt_buf_appends(out, kind->head);
	while (kt_text_next_line(&log, &line)) {
		kt_buf_appends(out, kind->before ? kind->before : "");
		wrap_bytes(out, line, kind->escape);
		kt_buf_appends(out, kind->before ? kind->behind : kind->newline);
	}
	kt_buf_appends(out, kind->tail);
}

#endif
