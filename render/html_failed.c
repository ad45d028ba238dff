// SPDX-License-Identifier: LGPL-2.1-or-later
/* What failed and why: cells that failed for the same reason are one entry, which unfolds. */
#include <stdlib.h>
#include <string.h>

#include "render/html_page.h"
#include "render/markup.h"
#include "util/cleanup.h"

/* Cells of the same reason, cells[begin] up to, but not with, cells[begin + n]. */
struct group {
	size_t begin, n;
};

struct failed {
	const struct cells_index *index;
	size_t *cells; /* indices of cells that failed, by reason, then as the index has them */
	size_t n_cells;
	struct group *groups; /* by their first cells */
	size_t n_groups;
};

static void failed_deinit(struct failed *failed)
{
	free(failed->cells);
	free(failed->groups);
}

static const char *reason_of(const struct cells_index *index, size_t cell)
{
	const char *reason = index->cells[cell].record->reason;

	return reason ? reason : "";
}

static int compare_reasons(const void *a, const void *b, void *index)
{
	size_t p = *(const size_t *)a, q = *(const size_t *)b;
	int cmp = strcmp(reason_of(index, p), reason_of(index, q));

	return cmp ? cmp : (p > q) - (p < q);
}

static int compare_groups(const void *a, const void *b, void *failed)
{
	const size_t *cells = ((const struct failed *)failed)->cells;
	size_t p = cells[((const struct group *)a)->begin];
	size_t q = cells[((const struct group *)b)->begin];

	return (p > q) - (p < q);
}

static struct kt_error *failed_init(const struct cells_index *index, struct failed *ret)
{
	*ret = (struct failed){
		.index = index,
		.cells = calloc(index->failed + 1, sizeof(*ret->cells)),
		.groups = calloc(index->failed + 1, sizeof(*ret->groups)),
	};
	if (!ret->cells || !ret->groups)
		return kt_error_no_memory();
	for (size_t i = 0; i < index->n; i++)
		if (index->cells[i].state == CELLS_FAILED)
			ret->cells[ret->n_cells++] = i;
	qsort_r(ret->cells, ret->n_cells, sizeof(*ret->cells), compare_reasons,
		(void *)(uintptr_t)index);
	for (size_t i = 0; i < ret->n_cells; i++) {
		if (!i || strcmp(reason_of(index, ret->cells[i - 1]),
				 reason_of(index, ret->cells[i])) != 0)
			ret->groups[ret->n_groups++].begin = i;
		ret->groups[ret->n_groups - 1].n++;
	}
	qsort_r(ret->groups, ret->n_groups, sizeof(*ret->groups), compare_groups, ret);
	return NULL;
}

static void append_reason(struct kt_buf *out, const char *reason)
{
	if (!reason[0])
		return;
	kt_buf_appends(out, " <span class=\"why\">");
	render_append_markup(out, reason, false);
	kt_buf_appends(out, "</span>");
}

static void append_cell(struct kt_buf *out, const struct failed *failed, size_t nth, bool alone)
{
	size_t cell = failed->cells[nth];
	const struct kt_cell_record *record = failed->index->cells[cell].record;

	kt_buf_appends(out, "<li class=\"f\"");
	html_append_filter(out, record);
	kt_buf_printf(out, ">%s<a href=\"#c%zu\">",
		      alone ? "<span class=\"sym\" aria-hidden=\"true\">✗</span> " : "", cell);
	html_append_name(out, record);
	kt_buf_appends(out, "</a>");
	if (alone)
		append_reason(out, reason_of(failed->index, cell));
	kt_buf_appends(out, "</li>\n");
}

static void append_group(struct kt_buf *out, const struct failed *failed, const struct group *group)
{
	const char *reason = reason_of(failed->index, failed->cells[group->begin]);

	if (group->n == 1) {
		append_cell(out, failed, group->begin, true);
		return;
	}
	kt_buf_printf(out,
		      "<li class=\"group\"><details><summary><span class=\"sym\" "
		      "aria-hidden=\"true\">✗</span> <b>%zu cells</b>",
		      group->n);
	append_reason(out, reason[0] ? reason : "no reason is known");
	kt_buf_appends(out, "</summary>\n<ul>\n");
	for (size_t i = 0; i < group->n; i++)
		append_cell(out, failed, group->begin + i, false);
	kt_buf_appends(out, "</ul></details></li>\n");
}

struct kt_error *html_append_failed(struct kt_buf *out, const struct cells_index *index)
{
	_cleanup_(failed_deinit) struct failed failed = {0};
	struct kt_error *err;

	if (!index->failed)
		return NULL;
	err = failed_init(index, &failed);
	if (err)
		return err;
	kt_buf_appends(out, "<section class=\"grow\"><h3 id=\"failed\">What failed</h3>\n"
			    "<ul class=\"failed\" tabindex=\"0\">\n");
	for (size_t i = 0; i < failed.n_groups; i++)
		append_group(out, &failed, &failed.groups[i]);
	kt_buf_appends(out, "</ul></section>\n");
	return NULL;
}
