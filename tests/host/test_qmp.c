// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/qmp.h"
#include "util/clock.h"

/* As QEMU 7.2.22 says it. */
#define GREETING                                                                                   \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "         \
	"\"package\": \"Debian 1:7.2+dfsg-7\"}, \"capabilities\": [\"oob\"]}}\r\n"
#define DONE(id) "{\"return\": {}, \"id\": " #id "}\r\n"
#define EVENT                                                                                      \
	"{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"RTC_CHANGE\", "       \
	"\"data\": {\"offset\": 0, \"qom-path\": \"/a}]\\\"{\"}}\r\n"

/* --- who plays QEMU --- */

/* A step: what it says; or, with '<' before it, what has to be in the next line that it is told. */
struct qemu {
	const char *const *steps;
	int fd;
	bool closes; /* after the last step; else it waits for the client's end */
	pthread_t thread;
	char asked[2][400]; /* the last two lines that it was told */
	char rest[200];     /* and what came behind the last step */
	int passed;         /* how many descriptors came */
	bool ok;
};

static bool hear_line(struct qemu *q, char *line, size_t size)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	size_t n = 0;

	while (n + 1 < size) {
		struct iovec iov = {line + n, 1};
		struct msghdr msg = {.msg_iov = &iov,
				     .msg_iovlen = 1,
				     .msg_control = control.bytes,
				     .msg_controllen = sizeof(control.bytes)};
		struct cmsghdr *c;

		if (recvmsg(q->fd, &msg, MSG_CMSG_CLOEXEC) != 1)
			break;
		c = CMSG_FIRSTHDR(&msg);
		if (c && c->cmsg_type == SCM_RIGHTS) {
			int fd;

			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
			close(fd);
			q->passed++;
		}
		if (line[n] == '\n')
			break;
		n++;
		if (n >= 3 && !memcmp(line + n - 3, "#b0", 3)) /* the end of a packet */
			break;
	}
	line[n] = '\0';
	return n > 0;
}

static void *play(void *arg)
{
	struct qemu *q = arg;
	size_t rest = 0;
	ssize_t n;

	q->ok = true;
	for (const char *const *step = q->steps; *step && q->ok; step++) {
		if (**step != '<') {
			q->ok = send(q->fd, *step, strlen(*step), MSG_NOSIGNAL) >= 0;
			continue;
		}
		strcpy(q->asked[0], q->asked[1]);
		q->ok = hear_line(q, q->asked[1], sizeof(q->asked[1])) &&
			strstr(q->asked[1], *step + 1);
	}
	if (q->closes)
		shutdown(q->fd, SHUT_RDWR);
	while (rest + 1 < sizeof(q->rest) &&
	       (n = recv(q->fd, q->rest + rest, sizeof(q->rest) - 1 - rest, 0)) > 0)
		rest += (size_t)n;
	close(q->fd);
	return NULL;
}

static int start(struct qemu *q, const char *const *steps)
{
	int pair[2];

	q->steps = steps;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	q->fd = pair[0];
	assert_int_equal(pthread_create(&q->thread, NULL, play, q), 0);
	return pair[1];
}

static void stop(struct qemu *q)
{
	assert_int_equal(pthread_join(q->thread, NULL), 0);
}

/* --- well-behaved ones --- */

static struct host_monitor *open_it(struct qemu *q, const char *const *steps)
{
	struct host_monitor *m = NULL;
	struct kt_error *err = host_qmp_from_fd(start(q, steps), kt_deadline_ms(10000), &m);

	if (err)
		print_error("%s\n", kt_error_message(err));
	assert_null(err);
	assert_true(m->passes_fds);
	assert_true(m->is_here);
	assert_int_equal(m->pid, getpid());
	return m;
}

static void close_it(struct qemu *q, struct host_monitor *m)
{
	host_monitor_destroy(m);
	stop(q);
	assert_true(q->ok);
}

