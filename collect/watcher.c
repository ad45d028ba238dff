// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "collect/watcher.h"
#include "introspect/inspect_apart.h"
#include "memory/reader_fence.h"
#include "model/sched_saved.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "watch/watch.h"

/* What it is asked for. */
#define ASK_READ 'r' /* an inspection */
#define ASK_DUMP 'd' /* what it has kept, at the end */

/* A step of the connection takes 5 s at most; on a busy host there are some of them. */
#define BEGIN_MS 30000
#define READ_MS  60000
#define DUMP_MS  20000

/* As for a guest that is read once: see introspect/inspect.c. */
#define HEAP (1u << 20)

/* --- the child --- */

struct watching {
	const struct watcher *watcher;
	int sock;
	struct rsp_client *client;
	struct watch *watch;
	int64_t kaslr_offset;
	struct sched_event kept; /* with its dump; without one, there is none */
	bool is_final;           /* nothing more becomes known of that end */
	bool was_running;        /* there was a scheduler */
	struct kt_error *error;  /* why the watch ended before its time */
};

static bool is_failure(const struct sched_event *event)
{
	return event->is_error || event->kind == SCHED_PANIC;
}

/* What the kernel says of the end by now. Both events keep what they own. */
static void complete(struct watching *w, struct sched_event *gone)
{
	const struct scx_exit early = w->kept.exit;

	w->is_final = true;
	if (!gone->exit.kind.known)
		return;
	w->kept.exit = gone->exit;
	gone->exit = early;
}

/* Takes the event. Of several ends the first failure is kept, and without one the last end. */
static void take_event(struct watching *w, struct sched_event *event)
{
	struct sched_event *kept = &w->kept;

	w->was_running |= event->scheduler != 0;
	if (event->kind == SCHED_DISABLED && kept->dump && !w->is_final &&
	    kept->scheduler == event->scheduler)
		complete(w, event);
	if (event->dump && (!kept->dump || !is_failure(kept))) {
		sched_event_deinit(kept);
		*kept = *event;
		*event = (struct sched_event){0};
		w->is_final = kept->kind == SCHED_PANIC;
	}
	sched_event_deinit(event);
}

struct visit {
	const struct kfacts *facts;
	struct inspection inspection;
};

static struct kt_error *read_found(void *arg, struct guest *guest)
{
	static const struct inspect_options what = {.objects = INSPECT_PROGRAMS | INSPECT_SCX};
	struct visit *visit = arg;

	return inspect_found(guest, visit->facts, &what, &visit->inspection);
}

static void answer_read(struct watching *w)
{
	const struct rsp_stats *stats = rsp_client_stats(w->client);
	const struct rsp_stats before = *stats;
	struct visit visit = {.facts = w->watcher->options.facts};
	struct inspect_timing *timing = &visit.inspection.timing;
	struct kt_buf result = KT_BUF_INIT;
	int64_t began = kt_now_ns();
	struct kt_error *err = watch_visit(w->watch, read_found, &visit);

	if (!err) {
		timing->pause_ns = kt_now_ns() - began;
		timing->locate_ns = timing->pause_ns - timing->read_ns - timing->finish_ns;
		timing->requests = stats->requests - before.requests;
		timing->bytes_read = stats->bytes_read - before.bytes_read;
		timing->round_trips = stats->round_trips - before.round_trips;
		inspection_pack(&visit.inspection, &result);
	}
	inspection_deinit(&visit.inspection);
	kt_apart_answer(w->sock, err, &result);
}

