// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "watch/loaded.h"
#include "watch/pending.h"

/* More loads at once than any guest has CPUs: a bound on what it makes us remember. */
#define MAX_PENDING 8192

/* Loads that are sampled in one stop, at most. */
#define SAMPLE_MAX 16

/* The errno of x86-64's Linux. */
#define GUEST_ENOSPC 28
/* A task that an oops killed on its way never returns. Of the guest's time. */
#define RETURNS_WITHIN_NS INT64_C(60000000000)
/* As much of the log's end as tells what became of the program. */
#define LOG_TAIL 4096

/* --- by task --- */

static void load_clear(struct pending_load *p)
{
	bpf_load_deinit(&p->load);
	sampled_deinit(&p->sampled);
	*p = (struct pending_load){.task = p->task};
}

void pending_deinit(struct pending *pending)
{
	kt_vec_for_each (&pending->loads, p)
		load_clear(p);
	kt_vec_free(&pending->loads);
	cost_deinit(&pending->cost);
}

static struct pending_load *find(struct pending *pending, gaddr_t task)
{
	kt_vec_for_each (&pending->loads, p)
		if (p->task == task)
			return p;
	return NULL;
}

/* Takes a load out; one that is all unknown, if this task has none. The caller clears it. */
static struct pending_load take(struct pending *pending, gaddr_t task)
{
	struct pending_load *p = find(pending, task), ret = {.task = task};

	if (p) {
		ret = *p;
		*p = pending->loads.data[--pending->loads.len];
	}
	return ret;
}

/*
 * The task's load, or a new one. *ret is good until the next call. A load whose task an oops kills
 * never returns; when there are too many, one of the first is dropped.
 */
static struct kt_error *find_or_add(struct pending *pending, gaddr_t task,
				    struct pending_load **ret)
{
	*ret = find(pending, task);
	if (*ret)
		return NULL;
	if (pending->loads.len >= MAX_PENDING) {
		struct pending_load dropped = take(pending, pending->loads.data[0].task);

		load_clear(&dropped);
	}
	if (!kt_vec_push(&pending->loads, (struct pending_load){.task = task}))
		return kt_error_no_memory();
	*ret = &pending->loads.data[pending->loads.len - 1];
	return NULL;
}

/* --- on its way --- */

static int64_t stopped_for_ns(const struct pending *pending)
{
	return kt_now_ns() - pending->reader->stop->since_ns;
}

struct kt_error *pending_at_init(struct pending *pending, struct progress *progress)
{
	const struct reader *reader = pending->reader;
	_cleanup_(reading_deinit) struct reading r = {0};
	gaddr_t env = reader_env_of(reader, reader->stop->registers[WATCH_INIT_LOG]);
	struct pending_load *p;
	struct kt_error *err;
	bool is_load;

	err = reader_env(reader, env, &r, &is_load);
	if (!err && is_load)
		err = find_or_add(pending, reader_task_of(reader, &r), &p);
	if (err || !is_load)
		return err;
	load_clear(p); /* an earlier load of this task that never returned */
	progress_begin(progress, env, &p->sampled);
	reading_take_task(reader, &r, &p->load);
	err = reading_take_program(reader, &r, &p->load);
	p->load.pause_ns = stopped_for_ns(pending);
	return err;
}

struct kt_error *pending_at_finalize(struct pending *pending)
{
	const struct reader *reader = pending->reader;
	_cleanup_(reading_deinit) struct reading r = {0};
	gaddr_t env = reader_env_of(reader, reader->stop->registers[WATCH_FINALIZE_LOG]);
	struct pending_load *p;
	struct kt_error *err;
	int64_t pause_ns;
	bool is_load;

	err = reader_env(reader, env, &r, &is_load);
	if (!err && is_load)
		err = find_or_add(pending, reader_task_of(reader, &r), &p);
	if (err || !is_load)
		return err;
	/* Another env is that of an earlier load of this task, which never returned. */
	pause_ns = p->sampled.env == env ? p->load.pause_ns : 0;
	load_clear(p);
	p->finalized = true;
	reading_take_log(reader, &r, &p->log);
	reading_take_task(reader, &r, &p->load);
	err = reading_take_numbers(reader, &r, &p->load);
	if (!err)
		err = reading_take_program(reader, &r, &p->load);
	p->guest_ns = stop_guest_ns(reader->stop);
	cost_begin(&pending->cost, p->task, reading_cpu_time(reader, &r), &p->load, &p->cost);
	p->load.pause_ns = pause_ns + stopped_for_ns(pending);
	return err;
}

struct kt_error *pending_at_failure(struct pending *pending, gaddr_t prog)
{
	const struct reader *reader = pending->reader;
	_cleanup_(reading_deinit) struct reading r = {0};
	struct pending_load *p;
	struct kt_error *err;
	bool known;