/* Events come at any place, a reply in pieces, an error in QEMU's words. */
static void test_commands(void **state)
{
	static const char *const steps[] = {
		GREETING,
		EVENT EVENT,
		"<\"execute\": \"qmp_capabilities\"",
		EVENT,
		DONE(1) EVENT,
		"<\"execute\": \"query-status\"",
		"{\"return\": {\"running\": true, ",
		"\"a\": \"}\\\\\\\"]{\", \"status\": \"run",
		"ning\"}, \"id\": 2}" EVENT,
		"<\"arguments\": {\"command-line\": \"info kvm\"}",
		"{\"return\": \"kvm support: disabled\\r\\n\", \"id\": 3}\n",
		"<\"execute\": \"no-such\"",
		"{\"id\": 4, \"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command "
		"no-such has not been found\"}}",
		"<\"execute\": \"cont\"",
		"{\"id\": 5, \"error\": {\"class\": \"GenericError\", \"desc\": \"Resetting the "
		"Virtual Machine is required\"}}",
		NULL,
	};
	struct qemu q = {0};
	struct host_monitor *m = open_it(&q, steps);
	json_t *status;
	struct kt_error *err;
	char *text;

	(void)state;
	assert_null(host_monitor_run(m, "query-status", NULL, &status));
	assert_string_equal(json_string_value(json_object_get(status, "a")), "}\\\"]{");
	assert_string_equal(json_string_value(json_object_get(status, "status")), "running");
	json_decref(status);
	assert_null(host_monitor_hmp(m, "info kvm", &text));
	assert_string_equal(text, "kvm support: disabled\r\n");
	free(text);
	err = host_monitor_run(m, "no-such", NULL, NULL);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	assert_string_equal(kt_error_message(err), "QEMU has no command 'no-such'");
	kt_error_destroy(err);
	err = host_monitor_run(m, "cont", NULL, NULL);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	assert_non_null(strstr(kt_error_message(err), "Resetting the Virtual Machine"));
	kt_error_destroy(err);
	close_it(&q, m);
}

static void test_descriptor(void **state)
{
	static const char *const steps[] = {
		GREETING, "<qmp_cap", DONE(1), "<\"fdname\": \"ours\"", DONE(2), NULL,
	};
	struct qemu q = {0};
	struct host_monitor *m = open_it(&q, steps);

	(void)state;
	assert_null(host_monitor_getfd(m, "ours", STDIN_FILENO));
	close_it(&q, m);
	assert_int_equal(q.passed, 1);
}

/* What was given up is answered late, and that is not taken for the answer to something else. */
static void test_late_answer(void **state)
{
	static const char *const steps[] = {
		GREETING,   "<qmp_cap",
		DONE(1),    "<query-a",
		"<query-b", "{\"return\": \"a\", \"id\": 2}{\"return\": \"b\", \"id\": 3}",
		NULL,
	};
	struct qemu q = {0};
	struct host_monitor *m = open_it(&q, steps);
	struct kt_error *err;
	json_t *b;

	(void)state;
	m->deadline_ns = kt_deadline_ms(50);
	err = host_monitor_run(m, "query-a", NULL, NULL);
	assert_int_equal(kt_error_code(err), KT_ERROR_TIMEOUT);
	kt_error_destroy(err);
	m->deadline_ns = kt_deadline_ms(10000);
	assert_null(host_monitor_run(m, "query-b", NULL, &b));
	assert_string_equal(json_string_value(b), "b");
	json_decref(b);
	close_it(&q, m);
}

/* --- others --- */

struct bad {
	const char *const *steps;
	bool closes;
	enum kt_error_code code;
	const char *says;  /* in the message */
	const char *sends; /* in what was sent; NULL: does not matter */
};

#define STEPS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A line that has no end, an object in which objects have none. */
static char huge[HOST_REPLY_MAX + 3], deep[HOST_REPLY_MAX / 2];

