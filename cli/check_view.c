// SPDX-License-Identifier: LGPL-2.1-or-later
/* What `check` found, as text, CSV and JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check.h"
#include "model/json.h"
#include "model/json_put.h"
#include "render/grid.h"
#include "render/text.h"
#include "util/cleanup.h"

/* --- what becomes of a program --- */

static const struct preflight_report *report_of(const struct check *check, size_t kernel,
						size_t object)
{
	return &check->kernels.data[kernel].result.reports.data[object];
}

/* The names are the same on all kernels. */
static const struct preflight_program *program_of(const struct check *check, size_t object,
						  size_t program)
{
	const struct preflight_report *r = check->kernels.len ? report_of(check, 0, object) : NULL;

	return r && program < r->programs.len ? &r->programs.data[program] : NULL;
}

size_t check_programs(const struct check *check, size_t object)
{
	size_t n = check->kernels.len ? report_of(check, 0, object)->programs.len : 0;

	return n ? n : 1;
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

static const struct preflight_finding *any_finding(const struct preflight_report *report,
						   size_t program)
{
	kt_vec_for_each (&report->findings, f)
		if (f->program == program || f->program == PREFLIGHT_ALL)
			return f;
	return NULL;
}

enum check_verdict check_verdict(const struct check *check, size_t kernel, size_t object,
				 size_t program, const struct preflight_finding **ret)
{
	const struct preflight_report *report = report_of(check, kernel, object);
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

/* --- text --- */

#define KERNELS_MAX (RENDER_SELECTED_MAX - 2)

/* A program, with a cell for each kernel of the table. */
struct row {
	const char *file, *program;
	struct {
		enum check_verdict verdict;
		char text[40];
	} cells[KERNELS_MAX];
};

static struct render_cell get_file(const void *row)
{
	return render_string_cell(((const struct row *)row)->file);
}

static struct render_cell get_program(const void *row)
{
	const char *name = ((const struct row *)row)->program;

	return render_string_cell(*name ? name : NULL);
}

static struct render_cell get_verdict(const void *row, size_t n)
{
	const struct row *r = row;
	struct render_cell cell = render_string_cell(r->cells[n].text);

	cell.known = r->cells[n].verdict != CHECK_OFF;
	if (!cell.known)
		cell.text = (struct kt_text){NULL, 0};
	if (r->cells[n].verdict == CHECK_OK)
		cell.tone = RENDER_TONE_GOOD;
	if (r->cells[n].verdict == CHECK_FAILS)
		cell.tone = RENDER_TONE_BAD;
	return cell;
}

static void fill_cell(const struct check *check, size_t kernel, size_t object, size_t program,
		      struct row *row, size_t at)
{
	const struct preflight_finding *f;
	enum check_verdict verdict = check_verdict(check, kernel, object, program, &f);
	bool shown = verdict == CHECK_FAILS || (check->may_fail && verdict == CHECK_MAY_FAIL);
	const char *mark = verdict == CHECK_FAILS ? "\xe2\x9c\x97" : "?";

	row->cells[at].verdict = verdict;
	snprintf(row->cells[at].text, sizeof(row->cells[at].text), "%s%s%s", shown ? mark : "ok",
		 shown ? " " : "", shown ? kt_load_class_name(f->class) : "");
}

static size_t count_rows(const struct check *check)
{
	size_t n = 0;

	for (size_t i = 0; i < check->objects.len; i++)
		n += check_programs(check, i);
	return n;
}

/* The kernels from..from + n as one table. */
static struct kt_error *append_table(const struct check *check, size_t from, size_t n, size_t width,
				     bool color, struct kt_buf *out)
{
	size_t n_rows = count_rows(check), at = 0;
	_cleanup_free_ struct row *rows = calloc(n_rows, sizeof(*rows));
	struct render_column columns[RENDER_SELECTED_MAX] = {
		{"file", NULL, "FILE", &render_as_text, RENDER_GET(get_file),
		 .flags = RENDER_ALWAYS | RENDER_CUT},
		{"program", NULL, "PROGRAM", &render_as_text, RENDER_GET(get_program),
		 .flags = RENDER_ALWAYS | RENDER_CUT},
	};
	struct render_grid grid = {.columns = columns,
				   .n_columns = n + 2,
				   .rows = rows,
				   .row_size = sizeof(*rows),
				   .n_rows = n_rows};

	if (!rows)
		return kt_error_no_memory();
	for (size_t k = 0; k < n; k++)
		columns[k + 2] = (struct render_column){NULL,
							NULL,
							check->kernels.data[from + k].head,
							&render_as_text,
							RENDER_GET_NTH(get_verdict, k),
							.flags = RENDER_ALWAYS};
	for (size_t i = 0; i < check->objects.len; i++) {
		for (size_t p = 0; p < check_programs(check, i); p++, at++) {
			rows[at].file = check->objects.data[i].name;
			rows[at].program = check_program_name(check, i, p);
			for (size_t k = 0; k < n; k++)
				fill_cell(check, from + k, i, p, &rows[at], k);
		}
	}
	return render_grid_table(&grid, width, color, out);
}

/* Columns that a kernel takes in a table, with the two blanks before it. */
static size_t column_width(const struct check *check, size_t kernel)
{
	size_t widest = strlen(check->kernels.data[kernel].head);

	for (size_t i = 0; i < check->objects.len; i++) {
		for (size_t p = 0; p < check_programs(check, i); p++) {
			const struct preflight_finding *f;
			size_t len;

			check_verdict(check, kernel, i, p, &f);
			len = f ? strlen(kt_load_class_name(f->class)) + 2 : 2;
			widest = len > widest ? len : widest;
		}
	}
	return widest + 2;
}

static size_t names_width(const struct check *check)
{
	size_t file = 4, program = 7;

	for (size_t i = 0; i < check->objects.len; i++) {
		size_t len = strlen(check->objects.data[i].name);

		file = len > file ? len : file;
		for (size_t p = 0; p < check_programs(check, i); p++) {
			len = strlen(check_program_name(check, i, p));
			program = len > program ? len : program;
		}
	}
	return file + 2 + program;
}

/* In a pipe nothing is cut, but kernels come in as many tables. */
#define DEFAULT_WIDTH 80

/* As many kernels side by side as the terminal has room for, and one at least. */
static struct kt_error *append_tables(const struct check *check, size_t width, bool color,
				      struct kt_buf *out)
{
	size_t names = names_width(check), from = 0;
	struct kt_error *err = NULL;

	if (width && names > width / 2)
		names = width / 2; /* they are cut */
	while (from < check->kernels.len && !err) {
		size_t n = 0, used = names;

		while (from + n < check->kernels.len && n < KERNELS_MAX) {
			used += column_width(check, from + n);
			if (used > (width ? width : DEFAULT_WIDTH) && n)
				break;
			n++;
		}
		if (from)
			kt_buf_appends(out, "\n");
		err = append_table(check, from, n, width, color, out);
		from += n;
	}
	return err;
}

static bool is_same(const struct preflight_finding *a, const struct preflight_finding *b)
{
	return a->class == b->class && a->sure == b->sure && a->program == b->program &&
	       !strcmp(a->what, b->what);
}

static bool has_finding(const struct check *check, size_t kernel, size_t object,
			const struct preflight_finding *f)
{
	kt_vec_for_each (&report_of(check, kernel, object)->findings, own)
		if (is_same(own, f))
			return true;
	return false;
}

/*
 * "5.10.0, 6.1.0": the kernels with the finding, or "all kernels". False: one before `kernel` has
 * told it.
 */
static bool append_where(const struct check *check, size_t kernel, size_t object,
			 const struct preflight_finding *f, struct kt_buf *out)
{
	size_t n = 0;

	for (size_t k = 0; k < check->kernels.len; k++) {
		if (!has_finding(check, k, object, f))
			continue;
		if (k < kernel)
			return false;
		kt_buf_appends(out, n++ ? ", " : "");
		render_append_visible(out, check->kernels.data[k].head, false);
	}
	if (n > 1 && n == check->kernels.len && !out->failed) {
		out->len = 0;
		kt_buf_appends(out, "all kernels");
	}
	return true;
}

static void append_finding(const struct check *check, size_t kernel, size_t object,
			   const struct preflight_finding *f, struct kt_buf *out)
{
	_cleanup_(kt_buf_deinit) struct kt_buf where = KT_BUF_INIT;

	if ((!f->sure && !check->may_fail) || !append_where(check, kernel, object, f, &where))
		return;
	render_append_visible(out, check->objects.data[object].name, false);
	if (f->program != PREFLIGHT_ALL) {
		kt_buf_appendc(out, ':');
		render_append_visible(out, check_program_name(check, object, f->program), false);
	}
	kt_buf_printf(out, " on %s: %s", where.data ? where.data : "", f->sure ? "" : "may fail: ");
	render_append_visible(out, f->what, false);
	kt_buf_printf(out, "  [%s]\n", kt_load_class_name(f->class));
	if (!f->try)
		return;
	kt_buf_appends(out, "  ");
	render_append_visible(out, f->try, false);
	kt_buf_appends(out, "\n");
}

static void append_count(const struct check *check, struct kt_buf *out)
{
	size_t all = 0, fail = 0, may = 0;

	for (size_t k = 0; k < check->kernels.len; k++) {
		for (size_t i = 0; i < check->objects.len; i++) {
			for (size_t p = 0; p < check_programs(check, i); p++) {
				enum check_verdict v = check_verdict(check, k, i, p, NULL);

				all += v != CHECK_OFF;
				fail += v == CHECK_FAILS;
				may += v == CHECK_MAY_FAIL;
			}
		}
	}
	kt_buf_printf(out, "%zu of %zu will fail", fail, all);
	if (may)
		kt_buf_printf(out, ", %zu may fail%s", may,
			      check->may_fail ? "" : " (--may-fail says of what)");
	kt_buf_appends(out, "\n");
}

struct kt_error *check_render_text(const struct check *check, size_t width, bool color, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err = append_tables(check, width, color, &out);
	size_t table = out.len;

	if (err) {
		kt_buf_deinit(&out);
		return err;
	}
	kt_buf_appends(&out, "\n");
	for (size_t i = 0; i < check->objects.len; i++)
		for (size_t k = 0; k < check->kernels.len; k++)
			kt_vec_for_each (&report_of(check, k, i)->findings, f)
				append_finding(check, k, i, f, &out);
	if (out.len > table + 1)
		kt_buf_appends(&out, "\n");
	append_count(check, &out);
	return kt_buf_finish(&out, ret);
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
	size_t n = count_rows(check) * check->kernels.len, at = 0;
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
			kt_vec_for_each (&report_of(check, k, i)->findings, f)
				json_array_append_new(findings, json_finding(check, k, i, f));
		}
	}
	json_object_set_new(root, "schema", json_string("ktstr-gdb.check.v1"));
	json_object_set_new(root, "kernels", kernels);
	json_object_set_new(root, "programs", programs);
	json_object_set_new(root, "findings", findings);
	return kt_json_dump(root, ret);
}
