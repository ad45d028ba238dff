// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "model/cells_counts.h"
#include "render/cells_markdown.h"
#include "render/markup.h"
#include "util/cleanup.h"

/* GitHub shows a step's summary of up to a MiB, and none that is larger. */
#define LOGS_MAX ((size_t)600 << 10)
#define LOG_MAX  ((size_t)16 << 10)

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether the character at p, in text, may have a meaning in Markdown. */
static bool is_special(const char *text, const char *p)
{
	if (!strchr("\\`*_[]|~@#!:$(){}^=", *p))
		return false;
	if (*p == '_')
		return p == text || !is_word(p[-1]) || !is_word(p[1]);
	if (*p == '#') /* it may belong to an entity */
		return p == text || p[-1] != '&';
	return *p != ':' || p[1] != ' ';
}

/*
 * HTML is escaped first, then Markdown's punctuation, as entities: these mean nothing in Markdown.
 * So there are no links, mentions or issues, either.
 */
void cells_append_markdown(struct kt_buf *out, const char *text)
{
	struct kt_buf markup = KT_BUF_INIT;

	render_append_markup(&markup, text, false);
	for (const char *p = markup.data ? markup.data : ""; *p; p++)
		if (is_special(markup.data, p))
			kt_buf_printf(out, "&#%d;", *p);
		else
			kt_buf_appendc(out, *p);
	out->failed |= markup.failed;
	kt_buf_deinit(&markup);
}

static void append_head(struct kt_buf *out, const char *first, const struct cells_names *names)
{
	kt_buf_printf(out, "| %s |", first);
	for (size_t i = 0; i < names->n; i++) {
		kt_buf_appendc(out, ' ');
		cells_append_markdown(out, names->all[i]);
		kt_buf_appends(out, " |");
	}
	kt_buf_appends(out, "\n|---|");
	for (size_t i = 0; i < names->n; i++)
		kt_buf_appends(out, ":---:|");
	kt_buf_appendc(out, '\n');
}

static struct kt_error *append_grid(const struct cells_index *index, struct kt_buf *out)
{
	_cleanup_free_ struct cells_ratio *ratios = NULL;
	size_t n = index->schedulers.n;
	struct kt_error *err = cells_ratios(index, &ratios);

	if (err)
		return err;
	append_head(out, "topology", &index->schedulers);
	for (size_t t = 0; t < index->topologies.n; t++) {
		kt_buf_appends(out, "| ");
		cells_append_markdown(out, index->topologies.all[t]);
		for (size_t s = 0; s < n; s++) {
			struct cells_ratio ratio = ratios[t * n + s];

			if (!ratio.ran)
				kt_buf_appends(out, " | -");
			else if (ratio.passed == ratio.ran)
				kt_buf_appends(out, " | ✅");
			else if (!ratio.passed)
				kt_buf_appends(out, " | ❌");
			else
				kt_buf_printf(out, " | ❌ %zu/%zu", ratio.passed, ratio.ran);
		}
		kt_buf_appends(out, " |\n");
	}
	kt_buf_appendc(out, '\n');
	return NULL;
}

static void append_log(struct kt_buf *out, const struct kt_buf *log)
{
	const char *start = log->data, *end = log->data + log->len;
	const char *nl;

	if ((size_t)(end - start) > LOG_MAX) {
		start = end - LOG_MAX;
		nl = memchr(start, '\n', (size_t)(end - start));
		start = nl ? nl + 1 : start;
		kt_buf_printf(out, "The end of its log, without %zu bytes:\n\n",
			      (size_t)(start - log->data));
	}
	kt_buf_appends(out, "<pre>\n");
	render_append_markup_slice(out, (struct kt_text){start, (size_t)(end - start)}, true);
	kt_buf_appends(out, "</pre>\n\n");
}

