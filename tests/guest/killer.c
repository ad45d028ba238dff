// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * killer QMP-SOCKET SIGNAL TIMES -- COMMAND...: ends COMMAND by a signal at random moments, and
 * finds out each time whether the guest runs again within 200 ms.
 *
 * Every other time the moment is one at which the guest stands still: QEMU tells of that with
 * an event, and the signal comes a random time after it. Prints one line of what was found;
 * exit status 0: each time. After a SIGSTOP the command is continued, and must end by itself.
 *
 * A round is over when every process of the command has ended, its guardian among them. This
 * process is their reaper. Else a guardian that is late would stop the guest in the next round.
 *
 * A busy machine lets processes wait for a CPU, a guardian for more than a second (docs/notes.md).
 * The kernel counts such waits for each process. They are taken off the time that the guest stood.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_US 200000
/* How long a round may take until its guest runs, or its processes have ended. */
#define PATIENCE_US 20000000
/* Of how many of QEMU's events the time is kept, for a round that fails: some rounds. */
#define N_EVENTS 64

static int qmp;
static pid_t qemu;
static char words[1 << 12]; /* of QEMU, up to the next end of a line */
static size_t n_words;
static char status[32]; /* by the last answer to query-status; "": it has not come */

/* That the guest stopped, or runs again, by QEMU's clock. A ring. */
static struct event {
	int64_t us;
	bool stop;
} events[N_EVENTS];
static size_t n_events;

/* Of the clock that QEMU's events tell. */
static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* --- QEMU's monitor --- */

/*
 * {"timestamp": {"seconds": 1764033000, "microseconds": 8}, "event": "STOP"}
 * {"return": {"status": "running", "singlestep": false, "running": true}}
 */
static void take_line(const char *line)
{
	const char *stop = strstr(line, "\"event\": \"STOP\"");
	const char *resume = strstr(line, "\"event\": \"RESUME\"");
	const char *at = strstr(line, "\"seconds\"");
	long long s, us;

	if ((stop || resume) && at &&
	    sscanf(at, "\"seconds\": %lld, \"microseconds\": %lld", &s, &us) == 2)
		events[n_events++ % N_EVENTS] = (struct event){s * 1000000 + us, stop};
	at = strstr(line, "\"status\": \"");
	if (at)
		sscanf(at, "\"status\": \"%31[^\"]", status);
}

/* Reads what there is within us microseconds, up to the first of it. False: nothing came. */
static bool listen_for(int64_t us)
{
	struct pollfd pfd = {.fd = qmp, .events = POLLIN};
	struct timespec ts = {us / 1000000, us % 1000000 * 1000};
	char *end;
	ssize_t n;

	if (us < 0 || ppoll(&pfd, 1, &ts, NULL) <= 0)
		return false;
	n = read(qmp, words + n_words, sizeof(words) - 1 - n_words);
	if (n <= 0)
		die("QEMU is gone");
	n_words += (size_t)n;
	words[n_words] = '\0';
	while ((end = strchr(words, '\n'))) {
		*end++ = '\0';
		take_line(words);
		n_words -= (size_t)(end - words);
		memmove(words, end, n_words + 1);
	}
	return true;
}

/* n = 1: the last one. All zero: there was none. */
static struct event event_before(size_t n)
{
	return n <= n_events && n <= N_EVENTS ? events[(n_events - n) % N_EVENTS]
					      : (struct event){0};
}

/* By the last that QEMU said of it. */
static bool stands(void)
{
	return event_before(1).stop;
}

static void say(const char *command)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "{\"execute\": \"%s\"}\n", command);

	if (write(qmp, line, (size_t)n) != n)
		die("cannot write to QEMU");
}

/* The answer comes behind the events of before. */
static bool runs(void)
{
	int64_t until = now_us() + 5000000;

	*status = '\0';
	say("query-status");
	while (!*status && now_us() < until)
		listen_for(until - now_us());
	return !strcmp(status, "running");
}

