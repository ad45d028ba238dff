// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "introspect/scx_snapshot.h"
#include "introspect/scx_walk.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define ON_PRIQ 1 /* SCX_TASK_DSQ_ON_PRIQ of dsq_flags */

bool scx_finish_wants(struct wants *wants)
{
	static const char *const enums[] = {"scx_rq_flags", "scx_ops_flags", "scx_ent_flags",
					    "scx_exit_kind"};

	for (size_t i = 0; i < sizeof(enums) / sizeof(enums[0]); i++)
		if (!wants_add(wants, KFACTS_ENUM, enums[i], NULL, true))
			return false;
	return wants_add(wants, KFACTS_MEMBERS, "scx_event_stats", NULL, true) &&
	       wants_add(wants, KFACTS_FUNCTIONS, KFACTS_ALL, NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "ext_sched_class", NULL, true);
}

struct flag_names {
	const char *type, *prefix;
	unsigned int n_bits; /* what is above has other meanings */
};

/* "ONLINE|0x40": bits by the names of an enum, and the others as a number; "" for none. */
static struct kt_error *flag_text(const struct scx_walk *walk, const struct flag_names *names,
				  const struct program_number *flags, char **ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	size_t prefix = strlen(names->prefix);
	uint64_t rest = 0;

	if (!flags->known)
		return NULL;
	for (unsigned int bit = 0; bit < names->n_bits; bit++) {
		uint64_t value = flags->value & UINT64_C(1) << bit;
		const char *name = value ? kfacts_enum_name(walk->facts, names->type,
							    (int64_t)value)
					 : NULL;

		if (name && !strncmp(name, names->prefix, prefix))
			kt_buf_printf(&text, "%s%s", text.len ? "|" : "", name + prefix);
		else
			rest |= value;
	}
	if (rest)
		kt_buf_printf(&text, "%s%#llx", text.len ? "|" : "", (unsigned long long)rest);
	return kt_buf_finish(&text, ret);
}

static struct program_number known(uint64_t value)
{
	return (struct program_number){.known = true, .value = value};
}

/* A number of 32 bits with a sign. */
static struct program_number signed_number(struct program_number number)
{
	number.value = (uint64_t)(int64_t)(int32_t)number.value;
	return number;
}

/* --- time --- */

static struct program_number hz(const struct scx_walk *walk)
{
	uint64_t mult = scx_piece_value(walk, &walk->tick_mult);
	uint64_t shift = scx_piece_value(walk, &walk->tick_shift);
	uint64_t tick_ns = shift < 32 ? mult >> shift : 0;

	return tick_ns ? known((UINT64_C(1000000000) + tick_ns / 2) / tick_ns)
		       : (struct program_number){0};
}

static struct program_number ticks_ms(const struct scx_walk *walk, struct program_number ticks)
{
	struct program_number rate = hz(walk);

	if (!ticks.known || !rate.known || !rate.value || ticks.value > UINT64_MAX / 1000)
		return (struct program_number){0};
	return known(ticks.value * 1000 / rate.value);
}

/* How long ago that was. What lies in the future is unknown. */
static struct program_number since_ms(const struct scx_walk *walk, struct program_number jiffies)
{
	const struct scx_piece *now = &walk->globals[SCX_G_JIFFIES];
	uint64_t value = scx_piece_value(walk, now);

	if (!now->known || !jiffies.known || jiffies.value > value)
		return (struct program_number){0};
	return ticks_ms(walk, known(value - jiffies.value));
}

/* --- schedulers --- */

static size_t find_sched(const struct scx_walk *walk, gaddr_t addr)
{
	for (size_t i = 0; addr && i < walk->scheds.len; i++)
		if (walk->scheds.data[i].addr == addr)
			return i;
	return SCX_NOBODY;
}

static char *text_of(const struct cstring *string)
{
	return string->known && string->text.len ? strdup(string->text.data) : NULL;
}

