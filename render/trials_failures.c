// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why programs were not taken: a paragraph for each reason. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "logparse/logs.h"
#include "render/log_last.h"
#include "render/text.h"
#include "render/trials.h"
#include "util/cleanup.h"

/* What libbpf says without a log of the verifier: more lines than that are its own. */
#define WORDS_MAX 2000

struct failure {
	const struct kt_trial *trial;
	KT_VEC(size_t) kernels; /* on which it is the same */
};

struct failures {
	KT_VEC(struct failure) v;
};

static void failures_deinit(struct failures *failures)
{
	kt_vec_for_each (&failures->v, failure)
		kt_vec_free(&failure->kernels);
	kt_vec_free(&failures->v);
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Whether a person would call it the same failure: of the same program, by the same words. */
static bool is_same(const struct kt_trial *a, const struct kt_trial *b)
{
	return same(a->object, b->object) && same(a->name, b->name) &&
	       same(a->section, b->section) && same(a->message, b->message) &&
	       same(a->class, b->class) && (a->message || a->errnum == b->errnum) &&
	       /* Before 6.4 a log does not name the file. */
	       (!a->file || !b->file || (same(a->file, b->file) && a->line == b->line));
}

/* The same program twice on one kernel is two programs. */
static bool has_kernel(const struct failure *failure, size_t kernel)
{
	kt_vec_for_each (&failure->kernels, known)
		if (*known == kernel)
			return true;
	return false;
}

static struct kt_error *add(struct failures *failures, const struct kt_trial *trial, size_t kernel)
{
	struct failure added = {.trial = trial}, *failure = NULL;

	kt_vec_for_each (&failures->v, known)
		if (is_same(known->trial, trial) && !has_kernel(known, kernel))
			failure = known;
	if (!failure) {
		if (!kt_vec_push(&failures->v, added))
			return kt_error_no_memory();
		failure = &failures->v.data[failures->v.len - 1];
	}
	if (!failure->trial->file)
		failure->trial = trial;
	return kt_vec_push(&failure->kernels, kernel) ? NULL : kt_error_no_memory();
}

/* In the order of the programs: kernels come one after the other, and each has its own list. */
static struct kt_error *gather(struct failures *failures,
			       const struct render_kernel_trials *kernels, size_t n)
{
	struct kt_error *err = NULL;
	size_t longest = 0;

	for (size_t k = 0; k < n; k++)
		if (kernels[k].trials && kernels[k].trials->v.len > longest)
			longest = kernels[k].trials->v.len;
	for (size_t i = 0; i < longest; i++)
		for (size_t k = 0; k < n && !err; k++) {
			const struct kt_trials *trials = kernels[k].trials;

			if (trials && i < trials->v.len && !trials->v.data[i].passed)
				err = add(failures, &trials->v.data[i], k);
		}
	return err;
}

static void append_text(struct kt_buf *out, const char *text)
{
	render_append_visible(out, text, false);
}

/*
 * "tc_police", and the object where no place in the source tells it, or another object has that
 * name, too: "tc_police (old/prog.bpf.o)".
 */
static void append_program(const struct kt_trial *trial, bool has_place, struct kt_buf *out)
{
	append_text(out, trial->name[0] ? trial->name : trial->object);
	if (!trial->name[0] || (has_place && !strchr(trial->object, '/')))
		return;
	kt_buf_appends(out, " (");
	append_text(out, trial->object);
	kt_buf_appends(out, ")");
}

/* "tc_police on 6.1.0-50: prog.bpf.c:54: R2 ... [Memory Safety]" */
static void append_head(const struct failure *failure, const struct render_kernel_trials *kernels,
			size_t n, bool color, struct kt_buf *out)
{
	const struct kt_trial *trial = failure->trial;

	kt_buf_appends(out, color ? "\033[1;31m" : "");
	append_program(trial, trial->file, out);
	for (size_t i = 0; i < failure->kernels.len && n > 1; i++) {
		kt_buf_appends(out, i ? ", " : " on ");
		render_kernel_name(kernels, n, failure->kernels.data[i], out);
	}
	kt_buf_appends(out, color ? "\033[0m: " : ": ");
	if (trial->file) {
		append_text(out, trial->file);
		kt_buf_printf(out, ":%" PRIu32 ": ", trial->line);
	}
	if (trial->message)
		append_text(out, trial->message);
	else
		kt_buf_printf(out, "the load failed: %s", strerror(trial->errnum));
	if (trial->class) {
		kt_buf_appends(out, " [");
		append_text(out, trial->class);
		kt_buf_appendc(out, ']');
	}
	kt_buf_appendc(out, '\n');
}

/* Each line two columns in, like those of --last. */
static void append_words(const char *words, size_t len, struct kt_buf *out)
{
	struct kt_text rest = {words, len > WORDS_MAX ? WORDS_MAX : len}, line;

	while (kt_text_next_line(&rest, &line)) {
		kt_buf_appends(out, "  ");
		render_append_visible_bytes(out, line.data, line.len, false);
		kt_buf_appendc(out, '\n');
	}
	if (len > WORDS_MAX)
		kt_buf_appends(out, "  ... (all of it: --raw)\n");
}

/* What leads to the error, without its first line, which the head has. */
static struct kt_error *append_last(const struct kt_log_block *found, struct kt_buf *out)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	struct kt_log_block block = *found;
	struct kt_text rest, first;
	struct kt_error *err;

	block.program = (struct kt_text){0};
	block.loader.program = (struct kt_text){0};
	err = render_log_last_of(&block, &text);
	rest = (struct kt_text){text.data, text.len};
	if (!err && kt_text_next_line(&rest, &first))
		render_append_visible_bytes(out, rest.data, rest.len, true);
	return err;
}

