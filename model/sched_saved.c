// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/json.h"
#include "model/sched_saved.h"
#include "util/buf.h"
#include "util/cleanup.h"

/*
 * As many of each kind as what writes the file reads from a guest, at most: introspect/scx_sched.c,
 * scx_queue.c, stack.h; CPUs as PERCPU_MASK_MAX has bits. Programs are members of sched_ext_ops.
 */
#define MAX_SCHEDULERS 100
#define MAX_PROGRAMS   1024
#define MAX_EVENTS     1024
#define MAX_FRAMES     64
#define MAX_CPUS       8192
#define MAX_QUEUES     20000
#define MAX_TASKS      20000 /* in all queues together */

/* While it is read: the first allocation that fails fails all, and so does what is too many. */
struct reader {
	bool no_memory;
	const char *too_many; /* "queues"; NULL: nothing is */
	size_t n_tasks;       /* in queues, until now */
};

/* --- values --- */

static struct program_number number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	struct program_number ret = {0};

	if (json_is_boolean(value))
		return (struct program_number){true, json_is_true(value)};
	if (json_is_integer(value) && json_integer_value(value) < 0)
		return (struct program_number){true, (uint64_t)json_integer_value(value)};
	ret.known = kt_json_get_u64(value, &ret.value);
	return ret;
}

static bool is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static char *text(struct reader *r, const json_t *object, const char *key)
{
	const char *value = kt_json_get_text(json_object_get(object, key));
	char *ret = value ? strdup(value) : NULL;

	r->no_memory |= value && !ret;
	return ret;
}

static void fixed_text(const json_t *object, const char *key, char *to, size_t size)
{
	const char *value = kt_json_get_text(json_object_get(object, key));

	snprintf(to, size, "%s", value ? value : "");
}

/* ["ONLINE", "BYPASSING"] to "ONLINE|BYPASSING" */
static char *joined(struct reader *r, const json_t *object, const char *key)
{
	const json_t *array = json_object_get(object, key);
	struct kt_buf buf = KT_BUF_INIT;
	char *ret = NULL;

	if (!json_is_array(array))
		return NULL;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *word = kt_json_get_text(json_array_get(array, i));

		kt_buf_printf(&buf, "%s%s", i ? "|" : "", word ? word : "?");
	}
	kt_error_destroy(kt_buf_finish(&buf, &ret));
	r->no_memory |= !ret;
	return ret;
}

/* Room for the array's elements, max at most; NULL and 0 if it is none. what: their name. */
static void *room(struct reader *r, const json_t *array, size_t size, size_t max, const char *what,
		  size_t *n)
{
	void *ret;

	*n = json_is_array(array) ? json_array_size(array) : 0;
	if (*n > max) {
		r->too_many = what;
		*n = 0;
	}
	ret = *n ? calloc(*n, size) : NULL;
	if (*n && !ret) {
		r->no_memory = true;
		*n = 0;
	}
	return ret;
}

static size_t scheduler_index(const json_t *object, const char *key, size_t n)
{
	struct program_number index = number(object, key);

	return index.known && index.value < n ? (size_t)index.value : SCX_NOBODY;
}

/* --- parts --- */

static void read_task(struct reader *r, const json_t *object, size_t n_schedulers,
		      struct scx_task *out)
{
	out->pid = number(object, "pid");
	out->tgid = number(object, "tgid");
	fixed_text(object, "comm", out->comm, sizeof(out->comm));
	out->cpu = number(object, "cpu");
	out->waits_ms = number(object, "waits_ms");
	out->weight = number(object, "weight");
	out->slice_ns = number(object, "slice_ns");
	out->vtime = number(object, "vtime");
	out->flags = number(object, "flags");
	out->flag_names = joined(r, object, "flag_names");
	out->is_ext = is_true(object, "sched_ext");
	out->scheduler = scheduler_index(object, "scheduler", n_schedulers);
}

