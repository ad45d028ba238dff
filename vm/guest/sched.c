// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A scheduler's run. Init is a real-time task meanwhile: a scheduler that dispatches nothing
 * starves all normal tasks, and init has to report that.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "logparse/sched_output.h"
#include "util/clock.h"
#include "vm/frame.h"
#include "vm/guest/guest.h"

#define TICK_MS          20
#define WAIT_TICK_MS     5
#define LOADING_MAX_MS   240000 /* in the verifier; the host's own deadline is above that */
#define WORKLOAD_MIN_MS  500
#define WITHHELD_MAX     40    /* percent of the CPUs' time; from there on the host is to blame */
#define DISABLING_MAX_MS 30000 /* for the kernel to turn it off */
#define EXIT_MAX_MS      2000  /* for its process to end, once the kernel has turned it off */
#define HOST_MAX_MS      60000 /* for the host to read the guest */

/* Milliseconds of silence, see listen(). */
#define TERM_AFTER_MS  2000
#define KILL_AFTER_MS  4000
#define GIVE_UP_MS     6000
#define RESET_AFTER_MS 1000 /* if no task is scheduled, signals have no effect */
#define STOP_MAX_MS    120000
#define TICK_MAX_NS    ((int64_t)4 * WAIT_TICK_MS * 1000000)

#define SCX "/sys/kernel/sched_ext"

struct sched {
	const struct orders *orders;
	pid_t pid;       /* of the process that was started; 0: reaped */
	int status;      /* its wait status then */
	bool told;       /* the host knows that the scheduler has ended */
	long seq;        /* enable_seq() before it was started */
	bool background; /* it ended with status 0, and a child of it is the scheduler */
	bool stalled;
	struct relay relay;
	struct workload workload;
	struct load_watch watch;
};

/* "enabled"; "" where the kernel has no sched_ext. */
static void read_state(char *state, size_t size)
{
	if (!read_small(SCX "/state", state, size))
		state[0] = '\0';
	state[strcspn(state, "\n")] = '\0';
}

static bool is_enabled(void)
{
	char state[32];

	read_state(state, sizeof(state));
	return !strcmp(state, "enabled");
}

static void read_ops(char *ops, size_t size)
{
	if (!read_small(SCX "/root/ops", ops, size))
		ops[0] = '\0';
	ops[strcspn(ops, "\n")] = '\0';
}

/* How many schedulers were enabled since boot: if it grows, there has been another one. */
static long enable_seq(void)
{
	char text[32];

	return read_small(SCX "/enable_seq", text, sizeof(text)) ? strtol(text, NULL, 10) : 0;
}

static void reap_all(struct sched *s)
{
	int status;
	pid_t pid;

	while ((pid = reap(&status)) > 0) {
		if (workload_reaped(&s->workload, pid, status) || (s->pid && pid != s->pid))
			continue;
		if (s->pid)
			s->background = !status;
		s->pid = 0;
		s->status = status;
	}
}

/* Whether there are user processes beside init and the workload. Zombies have no exe. */
static bool others_alive(const struct sched *s)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (proc && !found && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		char path[64];

		if (pid <= 1 || workload_owns(&s->workload, pid))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/exe", pid);
		found = readlink(path, (char[1]){0}, 1) >= 0;
	}
	if (proc)
		closedir(proc);
	return found;
}

/* A process that puts itself into the background ends with 0; its child is the scheduler. */
static bool is_alive(struct sched *s)
{
	reap_all(s);
	return s->pid || (s->background && others_alive(s));
}

static void tell_exit(struct sched *s)
{
	if (!s->told)
		channel_send_number(KT_FRAME_SCHED_EXIT, s->status);
	s->told = true;
}

static void put_marker(const char *marker)
{
	channel_send(KT_FRAME_SCHED_LOG, marker, strlen(marker));
}

