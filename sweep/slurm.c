// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "sweep/command.h"
#include "sweep/engine.h"
#include "sweep/remote.h"
#include "sweep/slurm_queue.h"
#include "sweep/work.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/vec.h"

/* How often to look at the queue: less and less, since many people share one controller. */
#define LOOK_FIRST_MS 500
#define LOOK_LAST_MS  5000

#define LOST_S     10  /* how much later than Slurm's word a file from another machine may come */
#define PATIENCE_S 600 /* the default of work->patience_s */
#define CANCEL_S   90  /* longer than Slurm's KillWait, mostly 30 s */

enum { IDLE, SUBMITTED, DONE };

/* A job, and the try of it that was submitted last. */
struct cell {
	int phase;
	unsigned tries;
	size_t array;          /* index into slurm.arrays */
	enum slurm_state seen; /* its state at the last look at the queue */
	char word[32];         /* Slurm's word for the state */
	int64_t lost_ns; /* since when it is over for Slurm, but has left no file; 0: not so */
	bool no_word;    /* its last try ended without reporting a status */
};

struct array {
	unsigned long number;
	size_t *jobs; /* for each task our job */
	size_t n;
	struct slurm_line rest; /* the last look's line for all tasks without one of their own */
};

struct slurm {
	const struct sweep_work *work;
	struct sweep_remote remote;
	char name[32];
	size_t *order;
	size_t array_max;
	struct cell *cells;
	struct {
		KT_VEC(struct array) v;
	} arrays;
	size_t n_submitted;  /* cells that were submitted and have not ended */
	int64_t moved_ns;    /* when a cell last ran or ended */
	int64_t answered_ns; /* when Slurm last answered */
	bool any_active;
	char reason[256]; /* why the first pending cell waits, in Slurm's words */
	char noticed[256];
};

static unsigned patience_s(const struct slurm *s)
{
	return s->work->patience_s ? s->work->patience_s : PATIENCE_S;
}

static bool seconds_since(int64_t ns, unsigned seconds)
{
	return kt_now_ns() - ns >= (int64_t)seconds * 1000000000;
}

/* --- submitting --- */

static bool same_need(const struct slurm *s, size_t a, size_t b)
{
	const struct sweep_job *jobs = s->work->jobs;

	return jobs[a].memory_mib == jobs[b].memory_mib &&
	       sweep_job_threads(s->work, &jobs[a]) == sweep_job_threads(s->work, &jobs[b]);
}

/* Requests CPUs and memory for the largest of these jobs. */
static void set_need(const struct slurm *s, const struct array *array, struct slurm_request *r)
{
	const struct sweep_job *jobs = s->work->jobs;

	for (size_t i = 0; i < array->n; i++) {
		const struct sweep_job *job = &jobs[array->jobs[i]];
		unsigned threads = sweep_job_threads(s->work, job);

		r->cpus = threads > r->cpus ? threads : r->cpus;
		if (job->memory_mib + SWEEP_MARGIN_MIB > r->memory_mib)
			r->memory_mib = job->memory_mib + SWEEP_MARGIN_MIB;
	}
}

/* Writes the batch script. Line N + 1 of a list has the number of task N for the cell's script. */
static struct kt_error *write_batch(struct slurm *s, const struct array *array, char **ret_script)
{
	_cleanup_(kt_buf_deinit) struct kt_buf list = KT_BUF_INIT, script = KT_BUF_INIT;
	_cleanup_free_ char *list_path = sweep_remote_path(&s->remote, "list");
	_cleanup_free_ char *path = sweep_remote_path(&s->remote, "batch");
	char name[48];
	struct kt_error *err;

	if (!list_path || !path)
		return kt_error_no_memory();
	snprintf(name, sizeof(name), "list%zu", s->arrays.v.len);
	for (size_t i = 0; i < array->n; i++)
		kt_buf_printf(&list, "%zu\n", array->jobs[i] + 1);
	kt_buf_printf(&script,
		      "#!/bin/sh\nexec %s \"$(sed -n \"$((SLURM_ARRAY_TASK_ID + 1)){p;q;}\" ",
		      s->remote.command);
	sweep_quote(&script, list_path);
	kt_buf_printf(&script, "%zu)\"\n", s->arrays.v.len);
	if (kt_buf_failed(&list) || kt_buf_failed(&script))
		return kt_error_no_memory();
	err = sweep_remote_write(&s->remote, name, list.data, list.len);
	if (!err)
		err = sweep_remote_write(&s->remote, "batch", script.data, script.len);
	if (!err)
		*ret_script = kt_take_ptr(path);
	return err;
}

