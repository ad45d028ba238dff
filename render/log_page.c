// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/log_page.h"

#include "logparse/last.h"
#include "render/html_page.h"
#include "render/log_last.h"
#include "render/log_page_data.h"
#include "render/log_page_text.h"
#include "render/markup.h"
#include "util/cleanup.h"

/* The page before its data; the script fills the rest in. Without a script it says what is wrong.
 */
static const char body[] =
	"<body>\n<header>\n<select id=\"logs\" aria-label=\"Log\"></select>\n"
	"<span id=\"verdict\"></span>\n"
	"<span class=\"tools\"><input id=\"find\" type=\"search\" aria-label=\"Find in the log\" "
	"placeholder=\"find ( / )\"/>\n<button id=\"pin\">pin</button>\n"
	"<button id=\"all\" aria-pressed=\"false\">all lines</button>\n"
	"<button id=\"help\">?</button></span>\n</header>\n"
	"<noscript><p>This page needs its script.</p></noscript>\n"
	"<details id=\"why\" open=\"open\"><summary>Why</summary>"
	"<div class=\"body\" tabindex=\"0\"><pre id=\"about\"></pre>"
	"<div id=\"reason\"></div></div></details>\n"
	"<nav id=\"tabs\"><button data-tab=\"program\">Program</button>"
	"<button data-tab=\"log\">Log</button><button data-tab=\"state\">State</button></nav>\n"
	"<main>\n<section id=\"program\" aria-label=\"Program\"></section>\n"
	"<section id=\"log\" aria-label=\"Log\"></section>\n"
	"<section id=\"state\" aria-label=\"State\" tabindex=\"0\"></section>\n</main>\n"
	"<dialog id=\"keys\" aria-label=\"Keys\"></dialog>\n";

static void append_title(struct kt_buf *out, const struct render_log_program *programs, size_t n)
{
	struct kt_text name;

	if (n != 1) {
		kt_buf_printf(out, "%zu verifier logs", n);
		return;
	}
	name = programs->log.program.len ? programs->log.program : programs->file;
	render_append_markup_slice(out, name, false);
	kt_buf_appends(out, ": verifier log");
}

/* The page may load nothing; its style and its script are allowed by their hashes. */
static void append_head(struct kt_buf *out, const struct render_log_program *programs, size_t n)
{
	kt_buf_printf(out,
		      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
		      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		      "style-src 'sha256-%s'; script-src 'sha256-%s'; base-uri 'none'; "
		      "form-action 'none'\"/>\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
		      "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>",
		      html_log_style_hash, html_log_script_hash);
	append_title(out, programs, n);
	kt_buf_appends(out, "</title>\n<style>");
	kt_buf_appends(out, html_log_style);
	kt_buf_appends(out, "</style>\n</head>\n");
}

static const char *outcome_name(enum kt_last_outcome outcome)
{
	switch (outcome) {
	case KT_LAST_PASSED: return "passed";
	case KT_LAST_FAILED: return "failed";
	case KT_LAST_CUT: return "cut";
	case KT_LAST_EMPTY: break;
	}
	return "empty";
}

/* What the chooser shows, which is there before any log is read. */
static void append_index_row(struct kt_buf *out, const struct render_log_program *program,
			     const struct kt_log_last *last)
{
	_cleanup_(kt_buf_deinit) struct kt_buf verdict = KT_BUF_INIT;

	kt_buf_appends(out, "{\"name\":");
	log_page_append_string(out, program->log.program);
	kt_buf_appends(out, ",\"file\":");
	log_page_append_string(out, program->file);
	kt_buf_printf(out, ",\"complete\":%s,\"outcome\":\"%s\",\"headline\":",
		      program->log.complete ? "true" : "false", outcome_name(last->outcome));
	if (last->outcome == KT_LAST_FAILED && !last->headline.len)
		render_log_verdict(last, &verdict);
	log_page_append_string(out, last->headline.len
					    ? last->headline
					    : (struct kt_text){verdict.data, verdict.len});
	kt_buf_appendc(out, '}');
}

/* A log is a <script> of its own: the browser parses it when it is chosen. */
static struct kt_error *append_logs(struct kt_buf *out, const struct render_log_program *programs,
				    size_t n)
{
	_cleanup_(kt_buf_deinit) struct kt_buf index = KT_BUF_INIT;
	struct kt_log_last last;
	struct kt_error *err;

	for (size_t i = 0; i < n; i++) {
		err = kt_log_find_last_of(&programs[i].log, &last);
		if (err)
			return err;
		kt_buf_appends(&index, i ? ",\n" : "");
		append_index_row(&index, &programs[i], &last);
		kt_buf_printf(out, "<script type=\"application/json\" id=\"data%zu\">", i);
		err = log_page_append_data(out, &programs[i], &last);
		if (err)
			return err;
		kt_buf_appends(out, "</script>\n");
	}
	kt_buf_appends(out, "<script type=\"application/json\" id=\"index\">[");
	kt_buf_append(out, index.data, index.len);
	kt_buf_appends(out, "]</script>\n");
	out->failed |= index.failed;
	return NULL;
}

struct kt_error *kt_format_log_html(const struct render_log_program *programs, size_t n, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err;

	append_head(&out, programs, n);
	kt_buf_appends(&out, body);
	err = append_logs(&out, programs, n);
	if (err) {
		kt_buf_deinit(&out);
		return err;
	}
	kt_buf_appends(&out, "<script>");
	kt_buf_appends(&out, html_log_script);
	kt_buf_appends(&out, "</script>\n</body>\n</html>\n");
	return kt_buf_finish(&out, ret);
}