static void start(struct sched *s)
{
	struct sched_param param = {.sched_priority = 1};
	int pipes[2];

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		printf("ktstr-init (goes on): not a real-time task: %s\n", strerror(errno));
	s->seq = enable_seq();
	s->pid = spawn(s->orders, pipes);
	relay_init(&s->relay, pipes[0], pipes[1]);
	channel_lifecycle(KT_PHASE_PAYLOAD_STARTED, "");
	put_marker(SCHED_OUTPUT_START "\n");
}

static void not_attached(const char *state, unsigned ms)
{
	char reason[160];

	if (state[0])
		snprintf(reason, sizeof(reason),
			 "the scheduler is alive, but sched_ext is \"%s\" after %u.%u s", state,
			 ms / 1000, ms % 1000 / 100);
	else
		snprintf(reason, sizeof(reason), "there is no " SCX " in the guest");
	channel_lifecycle(KT_PHASE_SCHED_NOT_ATTACHED, reason);
}

/* Tells the host that it has attached (true), has died, or has not attached in time. */
static bool wait_until_attached(struct sched *s)
{
	int64_t began = kt_now_ns(), deadline = kt_deadline_ms(s->orders->attach_ms);
	int64_t last = kt_deadline_ms(LOADING_MAX_MS);
	char state[32], ops[128];

	for (;;) {
		bool alive = is_alive(s), loading;

		read_state(state, sizeof(state));
		if (alive && !strcmp(state, "enabled")) {
			read_ops(ops, sizeof(ops));
			channel_lifecycle(KT_PHASE_SCHED_ATTACHED, ops);
			return true;
		}
		if (!alive) {
			/* It may have been attached between two looks. */
			channel_lifecycle(enable_seq() > s->seq ? KT_PHASE_SCHED_ATTACHED
								: KT_PHASE_SCHED_DIED,
					  "");
			tell_exit(s);
			return false;
		}
		loading = load_in_progress(&s->watch) || !strcmp(state, "enabling");
		if (!state[0] || !kt_deadline_left_ms(loading ? last : deadline)) {
			not_attached(state, (unsigned)((kt_now_ns() - began) / 1000000));
			return false;
		}
		relay_pump(&s->relay, TICK_MS);
	}
}

/* "4 of 4 tasks ran, 917 turns in 0.5 s", behind the workload's name where one was asked for. */
static void say_progress(const struct workload *w, const char *name, struct kt_buf *out)
{
	unsigned ms = (unsigned)((kt_now_ns() - w->began_ns) / 1000000);

	if (name)
		kt_buf_printf(out, "%s: ", name);
	if (w->ended && WIFEXITED(w->status))
		kt_buf_printf(out, "it ended with status %d after ", WEXITSTATUS(w->status));
	else if (w->ended)
		kt_buf_printf(out, "it was ended by signal %d after ", WTERMSIG(w->status));
	else
		kt_buf_printf(out, "%zu of %zu tasks ran, %lu turns in ", w->moved, w->tasks,
			      w->turns);
	kt_buf_printf(out, "%u.%u s", ms / 1000, ms % 1000 / 100);
}

static void tell_progress(const struct sched *s, uint8_t phase, const char *why)
{
	const struct workload *w = &s->workload;
	struct kt_buf reason = KT_BUF_INIT;

	say_progress(w, s->orders->workload, &reason);
	kt_buf_appends(&reason, why);
	if (phase == KT_PHASE_HOST_TOO_SLOW)
		kt_buf_printf(&reason, "; the host ran the guest's CPUs only %u %% of that time",
			      100 - w->withheld);
	if (w->failed)
		kt_buf_printf(&reason, "%s: %s", w->failed, strerror(w->error));
	channel_lifecycle(phase, reason.data ? reason.data : "");
	kt_buf_deinit(&reason);
}

enum workload_end { GOES_ON, DEAD, TURNED_OFF, FORBIDDEN, TIME_UP, FAILED, DISPATCHED };