static void read_exit(struct reader *r, const json_t *object, struct scx_exit *out)
{
	const json_t *frames = json_object_get(object, "backtrace");

	out->kind = number(object, "kind");
	out->kind_name = text(r, object, "kind_name");
	out->is_complete = is_true(object, "complete");
	out->code = number(object, "code");
	out->cpu = number(object, "cpu");
	out->reason = text(r, object, "reason");
	out->message = text(r, object, "message");
	out->dump = text(r, object, "dump");
	out->dump_is_cut = is_true(object, "dump_cut");
	out->frames = room(r, frames, sizeof(*out->frames), MAX_FRAMES, "frames of a stack",
			   &out->n_frames);
	for (size_t i = 0; i < out->n_frames; i++) {
		const json_t *frame = json_array_get(frames, i);

		out->frames[i].addr = number(frame, "addr").value;
		out->frames[i].func = text(r, frame, "func");
		out->frames[i].module = text(r, frame, "module");
		out->frames[i].offset = number(frame, "offset").value;
	}
}

static void read_scheduler(struct reader *r, const json_t *object, size_t n_schedulers,
			   struct scx_scheduler *out)
{
	const json_t *ops = json_object_get(object, "programs");
	const json_t *events = json_object_get(object, "events");

	out->ops = text(r, object, "ops");
	out->is_root = is_true(object, "root");
	out->is_attached = is_true(object, "attached");
	out->flags = number(object, "flags");
	out->flag_names = joined(r, object, "flag_names");
	out->timeout_ms = number(object, "timeout_ms");
	out->since_ns = number(object, "since_ns");
	out->map_id = number(object, "map_id");
	out->bypass_depth = number(object, "bypass_depth");
	out->aborting = number(object, "aborting");
	out->parent = scheduler_index(object, "parent", n_schedulers);
	out->level = number(object, "level");
	out->cgroup_id = number(object, "cgroup_id");
	out->cgroup = text(r, object, "cgroup");
	read_exit(r, json_object_get(object, "exit"), &out->exit);
	out->ops_known = json_is_array(ops);
	out->all_ops = room(r, ops, sizeof(*out->all_ops), MAX_PROGRAMS, "programs of a scheduler",
			    &out->n_ops);
	for (size_t i = 0; i < out->n_ops; i++) {
		const json_t *op = json_array_get(ops, i);

		out->all_ops[i].name = text(r, op, "op");
		out->all_ops[i].prog_id = number(op, "id");
		out->all_ops[i].prog_name = text(r, op, "name");
		out->all_ops[i].verified_insns = number(op, "verified_insns");
		out->all_ops[i].run_cnt = number(op, "run_cnt");
		out->all_ops[i].run_time_ns = number(op, "run_time_ns");
	}
	out->events_known = json_is_array(events);
	out->events = room(r, events, sizeof(*out->events), MAX_EVENTS, "events of a scheduler",
			   &out->n_events);
	for (size_t i = 0; i < out->n_events; i++) {
		const json_t *event = json_array_get(events, i);

		out->events[i].name = text(r, event, "name");
		out->events[i].value = (int64_t)number(event, "value").value;
	}
}

static void read_cpu(struct reader *r, const json_t *object, size_t n_schedulers,
		     struct scx_cpu *out)
{
	const json_t *current = json_object_get(object, "current");

	out->cpu = (uint32_t)number(object, "cpu").value;
	out->online = number(object, "online");
	out->nr_running = number(object, "nr_running");
	out->flags = number(object, "flags");
	out->flag_names = joined(r, object, "flag_names");
	out->idle = number(object, "idle");
	out->idle_core = number(object, "idle_core");
	out->has_current = json_is_object(current);
	if (out->has_current)
		read_task(r, current, n_schedulers, &out->current);
	out->queue = SCX_NOBODY;
}

static enum scx_queue_kind queue_kind(const json_t *object)
{
	static const char *const kinds[SCX_N_QUEUE_KINDS] = {
		[SCX_QUEUE_LOCAL] = "local",   [SCX_QUEUE_REJECT] = "reject",
		[SCX_QUEUE_RESCUE] = "rescue", [SCX_QUEUE_GLOBAL] = "global",
		[SCX_QUEUE_BYPASS] = "bypass", [SCX_QUEUE_USER] = "user",
	};
	const char *name = kt_json_get_text(json_object_get(object, "kind"));