/* False: nobody will ask any more. */
static bool next_question(const struct watching *w, char *ret)
{
	ssize_t n;

	do {
		n = recv(w->sock, ret, 1, 0);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

/* Until it is asked for the dump, or the watch ends. False: nobody will ask any more. */
static bool go_on(struct watching *w)
{
	for (;;) {
		struct watch_event event = {0};
		struct kt_error *err = watch_next(w->watch, -1, &event);
		char question;

		if (!err && event.kind == WATCH_SCHED)
			take_event(w, &event.sched);
		if (!err && event.kind == WATCH_END)
			err = kt_error_new(KT_ERROR_CLOSED, "%s", event.why);
		if (!err)
			continue;
		if (kt_error_code(err) != KT_ERROR_CANCELLED) {
			w->error = err;
			return true;
		}
		kt_error_destroy(err);
		if (!next_question(w, &question))
			return false;
		if (question == ASK_DUMP)
			return true;
		answer_read(w);
	}
}

static void end_watch(struct watching *w)
{
	struct sched_event rest;

	/* The guest may be gone with its breakpoints. */
	kt_error_destroy(watch_end(w->watch));
	while (watch_rest(w->watch, &rest))
		take_event(w, &rest);
	watch_destroy(w->watch);
	kt_error_destroy(rsp_client_detach(w->client));
	rsp_client_destroy(w->client);
}

static struct kt_error *make_dump(struct watching *w, struct kt_buf *result)
{
	const struct watcher_options *options = &w->watcher->options;
	_cleanup_free_ char *text = NULL;
	struct kt_error *err;

	/* A guest that has powered off is no more than the end of the run. */
	if (!w->kept.dump && w->error &&
	    (w->was_running || kt_error_code(w->error) != KT_ERROR_CLOSED))
		return kt_error_wrap(kt_take_ptr(w->error), "the watch ended before the scheduler");
	if (!w->kept.dump && w->was_running)
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "the scheduler did not begin to end while it was watched");
	if (!w->kept.dump)
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "no scheduler was enabled while the guest was watched");
	err = options->dump(options->dump_arg, &w->kept, w->kaslr_offset, &text);
	if (!err)
		kt_buf_appends(result, text);
	return err;
}

static void answer_dump(struct watching *w)
{
	struct kt_buf result = KT_BUF_INIT;
	struct kt_error *err = make_dump(w, &result);

	kt_apart_answer(w->sock, err, &result);
}

/* After a watch that has ended by itself. */
static void answer_rest(struct watching *w)
{
	char question;

	while (next_question(w, &question)) {
		struct kt_buf none = KT_BUF_INIT;

		if (question == ASK_DUMP) {
			answer_dump(w);
			return;
		}
		kt_apart_answer(w->sock,
				kt_error_new(KT_ERROR_CLOSED, "%s", kt_error_message(w->error)),
				&none);
	}
}

static struct kt_error *begin(struct watching *w)
{
	static const struct watch_options what = {
		.sched = true, .no_loads = true, .sched_ends = true};
	const struct watcher *watcher = w->watcher;
	struct rsp_options options = *watcher->options.stub;
	struct kt_error *err;

	options.cancel_fd = w->sock; /* a question, or this process's parent is gone */
	options.heap_bytes = HEAP;
	err = rsp_client_connect(&watcher->target, &options, &w->client);
	if (err)
		return err;
	err = watch_create(w->client, watcher->options.facts, NULL, &what, &w->watch);
	if (err) {
		kt_error_destroy(rsp_client_detach(w->client));
		rsp_client_destroy(w->client);
		return err;
	}
	w->kaslr_offset = watch_kaslr_offset(w->watch);
	return NULL;
}

static void serve(void *arg, int sock)
{
	struct watching w = {.watcher = arg, .sock = sock};
	struct kt_buf none = KT_BUF_INIT;
	struct kt_error *err;
	bool asked;

	reader_fence_put_up(&w.watcher->target);
	err = begin(&w);
	if (err) {
		kt_apart_answer(sock, err, &none);
		return;
	}
	kt_apart_answer(sock, NULL, &none);
	asked = go_on(&w);
	end_watch(&w);
	if (asked && w.error)
		answer_rest(&w);
	else if (asked)
		answer_dump(&w);
	sched_event_deinit(&w.kept);
	kt_error_destroy(w.error);
}

/* --- the parent --- */

/* From here on it does not watch. Takes err. */
static void give_up(struct watcher *watcher, struct kt_error *err)
{
	snprintf(watcher->why, sizeof(watcher->why), "%s", kt_error_message(err));
	kt_error_destroy(err);
	watcher->watching = false;
	kt_apart_end(&watcher->child);
}