/* A command decides itself when it is done; at the end of its time it has to be getting on. */
static enum workload_end look_at_command(const struct workload *w, int64_t last)
{
	if (w->ended)
		return w->status ? FAILED : DISPATCHED;
	if (kt_deadline_left_ms(last))
		return GOES_ON;
	return w->tasks && w->moved == w->tasks ? DISPATCHED : TIME_UP;
}

static enum workload_end look_at_workload(struct sched *s, int64_t first, int64_t last)
{
	struct workload *w = &s->workload;

	/* In this order: what the tasks have done, they did while the scheduler was enabled. */
	workload_look(w);
	if (!is_alive(s))
		return DEAD;
	if (!is_enabled() || enable_seq() > s->seq + 1)
		return TURNED_OFF;
	if (w->error)
		return FORBIDDEN;
	if (w->command)
		return look_at_command(w, last);
	if (w->moved == w->tasks && !kt_deadline_left_ms(first))
		return DISPATCHED;
	return kt_deadline_left_ms(last) ? GOES_ON : TIME_UP;
}

static bool is_disabling(void)
{
	char state[32];

	read_state(state, sizeof(state));
	return !strcmp(state, "disabling");
}

/*
 * After sched_ext was turned off: does the process end, too? Either may be the cause of the other.
 * On a loaded host 6.18 has taken half a minute to turn a scheduler off, while hardly any task ran;
 * the workload's tasks are gone by then.
 */
static bool ends_by_itself(struct sched *s)
{
	int64_t deadline = kt_deadline_ms(EXIT_MAX_MS), last = kt_deadline_ms(DISABLING_MAX_MS);

	while (is_alive(s) && kt_deadline_left_ms(is_disabling() ? last : deadline))
		relay_pump(&s->relay, TICK_MS);
	return !is_alive(s);
}

/*
 * Says that a workload stalled. Where the host hardly ran the guest's CPUs, that says nothing about
 * the scheduler: a good one would not have done better.
 */
static void tell_stalled(struct sched *s, const char *why, bool forbidden)
{
	bool slow = !forbidden && s->workload.withheld >= WITHHELD_MAX;

	tell_progress(s, slow ? KT_PHASE_HOST_TOO_SLOW : KT_PHASE_WORKLOAD_STALLED, why);
}

static void run_workload(struct sched *s)
{
	static const char *const why[] = {
		[TURNED_OFF] = "; then the kernel turned the scheduler off",
		[FORBIDDEN] = "; it cannot ",
		[TIME_UP] = "; then time was up",
		[FAILED] = "",
		[DISPATCHED] = "",
	};
	unsigned max_ms = s->orders->workload_ms;
	int64_t first = kt_deadline_ms(max_ms < WORKLOAD_MIN_MS ? max_ms : WORKLOAD_MIN_MS);
	int64_t last = kt_deadline_ms(max_ms);
	enum workload_end end;

	workload_start(&s->workload, s->orders);
	while ((end = look_at_workload(s, first, last)) == GOES_ON)
		relay_pump(&s->relay, TICK_MS);
	s->stalled = end != DISPATCHED;
	workload_stop(&s->workload);
	if (end == DEAD || (end == TURNED_OFF && ends_by_itself(s)))
		tell_exit(s);
	else if (s->stalled)
		tell_stalled(s, why[end], end == FORBIDDEN || end == FAILED);
	else
		tell_progress(s, KT_PHASE_WORKLOAD_DISPATCHED, why[end]);
}

/* The scheduler runs on until the host has read the guest. */
static void let_host_read(struct sched *s)
{
	int64_t deadline = kt_deadline_ms(HOST_MAX_MS);
	char state[32], ops[128], text[200];
	uint8_t command = 0;

	read_state(state, sizeof(state));
	read_ops(ops, sizeof(ops));
	snprintf(text, sizeof(text), "%s %s", state[0] ? state : "-", ops);
	channel_lifecycle(KT_PHASE_READY, text);
	while (kt_deadline_left_ms(deadline)) {
		bool was_read = channel_command(&command) && command == KT_COMMAND_GO_ON;

		/* After the command was read: a process that has ended by now was not told to. */
		if (!is_alive(s))
			tell_exit(s);
		if (was_read)
			return;
		relay_pump(&s->relay, WAIT_TICK_MS);
	}
}

