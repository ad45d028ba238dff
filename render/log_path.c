// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/log_path.h"

#include <stdlib.h>

#include "logparse/collapse.h"
#include "logparse/trace.h"
#include "util/cleanup.h"
#include "util/vec.h"

#define INDENT "    "
/* A cut is a line itself, and has to save more than this many. */
#define FEW_LINES 2

struct lines {
	KT_VEC(struct kt_text) all;
	struct kt_text source; /* the source line in force, as it was shown */
};

static void lines_deinit(struct lines *lines)
{
	kt_vec_free(&lines->all);
}

static bool contains(struct kt_text text, const char *what)
{
	return text.len && memmem(text.data, text.len, what, strlen(what));
}

/* The marks of logparse/collapse.h. */
static bool is_mark(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("--- "));
}

static bool opens(struct kt_text line)
{
	return is_mark(line) && contains(line, "x of the following ");
}

static bool closes(struct kt_text line)
{
	return is_mark(line) && contains(line, "--- end repeat ---");
}

/*
 * Whether a line is the source line that was shown last. Up to 6.1 the verifier prints it again for
 * each of its instructions. After a mark or a branch it is shown again.
 */
static bool is_repeated(struct lines *lines, const struct kt_event *ev, struct kt_text line)
{
	if (ev->kind == KT_EVENT_SOURCE) {
		if (lines->source.data && kt_text_equals(lines->source, line))
			return true;
		lines->source = line;
	} else if (ev->kind == KT_EVENT_POP || ev->resumed || is_mark(line)) {
		lines->source = (struct kt_text){0};
	}
	return false;
}

/* Collects the lines of a collapsed path that are worth showing. */
static bool gather(struct lines *lines, struct kt_text text)
{
	struct kt_trace trace;
	struct kt_event ev;
	struct kt_text line;

	kt_trace_init(&trace, text);
	while (kt_trace_next(&trace, &ev)) {
		if (ev.kind == KT_EVENT_PRECISION)
			continue;
		while (kt_text_next_line(&ev.text, &line)) {
			if (!line.len || is_repeated(lines, &ev, line) ||
			    (is_mark(line) && contains(line, " of precision tracking omitted")))
				continue;
			if (!kt_vec_push(&lines->all, line))
				return false;
		}
	}
	return true;
}

static void append_line(struct kt_buf *out, struct kt_text line)
{
	kt_buf_appends(out, INDENT);
	kt_buf_append(out, line.data, line.len);
	kt_buf_appendc(out, '\n');
}

/*
 * Appends, in place of the lines from begin to end: how many there are, the ends of repeats that
 * begin before them, and the beginnings of repeats that end after them.
 */
static struct kt_error *append_gap(const struct lines *lines, size_t begin, size_t end,
				   struct kt_buf *out)
{
	static const struct kt_text close = KT_TEXT("--- end repeat ---");
	struct kt_text *open = calloc(end - begin, sizeof(*open));
	size_t n = 0;

	if (!open)
		return kt_error_no_memory();
	kt_buf_printf(out, INDENT "... %zu lines of the path are not shown ...\n", end - begin);
	for (size_t i = begin; i < end; i++) {
		if (opens(lines->all.data[i]))
			open[n++] = lines->all.data[i];
		else if (closes(lines->all.data[i]) && n)
			n--;
		else if (closes(lines->all.data[i]))
			append_line(out, close);
	}
	for (size_t i = 0; i < n; i++)
		append_line(out, open[i]);
	free(open);
	return NULL;
}

static struct kt_error *append_lines(const struct lines *lines, size_t head, size_t max,
				     struct kt_buf *out)
{
	size_t n = lines->all.len, begin = n, end = n;
	struct kt_error *err = NULL;

	if (n > max + FEW_LINES) {
		begin = head;
		end = n - (max - head);
	}
	for (size_t i = 0; i < begin; i++)
		append_line(out, lines->all.data[i]);
	if (end > begin)
		err = append_gap(lines, begin, end, out);
	for (size_t i = end; i < n; i++)
		append_line(out, lines->all.data[i]);
	return err;
}

struct kt_error *render_log_path(struct kt_text path, size_t head, size_t max, struct kt_buf *out)
{
	_cleanup_(lines_deinit) struct lines lines = {0};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err;
	size_t len;

	err = kt_collapse_cycles(path, NULL, &text, &len);
	if (err)
		return err;
	if (!gather(&lines, (struct kt_text){text, len}))
		return kt_error_no_memory();
	return append_lines(&lines, head, max, out);
}
