// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/objects.h"
#include "render/sched.h"

static const char *const kinds[SCX_N_QUEUE_KINDS] = {
	[SCX_QUEUE_LOCAL] = "local",   [SCX_QUEUE_REJECT] = "reject", [SCX_QUEUE_RESCUE] = "rescue",
	[SCX_QUEUE_GLOBAL] = "global", [SCX_QUEUE_BYPASS] = "bypass", [SCX_QUEUE_USER] = "user",
};

const char *render_queue_kind(enum scx_queue_kind kind)
{
	return kinds[kind];
}

static json_t *yes_no(struct program_number number)
{
	return number.known ? json_boolean(number.value) : json_null();
}

/* A number with a sign. */
static json_t *integer(struct program_number number)
{
	return number.known ? json_integer((json_int_t)number.value) : json_null();
}

/* "ONLINE|BYPASSING" as an array. */
static json_t *names(const char *text)
{
	json_t *array;

	if (!text)
		return json_null();
	array = json_array();
	while (*text) {
		size_t len = strcspn(text, "|");

		json_array_append_new(array, json_stringn(text, len));
		text += len + (text[len] == '|');
	}
	return array;
}

static json_t *index_of(size_t index)
{
	return index == SCX_NOBODY ? json_null() : json_integer((json_int_t)index);
}

json_t *render_scx_task_json(const struct scx_task *task)
{
	json_t *object = json_object();

	json_object_set_new(object, "pid", kt_json_number(task->pid));
	json_object_set_new(object, "tgid", kt_json_number(task->tgid));
	json_object_set_new(object, "comm", kt_json_text(task->comm[0] ? task->comm : NULL));
	json_object_set_new(object, "cpu", kt_json_number(task->cpu));
	json_object_set_new(object, "weight", kt_json_number(task->weight));
	json_object_set_new(object, "slice_ns", kt_json_number(task->slice_ns));
	json_object_set_new(object, "vtime", kt_json_number(task->vtime));
	json_object_set_new(object, "flags", kt_json_number(task->flags));
	json_object_set_new(object, "flag_names", names(task->flag_names));
	json_object_set_new(object, "scheduler", index_of(task->scheduler));
	return object;
}

static json_t *queue_json(const struct scx_queue *queue)
{
	json_t *object = json_object(), *tasks = json_array();

	for (size_t i = 0; i < queue->n_tasks; i++) {
		json_t *task = render_scx_task_json(&queue->tasks[i]);

		json_object_set_new(task, "waits_ms", kt_json_number(queue->tasks[i].waits_ms));
		json_array_append_new(tasks, task);
	}
	json_object_set_new(object, "kind", json_string(kinds[queue->kind]));
	json_object_set_new(object, "id", kt_json_u64(queue->id));
	json_object_set_new(object, "cpu", kt_json_number(queue->cpu));
	json_object_set_new(object, "node", kt_json_number(queue->node));
	json_object_set_new(object, "scheduler", index_of(queue->scheduler));
	json_object_set_new(object, "depth", kt_json_number(queue->depth));
	json_object_set_new(object, "by_vtime", json_boolean(queue->is_by_vtime));
	json_object_set_new(object, "torn", json_boolean(queue->is_torn));
	json_object_set_new(object, "cut", json_boolean(queue->is_cut));
	json_object_set_new(object, "uneven", json_boolean(queue->is_uneven));
	json_object_set_new(object, "tasks", tasks);
	return object;
}

static json_t *cpu_json(const struct scx_snapshot *snapshot, const struct scx_cpu *cpu)
{
	json_t *object = json_object(), *current = json_null();

	if (cpu->has_current) {
		current = render_scx_task_json(&cpu->current);
		json_object_set_new(current, "sched_ext", json_boolean(cpu->current.is_ext));
	}
	json_object_set_new(object, "cpu", json_integer(cpu->cpu));
	json_object_set_new(object, "online", yes_no(cpu->online));
	json_object_set_new(object, "nr_running", kt_json_number(cpu->nr_running));
	json_object_set_new(object, "flags", kt_json_number(cpu->flags));
	json_object_set_new(object, "flag_names", names(cpu->flag_names));
	json_object_set_new(object, "idle", yes_no(cpu->idle));
	json_object_set_new(object, "idle_core", yes_no(cpu->idle_core));
	json_object_set_new(object, "local_depth",
			    cpu->queue == SCX_NOBODY
				    ? json_null()
				    : kt_json_number(snapshot->queues[cpu->queue].depth));
	json_object_set_new(object, "current", current);
	return object;
}

json_t *render_scx_exit_json(const struct scx_exit *exit)
{
	json_t *object = json_object(), *frames = json_array();

	for (size_t i = 0; i < exit->n_frames; i++) {
		const struct scx_frame *frame = &exit->frames[i];
		json_t *one = json_object();

		json_object_set_new(one, "addr", kt_json_u64(frame->addr));
		json_object_set_new(one, "func", kt_json_text(frame->func));
		json_object_set_new(one, "offset",
				    frame->func ? json_integer((json_int_t)frame->offset)
						: json_null());
		json_object_set_new(one, "module", kt_json_text(frame->module));
		json_array_append_new(frames, one);
	}
	json_object_set_new(object, "kind", kt_json_number(exit->kind));
	json_object_set_new(object, "kind_name", kt_json_text(exit->kind_name));
	json_object_set_new(object, "complete", json_boolean(exit->is_complete));
	json_object_set_new(object, "code", integer(exit->code));
	json_object_set_new(object, "cpu", kt_json_number(exit->cpu));
	json_object_set_new(object, "reason", kt_json_text(exit->reason));
	json_object_set_new(object, "message", kt_json_text(exit->message));
	json_object_set_new(object, "backtrace", frames);
	json_object_set_new(object, "dump", kt_json_text(exit->dump));
	json_object_set_new(object, "dump_cut", json_boolean(exit->dump_is_cut));
	return object;
}