void watcher_start(struct watcher *watcher, const char *target)
{
	const struct rsp_options *stub = watcher->options.stub;
	struct kt_error *err;

	if (watcher->started || !watcher->options.dump)
		return;
	watcher->started = true;
	if (watcher->options.is_users) {
		give_up(watcher, kt_error_new(KT_ERROR_UNSUPPORTED,
					      "the guest's GDB stub was left to the user (--gdb)"));
		return;
	}
	watcher->keep[0] = stub->trace ? fileno(stub->trace) : -1;
	watcher->apart = (struct kt_apart){
		.name = "ktstr-watcher",
		.what = "the process that watches the guest",
		.serve = serve,
		.arg = watcher,
		.keep = watcher->keep,
		.n_keep = 1,
		.max = SCHED_SAVED_MAX,
		.cancel_fd = stub->cancel_fd,
	};
	err = rsp_target_parse(target, &watcher->target);
	if (!err)
		err = kt_apart_start(&watcher->apart, &watcher->child);
	if (err)
		give_up(watcher, err);
}

/* Waits until it watches; false: it does not. */
static bool is_watching(struct watcher *watcher)
{
	_cleanup_(kt_buf_deinit) struct kt_buf none = KT_BUF_INIT;
	struct kt_error *err;

	if (!watcher->child.apart || watcher->watching)
		return watcher->watching;
	err = kt_apart_hear(&watcher->child, BEGIN_MS, &none);
	if (err)
		give_up(watcher, err);
	else
		watcher->watching = true;
	return watcher->watching;
}

/* Asks it, and waits for the answer. */
static struct kt_error *ask(const struct watcher *watcher, char question, int64_t timeout_ms,
			    struct kt_buf *ret)
{
	if (!kt_apart_ask(&watcher->child, question))
		return kt_error_new(KT_ERROR_CLOSED, "%s has ended", watcher->apart.what);
	return kt_apart_hear(&watcher->child, timeout_ms, ret);
}

/* It comes from a process that had a guest's words to parse. */
static struct kt_error *take_dump(const struct kt_buf *result, char **ret)
{
	const struct kt_text text = {result->data ? result->data : "", result->len};
	struct sched_saved saved = {0};
	struct kt_error *err = sched_saved_read(text, "what was kept of the end", &saved);

	if (err)
		return err;
	sched_saved_deinit(&saved);
	*ret = strndup(text.data, text.len);
	return *ret ? NULL : kt_error_no_memory();
}

/* Gets what it has kept, and ends it. reason: why it is ended before its time, or NULL; is taken.
 */
static void stop_watching(struct watcher *watcher, struct kt_error *reason)
{
	_cleanup_(kt_buf_deinit) struct kt_buf result = KT_BUF_INIT;
	bool cancelled = reason && kt_error_code(reason) == KT_ERROR_CANCELLED;
	struct kt_error *err = NULL;

	if (!cancelled)
		err = ask(watcher, ASK_DUMP, DUMP_MS, &result);
	if (!cancelled && !err)
		err = take_dump(&result, &watcher->dump);
	if (reason && (err || cancelled)) {
		kt_error_destroy(err);
		err = kt_take_ptr(reason);
	}
	kt_error_destroy(reason);
	if (err) {
		give_up(watcher, err);
		return;
	}
	watcher->watching = false;
	kt_apart_end(&watcher->child);
}

bool watcher_read(struct watcher *watcher, struct inspection *ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf result = KT_BUF_INIT;
	struct kt_error *err;

	if (!is_watching(watcher))
		return false;
	err = ask(watcher, ASK_READ, READ_MS, &result);
	if (!err)
		err = inspection_unpack(result.data, result.len, ret);
	if (err)
		stop_watching(watcher, err);
	return !err;
}

struct kt_error *watcher_end(struct watcher *watcher, char **dump_ret, char **why_ret)
{
	if (!watcher->started)
		return NULL;
	if (is_watching(watcher))
		stop_watching(watcher, NULL);
	rsp_target_deinit(&watcher->target);
	*dump_ret = kt_take_ptr(watcher->dump);
	if (*dump_ret)
		return NULL;
	*why_ret = strdup(watcher->why);
	return *why_ret ? NULL : kt_error_no_memory();
}
