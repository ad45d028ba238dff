// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "logparse/blocks.h"
#include "logparse/last.h"
#include "render/log_last.h"
#include "render/verifier_output.h"
#include "util/cleanup.h"
#include "util/vec.h"

static void append_state(const struct scx_state *state, struct kt_buf *out)
{
	kt_buf_printf(out, "\"%s\"", state->state);
	if (state->ops[0])
		kt_buf_printf(out, " with %s", state->ops);
}

/* How the scheduler ended when it was told to. Nothing is printed if it exited with 0. */
static void append_end(const struct kt_verifier_vm_result *result, struct kt_buf *out)
{
	if (result->end_reported && !result->exited)
		kt_buf_appends(out, "  did not end when told to, nor when it was killed\n");
	if (!result->exited || result->exited_early || !result->exit_status)
		return;
	if (WIFSIGNALED(result->exit_status) && WTERMSIG(result->exit_status) == SIGKILL) {
		kt_buf_appends(out, "  did not end when told to, and was killed\n");
		return;
	}
	kt_buf_appends(out, "  when told to end: ");
	kt_append_wait_status(out, result->exit_status);
	kt_buf_appendc(out, '\n');
}

static void append_outcome(const struct kt_verifier_vm_result *result, struct kt_buf *out)
{
	enum kt_attach_outcome outcome = kt_attach_outcome(result);

	kt_buf_printf(out, "  %s%s", kt_attach_outcome_name(outcome),
		      outcome == KT_ATTACH_DIED ? " before it attached" : "");
	if (outcome == KT_ATTACH_ATTACHED && result->ops && result->ops[0])
		kt_buf_printf(out, ": sched_ext is enabled with %s", result->ops);
	kt_buf_appendc(out, '\n');
	if (outcome == KT_ATTACH_ATTACHED && result->workload)
		kt_buf_printf(out, "  %s: %s\n",
			      result->dispatched ? "dispatched" : "not dispatched",
			      result->workload);
	append_end(result, out);
	if (kt_sched_ext_disagrees(result)) {
		kt_buf_appends(out, "  DISAGREEMENT: the guest says that sched_ext is ");
		append_state(&result->sysfs, out);
		kt_buf_appends(out, ", its memory has ");
		append_state(&result->memory, out);
		kt_buf_appendc(out, '\n');
	}
	if (result->damaged_frames || result->skipped_bytes)
		kt_buf_printf(out,
			      "  DAMAGED: %" PRIu64 " frames from the guest, and %" PRIu64
			      " bytes between frames: some of what it said is missing\n",
			      result->damaged_frames, result->skipped_bytes);
}

static void append_program(const struct kt_prog_stats *program, struct kt_buf *out)
{
	kt_buf_printf(out, "  %-40s verified_insns=", program->name);
	if (program->verified_insns.known)
		kt_buf_printf(out, "%" PRIu64, program->verified_insns.value);
	else
		kt_buf_appendc(out, '-');
	kt_buf_appends(out, program->failed ? " FAILED\n" : "\n");
}

