// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The loop: wait for a stop, do what its place asks for, let the guest run.
 *
 * A vCPU that stands on a breakpoint would stop there again at once. It is moved past it by a
 * change of its registers where the instruction allows that, else the breakpoint is removed while
 * that one vCPU makes one step (watch/stop.c). A vCPU that had come to a breakpoint too, when
 * another one stopped the guest, stops there again as soon as the guest runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "watch/loaded.h"
#include "watch/watch_impl.h"

bool watch_wants(struct wants *wants)
{
	return places_wants(wants) && stop_wants(wants) && identity_wants(wants) &&
	       reader_wants(wants) && guest_clock_wants(wants) && loaded_wants(wants) &&
	       progress_wants(wants) && asked_wants(wants);
}

bool watch_wants_sched(struct wants *wants)
{
	return sched_watch_wants(wants);
}

static void end(struct watch *watch, struct watch_event *event, const char *why)
{
	watch->ended = true;
	event->kind = WATCH_END;
	snprintf(event->why, sizeof(event->why), "%s", why);
}

/* --- one stop --- */

/* Where only loads that fail are stopped at, one that passes may come by at such a moment. */
static struct kt_error *at_return(struct watch *watch, struct watch_event *event)
{
	struct kt_error *err = pending_at_return(&watch->pending, &event->load);

	event->kind = WATCH_LOAD;
	if (watch->places.only_failing && !bpf_load_failed(&event->load)) {
		bpf_load_deinit(&event->load);
		event->kind = WATCH_NOTHING;
	}
	return err;
}

/*
 * The return is watched as long as a load that fails is on its way there. In place of an exit it is
 * watched until look() gives the breakpoint back: several loads may have passed the exit meanwhile.
 */
static struct kt_error *await_return(struct watch *watch, enum watch_place place)
{
	struct places *places = &watch->places;

	if (pending_fails(&watch->pending))
		return places_await_return(places, watch->stop.client, true);
	if (place == WATCH_AT_RETURN && !places_lacks_exit(places))
		return places_await_return(places, watch->stop.client, false);
	return NULL;
}

static struct kt_error *at_place(struct watch *watch, enum watch_place place,
				 struct watch_event *event)
{
	struct kt_error *err;

	switch (place) {
	case WATCH_AT_FINALIZE:
		err = pending_at_finalize(&watch->pending);
		return err ? err : guest_clock_read(&watch->clock, &watch->stop);
	case WATCH_AT_RETURN: return at_return(watch, event);
	case WATCH_AT_INIT: return pending_at_init(&watch->pending, &watch->progress);
	case WATCH_AT_PROGRAM:
		err = pending_at_failure(&watch->pending, watch->stop.registers[WATCH_ARGUMENT]);
		return err ? err : guest_clock_read(&watch->clock, &watch->stop);
	default: return pending_at_failure(&watch->pending, 0);
	}
}

static struct kt_error *at_breakpoint(struct watch *watch, struct watch_event *event)
{
	struct kt_error *err = stop_registers(&watch->stop);
	enum watch_place place;
	bool taken = false;

	if (!err && watch->sched.on)
		err = sched_at_stop(&watch->sched, &taken);
	if (err || taken || watch->stop.told.is_write)
		return err;
	place = places_which(&watch->places, watch->stop.registers[WATCH_PC]);
	if (place == WATCH_NOWHERE)
		return NULL; /* QEMU may tell of a stop twice; the vCPU has moved on by then */
	if (place == WATCH_AT_PANIC) {
		end(watch, event, "the guest's kernel panicked");
		return watch->sched.on ? sched_at_panic(&watch->sched) : NULL;
	}
	err = at_place(watch, place, event);
	if (!err)
		err = stop_pass(&watch->stop);
	return err ? err : await_return(watch, place);
}

/* GDB's numbers, as QEMU uses them (gdb_vm_state_change(), 7.2 to 11.1). */
static const char *why_stopped(int signal)
{
	switch (signal) {
	case 2: return "the guest was paused, from QEMU's monitor or by somebody else";
	case 3: return "the guest shut down";
	case 6: return "QEMU stopped the guest: an internal error";
	default: return "QEMU stopped the guest";
	}
}

