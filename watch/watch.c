// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The watch: breakpoints, and what is done when the guest stops.
 *
 * A vCPU that stands on a breakpoint would stop there again at once. It is moved past it by a
 * change of its registers where the instruction allows that, else the breakpoint is removed
 * while that one vCPU makes one step; the others stand still, so none gets past unseen. One that
 * had come to a breakpoint too when another stopped the guest stops there again, first thing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "watch/watch_impl.h"

/* How often to look whether the guest is still the same one, when nothing else stops it. */
#define CHECK_INTERVAL_NS INT64_C(2000000000)
/* No function of the kernel is longer, of those that are looked into. */
#define FUNCTION_MAX 32768
#define PAGE         4096

static const char *const place_symbols[WATCH_PLACES] = {
	[WATCH_AT_FINALIZE] = "bpf_vlog_finalize",
	[WATCH_AT_PANIC] = "panic",
	[WATCH_AT_INIT] = "bpf_vlog_init",
};

/*
 * Where a load's result is: what is called, and by whom. The first that this kernel has is as
 * the loader gets it; without bpf_prog_load() as a function of its own, what the JIT and the
 * file table have to say is missing.
 */
static const struct {
	const char *callee, *caller;
} results[] = {
	{"bpf_prog_load", "__sys_bpf"},
	{"bpf_check", "bpf_prog_load"},
	{"bpf_check", "__sys_bpf"},
};
#define N_RESULTS (sizeof(results) / sizeof(results[0]))

bool watch_wants(struct wants *wants)
{
	for (size_t i = 0; i < WATCH_PLACES; i++)
		if (place_symbols[i] &&
		    !wants_add(wants, KFACTS_SYMBOL, place_symbols[i], NULL, true))
			return false;
	return wants_add(wants, KFACTS_SYMBOL, "bpf_prog_load", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "bpf_check", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "__sys_bpf", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "jiffies_64", NULL, true) &&
	       watch_read_wants(wants) && watch_progress_wants(wants);
}

/* --- where to stop --- */

static struct kt_error *read_code(struct guest *guest, gaddr_t addr, uint8_t *code, size_t len,
				  size_t *got)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;

	for (size_t at = 0, n; at < len; at += n) {
		n = PAGE - (addr + at) % PAGE;
		if (n > len - at)
			n = len - at;
		if (!gmem_batch_add(&batch, addr + at, code + at, n))
			return kt_error_no_memory();
	}
	err = guest_read(guest, &batch);
	*got = 0;
	for (size_t i = 0; !err && i < batch.reads.len && !batch.reads.data[i].fault; i++)
		*got += batch.reads.data[i].len;
	return err;
}

static struct kt_error *find_result(struct watch *watch, struct guest *guest)
{
	_cleanup_free_ uint8_t *code = malloc(FUNCTION_MAX);

	if (!code)
		return kt_error_no_memory();
	for (size_t i = 0; i < N_RESULTS && !watch->places[WATCH_AT_RETURN].addr; i++) {
		gaddr_t callee, caller;
		struct kt_error *err;
		size_t len;

		if (!guest_symbol(guest, results[i].callee, &callee) ||
		    !guest_symbol(guest, results[i].caller, &caller))
			continue;
		err = read_code(guest, caller, code, FUNCTION_MAX, &len);
		if (err)
			return err;
		watch->places[WATCH_AT_RETURN].addr = watch->arch->call_return(code, len, caller,
									       callee);
	}
	return NULL;
}

static struct kt_error *find_places(struct watch *watch, struct guest *guest)
{
	uint8_t code[WATCH_CODE_LEN];

	for (size_t i = 0; i < WATCH_PLACES; i++) {
		struct kt_error *err;
		gaddr_t addr;
		size_t len;

		if (!place_symbols[i] || !guest_symbol(guest, place_symbols[i], &addr) ||
		    (i == WATCH_AT_INIT && !watch->options.progress))
			continue;
		err = read_code(guest, addr, code, sizeof(code), &len);
		if (err)
			return err;
		if (len == sizeof(code))
			watch->places[i].addr = addr + watch->arch->landing(code, len);
	}
	return find_result(watch, guest);
}