static struct kt_error *finish_backtrace(const struct scx_walk *walk,
					 const struct scx_sched_read *s, struct scx_exit *ret)
{
	size_t n = s->backtrace.known ? s->backtrace.len / SCX_POINTER_SIZE : 0, other = 0;

	ret->frames = calloc(n + 1, sizeof(*ret->frames));
	if (!ret->frames)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		struct scx_frame *frame = &ret->frames[ret->n_frames++];
		const char *name;

		frame->addr = scx_piece_pointer(walk, &s->backtrace, i);
		name = kfacts_function_around(
			walk->facts, frame->addr - (uint64_t)walk->kaslr_offset, &frame->offset);
		if (!name && other < s->n_frames) {
			const struct module_symbol *symbol = &s->frames[other++];

			name = symbol->name;
			frame->offset = name ? frame->addr - symbol->start : 0;
			frame->module = symbol->module ? strdup(symbol->module) : NULL;
			if (symbol->module && !frame->module)
				return kt_error_no_memory();
		}
		frame->func = name ? strdup(name) : NULL;
		if (name && !frame->func)
			return kt_error_no_memory();
	}
	return NULL;
}

static struct kt_error *finish_exit(const struct scx_walk *walk, const struct scx_sched_read *s,
				    struct scx_exit *ret)
{
	uint64_t dump_len = scx_number(&s->ops, &walk->ops_view, SCX_OPS_DUMP_LEN).value;
	const char *name;

	ret->kind = scx_number(&s->exit, &walk->exit_view, SCX_EXIT_KIND);
	ret->is_complete = ret->kind.known && ret->kind.value;
	if (!ret->is_complete)
		ret->kind = scx_piece_number(walk, &s->slots[SCX_S_EXIT_KIND]);
	name = ret->kind.known
		       ? kfacts_enum_name(walk->facts, "scx_exit_kind", (int64_t)ret->kind.value)
		       : NULL;
	if (name && !(ret->kind_name = strdup(name)))
		return kt_error_no_memory();
	if (!ret->is_complete)
		return NULL;
	ret->code = scx_number(&s->exit, &walk->exit_view, SCX_EXIT_CODE);
	ret->cpu = signed_number(scx_number(&s->exit, &walk->exit_view, SCX_EXIT_CPU));
	if ((int64_t)ret->cpu.value < 0)
		ret->cpu = (struct program_number){0};
	ret->reason = text_of(&s->reason);
	ret->message = text_of(&s->message);
	if (s->dump.known && s->dump.data && s->dump.data[0]) {
		size_t len = strnlen((const char *)s->dump.data, s->dump.len);

		ret->dump_is_cut = len == s->dump.len && dump_len > len;
		ret->dump = strndup((const char *)s->dump.data, len);
		if (!ret->dump)
			return kt_error_no_memory();
	}
	return finish_backtrace(walk, s, ret);
}

static struct kt_error *finish_ops(const struct scx_sched_read *s, struct scx_scheduler *ret)
{
	if (!s->map)
		return NULL;
	ret->map_id = known(s->map->id);
	ret->ops_known = s->map->progs_known;
	ret->all_ops = calloc(s->map->n_progs + 1, sizeof(*ret->all_ops));
	if (!ret->all_ops)
		return kt_error_no_memory();
	for (size_t i = 0; i < s->map->n_progs; i++)
		ret->all_ops[ret->n_ops++].prog_id = known(s->map->progs[i].id);
	return NULL;
}

/* The sums over all CPUs, as the kernel's own scx_read_events() has them. */
static struct kt_error *finish_events(const struct scx_walk *walk, const struct scx_sched_read *s,
				      struct scx_scheduler *ret)
{
	uint32_t offset;
	const char *name;
	size_t n = 0;

	if (!s->events)
		return NULL;
	for (size_t i = 0; i < walk->percpu.offsets.len; i++)
		if (!s->events[i].known)
			return NULL;
	while (kfacts_nth_member(walk->facts, "scx_event_stats", n, &offset))
		n++;
	ret->events = calloc(n + 1, sizeof(*ret->events));
	if (!ret->events)
		return kt_error_no_memory();
	ret->events_known = true;
	for (size_t i = 0; i < n; i++) {
		struct scx_event *event = &ret->events[ret->n_events];
		uint64_t sum = 0;

		name = kfacts_nth_member(walk->facts, "scx_event_stats", i, &offset);
		for (size_t c = 0; c < walk->percpu.offsets.len; c++)
			sum += scx_piece_pointer(walk, &s->events[c], offset / 8);
		if (offset % 8 || offset + 8 > s->events[0].len)
			continue;
		event->value = (int64_t)sum;
		event->name = strdup(name);
		if (!event->name)
			return kt_error_no_memory();
		ret->n_events++;
	}
	return NULL;
}

