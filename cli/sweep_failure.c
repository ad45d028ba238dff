// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a cell failed, for its record: in a line, in a screen, and the whole log. */
#include <string.h>

#include "cli/sweep_failure.h"
#include "render/verifier_output.h"
#include "util/cleanup.h"

#define LAST_MAX ((size_t)64 << 10) /* bytes; a screen has 4 kB */

/* "rejected_null: reject.bpf.c:12: R0 invalid mem access [Memory Safety]" */
static void append_trial(struct kt_buf *out, const struct kt_trial *trial)
{
	kt_buf_printf(out, "%s: ", trial->name[0] ? trial->name : trial->object);
	if (trial->file && trial->line)
		kt_buf_printf(out, "%s:%u: ", trial->file, trial->line);
	kt_buf_appends(out, trial->message ? trial->message : strerror(trial->errnum));
	if (trial->class)
		kt_buf_printf(out, " [%s]", trial->class);
}

struct kt_error *sweep_trial_stats(const struct kt_trials *trials, struct kt_prog_stats_list *ret)
{
	struct kt_error *err = NULL;

	kt_vec_for_each (&trials->v, trial) {
		struct kt_prog_stats stats = {
			.name = trial->name[0] ? trial->name : trial->object,
			.type = trial->type,
			.tag = trial->program ? (char *)trial->program->tag : NULL,
			.verified_insns = trial->number[KT_TRIAL_INSNS],
			.failed = !trial->passed,
		};

		memcpy(stats.more, trial->number, sizeof(stats.more));
		if (!err)
			err = kt_prog_stats_add(ret, &stats);
	}
	return err;
}

struct kt_error *sweep_failure_reason(const struct kt_trials *trials, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	size_t failed = 0;

	kt_vec_for_each (&trials->v, trial)
		if (!trial->passed && !failed++)
			append_trial(&out, trial);
	if (failed > 1)
		kt_buf_printf(&out, "; and %zu more", failed - 1);
	if (!trials->v.len)
		kt_buf_appends(&out, "the objects have no program");
	return kt_buf_finish(&out, ret);
}

struct kt_error *sweep_failure_log(const struct kt_trials *trials, struct kt_buf *out)
{
	kt_vec_for_each (&trials->v, trial) {
		size_t len = strlen(trial->log);

		if (trial->passed)
			continue;
		kt_buf_append(out, trial->log, len);
		kt_buf_appends(out, len && trial->log[len - 1] != '\n' ? "\n" : "");
	}
	return kt_buf_failed(out) ? kt_error_no_memory() : NULL;
}

struct kt_error *sweep_failure_last(struct kt_text log, char **ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err = kt_format_failures(log, &out);
	const char *end;
	size_t begin;

	if (err || !out.len)
		return err;
	begin = out.data[0] == '\n';
	end = out.len > LAST_MAX ? memrchr(out.data, '\n', LAST_MAX) : NULL;
	*ret = strndup(out.data + begin, (end ? (size_t)(end + 1 - out.data) : out.len) - begin);
	return *ret ? NULL : kt_error_no_memory();
}