static struct kt_error *set_places(struct watch *watch)
{
	for (size_t i = 0; i < WATCH_PLACES; i++) {
		struct kt_error *err;

		if (!watch->places[i].addr)
			continue;
		err = rsp_client_breakpoint(watch->client, watch->places[i].addr,
					    watch->arch->breakpoint_len, true);
		/* Without this one, a panic is seen when the guest reboots, or is silent. */
		if (err && i == WATCH_AT_PANIC && kt_error_code(err) == KT_ERROR_UNSUPPORTED) {
			kt_error_destroy(err);
			continue;
		}
		if (err)
			return err;
		watch->places[i].set = true;
	}
	return NULL;
}

/* --- is it still the same guest? --- */

/* *jiffies_ret: 0 where they are not known. */
static struct kt_error *read_jiffies(struct guest *guest, uint64_t *jiffies_ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err;
	uint64_t value = 0;
	gaddr_t addr;

	*jiffies_ret = 0;
	if (!guest_symbol(guest, "jiffies_64", &addr))
		return NULL;
	if (!gmem_batch_add(&batch, addr, &value, sizeof(value)))
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	if (!err && !batch.reads.data[0].fault)
		*jiffies_ret = value;
	return err;
}

static struct kt_error *find_guest(struct watch *watch, const int64_t *hint, struct guest **ret)
{
	return guest_create(&watch->source, watch->facts, hint, ret);
}

static void end(struct watch *watch, struct watch_event *event, const char *why)
{
	watch->ended = true;
	event->kind = WATCH_END;
	snprintf(event->why, sizeof(event->why), "%s", why);
}

/* The guest stands still. Its kernel is proved anew, as when we came. */
static struct kt_error *check_guest(struct watch *watch, struct watch_event *event)
{
	struct guest *guest;
	struct kt_error *err = find_guest(watch, &watch->kaslr_offset, &guest);
	uint64_t jiffies;

	watch->next_check_ns = kt_now_ns() + CHECK_INTERVAL_NS;
	if (err &&
	    (kt_error_code(err) == KT_ERROR_NOT_READY || kt_error_code(err) == KT_ERROR_MISMATCH ||
	     kt_error_code(err) == KT_ERROR_FAULT)) {
		kt_error_destroy(err);
		end(watch, event, "the guest rebooted: the kernel that was watched is gone");
		return NULL;
	}
	if (err)
		return err;
	err = read_jiffies(guest, &jiffies);
	if (!err && (guest_kaslr_offset(guest) != watch->kaslr_offset || jiffies < watch->jiffies))
		end(watch, event, "the guest rebooted: it runs the same kernel anew");
	watch->jiffies = jiffies;
	if (!err && !watch->ended && watch_next_sample_ns(watch) <= watch->stopped_ns)
		err = watch_sample(watch, guest);
	guest_destroy(guest);
	return err;
}

/* --- one stop --- */

static enum watch_place place_of(const struct watch *watch, gaddr_t pc)
{
	for (enum watch_place i = 0; i < WATCH_PLACES; i++)
		if (watch->places[i].set && watch->places[i].addr == pc)
			return i;
	return WATCH_NOWHERE;
}

static struct kt_error *read_registers(struct watch *watch)
{
	return rsp_client_registers(watch->client, watch->stop.thread, 1, watch->register_names,
				    WATCH_REGISTERS, watch->registers);
}

static struct kt_error *step_over(struct watch *watch, enum watch_place place)
{
	struct kt_error *err = rsp_client_breakpoint(watch->client, watch->places[place].addr,
						     watch->arch->breakpoint_len, false);
	struct rsp_stop stop;

	if (!err)
		err = rsp_client_step(watch->client, watch->stop.thread, &stop);
	if (!err)
		err = rsp_client_breakpoint(watch->client, watch->places[place].addr,
					    watch->arch->breakpoint_len, true);
	return err;
}

