// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Problems as workflow commands of GitHub, which make annotations of them:
 *	::error file=a.bpf.c,line=11,title=p%3A null-check::R0 invalid mem access%0A...
 */
#include <string.h>

#include "render/log_format.h"
#include "render/log_problems.h"
#include "render/text.h"
#include "util/cleanup.h"

/*
 * What a command's text may not have as it is stands as "%0A"; in the value of a property a colon
 * and a comma, too.
 */
static void append_escaped(struct kt_buf *out, const char *text, bool property)
{
	for (; *text; text++) {
		if (strchr("%\r\n", *text) || (property && strchr(":,", *text)))
			kt_buf_printf(out, "%%%02X", (unsigned int)*text);
		else
			kt_buf_appendc(out, *text);
	}
}

static void append_data(struct kt_buf *out, const char *text)
{
	append_escaped(out, text, false);
}

static void append_properties(struct kt_buf *out, const struct render_problem *problem)
{
	const struct render_place *place = &problem->place;

	if (place->file) {
		kt_buf_appends(out, "file=");
		append_escaped(out, place->file, true);
		kt_buf_printf(out, ",line=%zu,", place->line);
		/* Column 1 is that of a log without columns. */
		if (place->column > 1)
			kt_buf_printf(out, "col=%zu,", place->column);
	}
	kt_buf_appends(out, "title=");
	if (problem->program) {
		append_escaped(out, problem->program, true);
		append_escaped(out, ": ", true);
	}
	append_escaped(out, problem->rule, true);
}

/* "a.bpf.c:10: R0=map_value_or_null(id=1), set at insn 6: (85) call bpf_map_lookup_elem#1" */
static void append_note(struct kt_buf *out, const struct render_problem_note *note)
{
	append_data(out, "\n");
	if (note->place.file) {
		append_data(out, note->place.file);
		kt_buf_printf(out, ":%zu: ", note->place.line);
	}
	append_data(out, note->text);
}

static void append_problem(struct kt_buf *out, const struct render_problem *problem)
{
	static const char *const levels[] = {
		[RENDER_PROBLEM_ERROR] = "::error ",
		[RENDER_PROBLEM_WARNING] = "::warning ",
		[RENDER_PROBLEM_NOTE] = "::notice ",
	};

	kt_buf_appends(out, levels[problem->level]);
	append_properties(out, problem);
	kt_buf_appends(out, "::");
	append_data(out, problem->message);
	kt_vec_for_each (&problem->notes, note)
		append_note(out, note);
	if (problem->reason) {
		append_data(out, "\nReason: ");
		append_data(out, problem->reason);
	}
	for (size_t i = 0; i < KT_CATALOG_MAX_REMEDIES && problem->remedies[i]; i++) {
		append_data(out, "\nWhat to do: ");
		append_data(out, problem->remedies[i]);
	}
	kt_buf_appendc(out, '\n');
}

struct kt_error *render_log_github(const struct render_log_program *programs, size_t n,
				   const struct render_log_format_options *options, char **ret)
{
	return render_problems_text(programs, n, options, append_problem, ret);
}
