// SPDX-License-Identifier: LGPL-2.1-or-later
/* Work in a process of its own: what comes back of it, and what becomes of one that goes wrong. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/apart.h"
#include "util/clock.h"

#define LONG_MS 60000

static struct kt_buf result;
static int cancel[2];

/* Does it, with this much room and time. */
static struct kt_error *apart(struct kt_error *(*work)(void *arg, struct kt_buf *result),
			      size_t max, int64_t timeout_ms)
{
	const struct kt_apart a = {
		.name = "a-worker",
		.what = "the worker",
		.work = work,
		.arg = (void *)(uintptr_t) "argument",
		.keep = cancel,
		.n_keep = 1,
		.max = max,
		.timeout_ms = timeout_ms,
		.cancel_fd = cancel[0],
	};
	struct kt_error *err;

	kt_buf_deinit(&result);
	err = kt_apart(&a, &result);
	/* There is no child, whatever became of it. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return err;
}

static void check_error(struct kt_error *err, enum kt_error_code code, const char *message)
{
	assert_non_null(err);
	assert_string_equal(kt_error_message(err), message);
	assert_int_equal(kt_error_code(err), code);
	assert_null(result.data);
	kt_error_destroy(err);
}

static struct kt_error *put_much(void *arg, struct kt_buf *ret)
{
	kt_buf_appends(ret, arg);
	for (int i = 0; i < 100000; i++)
		kt_buf_append(ret, "\0\xff ten long", 10);
	return NULL;
}

static void test_result(void **state)
{
	(void)state;
	assert_null(apart(put_much, 1000008, LONG_MS));
	assert_int_equal(result.len, 1000008);
	assert_memory_equal(result.data, "argument\0\xff ", 11);
	check_error(apart(put_much, 1000007, LONG_MS), KT_ERROR_PROTOCOL,
		    "the worker has a result of 1000009 bytes, and at most 1000007 make sense");
}

static struct kt_error *put_nothing(void *arg, struct kt_buf *ret)
{
	(void)arg;
	(void)ret;
	return NULL;
}

static void test_empty_result(void **state)
{
	(void)state;
	assert_null(apart(put_nothing, 0, LONG_MS));
	assert_int_equal(result.len, 0);
}

/* --- errors --- */

static struct kt_error *fail_by_errno(void *arg, struct kt_buf *ret)
{
	(void)arg;
	kt_buf_appends(ret, "what was found until then");
	return kt_error_hint(kt_error_wrap(kt_error_os(ENOENT, "cannot open it"), "outer"),
			     "try %s", "another");
}

static struct kt_error *fail_without_memory(void *arg, struct kt_buf *ret)
{
	(void)arg;
	ret->failed = true;
	return NULL;
}

static void test_errors(void **state)
{
	struct kt_error *err = apart(fail_by_errno, 100, LONG_MS);

	(void)state;
	assert_non_null(err);
	assert_int_equal(kt_error_errno(err), ENOENT);
	assert_string_equal(kt_error_hint_text(err), "try another");
	check_error(err, KT_ERROR_OS, "outer: cannot open it: No such file or directory");
	err = apart(fail_without_memory, 100, LONG_MS);
	assert_ptr_equal(err, kt_error_no_memory());
}

/* --- a child that goes wrong --- */

static struct kt_error *die(void *arg, struct kt_buf *ret)
{
	(void)arg;
	(void)ret;
	raise(SIGKILL);
	return NULL;
}

static struct kt_error *leave(void *arg, struct kt_buf *ret)
{
	(void)arg;
	(void)ret;
	_exit(0);
}

static struct kt_error *hang(void *arg, struct kt_buf *ret)
{
	(void)arg;
	(void)ret;
	while (pause() < 0)
		;
	return NULL;
}

/* Its end of the pipe: the only FIFO that it has. */
static int pipe_fd(void)
{
	struct stat st;

	for (int fd = 3; fd < 1024; fd++)
		if (!fstat(fd, &st) && S_ISFIFO(st.st_mode) && fd != cancel[0])
			return fd;
	return -1;
}

static struct kt_error *hang_up_and_hang(void *arg, struct kt_buf *ret)
{
	close(pipe_fd());
	return hang(arg, ret);
}

/* An error with a code that there is not, and one that has no end. */
static struct kt_error *say_nonsense(void *arg, struct kt_buf *ret)
{
	static const char message[] = "\x0a\0\0\0e\x7f\0\0\0\0x\0\0";

	(void)arg;
	(void)ret;
	(void)!write(pipe_fd(), message, sizeof(message));
	_exit(0);
}

static struct kt_error *break_off(void *arg, struct kt_buf *ret)
{
	static const char message[] = "\x40\0\0\0e\x01\0";

	(void)arg;
	(void)ret;
	(void)!write(pipe_fd(), message, sizeof(message));
	_exit(0);
}

static void test_wrong(void **state)
{
	(void)state;
	check_error(apart(die, 100, LONG_MS), KT_ERROR_CLOSED,
		    "the worker was ended by signal 9 (Killed)");
	check_error(apart(leave, 100, LONG_MS), KT_ERROR_CLOSED,
		    "the worker ended without a result");
	check_error(apart(break_off, 100, LONG_MS), KT_ERROR_CLOSED,
		    "the worker ended without a result");
	check_error(apart(say_nonsense, 100, LONG_MS), KT_ERROR_PROTOCOL,
		    "the worker has an error that makes no sense");
	check_error(apart(hang_up_and_hang, 100, LONG_MS), KT_ERROR_CLOSED,
		    "the worker was ended by signal 9 (Killed)");
	check_error(apart(hang, 100, 1000), KT_ERROR_TIMEOUT, "the worker has not ended after 1 s");
}

/* --- to be cancelled --- */

static struct kt_error *work_until_cancelled(void *arg, struct kt_buf *ret)
{
	struct pollfd pollfd = {cancel[0], POLLIN, 0};

	(void)arg;
	(void)ret;
	kill(getpid(), SIGINT); /* ignored: the handler would be the parent's */
	poll(&pollfd, 1, -1);
	return kt_error_new(KT_ERROR_CANCELLED, "its own word");
}

static void test_cancel(void **state)
{
	char byte;

	(void)state;
	assert_int_equal(write(cancel[1], "x", 1), 1);
	check_error(apart(work_until_cancelled, 100, LONG_MS), KT_ERROR_CANCELLED, "its own word");
	check_error(apart(hang, 100, LONG_MS), KT_ERROR_CANCELLED, "cancelled");
	assert_int_equal(read(cancel[0], &byte, 1), 1);
}

/* --- what a child has --- */

static struct kt_error *look_around(void *arg, struct kt_buf *ret)
{
	struct stat null, st;
	char name[16] = "";
	int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, name, sizeof(name) - 1);

	(void)arg;
	close(fd);
	kt_buf_printf(ret, "%.*s:", n > 0 ? (int)n - 1 : 0, name);
	stat("/dev/null", &null);
	for (fd = 0; fd < 1024; fd++) {
		if (fstat(fd, &st))
			continue;
		kt_buf_printf(ret, "%s",
			      st.st_rdev == null.st_rdev && S_ISCHR(st.st_mode) ? " null"
			      : fd == 2                                         ? " stderr"
			      : fd == cancel[0]                                 ? " kept"
			      : fd == pipe_fd()                                 ? " pipe"
										: " other");
	}
	return NULL;
}