static void open_qmp(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct ucred peer;
	socklen_t len = sizeof(peer);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	qmp = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(qmp, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockopt(qmp, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		die(path);
	qemu = peer.pid;
	say("qmp_capabilities");
	if (!runs())
		fprintf(stderr, "the guest does not run to begin with\n"), exit(2);
}

/* --- how long processes waited for a CPU --- */

/*
 * Since it began, in microseconds: its first thread, which in QEMU is the one that serves the stub.
 * A process that has ended tells until it is reaped.
 */
static int64_t waited_us(pid_t pid)
{
	long long ran, waited = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)pid, (int)pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%lld %lld", &ran, &waited) != 2)
		waited = 0;
	if (f)
		fclose(f);
	return waited / 1000;
}

/* The same of its children. */
static int64_t children_waited_us(pid_t parent)
{
	int64_t all = 0;
	struct dirent *process;
	DIR *dir = opendir("/proc");

	while (dir && (process = readdir(dir))) {
		char path[300];
		FILE *f;
		int of = 0;

		snprintf(path, sizeof(path), "/proc/%s/stat", process->d_name);
		f = fopen(path, "re");
		if (f && fscanf(f, "%*d (%*[^)]) %*c %d", &of) == 1 && of == parent)
			all += waited_us(atoi(process->d_name));
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return all;
}

/* --- one run --- */

/* Undisturbed, it may say what is wrong. */
static pid_t start(char **command, bool disturbed)
{
	pid_t pid = fork();

	if (pid < 0)
		die("cannot fork");
	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		for (int i = 0; i < (disturbed ? 3 : 2); i++)
			dup2(null, i);
		setpgid(0, 0);
		execvp(command[0], command);
		_exit(127);
	}
	return pid;
}

/* How long a run takes, and how long the guest stands in it, at most. */
static void measure(char **command, int64_t *run_us, int64_t *stand_us)
{
	for (int i = 0; i < 5; i++) {
		size_t before = n_events;
		int64_t begin = now_us(), us;
		pid_t pid = start(command, false);
		int code;

		while (!waitpid(pid, &code, WNOHANG)) {
			listen_for(200);
			if (now_us() - begin > PATIENCE_US)
				kill(pid, SIGKILL);
		}
		us = now_us() - begin;
		if (!runs() || code || n_events == before)
			fprintf(stderr, "a run that nobody disturbs ends with %#x; the guest: %s\n",
				code, status),
				exit(2);
		if (us > *run_us)
			*run_us = us;
		for (size_t n = 1; n < n_events - before && n < N_EVENTS; n++) {
			us = event_before(n).us - event_before(n + 1).us;
			if (event_before(n + 1).stop && us > *stand_us)
				*stand_us = us;
		}
	}
}

static int64_t random_below(int64_t n)
{
	return n > 0 ? random() % n : 0;
}

static void wait_for_moment(bool standing, int64_t run_us, int64_t stand_us)
{
	int64_t begin = now_us(), until = begin + random_below(run_us * 11 / 10);

	if (standing) {
		while (!stands() && now_us() < begin + 3 * run_us)
			listen_for(run_us);
		until = now_us() + random_below(stand_us);
	}
	while (now_us() < until)
		listen_for(until - now_us() > 1000 ? 1000 : 0);
	while (listen_for(0))
		;
}

/* --- what becomes of it --- */

struct round {
	pid_t pid;
	int sig;
	int64_t since;     /* the signal */
	int64_t waited_us; /* QEMU and the command, until the signal */
	int64_t took_us;   /* how long the guest stood still from the signal on */
	int64_t late_us;   /* how long QEMU and the command's processes waited for a CPU */
	bool over;         /* all its processes have ended, as they should */
	int code;          /* of the command */
};

static bool is_stop(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP;
}

/* Reaps what has ended of the command. False: something has not ended yet. */
static bool reap(struct round *r)
{
	for (;;) {
		siginfo_t info = {0};
		int code;

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT))
			return errno == ECHILD;
		if (!info.si_pid)
			return false;
		/* A guardian counts with what it waited before the signal, too: its number is not
		 * known at the signal. */
		r->late_us += waited_us(info.si_pid);
		waitpid(info.si_pid, &code, 0);
		if (info.si_pid == r->pid)
			r->code = code;
	}
}

