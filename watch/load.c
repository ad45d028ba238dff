// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The loads under way: what is known of them at bpf_vlog_finalize(), which is all that the
 * verifier knows, and when bpf_prog_load() returns, which is what came of them.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "watch/watch_impl.h"

/* Loads under way at once that a guest may make us remember: more than it has CPUs. */
#define MAX_PENDING 8192
/* What libbpf asks for at most is 16 MiB; the kernel takes up to 1 GiB. */
#define MAX_LOG ((uint64_t)64 << 20)

/* Most loads are done before. */
#define FIRST_SAMPLE_NS INT64_C(500000000)

/* --- by whom --- */

static struct watch_pending *find_pending(struct watch *watch, gaddr_t task)
{
	kt_vec_for_each (&watch->pending, p)
		if (p->task == task)
			return p;
	return NULL;
}

void watch_pending_deinit(struct watch_pending *pending)
{
	bpf_load_deinit(&pending->load);
	free(pending->lines);
	pending->lines = NULL;
	pending->lines_read = pending->finalized = false;
	pending->n_lines = 0;
	pending->sampled_ns = 0;
}

static void drop_pending(struct watch *watch, struct watch_pending *p)
{
	watch_pending_deinit(p);
	*p = watch->pending.data[--watch->pending.len];
}

/* The load of this task: one that is known, or a new one. */
static struct kt_error *take_pending(struct watch *watch, gaddr_t task, struct watch_pending **ret)
{
	*ret = find_pending(watch, task);
	if (*ret)
		return NULL;
	/* The oldest one never came back: its task was killed by an oops. */
	if (watch->pending.len >= MAX_PENDING)
		drop_pending(watch, watch->pending.data);
	if (!kt_vec_push(&watch->pending,
			 (struct watch_pending){.task = task, .since_ns = watch->stopped_ns}))
		return kt_error_no_memory();
	*ret = &watch->pending.data[watch->pending.len - 1];
	return NULL;
}

/* --- at bpf_vlog_finalize() --- */

struct kt_error *watch_at_init(struct watch *watch)
{
	_cleanup_(watch_reading_deinit) struct watch_reading r = {0};
	gaddr_t env = watch->registers[WATCH_INIT_LOG] - watch->log_in_env.offset;
	struct watch_pending *p;
	struct kt_error *err;
	bool is_load;

	err = watch_read_env(watch, env, &r, &is_load);
	if (!err && is_load)
		err = take_pending(watch, watch_task_of(watch, &r), &p);
	if (err || !is_load)
		return err;
	watch_pending_deinit(p); /* of one that never came back */
	p->env = env;
	p->since_ns = watch->stopped_ns;
	watch_take_task(watch, r.task, &p->load);
	err = watch_take_program(watch, &r, &p->load);
	p->load.pause_ns = kt_now_ns() - watch->stopped_ns;
	/* One that is planned comes soon enough, and is what the overhead allows. */
	if (watch->progress.next_ns < watch->stopped_ns)
		watch->progress.next_ns = watch->stopped_ns + FIRST_SAMPLE_NS;
	return err;
}

struct kt_error *watch_at_finalize(struct watch *watch)
{
	_cleanup_(watch_reading_deinit) struct watch_reading r = {0};
	gaddr_t env = watch->registers[WATCH_FINALIZE_LOG] - watch->log_in_env.offset;
	struct watch_pending *p;
	struct kt_error *err;
	int64_t pause_ns;
	bool is_load;

	err = watch_read_env(watch, env, &r, &is_load);
	if (!err && is_load)
		err = take_pending(watch, watch_task_of(watch, &r), &p);
	if (err || !is_load)
		return err;
	/* What is there is of its beginning, or of one that never came back. */
	pause_ns = p->env == env && !p->finalized ? p->load.pause_ns : 0;
	watch_pending_deinit(p);
	p->env = env;
	p->finalized = true;
	watch_take_log(watch, &r, p);
	watch_take_task(watch, r.task, &p->load);
	err = watch_take_numbers(watch, &r, &p->load);
	if (!err)
		err = watch_take_program(watch, &r, &p->load);
	p->load.pause_ns = pause_ns + kt_now_ns() - watch->stopped_ns;
	return err;
}

/* --- where bpf_prog_load() returns --- */

static int64_t realtime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/*
 * The text is in the loader's own memory, in order since bpf_vlog_finalize(): as much as fits,
 * with a NUL behind it. Log level 8 (BPF_LOG_FIXED) keeps the beginning, else it is the end.
 */
static struct kt_error *read_log(struct watch *watch, struct watch_pending *p)
{
	uint64_t len = p->log_end - p->log_start;
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ char *log = NULL;
	struct kt_error *err;
	bool complete;

	if (len >= p->log_size)
		len = p->log_size ? p->log_size - 1 : 0;
	if (!p->log_buf || !len || len > MAX_LOG)
		return NULL;
	log = malloc((size_t)len + 1);
	if (!log || !gmem_batch_add(&batch, p->log_buf, log, (size_t)len))
		return kt_error_no_memory();
	err = watch_read_all(watch, &batch, &complete);
	if (err || !complete)
		return err;
	log[len] = '\0';
	p->load.log_len = strnlen(log, (size_t)len);
	p->load.log = kt_take_ptr(log);
	return NULL;
}

/* A load of which the verifier told nothing: by whom, and if it passed, what it is. */
static struct kt_error *read_unseen(struct watch *watch, struct watch_reading *r,
				    struct watch_pending *p, int32_t result)
{
	struct kt_error *err;
	gaddr_t prog = 0;
	bool complete;

	err = watch_read_task(watch, r, p->task, &complete);
	if (err || !complete)
		return err;
	watch_take_task(watch, r->task, &p->load);
	if (result < 0)
		return NULL;
	err = watch_find_loaded(watch, p->task, (uint32_t)result, &prog);
	if (!err && prog)
		err = watch_read_program(watch, r, prog, &complete);
	if (err || !prog || !complete)
		return err;
	err = watch_read_name(watch, NULL, &r->entry);
	if (!err)
		err = watch_take_program(watch, r, &p->load);
	watch_take_unverified(watch, r, &p->load);
	return err;
}

struct kt_error *watch_at_return(struct watch *watch, struct bpf_load *ret)
{
	_cleanup_(watch_reading_deinit) struct watch_reading r = {0};
	int32_t result = (int32_t)watch->registers[WATCH_RESULT];
	struct watch_pending *p;
	struct kt_error *err;
	bool complete;

	err = watch_read_first(watch, &r, &complete);
	if (err)
		return err;
	err = take_pending(watch, complete ? watch_task_of(watch, &r) : 0, &p);
	if (!err && complete && !p->finalized)
		err = read_unseen(watch, &r, p, result);
	if (!err && result < 0 && p->finalized && watch->options.logs)
		err = read_log(watch, p);
	if (err)
		return err;
	p->load.error = (struct program_number){true,
						result < 0 ? (uint64_t) - (int64_t)result : 0};
	p->load.at_ns = realtime_ns();
	p->load.pause_ns += kt_now_ns() - watch->stopped_ns;
	*ret = p->load;
	p->load = (struct bpf_load){0};
	drop_pending(watch, p);
	return NULL;
}
