// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "host/link.h"
#include "util/clock.h"
#include "util/fdpass.h"

/* --- who plays QEMU: a process, with a monitor that has one client at a time --- */

/* What the test sees of it, through memory that is shared. */
struct seen {
	bool runs;       /* the guest */
	bool has_device; /* our character device */
	int starts, ends, conts;
	int gone; /* how many clients of the monitor are */
};

struct qemu {
	struct seen *seen;
	int monitor; /* the connection */
	int fd;      /* of the stub; -1 */
	int passed;  /* getfd's */
};

static bool is_hung_up(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return fd < 0 || (poll(&pfd, 1, 0) > 0 && pfd.revents & POLLHUP);
}

static json_t *devices(struct qemu *q)
{
	return q->seen->has_device
		       ? json_pack("{s:[{s:s, s:s}]}", "return", "label", "ours", "filename",
				   is_hung_up(q->fd) ? "disconnected:unix:" : "unix:")
		       : json_pack("{s:[]}", "return");
}

static json_t *human(struct qemu *q, const char *line)
{
	if (!strcmp(line, "gdbserver none")) {
		q->seen->ends++;
		q->seen->has_device = false;
		close(q->fd);
		q->fd = -1;
		return json_pack("{s:s}", "return", "Disabled gdbserver\r\n");
	}
	q->seen->starts++;
	q->seen->runs = false;
	return json_pack("{s:s}", "return", "Waiting for gdb connection on device 'x'\r\n");
}

/* The label of our device is told as it was given. */
static json_t *run(struct qemu *q, const char *command, const json_t *args)
{
	static char label[64];

	if (!strcmp(command, "query-status"))
		return json_pack("{s:{s:b, s:s}}", "return", "running", q->seen->runs, "status",
				 q->seen->runs ? "running" : "paused");
	if (!strcmp(command, "query-chardev")) {
		json_t *list = devices(q);
		json_t *first = json_array_get(json_object_get(list, "return"), 0);

		if (first)
			json_object_set_new(first, "label", json_string(label));
		return list;
	}
	if (!strcmp(command, "chardev-add")) {
		snprintf(label, sizeof(label), "%s",
			 json_string_value(json_object_get(args, "id")));
		q->fd = q->passed;
		q->passed = -1;
		q->seen->has_device = true;
	}
	if (!strcmp(command, "cont")) {
		q->seen->conts++;
		q->seen->runs = true;
	}
	if (!strcmp(command, "human-monitor-command"))
		return human(q, json_string_value(json_object_get(args, "command-line")));
	return json_pack("{s:{}}", "return");
}

static void serve(struct qemu *q)
{
	static const char greeting[] = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n";
	char line[4096];
	size_t len = 0;
	json_error_t why;

	(void)send(q->monitor, greeting, strlen(greeting), MSG_NOSIGNAL);
	for (;;) {
		int fd;
		ssize_t n = kt_fd_receive(q->monitor, line + len, 1, &fd);
		json_t *command, *reply;
		char *text;

		if (n != 1)
			return;
		if (fd >= 0)
			q->passed = fd;
		if (line[len++] != '\n')
			continue;
		command = json_loadb(line, len, 0, &why);
		len = 0;
		reply = run(q, json_string_value(json_object_get(command, "execute")),
			    json_object_get(command, "arguments"));
		json_object_set(reply, "id", json_object_get(command, "id"));
		text = json_dumps(reply, 0);
		(void)send(q->monitor, text, strlen(text), MSG_NOSIGNAL);
		free(text);
		json_decref(reply);
		json_decref(command);
	}
}

static char target[64], dir[] = "/tmp/test-link.XXXXXX";
static struct seen *seen;
static pid_t qemu;

/* Returns once it listens. */
static void start_qemu(bool runs)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/qmp", dir);
	unlink(addr.sun_path);
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(sock, 1), 0);
	*seen = (struct seen){.runs = runs};
	qemu = fork();
	assert_true(qemu >= 0);
	if (!qemu) /* a check that fails leaves nobody behind, who would keep our stdout open */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!qemu) {
		struct qemu q = {seen, accept(sock, NULL, NULL), -1, -1};

		serve(&q);
		close(q.monitor);
		seen->gone++;
	}
	close(sock);
}

static void end_qemu(void)
{
	kill(qemu, SIGKILL);
	waitpid(qemu, NULL, 0);
}

static const struct rsp_patience *patience(void)
{
	static struct rsp_patience p;

	p = (struct rsp_patience){kt_deadline_ms(20000), -1};
	return &p;
}

static struct host_link *open_link(const char *text)
{
	struct host_target parsed;
	struct host_link *link = NULL;
	struct kt_error *err;

	assert_null(host_target_parse(text, &parsed));
	err = host_link_open(&parsed, patience(), &link);
	if (err)
		fail_msg("%s", kt_error_message(err));
	host_target_deinit(&parsed);
	return link;
}