static void wait_for_end(struct round *r)
{
	int64_t until = now_us() + PATIENCE_US;

	while (!(r->over = reap(r)) && now_us() < until)
		listen_for(500);
	if (!r->over)
		kill(r->pid, SIGKILL);
}

/* How long the guest has stood still since then. */
static int64_t stood_us(int64_t since)
{
	int64_t all = 0, to = now_us();

	for (size_t n = 1; to > since && event_before(n).us; n++) {
		int64_t from = event_before(n).us;

		if (event_before(n).stop)
			all += to - (from > since ? from : since);
		to = from;
	}
	return all;
}

static void wait_until_it_runs(struct round *r)
{
	while (!runs() && now_us() - r->since < PATIENCE_US)
		listen_for(1000);
	r->took_us = stood_us(r->since);
}

static void disturb(struct round *r)
{
	r->waited_us = waited_us(qemu) + waited_us(r->pid);
	kill(r->pid, r->sig);
	r->since = now_us();
	if (is_stop(r->sig)) {
		wait_until_it_runs(r);
		r->late_us = waited_us(r->pid) + children_waited_us(r->pid) + waited_us(qemu);
		r->late_us -= r->waited_us;
		kill(r->pid, SIGCONT);
		wait_for_end(r);
		r->over &= WIFEXITED(r->code) &&
			   (WEXITSTATUS(r->code) == 0 || WEXITSTATUS(r->code) == 3);
	} else {
		wait_for_end(r);
		wait_until_it_runs(r);
		r->late_us += waited_us(qemu) - r->waited_us;
	}
}

static bool is_good(const struct round *r)
{
	return r->over && r->took_us - r->late_us <= LIMIT_US;
}

static void explain(int i, const struct round *r)
{
	fprintf(stderr,
		"time %d: %s; it stood for %.1f ms from the signal on, of which QEMU and the "
		"command waited %.1f ms for a CPU%s; before and after it:",
		i, runs() ? "runs" : status, (double)r->took_us / 1e3, (double)r->late_us / 1e3,
		r->over ? "" : "; the command did not end well");
	for (size_t n = n_events < 12 ? n_events : 12; n; n--)
		fprintf(stderr, " %s %.1f", event_before(n).stop ? "STOP" : "RESUME",
			(double)(event_before(n).us - r->since) / 1e3);
	fprintf(stderr, "\n");
}

int main(int argc, char **argv)
{
	int64_t run_us = 0, stand_us = 0, longest = 0, longest_own = 0;
	int good = 0, stood = 0, times, sig, all_good;

	if (argc < 6 || strcmp(argv[4], "--"))
		return 2;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	open_qmp(argv[1]);
	sig = atoi(argv[2]);
	times = atoi(argv[3]);
	srandom((unsigned int)now_us());
	measure(argv + 5, &run_us, &stand_us);
	for (int i = 0; i < times; i++) {
		struct round r = {.sig = sig, .pid = start(argv + 5, true)};
		int64_t own;

		wait_for_moment(i % 2, run_us, stand_us);
		stood += stands();
		disturb(&r);
		own = r.took_us > r.late_us ? r.took_us - r.late_us : 0;
		good += is_good(&r);
		if (!is_good(&r))
			explain(i, &r);
		longest = r.took_us > longest ? r.took_us : longest;
		longest_own = own > longest_own ? own : longest_own;
	}
	/* And the stub is as it was. */
	measure(argv + 5, &run_us, &stand_us);
	all_good = runs() && good == times;
	printf("%d of %d run again within 200 ms (%d of them stood still; the longest %.1f ms, with "
	       "waits for a CPU %.1f ms)\n",
	       good, times, stood, (double)longest_own / 1e3, (double)longest / 1e3);
	return all_good ? 0 : 1;
}