/* The vCPU that stopped is not to stop at the same breakpoint again. */
static struct kt_error *move_on(struct watch *watch, enum watch_place place)
{
	if (watch->code_known)
		watch->n_writes = watch->arch->emulate(watch->code, WATCH_CODE_LEN,
						       watch->registers, watch->writes);
	return watch->n_writes ? NULL : step_over(watch, place);
}

static struct kt_error *at_breakpoint(struct watch *watch, struct watch_event *event)
{
	struct kt_error *err;
	enum watch_place place;

	if (!watch->stop.thread)
		return kt_error_new(KT_ERROR_PROTOCOL,
				    "the GDB stub does not tell which vCPU stopped");
	err = rsp_client_select(watch->client, watch->stop.thread);
	if (!err)
		err = read_registers(watch);
	if (err)
		return err;
	place = place_of(watch, watch->registers[WATCH_PC]);
	switch (place) {
	case WATCH_AT_FINALIZE: err = watch_at_finalize(watch); break;
	case WATCH_AT_RETURN:
		err = watch_at_return(watch, &event->load);
		event->kind = WATCH_LOAD;
		break;
	case WATCH_AT_PANIC: end(watch, event, "the guest's kernel panicked"); return NULL;
	case WATCH_AT_INIT: err = watch_at_init(watch); break;
	default: return NULL; /* told of twice */
	}
	return err ? err : move_on(watch, place);
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
	watch->n_writes = 0;
	watch->code_known = false;
	if (watch->stop.signal == 5)
		return at_breakpoint(watch, event);
	end(watch, event, why_stopped(watch->stop.signal));
	event->paused = watch->stop.signal == 2;
	return NULL;
}

static struct kt_error *run_on(struct watch *watch)
{
	struct kt_error *err = rsp_client_resume(watch->client, watch->stop.thread, watch->writes,
						 watch->n_writes);

	watch->n_writes = 0;
	watch->stats.paused_ns += kt_now_ns() - watch->stopped_ns;
	return err;
}

/* QEMU is gone, or this connection to it. */
static struct kt_error *or_closed(struct watch *watch, struct kt_error *err,
				  struct watch_event *event)
{
	if (!err || kt_error_code(err) != KT_ERROR_CLOSED)
		return err;
	kt_error_destroy(err);
	end(watch, event,
	    rsp_client_was_let_go(watch->client)
		    ? "it was stopped (by Ctrl-Z?), and the guest let go, which runs on unwatched"
		    : "QEMU closed the connection: the guest is gone");
	return NULL;
}

/* From outside, to look. A breakpoint may come first, and is then what it is. */
static struct kt_error *look(struct watch *watch, struct watch_event *event)
{
	struct kt_error *err = rsp_client_interrupt(watch->client, &watch->stop);

	watch->stopped_ns = kt_now_ns();
	if (err)
		return err;
	if (watch->stop.signal != 2)
		return on_stop(watch, event);
	watch->stats.stops++;
	watch->n_writes = 0;
	err = check_guest(watch, event);
	watch->stats.looked_ns += kt_now_ns() - watch->stopped_ns;
	return err;
}

static struct kt_error *wait_once(struct watch *watch, int64_t until_ns, struct watch_event *event)
{
	int64_t sample_ns = watch_next_sample_ns(watch);
	int64_t look_ns = sample_ns < watch->next_check_ns ? sample_ns : watch->next_check_ns;
	int left = kt_deadline_left_ms(until_ns < look_ns ? until_ns : look_ns);
	struct kt_error *err = rsp_client_wait(watch->client, left ? left : 1, &watch->stop);

	watch->stopped_ns = kt_now_ns();
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

struct kt_error *watch_next(struct watch *watch, int64_t wait_ms, struct watch_event *ret)
{
	int64_t until = wait_ms < 0 ? INT64_MAX : kt_deadline_ms(wait_ms);
	struct watch_event event = {0};

