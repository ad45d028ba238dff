// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>
#include <time.h>

#include "logparse/role.h"
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

void html_append_name(struct kt_buf *out, const struct kt_cell_record *record)
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

/* "2026-11-29 15:02:12 UTC"; nothing where it is not known. */
static void append_time(struct kt_buf *out, int64_t seconds)
{
	time_t when = (time_t)seconds;
	char text[64];
	struct tm tm;

	if (seconds > 0 && seconds <= 253402300799 && gmtime_r(&when, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		kt_buf_appends(out, text);
}

static void append_span(struct kt_buf *out, const struct cells_index *index)
{
	int64_t first = 0, last = 0;

	for (size_t i = 0; i < index->n; i++) {
		int64_t started = index->cells[i].record->started;

		if (started <= 0)
			continue;
		first = !first || started < first ? started : first;
		last = started > last ? started : last;
	}
	append_time(out, first);
	if (first != last) {
		kt_buf_appends(out, " to ");
		append_time(out, last);
	}
}

/* A fact that all cells share; of several that differ, the first and how many there are. */
static void append_shared(struct kt_buf *out, const struct cells_index *index, const char *before,
			  const char *(*get)(const struct kt_cell_record *record))
{
	const char *first = NULL;
	bool differ = false;

	for (size_t i = 0; i < index->n; i++) {
		const char *text = get(index->cells[i].record);

		if (!text || !text[0])
			continue;
		differ |= first && strcmp(first, text) != 0;
		first = first ? first : text;
	}
	if (!first)
		return;
	kt_buf_appends(out, before);
	render_append_markup(out, first, false);
	kt_buf_appends(out, differ ? " and others" : "");
}

static const char *host_of(const struct kt_cell_record *record)
{
	return record->host;
}

static const char *version_of(const struct kt_cell_record *record)
{
	return record->version;
}

static void append_origin(struct kt_buf *out, const struct cells_index *index)
{
	struct kt_buf text = KT_BUF_INIT;

	append_span(&text, index);
	append_shared(&text, index, text.len ? " on " : "on ", host_of);
	append_shared(&text, index, text.len ? ", by ktstr-gdb " : "by ktstr-gdb ", version_of);
	if (text.len) {
		kt_buf_appends(out, "<p class=\"dim origin\">");
		kt_buf_append(out, text.data, text.len);
		kt_buf_appends(out, "</p>\n");
	}
	out->failed |= text.failed;
	kt_buf_deinit(&text);
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
	err = html_append_failed(out, index);
	if (err)
		return err;
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

/* A word of a shell's command line. */
static void append_word(struct kt_buf *out, const char *word)
{
	if (word[0] && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789_-+./:,@%")]) {
		kt_buf_appends(out, word);
		return;
	}
	kt_buf_appendc(out, '\'');
	for (; *word; word++)
		if (*word == '\'')
			kt_buf_appends(out, "'\\''");
		else
			kt_buf_appendc(out, *word);
	kt_buf_appendc(out, '\'');
}

/* The command that runs the cell again. */
static void append_command(struct kt_buf *out, const struct kt_cell_record *record)
{
	struct kt_buf name = KT_BUF_INIT, text = KT_BUF_INIT;

	if (!record->file || !record->file[0])
		return;
	kt_buf_printf(&name, "verifier/%s/%s/%s", record->scheduler, record->kernel,
		      record->topology);
	kt_buf_appends(&text, "ktstr-gdb sweep ");
	append_word(&text, record->file);
	kt_buf_appends(&text, " --cell ");
	append_word(&text, name.data ? name.data : "");
	if (record->workload && record->workload[0]) {
		kt_buf_appends(&text, " --workload ");
		append_word(&text, record->workload);
	}
	kt_buf_appends(out, "<dt>run it again</dt><dd><code>");
	render_append_markup(out, text.data ? text.data : "", false);
	kt_buf_appends(out, "</code></dd>\n");
	out->failed |= name.failed || text.failed;
	kt_buf_deinit(&name);
	kt_buf_deinit(&text);
}

static void append_facts(struct kt_buf *out, const struct kt_cell_record *record)
{
	size_t failed = 0;

	kt_buf_appends(out, "<dl>\n");
	append_fact(out, "reason", record->reason);
	append_fact(out, "verdict", record->verdict);
	append_fact(out, "kernel release", record->release);
	if (record->started > 0) {
		kt_buf_appends(out, "<dt>started</dt><dd>");
		append_time(out, record->started);
		kt_buf_appends(out, "</dd>\n");
	}
	append_fact(out, "workload", record->workload);
	append_fact(out, "host", record->host);
	append_command(out, record);
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
	kt_buf_appends(out, failed ? "</dd>\n" : "");
	append_fact(out, "how it ended was not kept", record->no_dump);
	kt_buf_appends(out, "</dl>\n");
}

/* What led to the errors, in the colours of `log --last`. */
static void append_last(struct kt_buf *out, const char *last)
{
	static const char *const classes[] = {
		[KT_ROLE_MARK] = "mark",       [KT_ROLE_SOURCE] = "src", [KT_ROLE_ASIDE] = "dim",
		[KT_ROLE_HEADING] = "heading", [KT_ROLE_ERROR] = "err",
	};
	struct kt_text rest = {last, strlen(last)}, line;
	bool begins = true;

	kt_buf_appends(out, "<div class=\"log last\" tabindex=\"0\" role=\"region\" "
			    "aria-label=\"what led to the error\">\n<pre>\n");
	while (kt_text_next_line(&rest, &line)) {
		/* "PROGRAM: ERROR", behind an empty line; all that belongs to it is indented. */
		bool headline = begins && line.len && line.data[0] != ' ';
		enum kt_line_role role = headline ? KT_ROLE_ERROR : kt_last_line_role(line, false);

		begins = !line.len;
		if (role != KT_ROLE_PLAIN)
			kt_buf_printf(out, "<span class=\"%s\">", classes[role]);
		render_append_markup_slice(out, line, true);
		kt_buf_appends(out, role != KT_ROLE_PLAIN ? "</span>\n" : "\n");
	}
	kt_buf_appends(out, "</pre>\n</div>\n");
}

static void append_text(struct kt_buf *out, const char *label, const struct kt_buf *text)
{
	kt_buf_printf(out,
		      "<div class=\"log\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">\n"
		      "<pre>\n",
		      label);
	render_append_markup_slice(out, (struct kt_text){text->data, text->len}, true);
	kt_buf_appends(out, "</pre>\n</div>\n");
}

/* What the guest was like when the scheduler began to end: the sum, and the rest unfolds. */
static void append_dump(struct kt_buf *out, const struct kt_cell_record *record,
			const struct kt_html_options *options)
{
	struct kt_buf sum = KT_BUF_INIT, all = KT_BUF_INIT;

	if (options->dump && record->dump)
		options->dump(options->arg, record, &sum, &all);
	if (sum.len)
		append_text(out, "how the scheduler ended", &sum);
	if (all.len) {
		kt_buf_appends(out, "<details class=\"dump\"><summary>all of sched_ext at that "
				    "instant</summary>\n");
		append_text(out, "sched_ext when the scheduler began to end", &all);
		kt_buf_appends(out, "</details>\n");
	}
	out->failed |= sum.failed || all.failed;
	kt_buf_deinit(&sum);
	kt_buf_deinit(&all);
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
	html_append_name(out, cell->record);
	kt_buf_appends(out, "</summary>\n<div class=\"body\">\n");
	append_facts(out, cell->record);
	append_dump(out, cell->record, options);
	if (cell->record->last && cell->record->last[0])
		append_last(out, cell->record->last);
	if (options->log && cell->record->log)
		options->log(options->arg, cell->record, &log);
	if (log.len) {
		kt_buf_appends(out, "<div class=\"log\" tabindex=\"0\" role=\"region\" "
				    "aria-label=\"log\">\n");
		kt_append_log_html(out, (struct kt_text){log.data, log.len});
		kt_buf_appends(out, "</div>\n");
	} else if (!cell->record->last || !cell->record->last[0]) {
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
	append_origin(out, index);
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
