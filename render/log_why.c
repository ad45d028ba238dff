// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/log_why.h"

#include <stdint.h>

/* Steps of a causal path that are shown. A cut is a line, too, and has to replace two or more. */
#define FIRST_STEPS 1
#define LAST_STEPS  3
#define MAX_STEPS   (FIRST_STEPS + LAST_STEPS + 1)

static bool is_heading(struct kt_text line)
{
	return line.len && line.data[0] >= 'A' && line.data[0] <= 'Z';
}

/*
 * Takes a step, with the blank lines after it, off the front. The next step begins after a blank
 * line:
 *	  bad_oob37 @ bad.bpf.c:16:7
 *	  Source context:
 *	      14 | ...
 */
static struct kt_text take_step(struct kt_text *rest)
{
	struct kt_text step = {rest->data, 0}, line, behind = *rest;
	bool blank = false;

	while (kt_text_next_line(&behind, &line)) {
		if (blank && line.len)
			break;
		blank = !line.len;
		step.len = (size_t)(behind.data - step.data);
	}
	rest->data += step.len;
	rest->len -= step.len;
	return step;
}

static void append_steps(struct kt_buf *out, struct kt_text steps)
{
	struct kt_text rest = steps, step;
	size_t n = 0, i = 0;

	for (; rest.len; n++)
		take_step(&rest);
	for (; steps.len; i++) {
		step = take_step(&steps);
		if (n <= MAX_STEPS || i < FIRST_STEPS || i >= n - LAST_STEPS)
			kt_buf_append(out, step.data, step.len);
		else if (i == FIRST_STEPS)
			kt_buf_printf(out,
				      "  ... %zu steps of the causal path are not shown ...\n\n",
				      n - FIRST_STEPS - LAST_STEPS);
	}
}

void render_log_why(struct kt_text explanation, struct kt_buf *out)
{
	struct kt_text rest = explanation, steps, line;

	while (kt_text_next_line(&rest, &line)) {
		kt_buf_append(out, line.data, line.len);
		kt_buf_appendc(out, '\n');
		if (!kt_text_starts_with(line, KT_TEXT("Causal path:")))
			continue;
		steps = (struct kt_text){rest.data, 0};
		while (rest.len && !is_heading(rest)) {
			kt_text_next_line(&rest, &line);
			steps.len = (size_t)(rest.data - steps.data);
		}
		append_steps(out, steps);
	}
}