static struct kt_error *on_stop(struct watch *watch, struct watch_event *event)
{
	watch->stats.stops++;
	if (watch->stop.told.signal == 5)
		return at_breakpoint(watch, event);
	end(watch, event, why_stopped(watch->stop.told.signal));
	event->paused = watch->stop.told.signal == 2;
	return NULL;
}

/* Samples are what a watch can do without. When that does not help, the watch itself goes. */
static void slow_down(struct watch *watch, double share)
{
	struct watch_event *event = &watch->queued;
	double max = watch->overhead.max;

	event->kind = watch->progress.on ? WATCH_NO_PROGRESS : WATCH_END;
	watch->progress.on = false;
	snprintf(
		event->why, sizeof(event->why),
		"the guest was stopped for %.1f %% of the last seconds, --max-overhead is %g %%; %s",
		share * 100, max * 100,
		event->kind == WATCH_END ? "it runs on unwatched" : "no more progress is shown");
}

static struct kt_error *run_on(struct watch *watch)
{
	struct kt_error *err = stop_resume(&watch->stop);
	int64_t now = kt_now_ns();
	double share;

	watch->stats.paused_ns += now - watch->stop.since_ns;
	if (!err && overhead_exceeded(&watch->overhead, now, watch->stats.paused_ns, &share))
		slow_down(watch, share);
	return err;
}

/* --- to look, without a breakpoint --- */

/* When to sample the loads in the verifier; INT64_MAX: there are none, or nobody wants to know. */
static int64_t next_sample_ns(const struct watch *watch)
{
	return watch->progress.on && pending_in_verifier(&watch->pending) ? watch->progress.next_ns
									  : INT64_MAX;
}

/* The guest stands still. A sample reads through the guest that the check has found. */
static struct kt_error *check_and_sample(struct watch *watch, struct watch_event *event)
{
	struct guest *guest;
	const char *why;
	struct kt_error *err = identity_check(&watch->identity, &watch->stop.source, &guest, &why);

	/* The next look finds a vCPU that is in no guest of the guest. */
	if (err && kt_error_code(err) == KT_ERROR_NESTED) {
		kt_error_destroy(err);
		return NULL;
	}
	if (err)
		return err;
	if (why) {
		end(watch, event, why);
		return NULL;
	}
	if (next_sample_ns(watch) <= watch->stop.since_ns)
		err = pending_sample(&watch->pending, &watch->progress, guest, &watch->samples);
	if (!err && watch->sched.on)
		err = sched_look(&watch->sched, guest);
	guest_destroy(guest);
	return err;
}

static struct kt_error *look(struct watch *watch, struct watch_event *event)
{
	struct kt_error *err = stop_interrupt(&watch->stop);

	if (err)
		return err;
	/* A breakpoint came first. */
	if (watch->stop.told.signal != 2)
		return on_stop(watch, event);
	watch->stats.stops++;
	err = check_and_sample(watch, event);
	if (!err && !watch->ended && !pending_fails(&watch->pending))
		err = places_await_return(&watch->places, watch->stop.client, false);
	watch->stats.looked_ns += kt_now_ns() - watch->stop.since_ns;
	return err;
}

/* --- the loop --- */

static struct kt_error *wait_once(struct watch *watch, int64_t until_ns, struct watch_event *event)
{
	int64_t sample_ns = next_sample_ns(watch), check_ns = watch->identity.next_check_ns;
	int64_t look_ns = sample_ns < check_ns ? sample_ns : check_ns;
	int left = kt_deadline_left_ms(until_ns < look_ns ? until_ns : look_ns);
	struct kt_error *err = stop_wait(&watch->stop, left ? left : 1);

	if (!err) {
		err = on_stop(watch, event);
	} else if (kt_error_code(err) == KT_ERROR_TIMEOUT) {
		kt_error_destroy(err);
		if (kt_deadline_left_ms(look_ns))
			return NULL;
		err = look(watch, event);
	} else {
		return err;
	}
	return err || watch->ended ? err : run_on(watch);
}

