// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory/object.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/cursor.h"
#include "watch/sched.h"

/* Before SCX_EXIT_ERROR (1024) are the kinds of who wanted the scheduler to end. */
#define EXIT_ERROR 1024
/* Events that wait to be given out. A guest that makes more is told of by the last ones. */
#define EVENTS_MAX 4096

static const char *const counters[] = {"scx_enable_seq", "scx_hotplug_seq", "scx_nr_rejected"};

bool sched_watch_wants(struct wants *wants)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		if (!wants_add(wants, KFACTS_SYMBOL, counters[i], NULL, true))
			return false;
	return wants_add(wants, KFACTS_SYMBOL, "scx_bypass_depth", NULL, true) && /* before 7.1 */
	       sched_points_wants(wants) && sched_dump_wants(wants) && sched_reject_wants(wants);
}

/* --- what the kernel says --- */

static bool symbol(const struct sched *sched, const char *name, gaddr_t *ret)
{
	if (!kfacts_symbol(sched->facts, name, ret))
		return false;
	*ret += (uint64_t)sched->kaslr_offset;
	return true;
}

static struct kt_error *read_now(const struct sched *sched, const struct gmem *memory,
				 struct sched_now *ret, bool *known_ret)
{
	static const char *const names[] = {"scx_root", "scx_enable_seq", "scx_hotplug_seq",
					    "scx_nr_rejected", "scx_bypass_depth"};
	static const uint8_t sizes[] = {8, 8, 8, 8, 4};
	struct program_number values[5] = {0};
	size_t pieces[5];
	uint8_t bytes[5][8];
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	for (size_t i = 0; i < 5; i++) {
		gaddr_t addr;

		pieces[i] = batch.reads.len;
		if (symbol(sched, names[i], &addr) &&
		    !gmem_batch_add(&batch, addr, bytes[i], sizes[i]))
			return kt_error_no_memory();
	}
	err = gmem_batch_read(&batch, memory->read, memory->source);
	if (err)
		return err;
	for (size_t i = 0; i < 5; i++) {
		size_t end = i < 4 ? pieces[i + 1] : batch.reads.len;

		if (pieces[i] < end && !batch.reads.data[pieces[i]].fault)
			values[i] = (struct program_number){true, kt_load_uint(bytes[i], sizes[i],
									       false)};
	}
	*known_ret = values[0].known;
	*ret = (struct sched_now){
		.root = values[0].value,
		.enable_seq = values[1],
		.hotplug_seq = values[2],
		.nr_rejected = values[3],
		.bypass_depth = values[4],
	};
	return NULL;
}

/* --- events --- */

static int64_t realtime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct sched_event new_event(const struct sched *sched, enum sched_event_kind kind,
				    bool late)
{
	struct sched_event event = {
		.kind = kind,
		.at_ns = realtime_ns(),
		.late = late,
		.scheduler = sched->now.root,
		.pause_ns = kt_now_ns() - sched->stop->since_ns,
	};

	memcpy(event.ops, sched->ops, sizeof(event.ops));
	return event;
}

/* Takes the event. */
static struct kt_error *give(struct sched *sched, struct sched_event *event)
{
	if (sched->events.len < EVENTS_MAX && kt_vec_push(&sched->events, *event))
		return NULL;
	sched_event_deinit(event);
	return sched->events.len < EVENTS_MAX ? kt_error_no_memory() : NULL;
}

/* Who ran on the CPU that stopped. */
static struct kt_error *add_who(struct sched *sched, struct sched_event *event)
{
	struct scx_task task;
	struct kt_error *err = sched_read_cpu(&sched->views, sched->stop, &event->cpu, &task);

	if (err)
		return err;
	event->pid = task.pid;
	memcpy(event->comm, task.comm, sizeof(event->comm));
	return NULL;
}

static struct kt_error *add_rejected(struct sched *sched, struct sched_event *event)
{
	struct scx_task task;
	struct kt_error *err = sched_reject_read(&sched->reject, sched->stop, &task);

	if (err)
		return err;
	event->rejected_pid = task.pid;
	memcpy(event->rejected_comm, task.comm, sizeof(event->rejected_comm));
	return NULL;
}

