// SPDX-License-Identifier: LGPL-2.1-or-later
#include <time.h>

#include "render/html.h"
#include "render/html_page.h"
#include "render/markup.h"
#include "util/cleanup.h"

const char *html_symbol(enum cells_state state)
{
	return state == CELLS_PASSED ? "✓" : state == CELLS_FAILED ? "✗" : "–";
}

const char *html_class(enum cells_state state)
{
	return state == CELLS_PASSED ? "p" : state == CELLS_FAILED ? "f" : "k";
}

bool html_has_details(const struct cells_cell *cell)
{
	return cell->state != CELLS_PASSED || (cell->record->log && cell->record->log[0]);
}

static void append_name(struct kt_buf *out, const struct kt_cell_record *record)
{
	kt_buf_appends(out, "<bdi>");
	render_append_markup(out, record->scheduler, false);
	kt_buf_appends(out, "</bdi> / <bdi>");
	render_append_markup(out, record->kernel, false);
	kt_buf_appends(out, "</bdi> / <bdi>");
	render_append_markup(out, record->topology, false);
	kt_buf_appends(out, "</bdi>");
}

void html_append_filter(struct kt_buf *out, const struct kt_cell_record *record)
{
	kt_buf_appends(out, " data-n=\"");
	render_append_markup(out, record->scheduler, false);
	kt_buf_appendc(out, ' ');
	render_append_markup(out, record->kernel, false);
	kt_buf_appendc(out, ' ');
	render_append_markup(out, record->topology, false);
	kt_buf_printf(out, " %s ", cells_state_name(cells_state(record)));
	render_append_markup(out, record->reason ? record->reason : "", false);
	kt_buf_appendc(out, '"');
}

/* --- head --- */

static void append_title(struct kt_buf *out, const struct cells_index *index, const char *title)
{
	if (title)
		render_append_markup(out, title, false);
	else if (index->failed)
		kt_buf_printf(out, "Sweep: %zu of %zu cells failed", index->failed, index->n);
	else
		kt_buf_printf(out, "Sweep: none of %zu cells failed", index->n);
}

/* The page may load nothing; its style and its script are allowed by their hashes. */
static void append_head(struct kt_buf *out, const struct cells_index *index, const char *title)
{
	kt_buf_printf(out,
		      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		      "style-src 'sha256-%s'; script-src 'sha256-%s'; base-uri 'none'; "
		      "form-action 'none'\"/>\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		      "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>",
		      html_style_hash, html_script_hash);
	append_title(out, index, title);
	kt_buf_appends(out, "</title>\n<style>");
	kt_buf_appends(out, html_style);
	kt_buf_appends(out, "</style>\n</head>\n<body>\n<h1>");
	append_title(out, index, title);
	kt_buf_appends(out, "</h1>\n");
}

static void append_tally(struct kt_buf *out, const struct cells_index *index)
{
	kt_buf_appends(out, "<ul class=\"tally\">\n");
	kt_buf_printf(out, "<li%s><b>%zu</b>failed</li>\n", index->failed ? " class=\"f\"" : "",
		      index->failed);
	kt_buf_printf(out, "<li class=\"p\"><b>%zu</b>passed</li>\n", index->passed);
	kt_buf_printf(out, "<li class=\"k\"><b>%zu</b>skipped</li>\n</ul>\n", index->skipped);
	kt_buf_printf(out, "<p class=\"dim\">%zu scheduler%s, %zu kernel%s, %zu topolog%s</p>\n",
		      index->schedulers.n, index->schedulers.n == 1 ? "" : "s", index->kernels.n,
		      index->kernels.n == 1 ? "" : "s", index->topologies.n,
		      index->topologies.n == 1 ? "y" : "ies");
}

/* Hidden until the script shows it: without a script it does nothing. */
static void append_bar(struct kt_buf *out)
{
	kt_buf_appends(
		out,
		"<div class=\"bar\" id=\"bar\" role=\"search\" hidden=\"hidden\">\n"
		"<input id=\"q\" type=\"search\" aria-label=\"Filter\" placeholder=\"filter by "
		"scheduler, kernel, topology, reason ( / )\"/>\n"
		"<select id=\"st\" aria-label=\"Results to show\"><option value=\"\">all"
		"</option><option value=\"f\">failed</option><option value=\"p\">passed"
		"</option><option value=\"k\">skipped</option></select>\n"
		"<span id=\"n\" class=\"dim\" role=\"status\"></span>\n</div>\n");
}

static void append_failed(struct kt_buf *out, const struct cells_index *index)
{
	if (!index->failed)
		return;
	kt_buf_appends(out, "<section class=\"grow\"><h3 id=\"failed\">What failed</h3>\n"
			    "<ul class=\"failed\" tabindex=\"0\">\n");
	for (size_t i = 0; i < index->n; i++) {
		const struct kt_cell_record *record = index->cells[i].record;

		if (index->cells[i].state != CELLS_FAILED)
			continue;
		kt_buf_appends(out, "<li class=\"f\"");
		html_append_filter(out, record);
		kt_buf_printf(out,
			      "><span class=\"sym\" aria-hidden=\"true\">✗</span> "
			      "<a href=\"#c%zu\">",
			      i);
		append_name(out, record);
		kt_buf_appends(out, "</a>");
		if (record->reason && record->reason[0]) {
			kt_buf_appends(out, " <span class=\"why\">");
			render_append_markup(out, record->reason, false);
			kt_buf_appends(out, "</span>");
		}
		kt_buf_appends(out, "</li>\n");
	}
	kt_buf_appends(out, "</ul></section>\n");
}

