// SPDX-License-Identifier: LGPL-2.1-or-later
/* The socket to a stub. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "gdbrsp/connection.h"
#include "util/clock.h"

/* Two ends of a connection by TCP: ends[0] is the client's. */
static void tcp_pair(int ends[2])
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(ends[0], (struct sockaddr *)&addr, len), 0);
	ends[1] = accept(listener, NULL, NULL);
	assert_true(ends[1] >= 0);
	close(listener);
}

static bool acknowledges_at_once(int fd)
{
	int quick = 0;
	socklen_t len = sizeof(quick);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &quick, &len), 0);
	return quick;
}

static void turn(struct rsp_connection *conn, int stub)
{
	const struct rsp_patience patience = {.deadline_ns = kt_now_ns() + 10 * INT64_C(1000000000),
					      .cancel_fd = -1};
	const uint8_t *data;
	char request[16];
	size_t len;

	kt_buf_appends(rsp_connection_output(conn), "$?#3f");
	assert_null(rsp_connection_flush(conn));
	assert_true(read(stub, request, sizeof(request)) > 0);
	assert_int_equal(write(stub, "+", 1), 1);
	assert_null(rsp_connection_receive(conn, &patience, &data, &len));
}

/*
 * A connection that talks to and fro holds acknowledgements back, and QEMU holds its reply back
 * until it has that of the "+" before. So the client acknowledges at once, each time anew.
 */
static void test_acknowledges_at_once(void **state)
{
	struct rsp_connection *conn;
	int ends[2];

	(void)state;
	tcp_pair(ends);
	assert_null(rsp_connection_from_fd(ends[0], &conn));
	for (int i = 0; i < 100; i++) {
		turn(conn, ends[1]);
		assert_true(acknowledges_at_once(ends[0]));
	}
	rsp_connection_destroy(conn);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acknowledges_at_once),
	};

	return cmocka_run_group_tests_name("gdbrsp/connection", tests, NULL, NULL);
}