static struct kt_error *finish_sched(const struct scx_walk *walk, const struct scx_sched_read *s,
				     struct scx_scheduler *ret)
{
	static const struct flag_names names = {"scx_ops_flags", "SCX_OPS_", 64};
	struct program_number start = scx_piece_number(walk, &s->start);
	const char *name = NULL;
	struct kt_error *err;
	size_t len = 0;
	int64_t real;

	ret->addr = s->addr;
	ret->is_root = s->is_root;
	ret->is_attached = s->is_listed || (s->is_root && strcmp(walk->state.state, "disabled"));
	if (s->ops.known)
		name = view_bytes(&walk->ops_view, s->ops.image, SCX_OPS_NAME, &len);
	if (name && !(ret->ops = strndup(name, strnlen(name, len))))
		return kt_error_no_memory();
	ret->flags = scx_number(&s->ops, &walk->ops_view, SCX_OPS_FLAGS);
	ret->timeout_ms = scx_number(&s->ops, &walk->ops_view, SCX_OPS_TIMEOUT);
	if (start.known && wallclock_of_boottime(&walk->clock, start.value, &real))
		ret->since_ns = known((uint64_t)real);
	ret->bypass_depth = scx_piece_number(walk, &s->slots[SCX_S_BYPASS_DEPTH]);
	if (!ret->bypass_depth.known && s->is_root)
		ret->bypass_depth = scx_piece_number(walk, &walk->globals[SCX_G_BYPASS_DEPTH]);
	ret->bypass_depth = signed_number(ret->bypass_depth);
	ret->aborting = scx_piece_number(walk, &s->slots[SCX_S_ABORTING]);
	ret->level = scx_piece_number(walk, &s->slots[SCX_S_LEVEL]);
	ret->cgroup_id = scx_number(&s->ops, &walk->ops_view, SCX_OPS_SUB_CGROUP);
	if (!ret->cgroup_id.value) /* a root does not say one */
		ret->cgroup_id.known = false;
	ret->cgroup = text_of(&s->cgroup);
	err = flag_text(walk, &names, &ret->flags, &ret->flag_names);
	if (!err)
		err = finish_exit(walk, s, &ret->exit);
	if (!err)
		err = finish_ops(s, ret);
	return err ? err : finish_events(walk, s, ret);
}

/* Where a scheduler comes: the root, those of the tree by level, and those that have ended. */
static uint64_t sched_rank(const struct scx_walk *walk, const struct scx_sched_read *s)
{
	uint64_t level = scx_piece_value(walk, &s->slots[SCX_S_LEVEL]);

	return s->is_root ? 0 : s->is_listed ? 1 + (level & UINT32_MAX) : UINT64_MAX;
}

/* places[i]: where scheduler i of the walk is in the result. */
static struct kt_error *finish_scheds(const struct scx_walk *walk, struct scx_snapshot *ret,
				      size_t *places)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < walk->scheds.len; i++) {
		uint64_t rank = sched_rank(walk, &walk->scheds.data[i]);

		places[i] = 0;
		for (size_t k = 0; k < walk->scheds.len; k++) {
			uint64_t other = sched_rank(walk, &walk->scheds.data[k]);

			places[i] += other < rank || (other == rank && k < i);
		}
	}
	ret->schedulers = calloc(walk->scheds.len + 1, sizeof(*ret->schedulers));
	if (!ret->schedulers)
		return kt_error_no_memory();
	ret->n_schedulers = walk->scheds.len;
	for (size_t i = 0; i < walk->scheds.len && !err; i++) {
		const struct scx_sched_read *s = &walk->scheds.data[i];
		struct scx_scheduler *to = &ret->schedulers[places[i]];
		size_t parent = find_sched(walk, scx_piece_value(walk, &s->parent));

		err = finish_sched(walk, s, to);
		to->parent = parent != SCX_NOBODY && places[parent] < places[i] ? places[parent]
										: SCX_NOBODY;
	}
	return err;
}

/* --- tasks, queues, CPUs --- */