static const char *why_closed(const struct watch *watch)
{
	return rsp_client_was_let_go(watch->stop.client)
		       ? "it was stopped (by Ctrl-Z?), and the guest let go, which runs on unwatched"
		       : "QEMU closed the connection: the guest is gone";
}

/* That QEMU is gone, or this connection to it, is the end of the watch. Takes err; accepts NULL. */
static struct kt_error *or_closed(struct watch *watch, struct kt_error *err,
				  struct watch_event *event)
{
	if (!err || kt_error_code(err) != KT_ERROR_CLOSED)
		return err;
	kt_error_destroy(err);
	end(watch, event, why_closed(watch));
	return NULL;
}

static void take_sample(struct watch *watch, struct watch_event *ret)
{
	struct samples *samples = &watch->samples;

	*ret = (struct watch_event){.kind = WATCH_PROGRESS, .progress = samples->all.data[0]};
	samples->all.len--;
	memmove(samples->all.data, samples->all.data + 1,
		samples->all.len * sizeof(*samples->all.data));
}

/* Until something happens, or the time is over. */
static struct kt_error *wait_for_event(struct watch *watch, int64_t until_ns,
				       struct watch_event *event)
{
	struct kt_error *err;

	do {
		err = wait_once(watch, until_ns, event);
	} while (!err && event->kind == WATCH_NOTHING && !watch->samples.all.len &&
		 !watch->sched.events.len && !watch->queued.kind && kt_now_ns() < until_ns);
	return err;
}

/* What came first in the stop that ends the watch, or that failed: the rest is for later. */
static void put_off(struct watch *watch, struct watch_event *event, struct kt_error **err)
{
	struct sched_event first;

	/* What a scheduler's end waits for will not come any more. */
	if (*err || event->kind == WATCH_END)
		*err = kt_error_join(*err, sched_release(&watch->sched));
	if (!sched_take(&watch->sched, &first))
		return;
	if (event->kind != WATCH_NOTHING) {
		watch->queued = *event;
		watch->ended = false;
	}
	*event = (struct watch_event){.kind = WATCH_SCHED, .sched = first};
	if (*err)
		watch->later = kt_take_ptr(*err);
}

static void take_queued(struct watch *watch, struct watch_event *ret)
{
	*ret = watch->queued;
	watch->queued = (struct watch_event){0};
	watch->ended = ret->kind == WATCH_END;
}

struct kt_error *watch_next(struct watch *watch, int64_t wait_ms, struct watch_event *ret)
{
	int64_t until = wait_ms < 0 ? INT64_MAX : kt_deadline_ms(wait_ms);
	struct watch_event event = {0};
	struct kt_error *err;

	if (watch->samples.all.len) {
		take_sample(watch, ret);
		return NULL;
	}
	if (sched_take(&watch->sched, &event.sched)) {
		event.kind = WATCH_SCHED;
		*ret = event;
		return NULL;
	}
	if (watch->ended)
		return kt_error_new(KT_ERROR_CLOSED, "the watch has ended");
	if (watch->queued.kind) {
		take_queued(watch, ret);
		return NULL;
	}
	err = kt_take_ptr(watch->later);
	if (!err)
		err = wait_for_event(watch, until, &event);
	/* Something failed after the load's result was known: the load goes first. */
	if (err && event.kind == WATCH_LOAD)
		watch->later = kt_take_ptr(err);
	put_off(watch, &event, &err);
	err = or_closed(watch, err, &event);
	if (err)
		return err;
	if (event.kind == WATCH_NOTHING && watch->queued.kind)
		take_queued(watch, ret);
	else
		*ret = event;
	return NULL;
}

/* --- a visit --- */

