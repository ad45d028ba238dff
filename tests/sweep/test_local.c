// SPDX-License-Identifier: LGPL-2.1-or-later
/* The engine that runs cells on this machine, with tests/sweep/cell in place of the tool. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "sweep/engine.h"
#include "tests/sweep/events.h"
#include "tests/vm/scratch.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define JOBS_MAX 256
#define HANG_MS  120000 /* bounds a hang; what is waited for comes far earlier */

static struct sweep_job jobs[JOBS_MAX];
static char names[JOBS_MAX][128];
static char tool[256];
static unsigned begun[JOBS_MAX], ended[JOBS_MAX];

static void count_begun(void *arg, size_t job)
{
	(void)arg;
	begun[job]++;
}

static void count_ended(void *arg, size_t job)
{
	(void)arg;
	ended[job]++;
}

static struct sweep_work make_work(void)
{
	char *cwd = getcwd(NULL, 0);

	snprintf(tool, sizeof(tool), "%s/tests/sweep/cell", cwd);
	free(cwd);
	memset(jobs, 0, sizeof(jobs));
	memset(begun, 0, sizeof(begun));
	memset(ended, 0, sizeof(ended));
	return (struct sweep_work){.jobs = jobs,
				   .tool = tool,
				   .file = "/sweep.toml",
				   .results = scratch,
				   .cancel_fd = -1,
				   .begun = count_begun,
				   .ended = count_ended};
}

/* One more cell, which does KERNEL; its index. */
static size_t add(struct sweep_work *work, const char *sched, const char *kernel)
{
	size_t i = work->n_jobs++;

	assert_true(i < JOBS_MAX);
	snprintf(names[i], sizeof(names[i]), "verifier/%s/%s/%zu", sched, kernel, i);
	jobs[i] = (struct sweep_job){.name = names[i], .cpus = 1, .memory_mib = 1};
	return i;
}

static const struct events *told(void)
{
	return read_events(in_scratch("events"));
}

static void assert_runs(const struct sweep_work *work)
{
	_cleanup_error_ struct kt_error *err = sweep_run_local(work);

	if (err)
		fail_msg("%s", kt_error_message(err));
}

static void assert_fails(const struct sweep_work *work, enum kt_error_code code)
{
	_cleanup_error_ struct kt_error *err = sweep_run_local(work);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), code);
}

static void all_run_once(void **state)
{
	struct sweep_work work = make_work();
	const struct events *events;

	(void)state;
	work.max_jobs = 8;
	for (int i = 0; i < 200; i++)
		add(&work, "scx", "pass");
	assert_runs(&work);
	events = told();
	assert_int_equal(events->n, 400);
	for (size_t i = 0; i < work.n_jobs; i++) {
		assert_int_equal(count_events(events, "end", names[i]), 1);
		assert_int_equal(begun[i], 1);
		assert_int_equal(ended[i], 1);
	}
}

static void names_of_any_kind(void **state)
{
	static const char *const odd[] = {"a b",  "a'b", "a\"b",    "$HOME", "`id`", "a\\b",
					  "é✓",   "-n",  "a;b&c|d", "*",     "{}",   "\t",
					  "\xff", "!",   "#",       "~",     "%s"};
	struct sweep_work work = make_work();
	const char *const args[] = {"--arg", "it's \"one\" $ARG"};
	char record[64];
	FILE *f;

	(void)state;
	work.args = args;
	work.n_args = 2;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		add(&work, odd[i], "pass");
	assert_runs(&work);
	for (size_t i = 0; i < work.n_jobs; i++) {
		char path[256];

		assert_int_equal(count_events(told(), "end", names[i]), 1);
		snprintf(path, sizeof(path), "%.32s/.logs/%.127s.out", scratch, names[i]);
		assert_int_equal(access(path, R_OK), 0);
	}
	f = fopen(in_scratch("records/verifier_a b_pass_0"), "re");
	assert_non_null(f);
	assert_non_null(fgets(record, sizeof(record), f));
	assert_string_equal(record, "it's \"one\" $ARG\n");
	fclose(f);
}

static void names_that_are_none(void **state)
{
	static const char *const bad[] = {"",       "/a",  "a/",   "a//b",
					  "a/../b", "./a", "a/..", "a/b/pass/c\nd"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sweep_work work = make_work();

		add(&work, "scx", "pass");
		jobs[0].name = bad[i];
		assert_fails(&work, KT_ERROR_USAGE);
	}
	assert_int_equal(told()->n, 0);
}

static void tries_again(void **state)
{
	static const struct {
		const char *kernel;
		unsigned tries;
	} cases[] = {{"fail", 3},   {"pass", 1},   {"skip", 1},
		     {"broken", 3}, {"killed", 3}, {"flaky", 2}};
	struct sweep_work work = make_work();

	(void)state;
	work.retries = 2;
	for (size_t i = 0; i < 6; i++)
		add(&work, "scx", cases[i].kernel);
	assert_runs(&work);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(count_events(told(), "begin", names[i]), cases[i].tries);
		assert_int_equal(begun[i], cases[i].tries);
		assert_int_equal(ended[i], 1);
	}
}