	for (enum scx_queue_kind i = 0; name && i < SCX_N_QUEUE_KINDS; i++)
		if (kinds[i] && !strcmp(kinds[i], name))
			return i;
	return SCX_QUEUE_USER;
}

static void read_queue(struct reader *r, const json_t *object, size_t n_schedulers,
		       struct scx_queue *out)
{
	const json_t *tasks = json_object_get(object, "tasks");
	struct program_number id = number(object, "id");

	out->kind = queue_kind(object);
	out->id = id.value;
	out->id_known = id.known;
	out->cpu = number(object, "cpu");
	out->node = number(object, "node");
	out->scheduler = scheduler_index(object, "scheduler", n_schedulers);
	out->depth = number(object, "depth");
	out->is_by_vtime = is_true(object, "by_vtime");
	out->is_torn = is_true(object, "torn");
	out->is_cut = is_true(object, "cut");
	out->is_uneven = is_true(object, "uneven");
	out->tasks = room(r, tasks, sizeof(*out->tasks), MAX_TASKS - r->n_tasks, "tasks",
			  &out->n_tasks);
	r->n_tasks += out->n_tasks;
	for (size_t i = 0; i < out->n_tasks; i++)
		read_task(r, json_array_get(tasks, i), n_schedulers, &out->tasks[i]);
}

/* The local queue of each CPU: the first one that says so. */
static void find_local(struct reader *r, struct scx_snapshot *out)
{
	_cleanup_free_ size_t *of_cpu = calloc(MAX_CPUS, sizeof(*of_cpu)); /* index + 1 */

	if (!of_cpu) {
		r->no_memory = true;
		return;
	}
	for (size_t i = out->n_queues; i-- > 0;) {
		const struct scx_queue *queue = &out->queues[i];

		if (queue->kind == SCX_QUEUE_LOCAL && queue->cpu.known &&
		    queue->cpu.value < MAX_CPUS)
			of_cpu[queue->cpu.value] = i + 1;
	}
	for (size_t i = 0; i < out->n_cpus; i++) {
		struct scx_cpu *cpu = &out->cpus[i];

		if (cpu->cpu < MAX_CPUS && of_cpu[cpu->cpu])
			cpu->queue = of_cpu[cpu->cpu] - 1;
	}
}

static void read_snapshot(struct reader *r, const json_t *object, struct scx_snapshot *out)
{
	const json_t *schedulers = json_object_get(object, "schedulers");
	const json_t *cpus = json_object_get(object, "cpus");
	const json_t *queues = json_object_get(object, "queues");

	fixed_text(object, "state", out->state.state, sizeof(out->state.state));
	out->state.known = *out->state.state;
	out->switched_all = number(object, "switched_all");
	out->enable_seq = number(object, "enable_seq");
	out->hotplug_seq = number(object, "hotplug_seq");
	out->nr_rejected = number(object, "nr_rejected");
	out->hz = number(object, "hz");
	out->watchdog_timeout_ms = number(object, "watchdog_timeout_ms");
	out->watchdog_age_ms = number(object, "watchdog_age_ms");
	out->is_torn = is_true(object, "torn");
	out->n_unreadable = (size_t)number(object, "unreadable").value;
	out->schedulers = room(r, schedulers, sizeof(*out->schedulers), MAX_SCHEDULERS,
			       "schedulers", &out->n_schedulers);
	for (size_t i = 0; i < out->n_schedulers; i++)
		read_scheduler(r, json_array_get(schedulers, i), out->n_schedulers,
			       &out->schedulers[i]);
	out->queues = room(r, queues, sizeof(*out->queues), MAX_QUEUES, "queues", &out->n_queues);
	for (size_t i = 0; i < out->n_queues; i++)
		read_queue(r, json_array_get(queues, i), out->n_schedulers, &out->queues[i]);
	out->cpus_known = json_is_array(cpus);
	out->cpus = room(r, cpus, sizeof(*out->cpus), MAX_CPUS, "CPUs", &out->n_cpus);
	for (size_t i = 0; i < out->n_cpus; i++)
		read_cpu(r, json_array_get(cpus, i), out->n_schedulers, &out->cpus[i]);
	find_local(r, out);
}

