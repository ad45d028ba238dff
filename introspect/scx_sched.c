// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Schedulers: scx_root, all others of scx_sched_all, and those that have ended, but that a
 * struct_ops map still leads to. Before 6.16 there is one, in variables of the kernel.
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/scx_walk.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define MAX_SCHEDS      100
#define MAX_EVENTS_SIZE 1024
#define MAX_BUCKETS     65536
#define MAX_BACKTRACE   64           /* SCX_EXIT_BT_LEN */
#define MAX_DUMP        (256 * 1024) /* bytes; as the scheduler asks, by default 32 KiB */
#define MAX_LEVEL       16           /* SCX_SUB_MAX_DEPTH is 4 */
#define MAX_LARGE       (4u << 20)   /* bytes of all hash tables and dumps together */

static const struct view_field ops_fields[] = {
	[SCX_OPS_NAME] = {.path = "name", .max = 127},
	[SCX_OPS_FLAGS] = {.path = "flags"},
	[SCX_OPS_TIMEOUT] = {.path = "timeout_ms"},
	[SCX_OPS_DUMP_LEN] = {.path = "exit_dump_len"},
	[SCX_OPS_SUB_CGROUP] = {.path = "sub_cgroup_id", .optional = true}, /* since 7.1 */
};
static const struct view_type ops_type = VIEW_TYPE("sched_ext_ops", ops_fields);

static const struct view_field exit_fields[] = {
	[SCX_EXIT_KIND] = {.path = "kind"},
	[SCX_EXIT_CODE] = {.path = "exit_code"},
	[SCX_EXIT_CPU] = {.path = "exit_cpu", .optional = true}, /* since 7.2 */
	[SCX_EXIT_REASON] = {.path = "reason"},
	[SCX_EXIT_BT] = {.path = "bt"},
	[SCX_EXIT_BT_LEN] = {.path = "bt_len"},
	[SCX_EXIT_MSG] = {.path = "msg"},
	[SCX_EXIT_DUMP] = {.path = "dump"},
};
static const struct view_type exit_type = VIEW_TYPE("scx_exit_info", exit_fields);

static const struct view_field all_fields[] = {{.path = "all.next"}};
static const struct view_type all_view = VIEW_TYPE("scx_sched", all_fields); /* since 7.1 */
static const struct list_type all_list = {&all_view, 0, .node = "all"};

/* A member of scx_sched, and the variable that it was before 6.16. */
static const struct {
	const char *member, *symbol;
	size_t size;
} slots[SCX_N_SLOTS] = {
	[SCX_S_TABLE] = {"dsq_hash.tbl", "dsq_hash", 8}, /* the table is the first of rhashtable */
	[SCX_S_GLOBALS] = {"global_dsqs", "global_dsqs", 8}, /* before 7.1 */
	[SCX_S_NODES] = {"pnode", NULL, 8},                  /* since then */
	[SCX_S_PCPU] = {"pcpu", NULL, 8},                    /* since 6.18 */
	[SCX_S_EVENTS] = {"event_stats_cpu", NULL, 8},       /* before */
	[SCX_S_EXIT_KIND] = {"exit_kind", "scx_exit_kind", 4},
	[SCX_S_EXIT_INFO] = {"exit_info", "scx_exit_info", 8},
	[SCX_S_HELPER] = {"helper", NULL, 8},
	[SCX_S_BYPASS_DEPTH] = {"bypass_depth", NULL, 4}, /* since 7.1 */
	[SCX_S_ABORTING] = {"aborting", NULL, 1},         /* since 7.1 */
	[SCX_S_LEVEL] = {"level", NULL, 4},               /* likewise */
	[SCX_S_CGROUP_PATH] = {"cgrp_path", NULL, 8},
	[SCX_S_TIMEOUT] = {"watchdog_timeout", NULL, 8},
};

bool scx_scheds_wants(struct wants *wants)
{
	static const char *const members[][2] = {
		{"scx_sched", "ops"},        {"scx_sched", "ancestors"},
		{"sched_ext_ops", "priv"}, /* since 6.16 */
		{"kthread_worker", "task"},  {"task_struct", "start_boottime"},
		{"bucket_table", "size"},    {"bucket_table", "nest"},
		{"bucket_table", "buckets"}, {"scx_sched_pcpu", "event_stats"}, /* since 6.18 */
	};

	for (size_t i = 0; i < SCX_N_SLOTS; i++)
		if (!wants_add(wants, KFACTS_MEMBER, "scx_sched", slots[i].member, true) ||
		    (slots[i].symbol &&
		     !wants_add(wants, KFACTS_SYMBOL, slots[i].symbol, NULL, true)))
			return false;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!wants_add(wants, KFACTS_MEMBER, members[i][0], members[i][1], true))
			return false;
	return view_wants(&ops_type, wants) && view_wants(&exit_type, wants) &&
	       list_wants(&all_list, wants) && bpf_struct_ops_wants(wants) &&
	       code_names_wants(wants) &&
	       wants_add(wants, KFACTS_SYMBOL, "scx_ops", NULL, true) && /* before 6.16 */
	       wants_add(wants, KFACTS_SYMBOL, "event_stats_cpu", NULL, true) &&
	       wants_add(wants, KFACTS_SIZE, "scx_event_stats", NULL, true);
}