/* The heat map, and beside it what failed and why: a reader wants to know that first. */
static struct kt_error *append_results(struct kt_buf *out, const struct cells_index *index)
{
	struct kt_error *err;

	kt_buf_appends(out, "<h2 id=\"results\">Results</h2>\n<p class=\"key dim\">"
			    "<span class=\"p\">✓</span>passed <span class=\"f\">✗</span>failed "
			    "<span class=\"h\">✗ 2/3</span>passed on 2 of 3 kernels "
			    "<span class=\"k\">–</span>skipped</p>\n<div class=\"maps\">\n");
	err = html_append_overview(out, index);
	if (err)
		return err;
	append_failed(out, index);
	kt_buf_appends(out, "</div>\n");
	html_append_kernel_maps(out, index);
	return NULL;
}

/* --- cells --- */

static void append_fact(struct kt_buf *out, const char *name, const char *value)
{
	if (!value || !value[0])
		return;
	kt_buf_printf(out, "<dt>%s</dt><dd>", name);
	render_append_markup(out, value, false);
	kt_buf_appends(out, "</dd>\n");
}

static void append_started(struct kt_buf *out, int64_t started)
{
	time_t when = (time_t)started;
	char text[64];
	struct tm tm;

	if (started <= 0 || started > 253402300799 || !gmtime_r(&when, &tm))
		return;
	if (strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		append_fact(out, "started", text);
}

static void append_facts(struct kt_buf *out, const struct kt_cell_record *record)
{
	size_t failed = 0;

	kt_buf_appends(out, "<dl>\n");
	append_fact(out, "reason", record->reason);
	append_fact(out, "verdict", record->verdict);
	append_fact(out, "kernel release", record->release);
	append_started(out, record->started);
	if (record->duration_s > 0 && record->duration_s < 1e9)
		kt_buf_printf(out, "<dt>took</dt><dd>%.1f s</dd>\n", record->duration_s);
	if (record->attempts > 1)
		kt_buf_printf(out, "<dt>tries</dt><dd>%u</dd>\n", record->attempts);
	for (size_t i = 0; i < record->stats.n; i++) {
		if (!record->stats.all[i].failed)
			continue;
		kt_buf_appends(out, failed++ ? ", " : "<dt>programs that failed</dt><dd>");
		render_append_markup(out, record->stats.all[i].name, false);
	}
	kt_buf_appends(out, failed ? "</dd>\n</dl>\n" : "</dl>\n");
}

static void append_cell(struct kt_buf *out, const struct cells_index *index, size_t nth,
			const struct kt_html_options *options)
{
	const struct cells_cell *cell = &index->cells[nth];
	struct kt_buf log = KT_BUF_INIT;

	kt_buf_printf(out, "<details class=\"cell %s\" id=\"c%zu\"", html_class(cell->state), nth);
	html_append_filter(out, cell->record);
	kt_buf_printf(out,
		      "><summary><span class=\"sym\" role=\"img\" aria-label=\"%s\">%s</span> ",
		      cells_state_name(cell->state), html_symbol(cell->state));
	append_name(out, cell->record);
	kt_buf_appends(out, "</summary>\n<div class=\"body\">\n");
	append_facts(out, cell->record);
	if (options->log && cell->record->log)
		options->log(options->arg, cell->record, &log);
	if (log.len) {
		kt_buf_appends(out, "<div class=\"log\" tabindex=\"0\" role=\"region\" "
				    "aria-label=\"log\">\n");
		kt_append_log_html(out, (struct kt_text){log.data, log.len});
		kt_buf_appends(out, "</div>\n");
	} else {
		kt_buf_appends(out, "<p class=\"dim\">There is no log.</p>\n");
	}
	kt_buf_appends(out, "</div></details>\n");
	out->failed |= log.failed;
	kt_buf_deinit(&log);
}

static void append_cells(struct kt_buf *out, const struct cells_index *index,
			 const struct kt_html_options *options)
{
	kt_buf_appends(out, "<h2 id=\"cells\">Cells</h2>\n<p class=\"dim\">Those that failed, were "
			    "skipped, or have a log.</p>\n");
	for (size_t i = 0; i < index->n; i++)
		if (html_has_details(&index->cells[i]))
			append_cell(out, index, i, options);
}

static struct kt_error *append_page(struct kt_buf *out, const struct cells_index *index,
				    const struct kt_html_options *options)
{
	struct kt_error *err;

	append_head(out, index, options->title);
	append_tally(out, index);
	append_bar(out);
	err = append_results(out, index);
	if (!err)
		err = html_append_charts(out, index);
	if (err)
		return err;
	append_cells(out, index, options);
	kt_buf_appends(out, "<script>");
	kt_buf_appends(out, html_script);
	kt_buf_appends(out, "</script>\n</body>\n</html>\n");
	return NULL;
}

struct kt_error *kt_format_cells_html(const struct kt_cell_records *records,
				      const struct kt_html_options *options, char **ret)
{
	static const struct kt_html_options plain;
	_cleanup_(cells_index_deinit) struct cells_index index = {0};
	struct kt_error *err = cells_index_init(records, &index);
	struct kt_buf out = KT_BUF_INIT;

	if (!err)
		err = append_page(&out, &index, options ? options : &plain);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}