static void read_dump(struct reader *r, const json_t *root, struct sched_dump *out)
{
	const json_t *frames = json_object_get(root, "stack");
	const json_t *sched = json_object_get(root, "sched");

	out->cpu = number(root, "cpu");
	out->snapshot_known = json_is_object(sched);
	read_snapshot(r, sched, &out->snapshot);
	read_task(r, json_object_get(root, "task"), out->snapshot.n_schedulers, &out->task);
	out->frames = room(r, frames, sizeof(*out->frames), MAX_FRAMES, "frames of a stack",
			   &out->n_frames);
	for (size_t i = 0; i < out->n_frames; i++) {
		const json_t *frame = json_array_get(frames, i);

		out->frames[i].addr = number(frame, "addr").value;
		out->frames[i].func = text(r, frame, "func");
		out->frames[i].module = text(r, frame, "module");
		out->frames[i].offset = number(frame, "offset").value;
		out->frames[i].is_guess = is_true(frame, "guess");
	}
	out->frames_cut = is_true(root, "stack_cut");
	fixed_text(root, "incomplete", out->why, sizeof(out->why));
}

struct kt_error *sched_saved_read(struct kt_text from, const char *name, struct sched_saved *ret)
{
	_cleanup_(sched_saved_deinit) struct sched_saved out = {0};
	struct reader r = {0};
	const char *schema;
	json_error_t why;

	if (from.len > SCHED_SAVED_MAX)
		return kt_error_new(KT_ERROR_FORMAT, "%s: it is larger than %zu MiB", name,
				    SCHED_SAVED_MAX >> 20);
	out.document = kt_json_load(from, 0, &why);
	if (!out.document)
		return kt_error_new(KT_ERROR_FORMAT, "%s:%d: %s", name, why.line, why.text);
	schema = kt_json_get_text(json_object_get(out.document, "schema"));
	if (!schema || strcmp(schema, SCHED_SAVED_SCHEMA) != 0)
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT,
						  "%s is no dump of a scheduler's end", name),
				     "ktstr-gdb sched watch --dump FILE makes one");
	out.release = text(&r, out.document, "release");
	out.event_name = text(&r, out.document, "event");
	out.event.kind = out.event_name && !strcmp(out.event_name, "panic") ? SCHED_PANIC
									    : SCHED_EXIT;
	out.event.is_error = out.event_name && !strcmp(out.event_name, "error");
	out.event.at_ns = (int64_t)number(out.document, "at_us").value;
	/* Of a hostile file it may be anything. */
	out.event.at_ns = out.event.at_ns < INT64_MAX / 1000 && out.event.at_ns > 0
				  ? out.event.at_ns * 1000
				  : 0;
	fixed_text(out.document, "ops", out.event.ops, sizeof(out.event.ops));
	fixed_text(out.document, "panic", out.event.panic, sizeof(out.event.panic));
	read_exit(&r, json_object_get(out.document, "exit"), &out.event.exit);
	out.event.dump = calloc(1, sizeof(*out.event.dump));
	if (!out.event.dump)
		return kt_error_no_memory();
	read_dump(&r, out.document, out.event.dump);
	out.event.cpu = out.event.dump->cpu;
	out.event.pid = out.event.dump->task.pid;
	memcpy(out.event.comm, out.event.dump->task.comm, sizeof(out.event.comm));
	read_task(&r, json_object_get(out.document, "blamed"),
		  out.event.dump->snapshot.n_schedulers, &out.blamed);
	if (r.no_memory)
		return kt_error_no_memory();
	if (r.too_many)
		return kt_error_new(KT_ERROR_FORMAT, "%s: it has too many %s", name, r.too_many);
	*ret = out;
	out = (struct sched_saved){0};
	return NULL;
}

void sched_saved_deinit(struct sched_saved *saved)
{
	free(saved->release);
	free(saved->event_name);
	sched_event_deinit(&saved->event);
	scx_task_deinit(&saved->blamed);
	json_decref(saved->document);
	*saved = (struct sched_saved){0};
}