void scx_sched_read_deinit(struct scx_walk *walk, struct scx_sched_read *s)
{
	struct scx_piece *const pieces[] = {&s->worker,  &s->start,      &s->parent,
					    &s->nodes,   &s->table_size, &s->table_nest,
					    &s->buckets, &s->backtrace,  &s->dump};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		scx_piece_deinit(pieces[i]);
	for (size_t i = 0; s->events && i < walk->percpu.offsets.len; i++)
		scx_piece_deinit(&s->events[i]);
	free(s->events);
	module_symbols_deinit(s->frames, s->n_frames);
	free(s->frames);
	object_deinit(&s->ops);
	object_deinit(&s->exit);
	cstring_deinit(&s->reason);
	cstring_deinit(&s->message);
	cstring_deinit(&s->cgroup);
}

/* --- where they are --- */

static struct kt_error *add(struct scx_walk *walk, gaddr_t addr, struct scx_sched_read **ret)
{
	kt_vec_for_each (&walk->scheds, sched) {
		*ret = sched;
		if (sched->addr == addr)
			return NULL;
	}
	*ret = NULL;
	if (walk->scheds.len == MAX_SCHEDS) {
		walk->is_torn = true;
		return NULL;
	}
	if (!kt_vec_push(&walk->scheds, (struct scx_sched_read){.addr = addr}))
		return kt_error_no_memory();
	*ret = &walk->scheds.data[walk->scheds.len - 1];
	return NULL;
}

struct kt_error *scx_maps_read(struct scx_walk *walk)
{
	struct kt_error *err = bpf_struct_ops_check(walk->facts);

	if (!err)
		return bpf_struct_ops_read(walk->guest, &walk->maps);
	kt_error_destroy(err);
	return NULL;
}

/* The copy that the kernel has of an ops leads to the scheduler that was made of it. */
static struct kt_error *add_by_maps(struct scx_walk *walk)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ struct scx_piece *privs = calloc(walk->maps.n + 1, sizeof(*privs));
	struct scx_sched_read *sched;
	struct kfacts_member priv;
	struct kt_error *err = NULL;

	if (!privs)
		return kt_error_no_memory();
	if (!kfacts_member(walk->facts, "sched_ext_ops", "priv", &priv))
		return NULL;
	for (size_t i = 0; i < walk->maps.n && !err; i++)
		if (struct_ops_are_sched_ext(&walk->maps.all[i]) && walk->maps.all[i].data)
			err = scx_piece_begin(&privs[i], walk->maps.all[i].data + priv.offset,
					      SCX_POINTER_SIZE, &batch);
	if (!err && batch.reads.len)
		err = guest_read(walk->guest, &batch);
	for (size_t i = 0; i < walk->maps.n && !err; i++) {
		scx_piece_end(&privs[i], &batch);
		if (!scx_piece_value(walk, &privs[i]))
			continue;
		err = add(walk, scx_piece_value(walk, &privs[i]), &sched);
		if (!err && sched)
			sched->map = &walk->maps.all[i];
	}
	return err;
}

static struct kt_error *add_listed(struct scx_walk *walk)
{
	struct scx_sched_read *sched;
	struct kt_error *err = NULL;
	struct lists lists;
	gaddr_t head;

	if (!guest_symbol(walk->guest, "scx_sched_all", &head) || !walk->globals[SCX_G_ALL].known)
		return NULL;
	if (lists_init(&lists, &all_list, walk->facts, MAX_SCHEDS)) {
		err = lists_add(&lists, 0, head, scx_piece_value(walk, &walk->globals[SCX_G_ALL]));
		if (!err)
			err = lists_read(&lists, &walk->memory);
		walk->is_torn = walk->is_torn || lists.n_damaged;
	}
	for (size_t i = 0; i < lists.items.len && !err; i++) {
		err = add(walk, lists.items.data[i].addr, &sched);
		if (!err && sched)
			sched->is_listed = true;
	}
	lists_deinit(&lists);
	return err;
}

