// SPDX-License-Identifier: LGPL-2.1-or-later
/* verified_insns by kernel: a chart for each program, and a table for each scheduler. */
#include <inttypes.h>

#include "render/html_page.h"
#include "render/markup.h"
#include "render/text.h"
#include "util/cleanup.h"

#define WIDTH      320
#define HEIGHT     150
#define LEFT       52
#define RIGHT      14
#define TOP        20
#define BOTTOM     24
#define MAX_LABELS 6  /* of kernels, and of values */
#define MAX_CHARS  10 /* of a kernel's name below the axis */

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
	double room = WIDTH - LEFT - RIGHT - 30;

	return LEFT + 15 + (n > 1 ? room * (double)kernel / (double)(n - 1) : room / 2);
}

static double y_of(const struct chart *chart, double value)
{
	double room = HEIGHT - TOP - BOTTOM;

	return TOP + room * (1 - (value - chart->lo) / (chart->hi - chart->lo));
}

static const char *kernel_name(const struct chart *chart, size_t kernel)
{
	return chart->index->kernels.all[chart->counts->kernels[kernel]];
}

/* "12.5k": there is no room for all digits. */
static void append_short(struct kt_buf *out, double value)
{
	if (value >= 1e6)
		kt_buf_printf(out, "%.3gM", value / 1e6);
	else if (value >= 1e4)
		kt_buf_printf(out, "%.3gk", value / 1e3);
	else
		kt_buf_printf(out, "%.0f", value);
}

static void append_axis(struct kt_buf *out, const struct chart *chart)
{
	for (int i = 0; i <= 2; i++) {
		double value = chart->lo + (chart->hi - chart->lo) * i / 2;
		double y = y_of(chart, value);

		kt_buf_printf(out,
			      "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
			      "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
			      LEFT, WIDTH - RIGHT, y, y, LEFT - 5, y + 3.5);
		append_short(out, value);
		kt_buf_appends(out, "</text>\n");
	}
}

/* As much of a kernel's name as there is room for, in whole characters. */
static void append_label(struct kt_buf *out, const char *name)
{
	struct kt_buf label = KT_BUF_INIT;
	const char *p = name;

	for (int i = 0; *p && i < MAX_CHARS; i++) {
		size_t len = render_utf8_length(p);

		p += len ? len : 1;
	}
	kt_buf_append(&label, name, (size_t)(p - name));
	render_append_markup(out, label.data ? label.data : "", false);
	kt_buf_appends(out, *p ? "…" : "");
	out->failed |= label.failed;
	kt_buf_deinit(&label);
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
	render_append_markup(out, kernel_name(chart, kernel), false);
	kt_buf_appends(out, ": ");
	cells_append_range(out, range);
	kt_buf_appends(out, "</title>");
	if (range->lo != range->hi)
		kt_buf_printf(out,
			      "<line class=\"band\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" "
			      "y2=\"%.1f\"/>",
			      x, x, y, y_of(chart, (double)range->lo));
	kt_buf_printf(out, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>", x, y);
	if (chart->counts->n_kernels <= MAX_LABELS) {
		kt_buf_printf(out,
			      "<text class=\"val\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
			      x, y - 7);
		append_short(out, (double)range->hi);
		kt_buf_appends(out, "</text>");
	}
	kt_buf_appends(out, "</g>\n");
}

static void append_kernel_labels(struct kt_buf *out, const struct chart *chart)
{
	size_t n = chart->counts->n_kernels, step = (n + MAX_LABELS - 1) / MAX_LABELS;

	/* There is room for four names, or for every other one. */
	if (n > 4 && step == 1)
		step = 2;
	for (size_t k = 0; k < n; k += step) {
		kt_buf_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
			      x_of(chart, k), HEIGHT - 8);
		append_label(out, kernel_name(chart, k));
		kt_buf_appends(out, "</text>\n");
	}
}

