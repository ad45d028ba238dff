// SPDX-License-Identifier: LGPL-2.1-or-later
/* Schedulers, queues and tasks, well and ill. Layouts are of no release. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/scx_snapshot.h"
#include "tests/introspect/walk.h"
#include "tests/memory/rng.h"

/* Offsets in the image. */
#define GLOBALS   0x0a04000
#define RUNQUEUES 0x0a10000
#define PER_CPU   0x0a20000 /* where pcpu points to */
#define N_GLOBALS 12
static const char *const globals[N_GLOBALS] = {
	"scx_enable_state_var",   "scx_root",
	"scx_enable_seq",         "scx_hotplug_seq",
	"scx_nr_rejected",        "scx_switching_all",
	"scx_watchdog_timestamp", "jiffies_64",
	"scx_sched_all",          "scx_builtin_idle_enabled",
	"scx_idle_global_masks",  "__cpu_online_mask",
};

static const uint64_t cpu_offsets[] = {0x1000, 0x2000, 0x4000};

static const struct {
	const char *type, *path;
	uint32_t offset, size;
} members[] = {
	{"rq", "curr", 0, 8},
	{"rq", "scx.nr_running", 8, 4},
	{"rq", "scx.flags", 12, 4},
	{"rq", "scx.local_dsq", 64, 128},
	{"scx_dispatch_q", "list", 8, 16},
	{"scx_dispatch_q", "list.next", 8, 8},
	{"scx_dispatch_q", "list.prev", 16, 8},
	{"scx_dispatch_q", "nr", 24, 4},
	{"scx_dispatch_q", "id", 32, 8},
	{"scx_dispatch_q", "hash_node", 40, 8},
	{"scx_dispatch_q", "hash_node.next", 40, 8},
	{"scx_dsq_list_node", "node", 0, 16},
	{"scx_dsq_list_node", "node.next", 0, 8},
	{"scx_dsq_list_node", "node.prev", 8, 8},
	{"scx_dsq_list_node", "flags", 16, 4},
	{"task_struct", "pid", 0, 4},
	{"task_struct", "tgid", 4, 4},
	{"task_struct", "comm", 8, 16},
	{"task_struct", "sched_class", 24, 8},
	{"task_struct", "scx.dsq", 32, 8},
	{"task_struct", "scx.dsq_list", 40, 24},
	{"task_struct", "scx.dsq_flags", 64, 4},
	{"task_struct", "scx.flags", 68, 4},
	{"task_struct", "scx.weight", 72, 4},
	{"task_struct", "scx.slice", 80, 8},
	{"task_struct", "scx.dsq_vtime", 88, 8},
	{"task_struct", "scx.runnable_at", 96, 8},
	{"task_struct", "scx.sched", 104, 8},
	{"task_struct", "start_boottime", 112, 8},
	{"sched_ext_ops", "name", 0, 128},
	{"sched_ext_ops", "flags", 128, 8},
	{"sched_ext_ops", "timeout_ms", 136, 4},
	{"sched_ext_ops", "exit_dump_len", 140, 4},
	{"sched_ext_ops", "sub_cgroup_id", 144, 8},
	{"scx_sched", "ops", 0, 160},
	{"scx_sched", "ops.name", 0, 128},
	{"scx_sched", "dsq_hash.tbl", 256, 8},
	{"scx_sched", "pnode", 264, 8},
	{"scx_sched", "pcpu", 272, 8},
	{"scx_sched", "exit_kind", 280, 4},
	{"scx_sched", "exit_info", 288, 8},
	{"scx_sched", "helper", 296, 8},
	{"scx_sched", "bypass_depth", 304, 4},
	{"scx_sched", "aborting", 308, 1},
	{"scx_sched", "level", 312, 4},
	{"scx_sched", "cgrp_path", 320, 8},
	{"scx_sched", "watchdog_timeout", 328, 8},
	{"scx_sched", "all", 336, 16},
	{"scx_sched", "all.next", 336, 8},
	{"scx_sched", "ancestors", 360, 0},
	{"bucket_table", "size", 0, 4},
	{"bucket_table", "nest", 4, 4},
	{"bucket_table", "buckets", 64, 0},
	{"scx_exit_info", "kind", 0, 4},
	{"scx_exit_info", "exit_cpu", 4, 4},
	{"scx_exit_info", "exit_code", 8, 8},
	{"scx_exit_info", "reason", 16, 8},
	{"scx_exit_info", "bt", 24, 8},
	{"scx_exit_info", "bt_len", 32, 4},
	{"scx_exit_info", "msg", 40, 8},
	{"scx_exit_info", "dump", 48, 8},
	{"scx_sched_pnode", "global_dsq", 0, 128},
	{"scx_sched_pcpu", "event_stats", 0, 24},
	{"scx_sched_pcpu", "bypass_dsq", 64, 128},
	{"scx_idle_cpus", "cpu", 0, 8},
	{"scx_idle_cpus", "smt", 8, 8},
	{"kthread_worker", "task", 8, 8},
	{"clocksource", "mult", 4, 4},
	{"clocksource", "shift", 8, 4},
};