static struct kt_error *finish_task(const struct scx_walk *walk, const struct object *object,
				    const size_t *places, struct scx_task *ret)
{
	const struct view *view = &walk->task_view;
	struct flag_names names = {"scx_ent_flags", "SCX_TASK_", 8};
	size_t len = 0, sched;
	const char *comm;
	gaddr_t class;
	int64_t shift;

	ret->scheduler = SCX_NOBODY;
	if (!object->image || !object->known)
		return NULL;
	/* Above are the task's state, and other numbers of some bits. */
	if (kfacts_enum_value(walk->facts, names.type, "SCX_TASK_STATE_SHIFT", &shift) &&
	    shift > 0 && shift < 32)
		names.n_bits = (unsigned int)shift;
	comm = view_bytes(view, object->image, SCX_TASK_COMM, &len);
	if (comm)
		memcpy(ret->comm, comm, strnlen(comm, len < 16 ? len : 16));
	ret->pid = scx_number(object, view, SCX_TASK_PID);
	ret->tgid = scx_number(object, view, SCX_TASK_TGID);
	ret->cpu = scx_number(object, view, SCX_TASK_CPU);
	ret->weight = scx_number(object, view, SCX_TASK_WEIGHT);
	ret->slice_ns = scx_number(object, view, SCX_TASK_SLICE);
	ret->vtime = scx_number(object, view, SCX_TASK_VTIME);
	ret->flags = scx_number(object, view, SCX_TASK_FLAGS);
	ret->is_ext = kfacts_symbol(walk->facts, "ext_sched_class", &class) &&
		      view_uint(view, object->image, SCX_TASK_CLASS) ==
			      class + (uint64_t)walk->kaslr_offset;
	sched = find_sched(walk, scx_number(object, view, SCX_TASK_SCHED).value);
	if (sched != SCX_NOBODY)
		ret->scheduler = places[sched];
	return flag_text(walk, &names, &ret->flags, &ret->flag_names);
}

struct place {
	const struct scx_queue_read *queue;
	size_t sched, index; /* in the result; in the walk */
	uint64_t number;     /* a user's id, else CPU or node */
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	/* SCX_NOBODY + 1 is 0: the queues of CPUs come first. */
	const uint64_t first[] = {x->sched + 1, x->queue->kind, x->number, x->index};
	const uint64_t second[] = {y->sched + 1, y->queue->kind, y->number, y->index};

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (first[i] != second[i])
			return first[i] < second[i] ? -1 : 1;
	return 0;
}

/* The queues that could be read, in the order of the result. */
static size_t sort_queues(const struct scx_walk *walk, const size_t *places, struct place *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < walk->queues.len; i++) {
		const struct scx_queue_read *queue = &walk->queues.data[i];

		if (!queue->dsq.known)
			continue;
		ret[n++] = (struct place){
			.queue = queue,
			.index = i,
			.sched = queue->sched == SCX_NOBODY ? SCX_NOBODY : places[queue->sched],
			.number = queue->kind == SCX_QUEUE_USER
					  ? view_uint(&walk->dsq_view, queue->dsq.image, SCX_DSQ_ID)
					  : queue->where};
	}
	qsort(ret, n, sizeof(*ret), compare_places);
	return n;
}

static void finish_queue(const struct scx_walk *walk, const struct place *place,
			 struct scx_queue *ret)
{
	const struct scx_queue_read *queue = place->queue;

	ret->kind = queue->kind;
	ret->scheduler = place->sched;
	ret->id = view_uint(&walk->dsq_view, queue->dsq.image, SCX_DSQ_ID);
	ret->depth = scx_number(&queue->dsq, &walk->dsq_view, SCX_DSQ_NR);
	if (queue->kind == SCX_QUEUE_GLOBAL)
		ret->node = known(queue->where);
	else if (queue->kind != SCX_QUEUE_USER)
		ret->cpu = known(queue->where);
}

/*
 * How far a list was read from both ends. In the middle the last node from the one end leads to
 * that from the other one; an end without nodes is the queue itself.
 */
struct list_end {
	gaddr_t front, back;     /* these nodes */
	gaddr_t forth, and_back; /* where they lead to */
	unsigned int n_cut;      /* ends at which a bound ended it: of its tasks, or of all */
	size_t tasks;
};

static struct kt_error *count_nodes(const struct scx_walk *walk, struct list_end **ret)
{
	struct list_end *ends = calloc(walk->queues.len + 1, sizeof(*ends));