static struct kt_error *count(struct sched *sched, enum sched_event_kind kind,
			      struct program_number before, struct program_number now, bool late)
{
	struct sched_event event;
	struct kt_error *err = NULL;

	/* It begins anew with each scheduler, as nr_rejected does. */
	if (!before.known || !now.known || now.value <= before.value)
		return NULL;
	event = new_event(sched, kind, late);
	event.count = now;
	event.more = now.value - before.value;
	if (!late)
		err = add_who(sched, &event);
	if (!err && !late && kind == SCHED_REJECTED)
		err = add_rejected(sched, &event);
	return err ? err : give(sched, &event);
}

/* --- a scheduler comes and goes --- */

static struct kt_error *read_exit(const struct sched *sched, const struct gmem *memory,
				  const struct sched_seen *seen, struct scx_exit *ret)
{
	struct kt_error *err = sched_read_exit(&sched->views, memory, sched->facts,
					       sched->kaslr_offset, seen, ret);

	return err ? err
		   : sched_name_frames(sched->stop, sched->facts, sched->kaslr_offset, ret->frames,
				       ret->n_frames);
}

static struct kt_error *release(struct sched *sched, const struct gmem *memory)
{
	struct sched_event event = sched->held;
	struct sched_seen seen = {0};
	struct kt_error *err = NULL;

	if (!sched->is_held)
		return NULL;
	sched->is_held = false;
	sched->held = (struct sched_event){0};
	if (memory)
		err = sched_see(&sched->views, memory, event.scheduler, &seen);
	if (!err && seen.known) {
		scx_exit_deinit(&event.exit);
		err = read_exit(sched, memory, &seen, &event.exit);
	}
	event.is_error = event.exit.kind.known && event.exit.kind.value >= EXIT_ERROR;
	/* What was read at the instant is given out, whatever failed since. */
	return kt_error_join(err, give(sched, &event));
}

struct kt_error *sched_release(struct sched *sched)
{
	return release(sched, NULL);
}

/* memory: NULL if it may have been freed by now. */
static struct kt_error *goes(struct sched *sched, const struct gmem *memory)
{
	struct sched_event event = new_event(sched, SCHED_DISABLED, !memory);
	struct sched_seen seen = {0};
	struct kt_error *err = release(sched, memory);

	if (!err && memory)
		err = sched_see(&sched->views, memory, sched->now.root, &seen);
	if (!err && memory)
		err = read_exit(sched, memory, &seen, &event.exit);
	if (!err && memory)
		err = add_who(sched, &event);
	event.is_error = event.exit.kind.known && event.exit.kind.value >= EXIT_ERROR;
	if (!err)
		return give(sched, &event);
	sched_event_deinit(&event);
	return err;
}

static struct kt_error *comes(struct sched *sched, const struct gmem *memory, gaddr_t root,
			      enum sched_event_kind kind, bool late)
{
	struct sched_event event;
	struct sched_seen seen;
	struct kt_error *err = sched_see(&sched->views, memory, root, &seen);
	struct kfacts_member exit_kind = {0}, info_kind = {0};

	if (err)
		return err;
	kfacts_member(sched->facts, "scx_sched", "exit_kind.counter", &exit_kind);
	kfacts_member(sched->facts, "scx_exit_info", "kind", &info_kind);
	sched->now.root = root;
	sched->exit_info = seen.exit_info;
	sched->dumped = kind == SCHED_RUNNING && seen.exit_kind; /* its end was before us */
	memcpy(sched->ops, seen.ops, sizeof(sched->ops));
	event = new_event(sched, kind, late);
	if (kind == SCHED_ENABLING && !late)
		err = add_who(sched, &event);
	if (!err)
		err = give(sched, &event);
	return err ? err
		   : sched_points_move(&sched->points, sched->stop->client, root + exit_kind.offset,
				       seen.exit_info ? seen.exit_info + info_kind.offset : 0);
}

static struct kt_error *update_root(struct sched *sched, const struct gmem *memory, gaddr_t root,
				    bool late)
{
	struct kt_error *err = NULL;

	if (root == sched->now.root)
		return NULL;
	if (sched->now.root)
		err = goes(sched, late ? NULL : memory);
	sched->now.root = 0;
	sched->ops[0] = '\0';
	if (err)
		return err;
	return root ? comes(sched, memory, root, SCHED_ENABLING, late)
		    : sched_points_move(&sched->points, sched->stop->client, 0, 0);
}