static void test_files(void **state)
{
	int other = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int err = dup(2), zero = dup2(other, 2);

	(void)state;
	assert_null(apart(look_around, 100, LONG_MS));
	assert_int_equal(zero, 2);
	dup2(err, 2);
	close(err);
	close(other);
	kt_buf_appendc(&result, '\0');
	assert_string_equal(result.data, "a-worker: null null stderr kept pipe");
}

static struct kt_error *tell_and_hang(void *arg, struct kt_buf *ret)
{
	(void)!write(*(const int *)arg, "x", 1);
	return hang(NULL, ret);
}

/* A parent that dies takes the child along: it hangs, and nobody has its end of the pipe then. */
static void test_parent_dies(void **state)
{
	struct pollfd pollfd = {.events = POLLIN};
	int alive[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(alive), 0);
	pid = fork();
	if (!pid) {
		const struct kt_apart a = {
			.name = "a-worker",
			.what = "the worker",
			.work = tell_and_hang,
			.arg = &alive[1],
			.keep = &alive[1],
			.n_keep = 1,
			.timeout_ms = LONG_MS,
			.cancel_fd = -1,
		};

		kt_error_destroy(kt_apart(&a, &result));
		_exit(0);
	}
	close(alive[1]);
	pollfd.fd = alive[0];
	assert_int_equal(read(alive[0], &byte, 1), 1);
	assert_int_equal(poll(&pollfd, 1, 0), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(poll(&pollfd, 1, LONG_MS), 1);
	close(alive[0]);
}

static int set_up(void **state)
{
	(void)state;
	return pipe2(cancel, O_CLOEXEC);
}

static int tear_down(void **state)
{
	(void)state;
	kt_buf_deinit(&result);
	close(cancel[0]);
	close(cancel[1]);
	return 0;
}

/* --- a child that is asked --- */

/* Answers 'n' with a number that grows, 'e' with an error, 'x' by its end, 's' never. */
static void answer(void *arg, int sock)
{
	int n = 0;
	char question;

	while (read(sock, &question, 1) == 1) {
		struct kt_buf text = KT_BUF_INIT;
		struct kt_error *err = NULL;

		if (question == 'x')
			return;
		if (question == 's')
			pause();
		if (question == 'e')
			err = kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND, "none"), "ask again");
		kt_buf_printf(&text, "%s %d", (const char *)arg, ++n);
		kt_apart_answer(sock, err, &text);
	}
	/* Nobody listens any more: that must not keep it. */
	for (int i = 0; i < 1000; i++) {
		struct kt_buf text = KT_BUF_INIT;

		kt_buf_printf(&text, "%4000d", i);
		kt_apart_answer(sock, NULL, &text);
	}
}