	if (!ends)
		return kt_error_no_memory();
	for (size_t i = 0; i < walk->queues.len; i++) {
		const struct object *dsq = &walk->queues.data[i].dsq;

		ends[i].front = ends[i].back = walk->queues.data[i].addr + walk->dsq_list_offset;
		ends[i].forth = scx_number(dsq, &walk->dsq_view, SCX_DSQ_FIRST).value;
		ends[i].and_back = scx_number(dsq, &walk->dsq_view, SCX_DSQ_LAST).value;
	}
	kt_vec_for_each (&walk->nodes.items, item) {
		struct list_end *end = &ends[item->owner];

		if (item->is_back) {
			end->back = item->addr;
			end->and_back = view_uint(&walk->nodes.view, item->image, SCX_NODE_PREV);
		} else {
			end->front = item->addr;
			end->forth = view_uint(&walk->nodes.view, item->image, SCX_NODE_NEXT);
		}
	}
	kt_vec_for_each (&walk->nodes.cut, owner)
		ends[*owner].n_cut++;
	kt_vec_for_each (&walk->tasks, waiting)
		ends[waiting->queue].tasks++;
	*ret = ends;
	return NULL;
}

static struct kt_error *finish_waiting(const struct scx_walk *walk,
				       const struct scx_waiting *waiting, const size_t *places,
				       struct scx_queue *queue)
{
	struct scx_task *task = &queue->tasks[queue->n_tasks++];
	const struct object *object = &waiting->task;
	gaddr_t addr = walk->queues.data[waiting->queue].addr;

	if (!object->known)
		queue->is_torn = true;
	else if (scx_number(object, &walk->task_view, SCX_TASK_DSQ).value != addr)
		queue->is_uneven = true;
	if (scx_number(object, &walk->task_view, SCX_TASK_DSQ_FLAGS).value & ON_PRIQ)
		queue->is_by_vtime = true;
	task->waits_ms = since_ms(walk, scx_number(object, &walk->task_view, SCX_TASK_RUNNABLE_AT));
	return finish_task(walk, object, places, task);
}

/* A node that is just added or removed has one of both pointers changed. */
static void mark_list(const struct list_end *end, struct scx_queue *ret)
{
	bool forth = end->forth == end->back, back = end->and_back == end->front;

	/* If a bound ended one end only, damage ended the other one. */
	ret->is_cut = !forth && !back && end->n_cut == 2;
	ret->is_torn = !forth && !back && !ret->is_cut;
	ret->is_uneven = forth != back;
}

/* where[i]: where queue i of the walk is in the result. */
static struct kt_error *finish_tasks(const struct scx_walk *walk, const size_t *places,
				     const size_t *where, struct scx_snapshot *ret)
{
	_cleanup_free_ struct list_end *ends = NULL;
	struct kt_error *err = count_nodes(walk, &ends);

	for (size_t i = 0; i < walk->queues.len && !err; i++) {
		struct scx_queue *queue;

		if (where[i] == SCX_NOBODY)
			continue;
		queue = &ret->queues[where[i]];
		queue->tasks = calloc(ends[i].tasks + 1, sizeof(*queue->tasks));
		if (!queue->tasks)
			return kt_error_no_memory();
		mark_list(&ends[i], queue);
	}
	for (size_t i = 0; i < walk->tasks.len && !err; i++) {
		size_t to = where[walk->tasks.data[i].queue];

		if (to != SCX_NOBODY)
			err = finish_waiting(walk, &walk->tasks.data[i], places, &ret->queues[to]);
	}
	for (size_t i = 0; i < ret->n_queues && !err; i++) {
		struct scx_queue *queue = &ret->queues[i];

		queue->is_uneven = queue->is_uneven ||
				   (!queue->is_cut && !queue->is_torn && queue->depth.known &&
				    queue->depth.value != queue->n_tasks);
	}
	return err;
}

static struct kt_error *finish_queues(const struct scx_walk *walk, const size_t *places,
				      size_t *where, struct scx_snapshot *ret)
{
	_cleanup_free_ struct place *sorted = calloc(walk->queues.len + 1, sizeof(*sorted));
	size_t n;

	ret->queues = calloc(walk->queues.len + 1, sizeof(*ret->queues));
	if (!sorted || !ret->queues)
		return kt_error_no_memory();
	n = sort_queues(walk, places, sorted);
	for (size_t i = 0; i < walk->queues.len; i++)
		where[i] = SCX_NOBODY;
	for (size_t i = 0; i < n; i++) {
		where[sorted[i].index] = i;
		finish_queue(walk, &sorted[i], &ret->queues[ret->n_queues++]);
	}
	ret->n_unreadable += walk->queues.len - n;
	return finish_tasks(walk, places, where, ret);
}

static struct program_number in_mask(const struct scx_walk *walk, const struct scx_piece *mask,
				     uint32_t cpu)
{
	const uint8_t *bytes = mask->data ? mask->data : mask->raw;

	return (struct program_number){
		.known = mask->known,
		.value = mask->known && percpu_mask_has(bytes, mask->len, cpu, walk->big_endian)};
}