static gaddr_t global(const char *name)
{
	for (size_t i = 0; i < N_GLOBALS; i++)
		if (!strcmp(globals[i], name))
			return SYNTH_IMAGE + GLOBALS + 64 * i;
	abort();
}

static gaddr_t image_va(gaddr_t physical)
{
	return SYNTH_TEXT + SYNTH_KASLR + physical - SYNTH_IMAGE;
}

static void put(gaddr_t at, uint64_t value)
{
	textmem_put_uint(s.mem, at, value, 8);
}

static void put_text(gaddr_t at, const char *text)
{
	textmem_put(s.mem, at, text, strlen(text) + 1);
}

static void facts_fill(void)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	for (size_t i = 0; i < N_GLOBALS; i++)
		fake_symbol(&s.facts, globals[i], SYNTH_TEXT + GLOBALS + 64 * i);
	fake_symbol(&s.facts, "runqueues", SYNTH_TEXT + RUNQUEUES);
	fake_symbol(&s.facts, "ext_sched_class", SYNTH_TEXT + 0x0800100);
	fake_symbol(&s.facts, "clocksource_jiffies", SYNTH_TEXT + GLOBALS + 0x800);
	fake_size(&s.facts, "scx_event_stats", 24);
	fake_enum(&s.facts, "scx_enable_state", "SCX_ENABLED", 1);
	fake_enum(&s.facts, "scx_enable_state", "SCX_DISABLED", 3);
	fake_enum(&s.facts, "scx_rq_flags", "SCX_RQ_ONLINE", 1);
	fake_enum(&s.facts, "scx_ops_flags", "SCX_OPS_ENQ_LAST", 2);
	fake_enum(&s.facts, "scx_ent_flags", "SCX_TASK_QUEUED", 1);
	fake_enum(&s.facts, "scx_ent_flags", "SCX_TASK_STATE_SHIFT", 8);
	fake_enum(&s.facts, "scx_exit_kind", "SCX_EXIT_NONE", 0);
	fake_enum(&s.facts, "scx_exit_kind", "SCX_EXIT_ERROR", 1024);
	for (uint64_t i = 0; i < 3; i++) {
		static const char *const names[] = {"SCX_EV_ONE", "SCX_EV_TWO", "SCX_EV_THREE"};

		fake_set(&s.facts, (struct fake_fact){.kind = KFACTS_MEMBERS,
						      .name = "scx_event_stats",
						      .path = names[i],
						      .value = 8 * i});
	}
}

/* An empty queue at a physical address, whose own virtual address is va. */
static void put_queue(gaddr_t at, gaddr_t va, uint64_t id)
{
	textmem_put(s.mem, at, NULL, 128);
	synth_set(&s, "scx_dispatch_q", "list.next", at, va + 8);
	synth_set(&s, "scx_dispatch_q", "list.prev", at, va + 8);
	synth_set(&s, "scx_dispatch_q", "id", at, id);
}

/* A task, which waits for 25 ticks, in no queue yet; its physical address. */
static gaddr_t put_task(uint32_t pid)
{
	gaddr_t at = synth_alloc(&s, 128);
	char comm[16];

	snprintf(comm, sizeof(comm), "task-%u", pid);
	textmem_put(s.mem, at + 8, comm, strlen(comm));
	synth_set(&s, "task_struct", "pid", at, pid);
	synth_set(&s, "task_struct", "tgid", at, pid + 1000);
	synth_set(&s, "task_struct", "scx.flags", at, 0x401);
	synth_set(&s, "task_struct", "scx.weight", at, 100);
	synth_set(&s, "task_struct", "scx.slice", at, 20000000);
	synth_set(&s, "task_struct", "scx.dsq_vtime", at, 7);
	synth_set(&s, "task_struct", "scx.runnable_at", at, 9975);
	return at;
}

#define NODE_AT 40

/* Puts the tasks into the queue, in that order. */
static void fill_queue(gaddr_t queue, gaddr_t va, const gaddr_t *tasks, size_t n)
{
	gaddr_t from = queue + 8, from_va = va + 8;

	for (size_t i = 0; i < n; i++) {
		gaddr_t node_va = synth_va(tasks[i]) + NODE_AT;

		put(from, node_va);
		put(tasks[i] + NODE_AT + 8, from_va);
		synth_set(&s, "task_struct", "scx.dsq", tasks[i], va);
		from = tasks[i] + NODE_AT;
		from_va = node_va;
	}
	put(from, va + 8);
	put(queue + 16, from_va);
	synth_set(&s, "scx_dispatch_q", "nr", queue, n);
}

static struct {
	gaddr_t sched, exit, table, global_queue, user[2], tasks[3];
} k;

