// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/role.h"
#include "logparse/line.h"

static bool has(struct kt_text line, struct kt_text words)
{
	return line.len >= words.len && memmem(line.data, line.len, words.data, words.len);
}

/* The last line of a log that has its end. */
static bool is_end(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("processed "));
}

/* The statistics, which are the last lines of a log; logparse/stats.h quotes them. */
static bool is_stats(struct kt_text line)
{
	return (kt_text_starts_with(line, KT_TEXT("subprog ")) &&
		has(line, KT_TEXT(" insns_self "))) || /* 7.3 */
	       is_end(line) ||
	       kt_text_starts_with(line, KT_TEXT("verification time ")) ||
	       kt_text_starts_with(line, KT_TEXT("stack depth ")) ||
	       kt_text_starts_with(line, KT_TEXT("insns processed "));
}

static bool is_mark(struct kt_text line)
{
	return line.len >= 8 && memcmp(line.data, "--- ", 4) == 0 &&
	       memcmp(line.data + line.len - 4, " ---", 4) == 0;
}

/*
 * An error that stands behind an instruction:
 *	8: (ad) if r3 < r2 goto pc-3 BPF program is too large. Processed 1000001 insn
 */
static bool has_error(struct kt_text line)
{
	return has(line, KT_TEXT(" BPF program is too large. "));
}

/* The first line of Linux 7.3's explanation: "Verification failed: CLASS: HEADLINE". */
static bool is_explained_error(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("Verification failed: "));
}

/*
 * The other lines of that explanation: its headings ("Reason:", "At:"), and the place that it
 * points to: "  >>> 53 |   v[i] = 1;", "|  ^-- error: …".
 */
static enum kt_line_role explanation_role(struct kt_text line)
{
	if (line.len && line.data[0] != ' ' && line.data[line.len - 1] == ':')
		return KT_ROLE_HEADING;
	if (has(line, KT_TEXT("^-- error: ")))
		return KT_ROLE_ERROR;
	return kt_text_starts_with(line, KT_TEXT("  >>> ")) ? KT_ROLE_HEADING : KT_ROLE_PLAIN;
}

static enum kt_line_role kind_role(enum kt_line_kind kind)
{
	switch (kind) {
	case KT_LINE_SOURCE: return KT_ROLE_SOURCE;
	case KT_LINE_PRECISION:
	case KT_LINE_TABLE:
	case KT_LINE_NOTE: return KT_ROLE_ASIDE;
	default: return KT_ROLE_PLAIN;
	}
}

/* A kind of line that no other text has by chance. */
static bool is_trace(enum kt_line_kind kind)
{
	return kind == KT_LINE_INSN || kind == KT_LINE_STATE || kind == KT_LINE_POP ||
	       kind == KT_LINE_SAFE || kind == KT_LINE_PRECISION;
}

void kt_roles_init(struct kt_roles *roles, bool bare)
{
	*roles = (struct kt_roles){.bare = bare, .in_log = bare};
}

/* Text that ends the log is the error, if this is a log at all. */
enum kt_line_role kt_roles_end(const struct kt_roles *roles)
{
	return roles->in_log && roles->seen_log ? KT_ROLE_ERROR : KT_ROLE_PLAIN;
}

static struct kt_role decided(enum kt_line_role before, enum kt_line_role role)
{
	return (struct kt_role){.before = before, .role = role};
}

/* Of a line within a log. */
static struct kt_role log_role(struct kt_roles *r, struct kt_text line, bool last)
{
	struct kt_line read;

	if (is_stats(line)) {
		r->explaining = false;
		/* What follows is a loader's, "Caused by:", or the next log's. */
		r->seen_log &= !is_end(line);
		return decided(KT_ROLE_ERROR, KT_ROLE_HEADING);
	}
	if (is_explained_error(line)) {
		r->explaining = true;
		return decided(KT_ROLE_ERROR, KT_ROLE_ERROR);
	}
	if (r->explaining)
		return decided(KT_ROLE_ERROR, explanation_role(line));
	kt_line_read(line, &read);
	if (!last && (read.kind == KT_LINE_TEXT || (read.kind == KT_LINE_BLANK && r->undecided)))
		return (struct kt_role){.undecided = true};
	/* A log that was cut off, or its error. */
	if (read.kind == KT_LINE_TEXT)
		return decided(kt_roles_end(r), kt_roles_end(r));
	r->seen_log |= is_trace(read.kind);
	return decided(KT_ROLE_PLAIN, has_error(line) ? KT_ROLE_ERROR : kind_role(read.kind));
}

struct kt_role kt_roles_next(struct kt_roles *r, struct kt_text line, bool last)
{
	struct kt_role role;

	if (is_mark(line)) {
		role = decided(KT_ROLE_PLAIN, KT_ROLE_MARK);
	} else if (!r->bare && has(line, KT_TEXT(" LOG --"))) {
		role = decided(kt_roles_end(r), KT_ROLE_PLAIN);
		r->in_log = r->seen_log = has(line, KT_TEXT("-- BEGIN "));
		r->explaining = false;
	} else if (!r->in_log) {
		role = decided(KT_ROLE_PLAIN, KT_ROLE_PLAIN);
	} else {
		role = log_role(r, line, last);
	}
	r->undecided = role.undecided;
	return role;
}

enum kt_line_role kt_roles_next_part(struct kt_roles *r, struct kt_text part)
{
	struct kt_line read;

	r->undecided = false;
	kt_line_read(part, &read);
	return r->in_log ? kind_role(read.kind) : KT_ROLE_PLAIN;
}

enum kt_line_role kt_last_line_role(struct kt_text line, bool first)
{
	struct kt_text rest = line;

	while (rest.len && rest.data[0] == ' ') {
		rest.data++;
		rest.len--;
	}
	if (first || is_stats(rest))
		return KT_ROLE_HEADING;
	if (kt_text_starts_with(rest, KT_TEXT("; ")))
		return KT_ROLE_SOURCE;
	if (is_explained_error(line))
		return KT_ROLE_ERROR;
	return is_mark(rest) ? KT_ROLE_MARK : explanation_role(line);
}