static struct kt_error *visit_stopped(struct watch *watch,
				      struct kt_error *(*visit)(void *arg, struct guest *guest),
				      void *arg)
{
	struct watch_event event = {0};
	struct guest *guest = NULL;
	const char *why = NULL;
	struct kt_error *err = NULL;

	/* A breakpoint came first: its event is for later, the end of the watch among them. */
	if (watch->stop.told.signal != 2)
		err = on_stop(watch, &event);
	if (!err && watch->ended) {
		watch->ended = false;
		watch->queued = event;
	} else if (event.kind == WATCH_LOAD) {
		bpf_load_deinit(&event.load);
	}
	if (!err)
		err = identity_check(&watch->identity, &watch->stop.source, &guest, &why);
	if (!err && why)
		err = kt_error_new(KT_ERROR_MISMATCH, "%s", why);
	if (!err)
		err = visit(arg, guest);
	guest_destroy(guest);
	return err;
}

struct kt_error *watch_visit(struct watch *watch,
			     struct kt_error *(*visit)(void *arg, struct guest *guest), void *arg)
{
	struct kt_error *err, *run_err = NULL;

	if (watch->ended || watch->queued.kind == WATCH_END)
		return kt_error_new(KT_ERROR_CLOSED, "the watch has ended");
	err = stop_interrupt(&watch->stop);
	if (err)
		return err;
	watch->stats.stops++;
	err = visit_stopped(watch, visit, arg);
	watch->stats.looked_ns += kt_now_ns() - watch->stop.since_ns;
	/* A guest whose watch ends stays where it is, until watch_end(). */
	if (watch->queued.kind != WATCH_END)
		run_err = run_on(watch);
	return kt_error_join(err, run_err);
}

/* --- the whole --- */

/*
 * "TB flush count      79", as `info jit` of QEMU's monitor has it under TCG (7.2 to 11.1). Under
 * KVM it says that there is nothing to tell.
 */
static struct kt_error *read_drops(struct rsp_client *client, struct program_number *ret)
{
	static const char key[] = "TB flush count";
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = rsp_client_monitor(client, "info jit", &text);
	const char *at;

	if (err && kt_error_code(err) == KT_ERROR_UNSUPPORTED) {
		kt_error_destroy(err);
		return NULL;
	}
	at = text ? strstr(text, key) : NULL;
	if (at)
		*ret = (struct program_number){true, strtoull(at + strlen(key), NULL, 10)};
	return err;
}

static struct kt_error *begin(struct watch *watch, const struct kfacts *facts, const int64_t *hint,
			      const struct watch_options *options)
{
	struct guest *guest;
	struct kt_error *err = identity_init(&watch->identity, &watch->stop.source, facts, hint,
					     &guest);

	if (err)
		return err;
	if (options->sched)
		err = sched_init(&watch->sched, &watch->stop, facts, guest);
	if (!err)
		err = options->no_loads ? places_find_panic(&watch->places, guest, watch->stop.arch)
					: places_find(&watch->places, guest, watch->stop.arch,
						      options->progress,
						      options->only_failing && !options->progress);
	guest_destroy(guest);
	if (!err)
		err = reader_init(&watch->reader, &watch->stop, facts,
				  watch->identity.kaslr_offset);
	if (!err)
		err = read_drops(watch->stop.client, &watch->drops_before);
	if (!err && options->progress)
		err = progress_init(&watch->progress, &watch->reader, options->max_overhead);
	watch->overhead.max = options->max_overhead;
	asked_init(&watch->pending.asked, watch->stop.arch, facts, watch->identity.kaslr_offset);
	guest_clock_init(&watch->clock, facts, watch->identity.kaslr_offset);
	if (!err)
		err = places_set(&watch->places, watch->stop.client);
	if (err && options->sched && options->progress &&
	    kt_error_code(err) == KT_ERROR_UNSUPPORTED)
		err = kt_error_hint(err,
				    "where the processor has four debug registers (KVM), --sched "
				    "and --progress are too much together: leave out one");
	if (!err && watch->sched.on)
		err = sched_points_set_more(&watch->sched.points, watch->stop.client,
					    options->sched_ends);
	if (err)
		return err;
	watch->pending.reader = &watch->reader;
	watch->pending.logs = options->logs;
	watch->stats.since_ns = kt_now_ns();
	return stop_resume(&watch->stop);
}

