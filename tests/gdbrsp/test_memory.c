// SPDX-License-Identifier: LGPL-2.1-or-later
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "gdbrsp/client.h"
#include "tests/lib/stub.h"

static const struct rsp_options options = {.timeout_ms = 60000, .cancel_fd = -1};

struct session {
	struct rsp_client *client;
	struct stub *stub;
};

static void assert_no_error(struct kt_error *err)
{
	if (err)
		fail_msg("%s", kt_error_message(err));
}

static struct session start(const struct stub_step *script, int send_buf)
{
	struct session s;
	int fd;

	s.stub = stub_start(script, send_buf, &fd);
	assert_no_error(rsp_client_from_fd(fd, &options, &s.client));
	return s;
}

static void finish(struct session *s)
{
	const char *failure;

	rsp_client_destroy(s->client);
	failure = stub_join(s->stub);
	if (failure)
		fail_msg("%s", failure);
}

/* The mode is set with the first read that needs it, the vCPU likewise, and put back. */
static void test_spaces(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "m1000,2"},
		{STUB_REPLY, "abCD"},
		{STUB_EXPECT, "Qqemu.PhyMemMode:1"},
		{STUB_EXPECT, "mffffffffffffffff,1"},
		{STUB_REPLY, "OK"},
		{STUB_REPLY, "7f"},
		{STUB_EXPECT, "m0,1"},
		{STUB_REPLY, "01"},
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},
		{STUB_EXPECT, "Hgp01.02"},
		{STUB_EXPECT, "m0,1"},
		{STUB_REPLY, "OK"},
		{STUB_REPLY, "OK"},
		{STUB_REPLY, "02"},
		STUB_BYE,
		{STUB_END},
	};
	struct session s = start(script, 0);
	const struct rsp_thread *threads;
	uint8_t b[2];
	struct rsp_read r = {.addr = 0x1000, .len = 2, .buf = b};
	size_t n;

	(void)state;
	assert_no_error(rsp_client_read(s.client, RSP_VIRTUAL, &r, 1));
	assert_int_equal(b[0], 0xab);
	assert_int_equal(b[1], 0xcd);
	r = (struct rsp_read){.addr = UINT64_MAX, .len = 1, .buf = b, .fault = true};
	assert_no_error(rsp_client_read(s.client, RSP_PHYSICAL, &r, 1));
	assert_false(r.fault);
	assert_int_equal(b[0], 0x7f);
	r = (struct rsp_read){.addr = 0, .len = 1, .buf = b};
	assert_no_error(rsp_client_read(s.client, RSP_PHYSICAL, &r, 1));
	assert_int_equal(b[0], 1);
	assert_no_error(rsp_client_threads(s.client, &threads, &n));
	assert_no_error(rsp_client_select(s.client, &threads[1]));
	assert_no_error(rsp_client_read(s.client, RSP_VIRTUAL, &r, 1));
	assert_int_equal(b[0], 2);
	assert_int_equal(rsp_client_stats(s.client)->bytes_read, 5);
	assert_int_equal(rsp_client_stats(s.client)->round_trips, 5);
	finish(&s);
}

/* Half of PacketSize is a piece, 16 KiB the most; nothing is asked for no bytes. */
static void test_pieces(void **state)
{
	static const struct stub_step small[] = {
		STUB_HELLO,
		{STUB_EXPECT, "m10,800"},
		{STUB_EXPECT, "m810,800"},
		{STUB_EXPECT, "m1010,1"},
		{STUB_HUGE, "11", 0x800},
		{STUB_HUGE, "22", 0x800},
		{STUB_REPLY, "33"},
		STUB_BYE,
		{STUB_END},
	};
	static const struct stub_step large[] = {
		STUB_HELLO_SIZE("20020"),
		{STUB_EXPECT, "m10,1001"},
		{STUB_HUGE, "11", 0x1001},
		{STUB_EXPECT, "m0,4000"},
		{STUB_EXPECT, "m4000,2"},
		{STUB_HUGE, "11", 0x4000},
		{STUB_REPLY, "2222"},
		STUB_BYE,
		{STUB_END},
	};
	static uint8_t b[0x4002];
	struct rsp_read r[] = {{.len = 0}, {.addr = 0x10, .len = 0x1001, .buf = b}, {.len = 0}};
	struct rsp_read whole = {.addr = 0, .len = 0x4002, .buf = b};
	struct session s = start(small, 0);

	(void)state;
	assert_no_error(rsp_client_read(s.client, RSP_VIRTUAL, r, 3));
	assert_int_equal(b[0x7ff], 0x11);
	assert_int_equal(b[0x800], 0x22);
	assert_int_equal(b[0x1000], 0x33);
	assert_no_error(rsp_client_read(s.client, RSP_VIRTUAL, r, 0));
	finish(&s);
	s = start(large, 0);
	assert_no_error(rsp_client_read(s.client, RSP_VIRTUAL, &r[1], 1));
	assert_no_error(rsp_client_read(s.client, RSP_VIRTUAL, &whole, 1));
	assert_int_equal(b[0x3fff], 0x11);
	assert_int_equal(b[0x4001], 0x22);
	finish(&s);
}

