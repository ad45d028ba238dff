// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sys/wait.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/run_json.h"
#include "util/cleanup.h"

static json_t *json_state(const struct scx_state *state)
{
	json_t *object;

	if (!state->known)
		return json_null();
	object = json_object();
	json_object_set_new(object, "state", kt_json_text(state->state));
	json_object_set_new(object, "ops", state->ops[0] ? kt_json_text(state->ops) : json_null());
	return object;
}

static json_t *json_sched_ext(const struct kt_verifier_vm_result *result)
{
	json_t *object = json_object();

	json_object_set_new(object, "sysfs", json_state(&result->sysfs));
	json_object_set_new(object, "memory", json_state(&result->memory));
	json_object_set_new(object, "disagree", json_boolean(kt_sched_ext_disagrees(result)));
	return object;
}

static json_t *json_exit(const struct kt_verifier_vm_result *result)
{
	int status = result->exit_status;

	if (!result->exited)
		return json_null();
	return json_integer(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

json_t *render_run_json(const char *scheduler, const struct kt_verifier_vm_result *result)
{
	_cleanup_(kt_buf_deinit) struct kt_buf reason = KT_BUF_INIT;
	enum kt_verdict verdict = kt_verdict(result);
	json_t *object = json_object();

	kt_verdict_text(result, &reason);
	json_object_set_new(object, "scheduler", kt_json_text(scheduler));
	json_object_set_new(object, "passed", json_boolean(verdict == KT_VERDICT_PASS));
	json_object_set_new(object, "verdict", json_string(kt_verdict_name(verdict)));
	json_object_set_new(object, "reason",
			    reason.failed ? NULL : kt_json_text(reason.data ? reason.data : ""));
	json_object_set_new(object, "attach",
			    json_string(kt_attach_outcome_name(kt_attach_outcome(result))));
	json_object_set_new(object, "ops", kt_json_text(result->ops));
	json_object_set_new(object, "dispatched", json_boolean(result->dispatched));
	json_object_set_new(object, "workload", kt_json_text(result->workload));
	json_object_set_new(object, "exit_code", json_exit(result));
	json_object_set_new(object, "sched_ext", json_sched_ext(result));
	json_object_set_new(object, "damaged_frames", kt_json_u64(result->damaged_frames));
	json_object_set_new(object, "skipped_bytes", kt_json_u64(result->skipped_bytes));
	json_object_set_new(object, "log_dropped", kt_json_u64(result->log_dropped));
	json_object_set_new(
		object, "scheduler_log",
		kt_json_slice((struct kt_text){result->scheduler_log, result->scheduler_log_len}));
	return object;
}

void render_run_json_failed(const struct kt_verifier_vm_result *result, json_t *array)
{
	for (size_t i = 0; i < result->stats.n; i++) {
		const struct kt_prog_stats *stats = &result->stats.all[i];
		json_t *object;

		if (!stats->failed)
			continue;
		object = json_object();
		json_object_set_new(object, "name", kt_json_text(stats->name));
		json_object_set_new(object, "verified_insns",
				    kt_json_number(stats->verified_insns));
		json_array_append_new(array, object);
	}
}