	err = reader_first(reader, &r, &known);
	if (!err && known)
		err = find_or_add(pending, reader_task_of(reader, &r), &p);
	if (err || !known)
		return err;
	load_clear(p);
	p->fails = true;
	p->guest_ns = stop_guest_ns(reader->stop);
	if (prog) {
		err = object_begin(&r.task, &reader->task, p->task, &r.batch);
		if (!err)
			err = reader_program(reader, prog, &r, &known);
		p->has_program = !err && known && r.task.known;
	}
	if (p->has_program) {
		reading_take_task(reader, &r, &p->load);
		reading_take_kept(reader, &r, &p->load);
		err = reading_take_program(reader, &r, &p->load);
	}
	p->load.pause_ns = stopped_for_ns(pending);
	return err;
}

bool pending_fails(const struct pending *pending)
{
	kt_vec_for_each (&pending->loads, p)
		if (p->fails &&
		    stop_guest_ns(pending->reader->stop) - p->guest_ns < RETURNS_WITHIN_NS)
			return true;
	return false;
}

/* --- back --- */

static int64_t realtime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* For a load that was not seen in the verifier: who made it, and if it passed, what it is. */
static struct kt_error *read_unseen(const struct reader *reader, int32_t result, struct reading *r,
				    struct pending_load *p)
{
	struct kt_error *err;
	gaddr_t prog = 0;
	bool known;

	err = reader_task(reader, p->task, r, &known);
	if (err || !known)
		return err;
	reading_take_task(reader, r, &p->load);
	if (result < 0)
		return NULL;
	err = loaded_find(reader->stop, reader->facts, p->task, (uint32_t)result, &prog);
	if (!err && prog)
		err = reader_program(reader, prog, r, &known);
	if (err || !prog || !known)
		return err;
	reading_take_kept(reader, r, &p->load);
	return reading_take_program(reader, r, &p->load);
}

/*
 * The verifier's environment is gone: of its numbers the program has one, and the log that the
 * loader asked for has more. Its text is kept only if somebody wants it.
 */
static struct kt_error *read_asked(struct pending *pending, int32_t result, struct bpf_load *load)
{
	struct stop *stop = pending->reader->stop;
	struct kt_error *err;
	struct asked asked;

	err = asked_read(&pending->asked, stop, &asked);
	if (err || !asked.known)
		return err;
	load->log_level = (struct program_number){true, asked.log_level};
	load->log_size = (struct program_number){true, asked.log_size};
	if (!asked.log_level)
		load->log_bytes = (struct program_number){true, 0};
	err = asked_log(&asked, stop, pending->logs, load);
	if (!err && !kt_bpf_load_take_stats(load))
		err = kt_error_no_memory();
	if (!pending->logs && result != -GUEST_ENOSPC) {
		free(load->log);
		load->log = NULL;
		load->log_len = 0;
	}
	return err;
}

struct kt_error *pending_at_return(struct pending *pending, struct bpf_load *ret)
{
	const struct reader *reader = pending->reader;
	_cleanup_(reading_deinit) struct reading r = {0};
	int32_t result = (int32_t)reader->stop->registers[WATCH_RESULT];
	bool failed = result < 0, complete;
	struct kt_error *err = reader_first(reader, &r, &complete);
	struct pending_load p = take(pending, complete ? reader_task_of(reader, &r) : 0);

	if (!err && p.has_program && failed)
		err = read_asked(pending, result, &p.load);
	else if (!err && complete && !p.finalized)
		err = read_unseen(reader, result, &r, &p);
	if (p.finalized)
		cost_end(&pending->cost, &p.cost, stop_guest_ns(reader->stop) - p.guest_ns);
	/* Of ENOSPC only the log tells whether it hides an error. */
	if (!err && failed && p.finalized && (pending->logs || result == -GUEST_ENOSPC))
		err = reader_log(reader, &p.log, pending->logs ? UINT64_MAX : LOG_TAIL, &p.load);
	p.load.error = (struct program_number){true, failed ? (uint64_t) - (int64_t)result : 0};
	p.load.at_ns = realtime_ns();
	p.load.pause_ns += stopped_for_ns(pending);
	*ret = p.load;
	p.load = (struct bpf_load){0};
	load_clear(&p);
	return err;
}

/* --- meanwhile --- */

static bool in_verifier(const struct pending_load *p)
{
	return p->sampled.env != 0;
}

bool pending_in_verifier(const struct pending *pending)
{
	kt_vec_for_each (&pending->loads, p)
		if (in_verifier(p))
			return true;
	return false;
}

struct kt_error *pending_sample(struct pending *pending, struct progress *progress,
				struct guest *guest, struct samples *ret)
{
	struct kt_error *err = NULL;
	size_t n = 0;

	kt_vec_for_each (&pending->loads, p) {
		struct bpf_load_progress sample = {0};

		if (err || !in_verifier(p) || n++ >= SAMPLE_MAX)
			continue;
		err = progress_sample(progress, guest, &p->sampled, &p->load, &sample);
		if (err || !sample.verified_insns.known || !kt_vec_push(&ret->all, sample))
			bpf_load_progress_deinit(&sample);
	}
	progress_plan(progress);
	return err;
}

void samples_deinit(struct samples *samples)
{
	kt_vec_for_each (&samples->all, sample)
		bpf_load_progress_deinit(sample);
	kt_vec_free(&samples->all);
}