/* SysRq-S, "reset-sched-ext": starved tasks can run again, and so can die. */
static void reset_sched_ext(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "S", 1) < 0)
		printf("ktstr-init (goes on): SysRq-S: %s\n", strerror(errno));
	close(fd);
}

/* The signals for a scheduler that does not end, in this order; 0: give up. */
static const struct {
	int after_ms, sig;
} stop_steps[] = {{0, SIGINT}, {TERM_AFTER_MS, SIGTERM}, {KILL_AFTER_MS, SIGKILL}, {GIVE_UP_MS, 0}};

/*
 * Adds to *silent_ns while the scheduler is silent, and takes from it while it prints, twice as
 * fast. So a scheduler with a long log to print is not cut off, and one that prints statistics once
 * a second is not waited for. Of a tick in which the host did not run this CPU no more counts than
 * of a long one: init is a real-time task, and the scheduler did not run either.
 */
static void listen(struct sched *s, bool patient, int64_t *silent_ns)
{
	int64_t began = kt_now_ns();
	bool said = relay_pump(&s->relay, WAIT_TICK_MS);
	int64_t ns = kt_now_ns() - began;

	ns = ns < TICK_MAX_NS ? ns : TICK_MAX_NS;
	if (said && patient)
		*silent_ns -= *silent_ns < 2 * ns ? *silent_ns : 2 * ns;
	else
		*silent_ns += ns;
}

static void stop(struct sched *s)
{
	int64_t silent_ns = 0, last = kt_deadline_ms(STOP_MAX_MS);
	int64_t disabling = kt_deadline_ms(DISABLING_MAX_MS);
	bool reset = false;
	size_t step = 0;

	channel_lifecycle(KT_PHASE_STOPPING, "");
	while (is_alive(s) && kt_deadline_left_ms(last)) {
		int64_t ms = silent_ns / 1000000;

		if (ms >= stop_steps[step].after_ms) {
			if (!stop_steps[step].sig)
				break;
			kill(-1, stop_steps[step++].sig);
		}
		if (!reset && ms >= (s->stalled ? RESET_AFTER_MS : KILL_AFTER_MS)) {
			reset = true;
			reset_sched_ext();
		}
		/* It waits for the kernel, which takes its time: see ends_by_itself(). */
		if (is_disabling() && kt_deadline_left_ms(disabling))
			relay_pump(&s->relay, WAIT_TICK_MS);
		else
			listen(s, step < 2, &silent_ns);
	}
	kill(-1, SIGKILL); /* processes that it left behind may hold the pipes open */
}

/* Waits for BYE, with which the host says that it has all frames. */
static _Noreturn void power_off(void)
{
	int64_t deadline = kt_deadline_ms(2000);
	uint8_t command;

	channel_send_number(KT_FRAME_EXIT, 0);
	while (kt_deadline_left_ms(deadline) &&
	       !(channel_command(&command) && command == KT_COMMAND_BYE))
		usleep(1000);
	reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT); /* without ACPI; QEMU runs with -no-reboot */
	for (;;)
		pause();
}

void run_scheduler(const struct orders *orders)
{
	struct sched s = {.orders = orders};

	start(&s);
	if (wait_until_attached(&s))
		run_workload(&s);
	let_host_read(&s);
	stop(&s);
	relay_finish(&s.relay);
	put_marker(s.relay.open < 0 ? SCHED_OUTPUT_END "\n" : "\n" SCHED_OUTPUT_END "\n");
	if (!s.pid)
		tell_exit(&s);
	power_off();
}