/* A scheduler at level 0 with an exit that has not come, and a table of 4 buckets. */
static gaddr_t put_sched(const char *name, uint32_t level)
{
	gaddr_t at = synth_alloc(&s, 512), exit = synth_alloc(&s, 64);
	gaddr_t table = synth_alloc(&s, 128), nodes = synth_alloc(&s, 16);
	gaddr_t node = synth_alloc(&s, 128), worker = synth_alloc(&s, 32);
	gaddr_t helper = put_task(77), path = synth_alloc(&s, 16);

	put_text(at, name);
	synth_set(&s, "sched_ext_ops", "flags", at, 2 | 0x100);
	synth_set(&s, "sched_ext_ops", "timeout_ms", at, 5000);
	synth_set(&s, "sched_ext_ops", "exit_dump_len", at, 32);
	synth_set(&s, "scx_sched", "dsq_hash.tbl", at, synth_va(table));
	synth_set(&s, "scx_sched", "pnode", at, synth_va(nodes));
	synth_set(&s, "scx_sched", "pcpu", at, image_va(SYNTH_IMAGE + PER_CPU));
	synth_set(&s, "scx_sched", "exit_info", at, synth_va(exit));
	synth_set(&s, "scx_sched", "helper", at, synth_va(worker));
	synth_set(&s, "scx_sched", "level", at, level);
	synth_set(&s, "scx_sched", "cgrp_path", at, synth_va(path));
	synth_set(&s, "scx_sched", "watchdog_timeout", at, 1250);
	put_text(path, level ? "/a" : "/");
	synth_set(&s, "kthread_worker", "task", worker, synth_va(helper));
	synth_set(&s, "task_struct", "start_boottime", helper, UINT64_C(60000000000));
	synth_set(&s, "bucket_table", "size", table, 4);
	put(nodes, synth_va(node));
	put_queue(node, synth_va(node), UINT64_C(0x8000000000000001));
	k.sched = at;
	k.exit = exit;
	k.table = table;
	k.global_queue = node;
	return at;
}

/* Adds a queue of the scheduler's own to a bucket, behind one that is there. */
static gaddr_t put_user(uint64_t id, unsigned int bucket)
{
	gaddr_t at = synth_alloc(&s, 128), head = k.table + 64 + 8 * bucket;
	uint64_t first = 0;

	put_queue(at, synth_va(at), id);
	textmem_get(s.mem, head, &first, 8);
	synth_set(&s, "scx_dispatch_q", "hash_node.next", at,
		  first ? first & ~UINT64_C(1) : synth_va(head) | 1);
	put(head, (synth_va(at) + 40) | 1); /* it is locked */
	return at;
}

/* The whole: three CPUs, one scheduler with two queues of its own in one bucket, three tasks. */
static void kernel_fill(void)
{
	gaddr_t masks = synth_alloc(&s, 32);

	facts_fill();
	textmem_put(s.mem, SYNTH_IMAGE + GLOBALS, NULL, 0x1000);
	textmem_put(s.mem, SYNTH_IMAGE + PER_CPU, NULL, 0x5000);
	put(global("scx_enable_state_var"), 1);
	put(global("scx_enable_seq"), 3);
	put(global("scx_hotplug_seq"), 2);
	put(global("scx_nr_rejected"), 1);
	put(global("scx_switching_all"), 1);
	put(global("scx_watchdog_timestamp"), 9750);
	put(global("jiffies_64"), 10000);
	put(global("scx_builtin_idle_enabled"), 1);
	put(global("scx_idle_global_masks"), synth_va(masks));
	put(global("scx_idle_global_masks") + 8, synth_va(masks + 16));
	put(masks, 0x9);      /* CPUs 0 and 3 */
	put(masks + 16, 0x8); /* CPU 3 */
	put(global("__cpu_online_mask"), 0x3);
	/* 4 ms, shifted by 8. */
	textmem_put_uint(s.mem, SYNTH_IMAGE + GLOBALS + 0x804, UINT64_C(4000000) << 8, 4);
	textmem_put_uint(s.mem, SYNTH_IMAGE + GLOBALS + 0x808, 8, 4);
	put_sched("simple", 0);
	put(global("scx_root"), synth_va(k.sched));
	put(global("scx_sched_all"), synth_va(k.sched) + 336);
	put(k.sched + 336, image_va(global("scx_sched_all")));
	for (size_t i = 0; i < 3; i++) {
		gaddr_t rq = SYNTH_IMAGE + RUNQUEUES + cpu_offsets[i];
		gaddr_t pcpu = SYNTH_IMAGE + PER_CPU + cpu_offsets[i];
		gaddr_t idle = put_task(0);

		textmem_put(s.mem, rq, NULL, 256);
		synth_set(&s, "rq", "curr", rq, synth_va(idle));
		synth_set(&s, "rq", "scx.flags", rq, 1);
		put_queue(rq + 64, image_va(rq + 64), UINT64_C(0x8000000000000002));
		put_queue(pcpu + 64, image_va(pcpu + 64), UINT64_C(0x8000000000000003));
		put(pcpu, 10 * (i + 1));
		put(pcpu + 16, 1);
	}
	k.user[0] = put_user(0x11, 2);
	k.user[1] = put_user(0x10, 2);
	for (uint32_t i = 0; i < 3; i++)
		k.tasks[i] = put_task(100 + i);
	fill_queue(k.user[1], synth_va(k.user[1]), k.tasks, 3);
}

static struct scx_snapshot read_all(void)
{
	struct scx_snapshot out;
	struct scx_walk *walk;
	struct guest *guest;
	struct kt_error *err;

