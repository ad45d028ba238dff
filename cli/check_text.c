// SPDX-License-Identifier: LGPL-2.1-or-later
/* What `check` found, for people: tables of programs and kernels, then each finding once. */
#include <stdlib.h>
#include <string.h>

#include "cli/check.h"
#include "render/grid.h"
#include "render/text.h"
#include "util/cleanup.h"

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

/* What only may fail is shown if it is asked for, or needs a module. */
static bool is_shown(const struct check *check, const struct preflight_finding *f)
{
	return f->sure || f->module || check->may_fail;
}

static void fill_cell(const struct check *check, size_t kernel, size_t object, size_t program,
		      struct row *row, size_t at)
{
	const struct preflight_finding *f;
	enum check_verdict verdict = check_verdict(check, kernel, object, program, &f);
	bool shown = f && is_shown(check, f);
	const char *mark = verdict == CHECK_FAILS ? "\xe2\x9c\x97" : "?";

	row->cells[at].verdict = verdict;
	snprintf(row->cells[at].text, sizeof(row->cells[at].text), "%s%s%s", shown ? mark : "ok",
		 shown ? " " : "", shown ? kt_load_class_name(f->class) : "");
}

/* The kernels from..from + n as one table. */
static struct kt_error *append_table(const struct check *check, size_t from, size_t n, size_t width,
				     bool color, struct kt_buf *out)
{
	size_t n_rows = check_rows(check), at = 0;
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
	kt_vec_for_each (&check_report(check, kernel, object)->findings, own)
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
			   const struct preflight_finding *f, size_t width, struct kt_buf *out)
{
	_cleanup_(kt_buf_deinit) struct kt_buf where = KT_BUF_INIT, line = KT_BUF_INIT;

	if (!is_shown(check, f) || !append_where(check, kernel, object, f, &where))
		return;
	render_append_visible(&line, check->objects.data[object].name, false);
	if (f->program != PREFLIGHT_ALL) {
		kt_buf_appendc(&line, ':');
		render_append_visible(&line, check_program_name(check, object, f->program), false);
	}
	kt_buf_printf(&line, " on %s: %s", where.data ? where.data : "",
		      f->sure ? "" : "may fail: ");
	render_append_visible(&line, f->what, false);
	kt_buf_printf(&line, " [%s]", kt_load_class_name(f->class));
	render_append_wrapped(out, line.data ? line.data : "", width, "    ");
	kt_buf_appends(out, "\n");
	if (!f->try)
		return;
	line.len = 0;
	kt_buf_appends(&line, "  ");
	render_append_visible(&line, f->try, false);
	render_append_wrapped(out, line.data ? line.data : "", width, "    ");
	kt_buf_appends(out, "\n");
	out->failed |= line.failed || where.failed;
}

static void append_count(const struct check *check, struct kt_buf *out)
{
	size_t all = 0, fail = 0, may = 0, hidden = 0;

	for (size_t k = 0; k < check->kernels.len; k++) {
		for (size_t i = 0; i < check->objects.len; i++) {
			for (size_t p = 0; p < check_programs(check, i); p++) {
				const struct preflight_finding *f;
				enum check_verdict v = check_verdict(check, k, i, p, &f);

				all += v != CHECK_OFF;
				fail += v == CHECK_FAILS;
				may += v == CHECK_MAY_FAIL;
				hidden += v == CHECK_MAY_FAIL && !is_shown(check, f);
			}
		}
	}
	kt_buf_printf(out, "%zu of %zu will fail", fail, all);
	if (may)
		kt_buf_printf(out, ", %zu may fail%s", may,
			      hidden ? " (--may-fail says of what)" : "");
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
			kt_vec_for_each (&check_report(check, k, i)->findings, f)
				append_finding(check, k, i, f, width ? width : DEFAULT_WIDTH, &out);
	if (out.len > table + 1)
		kt_buf_appends(&out, "\n");
	append_count(check, &out);
	return kt_buf_finish(&out, ret);
}
