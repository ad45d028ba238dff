// SPDX-License-Identifier: LGPL-2.1-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/diff.h"
#include "render/diff_grid.h"
#include "render/text.h"
#include "util/cleanup.h"

static const struct kt_diff_row *row_of(const void *row)
{
	return row;
}

/* An empty one is not known, either. */
static struct render_cell text_cell(const char *text)
{
	struct render_cell cell = render_string_cell(text);

	cell.known = text && text[0];
	return cell;
}

static struct render_cell get_name(const void *row)
{
	return text_cell(row_of(row)->name);
}

static struct render_cell get_type(const void *row)
{
	return text_cell(row_of(row)->type);
}

static enum render_tone tone_of(const struct kt_diff_row *row)
{
	if (row->status == KT_DIFF_FIXED || row->delta < 0)
		return RENDER_TONE_GOOD;
	return row->b_failed || row->delta > 0 ? RENDER_TONE_BAD : RENDER_TONE_PLAIN;
}

/* A table has this in place of a delta. */
static struct kt_text word_of(const struct kt_diff_row *row)
{
	switch (row->status) {
	case KT_DIFF_ADDED: return row->b_failed ? KT_TEXT("added, failed") : KT_TEXT("added");
	case KT_DIFF_REMOVED: return KT_TEXT("removed");
	case KT_DIFF_FAILED: return KT_TEXT("failed");
	case KT_DIFF_FIXED: return KT_TEXT("fixed");
	case KT_DIFF_FAILED_IN_BOTH: return KT_TEXT("failed in both");
	default: return (struct kt_text){0};
	}
}

static struct render_cell get_delta(const void *row)
{
	const struct kt_diff_row *r = row;

	if (!r->has_delta)
		return (struct render_cell){.text = word_of(r), .tone = tone_of(r)};
	return (struct render_cell){true, .number = (uint64_t)r->delta, .tone = tone_of(r)};
}

static struct render_cell get_delta_pct(const void *row)
{
	const struct kt_diff_row *r = row;

	return (struct render_cell){r->has_delta, .real = r->delta_pct,
				    .tone = r->has_delta ? tone_of(r) : RENDER_TONE_PLAIN};
}

static struct render_cell get_status(const void *row)
{
	return text_cell(kt_diff_status_name(row_of(row)->status));
}

static struct render_cell get_abs_delta(const void *row)
{
	int64_t delta = row_of(row)->delta;
	uint64_t size = delta < 0 ? -(uint64_t)delta : (uint64_t)delta;

	return (struct render_cell){row_of(row)->has_delta, .number = size};
}

static struct render_cell get_abs_delta_pct(const void *row)
{
	return (struct render_cell){row_of(row)->has_delta, .real = fabs(row_of(row)->delta_pct)};
}

enum { COLUMN_TYPE = 1, COLUMN_A, COLUMN_B };

/* clang-format off */
#define KNOWN(member) RENDER_KNOWN(struct kt_diff_row, member)

static const struct render_column columns[] = {
	{"name", "program", "PROGRAM", &render_as_text, RENDER_GET(get_name), .flags = RENDER_ALWAYS | RENDER_CUT, .longest = 48},
	[COLUMN_TYPE] = {"type", NULL, "TYPE", &render_as_text, RENDER_GET(get_type), .flags = RENDER_NOT_IN_TABLE},
	[COLUMN_A] = {"a", NULL, "A", &render_as_number, KNOWN(a), .flags = RENDER_ALWAYS},
	[COLUMN_B] = {"b", NULL, "B", &render_as_number, KNOWN(b), .flags = RENDER_ALWAYS},
	{"delta", NULL, "DELTA", &render_as_signed, RENDER_GET(get_delta), .flags = RENDER_ALWAYS},
	{"delta_pct", "pct", "%", &render_as_percent, RENDER_GET(get_delta_pct), .flags = RENDER_ALWAYS},
	{"status", NULL, "STATUS", &render_as_text, RENDER_GET(get_status), .flags = RENDER_NOT_IN_TABLE},
	{"abs_delta", "|delta|", "", &render_as_number, RENDER_GET(get_abs_delta), .flags = RENDER_ONLY_TO_SORT},
	{"abs_delta_pct", "|delta_pct|", "", &render_as_percent, RENDER_GET(get_abs_delta_pct), .flags = RENDER_ONLY_TO_SORT},
};
/* clang-format on */
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct render_grid render_diff_grid(const struct kt_diff_rows *rows)
{
	return (struct render_grid)RENDER_GRID(columns, rows->all, rows->n);
}

struct kt_error *kt_diff_rows_check_sort(const char *sort)
{
	struct render_grid grid = render_diff_grid(&(struct kt_diff_rows){0});

	return render_grid_check_sort(&grid, sort);
}

struct kt_error *kt_diff_rows_sort(struct kt_diff_rows *rows, const char *sort)
{
	struct render_grid grid = render_diff_grid(rows);