	/* What was in the struct before must not show through. */
	memset(&out, 0x67, sizeof(out));
	if (!s.mem->n_cpus)
		synth_cpu(&s);
	assert_null(synth_guest(&s, &guest));
	err = scx_snapshot_read(guest, &walk);
	if (err)
		fail_msg("%s", kt_error_message(err));
	guest_destroy(guest);
	s.mem->reads = 0;
	assert_null(scx_snapshot_finish(walk, &out));
	assert_int_equal(s.mem->reads, 0);
	scx_walk_destroy(walk);
	return out;
}

static const struct scx_queue *find_queue(const struct scx_snapshot *all, uint64_t id)
{
	for (size_t i = 0; i < all->n_queues; i++)
		if (all->queues[i].kind == SCX_QUEUE_USER && all->queues[i].id == id)
			return &all->queues[i];
	fail_msg("no queue %#llx", (unsigned long long)id);
	return NULL;
}

/* The tasks of queue 0x10 as "100 101", and its marks: T torn, C cut, U uneven. */
static void check_tasks(const char *wanted, const char *marks)
{
	struct scx_snapshot all = read_all();
	const struct scx_queue *queue = find_queue(&all, 0x10);
	char got[256] = "", marked[4] = "";
	size_t len = 0;

	for (size_t i = 0; i < queue->n_tasks && i < 10; i++)
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%d", i ? " " : "",
					queue->tasks[i].pid.known ? (int)queue->tasks[i].pid.value
								  : -1);
	if (queue->is_torn)
		strcat(marked, "T");
	if (queue->is_cut)
		strcat(marked, "C");
	if (queue->is_uneven)
		strcat(marked, "U");
	assert_string_equal(got, wanted);
	assert_string_equal(marked, marks);
	scx_snapshot_deinit(&all);
}

static void check_scheduler(const struct scx_scheduler *scheduler)
{
	assert_string_equal(scheduler->ops, "simple");
	assert_string_equal(scheduler->flag_names, "ENQ_LAST|0x100");
	assert_true(scheduler->is_root && scheduler->is_attached);
	assert_number(scheduler->timeout_ms, 5000);
	assert_number(scheduler->since_ns, UINT64_C(1700000055000000000));
	assert_number(scheduler->bypass_depth, 0);
	assert_number(scheduler->exit.kind, 0);
	assert_string_equal(scheduler->exit.kind_name, "SCX_EXIT_NONE");
	assert_false(scheduler->exit.is_complete);
	assert_string_equal(scheduler->cgroup, "/");
	assert_true(scheduler->events_known);
	assert_int_equal(scheduler->n_events, 3);
	assert_string_equal(scheduler->events[0].name, "SCX_EV_ONE");
	assert_int_equal(scheduler->events[0].value, 60);
	assert_int_equal(scheduler->events[1].value, 0);
	assert_string_equal(scheduler->events[2].name, "SCX_EV_THREE");
	assert_int_equal(scheduler->events[2].value, 3);
}

static void test_whole(void **state)
{
	const struct scx_queue *queue;
	struct scx_snapshot all;

	(void)state;
	kernel_fill();
	synth_set(&s, "task_struct", "scx.dsq_flags", k.tasks[0], 1);
	all = read_all();
	assert_string_equal(all.state.state, "enabled");
	assert_number(all.enable_seq, 3);
	assert_number(all.hotplug_seq, 2);
	assert_number(all.nr_rejected, 1);
	assert_number(all.switched_all, 1);
	assert_number(all.hz, 250);
	assert_number(all.watchdog_timeout_ms, 5000);
	assert_number(all.watchdog_age_ms, 1000);
	assert_false(all.is_torn);
	assert_int_equal(all.n_unreadable, 0);
	assert_int_equal(all.n_schedulers, 1);
	check_scheduler(&all.schedulers[0]);
	/* 3 local, 1 global, 3 of bypass, 2 of the scheduler: by id. */
	assert_int_equal(all.n_queues, 9);
	assert_int_equal(all.queues[0].kind, SCX_QUEUE_LOCAL);
	assert_int_equal(all.queues[3].kind, SCX_QUEUE_GLOBAL);
	assert_int_equal(all.queues[4].kind, SCX_QUEUE_BYPASS);
	assert_int_equal(all.queues[7].id, 0x10);
	assert_int_equal(all.queues[8].id, 0x11);
	queue = find_queue(&all, 0x10);
	assert_int_equal(queue->n_tasks, 3);
	assert_number(queue->depth, 3);
	assert_true(queue->is_by_vtime && !queue->is_torn && !queue->is_cut && !queue->is_uneven);
	assert_string_equal(queue->tasks[1].comm, "task-101");
	assert_number(queue->tasks[1].tgid, 1101);
	assert_number(queue->tasks[1].waits_ms, 100);
	assert_number(queue->tasks[1].weight, 100);
	assert_number(queue->tasks[1].slice_ns, 20000000);
	assert_string_equal(queue->tasks[1].flag_names, "QUEUED");
	assert_int_equal(all.n_cpus, 3);
	assert_int_equal(all.cpus[2].cpu, 3);
	assert_number(all.cpus[2].online, 0);
	assert_number(all.cpus[2].idle, 1);
	assert_number(all.cpus[2].idle_core, 1);
	assert_number(all.cpus[0].idle_core, 0);
	assert_number(all.cpus[1].idle, 0);
	assert_string_equal(all.cpus[1].flag_names, "ONLINE");
	assert_int_equal(all.cpus[2].queue, 2);
	assert_true(all.cpus[0].has_current && !all.cpus[0].current.is_ext);
	scx_snapshot_deinit(&all);
}

