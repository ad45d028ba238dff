// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/hex_json.h"
#include "render/sched.h"
#include "render/sched_dump.h"
#include "render/sched_event.h"

/* --- who is to blame --- */

/* "stress[123]", as the kernel writes "%s[%d]" of p->comm and p->pid */
static bool names(const char *message, const struct scx_task *task)
{
	char name[sizeof(task->comm) + 24];

	if (!task->pid.known || !task->pid.value || !*task->comm)
		return false;
	snprintf(name, sizeof(name), "%s[%" PRIu64 "]", task->comm, task->pid.value);
	return strstr(message, name) != NULL;
}

const struct scx_task *render_sched_blamed(const struct sched_event *event)
{
	const struct sched_dump *dump = event->dump;
	const char *message = event->exit.message;

	if (!dump || !message)
		return NULL;
	for (size_t i = 0; i < dump->snapshot.n_queues; i++)
		for (size_t t = 0; t < dump->snapshot.queues[i].n_tasks; t++)
			if (names(message, &dump->snapshot.queues[i].tasks[t]))
				return &dump->snapshot.queues[i].tasks[t];
	for (size_t i = 0; i < dump->snapshot.n_cpus; i++)
		if (dump->snapshot.cpus[i].has_current &&
		    names(message, &dump->snapshot.cpus[i].current))
			return &dump->snapshot.cpus[i].current;
	return names(message, &dump->task) ? &dump->task : NULL;
}

/* --- JSON --- */

static json_t *task_json(const struct scx_task *task)
{
	json_t *object;

	if (!task || !task->pid.known)
		return json_null();
	object = render_scx_task_json(task);
	json_object_set_new(object, "waits_ms", kt_json_number(task->waits_ms));
	return object;
}

static json_t *section_json(const struct map_dump *dump, json_t *variables)
{
	json_t *object = json_object();
	bool there = dump->n && dump->states[0] == MAP_THERE;

	json_object_set_new(object, "map_id", json_integer(dump->map.id));
	json_object_set_new(object, "name", kt_json_text(dump->map.name));
	json_object_set_new(object, "size", kt_json_u64(dump->value_len));
	json_object_set_new(object, "variables", variables ? json_incref(variables) : json_null());
	json_object_set_new(object, "bytes",
			    there && !variables ? render_hex_json(dump->values, dump->value_len)
						: json_null());
	return object;
}

struct kt_error *render_sched_dump_json(const struct sched_event *e, const char *release,
					int64_t kaslr_offset, json_t *const *variables, char **ret)
{
	json_t *root = json_object(), *sections = json_array();
	const struct sched_dump *dump = e->dump;

	json_object_set_new(root, "schema", json_string(SCHED_SAVED_SCHEMA));
	json_object_set_new(root, "release", kt_json_text(*release ? release : NULL));
	json_object_set_new(root, "kaslr_offset", json_integer(kaslr_offset));
	json_object_set_new(root, "event", json_string(render_sched_event_name(e)));
	json_object_set_new(root, "at_us", json_integer(e->at_ns / 1000));
	json_object_set_new(root, "pause_us", json_integer(e->pause_ns / 1000));
	json_object_set_new(root, "ops", kt_json_text(*e->ops ? e->ops : NULL));
	json_object_set_new(root, "exit",
			    e->exit.kind.known ? render_scx_exit_json(&e->exit) : json_null());
	json_object_set_new(root, "panic", kt_json_text(*e->panic ? e->panic : NULL));
	json_object_set_new(root, "blamed", task_json(render_sched_blamed(e)));
	json_object_set_new(root, "cpu", kt_json_number(dump->cpu));
	json_object_set_new(root, "task", task_json(&dump->task));
	json_object_set_new(root, "stack", render_sched_frames_json(dump->frames, dump->n_frames));
	json_object_set_new(root, "stack_cut", json_boolean(dump->frames_cut));
	for (size_t i = 0; i < dump->n_sections; i++)
		json_array_append_new(sections,
				      section_json(&dump->sections[i].dump, variables[i]));
	json_object_set_new(root, "sections", sections);
	json_object_set_new(root, "sched",
			    dump->snapshot_known ? render_sched_object(&dump->snapshot)
						 : json_null());
	json_object_set_new(root, "incomplete", kt_json_text(*dump->why ? dump->why : NULL));
	return kt_json_dump(root, ret);
}