static void dial(struct host_link *link, int theirs, bool was_paused)
{
	const struct rsp_dialer *dialer = host_link_dialer(link);
	struct rsp_dialed dialed = {0};
	int64_t began = kt_now_ns();

	assert_null(dialer->dial(dialer->context, theirs, patience(), &dialed));
	assert_int_equal(dialed.was_paused, was_paused);
	assert_true(dialed.stopped_ns >= began && dialed.stopped_ns <= kt_now_ns());
	assert_true(seen->has_device);
}

/* The keeper has let the monitor go: what it had to do is done. */
static void wait_for_its_end(int gone)
{
	for (int i = 0; i < 2000 && seen->gone < gone; i++)
		poll(NULL, 0, 10);
	assert_int_equal(seen->gone, gone);
}

static void check_left(bool runs, int starts, int conts)
{
	assert_int_equal(seen->starts, starts);
	assert_int_equal(seen->ends, starts);
	assert_int_equal(seen->conts, conts);
	assert_int_equal(seen->runs, runs);
	assert_false(seen->has_device);
}

/* --- what is asked --- */

/* One link, several clients: each has a stub of its own, which is gone when it is. */
static void test_clients(void **state)
{
	struct host_link *link;
	int pair[2];

	(void)state;
	start_qemu(true);
	link = open_link(target);
	assert_true(host_link_vm(link)->runs);
	assert_string_equal(host_link_vm(link)->state, "running");
	assert_int_equal(host_link_vm(link)->pid, getpid());
	for (int i = 1; i <= 3; i++) {
		const struct rsp_dialer *dialer = host_link_dialer(link);

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		dial(link, pair[1], false);
		close(pair[1]);
		close(pair[0]);
		/* The third one vanishes without a word, and the guest is continued. */
		seen->runs = i < 3;
		dialer->hang_up(dialer->context, i < 3);
		check_left(true, i, i == 3);
	}
	host_link_close(link);
	wait_for_its_end(1);
	check_left(true, 3, 1);
	end_qemu();
}

/* A path from the current directory, although the keeper works elsewhere. */
static void test_relative_path(void **state)
{
	char *cwd = getcwd(NULL, 0);

	(void)state;
	start_qemu(false);
	assert_int_equal(chdir(dir), 0);
	host_link_close(open_link("qmp:./qmp"));
	assert_int_equal(chdir(cwd), 0);
	wait_for_its_end(1);
	check_left(false, 0, 0);
	free(cwd);
	end_qemu();
}

/* --- the end of the process that asks --- */