/* A pair of masks for each NUMA node; of the second of three, which is not possible, none. */
static void test_nodes(void **state)
{
	gaddr_t masks = synth_alloc(&s, 64), pairs = synth_alloc(&s, 32), nodes;
	struct scx_snapshot all;

	(void)state;
	kernel_fill();
	fake_symbol(&s.facts, "nr_node_ids", SYNTH_TEXT + GLOBALS + 0x840);
	fake_symbol(&s.facts, "scx_builtin_idle_per_node", SYNTH_TEXT + GLOBALS + 0x848);
	fake_symbol(&s.facts, "scx_idle_node_masks", SYNTH_TEXT + GLOBALS + 0x850);
	textmem_put_uint(s.mem, SYNTH_IMAGE + GLOBALS + 0x840, 3, 4);
	put(SYNTH_IMAGE + GLOBALS + 0x848, 1);
	nodes = synth_alloc(&s, 24);
	put(SYNTH_IMAGE + GLOBALS + 0x850, synth_va(nodes));
	put(nodes, synth_va(pairs));
	put(nodes + 16, synth_va(pairs) + 16);
	for (uint64_t i = 0; i < 4; i++)
		put(pairs + 8 * i, synth_va(masks) + 16 * i);
	put(masks, 0x1);
	put(masks + 32, 0x2);
	put(masks + 48, 0x2);
	all = read_all();
	assert_number(all.cpus[0].idle, 1);
	assert_number(all.cpus[1].idle, 1);
	assert_number(all.cpus[2].idle, 0);
	assert_number(all.cpus[0].idle_core, 0);
	assert_number(all.cpus[1].idle_core, 1);
	scx_snapshot_deinit(&all);
	/* One of them cannot be read: nothing is known of any CPU. */
	put(pairs + 16, NOWHERE);
	all = read_all();
	assert_unknown(all.cpus[0].idle);
	scx_snapshot_deinit(&all);
}

static void put_next(gaddr_t task, gaddr_t value)
{
	put(task + NODE_AT, value);
}

static void put_prev(gaddr_t task, gaddr_t value)
{
	put(task + NODE_AT + 8, value);
}

/* A list that is cyclic, ends in a null pointer, or in what is not mapped, from both ends. */
static void test_torn(void **state)
{
	(void)state;
	kernel_fill();
	check_tasks("100 101 102", "");
	put_next(k.tasks[1], synth_va(k.tasks[0]) + NODE_AT);
	put_prev(k.tasks[2], synth_va(k.tasks[2]) + NODE_AT);
	check_tasks("100 101 102", "T");
	put_next(k.tasks[0], 0);
	check_tasks("100 102", "T");
	put_prev(k.tasks[2], NOWHERE);
	check_tasks("100 102", "T");
	put(k.user[1] + 8, 0);
	put(k.user[1] + 16, NOWHERE);
	check_tasks("", "T");
}

/* A pointer that is changed in one direction only: all tasks are found. */
static void test_half(void **state)
{
	(void)state;
	kernel_fill();
	put_next(k.tasks[1], synth_va(k.tasks[0]) + NODE_AT);
	check_tasks("100 101 102", "U");
	put(k.user[1] + 8, NOWHERE);
	put_next(k.tasks[0], 0);
	check_tasks("100 101 102", "U");
}

/* The guest stands still while a task comes or goes. */
static void test_uneven(void **state)
{
	(void)state;
	kernel_fill();
	synth_set(&s, "scx_dispatch_q", "nr", k.user[1], 2);
	check_tasks("100 101 102", "U");
	synth_set(&s, "scx_dispatch_q", "nr", k.user[1], 3);
	synth_set(&s, "task_struct", "scx.dsq", k.tasks[1], 0);
	check_tasks("100 101 102", "U");
}

/* A task that two queues lead to is in one of them only. */
static void test_shared(void **state)
{
	struct scx_snapshot all;

	(void)state;
	kernel_fill();
	put(k.user[0] + 8, synth_va(k.tasks[1]) + NODE_AT);
	all = read_all();
	assert_true(find_queue(&all, 0x10)->is_torn || find_queue(&all, 0x11)->is_torn);
	assert_int_equal(find_queue(&all, 0x10)->n_tasks + find_queue(&all, 0x11)->n_tasks, 3);
	scx_snapshot_deinit(&all);
}

/* An iterator's place: what lies around it is no task, and need not be mapped. */
static void test_cursor(void **state)
{
	gaddr_t page = (s.heap + 0x20000) & ~UINT64_C(0xfff);

	(void)state;
	kernel_fill();
	put_next(k.tasks[0], synth_va(page));
	put(page, synth_va(k.tasks[1]) + NODE_AT);
	put(page + 8, synth_va(k.tasks[0]) + NODE_AT);
	put_prev(k.tasks[1], synth_va(page));
	textmem_put_uint(s.mem, page + 16, 1, 4);
	check_tasks("100 101 102", "");
	/* The same without the mark is a task that cannot be read. */
	textmem_put_uint(s.mem, page + 16, 0, 4);
	check_tasks("100 -1 101 102", "T");
}

