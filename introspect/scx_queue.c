// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * CPUs, the queues of CPUs and schedulers, and the tasks in them. The list of a queue has all its
 * tasks in the order in which they will run, of one that is ordered by vtime, too. What iterators
 * of BPF programs put into a list to mark their place is no task, and may lie on a stack.
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/scx_snapshot.h"
#include "introspect/scx_walk.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* Bounds for a guest that is damaged, in all lists together. */
#define MAX_QUEUES 20000
#define MAX_TASKS  20000

#define IS_CURSOR 1 /* SCX_DSQ_LNODE_ITER_CURSOR of a node's flags */

static const struct view_field dsq_fields[] = {
	[SCX_DSQ_FIRST] = {.path = "list.next"},
	[SCX_DSQ_LAST] = {.path = "list.prev"},
	[SCX_DSQ_NR] = {.path = "nr"},
	[SCX_DSQ_ID] = {.path = "id"},
	[SCX_DSQ_HASH_NEXT] = {.path = "hash_node.next"},
};
static const struct view_type dsq_type = VIEW_TYPE("scx_dispatch_q", dsq_fields);
static const struct list_type hash_list = {&dsq_type, SCX_DSQ_HASH_NEXT, .node = "hash_node",
					   .is_nulls = true};

static const struct view_field node_fields[] = {
	[SCX_NODE_NEXT] = {.path = "node.next"},
	[SCX_NODE_PREV] = {.path = "node.prev"},
	[SCX_NODE_FLAGS] = {.path = "flags"},
};
static const struct view_type node_type = VIEW_TYPE("scx_dsq_list_node", node_fields);
static const struct list_type node_list = {&node_type, SCX_NODE_NEXT, .node = "node",
					   .prev = SCX_NODE_PREV};

static const struct view_field rq_fields[] = {
	[SCX_RQ_CURR] = {.path = "curr"},
	[SCX_RQ_NR_RUNNING] = {.path = "scx.nr_running", .optional = true},
	[SCX_RQ_FLAGS] = {.path = "scx.flags", .optional = true},
};
static const struct view_type rq_type = VIEW_TYPE("rq", rq_fields);

static const struct view_field task_fields[] = {
	[SCX_TASK_PID] = {.path = "pid"},
	[SCX_TASK_TGID] = {.path = "tgid", .optional = true},
	[SCX_TASK_COMM] = {.path = "comm", .max = 16},
	[SCX_TASK_CPU] = {.path = "thread_info.cpu", .optional = true},
	[SCX_TASK_CLASS] = {.path = "sched_class"},
	[SCX_TASK_DSQ] = {.path = "scx.dsq"},
	[SCX_TASK_DSQ_FLAGS] = {.path = "scx.dsq_flags", .optional = true},
	[SCX_TASK_FLAGS] = {.path = "scx.flags"},
	[SCX_TASK_WEIGHT] = {.path = "scx.weight"},
	[SCX_TASK_SLICE] = {.path = "scx.slice"},
	[SCX_TASK_VTIME] = {.path = "scx.dsq_vtime"},
	[SCX_TASK_RUNNABLE_AT] = {.path = "scx.runnable_at"},
	[SCX_TASK_SCHED] = {.path = "scx.sched", .optional = true}, /* since 7.1 */
};
static const struct view_type task_type = VIEW_TYPE("task_struct", task_fields);

/* The queues that a run queue has. */
static const struct {
	enum scx_queue_kind kind;
	const char *member;
} cpu_queues[] = {
	{SCX_QUEUE_LOCAL, "scx.local_dsq"},
	{SCX_QUEUE_REJECT, "scx.reject_dsq"}, /* since 7.3 */
	{SCX_QUEUE_RESCUE, "scx.rescue.dsq"}, /* likewise */
	{SCX_QUEUE_BYPASS, "scx.bypass_dsq"}, /* 6.19 to 7.0 */
};
#define N_CPU_QUEUES (sizeof(cpu_queues) / sizeof(cpu_queues[0]))