/* A fault is one piece's own; short and wrapping reads are faults, too. */
static void test_faults(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "m0,1"},
		{STUB_EXPECT, "m1,2"},
		{STUB_EXPECT, "m2,4"},
		{STUB_EXPECT, "m3,1"},
		{STUB_REPLY, "00"},
		{STUB_REPLY, "E14"},
		{STUB_REPLY, "0102"},
		{STUB_REPLY, "e3"},
		STUB_BYE,
		{STUB_END},
	};
	uint8_t b[5][4];
	struct rsp_read r[] = {
		{.addr = 0, .len = 1, .buf = b[0], .fault = true},
		{.addr = 1, .len = 2, .buf = b[1]},
		{.addr = 2, .len = 4, .buf = b[2]},
		{.addr = UINT64_MAX, .len = 2, .buf = b[3]},
		{.addr = 3, .len = 1, .buf = b[4]},
	};
	struct session s = start(script, 0);

	(void)state;
	assert_no_error(rsp_client_read(s.client, RSP_VIRTUAL, r, 5));
	assert_false(r[0].fault);
	assert_true(r[1].fault);
	assert_true(r[2].fault);
	assert_true(r[3].fault);
	assert_false(r[4].fault);
	assert_int_equal(b[4][0], 0xe3);
	finish(&s);
}

/* Replies that are no memory. After each, the client still detaches. */
static void check_bad_reply(const char *reply, const char *raw)
{
	const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "m0,4"},
		{raw ? STUB_RAW : STUB_REPLY, raw ? raw : reply},
		{STUB_RESYNC},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_REPLY, "PacketSize=1000"},
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},
		{STUB_REPLY, "OK"},
		STUB_BYE,
		{STUB_END},
	};
	struct session s = start(script, 0);
	uint8_t b[4];
	struct rsp_read r = {.addr = 0, .len = 4, .buf = b};
	struct kt_error *err = rsp_client_read(s.client, RSP_VIRTUAL, &r, 1);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_PROTOCOL);
	kt_error_destroy(err);
	assert_no_error(rsp_client_detach(s.client));
	finish(&s);
}

static void test_bad_replies(void **state)
{
	(void)state;
	check_bad_reply("", NULL);
	check_bad_reply("E22", NULL); /* not for this length */
	check_bad_reply("OK", NULL);
	check_bad_reply("0", NULL);
	check_bad_reply("0011223", NULL);
	check_bad_reply("001122zz", NULL);
	check_bad_reply("0011223344", NULL); /* more than was asked for */
	check_bad_reply(NULL, "+$00112233#00");
	check_bad_reply(NULL, "-");
	check_bad_reply(NULL, "+$0011$00#00");
	check_bad_reply(NULL, "hello");
}

/* Run-length and escapes are legal in every reply. */
static void test_run_length(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "m0,4"},
		{STUB_RAW, "+$0*\"00#dc"}, /* 1 + 5 zeros, then 2 */
		{STUB_EXPECT, "m4,4"},
		{STUB_RAW, "+$}\x14"
			   "1f* 55#dc"}, /* 0x14 ^ 0x20 is '4' */
		STUB_BYE,
		{STUB_END},
	};
	struct session s = start(script, 0);
	uint8_t b[8] = "xxxxxxx";
	struct rsp_read r[] = {{.addr = 0, .len = 4, .buf = b},
			       {.addr = 4, .len = 4, .buf = b + 4}};

	(void)state;
	assert_no_error(rsp_client_read(s.client, RSP_VIRTUAL, r, 2));
	assert_memory_equal(b, "\0\0\0\0\x41\xff\xff\x55", 8);
	finish(&s);
}