/* Where Slurm writes the output of its jobs. It would replace a "%" or "\" in a path. */
static const char *output_path(const struct sweep_work *work)
{
	return strpbrk(work->results, "%\\") ? "/dev/null" : ".logs/slurm.out";
}

static struct kt_error *submit_array(struct slurm *s, struct array *array)
{
	struct slurm_request request = {.name = s->name,
					.dir = s->work->results,
					.output = output_path(s->work),
					.n_tasks = array->n,
					.at_a_time = s->work->max_jobs,
					.timeout_s = s->work->timeout_s,
					.args = s->work->engine_args,
					.n_args = s->work->n_engine_args};
	struct array all = {.jobs = s->order, .n = s->work->n_jobs};
	_cleanup_free_ char *script = NULL;
	struct kt_error *err = write_batch(s, array, &script);

	if (err)
		return err;
	request.script = script;
	set_need(s, s->work->max_jobs ? &all : array, &request);
	return slurm_submit(&request, &array->number);
}

/* Submits the array, and takes it over, also on failure. */
static struct kt_error *add_array(struct slurm *s, struct array *array)
{
	struct kt_error *err = submit_array(s, array);

	if (!err && !kt_vec_push(&s->arrays.v, *array))
		err = kt_error_no_memory(); /* stop() still finds the array by its name */
	if (err) {
		free(array->jobs);
		return err;
	}
	for (size_t i = 0; i < array->n; i++) {
		struct cell *cell = &s->cells[array->jobs[i]];

		*cell = (struct cell){
			.phase = SUBMITTED, .tries = cell->tries + 1, .array = s->arrays.v.len - 1};
	}
	s->n_submitted += array->n;
	s->moved_ns = kt_now_ns();
	return NULL;
}

/* Picks idle jobs with the same needs for one array; an empty array if there are none. */
static struct kt_error *pick_array(const struct slurm *s, unsigned tries, struct array *ret)
{
	size_t n = s->work->n_jobs < s->array_max ? s->work->n_jobs : s->array_max;
	struct array array = {.jobs = calloc(n, sizeof(*array.jobs))};

	if (!array.jobs)
		return kt_error_no_memory();
	for (size_t i = 0; i < s->work->n_jobs && array.n < n; i++) {
		size_t job = s->order[i];

		if (s->cells[job].phase != IDLE || s->cells[job].tries != tries)
			continue;
		if (!array.n || s->work->max_jobs || same_need(s, array.jobs[0], job))
			array.jobs[array.n++] = job;
	}
	*ret = array;
	return NULL;
}

/* --- following --- */

static void try_ended(struct slurm *s, size_t job, bool again)
{
	struct cell *cell = &s->cells[job];

	s->n_submitted--;
	s->moved_ns = kt_now_ns();
	cell->phase = again && cell->tries <= s->work->retries ? IDLE : DONE;
	if (cell->phase == DONE)
		sweep_tell_ended(s->work, job);
}

static void file_says_ended(void *arg, size_t job, int status)
{
	struct slurm *s = arg;

	if (s->cells[job].phase == SUBMITTED)
		try_ended(s, job, status != SWEEP_CELL_PASSED && status != SWEEP_CELL_SKIPPED);
}

static void take_queue_line(void *arg, const struct slurm_line *line)
{
	struct slurm *s = arg;
	struct cell *cell;

	s->any_active |= line->state == SLURM_ACTIVE;
	if (line->state == SLURM_PENDING && !*s->reason)
		snprintf(s->reason, sizeof(s->reason), "%s", line->reason);
	kt_vec_for_each (&s->arrays.v, array) {
		if (array->number != line->array)
			continue;
		if (line->task < 0) {
			array->rest = *line;
			continue;
		}
		if ((size_t)line->task >= array->n)
			continue;
		cell = &s->cells[array->jobs[line->task]];
		if (&s->arrays.v.data[cell->array] != array)
			continue; /* an earlier try */
		cell->seen = line->state;
		memcpy(cell->word, line->word, sizeof(cell->word));
	}
}