bool scx_queues_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_CPU_QUEUES; i++)
		if (!wants_add(wants, KFACTS_MEMBER, "rq", cpu_queues[i].member, true))
			return false;
	return view_wants(&rq_type, wants) && view_wants(&task_type, wants) &&
	       view_wants(&dsq_type, wants) && list_wants(&hash_list, wants) &&
	       list_wants(&node_list, wants) &&
	       wants_add(wants, KFACTS_SYMBOL, "runqueues", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "scx_dispatch_q", "list", true) &&
	       wants_add(wants, KFACTS_MEMBER, "scx_sched_pnode", "global_dsq", true) &&
	       wants_add(wants, KFACTS_MEMBER, "scx_sched_pcpu", "bypass_dsq", true) &&
	       wants_add(wants, KFACTS_MEMBER, "task_struct", "scx.dsq_list", true);
}

void scx_queues_deinit(struct scx_walk *walk)
{
	kt_vec_for_each (&walk->queues, queue)
		object_deinit(&queue->dsq);
	kt_vec_for_each (&walk->cpus, cpu) {
		object_deinit(&cpu->rq);
		object_deinit(&cpu->current);
	}
	kt_vec_for_each (&walk->tasks, waiting)
		object_deinit(&waiting->task);
	kt_vec_free(&walk->queues);
	kt_vec_free(&walk->cpus);
	kt_vec_free(&walk->tasks);
	lists_deinit(&walk->user_queues);
	lists_deinit(&walk->nodes);
}

/* --- where queues are --- */

static struct kt_error *add_queue(struct scx_walk *walk, const struct scx_queue_read *queue)
{
	if (!queue->addr)
		return NULL;
	if (walk->queues.len >= MAX_QUEUES) {
		walk->is_torn = true;
		return NULL;
	}
	return kt_vec_push(&walk->queues, *queue) ? NULL : kt_error_no_memory();
}

/* Run queues are in the per-CPU area. */
static struct kt_error *add_cpus(struct scx_walk *walk, gaddr_t runqueues)
{
	struct kt_error *err = NULL;
	struct kfacts_member member;

	for (size_t i = 0; i < walk->percpu.offsets.len; i++) {
		const struct scx_cpu_read cpu = {.cpu = walk->percpu.cpus.data[i],
						 .queue = SCX_NOBODY};

		if (!kt_vec_push(&walk->cpus, cpu))
			return kt_error_no_memory();
	}
	for (size_t k = 0; k < N_CPU_QUEUES && !err; k++) {
		if (!kfacts_member(walk->facts, "rq", cpu_queues[k].member, &member))
			continue;
		for (size_t i = 0; i < walk->percpu.offsets.len && !err; i++)
			err = add_queue(walk,
					&(struct scx_queue_read){
						.kind = cpu_queues[k].kind,
						.sched = SCX_NOBODY,
						.where = walk->percpu.cpus.data[i],
						.addr = runqueues + walk->percpu.offsets.data[i] +
							member.offset});
	}
	return err;
}

static struct kt_error *add_global(struct scx_walk *walk, size_t sched)
{
	const struct scx_sched_read *s = &walk->scheds.data[sched];
	struct kfacts_member member = {0};
	struct kt_error *err = NULL;

	/* Nodes hold a queue each, or the pointers lead to queues. */
	if (scx_piece_value(walk, &s->slots[SCX_S_NODES]) &&
	    !kfacts_member(walk->facts, "scx_sched_pnode", "global_dsq", &member))
		return NULL;
	for (uint32_t i = 0; i < scx_nodes(walk) && !err; i++) {
		gaddr_t addr = scx_piece_pointer(walk, &s->nodes, i);

		err = add_queue(walk,
				&(struct scx_queue_read){.kind = SCX_QUEUE_GLOBAL,
							 .sched = sched,
							 .where = i,
							 .addr = addr ? addr + member.offset : 0});
	}
	return err;
}