/* The values in words, for a screen reader. */
static void append_words(struct kt_buf *out, const struct chart *chart)
{
	kt_buf_appends(out, "verified_insns by kernel");
	for (size_t k = 0; k < chart->counts->n_kernels; k++) {
		kt_buf_appends(out, k ? ", " : ": ");
		render_append_markup(out, kernel_name(chart, k), false);
		kt_buf_appendc(out, ' ');
		cells_append_range(out, range_at(chart, k));
	}
}

static void append_chart(struct kt_buf *out, struct chart *chart)
{
	struct kt_buf name = KT_BUF_INIT;

	if (!set_axis(chart))
		return;
	cells_append_program(&name, &chart->counts->programs[chart->program]);
	kt_buf_appends(out, "<figure><figcaption><bdi>");
	render_append_markup(out, name.data ? name.data : "", false);
	kt_buf_printf(out,
		      "</bdi></figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" "
		      "aria-label=\"",
		      WIDTH, HEIGHT);
	append_words(out, chart);
	kt_buf_appends(out, "\">\n");
	append_axis(out, chart);
	append_line(out, chart);
	for (size_t k = 0; k < chart->counts->n_kernels; k++)
		if (range_at(chart, k)->n)
			append_point(out, chart, k);
	append_kernel_labels(out, chart);
	kt_buf_appends(out, "</svg></figure>\n");
	out->failed |= name.failed;
	kt_buf_deinit(&name);
}

static void append_table(struct kt_buf *out, const struct cells_index *index,
			 const struct cells_counts *counts)
{
	kt_buf_appends(out, "<details><summary>as a table</summary>\n<div class=\"scroll\" "
			    "tabindex=\"0\" role=\"region\" aria-label=\"verified_insns\">\n"
			    "<table class=\"num\"><thead><tr><th>program</th>");
	for (size_t k = 0; k < counts->n_kernels; k++) {
		kt_buf_appends(out, "<th scope=\"col\">");
		render_append_markup(out, index->kernels.all[counts->kernels[k]], false);
		kt_buf_appends(out, "</th>");
	}
	kt_buf_appends(out, "</tr></thead><tbody>\n");
	for (size_t p = 0; p < counts->n_programs; p++) {
		struct kt_buf name = KT_BUF_INIT;

		cells_append_program(&name, &counts->programs[p]);
		kt_buf_appends(out, "<tr><th scope=\"row\">");
		render_append_markup(out, name.data ? name.data : "", false);
		kt_buf_appends(out, "</th>");
		for (size_t k = 0; k < counts->n_kernels; k++) {
			kt_buf_appends(out, "<td>");
			cells_append_range(out, cells_counts_at(counts, k, p));
			kt_buf_appends(out, "</td>");
		}
		kt_buf_appends(out, "</tr>\n");
		out->failed |= name.failed;
		kt_buf_deinit(&name);
	}
	kt_buf_appends(out, "</tbody></table></div></details>\n");
}

struct kt_error *html_append_charts(struct kt_buf *out, const struct cells_index *index)
{
	kt_buf_appends(out, "<h2 id=\"insns\">Instructions that the verifier processed</h2>\n"
			    "<p class=\"dim\">The line is the most on any topology; a bar, how far "
			    "topologies differ. The axis need not begin at 0.</p>\n");
	for (size_t s = 0; s < index->schedulers.n; s++) {
		_cleanup_(cells_counts_deinit) struct cells_counts counts = {0};
		struct kt_error *err = cells_counts_init(index, s, &counts);

		if (err)
			return err;
		if (!counts.n_programs)
			continue;
		kt_buf_appends(out, "<h3><bdi>");
		render_append_markup(out, index->schedulers.all[s], false);
		kt_buf_appends(out, "</bdi></h3>\n<div class=\"charts\">\n");
		for (size_t p = 0; p < counts.n_programs; p++)
			append_chart(out, &(struct chart){index, &counts, p, 0, 0});
		kt_buf_appends(out, "</div>\n");
		append_table(out, index, &counts);
	}
	return NULL;
}
