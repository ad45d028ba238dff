// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * killer QMP-SOCKET SIGNAL TIMES -- COMMAND...: ends COMMAND by a signal at random moments, and
 * asks QEMU each time whether the guest runs again within 200 ms.
 *
 * Every other time the moment is one at which the guest stands still: QEMU tells of that with
 * an event, and the signal comes a random time after it. Prints one line of what was found;
 * exit status 0: each time. After a SIGSTOP the command is continued, and must end by itself.
 *
 * A busy machine lets every process wait for a CPU. A process of its own measures how long, at
 * the same time, and that comes on top of the 200 ms: a few times, since the guardian, QEMU and
 * this program wait one after the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_US 200000
/* How many wake-ups, one behind the other, lead from the signal to the guest that runs. */
#define WAKEUPS 5
#define NAP_US  2000

/* By how much the sampler was late in all, since it began. */
static _Atomic int64_t *late_us;

static int qmp;
static char words[1 << 16]; /* what QEMU has said since ask() or forget() */
static size_t n_words;

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

/* Naps, and tells how much longer each nap was. Ends with this process. */
static void start_sampler(void)
{
	const struct timespec nap = {0, NAP_US * 1000};
	int64_t before;

	late_us = mmap(NULL, sizeof(*late_us), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (late_us == MAP_FAILED)
		die("cannot share memory");
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (before = now_us();; before = now_us()) {
		nanosleep(&nap, NULL);
		*late_us += now_us() - before - NAP_US;
	}
}

/* Reads what there is within us microseconds, up to the first of it. */
static void listen_for(int64_t us)
{
	struct pollfd pfd = {.fd = qmp, .events = POLLIN};
	struct timespec ts = {us / 1000000, us % 1000000 * 1000};
	ssize_t n;

	if (us < 0 || ppoll(&pfd, 1, &ts, NULL) <= 0)
		return;
	if (n_words > sizeof(words) / 2) { /* the older half is of no use any more */
		memmove(words, words + n_words / 2, n_words - n_words / 2);
		n_words -= n_words / 2;
	}
	n = read(qmp, words + n_words, sizeof(words) - 1 - n_words);
	if (n <= 0)
		die("QEMU is gone");
	n_words += (size_t)n;
	words[n_words] = '\0';
}

static void forget(void)
{
	n_words = 0;
	words[0] = '\0';
}

/* {"timestamp": {"seconds": 1764033000, "microseconds": 8}, "event": "STOP"}: when, or 0. */
static int64_t last_event(const char *name)
{
	char key[64];
	const char *p = words, *found = NULL;
	long long s, us;

	snprintf(key, sizeof(key), "\"event\": \"%s\"", name);
	while ((p = strstr(p, key)))
		found = p++;
	while (found && found > words && *found != '\n')
		found--;
	found = found ? strstr(found, "\"seconds\"") : NULL;
	if (!found || sscanf(found, "\"seconds\": %lld, \"microseconds\": %lld", &s, &us) != 2)
		return 0;
	return s * 1000000 + us;
}

/* By the last that QEMU said of it, and its own clock. */
static bool stands(void)
{
	return last_event("STOP") > last_event("RESUME");
}

static void say(const char *command)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "{\"execute\": \"%s\"}\n", command);

	if (write(qmp, line, (size_t)n) != n)
		die("cannot write to QEMU");
}

static bool runs(void)
{
	int64_t until = now_us() + 5000000;
	char *before;

	/* An answer to come, and not the one before it; events are kept. */
	while ((before = strstr(words, "\"running\"")))
		*++before = '-';
	say("query-status");
	while (!strstr(words, "\"running\": ") && now_us() < until)
		listen_for(until - now_us());
	return strstr(words, "\"running\": true");
}

