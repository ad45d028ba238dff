// SPDX-License-Identifier: LGPL-2.1-or-later
/* The grid as heat maps: rows are topologies, columns schedulers. */
#include "render/cells.h"
#include "render/html_page.h"
#include "render/markup.h"
#include "util/cleanup.h"

/* With more columns than that, heads are written upwards. */
#define MAX_FLAT 3

static void append_heads(struct kt_buf *out, const struct cells_index *index, const char *label)
{
	kt_buf_printf(
		out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Results, ");
	render_append_markup(out, label, false);
	kt_buf_printf(out, "\">\n<table class=\"map%s\"><thead><tr><th></th>",
		      index->schedulers.n > MAX_FLAT ? " v" : "");
	for (size_t s = 0; s < index->schedulers.n; s++) {
		kt_buf_appends(out, "<th scope=\"col\"><span>");
		render_append_markup(out, index->schedulers.all[s], false);
		kt_buf_appends(out, "</span></th>");
	}
	kt_buf_appends(out, "</tr></thead><tbody>\n");
}

static void append_row_head(struct kt_buf *out, const char *topology)
{
	kt_buf_appends(out, "<tr><th scope=\"row\">");
	render_append_markup(out, topology, false);
	kt_buf_appends(out, "</th>");
}

static void append_title(struct kt_buf *out, const struct kt_cell_record *record)
{
	kt_buf_appends(out, " title=\"");
	render_append_markup(out, record->scheduler, false);
	kt_buf_appends(out, " / ");
	render_append_markup(out, record->kernel, false);
	kt_buf_appends(out, " / ");
	render_append_markup(out, record->topology, false);
	kt_buf_printf(out, ": %s", cells_state_name(cells_state(record)));
	if (record->reason && record->reason[0]) {
		kt_buf_appends(out, ". ");
		render_append_markup(out, record->reason, false);
	}
	kt_buf_appendc(out, '"');
}

/* A cell links to its details, if it has any. */
static void append_cell(struct kt_buf *out, const struct cells_index *index,
			const struct cells_cell *cell)
{
	const char *symbol;

	if (!cell) {
		kt_buf_appends(out, "<td><span title=\"no such cell\">·</span></td>");
		return;
	}
	symbol = html_symbol(cell->state);
	kt_buf_printf(out, "<td class=\"%s\"", html_class(cell->state));
	append_title(out, cell->record);
	html_append_filter(out, cell->record);
	if (html_has_details(cell))
		kt_buf_printf(out, "><a href=\"#c%zu\" aria-label=\"%s\">%s</a></td>",
			      (size_t)(cell - index->cells), cells_state_name(cell->state), symbol);
	else
		kt_buf_printf(out, ">%s</td>", symbol);
}

static void append_kernel_map(struct kt_buf *out, const struct cells_index *index, size_t kernel)
{
	kt_buf_appends(out, "<section><h3>");
	render_append_markup(out, index->kernel_labels[kernel], false);
	kt_buf_appends(out, "</h3>\n");
	append_heads(out, index, index->kernel_labels[kernel]);
	for (size_t t = 0; t < index->topologies.n; t++) {
		append_row_head(out, index->topologies.all[t]);
		for (size_t s = 0; s < index->schedulers.n; s++)
			append_cell(out, index, cells_index_find(index, s, kernel, t));
		kt_buf_appends(out, "</tr>\n");
	}
	kt_buf_appends(out, "</tbody></table></div></section>\n");
}

static void append_ratio(struct kt_buf *out, struct cells_ratio ratio)
{
	if (!ratio.ran)
		kt_buf_appends(out, "<td title=\"it ran on no kernel\">–</td>");
	else if (ratio.passed == ratio.ran)
		kt_buf_printf(out, "<td class=\"p\" title=\"passed on all %zu\">✓</td>", ratio.ran);
	else if (!ratio.passed)
		kt_buf_printf(out, "<td class=\"f\" title=\"failed on all %zu\">✗</td>", ratio.ran);
	else
		kt_buf_printf(out, "<td class=\"h\" title=\"passed on %zu of %zu\">✗ %zu/%zu</td>",
			      ratio.passed, ratio.ran, ratio.passed, ratio.ran);
}

static struct kt_error *append_all_kernels(struct kt_buf *out, const struct cells_index *index)
{
	_cleanup_free_ struct cells_ratio *ratios = NULL;
	size_t n = index->schedulers.n;
	struct kt_error *err = cells_ratios(index, &ratios);

	if (err)
		return err;
	kt_buf_printf(out, "<section><h3>All %zu kernels</h3>\n", index->kernels.n);
	append_heads(out, index, "all kernels");
	for (size_t t = 0; t < index->topologies.n; t++) {
		append_row_head(out, index->topologies.all[t]);
		for (size_t s = 0; s < n; s++)
			append_ratio(out, ratios[t * n + s]);
		kt_buf_appends(out, "</tr>\n");
	}
	kt_buf_appends(out, "</tbody></table></div></section>\n");
	return NULL;
}

struct kt_error *html_append_overview(struct kt_buf *out, const struct cells_index *index)
{
	struct kt_error *err = cells_check_size(index, true);

	if (err)
		return err;
	if (index->kernels.n != 1)
		return append_all_kernels(out, index);
	append_kernel_map(out, index, 0);
	return NULL;
}

void html_append_kernel_maps(struct kt_buf *out, const struct cells_index *index)
{
	if (index->kernels.n < 2)
		return;
	kt_buf_appends(out, "<h2 id=\"kernels\">By kernel</h2>\n<div class=\"maps\">\n");
	for (size_t k = 0; k < index->kernels.n; k++)
		append_kernel_map(out, index, k);
	kt_buf_appends(out, "</div>\n");
}