static double seconds_since_boot(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Have all cells begun long before a timeout that counts from `start`? */
static bool begun_by(double start, double timeout, size_t n)
{
	const struct events *events = told();

	for (size_t i = 0; i < events->n; i++)
		n -= !strcmp(events->v[i].what, "begin") && events->v[i].when < start + timeout / 2;
	return !n;
}

/*
 * Cells that hang, one that is deaf to SIGTERM, one that passes. False: this machine is too busy to
 * start them in that time, so that nothing is to be learned from it.
 */
static bool hang_with_timeout(unsigned timeout_s, bool last)
{
	struct sweep_work work = make_work();
	double start = seconds_since_boot(), took;

	work.timeout_s = timeout_s;
	work.max_jobs = 4;
	add(&work, "scx", "hang");
	add(&work, "scx", "deaf");
	add(&work, "scx", "sleep0.2");
	add(&work, "scx", "hang");
	assert_runs(&work);
	took = seconds_since_boot() - start;
	if (!last && !begun_by(start, timeout_s, work.n_jobs))
		return false;
	/* SIGTERM at the timeout, SIGKILL SWEEP_GRACE_S later. */
	assert_true(took > timeout_s + 4.9 && took < 10 * (timeout_s + 5));
	assert_int_equal(count_events(told(), "term", NULL), 2);
	assert_int_equal(count_events(told(), "end", names[2]), 1);
	assert_false(any_runs(told()));
	return true;
}

static void ends_what_hangs(void **state)
{
	(void)state;
	for (unsigned timeout_s = 1; !hang_with_timeout(timeout_s, timeout_s > 10); timeout_s *= 4)
		assert_int_equal(unlink(in_scratch("events")), 0);
}

static void takes_along_what_a_cell_left(void **state)
{
	struct sweep_work work = make_work();
	int pid = 0;

	(void)state;
	add(&work, "scx", "litter");
	assert_runs(&work);
	for (size_t i = 0; i < told()->n; i++)
		sscanf(told()->v[i].what, "litter-%d", &pid);
	assert_true(pid > 0);
	for (int64_t end = kt_deadline_ms(HANG_MS); runs(pid) && kt_deadline_left_ms(end);)
		usleep(10000);
	assert_false(runs(pid));
}

/*
 * A process that cancels the work once n cells have begun: it makes cancel_fd readable. When all
 * cells have ended it writes the time to gone_fd.
 */
static pid_t cancel_when_begun(size_t n, int cancel_fd, int gone_fd)
{
	int64_t end = kt_deadline_ms(HANG_MS), now;
	pid_t pid = fork();

	if (pid)
		return pid;
	while (count_events(told(), "begin", NULL) < n && kt_deadline_left_ms(end))
		usleep(10000);
	if (write(cancel_fd, "x", 1) != 1)
		_exit(1);
	while (any_runs(told()) && kt_deadline_left_ms(end))
		usleep(10000);
	now = kt_now_ns();
	_exit(write(gone_fd, &now, sizeof(now)) != sizeof(now));
}

/* Both that run have begun, since otherwise SIGTERM ends one that has told nothing yet. */
static void stops_when_told(void **state)
{
	struct sweep_work work = make_work();
	int cancel[2], gone[2], status;
	int64_t gone_ns, returned_ns;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(cancel), 0);
	assert_int_equal(pipe(gone), 0);
	work.cancel_fd = cancel[0];
	work.max_jobs = 2;
	add(&work, "scx", "pass");
	for (int i = 0; i < 9; i++)
		add(&work, "scx", i < 3 ? "pass" : "hang");
	pid = cancel_when_begun(6, cancel[1], gone[1]);
	assert_fails(&work, KT_ERROR_CANCELLED);
	returned_ns = kt_now_ns();
	assert_int_equal(read(gone[0], &gone_ns, sizeof(gone_ns)), sizeof(gone_ns));
	/* It does not wait for SIGKILL, which would be due SWEEP_GRACE_S after SIGTERM. */
	assert_true(returned_ns - gone_ns < 4000000000);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(count_events(told(), "begin", NULL), 6);
	assert_int_equal(count_events(told(), "term", NULL), 2);
	for (size_t i = 0; i < work.n_jobs; i++)
		assert_int_equal(ended[i], i < 4);
	assert_false(any_runs(told()));
	assert_fails(&work, KT_ERROR_CANCELLED);
	assert_int_equal(count_events(told(), "begin", NULL), 6);
	for (int i = 0; i < 2; i++) {
		close(cancel[i]);
		close(gone[i]);
	}
}

static void as_many_as_it_may(void **state)
{
	struct sweep_work work = make_work();

	(void)state;
	work.max_jobs = 3;
	for (int i = 0; i < 12; i++)
		add(&work, "scx", "meet3");
	assert_runs(&work);
	assert_int_equal(count_events(told(), "alone", NULL), 0);
	assert_int_equal(most_at_a_time(told()), 3);
}

