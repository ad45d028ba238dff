// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Problems as gcc prints them, one a line, so that what reads gcc reads them:
 *	a.bpf.c:11:1: error: p: R0 invalid mem access 'map_value_or_null' [null-check]
 *	my.log:10:1: note: insn 7: (61) r0 = *(u32 *)(r0 +0)
 */
#include <string.h>

#include "render/log_format.h"
#include "render/log_problems.h"
#include "render/text.h"
#include "util/cleanup.h"

static void append_place(struct kt_buf *out, const struct render_place *place)
{
	render_append_visible(out, place->file ? place->file : "<stdin>", false);
	kt_buf_printf(out, ":%zu:%zu: ", place->line, place->column);
}

/*
 * Text in one line. Vim's default 'errorformat' looks for a file name in double quotes before it
 * looks for one at the beginning of the line, so text has none.
 */
static void append_text(struct kt_buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			kt_buf_appends(out, "; ");
		else
			kt_buf_appendc(out, *text == '"' ? '\'' : *text);
	}
}

static void append_note(struct kt_buf *out, const struct render_place *place, const char *title,
			const char *text)
{
	append_place(out, place);
	kt_buf_appends(out, "note: ");
	kt_buf_appends(out, title);
	append_text(out, text);
	kt_buf_appendc(out, '\n');
}

static void append_problem(struct kt_buf *out, const struct render_problem *problem)
{
	static const char *const levels[] = {
		[RENDER_PROBLEM_ERROR] = "error: ",
		[RENDER_PROBLEM_WARNING] = "warning: ",
		[RENDER_PROBLEM_NOTE] = "note: ",
	};

	append_place(out, &problem->place);
	kt_buf_appends(out, levels[problem->level]);
	if (problem->program) {
		append_text(out, problem->program);
		kt_buf_appends(out, ": ");
	}
	append_text(out, problem->message);
	kt_buf_printf(out, " [%s]\n", problem->rule);
	kt_vec_for_each (&problem->notes, note)
		append_note(out, &note->place, "", note->text);
	if (problem->reason)
		append_note(out, &problem->place, "Reason: ", problem->reason);
	for (size_t i = 0; i < KT_CATALOG_MAX_REMEDIES && problem->remedies[i]; i++)
		append_note(out, &problem->place, "What to do: ", problem->remedies[i]);
}

struct kt_error *render_log_gcc(const struct render_log_program *programs, size_t n,
				const struct render_log_format_options *options, char **ret)
{
	return render_problems_text(programs, n, options, append_problem, ret);
}