/* Before 6.16 the one map of that kind has its programs; of several nothing tells which. */
static const struct struct_ops *only_map(const struct scx_walk *walk)
{
	const struct struct_ops *found = NULL;

	for (size_t i = 0; i < walk->maps.n; i++) {
		if (!struct_ops_are_sched_ext(&walk->maps.all[i]))
			continue;
		if (found)
			return NULL;
		found = &walk->maps.all[i];
	}
	return found;
}

static struct kt_error *find_scheds(struct scx_walk *walk)
{
	gaddr_t root = scx_piece_value(walk, &walk->globals[SCX_G_ROOT]), addr;
	struct scx_sched_read *sched = NULL;
	struct kt_error *err = NULL;

	if (!guest_symbol(walk->guest, "scx_root", &addr)) {
		if (!guest_symbol(walk->guest, "scx_ops", &addr) || !walk->state.known ||
		    !strcmp(walk->state.state, "disabled"))
			return NULL;
		err = add(walk, 0, &sched);
		if (sched)
			sched->map = only_map(walk);
	} else if (root) {
		err = add(walk, root, &sched);
	}
	if (sched)
		sched->is_root = true;
	if (!err)
		err = add_listed(walk);
	return err ? err : add_by_maps(walk);
}

/* --- what is in them --- */

/* Where a slot is; 0: this kernel does not have it. */
static gaddr_t slot_addr(const struct scx_walk *walk, const struct scx_sched_read *s,
			 enum scx_slot slot)
{
	struct kfacts_member member;
	gaddr_t addr;

	if (s->addr)
		return kfacts_member(walk->facts, "scx_sched", slots[slot].member, &member)
			       ? s->addr + member.offset
			       : 0;
	return slots[slot].symbol && guest_symbol(walk->guest, slots[slot].symbol, &addr) ? addr
											  : 0;
}

static struct kt_error *begin_first(struct scx_walk *walk, struct scx_sched_read *s,
				    struct gmem_batch *batch)
{
	struct kfacts_member ops;
	struct kt_error *err = NULL;
	gaddr_t addr = 0;

	if (s->addr && kfacts_member(walk->facts, "scx_sched", "ops", &ops))
		addr = s->addr + ops.offset;
	else if (!s->addr && !guest_symbol(walk->guest, "scx_ops", &addr))
		addr = 0;
	if (walk->ops_view.type)
		err = object_begin(&s->ops, &walk->ops_view, addr, batch);
	for (unsigned int i = 0; i < SCX_N_SLOTS && !err; i++)
		err = scx_piece_begin(&s->slots[i], slot_addr(walk, s, i), slots[i].size, batch);
	return err;
}

static uint64_t slot(const struct scx_walk *walk, const struct scx_sched_read *s,
		     enum scx_slot slot)
{
	return scx_piece_value(walk, &s->slots[slot]);
}

/* The read of a member of what a pointer leads to. */
static struct kt_error *begin_member(struct scx_walk *walk, struct scx_piece *piece, gaddr_t addr,
				     const char *const path[2], struct gmem_batch *batch)
{
	struct kfacts_member member;

	if (!addr || !kfacts_member(walk->facts, path[0], path[1], &member) || member.size > 8)
		return NULL;
	return scx_piece_begin(piece, addr + member.offset, member.size, batch);
}

/* Where a CPU's event counters are; 0: unknown. */
static gaddr_t events_addr(const struct scx_walk *walk, const struct scx_sched_read *s)
{
	gaddr_t pcpu = slot(walk, s, SCX_S_PCPU), addr;
	struct kfacts_member member;

	if (pcpu && kfacts_member(walk->facts, "scx_sched_pcpu", "event_stats", &member))
		return pcpu + member.offset;
	if (slot(walk, s, SCX_S_EVENTS))
		return slot(walk, s, SCX_S_EVENTS);
	return !s->addr && guest_symbol(walk->guest, "event_stats_cpu", &addr) ? addr : 0;
}

static struct kt_error *begin_events(struct scx_walk *walk, struct scx_sched_read *s,
				     struct gmem_batch *batch)
{
	gaddr_t addr = events_addr(walk, s);
	struct kt_error *err = NULL;
	uint64_t size;