/*
 * Compares what the kernel says with what it said before. point: what the guest was stopped at;
 * SCHED_NOWHERE: it is a look.
 */
static struct kt_error *update(struct sched *sched, const struct gmem *memory,
			       enum sched_point point)
{
	struct sched_now now, *was = &sched->now;
	struct kt_error *err;
	bool known;

	err = read_now(sched, memory, &now, &known);
	if (err || !known)
		return err;
	err = update_root(sched, memory, now.root, point != SCHED_AT_ROOT);
	if (!err)
		err = count(sched, SCHED_HOTPLUG, was->hotplug_seq, now.hotplug_seq,
			    point != SCHED_AT_HOTPLUG);
	if (!err)
		err = count(sched, SCHED_REJECTED, was->nr_rejected, now.nr_rejected,
			    point != SCHED_AT_REJECTED);
	if (!err)
		err = count(sched, SCHED_ENABLED, was->enable_seq, now.enable_seq,
			    point != SCHED_AT_ENABLED);
	if (!err)
		*was = now;
	return err;
}

/* --- it ends --- */

static struct kt_error *dump(struct sched *sched, struct sched_event *event)
{
	struct sched_dump *all = calloc(1, sizeof(*all));
	struct kt_error *err;

	if (!all)
		return kt_error_no_memory();
	err = sched_dump_read(&sched->views, sched->stop, sched->facts, sched->kaslr_offset,
			      event->late, all);
	if (err) {
		free(all);
		return err;
	}
	event->dump = all;
	event->cpu = all->cpu;
	event->pid = all->task.pid;
	memcpy(event->comm, all->task.comm, sizeof(event->comm));
	event->pause_ns = kt_now_ns() - sched->stop->since_ns;
	return NULL;
}

/*
 * Whether exit_kind, or exit_info's kind, was written. late: the guest stopped somewhere else. When
 * two vCPUs stop at once, QEMU's stub tells of one of them (gdb_vm_state_change() knows one CPU); a
 * breakpoint is met again, a write that was done is not.
 */
static struct kt_error *see_exit(struct sched *sched, const struct gmem *memory, bool late)
{
	struct sched_seen seen;
	struct kt_error *err;

	if (!sched->now.root || (late && sched->dumped))
		return NULL;
	err = sched_see(&sched->views, memory, sched->now.root, &seen);
	if (err || !seen.known || !seen.exit_kind)
		return err;
	if (!sched->dumped) {
		struct sched_event event = new_event(sched, SCHED_EXIT, late);

		sched->dumped = true;
		err = dump(sched, &event);
		if (!err)
			err = read_exit(sched, memory, &seen, &event.exit);
		if (err && !event.dump) {
			sched_event_deinit(&event);
			return err;
		}
		sched->held = event;
		sched->is_held = true;
		sched->was_looked_at = false;
		if (err)
			return err;
	}
	return seen.info_kind ? release(sched, memory) : NULL;
}

/* --- bypass --- */

/* At the entry of scx_bypass(): nothing of it was done yet. Since 7.1 it says of which scheduler.
 */
static struct kt_error *at_bypass(struct sched *sched, const struct gmem *memory)
{
	const struct stop *stop = sched->stop;
	const char *const names[] = {stop->arch->args[0], stop->arch->args[1]};
	struct sched_event event = new_event(sched, SCHED_BYPASS, false);
	uint64_t of = sched->points.bypass_argument, args[2];
	struct sched_seen seen = {0};
	struct kt_error *err = rsp_client_registers(stop->client, stop->told.thread, 1, names, 2,
						    args);

	if (!err && of)
		event.scheduler = args[0];
	if (!err && event.scheduler)
		err = sched_see(&sched->views, memory, event.scheduler, &seen);
	if (!err)
		err = add_who(sched, &event);
	if (err)
		return err;
	if (seen.known)
		memcpy(event.ops, seen.ops, sizeof(event.ops));
	event.on = (struct program_number){true, (args[of] & 0xff) != 0}; /* a bool */
	event.depth = of ? seen.bypass_depth : sched->now.bypass_depth;
	return give(sched, &event);
}

