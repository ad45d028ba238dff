// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "memory/object.h"
#include "util/cleanup.h"
#include "watch/sched_reject.h"

enum { TASK_COMM, TASK_PID, TASK_TGID, TASK_DISALLOW, TASK_NEXT };
static const struct view_field task_fields[] = {
	[TASK_COMM] = {.path = "comm", .max = 16},
	[TASK_PID] = {.path = "pid"},
	[TASK_TGID] = {.path = "tgid"},
	[TASK_DISALLOW] = {.path = "scx.disallow"},
	[TASK_NEXT] = {.path = "scx.tasks_node.next"},
};
static const struct view_type task_type = VIEW_TYPE("task_struct", task_fields);

static const struct view_field node_fields[] = {{.path = "prev"}};
static const struct view_type node_type = VIEW_TYPE("list_head", node_fields);

bool sched_reject_wants(struct wants *wants)
{
	return view_wants(&task_type, wants) && view_wants(&node_type, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "task_struct", "scx.tasks_node", true);
}

void sched_reject_init(struct sched_reject *reject, const struct kfacts *facts)
{
	struct kfacts_member link;

	*reject = (struct sched_reject){0};
	if (!view_try(&reject->task, &task_type, facts) ||
	    !view_try(&reject->node, &node_type, facts) ||
	    !kfacts_member(facts, "task_struct", "scx.tasks_node", &link))
		return;
	reject->link = link.offset;
	reject->has = true;
}

static bool has(const gaddr_t *addrs, size_t n, gaddr_t addr)
{
	for (size_t i = 0; i < n; i++)
		if (addrs[i] == addr)
			return true;
	return false;
}

/* What may be a pointer of the kernel's, each once. */
static struct kt_error *candidates(const struct stop *stop, gaddr_t ret[WATCH_GENERAL_MAX],
				   size_t *n_ret)
{
	uint64_t values[WATCH_GENERAL_MAX];
	size_t n = stop->arch->n_general;
	struct kt_error *err = rsp_client_registers(stop->client, stop->told.thread, 1,
						    stop->arch->general, n, values);

	*n_ret = 0;
	for (size_t i = 0; !err && i < n; i++)
		if ((int64_t)values[i] < 0 && values[i] % 8 == 0 && !has(ret, *n_ret, values[i]))
			ret[(*n_ret)++] = values[i];
	return err;
}

static void take(const struct sched_reject *reject, const uint8_t *task, struct scx_task *ret)
{
	size_t len = 0;
	const char *comm = view_bytes(&reject->task, task, TASK_COMM, &len);

	len = strnlen(comm, len);
	memcpy(ret->comm, comm, len < sizeof(ret->comm) - 1 ? len : sizeof(ret->comm) - 1);
	ret->pid = (struct program_number){true, view_uint(&reject->task, task, TASK_PID)};
	ret->tgid = (struct program_number){true, view_uint(&reject->task, task, TASK_TGID)};
}

struct kt_error *sched_reject_read(const struct sched_reject *reject, const struct stop *stop,
				   struct scx_task *ret)
{
	gaddr_t addrs[WATCH_GENERAL_MAX], nexts[WATCH_GENERAL_MAX] = {0};
	_cleanup_(objects_deinit) struct objects tasks = {0}, nodes = {0};
	struct gmem memory = stop_memory(stop);
	const uint8_t *found = NULL;
	struct kt_error *err;
	size_t n;

	*ret = (struct scx_task){0};
	if (!reject->has || !stop->arch->n_general)
		return NULL;
	err = candidates(stop, addrs, &n);
	if (!err)
		err = objects_read(&memory, &reject->task, addrs, n, &tasks);
	for (size_t i = 0; !err && i < n; i++)
		if (objects_uint(&tasks, i, TASK_DISALLOW) == 1)
			nexts[i] = objects_uint(&tasks, i, TASK_NEXT);
	if (!err)
		err = objects_read(&memory, &reject->node, nexts, n, &nodes);
	for (size_t i = 0; !err && i < n; i++) {
		if (!nexts[i] || objects_uint(&nodes, i, 0) != addrs[i] + reject->link)
			continue;
		if (found)
			return NULL;
		found = objects_image(&tasks, i);
	}
	if (!err && found)
		take(reject, found, ret);
	return err;
}