	if (!addr || !kfacts_size(walk->facts, "scx_event_stats", &size) || !size ||
	    size > MAX_EVENTS_SIZE || !walk->percpu.offsets.len)
		return NULL;
	s->events = calloc(walk->percpu.offsets.len, sizeof(*s->events));
	if (!s->events)
		return kt_error_no_memory();
	for (size_t i = 0; i < walk->percpu.offsets.len && !err; i++)
		err = scx_piece_begin(&s->events[i], addr + walk->percpu.offsets.data[i],
				      (size_t)size, batch);
	return err;
}

static struct kt_error *begin_second(struct scx_walk *walk, struct scx_sched_read *s,
				     struct gmem_batch *batch)
{
	static const char *const worker_task[] = {"kthread_worker", "task"};
	static const char *const size[] = {"bucket_table", "size"};
	static const char *const nest[] = {"bucket_table", "nest"};
	gaddr_t nodes = slot(walk, s, SCX_S_NODES);
	uint64_t level = slot(walk, s, SCX_S_LEVEL);
	struct kfacts_member ancestors;
	struct kt_error *err = NULL;

	if (walk->exit_view.type)
		err = object_begin(&s->exit, &walk->exit_view, slot(walk, s, SCX_S_EXIT_INFO),
				   batch);
	if (!err)
		err = begin_member(walk, &s->worker, slot(walk, s, SCX_S_HELPER), worker_task,
				   batch);
	s->table = slot(walk, s, SCX_S_TABLE);
	if (!err)
		err = begin_member(walk, &s->table_size, s->table, size, batch);
	if (!err)
		err = begin_member(walk, &s->table_nest, s->table, nest, batch);
	if (!err)
		err = scx_piece_begin(&s->nodes, nodes ? nodes : slot(walk, s, SCX_S_GLOBALS),
				      scx_nodes(walk) * SCX_POINTER_SIZE, batch);
	if (!err && level && level <= MAX_LEVEL &&
	    kfacts_member(walk->facts, "scx_sched", "ancestors", &ancestors))
		err = scx_piece_begin(&s->parent,
				      s->addr + ancestors.offset + (level - 1) * SCX_POINTER_SIZE,
				      SCX_POINTER_SIZE, batch);
	return err ? err : begin_events(walk, s, batch);
}

/* What may be large: its length, or 0 when one stop has read enough of such. */
static size_t large(struct scx_walk *walk, size_t len)
{
	if (len > MAX_LARGE - walk->n_large)
		return 0;
	walk->n_large += len;
	return len;
}

static struct kt_error *begin_third(struct scx_walk *walk, struct scx_sched_read *s,
				    struct gmem_batch *batch)
{
	static const char *const start[] = {"task_struct", "start_boottime"};
	uint64_t dump_len = scx_number(&s->ops, &walk->ops_view, SCX_OPS_DUMP_LEN).value;
	uint64_t bt_len = scx_number(&s->exit, &walk->exit_view, SCX_EXIT_BT_LEN).value;
	uint64_t size = scx_piece_value(walk, &s->table_size);
	struct kfacts_member buckets;
	struct kt_error *err;

	err = begin_member(walk, &s->start, scx_piece_value(walk, &s->worker), start, batch);
	if (!err && size && size <= MAX_BUCKETS && s->table_nest.known &&
	    !scx_piece_value(walk, &s->table_nest) &&
	    kfacts_member(walk->facts, "bucket_table", "buckets", &buckets))
		err = scx_piece_begin(&s->buckets, s->table + buckets.offset,
				      large(walk, (size_t)size * SCX_POINTER_SIZE), batch);
	/* Before the kernel tells why, there is nothing. */
	if (err || !scx_number(&s->exit, &walk->exit_view, SCX_EXIT_KIND).value)
		return err;
	s->reason.addr = scx_number(&s->exit, &walk->exit_view, SCX_EXIT_REASON).value;
	s->message.addr = scx_number(&s->exit, &walk->exit_view, SCX_EXIT_MSG).value;
	err = scx_piece_begin(
		&s->backtrace, scx_number(&s->exit, &walk->exit_view, SCX_EXIT_BT).value,
		(size_t)(bt_len <= MAX_BACKTRACE ? bt_len : MAX_BACKTRACE) * SCX_POINTER_SIZE,
		batch);
	if (err)
		return err;
	return scx_piece_begin(&s->dump,
			       scx_number(&s->exit, &walk->exit_view, SCX_EXIT_DUMP).value,
			       large(walk, (size_t)(dump_len <= MAX_DUMP ? dump_len : MAX_DUMP)),
			       batch);
}

static void end_first(struct scx_walk *walk, struct scx_sched_read *s,
		      const struct gmem_batch *done)
{
	if (walk->ops_view.type)
		object_end(&s->ops, done);
	for (size_t i = 0; i < SCX_N_SLOTS; i++)
		scx_piece_end(&s->slots[i], done);
}