static struct kt_error *add_bypass(struct scx_walk *walk, size_t sched)
{
	gaddr_t pcpu = scx_piece_value(walk, &walk->scheds.data[sched].slots[SCX_S_PCPU]);
	struct kt_error *err = NULL;
	struct kfacts_member member;

	if (!pcpu || !kfacts_member(walk->facts, "scx_sched_pcpu", "bypass_dsq", &member))
		return NULL;
	for (size_t i = 0; i < walk->percpu.offsets.len && !err; i++)
		err = add_queue(walk,
				&(struct scx_queue_read){.kind = SCX_QUEUE_BYPASS,
							 .sched = sched,
							 .where = walk->percpu.cpus.data[i],
							 .addr = pcpu + member.offset +
								 walk->percpu.offsets.data[i]});
	return err;
}

/* The lists of the hash table that has the queues which a scheduler made. */
static struct kt_error *add_buckets(struct scx_walk *walk, size_t sched)
{
	const struct scx_piece *buckets = &walk->scheds.data[sched].buckets;
	struct kt_error *err = NULL;

	for (size_t i = 0; buckets->known && i < buckets->len / SCX_POINTER_SIZE && !err; i++) {
		/* The lowest bit of the first pointer is the bucket's lock. */
		gaddr_t first = scx_piece_pointer(walk, buckets, i) & ~UINT64_C(1);

		if (first)
			err = lists_add(&walk->user_queues, sched, 0, first);
	}
	return err;
}

static struct kt_error *add_user(struct scx_walk *walk)
{
	struct kt_error *err = NULL;

	if (!lists_init(&walk->user_queues, &hash_list, walk->facts, MAX_QUEUES))
		return NULL;
	for (size_t i = 0; i < walk->scheds.len && !err; i++)
		err = add_buckets(walk, i);
	if (!err)
		err = lists_read(&walk->user_queues, &walk->memory);
	walk->is_torn = walk->is_torn || walk->user_queues.n_damaged;
	for (size_t i = 0; i < walk->user_queues.items.len && !err; i++) {
		struct list_item *item = &walk->user_queues.items.data[i];
		struct scx_queue_read queue = {.kind = SCX_QUEUE_USER,
					       .sched = item->owner,
					       .addr = item->addr,
					       .dsq = {.image = item->image, .known = true}};
		size_t n = walk->queues.len;

		err = add_queue(walk, &queue);
		if (walk->queues.len > n)
			item->image = NULL; /* the queue owns it */
	}
	return err;
}

static struct kt_error *add_all(struct scx_walk *walk, gaddr_t runqueues)
{
	struct kt_error *err = add_cpus(walk, runqueues);

	for (size_t i = 0; i < walk->scheds.len && !err; i++) {
		err = add_global(walk, i);
		if (!err)
			err = add_bypass(walk, i);
	}
	return err ? err : add_user(walk);
}

/* --- what is in them --- */

/* All queues and run queues, in one round trip. */
static struct kt_error *read_queues(struct scx_walk *walk, gaddr_t runqueues)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	/* Those of hash tables are read already. */
	for (size_t i = 0; i < walk->queues.len && !err; i++)
		if (!walk->queues.data[i].dsq.image)
			err = object_begin(&walk->queues.data[i].dsq, &walk->dsq_view,
					   walk->queues.data[i].addr, &batch);
	for (size_t i = 0; i < walk->cpus.len && !err; i++)
		err = object_begin(&walk->cpus.data[i].rq, &walk->rq_view,
				   runqueues + walk->percpu.offsets.data[i], &batch);
	if (!err && batch.reads.len)
		err = guest_read(walk->guest, &batch);
	for (size_t i = 0; i < walk->queues.len && !err; i++)
		object_end(&walk->queues.data[i].dsq, &batch);
	for (size_t i = 0; i < walk->cpus.len && !err; i++)
		object_end(&walk->cpus.data[i].rq, &batch);
	return err;
}

