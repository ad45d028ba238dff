// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/html.h"
#include "render/markup.h"

/* Real logs nest a few levels. The bound is for made-up ones, which a browser could not show. */
#define MAX_DEPTH 32

enum mark {
	MARK_NONE,
	MARK_BEGIN,   /* --- 8x of the following 10 lines --- */
	MARK_END,     /* --- end repeat --- */
	MARK_OMITTED, /* --- 6 identical iterations omitted --- */
};

static bool ends_with(struct kt_text text, struct kt_text suffix)
{
	return text.len >= suffix.len &&
	       memcmp(text.data + text.len - suffix.len, suffix.data, suffix.len) == 0;
}

static bool has(struct kt_text text, struct kt_text part)
{
	return memmem(text.data, text.len, part.data, part.len) != NULL;
}

/* The kind of mark that a line is; *words: the text between its dashes. */
static enum mark mark_of(struct kt_text line, struct kt_text *words)
{
	if (!kt_text_starts_with(line, KT_TEXT("--- ")) || !ends_with(line, KT_TEXT(" ---")) ||
	    line.len < 9)
		return MARK_NONE;
	*words = (struct kt_text){line.data + 4, line.len - 8};
	if (words->len == 10 && kt_text_starts_with(*words, KT_TEXT("end repeat")))
		return MARK_END;
	if (words->data[0] < '0' || words->data[0] > '9')
		return MARK_NONE;
	if (has(*words, KT_TEXT("x of the following ")))
		return MARK_BEGIN;
	return has(*words, KT_TEXT(" omitted")) ? MARK_OMITTED : MARK_NONE;
}

struct state {
	struct kt_buf *out;
	size_t depth;
	bool in_text; /* a <pre> is open */
};

static void end_text(struct state *state)
{
	if (state->in_text)
		kt_buf_appends(state->out, "</pre>\n");
	state->in_text = false;
}

static void put_text(struct state *state, struct kt_text line)
{
	/* HTML ignores a newline after the tag; without it, it would ignore one of the log's. */
	if (!state->in_text)
		kt_buf_appends(state->out, "<pre>\n");
	state->in_text = true;
	render_append_markup_slice(state->out, line, true);
	kt_buf_appendc(state->out, '\n');
}

static void put_line(struct state *state, struct kt_text line)
{
	struct kt_text words;
	enum mark mark = mark_of(line, &words);

	if ((mark == MARK_BEGIN && state->depth == MAX_DEPTH) ||
	    (mark == MARK_END && !state->depth))
		mark = MARK_NONE;
	if (mark == MARK_NONE) {
		put_text(state, line);
		return;
	}
	end_text(state);
	switch (mark) {
	case MARK_BEGIN:
		kt_buf_appends(state->out, "<details><summary>");
		render_append_markup_slice(state->out, words, false);
		kt_buf_appends(state->out, "</summary>\n");
		state->depth++;
		break;
	case MARK_END:
		kt_buf_appends(state->out, "</details>\n");
		state->depth--;
		break;
	default:
		kt_buf_appends(state->out, "<pre class=\"mark\">");
		render_append_markup_slice(state->out, words, false);
		kt_buf_appends(state->out, "</pre>\n");
	}
}

void kt_append_log_html(struct kt_buf *out, struct kt_text log)
{
	struct state state = {.out = out};
	struct kt_text line;

	while (kt_text_next_line(&log, &line)) {
		if (line.len && line.data[line.len - 1] == '\r')
			line.len--;
		put_line(&state, line);
	}
	end_text(&state);
	while (state.depth--)
		kt_buf_appends(out, "</details>\n");
}
