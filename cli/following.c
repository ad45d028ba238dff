// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>

#include "cli/following.h"
#include "util/clock.h"

void cli_following_put(struct cli_following *f, const char *text)
{
	cli_progress(NULL);
	if (!f->stdout_failed && (fputs(text, stdout) < 0 || fflush(stdout)))
		f->stdout_failed = true;
}

/* Shows events until the user, an option or the guest ends the watch. */
static struct kt_error *follow(struct cli_following *f, struct watch *watch)
{
	int64_t until = f->duration_s > 0 ? kt_deadline_ms((int64_t)(f->duration_s * 1000))
					  : INT64_MAX;

	while (!f->stdout_failed && !f->ops->is_done(f) && kt_now_ns() < until) {
		int64_t wait = until == INT64_MAX ? -1 : kt_deadline_left_ms(until);
		struct watch_event event;
		struct kt_error *err;

		err = watch_next(watch, f->ops->wait_ms ? f->ops->wait_ms(f, wait) : wait, &event);
		if (err && kt_error_code(err) == KT_ERROR_CANCELLED) {
			kt_error_destroy(err);
			return NULL;
		}
		if (!err)
			err = f->ops->show(f, watch, &event);
		if (err)
			return err;
		if (event.kind == WATCH_END) {
			memcpy(f->why, event.why, sizeof(f->why));
			f->was_paused = event.paused;
			return NULL;
		}
	}
	return NULL;
}

static struct kt_error *watch_stopped_guest(struct cli_following *f, struct rsp_client *client)
{
	const struct kfacts *facts = f->guest.facts;
	const char *cache_dir = f->guest.cache_dir, *place = f->guest.target.text;
	struct watch_event rest = {.kind = WATCH_SCHED};
	struct kt_error *err, *end_err;
	struct watch *watch;
	int64_t hint;
	bool has_hint = kfacts_load_hint(facts, cache_dir, place, &hint);

	err = watch_create(client, facts, has_hint ? &hint : NULL, &f->what, &watch);
	if (err)
		return err;
	f->began = true;
	if (!has_hint || hint != watch_kaslr_offset(watch))
		kfacts_store_hint(facts, cache_dir, place, watch_kaslr_offset(watch));
	err = f->ops->begin(f, watch);
	if (!err)
		err = follow(f, watch);
	if (f->ops->let_go)
		err = kt_error_join(err, f->ops->let_go(f));
	end_err = watch_end(watch);
	while (watch_rest(watch, &rest.sched))
		err = kt_error_join(err, f->ops->show(f, watch, &rest));
	/* The guest ended the watch, and may be gone with its breakpoints. */
	if (err || *f->why)
		kt_error_destroy(end_err);
	else
		err = end_err;
	f->stats = *watch_stats(watch);
	watch_destroy(watch);
	return err;
}

static struct kt_error *watch_guest(struct cli_following *f)
{
	struct rsp_client *client;
	struct kt_error *err, *detach_err;

	err = rsp_client_connect(&f->guest.target, &f->guest.stub, &client);
	if (err)
		return err;
	err = watch_stopped_guest(f, client);
	/* The guest stays paused, as that somebody wants it. */
	if (f->was_paused)
		rsp_client_set_leave_stopped(client, true);
	detach_err = rsp_client_detach(client);
	rsp_client_destroy(client);
	if (!err && !*f->why)
		return detach_err;
	kt_error_destroy(detach_err);
	return err;
}

struct kt_error *cli_following_run(struct cli_following *f)
{
	struct kt_error *err, *end_err;

	do
		err = watch_guest(f);
	while (err && !f->began && cli_session_try_again(&f->guest, &err));
	end_err = f->began ? f->ops->end(f) : NULL;
	if (!err && !*f->why)
		return end_err;
	kt_error_destroy(end_err);
	return err ? err : kt_error_new(KT_ERROR_CLOSED, "the watch ends: %s", f->why);
}