/* Its guardian, which lives on, has the guest until the test closes that end. */
static void check_killed(bool runs_before, bool guardian_detaches, bool leave_stopped)
{
	int pair[2], ready[2];
	char byte;
	pid_t tool;

	start_qemu(runs_before);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe(ready), 0);
	tool = fork();
	if (!tool) {
		struct host_link *link = open_link(target);

		host_link_set_leave_stopped(link, leave_stopped);
		dial(link, pair[1], !runs_before);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	close(pair[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	kill(tool, SIGKILL);
	waitpid(tool, NULL, 0);
	/* While the guardian has it, nothing is done to the guest. */
	poll(NULL, 0, 100);
	assert_int_equal(seen->ends, 0);
	assert_int_equal(seen->conts, 0);
	if (guardian_detaches)
		seen->runs = true;
	close(pair[0]);
	wait_for_its_end(1);
	check_left(runs_before && !leave_stopped, 1,
		   runs_before && !guardian_detaches && !leave_stopped);
	close(ready[0]);
	close(ready[1]);
	end_qemu();
}

static void test_killed(void **state)
{
	(void)state;
	check_killed(true, true, false);
	check_killed(true, false, false);
	check_killed(false, false, false);
	check_killed(true, false, true);
}

/* --- the end of the keeper --- */

/* "12 (name) S 11 ...": of /proc/PID/stat. False: there is no such process. */
static bool stat_of(pid_t pid, char name[32], pid_t *parent_ret)
{
	char path[32];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fscanf(f, "%*d (%31[^)]) %*c %d", name, parent_ret);
	fclose(f);
	return n == 2;
}

/* The keeper is the spare's child, which is this process's. 0: they are not there. */
static pid_t look_for_keeper(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (!found && (entry = readdir(proc))) {
		char name[32];
		pid_t pid = atoi(entry->d_name), spare, parent;

		if (pid > 0 && stat_of(pid, name, &spare) && !strcmp(name, "ktstr-keeper") &&
		    stat_of(spare, name, &parent) && !strcmp(name, "ktstr-spare") &&
		    parent == getpid())
			found = pid;
	}
	closedir(proc);
	return found;
}

static pid_t find_keeper(void)
{
	pid_t found = 0;

	for (int i = 0; i < 2000 && !(found = look_for_keeper()); i++)
		poll(NULL, 0, 10);
	assert_int_not_equal(found, 0); /* kill(0) would be us */
	return found;
}

/* The client has the guest when the keeper goes, and is not disturbed. detaches: it ends as it
 * should. */
static void check_keeper_killed(bool detaches)
{
	const struct rsp_dialer *dialer;
	struct host_link *link;
	int pair[2];

	start_qemu(true);
	link = open_link(target);
	dialer = host_link_dialer(link);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	dial(link, pair[1], false);
	close(pair[1]);
	kill(find_keeper(), SIGKILL);
	wait_for_its_end(1);
	poll(NULL, 0, 100);
	assert_int_equal(seen->gone, 1); /* nobody speaks to QEMU meanwhile */
	assert_true(seen->has_device);
	seen->runs = detaches;
	close(pair[0]);
	assert_false(host_link_is_lost(link));
	dialer->hang_up(dialer->context, detaches);
	assert_true(host_link_is_lost(link));
	host_link_close(link);
	wait_for_its_end(2);
	check_left(true, 1, !detaches);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* QEMU, and nobody else */
	end_qemu();
}

static void test_keeper_killed(void **state)
{
	(void)state;
	check_keeper_killed(true);
	check_keeper_killed(false);
}

/* Nothing was made in QEMU yet: the next question is an error that says why. */
static void test_keeper_killed_early(void **state)
{
	const struct rsp_dialer *dialer;
	struct rsp_dialed dialed;
	struct host_link *link;
	struct kt_error *err;

	(void)state;
	start_qemu(true);
	link = open_link(target);
	kill(find_keeper(), SIGKILL);
	wait_for_its_end(1);
	dialer = host_link_dialer(link);
	err = dialer->dial(dialer->context, -1, patience(), &dialed);
	assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
	assert_non_null(strstr(kt_error_message(err), "keeps QEMU's monitor is gone"));
	kt_error_destroy(err);
	host_link_close(link);
	assert_int_equal(seen->gone, 1);
	check_left(true, 0, 0);
	end_qemu();
}

/* The keeper, and then the process that asks; its guardian has let the guest go. */
static void test_both_killed(void **state)
{
	int pair[2], ready[2];
	char byte;
	pid_t tool;

	(void)state;
	start_qemu(true);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe(ready), 0);
	tool = fork();
	if (!tool) {
		dial(open_link(target), pair[1], false);
		kill(find_keeper(), SIGKILL);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	close(pair[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	wait_for_its_end(1);
	/* As the stub does at the end of its client; before that, since somebody looks at once. */
	seen->runs = true;
	kill(tool, SIGKILL);
	waitpid(tool, NULL, 0);
	close(pair[0]);
	wait_for_its_end(2);
	check_left(true, 1, 0);
	close(ready[0]);
	close(ready[1]);
	end_qemu();
}

/* QEMU that goes away is an error, and the keeper ends by itself. */
static void test_qemu_is_gone(void **state)
{
	const struct rsp_dialer *dialer;
	struct rsp_dialed dialed;
	struct host_link *link;
	struct kt_error *err;
	int pair[2];

	(void)state;
	start_qemu(true);
	link = open_link(target);
	end_qemu();
	dialer = host_link_dialer(link);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	err = dialer->dial(dialer->context, pair[1], patience(), &dialed);
	assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
	assert_non_null(strstr(kt_error_message(err), "QEMU closed its monitor"));
	kt_error_destroy(err);
	dialer->hang_up(dialer->context, false);
	host_link_close(link);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
	close(pair[0]);
	close(pair[1]);
}

/* What the keeper cannot do is an error as it had it, and the link can be tried again. */
static void test_errors(void **state)
{
	struct host_target parsed;
	struct host_link *link;
	struct kt_error *err;
	char text[80];

	(void)state;
	snprintf(text, sizeof(text), "qmp:%s/nothing", dir);
	assert_null(host_target_parse(text, &parsed));
	err = host_link_open(&parsed, patience(), &link);
	assert_int_equal(kt_error_code(err), KT_ERROR_OS);
	assert_int_equal(kt_error_errno(err), ENOENT); /* for --wait */
	assert_non_null(strstr(kt_error_message(err), text));
	assert_non_null(strstr(kt_error_hint_text(err), "-qmp unix:PATH"));
	kt_error_destroy(err);
	host_target_deinit(&parsed);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static int make_dir(void **state)
{
	(void)state;
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED || !mkdtemp(dir))
		return -1;
	snprintf(target, sizeof(target), "qmp:%s/qmp", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(target + strlen("qmp:"));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_relative_path),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_qemu_is_gone),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_keeper_killed),
		cmocka_unit_test(test_keeper_killed_early),
		cmocka_unit_test(test_both_killed),
	};

	return cmocka_run_group_tests_name("host/link", tests, make_dir, remove_dir);
}
