// SPDX-License-Identifier: LGPL-2.1-or-later
/* What `check` found: what becomes of each program; as CSV and JSON. The text is in check_text.c.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check.h"
#include "model/json.h"
#include "model/json_put.h"
#include "render/grid.h"
#include "util/cleanup.h"

/* --- what becomes of a program --- */

const struct preflight_report *check_report(const struct check *check, size_t kernel, size_t object)
{
	return &check->kernels.data[kernel].result.reports.data[object];
}

/* The names are the same on all kernels. */
static const struct preflight_program *program_of(const struct check *check, size_t object,
						  size_t program)
{
	const struct preflight_report *r = check->kernels.len ? check_report(check, 0, object)
							      : NULL;

	return r && program < r->programs.len ? &r->programs.data[program] : NULL;
}

size_t check_programs(const struct check *check, size_t object)
{
	size_t n = check->kernels.len ? check_report(check, 0, object)->programs.len : 0;

	return n ? n : 1;
}

size_t check_rows(const struct check *check)
{
	size_t n = 0;

	for (size_t i = 0; i < check->objects.len; i++)
		n += check_programs(check, i);
	return n;
}

const char *check_program_name(const struct check *check, size_t object, size_t program)
{
	const struct preflight_program *p = program_of(check, object, program);

	return p ? p->name : "";
}

const char *check_program_section(const struct check *check, size_t object, size_t program)
{
	const struct preflight_program *p = program_of(check, object, program);

	return p ? p->section : "";
}

/* The first one that is about modules, else the first of all. */
static const struct preflight_finding *any_finding(const struct preflight_report *report,
						   size_t program)
{
	const struct preflight_finding *first = NULL;

	kt_vec_for_each (&report->findings, f) {
		if (f->program != program && f->program != PREFLIGHT_ALL)
			continue;
		if (f->module)
			return f;
		first = first ? first : f;
	}
	return first;
}

enum check_verdict check_verdict(const struct check *check, size_t kernel, size_t object,
				 size_t program, const struct preflight_finding **ret)
{
	const struct preflight_report *report = check_report(check, kernel, object);
	const struct preflight_program *p = program_of(check, object, program);
	const struct preflight_finding *f = preflight_failure(report, program), *may = NULL;
	bool off = p && p->off;

	if (!f && !off)
		may = any_finding(report, program);
	if (ret)
		*ret = off ? NULL : f ? f : may;
	if (off)
		return CHECK_OFF;
	return f ? CHECK_FAILS : may ? CHECK_MAY_FAIL : CHECK_OK;
}

const char *check_verdict_name(enum check_verdict verdict)
{
	static const char *const names[] = {
		[CHECK_OK] = "ok",
		[CHECK_FAILS] = "fails",
		[CHECK_MAY_FAIL] = "may_fail",
		[CHECK_OFF] = "off",
	};

	return names[verdict];
}

/* --- CSV: a line for each program and kernel --- */

struct line {
	const char *file, *program, *section, *kernel, *verdict, *class, *reason;
};

/* clang-format off */
static const struct render_column csv_columns[] = {
	{"file", NULL, "FILE", &render_as_text, RENDER_STRING(struct line, file)},
	{"program", NULL, "PROGRAM", &render_as_text, RENDER_STRING(struct line, program)},
	{"section", NULL, "SECTION", &render_as_text, RENDER_STRING(struct line, section)},
	{"kernel", NULL, "KERNEL", &render_as_text, RENDER_STRING(struct line, kernel)},
	{"verdict", NULL, "VERDICT", &render_as_text, RENDER_STRING(struct line, verdict)},
	{"class", NULL, "CLASS", &render_as_text, RENDER_STRING(struct line, class)},
	{"reason", NULL, "REASON", &render_as_text, RENDER_STRING(struct line, reason)},
};
/* clang-format on */

static struct line line_of(const struct check *check, size_t kernel, size_t object, size_t program)
{
	const struct preflight_finding *f;
	enum check_verdict verdict = check_verdict(check, kernel, object, program, &f);