	return render_grid_sort(&grid, sort);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether two programs have the same name. */
static struct kt_error *have_namesakes(const struct kt_diff_rows *rows, bool *ret)
{
	_cleanup_free_ const char **names = calloc(rows->n + 1, sizeof(*names));

	if (!names)
		return kt_error_no_memory();
	for (size_t i = 0; i < rows->n; i++)
		names[i] = rows->all[i].name;
	qsort(names, rows->n, sizeof(*names), compare_names);
	*ret = false;
	for (size_t i = 1; i < rows->n && !*ret; i++)
		*ret = strcmp(names[i - 1], names[i]) == 0;
	return NULL;
}

#define LABEL_MAX 40 /* columns; a file may have a longer name */
#define LABEL_MIN 14
/* What is left of a narrow terminal for both labels, when a program's name and the deltas have
 * room. */
#define BESIDE_LABELS 46

static size_t label_width(size_t width)
{
	size_t room = width > BESIDE_LABELS ? (width - BESIDE_LABELS) / 2 : 0;

	if (!width || room > LABEL_MAX)
		return LABEL_MAX;
	return room < LABEL_MIN ? LABEL_MIN : room;
}

/* The heads of both, which have to differ. */
static void append_labels(const char *label_a, const char *label_b, size_t width, struct kt_buf *a,
			  struct kt_buf *b)
{
	size_t max = label_width(width);

	render_append_fitting(a, label_a && label_a[0] ? label_a : "A", max);
	render_append_fitting(b, label_b && label_b[0] ? label_b : "B", max);
	if (a->data && b->data && strcmp(a->data, b->data) == 0) {
		kt_buf_appends(a, " (A)");
		kt_buf_appends(b, " (B)");
	}
}

static struct kt_error *append_table(struct kt_buf *out, const char *head_a, const char *head_b,
				     const struct kt_diff_rows *rows,
				     const struct kt_diff_options *options)
{
	struct render_column shown[N_COLUMNS];
	struct render_grid grid = render_diff_grid(rows);
	struct kt_error *err;
	bool namesakes;

	err = have_namesakes(rows, &namesakes);
	if (err)
		return err;
	memcpy(shown, columns, sizeof(shown));
	shown[COLUMN_A].head = head_a;
	shown[COLUMN_B].head = head_b;
	if (namesakes)
		shown[COLUMN_TYPE].flags = RENDER_ALWAYS;
	grid.columns = shown;
	return render_grid_table(&grid, options->width, options->color, out);
}

static void append_regressions(struct kt_buf *out, const struct kt_diff_rows *rows, bool color)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct kt_diff_row *row = &rows->all[i];

		if (row->status != KT_DIFF_FAILED)
			continue;
		kt_buf_printf(out, "%sFAILED%s in B, passed in A: ", color ? "\033[1;31m" : "",
			      color ? "\033[0m" : "");
		render_append_visible(out, row->name[0] ? row->name : "(no name)", false);
		kt_buf_appends(out, " (");
		render_append_visible(out, row->type ? row->type : "type unknown", false);
		kt_buf_appends(out, ")\n");
	}
}

struct kt_error *kt_format_diff_rows(const char *label_a, const char *label_b,
				     const struct kt_diff_rows *rows,
				     const struct kt_diff_options *options, char **ret)
{
	struct kt_buf out = KT_BUF_INIT, head_a = KT_BUF_INIT, head_b = KT_BUF_INIT;
	struct kt_error *err = NULL;

	append_labels(label_a, label_b, options->width, &head_a, &head_b);
	if (kt_buf_failed(&head_a) || kt_buf_failed(&head_b))
		err = kt_error_no_memory();
	if (!err)
		err = append_table(&out, head_a.data, head_b.data, rows, options);
	append_regressions(&out, rows, options->color);
	kt_buf_deinit(&head_a);
	kt_buf_deinit(&head_b);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}

struct kt_error *kt_format_verifier_diff(const char *label_a, const struct kt_prog_stats_list *a,
					 const char *label_b, const struct kt_prog_stats_list *b,
					 const struct kt_diff_options *options, char **ret)
{
	static const struct kt_diff_options plain;
	struct kt_diff_rows rows = {0};
	struct kt_b_map *map = NULL;
	struct kt_error *err = kt_build_b_map(b, &map);

	if (!err)
		err = kt_build_diff_rows(a, map, &rows);
	if (!err)
		err = kt_format_diff_rows(label_a, label_b, &rows, options ? options : &plain, ret);
	kt_diff_rows_deinit(&rows);
	kt_b_map_destroy(map);
	return err;
}

struct kt_error *kt_format_diff_csv(const struct kt_diff_rows *rows, char **ret)
{
	struct render_grid grid = render_diff_grid(rows);
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err = render_grid_csv(&grid, &out);

	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}