static void test_endless(void **state)
{
	gaddr_t *tasks = calloc(SCX_TASKS_MAX + 200, sizeof(*tasks));
	struct scx_snapshot all;

	(void)state;
	kernel_fill();
	for (uint32_t i = 0; i < SCX_TASKS_MAX + 200; i++)
		tasks[i] = put_task(1000 + i);
	fill_queue(k.user[0], synth_va(k.user[0]), tasks, SCX_TASKS_MAX + 200);
	all = read_all();
	assert_true(find_queue(&all, 0x11)->is_cut);
	assert_false(find_queue(&all, 0x11)->is_torn);
	assert_false(find_queue(&all, 0x11)->is_uneven);
	assert_int_equal(find_queue(&all, 0x11)->n_tasks, SCX_TASKS_MAX);
	assert_number(find_queue(&all, 0x11)->depth, SCX_TASKS_MAX + 200);
	assert_false(find_queue(&all, 0x10)->is_cut);
	scx_snapshot_deinit(&all);
	/* As many as may be is not too many. */
	fill_queue(k.user[0], synth_va(k.user[0]), tasks, SCX_TASKS_MAX);
	all = read_all();
	assert_false(find_queue(&all, 0x11)->is_cut);
	assert_int_equal(find_queue(&all, 0x11)->n_tasks, SCX_TASKS_MAX);
	scx_snapshot_deinit(&all);
	free(tasks);
}

/* All queues together have more tasks than are read: those that lack some are cut, and not torn. */
static void test_too_many(void **state)
{
	enum { QUEUES = 25, EACH = 900, TASKS_MAX = 20000 };
	gaddr_t *tasks = calloc(EACH, sizeof(*tasks));
	struct scx_snapshot all;
	size_t n = 0, n_cut = 0;

	(void)state;
	kernel_fill();
	for (uint32_t q = 0; q < QUEUES; q++) {
		gaddr_t queue = put_user(0x100 + q, q % 4);

		for (uint32_t i = 0; i < EACH; i++)
			tasks[i] = put_task(1000 + q * EACH + i);
		fill_queue(queue, synth_va(queue), tasks, EACH);
	}
	all = read_all();
	for (size_t i = 0; i < all.n_queues; i++) {
		const struct scx_queue *queue = &all.queues[i];

		assert_false(queue->is_torn);
		assert_int_equal(queue->is_cut, queue->n_tasks < queue->depth.value);
		n += queue->n_tasks;
		n_cut += queue->is_cut;
	}
	assert_int_equal(n, TASKS_MAX);
	assert_true(n_cut > 0);
	scx_snapshot_deinit(&all);
	free(tasks);
}

/* A queue with too many tasks whose list is damaged near its beginning is torn all the same. */
static void test_cut_and_torn(void **state)
{
	gaddr_t *tasks = calloc(SCX_TASKS_MAX + 200, sizeof(*tasks));
	struct scx_snapshot all;

	(void)state;
	kernel_fill();
	for (uint32_t i = 0; i < SCX_TASKS_MAX + 200; i++)
		tasks[i] = put_task(1000 + i);
	fill_queue(k.user[0], synth_va(k.user[0]), tasks, SCX_TASKS_MAX + 200);
	put(tasks[3] + NODE_AT, synth_va(tasks[1]) + NODE_AT);
	all = read_all();
	assert_true(find_queue(&all, 0x11)->is_torn);
	assert_false(find_queue(&all, 0x11)->is_cut);
	scx_snapshot_deinit(&all);
	free(tasks);
}

/* The hash table of queues. */
static void test_table(void **state)
{
	struct scx_snapshot all;

	(void)state;
	kernel_fill();
	/* A chain that bites its tail. */
	synth_set(&s, "scx_dispatch_q", "hash_node.next", k.user[0], synth_va(k.user[1]) + 40);
	all = read_all();
	assert_true(all.is_torn);
	assert_int_equal(all.n_queues, 9);
	scx_snapshot_deinit(&all);
	/* Nested, too large, not there: its queues are not read, and that is told. */
	synth_set(&s, "bucket_table", "nest", k.table, 1);
	all = read_all();
	assert_true(all.is_torn);
	assert_int_equal(all.n_queues, 7);
	scx_snapshot_deinit(&all);
	synth_set(&s, "bucket_table", "nest", k.table, 0);
	synth_set(&s, "bucket_table", "size", k.table, 0x10000000);
	all = read_all();
	assert_true(all.is_torn);
	assert_int_equal(all.n_queues, 7);
	scx_snapshot_deinit(&all);
	synth_set(&s, "scx_sched", "dsq_hash.tbl", k.sched, NOWHERE);
	all = read_all();
	assert_true(all.is_torn);
	scx_snapshot_deinit(&all);
}