	if (watch->queue.len) {
		*ret = watch->queue.data[0];
		watch->queue.len--;
		memmove(watch->queue.data, watch->queue.data + 1,
			watch->queue.len * sizeof(*watch->queue.data));
		return NULL;
	}
	if (watch->ended)
		return kt_error_new(KT_ERROR_CLOSED, "the watch has ended");
	do {
		struct kt_error *err = or_closed(watch, wait_once(watch, until, &event), &event);

		if (err) {
			bpf_load_deinit(&event.load);
			return err;
		}
	} while (event.kind == WATCH_NOTHING && !watch->queue.len && kt_now_ns() < until);
	*ret = event;
	return NULL;
}

/* --- the whole --- */

static struct kt_error *begin(struct watch *watch, const int64_t *hint)
{
	struct guest *guest;
	struct kt_error *err = find_guest(watch, hint, &guest);

	if (err)
		return err;
	watch->kaslr_offset = guest_kaslr_offset(guest);
	err = find_places(watch, guest);
	if (!err)
		err = read_jiffies(guest, &watch->jiffies);
	guest_destroy(guest);
	if (!err && !watch->places[WATCH_AT_FINALIZE].addr && !watch->places[WATCH_AT_RETURN].addr)
		err = kt_error_new(KT_ERROR_UNSUPPORTED,
				   "this kernel has no function to stop at: neither "
				   "bpf_vlog_finalize() nor a call of bpf_prog_load() is found");
	if (!err)
		err = watch_read_init(watch);
	if (!err)
		err = watch_progress_init(watch);
	if (!err)
		err = set_places(watch);
	if (err)
		return err;
	watch->next_check_ns = kt_now_ns() + CHECK_INTERVAL_NS;
	watch->stats.since_ns = kt_now_ns();
	watch->stopped_ns = watch->stats.since_ns;
	return run_on(watch);
}

struct kt_error *watch_create(struct rsp_client *client, const struct kfacts *facts,
			      const int64_t *hint, const struct watch_options *options,
			      struct watch **ret)
{
	struct watch *watch;
	struct kt_error *err;

	if (strcmp(kfacts_kernel(facts)->arch, "x86_64") != 0)
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "watch knows x86_64 guests; the image is of a %s kernel",
				    kfacts_kernel(facts)->arch);
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return kt_error_no_memory();
	watch->client = client;
	watch->facts = facts;
	watch->options = *options;
	watch->arch = &watch_x86_64;
	watch->source = source_from_stub(client);
	rsp_client_cancel_only_waits(client);
	err = begin(watch, hint);
	if (err) {
		watch_destroy(watch);
		return err;
	}
	*ret = watch;
	return NULL;
}

struct kt_error *watch_end(struct watch *watch)
{
	struct kt_error *err = NULL;

	if (rsp_client_runs(watch->client))
		err = rsp_client_interrupt(watch->client, &watch->stop);
	/* A detach removes them too, but not those that an accelerator keeps (QEMU 7.2). */
	for (size_t i = 0; i < WATCH_PLACES && !err; i++) {
		if (!watch->places[i].set)
			continue;
		err = rsp_client_breakpoint(watch->client, watch->places[i].addr,
					    watch->arch->breakpoint_len, false);
		watch->places[i].set = false;
	}
	watch->ended = true;
	watch->stats.until_ns = kt_now_ns();
	return err;
}

void watch_destroy(struct watch *watch)
{
	if (!watch)
		return;
	kt_vec_for_each (&watch->pending, p)
		watch_pending_deinit(p);
	kt_vec_free(&watch->pending);
	kt_vec_for_each (&watch->queue, event)
		bpf_load_progress_deinit(&event->progress);
	kt_vec_free(&watch->queue);
	free(watch);
}

bool watch_sees_verifier(const struct watch *watch)
{
	return watch->places[WATCH_AT_FINALIZE].set;
}

int64_t watch_kaslr_offset(const struct watch *watch)
{
	return watch->kaslr_offset;
}

const struct watch_stats *watch_stats(const struct watch *watch)
{
	return &watch->stats;
}