static void test_huge_reply(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO, {STUB_EXPECT, "m0,4"}, {STUB_HUGE, "00", 1000000}, {STUB_CLOSE},
		{STUB_END},
	};
	struct session s = start(script, 0);
	uint8_t b[4];
	struct rsp_read r = {.addr = 0, .len = 4, .buf = b};
	struct kt_error *err = rsp_client_read(s.client, RSP_VIRTUAL, &r, 1);

	(void)state;
	assert_int_equal(kt_error_code(err), KT_ERROR_PROTOCOL);
	assert_non_null(strstr(kt_error_message(err), "more than"));
	kt_error_destroy(err);
	finish(&s);
}

static void test_close_in_packet(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO, {STUB_EXPECT, "m0,4"}, {STUB_RAW, "+$0011"}, {STUB_CLOSE}, {STUB_END},
	};
	struct session s = start(script, 0);
	uint8_t b[4];
	struct rsp_read r = {.addr = 0, .len = 4, .buf = b};
	struct kt_error *err = rsp_client_read(s.client, RSP_VIRTUAL, &r, 1);

	(void)state;
	assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
	kt_error_destroy(err);
	/* And nothing hangs, nor dies of SIGPIPE, on the way out. */
	err = rsp_client_detach(s.client);
	assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
	kt_error_destroy(err);
	finish(&s);
}

#define MANY 20000

static void on_alarm(int sig)
{
	(void)sig;
}

/* A signal each millisecond, for this thread and not for the stub's: blocked until started. */
static void alarms(bool start)
{
	struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART */
	struct itimerval every = {.it_interval.tv_usec = start ? 1000 : 0};
	sigset_t set;

	every.it_value = every.it_interval;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaction(SIGALRM, &action, NULL);
	pthread_sigmask(start ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

/*
 * Many reads through the smallest of socket buffers: short writes, EINTR, and a stub that
 * cannot write while nobody reads. A client that sends all before it reads stands still here.
 */
static void test_pipeline(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_MEMORY, NULL, MANY},
		STUB_BYE,
		{STUB_END},
	};
	struct session s = (alarms(false), start(script, 1));
	struct rsp_read *r = calloc(MANY, sizeof(*r));
	uint8_t(*b)[24] = calloc(MANY, sizeof(*b));

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		r[i] = (struct rsp_read){.addr = i * 3, .len = 1 + i % 24, .buf = b[i]};
	alarms(true);
	assert_no_error(rsp_client_read(s.client, RSP_VIRTUAL, r, MANY));
	alarms(false);
	for (size_t i = 0; i < MANY; i++) {
		assert_false(r[i].fault);
		for (size_t j = 0; j < r[i].len; j++)
			assert_int_equal(b[i][j], (uint8_t)(i * 3 + j));
	}
	assert_int_equal(rsp_client_stats(s.client)->round_trips, 2);
	finish(&s);
	free(r);
	free(b);
}

/* What is in flight is bounded: a stub that answers nothing gets so much, and no more. */
static void test_flight_is_bounded(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_DRAIN},
		{STUB_END},
	};
	struct rsp_options impatient = {.timeout_ms = 1000, .cancel_fd = -1};
	struct rsp_read *r = calloc(MANY, sizeof(*r));
	struct rsp_client *client;
	struct kt_error *err;
	struct stub *stub;
	uint64_t before;
	uint8_t b[2048];
	int fd;

	(void)state;
	stub = stub_start(script, 0, &fd);
	assert_no_error(rsp_client_from_fd(fd, &impatient, &client));
	rsp_client_set_leave_stopped(client, true);
	before = rsp_client_stats(client)->requests;
	for (size_t i = 0; i < 1000; i++)
		r[i] = (struct rsp_read){.addr = i, .len = 2048, .buf = b};
	err = rsp_client_read(client, RSP_VIRTUAL, r, 40);
	assert_int_equal(kt_error_code(err), KT_ERROR_TIMEOUT);
	kt_error_destroy(err);
	assert_in_range(rsp_client_stats(client)->requests - before, 4, 65536 / 4096 + 1);
	kt_error_destroy(rsp_client_detach(client));
	rsp_client_destroy(client);
	(void)stub_join(stub);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spaces),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_bad_replies),
		cmocka_unit_test(test_run_length),
		cmocka_unit_test(test_huge_reply),
		cmocka_unit_test(test_close_in_packet),
		cmocka_unit_test(test_pipeline),
		cmocka_unit_test(test_flight_is_bounded),
	};

	return cmocka_run_group_tests_name("gdbrsp/memory", tests, NULL, NULL);
}