static void put_exit(void)
{
	gaddr_t reason = synth_alloc(&s, 32), message = synth_alloc(&s, 32);
	gaddr_t dump = synth_alloc(&s, 32), bt = synth_alloc(&s, 16);

	put_text(reason, "runtime error");
	put_text(message, "it was\ntold to");
	textmem_put(s.mem, dump, "0123456789abcdef0123456789abcdef", 32);
	put(bt, SYNTH_TEXT + SYNTH_KASLR + 0x1234);
	put(bt + 8, 0x1234);
	synth_set(&s, "scx_sched", "exit_kind", k.sched, 1); /* SCX_EXIT_DONE */
	synth_set(&s, "scx_exit_info", "kind", k.exit, 1024);
	synth_set(&s, "scx_exit_info", "exit_cpu", k.exit, 3);
	synth_set(&s, "scx_exit_info", "exit_code", k.exit, (uint64_t)-5);
	synth_set(&s, "scx_exit_info", "reason", k.exit, synth_va(reason));
	synth_set(&s, "scx_exit_info", "msg", k.exit, synth_va(message));
	synth_set(&s, "scx_exit_info", "dump", k.exit, synth_va(dump));
	synth_set(&s, "scx_exit_info", "bt", k.exit, synth_va(bt));
	synth_set(&s, "scx_exit_info", "bt_len", k.exit, 2);
}

static void test_exit(void **state)
{
	const struct scx_exit *exit;
	struct scx_snapshot all;

	(void)state;
	kernel_fill();
	put_exit();
	all = read_all();
	exit = &all.schedulers[0].exit;
	assert_number(exit->kind, 1024);
	assert_string_equal(exit->kind_name, "SCX_EXIT_ERROR");
	assert_true(exit->is_complete);
	assert_int_equal((int64_t)exit->code.value, -5);
	assert_number(exit->cpu, 3);
	assert_string_equal(exit->reason, "runtime error");
	assert_string_equal(exit->message, "it was\ntold to");
	/* No NUL, and no byte behind its length. */
	assert_string_equal(exit->dump, "0123456789abcdef0123456789abcdef");
	assert_false(exit->dump_is_cut);
	assert_int_equal(exit->n_frames, 2);
	assert_int_equal(exit->frames[1].addr, 0x1234);
	assert_null(exit->frames[1].func);
	scx_snapshot_deinit(&all);
	/* Lengths and pointers that lie. */
	synth_set(&s, "scx_exit_info", "bt_len", k.exit, 0xffffffff);
	synth_set(&s, "scx_exit_info", "msg", k.exit, NOWHERE);
	synth_set(&s, "sched_ext_ops", "exit_dump_len", k.sched, 0xffffffff);
	all = read_all();
	exit = &all.schedulers[0].exit;
	assert_true(exit->is_complete && !exit->message && !exit->dump);
	assert_true(exit->n_frames <= 64);
	scx_snapshot_deinit(&all);
	/* The instant at which the kind is written, and nothing else yet. */
	synth_set(&s, "scx_exit_info", "kind", k.exit, 0);
	synth_set(&s, "scx_sched", "exit_kind", k.sched, 1024);
	all = read_all();
	assert_number(all.schedulers[0].exit.kind, 1024);
	assert_false(all.schedulers[0].exit.is_complete);
	assert_null(all.schedulers[0].exit.reason);
	scx_snapshot_deinit(&all);
}

/* A scheduler below the root, which the list has before it; then a list that is cyclic. */
static void test_tree(void **state)
{
	struct scx_snapshot all;
	gaddr_t root, child;

	(void)state;
	kernel_fill();
	root = k.sched;
	child = put_sched("child", 1);
	put(child + 360, synth_va(root));
	synth_set(&s, "sched_ext_ops", "sub_cgroup_id", child, 55);
	put(global("scx_sched_all"), synth_va(child) + 336);
	put(child + 336, synth_va(root) + 336);
	synth_set(&s, "scx_sched", "watchdog_timeout", child, 500);
	synth_set(&s, "task_struct", "scx.sched", k.tasks[0], synth_va(child));
	all = read_all();
	assert_int_equal(all.n_schedulers, 2);
	assert_string_equal(all.schedulers[0].ops, "simple");
	assert_string_equal(all.schedulers[1].ops, "child");
	assert_true(all.schedulers[1].is_attached && !all.schedulers[1].is_root);
	assert_int_equal(all.schedulers[1].parent, 0);
	assert_int_equal(all.schedulers[0].parent, SCX_NOBODY);
	assert_number(all.schedulers[1].level, 1);
	assert_number(all.schedulers[1].cgroup_id, 55);
	assert_string_equal(all.schedulers[1].cgroup, "/a");
	assert_number(all.watchdog_timeout_ms, 2000);
	assert_int_equal(find_queue(&all, 0x10)->tasks[0].scheduler, 1);
	assert_false(all.is_torn);
	scx_snapshot_deinit(&all);
	put(root + 336, synth_va(child) + 336);
	all = read_all();
	assert_true(all.is_torn);
	assert_int_equal(all.n_schedulers, 2);
	scx_snapshot_deinit(&all);
	/* Its own parent. */
	put(child + 360, synth_va(child));
	all = read_all();
	assert_int_equal(all.schedulers[1].parent, SCX_NOBODY);
	scx_snapshot_deinit(&all);
}