static void as_many_as_have_memory(void **state)
{
	struct sweep_work work = make_work();

	(void)state;
	for (int i = 0; i < 4; i++) {
		add(&work, "scx", "sleep0.1");
		jobs[i].memory_mib = UINT32_MAX;
	}
	assert_runs(&work);
	assert_int_equal(most_at_a_time(told()), 1);
}

static void as_many_as_have_cpus(void **state)
{
	struct sweep_work work = make_work();

	(void)state;
	work.kvm = true;
	for (int i = 0; i < 4; i++) {
		add(&work, "scx", "sleep0.1");
		jobs[i].cpus = 10000;
	}
	assert_runs(&work);
	assert_int_equal(most_at_a_time(told()), 1);
}

static void largest_first(void **state)
{
	static const struct sweep_job needs[] = {
		{NULL, 1, 1}, {NULL, 4, 1}, {NULL, 4, 2}, {NULL, 2, 9}, {NULL, 4, 2}};
	static const size_t order[] = {2, 4, 1, 3, 0};
	struct sweep_work work = make_work();

	(void)state;
	work.max_jobs = 1;
	for (size_t i = 0; i < 5; i++) {
		add(&work, "scx", "pass");
		jobs[i].cpus = needs[i].cpus;
		jobs[i].memory_mib = needs[i].memory_mib;
	}
	assert_runs(&work);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(told()->v[2 * i].name, names[order[i]]);
}

/* Seconds that one cell takes here and now beside its own time, as a shell runs it. */
static double time_to_start_one(void)
{
	double start = seconds_since_boot(), took;
	char command[512];

	for (int i = 0; i < 8; i++) {
		snprintf(command, sizeof(command), "%s sweep f --cell a/b/pass/%d --results %s",
			 tool, i, scratch);
		assert_int_equal(system(command), 0);
	}
	took = seconds_since_boot() - start - time_of_all(told());
	assert_int_equal(unlink(in_scratch("events")), 0);
	return took / 8;
}

/*
 * A cell begins as soon as one has ended, while the other still runs. Each ends once the one after
 * it has begun: with an engine that waits for both they would not meet.
 */
static void both_cores_are_busy(void **state)
{
	struct sweep_work work = make_work();
	double one = time_to_start_one(), start = seconds_since_boot(), idle;

	(void)state;
	work.max_jobs = 2;
	for (unsigned i = 0; i < 24; i++) {
		char kernel[16];

		snprintf(kernel, sizeof(kernel), "meet%u", i < 23 ? i + 2 : 24);
		add(&work, "scx", kernel);
	}
	assert_runs(&work);
	idle = 2 * (seconds_since_boot() - start) - time_of_all(told());
	for (size_t i = 0; i < work.n_jobs; i++)
		assert_int_equal(count_events(told(), "end", names[i]), 1);
	assert_int_equal(count_events(told(), "alone", NULL), 0);
	assert_int_equal(most_at_a_time(told()), 2);
	print_message("# idle for each cell: %.3f s, to start one: %.3f s\n", idle / 24, one);
	/* One that looked once a second would come to half a second. */
	assert_true(idle / 24 < 0.1 + 10 * one);
}

static void dies_with_its_parent(void **state)
{
	struct sweep_work work = make_work();
	int status;
	pid_t pid;

	(void)state;
	work.max_jobs = 4;
	for (int i = 0; i < 4; i++)
		add(&work, "scx", "forever");
	pid = fork();
	if (!pid)
		_exit(sweep_run_local(&work) ? 1 : 0);
	for (int64_t end = kt_deadline_ms(HANG_MS);
	     count_events(told(), "begin", NULL) < 4 && kt_deadline_left_ms(end);)
		usleep(10000);
	assert_int_equal(told()->n, 4);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	for (int64_t end = kt_deadline_ms(HANG_MS); any_runs(told()) && kt_deadline_left_ms(end);)
		usleep(10000);
	assert_false(any_runs(told()));
}

static void a_tool_that_is_not_there(void **state)
{
	struct sweep_work work = make_work();

	(void)state;
	add(&work, "scx", "pass");
	work.tool = "/nonexistent/ktstr-gdb";
	assert_fails(&work, KT_ERROR_OS);
	work.tool = tool;
	work.results = "/nonexistent/results";
	assert_fails(&work, KT_ERROR_OS);
	work.results = scratch;
	work.n_jobs = 0;
	assert_runs(&work);
}

#define test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(all_run_once),           test(names_of_any_kind),
		test(names_that_are_none),    test(tries_again),
		test(ends_what_hangs),        test(takes_along_what_a_cell_left),
		test(stops_when_told),        test(as_many_as_it_may),
		test(as_many_as_have_memory), test(as_many_as_have_cpus),
		test(largest_first),          test(both_cores_are_busy),
		test(dies_with_its_parent),   test(a_tool_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