static void check_bad(const struct bad *bad, int64_t patience_ms)
{
	struct host_monitor *m = NULL;
	struct qemu q = {.closes = bad->closes};
	int64_t began = kt_now_ns();
	int fd = start(&q, bad->steps);
	struct kt_error *err = host_qmp_from_fd(fd, kt_deadline_ms(patience_ms), &m);

	if (!err) {
		err = host_monitor_run(m, "query-status", NULL, NULL);
		host_monitor_destroy(m);
	}
	stop(&q);
	assert_non_null(err);
	if (kt_error_code(err) != bad->code || !strstr(kt_error_message(err), bad->says))
		fail_msg("'%.40s': %s", bad->steps[0], kt_error_message(err));
	if (bad->sends && !strstr(q.rest, bad->sends))
		fail_msg("'%.40s': sent '%s'", bad->steps[0], q.rest);
	kt_error_destroy(err);
	assert_true(kt_now_ns() - began < 30 * INT64_C(1000000000));
}

static void test_strangers(void **state)
{
	const struct bad bad[] = {
		{STEPS(""), false, KT_ERROR_TIMEOUT, "no greeting of QMP comes", "$D;1#b0"},
		{STEPS("QEMU 7.2.22 monitor - type 'help' for more information\r\n(qemu) "), false,
		 KT_ERROR_PROTOCOL, "monitor for people (HMP)", ""},
		{STEPS("$T02thread:p01.01;#04"), false, KT_ERROR_PROTOCOL, "this is a GDB stub",
		 "$D;1#b0"},
		{STEPS("SSH-2.0-OpenSSH_9.2\r\n\x1b[31m"), false, KT_ERROR_PROTOCOL,
		 "this is not QMP: it says 'SSH-2.0-OpenSSH_9.2'", NULL},
		{STEPS("{\"return\": {}}\n"), false, KT_ERROR_PROTOCOL, "its greeting is another",
		 NULL},
		{STEPS("{\"error\": {\"class\": \"GenericError\", \"desc\": \"x\"}}"), false,
		 KT_ERROR_PROTOCOL, "its greeting is another", NULL},
		{STEPS("{\"QMP\" 1}"), false, KT_ERROR_PROTOCOL, "what is no JSON", NULL},
		{STEPS("{]"), false, KT_ERROR_PROTOCOL, "what is no JSON", NULL},
		{STEPS("{["), false, KT_ERROR_TIMEOUT, "does not answer", NULL},
		{STEPS("{\"QMP\": "), true, KT_ERROR_CLOSED, "QEMU closed its monitor", NULL},
		{STEPS(""), true, KT_ERROR_CLOSED, "QEMU closed its monitor", NULL},
		{STEPS(huge), false, KT_ERROR_PROTOCOL, "more than 1048576 bytes", NULL},
		{STEPS(deep), false, KT_ERROR_PROTOCOL, "what is no JSON", NULL},
	};

	(void)state;
	memset(huge, 'a', sizeof(huge) - 1);
	memcpy(huge, "{\"", 2);
	memset(deep, '[', sizeof(deep) / 2);
	memset(deep + sizeof(deep) / 2, ']', sizeof(deep) / 2);
	memcpy(deep, "{\"a\":", 5);
	memcpy(deep + sizeof(deep) - 5, "}", 2); /* as many of each */
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check_bad(&bad[i], bad[i].code == KT_ERROR_TIMEOUT ? 1000 : 20000);
}