static void end_second(struct scx_walk *walk, struct scx_sched_read *s,
		       const struct gmem_batch *done)
{
	if (walk->exit_view.type)
		object_end(&s->exit, done);
	scx_piece_end(&s->worker, done);
	scx_piece_end(&s->table_size, done);
	scx_piece_end(&s->table_nest, done);
	scx_piece_end(&s->nodes, done);
	scx_piece_end(&s->parent, done);
	for (size_t i = 0; s->events && i < walk->percpu.offsets.len; i++)
		scx_piece_end(&s->events[i], done);
}

static void end_third(struct scx_walk *walk, struct scx_sched_read *s,
		      const struct gmem_batch *done)
{
	scx_piece_end(&s->start, done);
	scx_piece_end(&s->buckets, done);
	scx_piece_end(&s->backtrace, done);
	scx_piece_end(&s->dump, done);
	/* A table that is too large, nested or not mapped has queues that are not read. */
	walk->is_torn = walk->is_torn || (s->table && !s->buckets.known);
}

typedef struct kt_error *begin_fn(struct scx_walk *walk, struct scx_sched_read *s,
				  struct gmem_batch *batch);
typedef void end_fn(struct scx_walk *walk, struct scx_sched_read *s, const struct gmem_batch *done);

/* One round trip for all schedulers. */
static struct kt_error *read_level(struct scx_walk *walk, begin_fn *begin, end_fn *end)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < walk->scheds.len && !err; i++)
		err = begin(walk, &walk->scheds.data[i], &batch);
	if (!err && batch.reads.len)
		err = guest_read(walk->guest, &batch);
	for (size_t i = 0; i < walk->scheds.len && !err; i++)
		end(walk, &walk->scheds.data[i], &batch);
	return err;
}

/* All strings at once: cstrings_read() takes an array. */
static struct kt_error *read_strings(struct scx_walk *walk)
{
	size_t n = 3 * walk->scheds.len;
	_cleanup_free_ struct cstring *all = calloc(n + 1, sizeof(*all));
	struct kt_error *err;

	if (!all)
		return kt_error_no_memory();
	for (size_t i = 0; i < walk->scheds.len; i++) {
		struct scx_sched_read *s = &walk->scheds.data[i];

		all[3 * i].addr = s->reason.addr;
		all[3 * i + 1].addr = s->message.addr;
		all[3 * i + 2].addr = slot(walk, s, SCX_S_CGROUP_PATH);
	}
	err = cstrings_read(&walk->memory, all, n);
	for (size_t i = 0; i < walk->scheds.len; i++) {
		walk->scheds.data[i].reason = all[3 * i];
		walk->scheds.data[i].message = all[3 * i + 1];
		walk->scheds.data[i].cgroup = all[3 * i + 2];
	}
	return err;
}

/* Of backtraces, what is BPF's and modules': the kernel's own are named when it runs again. */
static struct kt_error *read_frames(struct scx_walk *walk)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < walk->scheds.len && !err; i++) {
		struct scx_sched_read *s = &walk->scheds.data[i];
		size_t n = s->backtrace.known ? s->backtrace.len / SCX_POINTER_SIZE : 0;
		uint64_t offset;

		s->frames = calloc(n + 1, sizeof(*s->frames));
		if (!s->frames)
			return kt_error_no_memory();
		for (size_t k = 0; k < n; k++) {
			gaddr_t addr = scx_piece_pointer(walk, &s->backtrace, k);

			if (!kfacts_function_around(walk->facts,
						    addr - (uint64_t)walk->kaslr_offset, &offset))
				s->frames[s->n_frames++].addr = addr;
		}
		err = code_names_read(walk->guest, s->frames, s->n_frames);
	}
	return err;
}

struct kt_error *scx_scheds_read(struct scx_walk *walk)
{
	struct kt_error *err;

	if (!view_try(&walk->ops_view, &ops_type, walk->facts))
		walk->ops_view = (struct view){0};
	if (!view_try(&walk->exit_view, &exit_type, walk->facts))
		walk->exit_view = (struct view){0};
	err = find_scheds(walk);
	if (!err)
		err = read_level(walk, begin_first, end_first);
	if (!err)
		err = read_level(walk, begin_second, end_second);
	return err ? err : read_level(walk, begin_third, end_third);
}

struct kt_error *scx_words_read(struct scx_walk *walk)
{
	struct kt_error *err = read_frames(walk);

	return err ? err : read_strings(walk);
}
