// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/bounds.h"

#include "logparse/anchor.h"

/* An error has fewer lines; a longer run of text is none. */
#define MAX_ERROR_LINES 64

static bool starts_with_any(struct kt_text line, const char *const *words)
{
	for (; *words; words++)
		if (kt_text_starts_with(line, (struct kt_text){*words, strlen(*words)}))
			return true;
	return false;
}

static bool is_statistics(struct kt_text line)
{
	static const char *const words[] = {"processed ", "verification time ", "stack depth ",
					    "insns processed ", NULL};

	return starts_with_any(line, words) || (kt_text_starts_with(line, KT_TEXT("subprog ")) &&
						memmem(line.data, line.len, " insns_self ", 12));
}

/* The kernel's own explanation (7.3) has loops of its own, which are collapsed. */
static bool is_explanation(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("Verification failed: "));
}

bool log_is_heading(struct kt_text line)
{
	static const char *const words[] = {
		"func#",       "subprog#",       "Live regs before insn:",
		"topo_order[", "stack use/def ", NULL};

	return starts_with_any(line, words);
}

/* A source line stands before its instruction. */
static bool leads_log(const struct kt_line *read, struct kt_text rest)
{
	struct kt_text line;

	return read->kind == KT_LINE_SOURCE && kt_text_next_line(&rest, &line) &&
	       log_is_anchor(line);
}

static bool begins_log(const struct log_bounds *bounds, struct kt_text line,
		       const struct kt_line *read, struct kt_text rest)
{
	if (log_is_anchor(line))
		return true;
	if (bounds->ended)
		return log_is_heading(line) || leads_log(read, rest);
	switch (read->kind) {
	case KT_LINE_BLANK:
	case KT_LINE_TABLE: return false;
	case KT_LINE_STATE: return read->index_len;
	case KT_LINE_TEXT: return log_is_heading(line);
	default: return true;
	}
}

/*
 * Reads on to the end of a run of text. The log ends with it if statistics, the explanation or
 * nothing follow.
 */
static void look_ahead(struct log_bounds *bounds, struct kt_text rest)
{
	struct kt_text line;
	struct kt_line read;

	bounds->last = bounds->whole;
	for (int n = 0; rest.len; n++) {
		bounds->run_end = rest.data;
		bounds->last = false;
		if (n == MAX_ERROR_LINES)
			return;
		kt_text_next_line(&rest, &line);
		kt_line_read(line, &read);
		bounds->last = is_statistics(line) || is_explanation(line);
		if (bounds->last || (read.kind != KT_LINE_TEXT && read.kind != KT_LINE_BLANK &&
				     (read.kind != KT_LINE_STATE || read.index_len)))
			return;
		bounds->last = bounds->whole;
	}
	bounds->run_end = rest.data;
}

static bool is_in_error(struct log_bounds *bounds, struct kt_text line, struct kt_text rest)
{
	if (!bounds->run_end || line.data >= bounds->run_end)
		look_ahead(bounds, rest);
	return bounds->last;
}

/*
 * An error that is glued to an instruction, when the log was taken back to it (level 1):
 *	8: (ad) if r3 < r2 goto pc-3 BPF program is too large. Processed 1000001 insn
 */
static bool has_error(struct kt_text line)
{
	static const char *const words[] = {" BPF program is too large.", " infinite loop detected",
					    " is too complex", NULL};

	for (const char *const *word = words; *word; word++)
		if (memmem(line.data, line.len, *word, strlen(*word)))
			return true;
	return false;
}

bool log_bounds_take(struct log_bounds *bounds, struct kt_text line, const struct kt_line *read,
		     struct kt_text rest)
{
	if (bounds->outside) {
		if (!begins_log(bounds, line, read, rest))
			return true;
		bounds->outside = false;
	}
	if (read->kind == KT_LINE_INSN)
		return has_error(line) && log_bounds_may_end_at(bounds, rest);
	if (read->kind != KT_LINE_TEXT)
		return false;
	if (is_statistics(line)) {
		bounds->ended = bounds->outside = kt_text_starts_with(line, KT_TEXT("processed "));
		return true;
	}
	return is_explanation(line) || is_in_error(bounds, line, rest);
}