/* Linux 6.12: one scheduler, in variables. */
static void test_variables(void **state)
{
	static const char *const symbols[] = {"scx_ops", "dsq_hash", "global_dsqs", "scx_exit_kind",
					      "scx_exit_info"};
	gaddr_t at = GLOBALS + 0x900, nodes;
	struct scx_snapshot all;

	(void)state;
	kernel_fill();
	fake_drop(&s.facts, KFACTS_SYMBOL, "scx_root", NULL);
	fake_drop(&s.facts, KFACTS_SYMBOL, "scx_sched_all", NULL);
	fake_drop(&s.facts, KFACTS_MEMBER, "scx_sched", "ops.name");
	fake_drop(&s.facts, KFACTS_MEMBER, "scx_sched_pcpu", "bypass_dsq");
	for (size_t i = 1; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		fake_symbol(&s.facts, symbols[i], SYNTH_TEXT + at + 8 * i);
	fake_symbol(&s.facts, "scx_ops", SYNTH_TEXT + at + 0x100);
	put_text(SYNTH_IMAGE + at + 0x100, "old");
	nodes = synth_alloc(&s, 8);
	put(nodes, synth_va(k.global_queue));
	put(SYNTH_IMAGE + at + 8, synth_va(k.table));
	put(SYNTH_IMAGE + at + 16, synth_va(nodes));
	textmem_put_uint(s.mem, SYNTH_IMAGE + at + 24, 1024, 4);
	all = read_all();
	assert_string_equal(all.state.ops, "old");
	assert_int_equal(all.n_schedulers, 1);
	assert_string_equal(all.schedulers[0].ops, "old");
	assert_true(all.schedulers[0].is_root && all.schedulers[0].is_attached);
	assert_number(all.schedulers[0].exit.kind, 1024);
	assert_false(all.schedulers[0].events_known);
	/* 3 local, 1 global, 2 of its own. */
	assert_int_equal(all.n_queues, 6);
	assert_int_equal(find_queue(&all, 0x10)->n_tasks, 3);
	scx_snapshot_deinit(&all);
}

/* What this kernel does not have is unknown, one after the other. */
static void test_lacks(void **state)
{
	(void)state;
	kernel_fill();
	for (size_t i = s.facts.n; i-- > 0;) {
		struct kfacts before = s.facts;
		const char *name = s.facts.all[i].name;
		struct scx_snapshot all;

		if (strstr(name, "cpu_possible") || !strcmp(name, "tk_core"))
			continue;
		s.facts.all[i] = s.facts.all[--s.facts.n];
		all = read_all();
		scx_snapshot_deinit(&all);
		s.facts = before;
	}
}

/* Words of the heap and of the variables become others: nothing but what is told is wrong. */
static void test_damage(void **state)
{
	uint64_t rng = 0x5eed;

	(void)state;
	kernel_fill();
	put_exit();
	for (unsigned int turn = 0; turn < 3000; turn++) {
		gaddr_t at[4];
		uint64_t old[4];
		struct scx_snapshot all;

		for (size_t i = 0; i < 4; i++) {
			uint64_t value = rng_next(&rng);

			at[i] = rng_next(&rng) % 3
					? SYNTH_HEAP + 0x400 +
						  rng_next(&rng) % (s.heap - SYNTH_HEAP - 0x400)
					: SYNTH_IMAGE + GLOBALS + rng_next(&rng) % 0x400;
			at[i] &= ~UINT64_C(7);
			textmem_get(s.mem, at[i], &old[i], 8);
			value = value % 4 == 0 ? value
				: value % 4 == 1
					? synth_va(SYNTH_HEAP + value % (s.heap - SYNTH_HEAP))
				: value % 4 == 2 ? old[i] ^ UINT64_C(1) << value / 4 % 64
						 : synth_va(at[i]);
			put(at[i], value);
		}
		all = read_all();
		scx_snapshot_deinit(&all);
		for (size_t i = 4; i-- > 0;)
			put(at[i], old[i]);
	}
}

/* All that the tests above give it is asked for. */
static void test_wants(void **state)
{
	struct wants wants = {0};
	size_t n = s.facts.n;

	(void)state;
	kernel_fill();
	assert_true(scx_snapshot_wants(&wants));
	for (size_t i = n; i < s.facts.n; i++) {
		const struct fake_fact *f = &s.facts.all[i];
		bool found = false;

		kt_vec_for_each (&wants.v, want)
			found = found ||
				(want->kind == f->kind && !strcmp(want->name, f->name) &&
				 (f->kind != KFACTS_MEMBER || !strcmp(want->path, f->path)));
		if (!found)
			fail_msg("nobody wants %s %s", f->name, f->path ? f->path : "");
	}
	wants_deinit(&wants);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole),     TEST(test_too_many), TEST(test_cut_and_torn),
		TEST(test_torn),      TEST(test_half),     TEST(test_uneven),
		TEST(test_shared),    TEST(test_cursor),   TEST(test_endless),
		TEST(test_table),     TEST(test_exit),     TEST(test_tree),
		TEST(test_variables), TEST(test_lacks),    TEST(test_damage),
		TEST(test_nodes),     TEST(test_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