/* --- the whole --- */

static struct kt_error *at_point(struct sched *sched, enum sched_point point,
				 const struct gmem *memory)
{
	struct kt_error *err = update(sched, memory, point);

	if (!err)
		err = see_exit(sched, memory, point != SCHED_AT_EXIT && point != SCHED_AT_INFO);
	return err || point != SCHED_AT_BYPASS ? err : at_bypass(sched, memory);
}

struct kt_error *sched_at_stop(struct sched *sched, bool *taken_ret)
{
	struct stop *stop = sched->stop;
	enum sched_point point = sched_points_which(&sched->points, &stop->told,
						    stop->registers[WATCH_PC]);
	_cleanup_(gmem_batch_deinit) struct gmem_batch none = {0};
	struct gmem memory = stop_memory(stop);
	struct kt_error *err;
	bool complete;

	*taken_ret = point != SCHED_NOWHERE;
	if (point == SCHED_NOWHERE)
		return NULL;
	err = at_point(sched, point, &memory);
	if (err || stop->told.is_write)
		return err;
	err = stop_read_with_code(stop, &none, &complete);
	return err ? err : stop_pass(stop);
}

struct kt_error *sched_at_panic(struct sched *sched)
{
	struct sched_event event = new_event(sched, SCHED_PANIC, false);
	struct gmem memory = stop_memory(sched->stop);
	struct kt_error *err = release(sched, &memory);
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	char format[sizeof(event.panic)] = "";

	if (!err)
		err = dump(sched, &event);
	if (!err && !gmem_batch_add(&batch, sched->stop->registers[WATCH_ARGUMENT], format,
				    sizeof(format) - 1))
		err = kt_error_no_memory();
	if (!err)
		err = gmem_batch_read(&batch, memory.read, memory.source);
	if (!err && !batch.reads.data[0].fault) {
		format[sizeof(format) - 1] = '\0';
		memcpy(event.panic, format, strnlen(format, sizeof(format) - 1));
	}
	if (!err)
		return give(sched, &event);
	sched_event_deinit(&event);
	return err;
}

struct kt_error *sched_look(struct sched *sched, struct guest *guest)
{
	struct gmem memory = guest_memory(guest);
	struct kt_error *err = update(sched, &memory, SCHED_NOWHERE);

	if (!err)
		err = see_exit(sched, &memory, true);
	/*
	 * On a busy host the first look may come before the vCPU wrote the message, which it does
	 * right behind the kind. At the second one it waited long enough.
	 */
	if (err || (sched->is_held && !sched->was_looked_at)) {
		sched->was_looked_at = true;
		return err;
	}
	return release(sched, &memory);
}

struct kt_error *sched_init(struct sched *sched, struct stop *stop, const struct kfacts *facts,
			    struct guest *guest)
{
	struct gmem memory = guest_memory(guest);
	struct kt_error *err;
	gaddr_t root;
	bool known;

	sched->stop = stop;
	sched->facts = facts;
	sched->kaslr_offset = guest_kaslr_offset(guest);
	err = sched_points_find(&sched->points, guest, stop->arch);
	if (!err)
		err = sched_dump_views_init(&sched->views, facts, sched->kaslr_offset);
	if (!err)
		err = read_now(sched, &memory, &sched->now, &known);
	if (err)
		return err;
	sched_reject_init(&sched->reject, facts);
	sched->on = true;
	root = sched->now.root;
	sched->now.root = 0;
	if (!root)
		return sched_points_set(&sched->points, stop->client);
	err = comes(sched, &memory, root, SCHED_RUNNING, false);
	return err ? err : sched_points_set(&sched->points, stop->client);
}

void sched_deinit(struct sched *sched)
{
	kt_vec_for_each (&sched->events, event)
		sched_event_deinit(event);
	kt_vec_free(&sched->events);
	sched_event_deinit(&sched->held);
}

bool sched_take(struct sched *sched, struct sched_event *ret)
{
	if (!sched->events.len)
		return false;
	*ret = sched->events.data[0];
	sched->events.len--;
	memmove(sched->events.data, sched->events.data + 1,
		sched->events.len * sizeof(*sched->events.data));
	return true;
}