static struct kt_error *finish_cpus(const struct scx_walk *walk, const size_t *places,
				    struct scx_snapshot *ret)
{
	static const struct flag_names names = {"scx_rq_flags", "SCX_RQ_", 32};
	struct kt_error *err = NULL;

	ret->cpus = calloc(walk->cpus.len + 1, sizeof(*ret->cpus));
	if (!ret->cpus)
		return kt_error_no_memory();
	ret->cpus_known = walk->cpus.len > 0;
	for (size_t i = 0; i < walk->cpus.len && !err; i++) {
		const struct scx_cpu_read *from = &walk->cpus.data[i];
		struct scx_cpu *to = &ret->cpus[ret->n_cpus++];

		to->cpu = from->cpu;
		to->queue = SCX_NOBODY;
		to->online = in_mask(walk, &walk->online, from->cpu);
		to->idle = in_mask(walk, &walk->idle, from->cpu);
		to->idle_core = in_mask(walk, &walk->idle_core, from->cpu);
		to->nr_running = scx_number(&from->rq, &walk->rq_view, SCX_RQ_NR_RUNNING);
		to->flags = scx_number(&from->rq, &walk->rq_view, SCX_RQ_FLAGS);
		to->has_current = from->current.image && from->current.known;
		err = flag_text(walk, &names, &to->flags, &to->flag_names);
		if (!err)
			err = finish_task(walk, &from->current, places, &to->current);
	}
	/* The queues of CPUs are the first ones, and sorted. */
	for (size_t i = 0, c = 0; i < ret->n_queues && c < ret->n_cpus; i++) {
		if (ret->queues[i].kind != SCX_QUEUE_LOCAL)
			break;
		while (c < ret->n_cpus && ret->cpus[c].cpu < ret->queues[i].cpu.value)
			c++;
		if (c < ret->n_cpus && ret->cpus[c].cpu == ret->queues[i].cpu.value)
			ret->cpus[c].queue = i;
	}
	return err;
}

/* --- all of it --- */

/* Of the root, or (7.1) the shortest of all, which is how often the watchdog looks. */
static struct program_number watchdog_timeout(const struct scx_walk *walk)
{
	struct program_number least = scx_piece_number(walk,
						       &walk->globals[SCX_G_WATCHDOG_TIMEOUT]);

	kt_vec_for_each (&walk->scheds, s) {
		struct program_number own = scx_piece_number(walk, &s->slots[SCX_S_TIMEOUT]);

		if ((s->is_root || s->is_listed) && own.known &&
		    (!least.known || own.value < least.value))
			least = own;
	}
	return ticks_ms(walk, least);
}

static void finish_globals(const struct scx_walk *walk, struct scx_snapshot *ret)
{
	bool attached = false;

	kt_vec_for_each (&walk->scheds, s)
		attached = attached || s->is_root;
	ret->switched_all = scx_piece_number(walk, &walk->globals[SCX_G_SWITCHING_ALL]);
	ret->enable_seq = scx_piece_number(walk, &walk->globals[SCX_G_ENABLE_SEQ]);
	ret->hotplug_seq = scx_piece_number(walk, &walk->globals[SCX_G_HOTPLUG_SEQ]);
	ret->nr_rejected = scx_piece_number(walk, &walk->globals[SCX_G_NR_REJECTED]);
	ret->hz = hz(walk);
	ret->is_torn = walk->is_torn;
	ret->n_unreadable = walk->n_unreadable;
	/* Without a scheduler nobody watches. */
	if (attached) {
		ret->watchdog_timeout_ms = watchdog_timeout(walk);
		ret->watchdog_age_ms = since_ms(
			walk, scx_piece_number(walk, &walk->globals[SCX_G_WATCHDOG_AT]));
	}
}

struct kt_error *scx_finish(const struct scx_walk *walk, struct scx_snapshot *ret)
{
	_cleanup_free_ size_t *places = calloc(walk->scheds.len + 1, sizeof(*places));
	_cleanup_free_ size_t *where = calloc(walk->queues.len + 1, sizeof(*where));
	struct kt_error *err;

	if (!places || !where)
		return kt_error_no_memory();
	finish_globals(walk, ret);
	err = finish_scheds(walk, ret, places);
	if (!err)
		err = finish_queues(walk, places, where, ret);
	return err ? err : finish_cpus(walk, places, ret);
}