static void append_failing(const struct kt_cell_record *record, kt_cell_log_fn log, void *arg,
			   size_t *left, struct kt_buf *out)
{
	struct kt_buf text = KT_BUF_INIT;

	kt_buf_appends(out, "<details><summary>❌ ");
	render_append_markup(out, record->scheduler, false);
	kt_buf_appends(out, " / ");
	render_append_markup(out, record->kernel, false);
	kt_buf_appends(out, " / ");
	render_append_markup(out, record->topology, false);
	kt_buf_appends(out, "</summary>\n\n");
	cells_append_markdown(out, record->reason && record->reason[0] ? record->reason
								       : "no reason is known");
	kt_buf_appends(out, "\n\n");
	for (size_t i = 0; i < record->stats.n; i++)
		if (record->stats.all[i].failed) {
			kt_buf_appends(out, "- failed: ");
			cells_append_markdown(out, record->stats.all[i].name);
			kt_buf_appendc(out, '\n');
		}
	if (log && *left >= LOG_MAX)
		log(arg, record, &text);
	if (text.len) {
		*left -= LOG_MAX;
		kt_buf_appendc(out, '\n');
		append_log(out, &text);
	}
	kt_buf_appends(out, "</details>\n\n");
	out->failed |= text.failed;
	kt_buf_deinit(&text);
}

static void append_count_rows(const struct cells_index *index, const struct cells_counts *counts,
			      struct kt_buf *out)
{
	kt_buf_appends(out, "| kernel |");
	for (size_t p = 0; p < counts->n_programs; p++) {
		struct kt_buf name = KT_BUF_INIT;

		cells_append_program(&name, &counts->programs[p]);
		kt_buf_appendc(out, ' ');
		cells_append_markdown(out, name.data ? name.data : "");
		kt_buf_appends(out, " |");
		out->failed |= name.failed;
		kt_buf_deinit(&name);
	}
	kt_buf_appends(out, "\n|---|");
	for (size_t p = 0; p < counts->n_programs; p++)
		kt_buf_appends(out, "---:|");
	kt_buf_appendc(out, '\n');
	for (size_t k = 0; k < counts->n_kernels; k++) {
		kt_buf_appends(out, "| ");
		cells_append_markdown(out, index->kernel_labels[counts->kernels[k]]);
		for (size_t p = 0; p < counts->n_programs; p++) {
			kt_buf_appends(out, " | ");
			cells_append_range(out, cells_counts_at(counts, k, p));
		}
		kt_buf_appends(out, " |\n");
	}
}

static struct kt_error *append_counts(const struct cells_index *index, struct kt_buf *out)
{
	kt_buf_appends(out, "### verified_insns\n\n");
	for (size_t s = 0; s < index->schedulers.n; s++) {
		_cleanup_(cells_counts_deinit) struct cells_counts counts = {0};
		struct kt_error *err = cells_counts_init(index, s, KT_TRIAL_INSNS, &counts);

		if (err)
			return err;
		if (!counts.n_kernels)
			continue;
		kt_buf_appends(out, "<details><summary>");
		render_append_markup(out, index->schedulers.all[s], false);
		kt_buf_appends(out, "</summary>\n\n");
		append_count_rows(index, &counts, out);
		kt_buf_appends(out, "\n</details>\n\n");
	}
	return NULL;
}

/* Failures come first, unlike in a terminal: nobody scrolls to the end of a summary. */
struct kt_error *cells_markdown(const struct cells_index *index, kt_cell_log_fn log, void *arg,
				struct kt_buf *out)
{
	size_t left = LOGS_MAX;
	struct kt_error *err;

	if (!index->n)
		return NULL;
	kt_buf_printf(out, "## %s %zu passed, %zu failed, %zu skipped\n\n",
		      index->failed ? "❌" : "✅", index->passed, index->failed, index->skipped);
	err = append_grid(index, out);
	if (err)
		return err;
	for (size_t i = 0; i < index->n; i++)
		if (index->cells[i].state == CELLS_FAILED)
			append_failing(index->cells[i].record, log, arg, &left, out);
	return append_counts(index, out);
}

struct kt_error *kt_format_cells_markdown(const struct kt_cell_records *records, kt_cell_log_fn log,
					  void *arg, char **ret)
{
	_cleanup_(cells_index_deinit) struct cells_index index = {0};
	struct kt_error *err = cells_index_init(records, &index);
	struct kt_buf out = KT_BUF_INIT;

	kt_buf_appends(&out, "");
	if (!err)
		err = cells_markdown(&index, log, arg, &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}