static void test_bad_answers(void **state)
{
#define GREETED GREETING, "<qmp_cap", DONE(1), "<query-status"
	const struct bad bad[] = {
		{STEPS(GREETING, "<qmp_cap"), false, KT_ERROR_TIMEOUT, "does not answer", NULL},
		{STEPS(GREETING, "<qmp_cap"), true, KT_ERROR_CLOSED, "closed its monitor", NULL},
		{STEPS(GREETED), false, KT_ERROR_TIMEOUT, "does not answer", NULL},
		{STEPS(GREETED), true, KT_ERROR_CLOSED, "closed its monitor", NULL},
		{STEPS(GREETED, "{\"return\": {}, \"id\": 3}"), false, KT_ERROR_PROTOCOL,
		 "answers what was not asked", NULL},
		{STEPS(GREETED, "{\"return\": {}}"), false, KT_ERROR_PROTOCOL,
		 "answers what was not asked", NULL},
		{STEPS(GREETED, "{\"return\": {}, \"id\": \"2\"}"), false, KT_ERROR_PROTOCOL,
		 "answers what was not asked", NULL},
		{STEPS(GREETED, "{\"id\": 2}"), false, KT_ERROR_NOT_FOUND, "no reason given", NULL},
		{STEPS(GREETED, "{\"id\": 2, \"error\": []}"), false, KT_ERROR_NOT_FOUND,
		 "no reason given", NULL},
		{STEPS(GREETED, "{\"id\": 2, \"return\": \"\xff\"}"), false, KT_ERROR_PROTOCOL,
		 "what is no JSON", NULL},
		{STEPS(GREETED, huge), false, KT_ERROR_PROTOCOL, "more than 1048576 bytes", NULL},
	};
#undef GREETED

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check_bad(&bad[i], bad[i].code == KT_ERROR_TIMEOUT ? 1000 : 20000);
}

/* Who says nothing until it is spoken to: a stub of QEMU 8.1 and later, and the guest agent. */
static void test_silent(void **state)
{
	const struct bad bad[] = {
		{STEPS("<$D;1#b0", "+$OK#9a"), false, KT_ERROR_PROTOCOL, "this is a GDB stub",
		 NULL},
		{STEPS("<$D;1#b0", "{\"error\": {\"class\": \"GenericError\", \"desc\": "
				   "\"JSON parse error, stray '+'\"}}\n"),
		 false, KT_ERROR_PROTOCOL, "it answers, but without a greeting", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check_bad(&bad[i], 200);
}

/* Events without end lengthen no deadline. Those here last for longer than it. */
static void test_events_only(void **state)
{
	static char events[400 * sizeof(EVENT)];
	const char *steps[200] = {NULL};
	const struct bad bad = {steps, false, KT_ERROR_TIMEOUT, "does not answer", NULL};

	(void)state;
	for (size_t i = 0; i < 400; i++)
		strcpy(events + i * strlen(EVENT), EVENT);
	for (size_t i = 0; i < 199; i++)
		steps[i] = events;
	check_bad(&bad, 50);
}

/* --- what is no monitor at all --- */

static void check_place(const char *path, int errnum, const char *says)
{
	const struct kt_stub_address address = {.path = (char *)(uintptr_t)path};
	struct host_monitor *m = NULL;
	struct kt_error *err = host_qmp_open(&address, kt_deadline_ms(10000), &m);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_OS);
	assert_int_equal(kt_error_errno(err), errnum);
	assert_non_null(strstr(kt_error_message(err), says));
	kt_error_destroy(err);
}

static void test_places(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	char dir[] = "/tmp/test-qmp.XXXXXX";
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_non_null(mkdtemp(dir));
	check_place(dir, ENOTSOCK, "non-socket");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/qmp", dir);
	check_place(addr.sun_path, ENOENT, "No such file");
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	check_place(addr.sun_path, ECONNREFUSED, "refused");
	if (geteuid() != 0) {
		assert_int_equal(chmod(addr.sun_path, 0), 0);
		check_place(addr.sun_path, EACCES, "denied");
	}
	close(fd);
	unlink(addr.sun_path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),    cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_late_answer), cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_bad_answers), cmocka_unit_test(test_events_only),
		cmocka_unit_test(test_silent),      cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests_name("host/qmp", tests, NULL, NULL);
}