static struct kt_error *read_nodes(struct scx_walk *walk)
{
	struct kt_error *err = NULL;

	walk->nodes.max_turns = SCX_TASKS_MAX / 2;
	for (size_t i = 0; i < walk->queues.len && !err; i++) {
		const struct scx_queue_read *queue = &walk->queues.data[i];

		if (queue->dsq.known)
			err = lists_add_both(
				&walk->nodes, i, queue->addr + walk->dsq_list_offset,
				view_uint(&walk->dsq_view, queue->dsq.image, SCX_DSQ_FIRST),
				view_uint(&walk->dsq_view, queue->dsq.image, SCX_DSQ_LAST));
	}
	return err ? err : lists_read(&walk->nodes, &walk->memory);
}

static bool add_task(struct scx_walk *walk, const struct list_item *item, uint32_t node_offset)
{
	return view_uint(&walk->nodes.view, item->image, SCX_NODE_FLAGS) & IS_CURSOR ||
	       kt_vec_push(&walk->tasks, (struct scx_waiting){.queue = item->owner,
							      .addr = item->addr - node_offset});
}

/* Those that were found from the beginning of their list, then the others, in the list's order. */
static struct kt_error *add_tasks(struct scx_walk *walk, uint32_t node_offset)
{
	const struct list_item *items = walk->nodes.items.data;
	size_t n = walk->nodes.items.len;

	for (size_t i = 0; i < n; i++)
		if (!items[i].is_back && !add_task(walk, &items[i], node_offset))
			return kt_error_no_memory();
	for (size_t i = n; i-- > 0;)
		if (items[i].is_back && !add_task(walk, &items[i], node_offset))
			return kt_error_no_memory();
	return NULL;
}

/* The tasks of all nodes, and those that run, in one round trip. */
static struct kt_error *read_tasks(struct scx_walk *walk, uint32_t node_offset)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = add_tasks(walk, node_offset);

	for (size_t i = 0; i < walk->tasks.len && !err; i++)
		err = object_begin(&walk->tasks.data[i].task, &walk->task_view,
				   walk->tasks.data[i].addr, &batch);
	for (size_t i = 0; i < walk->cpus.len && !err; i++) {
		struct scx_cpu_read *cpu = &walk->cpus.data[i];

		err = object_begin(&cpu->current, &walk->task_view,
				   scx_number(&cpu->rq, &walk->rq_view, SCX_RQ_CURR).value, &batch);
	}
	if (!err && batch.reads.len)
		err = guest_read(walk->guest, &batch);
	if (err)
		return err;
	kt_vec_for_each (&walk->tasks, waiting)
		object_end(&waiting->task, &batch);
	kt_vec_for_each (&walk->cpus, cpu)
		object_end(&cpu->current, &batch);
	return NULL;
}

struct kt_error *scx_queues_read(struct scx_walk *walk)
{
	struct kfacts_member list, node;
	struct kt_error *err;
	gaddr_t runqueues;

	walk->has_queues = guest_symbol(walk->guest, "runqueues", &runqueues) &&
			   kfacts_member(walk->facts, "scx_dispatch_q", "list", &list) &&
			   kfacts_member(walk->facts, "task_struct", "scx.dsq_list", &node) &&
			   view_try(&walk->dsq_view, &dsq_type, walk->facts) &&
			   view_try(&walk->rq_view, &rq_type, walk->facts) &&
			   view_try(&walk->task_view, &task_type, walk->facts) &&
			   lists_init(&walk->nodes, &node_list, walk->facts, MAX_TASKS);
	if (!walk->has_queues)
		return NULL;
	walk->dsq_list_offset = list.offset;
	err = add_all(walk, runqueues);
	if (!err)
		err = read_queues(walk, runqueues);
	if (!err)
		err = read_nodes(walk);
	return err ? err : read_tasks(walk, node.offset);
}
