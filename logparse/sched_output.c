// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "logparse/sched_output.h"

static const struct kt_text start_marker = {SCHED_OUTPUT_START, sizeof(SCHED_OUTPUT_START) - 1};
static const struct kt_text end_marker = {SCHED_OUTPUT_END, sizeof(SCHED_OUTPUT_END) - 1};

static const char *find(struct kt_text text, struct kt_text what)
{
	return text.len ? memmem(text.data, text.len, what.data, what.len) : NULL;
}

/* The text from p on, which points into it or to its end. */
static struct kt_text text_from(struct kt_text text, const char *p)
{
	return (struct kt_text){p, text.len - (size_t)(p - text.data)};
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* False when nothing but white space is there. */
static bool trim(struct kt_text text, struct kt_text *ret)
{
	while (text.len && is_space(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len && is_space(text.data[text.len - 1]))
		text.len--;
	if (text.len)
		*ret = text;
	return text.len > 0;
}

/* The text behind the first START. */
static bool after_start(struct kt_text text, struct kt_text *ret)
{
	const char *start = find(text, start_marker);

	if (start)
		*ret = text_from(text, start + start_marker.len);
	return start != NULL;
}

bool kt_parse_sched_output(struct kt_text text, struct kt_text *ret)
{
	const char *last = NULL;
	struct kt_text body;

	if (!after_start(text, &body))
		return false;
	/* Two markers can share their "===", so the search goes on right behind the first byte. */
	for (const char *p = find(body, end_marker); p;
	     p = find(text_from(body, p + 1), end_marker))
		last = p;
	if (!last)
		return false;
	body.len = (size_t)(last - body.data);
	return trim(body, ret);
}

bool kt_parse_sched_output_partial(struct kt_text text, struct kt_text *ret)
{
	struct kt_text body;

	return after_start(text, &body) && trim(body, ret);
}