/* "  processed=N  states=PEAK/TOTAL  time=Tus  stack=S", without what is unknown; or no line. */
static void append_stats(struct kt_text log, struct kt_buf *out)
{
	struct kt_verifier_stats stats;
	size_t begin = out->len;

	if (!kt_parse_verifier_stats(log, &stats, NULL, NULL))
		return;
	kt_buf_appendc(out, ' ');
	if (stats.has[KT_STAT_PROCESSED])
		kt_buf_printf(out, " processed=%" PRIu64 " ", stats.value[KT_STAT_PROCESSED]);
	if (stats.has[KT_STAT_PEAK_STATES] && stats.has[KT_STAT_TOTAL_STATES])
		kt_buf_printf(out, " states=%" PRIu64 "/%" PRIu64 " ",
			      stats.value[KT_STAT_PEAK_STATES], stats.value[KT_STAT_TOTAL_STATES]);
	if (stats.has[KT_STAT_TIME])
		kt_buf_printf(out, " time=%" PRIu64 "us ", stats.value[KT_STAT_TIME]);
	if (stats.stack.len)
		kt_buf_printf(out, " stack=%.*s ", (int)stats.stack.len, stats.stack.data);
	else if (stats.has[KT_STAT_STACK_MAX]) /* 7.3 prints only the largest */
		kt_buf_printf(out, " stack=%" PRIu64 " ", stats.value[KT_STAT_STACK_MAX]);
	while (out->len > begin && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	if (out->len > begin)
		kt_buf_appendc(out, '\n');
}

/* Real logs have a few. A hostile one could have one in each line. */
#define FAILURES_MAX 1000

struct failures {
	KT_VEC(struct kt_log_block) v;
};

static void failures_deinit(struct failures *failures)
{
	kt_vec_free(&failures->v);
}

/* libbpf may load a program twice. Then the last log counts. */
static bool add_failure(struct failures *failures, const struct kt_log_block *block)
{
	struct kt_text name = block->program;

	kt_vec_for_each (&failures->v, known) {
		if (!name.len || !kt_text_equals(known->program, name))
			continue;
		*known = *block;
		return true;
	}
	return kt_vec_push(&failures->v, *block);
}

struct kt_error *kt_format_failures(struct kt_text log, struct kt_buf *out)
{
	_cleanup_(failures_deinit) struct failures failures = {0};
	struct kt_error *err = NULL;
	struct kt_log_blocks it;
	struct kt_log_block block;

	kt_log_blocks_init(&it, log);
	while (failures.v.len < FAILURES_MAX && kt_log_blocks_next(&it, &block)) {
		struct kt_log_outcome outcome;

		kt_log_find_outcome(block.trace, &outcome);
		if (outcome.outcome == KT_LAST_FAILED && !block.btf &&
		    !add_failure(&failures, &block))
			return kt_error_no_memory();
	}
	kt_vec_for_each (&failures.v, failure) {
		kt_buf_appendc(out, '\n');
		err = render_log_last(failure->trace, failure->program, out);
		if (err)
			break;
	}
	return err;
}

static struct kt_error *append_log(const struct kt_verifier_vm_result *result, struct kt_text log,
				   bool raw, struct kt_buf *out)
{
	struct kt_error *err = NULL;

	kt_buf_appendc(out, '\n');
	if (raw)
		kt_buf_append(out, log.data, log.len);
	else
		err = kt_collapse_blocks_to(log, NULL, kt_sink_append, out);
	if (log.data[log.len - 1] != '\n')
		kt_buf_appendc(out, '\n');
	if (result->log_dropped)
		kt_buf_printf(out, "[... %" PRIu64 " bytes more were too many to keep ...]\n",
			      result->log_dropped);
	return err;
}

struct kt_error *kt_format_verifier_output(const char *label,
					   const struct kt_verifier_vm_result *result, bool raw,
					   struct kt_buf *out)
{
	struct kt_text log = {result->scheduler_log, result->scheduler_log_len};
	struct kt_error *err = NULL;

	kt_buf_printf(out, "%s: ", label);
	if (kt_verdict(result) == KT_VERDICT_PASS) {
		kt_buf_appends(out, "PASS");
	} else {
		kt_buf_appends(out, kt_verdict_is_unknown(kt_verdict(result)) ? "" : "FAIL, ");
		kt_verdict_text(result, out);
	}
	kt_buf_appendc(out, '\n');
	append_outcome(result, out);
	for (size_t i = 0; i < result->stats.n; i++)
		append_program(&result->stats.all[i], out);
	if (log.len) {
		append_stats(log, out);
		if (!raw)
			err = kt_format_failures(log, out);
		if (!err)
			err = append_log(result, log, raw, out);
	}
	if (!err && out->failed)
		err = kt_error_no_memory();
	return err;
}
