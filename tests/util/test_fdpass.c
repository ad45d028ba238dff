// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/fdpass.h"

static int socks[2];

static int setup(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks);
}

static int teardown(void **state)
{
	(void)state;
	close(socks[0]);
	close(socks[1]);
	return 0;
}

static bool is_same_file(int a, int b)
{
	struct stat first, second;

	return !fstat(a, &first) && !fstat(b, &second) && first.st_ino == second.st_ino &&
	       first.st_dev == second.st_dev;
}

static void test_pass(void **state)
{
	int fd = open("/", O_RDONLY | O_CLOEXEC), got = -1;
	char text[16];

	(void)state;
	assert_int_equal(kt_fd_send(socks[0], "with", 4, fd), 4);
	assert_int_equal(kt_fd_receive(socks[1], text, sizeof(text), &got), 4);
	assert_memory_equal(text, "with", 4);
	assert_true(got >= 0 && got != fd && is_same_file(got, fd));
	assert_true(fcntl(got, F_GETFD) & FD_CLOEXEC);
	close(got);
	assert_int_equal(kt_fd_send(socks[0], "without", 7, -1), 7);
	assert_int_equal(kt_fd_receive(socks[1], text, sizeof(text), &got), 7);
	assert_int_equal(got, -1);
	close(fd);
}

static void test_closed(void **state)
{
	char text[16];
	int got = 1;

	(void)state;
	shutdown(socks[0], SHUT_WR);
	assert_int_equal(kt_fd_receive(socks[1], text, sizeof(text), &got), 0);
	assert_int_equal(got, -1);
	/* An error, and no SIGPIPE. */
	shutdown(socks[0], SHUT_RD);
	assert_int_equal(kt_fd_send(socks[1], "x", 1, -1), -1);
}

/* Somebody else may send more than one: none of them stays open here unseen. */
static void test_two(void **state)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {(char[1]){'x'}, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	int fds[2] = {STDIN_FILENO, STDIN_FILENO}, got = -1, next;
	char text[16];

	(void)state;
	*CMSG_FIRSTHDR(&msg) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(fds)),
						.cmsg_level = SOL_SOCKET,
						.cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, sizeof(fds));
	assert_int_equal(sendmsg(socks[0], &msg, 0), 1);
	assert_int_equal(kt_fd_receive(socks[1], text, sizeof(text), &got), 1);
	assert_true(got >= 0);
	next = dup(STDIN_FILENO);
	assert_int_equal(next, got + 1);
	close(next);
	close(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pass, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two, setup, teardown),
	};

	return cmocka_run_group_tests_name("util/fdpass", tests, NULL, NULL);
}