static struct kt_error *look_at_queue(struct slurm *s, bool *ret_answered)
{
	struct kt_error *err;

	for (size_t i = 0; i < s->work->n_jobs; i++)
		s->cells[i].seen = SLURM_GONE;
	kt_vec_for_each (&s->arrays.v, array)
		array->rest = (struct slurm_line){.state = SLURM_GONE};
	s->any_active = false;
	s->reason[0] = '\0';
	err = slurm_queue(s->name, s->work->cancel_fd, take_queue_line, s);
	*ret_answered = !err;
	if (!err)
		s->answered_ns = kt_now_ns();
	if (err && kt_error_code(err) != KT_ERROR_CANCELLED &&
	    !seconds_since(s->answered_ns, patience_s(s))) {
		kt_error_destroy(err); /* the controller may be restarting */
		return NULL;
	}
	if (s->any_active)
		s->moved_ns = kt_now_ns();
	return err;
}

/*
 * Decides about a cell that is over for Slurm, but whose file does not come: after LOST_S it has
 * ended. If somebody cancelled it, it is not tried again.
 */
static void judge_lost(struct slurm *s, size_t job)
{
	struct cell *cell = &s->cells[job];
	const struct slurm_line *rest = &s->arrays.v.data[cell->array].rest;

	if (cell->seen == SLURM_GONE && rest->state != SLURM_GONE) {
		cell->seen = rest->state;
		memcpy(cell->word, rest->word, sizeof(cell->word));
	}
	if (cell->seen == SLURM_PENDING || cell->seen == SLURM_ACTIVE) {
		cell->lost_ns = 0;
	} else if (!cell->lost_ns) {
		cell->lost_ns = kt_now_ns();
	} else if (seconds_since(cell->lost_ns, LOST_S)) {
		cell->no_word = cell->seen == SLURM_GONE || cell->seen == SLURM_ENDED;
		try_ended(s, job, cell->seen != SLURM_COMPLETED && strcmp(cell->word, "CANCELLED"));
	}
}

/* If nothing has run for a while, says why. After patience_s() it may be an error. */
static struct kt_error *judge_pending(struct slurm *s)
{
	unsigned patience = patience_s(s);

	if (!s->n_submitted || s->any_active || !*s->reason ||
	    !seconds_since(s->moved_ns, patience / 20 + 1))
		return NULL;
	if (strcmp(s->noticed, s->reason)) {
		sweep_notice(s->work, "%zu cells wait for Slurm, which says: %s", s->n_submitted,
			     s->reason);
		memcpy(s->noticed, s->reason, sizeof(s->noticed));
	}
	if (!slurm_reason_is_bad(s->reason) || !seconds_since(s->moved_ns, patience))
		return NULL;
	return kt_error_hint(kt_error_new(KT_ERROR_TIMEOUT,
					  "Slurm has run nothing for %u seconds, and says: %s",
					  patience, s->reason),
			     "sinfo -R tells of nodes that are down, sinfo what there is");
}

static struct kt_error *look(struct slurm *s)
{
	bool answered;
	struct kt_error *err = look_at_queue(s, &answered);

	/* After the look at the queue: a cell that was over then mostly has its file by now. */
	sweep_remote_scan(&s->remote, file_says_ended, s);
	if (err || !answered)
		return err;
	for (size_t i = 0; i < s->work->n_jobs; i++)
		if (s->cells[i].phase == SUBMITTED)
			judge_lost(s, i);
	return judge_pending(s);
}

static struct kt_error *follow(struct slurm *s)
{
	int ms = LOOK_FIRST_MS;

	while (s->n_submitted) {
		struct kt_error *err;

		if (sweep_sleep_ms(s->work, ms))
			return sweep_cancelled_error();
		err = look(s);
		if (err)
			return err;
		ms = ms * 5 / 4 < LOOK_LAST_MS ? ms * 5 / 4 : LOOK_LAST_MS;
	}
	return NULL;
}