static json_t *ops_json(const struct scx_scheduler *scheduler)
{
	json_t *array = json_array();

	for (size_t i = 0; i < scheduler->n_ops; i++) {
		const struct scx_op *op = &scheduler->all_ops[i];
		json_t *object = json_object();

		json_object_set_new(object, "op", kt_json_text(op->name));
		json_object_set_new(object, "id", kt_json_number(op->prog_id));
		json_object_set_new(object, "name", kt_json_text(op->prog_name));
		json_object_set_new(object, "verified_insns", kt_json_number(op->verified_insns));
		json_object_set_new(object, "run_cnt", kt_json_number(op->run_cnt));
		json_object_set_new(object, "run_time_ns", kt_json_number(op->run_time_ns));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *events_json(const struct scx_scheduler *scheduler)
{
	json_t *array = json_array();

	for (size_t i = 0; i < scheduler->n_events; i++) {
		json_t *object = json_object();

		json_object_set_new(object, "name", kt_json_text(scheduler->events[i].name));
		json_object_set_new(object, "value", json_integer(scheduler->events[i].value));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *scheduler_json(const struct scx_scheduler *scheduler)
{
	json_t *object = json_object();

	json_object_set_new(object, "ops", kt_json_text(scheduler->ops));
	json_object_set_new(object, "root", json_boolean(scheduler->is_root));
	json_object_set_new(object, "attached", json_boolean(scheduler->is_attached));
	json_object_set_new(object, "flags", kt_json_number(scheduler->flags));
	json_object_set_new(object, "flag_names", names(scheduler->flag_names));
	json_object_set_new(object, "timeout_ms", kt_json_number(scheduler->timeout_ms));
	json_object_set_new(object, "since_ns", kt_json_number(scheduler->since_ns));
	json_object_set_new(object, "map_id", kt_json_number(scheduler->map_id));
	json_object_set_new(object, "programs",
			    scheduler->ops_known ? ops_json(scheduler) : json_null());
	json_object_set_new(object, "bypass_depth", integer(scheduler->bypass_depth));
	json_object_set_new(object, "aborting", yes_no(scheduler->aborting));
	json_object_set_new(object, "events",
			    scheduler->events_known ? events_json(scheduler) : json_null());
	json_object_set_new(object, "exit", render_scx_exit_json(&scheduler->exit));
	json_object_set_new(object, "parent", index_of(scheduler->parent));
	json_object_set_new(object, "level", kt_json_number(scheduler->level));
	json_object_set_new(object, "cgroup_id", kt_json_number(scheduler->cgroup_id));
	json_object_set_new(object, "cgroup", kt_json_text(scheduler->cgroup));
	return object;
}

json_t *render_sched_object(const struct scx_snapshot *snapshot)
{
	json_t *root = json_object(), *schedulers = json_array();
	json_t *cpus = json_array(), *queues = json_array();

	for (size_t i = 0; i < snapshot->n_schedulers; i++)
		json_array_append_new(schedulers, scheduler_json(&snapshot->schedulers[i]));
	for (size_t i = 0; i < snapshot->n_cpus; i++)
		json_array_append_new(cpus, cpu_json(snapshot, &snapshot->cpus[i]));
	for (size_t i = 0; i < snapshot->n_queues; i++)
		json_array_append_new(queues, queue_json(&snapshot->queues[i]));
	json_object_set_new(root, "state",
			    kt_json_text(snapshot->state.known ? snapshot->state.state : NULL));
	json_object_set_new(root, "switched_all", yes_no(snapshot->switched_all));
	json_object_set_new(root, "enable_seq", kt_json_number(snapshot->enable_seq));
	json_object_set_new(root, "hotplug_seq", kt_json_number(snapshot->hotplug_seq));
	json_object_set_new(root, "nr_rejected", kt_json_number(snapshot->nr_rejected));
	json_object_set_new(root, "hz", kt_json_number(snapshot->hz));
	json_object_set_new(root, "watchdog_timeout_ms",
			    kt_json_number(snapshot->watchdog_timeout_ms));
	json_object_set_new(root, "watchdog_age_ms", kt_json_number(snapshot->watchdog_age_ms));
	json_object_set_new(root, "torn", json_boolean(snapshot->is_torn));
	json_object_set_new(root, "unreadable", json_integer((json_int_t)snapshot->n_unreadable));
	json_object_set_new(root, "schedulers", schedulers);
	json_object_set_new(root, "cpus", cpus);
	json_object_set_new(root, "queues", queues);
	return root;
}

struct kt_error *render_sched_json(const struct scx_snapshot *snapshot,
				   const struct render_guest *guest, char **ret)
{
	json_t *root = json_object();

	json_object_set_new(root, "schema", json_string("ktstr-gdb.sched.v1"));
	json_object_set_new(root, "kernel", render_json_kernel(guest));
	json_object_set_new(root, "pause_us", json_integer(guest->pause_us));
	json_object_set_new(root, "sched", render_sched_object(snapshot));
	return kt_json_dump(root, ret);
}
