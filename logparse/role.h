/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The role of a line in a verifier log, for who shows it to a person: which lines are the error,
 * the source, the marks of a collapsed log. kt_line_read() looks at a line alone; a role depends on
 * the lines around it: text right before the statistics is the error, other text is not.
 *
 * Internal to the tool; not a public header.
 */
#ifndef KT_LOGPARSE_ROLE_H
#define KT_LOGPARSE_ROLE_H

#include "logparse/text.h"

enum kt_line_role {
	KT_ROLE_PLAIN,
	KT_ROLE_MARK,    /* "--- 8x of the following 10 lines ---" */
	KT_ROLE_SOURCE,  /* "; for (u32 i = 0; i < 100; i++) { @ good.bpf.c:37" */
	KT_ROLE_ASIDE,   /* the verifier's own workings: precision tracking, tables, notes */
	KT_ROLE_HEADING, /* statistics; headings of the explanation that Linux 7.3 gives */
	KT_ROLE_ERROR,
};

/* Where a reader of a log is. All zeros: before a text with libbpf's markers. */
struct kt_roles {
	bool bare; /* the text is one log, without libbpf's markers */

	/* For logparse/role.c alone. */
	bool in_log, seen_log, explaining, undecided;
};

/* bare: the whole text is a log. Else only what is between libbpf's markers is. */
void kt_roles_init(struct kt_roles *roles, bool bare);

struct kt_role {
	/* Only lines that follow can tell the role of this one. */
	bool undecided;
	/* If not: the role of the undecided lines right before this one, and its own. */
	enum kt_line_role before, role;
};

/*
 * The role of the next line, without its newline. last: it ends the text, and has no newline
 * (a log that was cut off ends so).
 */
struct kt_role kt_roles_next(struct kt_roles *roles, struct kt_text line, bool last);

/*
 * The same if only the beginning of a line is there, since the line is very long. Undecided lines
 * before it are plain.
 */
enum kt_line_role kt_roles_next_part(struct kt_roles *roles, struct kt_text part);

/* The text is over: the role of the lines that are still undecided. */
enum kt_line_role kt_roles_end(const struct kt_roles *roles);

/*
 * The role of a line of another text: the one that says what led to the error (`ktstr-gdb log
 * --last`), with source lines, marks, and the kernel's explanation in it. first: the first line
 * that is not empty, which names the program and the error.
 */
enum kt_line_role kt_last_line_role(struct kt_text line, bool first);

#endif
