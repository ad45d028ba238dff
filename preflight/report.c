// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/report.h"

#include <string.h>

#include "util/cursor.h"

/* Of one report: programs, findings. */
#define MAX_ROWS 100000

void preflight_report_deinit(struct preflight_report *report)
{
	kt_vec_for_each (&report->programs, program) {
		free(program->name);
		free(program->section);
	}
	kt_vec_for_each (&report->findings, finding) {
		free(finding->what);
		free(finding->try);
	}
	kt_vec_free(&report->programs);
	kt_vec_free(&report->findings);
}

struct kt_error *preflight_add(struct preflight_report *report, struct preflight_finding finding)
{
	if (finding.what && kt_vec_push(&report->findings, finding))
		return NULL;
	free(finding.what);
	free(finding.try);
	return kt_error_no_memory();
}

const struct preflight_finding *preflight_failure(const struct preflight_report *report, size_t i)
{
	const struct preflight_finding *of_all = NULL;

	kt_vec_for_each (&report->findings, finding) {
		if (!finding->sure)
			continue;
		if (finding->program == i)
			return finding;
		if (finding->program == PREFLIGHT_ALL && !of_all)
			of_all = finding;
	}
	return of_all;
}

void preflight_pack(const struct preflight_report *report, struct kt_buf *out)
{
	kt_buf_append_le(out, report->programs.len, 4);
	kt_vec_for_each (&report->programs, program) {
		kt_buf_appendz(out, program->name);
		kt_buf_appendz(out, program->section);
		kt_buf_append_le(out, program->off, 1);
	}
	kt_buf_append_le(out, report->findings.len, 4);
	kt_vec_for_each (&report->findings, finding) {
		kt_buf_append_le(out, finding->class, 1);
		kt_buf_append_le(out, finding->sure, 1);
		kt_buf_append_le(out, finding->module, 1);
		kt_buf_append_le(out, finding->program, 4);
		kt_buf_appendz(out, finding->what);
		kt_buf_appendz(out, finding->try ? finding->try : "");
	}
}

static char *copy(const char *s)
{
	return s ? strdup(s) : NULL;
}

static bool unpack_program(struct kt_cursor *from, struct preflight_report *ret)
{
	struct preflight_program program = {0};

	program.name = copy(kt_cursor_string(from));
	program.section = copy(kt_cursor_string(from));
	program.off = kt_cursor_u8(from) != 0;
	if (program.name && program.section && !from->failed &&
	    kt_vec_push(&ret->programs, program))
		return true;
	free(program.name);
	free(program.section);
	return false;
}

static bool unpack_finding(struct kt_cursor *from, struct preflight_report *ret)
{
	struct preflight_finding finding = {0};
	const char *what, *try;

	finding.class = kt_cursor_u8(from);
	finding.sure = kt_cursor_u8(from) != 0;
	finding.module = kt_cursor_u8(from) != 0;
	finding.program = kt_cursor_u32(from);
	what = kt_cursor_string(from);
	try = kt_cursor_string(from);
	if (from->failed || !kt_load_class_name(finding.class) ||
	    (finding.program != PREFLIGHT_ALL && finding.program >= ret->programs.len))
		return false;
	finding.what = copy(what);
	finding.try = *try ? copy(try) : NULL;
	if (*try && !finding.try) {
		free(finding.what);
		return false;
	}
	return !preflight_add(ret, finding);
}

struct kt_error *preflight_unpack(struct kt_cursor *from, struct preflight_report *ret)
{
	uint32_t n = kt_cursor_u32(from);
	bool ok = n <= MAX_ROWS;

	*ret = (struct preflight_report){0};
	for (; ok && n; n--)
		ok = unpack_program(from, ret);
	n = ok ? kt_cursor_u32(from) : 0;
	ok = ok && n <= MAX_ROWS && !from->failed;
	for (; ok && n; n--)
		ok = unpack_finding(from, ret);
	return ok ? NULL : kt_error_new(KT_ERROR_PROTOCOL, "what a preflight tells makes no sense");
}