/* Runs all cells that had this many tries. With max_jobs, one array after the other. */
static struct kt_error *run_round(struct slurm *s, unsigned tries)
{
	for (;;) {
		struct array array;
		struct kt_error *err;

		if (sweep_cancelled(s->work))
			return sweep_cancelled_error();
		err = pick_array(s, tries, &array);
		if (err)
			return err;
		if (!array.n) {
			free(array.jobs);
			return follow(s);
		}
		err = add_array(s, &array);
		if (!err && s->work->max_jobs)
			err = follow(s);
		if (err)
			return err;
	}
}

/* --- the end --- */

static void count_live(void *arg, const struct slurm_line *line)
{
	*(size_t *)arg += line->state == SLURM_PENDING || line->state == SLURM_ACTIVE;
}

/* Cancels by name, which also finds an array whose number was not told. */
static struct kt_error *cancel_all(struct slurm *s)
{
	int64_t deadline = kt_deadline_ms(CANCEL_S * 1000);
	struct kt_error *err = slurm_cancel(s->name);
	size_t n = 1;

	while (!err) {
		n = 0;
		err = slurm_queue(s->name, -1, count_live, &n);
		if (err || !n)
			break;
		if (!kt_deadline_left_ms(deadline))
			return kt_error_new(KT_ERROR_TIMEOUT, "%zu jobs are not gone after %d s", n,
					    CANCEL_S);
		sweep_sleep_ms(&(struct sweep_work){.cancel_fd = -1}, LOOK_FIRST_MS);
	}
	sweep_remote_scan(&s->remote, file_says_ended, s);
	return err;
}

static void stop(struct slurm *s)
{
	struct kt_error *err;

	sweep_remote_close(&s->remote);
	err = cancel_all(s);
	if (err)
		sweep_notice(s->work, "Slurm may still have jobs of the name %s: %s", s->name,
			     kt_error_message(err));
	kt_error_destroy(err);
}

/* An error if cells ended without reporting a status. */
static struct kt_error *judge(const struct slurm *s)
{
	const char *word = "";
	size_t n = 0;

	for (size_t i = 0; i < s->work->n_jobs; i++) {
		if (!s->cells[i].no_word)
			continue;
		word = s->cells[i].word;
		n++;
	}
	if (n)
		return kt_error_hint(
			kt_error_new(KT_ERROR_CLOSED,
				     "%zu of %zu cells came to no end, of which Slurm says: %s", n,
				     s->work->n_jobs, *word ? word : "nothing, they are gone"),
			"what it says of jobs is in %s/.logs/slurm.out", s->work->results);
	return sweep_remote_check(&s->remote, "", NULL);
}

static struct kt_error *init(struct slurm *s)
{
	struct kt_error *err = sweep_remote_create(&s->remote, s->work);
	unsigned long long random = 0;

	if (err)
		return err;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (unsigned long long)kt_now_ns();
	snprintf(s->name, sizeof(s->name), "ktstr-%016llx", random);
	s->answered_ns = s->moved_ns = kt_now_ns();
	s->cells = calloc(s->work->n_jobs, sizeof(*s->cells));
	if (!s->cells)
		return kt_error_no_memory();
	err = sweep_order(s->work, &s->order);
	return err ? err : slurm_array_max(&s->array_max);
}

static void deinit(struct slurm *s)
{
	kt_vec_for_each (&s->arrays.v, array)
		free(array->jobs);
	kt_vec_free(&s->arrays.v);
	sweep_remote_destroy(&s->remote);
	free(s->order);
	free(s->cells);
}

struct kt_error *sweep_need_slurm(void)
{
	return sweep_need_program("sbatch", "slurm-client");
}

struct kt_error *sweep_run_slurm(const struct sweep_work *work)
{
	_cleanup_(deinit) struct slurm s = {.work = work};
	struct kt_error *err = sweep_need_slurm();

	if (err || !work->n_jobs)
		return err;
	if (sweep_cancelled(work))
		return sweep_cancelled_error();
	err = init(&s);
	if (err)
		return err;
	for (unsigned tries = 0; tries <= work->retries && !err; tries++)
		err = run_round(&s, tries);
	if (err)
		stop(&s);
	return err ? err : judge(&s);
}