	return (struct line){
		.file = check->objects.data[object].name,
		.program = check_program_name(check, object, program),
		.section = check_program_section(check, object, program),
		.kernel = check->kernels.data[kernel].name,
		.verdict = check_verdict_name(verdict),
		.class = f ? kt_load_class_name(f->class) : NULL,
		.reason = f ? f->what : NULL,
	};
}

struct kt_error *check_render_csv(const struct check *check, char **ret)
{
	size_t n = check_rows(check) * check->kernels.len, at = 0;
	_cleanup_free_ struct line *lines = calloc(n ? n : 1, sizeof(*lines));
	struct render_grid grid = RENDER_GRID(csv_columns, lines, n);
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err = lines ? NULL : kt_error_no_memory();

	for (size_t k = 0; k < check->kernels.len && lines; k++)
		for (size_t i = 0; i < check->objects.len; i++)
			for (size_t p = 0; p < check_programs(check, i); p++)
				lines[at++] = line_of(check, k, i, p);
	if (!err)
		err = render_grid_csv(&grid, &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}

/* --- JSON --- */

static json_t *json_kernel(const struct check_kernel *kernel)
{
	const char *release = kernel->result.release;
	json_t *json = json_object();

	json_object_set_new(json, "name", kt_json_text(kernel->name));
	json_object_set_new(json, "release", *release ? kt_json_text(release) : json_null());
	json_object_set_new(json, "file", kt_json_text(kernel->file));
	json_object_set_new(json, "btf", json_boolean(kernel->result.has_btf));
	json_object_set_new(json, "symbols", json_boolean(kernel->result.has_symbols));
	json_object_set_new(json, "modules",
			    kernel->result.asked_modules
				    ? json_boolean(!*kernel->result.why_not_modules)
				    : json_null());
	return json;
}

static json_t *json_program(const struct check *check, size_t kernel, size_t object, size_t program)
{
	struct line line = line_of(check, kernel, object, program);
	json_t *json = json_object();

	json_object_set_new(json, "object", kt_json_text(check->objects.data[object].path));
	json_object_set_new(json, "name", kt_json_text(line.program));
	json_object_set_new(json, "section", kt_json_text(line.section));
	json_object_set_new(json, "kernel", kt_json_text(line.kernel));
	json_object_set_new(json, "verdict", json_string(line.verdict));
	json_object_set_new(json, "class", line.class ? json_string(line.class) : json_null());
	return json;
}

static json_t *json_finding(const struct check *check, size_t kernel, size_t object,
			    const struct preflight_finding *f)
{
	json_t *json = json_object();

	json_object_set_new(json, "object", kt_json_text(check->objects.data[object].path));
	json_object_set_new(json, "program",
			    f->program == PREFLIGHT_ALL
				    ? json_null()
				    : kt_json_text(check_program_name(check, object, f->program)));
	json_object_set_new(json, "kernel", kt_json_text(check->kernels.data[kernel].name));
	json_object_set_new(json, "class", json_string(kt_load_class_name(f->class)));
	json_object_set_new(json, "sure", json_boolean(f->sure));
	json_object_set_new(json, "module", json_boolean(f->module));
	json_object_set_new(json, "what", kt_json_text(f->what));
	json_object_set_new(json, "try", kt_json_text(f->try));
	return json;
}

struct kt_error *check_render_json(const struct check *check, char **ret)
{
	json_t *root = json_object(), *kernels = json_array(), *programs = json_array();
	json_t *findings = json_array();

	for (size_t k = 0; k < check->kernels.len; k++) {
		json_array_append_new(kernels, json_kernel(&check->kernels.data[k]));
		for (size_t i = 0; i < check->objects.len; i++) {
			for (size_t p = 0; p < check_programs(check, i); p++)
				json_array_append_new(programs, json_program(check, k, i, p));
			kt_vec_for_each (&check_report(check, k, i)->findings, f)
				json_array_append_new(findings, json_finding(check, k, i, f));
		}
	}
	json_object_set_new(root, "schema", json_string("ktstr-gdb.check.v1"));
	json_object_set_new(root, "kernels", kernels);
	json_object_set_new(root, "programs", programs);
	json_object_set_new(root, "findings", findings);
	return kt_json_dump(root, ret);
}