/* The last log that failed says why. */
static struct kt_error *append_why(const struct kt_trial *trial, struct kt_buf *out)
{
	_cleanup_(kt_logs_deinit) struct kt_logs logs = {0};
	struct kt_error *err = kt_logs_find((struct kt_text){trial->log, strlen(trial->log)}, NULL,
					    &logs);
	struct kt_log_outcome outcome;

	for (size_t i = logs.v.len; i && !err; i--) {
		kt_log_find_outcome_of(&logs.v.data[i - 1], &outcome);
		if (!logs.v.data[i - 1].btf && outcome.outcome == KT_LAST_FAILED &&
		    outcome.headline.len)
			return append_last(&logs.v.data[i - 1], out);
	}
	if (!err)
		append_words(trial->log, strlen(trial->log), out);
	return err;
}

/* Loaded, but not attached, or not run. */
static void append_refused_one(const struct kt_trial *trial, struct kt_buf *out)
{
	if (trial->attach == KT_ATTACH_REFUSED) {
		kt_buf_appends(out, ": it loads, but is not attached to ");
		append_text(out, trial->place ? trial->place : "?");
	}
	if (trial->ran == KT_TEST_RUN_REFUSED)
		kt_buf_printf(out, "%s BPF_PROG_TEST_RUN does not run it: %s",
			      trial->attach == KT_ATTACH_REFUSED ? ";" : ":",
			      strerror((int)trial->retval));
	kt_buf_appendc(out, '\n');
}

static void append_refused(const struct render_kernel_trials *kernels, size_t n, struct kt_buf *out)
{
	bool any = false;

	for (size_t k = 0; k < n; k++) {
		if (!kernels[k].trials)
			continue;
		kt_vec_for_each (&kernels[k].trials->v, trial) {
			if (!kt_trial_is_refused(trial))
				continue;
			any = true;
			append_program(trial, true, out);
			if (n > 1) {
				kt_buf_appends(out, " on ");
				render_kernel_name(kernels, n, k, out);
			}
			append_refused_one(trial, out);
		}
	}
	if (any)
		kt_buf_appendc(out, '\n');
}