static struct kt_error *hear(const struct kt_apart_child *child, char question, int64_t timeout_ms)
{
	kt_buf_deinit(&result);
	assert_true(kt_apart_ask(child, question));
	return kt_apart_hear(child, timeout_ms, &result);
}

static void test_asked(void **state)
{
	struct kt_apart a = {
		.name = "a-servant",
		.what = "the servant",
		.serve = answer,
		.arg = (void *)(uintptr_t) "answer",
		.max = 100,
		.cancel_fd = -1,
	};
	struct kt_apart_child child = {0};
	struct kt_error *err;
	int pipe_fds[2];

	(void)state;
	kt_apart_end(&child);
	assert_null(kt_apart_start(&a, &child));
	assert_null(hear(&child, 'n', LONG_MS));
	assert_memory_equal(result.data, "answer 1", result.len);
	err = hear(&child, 'e', LONG_MS);
	assert_string_equal(kt_error_hint_text(err), "ask again");
	check_error(err, KT_ERROR_NOT_FOUND, "none");
	/* An error of the child's is an answer like any other. */
	assert_null(hear(&child, 'n', LONG_MS));
	assert_memory_equal(result.data, "answer 3", result.len);
	check_error(hear(&child, 's', 50), KT_ERROR_TIMEOUT,
		    "the servant has not answered after 0 s");
	kt_apart_end(&child);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);

	assert_null(kt_apart_start(&a, &child));
	check_error(hear(&child, 'x', LONG_MS), KT_ERROR_CLOSED, "the servant has ended");
	kt_apart_end(&child);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);

	/* Who waits is told at once to give up, and the child by its end. */
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], "", 1), 1);
	a.cancel_fd = pipe_fds[0];
	assert_null(kt_apart_start(&a, &child));
	check_error(hear(&child, 's', LONG_MS), KT_ERROR_CANCELLED, "cancelled");
	kt_apart_end(&child);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result),      cmocka_unit_test(test_empty_result),
		cmocka_unit_test(test_errors),      cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_cancel),      cmocka_unit_test(test_files),
		cmocka_unit_test(test_parent_dies), cmocka_unit_test(test_asked),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
