// SPDX-License-Identifier: LGPL-2.1-or-later
/* verified_insns: a table for each scheduler. A program is a line: a small chart, and the numbers.
 */
#include <inttypes.h>

#include "render/html_page.h"
#include "render/markup.h"
#include "util/cleanup.h"

/* Of a chart, in pixels. */
#define WIDTH  120
#define HEIGHT 26
#define EDGE   5

struct chart {
	const struct cells_index *index;
	const struct cells_counts *counts;
	size_t program;
	double lo, hi; /* of the axis */
};

static const struct cells_range *range_at(const struct chart *chart, size_t kernel)
{
	return cells_counts_at(chart->counts, kernel, chart->program);
}

/*
 * The axis begins at 0 only if values are near it, so that their differences can be seen; but
 * values that hardly differ do not fill it. False: there is no value.
 */
static bool set_axis(struct chart *chart)
{
	double lo = 0, hi = 0, room;
	bool any = false;

	for (size_t k = 0; k < chart->counts->n_kernels; k++) {
		const struct cells_range *range = range_at(chart, k);

		if (!range->n)
			continue;
		lo = !any || (double)range->lo < lo ? (double)range->lo : lo;
		hi = !any || (double)range->hi > hi ? (double)range->hi : hi;
		any = true;
	}
	room = (hi - lo) * 0.15 > hi * 0.05 ? (hi - lo) * 0.15 : hi * 0.05;
	chart->lo = lo - room > hi * 0.4 ? lo - room : 0;
	chart->hi = hi + room > chart->lo ? hi + room : chart->lo + 1;
	return any;
}

static double x_of(const struct chart *chart, size_t kernel)
{
	size_t n = chart->counts->n_kernels;
	double room = WIDTH - 2 * EDGE;

	return EDGE + (n > 1 ? room * (double)kernel / (double)(n - 1) : room / 2);
}

static double y_of(const struct chart *chart, double value)
{
	double room = HEIGHT - 2 * EDGE;

	return EDGE + room * (1 - (value - chart->lo) / (chart->hi - chart->lo));
}

static const char *kernel_label(const struct chart *chart, size_t kernel)
{
	return chart->index->kernel_labels[chart->counts->kernels[kernel]];
}

/* A line through the highest value of each kernel that has one. */
static void append_line(struct kt_buf *out, const struct chart *chart)
{
	kt_buf_appends(out, "<polyline class=\"line\" points=\"");
	for (size_t k = 0; k < chart->counts->n_kernels; k++)
		if (range_at(chart, k)->n)
			kt_buf_printf(out, "%.1f,%.1f ", x_of(chart, k),
				      y_of(chart, (double)range_at(chart, k)->hi));
	kt_buf_appends(out, "\"/>\n");
}

static void append_point(struct kt_buf *out, const struct chart *chart, size_t kernel)
{
	const struct cells_range *range = range_at(chart, kernel);
	double x = x_of(chart, kernel), y = y_of(chart, (double)range->hi);

	kt_buf_appends(out, "<g><title>");
	render_append_markup(out, kernel_label(chart, kernel), false);
	kt_buf_appends(out, ": ");
	cells_append_range(out, range);
	kt_buf_appends(out, "</title>");
	if (range->lo != range->hi)
		kt_buf_printf(out,
			      "<line class=\"band\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" "
			      "y2=\"%.1f\"/>",
			      x, x, y, y_of(chart, (double)range->lo));
	kt_buf_printf(out, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/></g>\n", x, y);
}

/* The values in words, for a screen reader. */
static void append_words(struct kt_buf *out, const struct chart *chart)
{
	kt_buf_appends(out, "verified_insns by kernel");
	for (size_t k = 0; k < chart->counts->n_kernels; k++) {
		kt_buf_appends(out, k ? ", " : ": ");
		render_append_markup(out, kernel_label(chart, k), false);
		kt_buf_appendc(out, ' ');
		cells_append_range(out, range_at(chart, k));
	}
}

/* Nothing of a program that has no number, or of a single kernel: there is nothing to see. */
static void append_chart(struct kt_buf *out, struct chart *chart)
{
	if (!set_axis(chart) || chart->counts->n_kernels < 2)
		return;
	kt_buf_printf(out,
		      "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
		      "aria-label=\"",
		      WIDTH, HEIGHT, WIDTH, HEIGHT);
	append_words(out, chart);
	kt_buf_appends(out, "\">\n");
	append_line(out, chart);
	for (size_t k = 0; k < chart->counts->n_kernels; k++)
		if (range_at(chart, k)->n)
			append_point(out, chart, k);
	kt_buf_appends(out, "</svg>");
}

static void append_program(struct kt_buf *out, struct chart *chart)
{
	struct kt_buf name = KT_BUF_INIT;

	cells_append_program(&name, &chart->counts->programs[chart->program]);
	kt_buf_appends(out, "<tr><th scope=\"row\">");
	render_append_markup(out, name.data ? name.data : "", false);
	kt_buf_appends(out, "</th><td class=\"chart\">");
	append_chart(out, chart);
	kt_buf_appends(out, "</td>");
	for (size_t k = 0; k < chart->counts->n_kernels; k++) {
		kt_buf_appends(out, "<td>");
		cells_append_range(out, range_at(chart, k));
		kt_buf_appends(out, "</td>");
	}
	kt_buf_appends(out, "</tr>\n");
	out->failed |= name.failed;
	kt_buf_deinit(&name);
}

static void append_table(struct kt_buf *out, const struct cells_index *index,
			 const struct cells_counts *counts)
{
	kt_buf_appends(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
			    "aria-label=\"verified_insns\">\n<table class=\"num\"><thead><tr>"
			    "<th>program</th><th></th>");
	for (size_t k = 0; k < counts->n_kernels; k++) {
		kt_buf_appends(out, "<th scope=\"col\">");
		render_append_markup(out, index->kernel_labels[counts->kernels[k]], false);
		kt_buf_appends(out, "</th>");
	}
	kt_buf_appends(out, "</tr></thead><tbody>\n");
	for (size_t p = 0; p < counts->n_programs; p++)
		append_program(out, &(struct chart){index, counts, p, 0, 0});
	kt_buf_appends(out, "</tbody></table></div>\n");
}

struct kt_error *html_append_charts(struct kt_buf *out, const struct cells_index *index)
{
	kt_buf_appends(out,
		       "<h2 id=\"insns\">Instructions that the verifier processed</h2>\n"
		       "<p class=\"dim\">A line goes from kernel to kernel, through the most on "
		       "any topology; LO..HI, and a bar: how far topologies differ. A line need "
		       "not begin at 0.</p>\n");
	for (size_t s = 0; s < index->schedulers.n; s++) {
		_cleanup_(cells_counts_deinit) struct cells_counts counts = {0};
		struct kt_error *err = cells_counts_init(index, s, KT_TRIAL_INSNS, &counts);

		if (err)
			return err;
		if (!counts.n_programs)
			continue;
		kt_buf_appends(out, "<h3><bdi>");
		render_append_markup(out, index->schedulers.all[s], false);
		kt_buf_appends(out, "</bdi></h3>\n");
		append_table(out, index, &counts);
	}
	return NULL;
}