/* All that stops the guest: some accelerators keep it after a detach. */
static struct kt_error *remove_all(struct watch *watch)
{
	struct kt_error *err = NULL;

	if (rsp_client_runs(watch->stop.client))
		err = stop_interrupt(&watch->stop);
	if (!err)
		err = places_remove(&watch->places, watch->stop.client);
	if (!err)
		err = sched_points_remove(&watch->sched.points, watch->stop.client);
	return err;
}

/* What is asked for, and the architecture does not have. */
static struct kt_error *check_arch(const struct watch_arch *arch, const char *name,
				   const struct watch_options *options)
{
	if (!arch)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "watch does not know %s guests", name);
	if (options->sched && !arch->sp)
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "what happens to sched_ext is watched in x86_64 guests only; "
				    "this one is %s",
				    name);
	if (options->only_failing && !options->progress && !arch->decode)
		return kt_error_hint(
			kt_error_new(KT_ERROR_UNSUPPORTED,
				     "in %s guests, loads that pass cannot be told from those that "
				     "fail before they have stopped the guest: %s",
				     name, arch->no_decode),
			"--failed --stop-at-all stops the guest at every load, and shows those "
			"that fail");
	return NULL;
}

struct kt_error *watch_create(struct rsp_client *client, const struct kfacts *facts,
			      const int64_t *hint, const struct watch_options *options,
			      struct watch **ret)
{
	const struct watch_arch *arch = watch_arch_by_name(kfacts_kernel(facts)->arch);
	struct watch *watch;
	struct kt_error *err = check_arch(arch, kfacts_kernel(facts)->arch, options);

	if (err)
		return err;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return kt_error_no_memory();
	stop_init(&watch->stop, client, arch, facts);
	rsp_client_cancel_only_waits(client);
	err = begin(watch, facts, hint, options);
	if (err) {
		err = kt_error_join(err, remove_all(watch));
		watch_destroy(watch);
		return err;
	}
	*ret = watch;
	return NULL;
}

struct kt_error *watch_end(struct watch *watch)
{
	struct program_number drops = {0};
	struct kt_error *err = remove_all(watch);

	err = kt_error_join(err, sched_release(&watch->sched));
	if (!err && watch->drops_before.known)
		err = read_drops(watch->stop.client, &drops);
	if (drops.known && drops.value >= watch->drops_before.value)
		watch->stats.drops = (struct program_number){
			true, drops.value - watch->drops_before.value};
	watch->stats.load_cost_ns = cost_of_load(&watch->pending.cost);
	watch->stats.behind_known = guest_clock_behind(&watch->clock, &watch->stats.behind_ns);
	watch->ended = true;
	watch->stats.until_ns = kt_now_ns();
	err = kt_error_join(kt_take_ptr(watch->later), err);
	if (!err || kt_error_code(err) != KT_ERROR_CLOSED)
		return err;
	kt_error_destroy(err);
	return kt_error_new(KT_ERROR_CLOSED, "the watch ends: %s", why_closed(watch));
}

bool watch_rest(struct watch *watch, struct sched_event *ret)
{
	return sched_take(&watch->sched, ret);
}

void watch_destroy(struct watch *watch)
{
	if (!watch)
		return;
	pending_deinit(&watch->pending);
	samples_deinit(&watch->samples);
	sched_deinit(&watch->sched);
	kt_error_destroy(watch->later);
	free(watch);
}

bool watch_only_failing(const struct watch *watch)
{
	return watch->places.only_failing;
}

bool watch_sees_verifier(const struct watch *watch)
{
	return watch->places.at[WATCH_AT_FINALIZE].addr != 0;
}

struct kt_error *watch_sched_points(const struct watch *watch, char **ret)
{
	return sched_points_name(&watch->sched.points, ret);
}

int64_t watch_kaslr_offset(const struct watch *watch)
{
	return watch->identity.kaslr_offset;
}

const struct watch_stats *watch_stats(const struct watch *watch)
{
	return &watch->stats;
}