/* "2 of 8 rejected", or that nothing was loaded at all. */
static void append_not_attached(const struct render_kernel_trials *kernels, size_t n,
				struct kt_buf *out)
{
	size_t refused = 0;

	for (size_t i = 0; i < n; i++)
		refused += kernels[i].trials ? kt_trials_refused(kernels[i].trials) : 0;
	if (refused)
		kt_buf_printf(out, ", %zu more %s not attached or not run", refused,
			      refused == 1 ? "is" : "are");
}

static bool cut_off(const struct render_kernel_trials *kernels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (kernels[i].trials && kernels[i].trials->cut_off)
			return true;
	return false;
}

/* ", and then the run was cut off (6.1.0-50)" */
static void append_cut_off(const struct render_kernel_trials *kernels, size_t n, struct kt_buf *out)
{
	bool first = true;

	if (!cut_off(kernels, n))
		return;
	kt_buf_appends(out, ", and then the run was cut off");
	for (size_t i = 0; i < n && n > 1; i++) {
		if (!kernels[i].trials || !kernels[i].trials->cut_off)
			continue;
		kt_buf_appends(out, first ? " (" : ", ");
		render_kernel_name(kernels, n, i, out);
		first = false;
	}
	kt_buf_appends(out, n > 1 ? ")" : "");
}

static void append_count(const struct render_kernel_trials *kernels, size_t n, struct kt_buf *out)
{
	size_t all = 0, failed = 0, tried = 0, each = 0;
	bool even = true;
	uint64_t left_out = 0;

	for (size_t i = 0; i < n; i++) {
		if (!kernels[i].trials)
			continue;
		tried++;
		even &= tried == 1 || each == kernels[i].trials->v.len;
		each = kernels[i].trials->v.len;
		all += each;
		failed += kt_trials_failed(kernels[i].trials);
		left_out = kernels[i].trials->left_out;
	}
	if (!tried)
		return;
	if (!all && left_out)
		kt_buf_printf(
			out,
			"nothing was loaded: the filter (--name, --type) lets none of the %" PRIu64
			" programs through",
			left_out);
	else if (!all)
		kt_buf_appends(out, "nothing was loaded: the objects have no programs");
	else if (!failed && !cut_off(kernels, n) && even && tried > 1)
		kt_buf_printf(out, each == 1 ? "%zu program loaded" : "all %zu programs loaded",
			      each);
	else if (!failed && !cut_off(kernels, n))
		kt_buf_printf(out, all == 1 ? "%zu program loaded" : "all %zu programs loaded",
			      all);
	else
		kt_buf_printf(out, "%zu of %zu programs failed to load", failed, all);
	if (all && tried > 1)
		kt_buf_printf(out,
			      !failed && !cut_off(kernels, n) && even
				      ? " on each of %zu kernels"
				      : ", counted on each of %zu kernels",
			      tried);
	append_cut_off(kernels, n, out);
	append_not_attached(kernels, n, out);
	kt_buf_appendc(out, '\n');
}

struct kt_error *render_trials_failures(const struct render_kernel_trials *kernels, size_t n,
					bool raw, bool color, struct kt_buf *out)
{
	_cleanup_(failures_deinit) struct failures failures = {0};
	struct kt_error *err = gather(&failures, kernels, n);

	kt_vec_for_each (&failures.v, failure) {
		if (err)
			break;
		append_head(failure, kernels, n, color, out);
		if (raw)
			render_append_visible(out, failure->trial->log, true);
		else
			err = append_why(failure->trial, out);
		kt_buf_appendc(out, '\n');
	}
	append_refused(kernels, n, out);
	append_count(kernels, n, out);
	return err ? err : kt_buf_failed(out) ? kt_error_no_memory() : NULL;
}