static void open_qmp(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	qmp = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(qmp, (struct sockaddr *)&addr, sizeof(addr)))
		die(path);
	say("qmp_capabilities");
	while (!strstr(words, "\"return\""))
		listen_for(5000000);
}

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
		int64_t begin = now_us(), stop = 0, us;
		pid_t pid = start(command, false);
		int status;

		forget();
		while (!waitpid(pid, &status, WNOHANG)) {
			listen_for(200);
			if (!stop && strstr(words, "\"STOP\""))
				stop = now_us();
			us = now_us() - stop;
			if (stop && !strstr(words, "\"RESUME\"") && us > *stand_us)
				*stand_us = us;
			if (now_us() - begin > 20000000)
				kill(pid, SIGKILL);
		}
		us = now_us() - begin;
		if (status || !stop)
			fprintf(stderr, "a run that nobody disturbs ends with %#x\n", status),
				exit(2);
		if (us > *run_us)
			*run_us = us;
	}
}

static int64_t random_below(int64_t n)
{
	return n > 0 ? random() % n : 0;
}

static void wait_for_moment(bool standing, int64_t run_us, int64_t stand_us)
{
	int64_t begin = now_us(), until = begin + random_below(run_us * 11 / 10);

	forget();
	if (standing) {
		while (!stands() && now_us() < begin + 3 * run_us)
			listen_for(run_us);
		until = now_us() + random_below(stand_us);
	}
	while (now_us() < until)
		listen_for(until - now_us() > 1000 ? 1000 : 0);
	listen_for(0);
}

/* False: the guest did not run again in time, by QEMU's clock. */
static bool runs_again(int64_t since, int64_t *took_us)
{
	int64_t resumed, late = *late_us;

	while (!runs()) {
		if (now_us() - since > 25 * LIMIT_US)
			break;
		usleep(1000);
	}
	resumed = stands() ? now_us() : last_event("RESUME");
	*took_us = resumed > since ? resumed - since : 0;
	return *took_us <= LIMIT_US + WAKEUPS * (*late_us - late);
}

static bool ends(pid_t pid, int sig)
{
	int64_t until = now_us() + 10000000;
	int status;

	if (sig == SIGSTOP || sig == SIGTSTP)
		kill(pid, SIGCONT);
	while (!waitpid(pid, &status, WNOHANG)) {
		if (now_us() > until) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return false;
		}
		usleep(500);
	}
	if (sig != SIGSTOP && sig != SIGTSTP)
		return true;
	return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3);
}

int main(int argc, char **argv)
{
	int64_t run_us = 0, stand_us = 0, longest = 0, took;
	int good = 0, stood = 0, times, sig, status;

	if (argc < 6 || strcmp(argv[4], "--"))
		return 2;
	start_sampler();
	open_qmp(argv[1]);
	sig = atoi(argv[2]);
	times = atoi(argv[3]);
	srandom((unsigned int)now_us());
	measure(argv + 5, &run_us, &stand_us);
	for (int i = 0; i < times; i++) {
		pid_t pid = start(argv + 5, true);
		bool again, over;
		int64_t since;

		wait_for_moment(i % 2, run_us, stand_us);
		kill(pid, sig);
		since = now_us();
		stood += stands();
		again = runs_again(since, &took);
		over = ends(pid, sig);
		if (again && over)
			good++;
		else
			fprintf(stderr, "time %d: %s after %lld us; stopped at %lld us%s\n", i,
				runs() ? "runs again" : "stands", (long long)took,
				(long long)(last_event("STOP") - since),
				over ? "" : "; the command did not end well");
		longest = took > longest ? took : longest;
	}
	/* And the stub is as it was. */
	measure(argv + 5, &run_us, &stand_us);
	status = runs() && good == times ? 0 : 1;
	printf("%d of %d run again within 200 ms (%d of them stood still; the longest %.1f ms; this "
	       "machine was late by %.1f ms in all)\n",
	       good, times, stood, (double)longest / 1e3, (double)*late_us / 1e3);
	return status;
}
