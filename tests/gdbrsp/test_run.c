// SPDX-License-Identifier: LGPL-2.1-or-later
/* Running on, waiting, stopping from outside, and registers written on the way. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/gdbrsp/visit.h"

static const char *serve_description(const char *request)
{
	if (!strncmp(request, "qXfer:features:read:target.xml:0", 32))
		return "l<target><reg name=\"a\" bitsize=\"64\"/>"
		       "<reg name=\"flags\" bitsize=\"32\" regnum=\"18\"/></target>";
	return strncmp(request, "qXfer", 5) ? NULL : "E00";
}

static void test_writes_before_running(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_SERVE, NULL, 0, serve_description},
		{STUB_EXPECT, "Hgp01.02"},
		{STUB_REPLY, "OK"},
		STUB_FETCH("p01.02"),
		{STUB_EXPECT, "P0=8877665544332211"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "P12=78563412"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "vCont;c"},
		{STUB_REPLY, "T05thread:p01.02;"},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_QUIET},
		{STUB_REPLY, "PacketSize=1000"},
		STUB_BYE,
		{STUB_END},
	};
	static const struct rsp_write writes[] = {{"a", UINT64_C(0x1122334455667788)},
						  {"flags", 0x12345678}};
	static const struct rsp_write unknown = {"b", 0};
	const struct rsp_thread *threads;
	struct rsp_client *client;
	struct rsp_stop stop;
	struct kt_error *err;
	struct stub *stub;
	size_t n;

	(void)state;
	assert_no_error(connect_to(script, &options, &stub, &client));
	assert_no_error(rsp_client_threads(client, &threads, &n));
	err = rsp_client_resume(client, &threads[1], &unknown, 1);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
	assert_false(rsp_client_runs(client));
	assert_no_error(rsp_client_resume(client, &threads[1], writes, 2));
	assert_true(rsp_client_runs(client));
	assert_no_error(rsp_client_wait(client, -1, &stop));
	assert_false(rsp_client_runs(client));
	assert_string_equal(stop.thread->id, "p01.02");
	rsp_client_destroy(client);
	assert_joined(stub);
}

/* A write that is refused: the guest may run by then, and detaching is what is left. */
static void test_write_refused(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_SERVE, NULL, 0, serve_description},
		STUB_FETCH("p01.01"),
		{STUB_EXPECT, "P0=0100000000000000"},
		{STUB_REPLY, "E22"},
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "+"},
		{STUB_RESYNC},
		{STUB_RAW, "$T02thread:p01.01;#03+$#00"},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_REPLY, "PacketSize=1000"},
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},
		{STUB_REPLY, "OK"},
		STUB_BYE,
		{STUB_END},
	};
	static const struct rsp_write write = {"a", 1};
	const struct rsp_thread *threads;
	struct rsp_client *client;
	struct kt_error *err;
	struct stub *stub;
	size_t n;

	(void)state;
	assert_no_error(connect_to(script, &options, &stub, &client));
	assert_no_error(rsp_client_threads(client, &threads, &n));
	err = rsp_client_resume(client, &threads[0], &write, 1);
	assert_int_equal(kt_error_code(err), KT_ERROR_PROTOCOL);
	kt_error_destroy(err);
	rsp_client_destroy(client);
	assert_joined(stub);
}

/* A wait that ends without a stop loses nothing, however often. */
static void test_wait_again(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "+"},
		{STUB_WAIT},
		/* In two halves, with a wait that gives up in between. */
		{STUB_RAW, "$T05thre"},
		{STUB_WAIT},
		{STUB_RAW, "ad:p01.01;#06"},
		{STUB_EXPECT, "Z1,10,1"},
		{STUB_REPLY, "OK"},
		STUB_BYE,
		{STUB_END},
	};
	struct rsp_client *client;
	struct rsp_stop stop = {0};
	struct stub *stub;
	int timeouts = 0;

	(void)state;
	assert_no_error(connect_to(script, &options, &stub, &client));
	assert_no_error(rsp_client_resume(client, NULL, NULL, 0));
	for (;;) {
		struct kt_error *err = rsp_client_wait(client, 20000000, &stop);

		if (!err)
			break;
		assert_int_equal(kt_error_code(err), KT_ERROR_TIMEOUT);
		kt_error_destroy(err);
		timeouts++;
		stub_go(stub);
	}
	assert_true(timeouts >= 2);
	assert_int_equal(stop.signal, 5);
	assert_no_error(rsp_client_breakpoint(client, 16, 1, true));
	rsp_client_destroy(client);
	assert_joined(stub);
}

static void test_interrupt(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "+"},
		{STUB_INTERRUPTED},
		{STUB_RAW, "$T02thread:p01.01;#03"},
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "+"},
		/* A breakpoint that comes first is what it is. */
		{STUB_RAW, "$T05thread:p01.02;#07"},
		{STUB_INTERRUPTED},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_QUIET},
		{STUB_REPLY, "PacketSize=1000"},
		STUB_BYE,
		{STUB_END},
	};
	struct rsp_client *client;
	struct rsp_stop stop;
	struct kt_error *err;
	struct stub *stub;
	struct pollfd readable = {.events = POLLIN};

	(void)state;
	stub = stub_start(script, 0, &readable.fd);
	assert_no_error(rsp_client_from_fd(readable.fd, &options, &client));
	err = rsp_client_interrupt(client, &stop);
	assert_int_equal(kt_error_code(err), KT_ERROR_PROTOCOL);
	kt_error_destroy(err);
	assert_no_error(rsp_client_resume(client, NULL, NULL, 0));
	assert_no_error(rsp_client_interrupt(client, &stop));
	assert_int_equal(stop.signal, 2);
	assert_no_error(rsp_client_resume(client, NULL, NULL, 0));
	assert_int_equal(poll(&readable, 1, 60000), 1);
	assert_no_error(rsp_client_interrupt(client, &stop));
	assert_int_equal(stop.signal, 5);
	assert_string_equal(stop.thread->id, "p01.02");
	rsp_client_destroy(client);
	assert_joined(stub);
}

/* A short stop: the stub has all of it, the last request too, before it says a word. */
static void test_glance(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "+"},
		{STUB_INTERRUPTED},
		{STUB_EXPECT, "Qqemu.PhyMemMode:1"},
		{STUB_EXPECT, "m1000,4"},
		{STUB_EXPECT, "m2000,2"},
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "$T02thread:p01.01;#03"},
		{STUB_REPLY, "OK"},
		{STUB_REPLY, "00010203"},
		{STUB_REPLY, "f0f1"},
		/* Again, and one of them is not there. */
		{STUB_INTERRUPTED},
		{STUB_EXPECT, "m1000,4"},
		{STUB_EXPECT, "m2000,2"},
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "$T02thread:p01.02;#04"},
		{STUB_REPLY, "E14"},
		{STUB_REPLY, "e0e1"},
		/* A stop that comes afterwards is told of. */
		{STUB_RAW, "$T05thread:p01.02;#07"},
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "+"},
		/* One that came before, but was not asked for: the guest stands already. */
		{STUB_RAW, "$T05thread:p01.01;#06"},
		{STUB_INTERRUPTED},
		{STUB_EXPECT, "m1000,4"},
		{STUB_EXPECT, "m2000,2"},
		{STUB_EXPECT, "vCont;c"},
		{STUB_REPLY, "10111213"},
		{STUB_REPLY, "d0d1"},
		{STUB_RESYNC},
		{STUB_RAW, "$T02thread:p01.01;#03+$#00"},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_REPLY, "PacketSize=1000"},
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},
		{STUB_REPLY, "OK"},
		STUB_BYE,
		{STUB_END},
	};
	uint8_t first[4], second[2];
	struct rsp_read reads[] = {{.addr = 0x1000, .len = 4, .buf = first},
				   {.addr = 0x2000, .len = 2, .buf = second}};
	struct rsp_client *client;
	int64_t before, stopped = 0;
	struct rsp_stop stop;
	struct kt_error *err;
	struct stub *stub;

	(void)state;
	assert_no_error(connect_to(script, &options, &stub, &client));
	err = rsp_client_glance(client, RSP_PHYSICAL, reads, 2, &stopped);
	assert_int_equal(kt_error_code(err), KT_ERROR_PROTOCOL);
	kt_error_destroy(err);
	assert_no_error(rsp_client_resume(client, NULL, NULL, 0));
	before = kt_now_ns();
	assert_no_error(rsp_client_glance(client, RSP_PHYSICAL, reads, 2, &stopped));
	assert_memory_equal(first, "\x00\x01\x02\x03", 4);
	assert_memory_equal(second, "\xf0\xf1", 2);
	assert_true(stopped >= before && stopped <= kt_now_ns());
	assert_true(rsp_client_runs(client));
	assert_no_error(rsp_client_glance(client, RSP_PHYSICAL, reads, 2, &stopped));
	assert_true(reads[0].fault && !reads[1].fault);
	assert_memory_equal(second, "\xe0\xe1", 2);
	assert_no_error(rsp_client_wait(client, -1, &stop));
	assert_int_equal(stop.signal, 5);
	assert_string_equal(stop.thread->id, "p01.02");
	assert_false(rsp_client_runs(client));
	assert_no_error(rsp_client_resume(client, NULL, NULL, 0));
	assert_no_error(rsp_client_glance(client, RSP_PHYSICAL, reads, 2, &stopped));
	assert_false(reads[0].fault);
	assert_memory_equal(first, "\x10\x11\x12\x13", 4);
	rsp_client_destroy(client);
	assert_joined(stub);
}

/* A reply that is none: the guest may run by then, and detaching is what is left. */
static void test_bad_glance(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "+"},
		{STUB_INTERRUPTED},
		{STUB_EXPECT, "Hgp01.01"},
		{STUB_EXPECT, "m1000,4"},
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "$T02thread:p01.01;#03"},
		{STUB_REPLY, "OK"},
		{STUB_REPLY, "000102zz"},
		{STUB_RESYNC},
		{STUB_RAW, "$T02thread:p01.01;#03+$#00"},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_REPLY, "PacketSize=1000"},
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},
		{STUB_REPLY, "OK"},
		STUB_BYE,
		{STUB_END},
	};
	uint8_t bytes[4];
	struct rsp_read read = {.addr = 0x1000, .len = 4, .buf = bytes};
	struct rsp_client *client;
	struct kt_error *err;
	struct stub *stub;
	int64_t stopped;

	(void)state;
	assert_no_error(connect_to(script, &options, &stub, &client));
	assert_no_error(rsp_client_resume(client, NULL, NULL, 0));
	err = rsp_client_glance(client, RSP_VIRTUAL, &read, 1, &stopped);
	assert_int_equal(kt_error_code(err), KT_ERROR_PROTOCOL);
	kt_error_destroy(err);
	rsp_client_destroy(client);
	assert_joined(stub);
}

/* The user's Ctrl-C: the guest runs, and can be stopped in peace. */
static void test_cancel(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "+"},
		{STUB_INTERRUPTED},
		{STUB_RAW, "$T02thread:p01.01;#03"},
		{STUB_EXPECT, "z1,10,1"},
		{STUB_REPLY, "OK"},
		STUB_BYE,
		{STUB_END},
	};
	struct rsp_options o = options;
	struct rsp_client *client;
	struct rsp_stop stop;
	struct kt_error *err;
	struct stub *stub;
	int fds[2];

	(void)state;
	assert_return_code(pipe(fds), 0);
	o.cancel_fd = fds[0];
	assert_no_error(connect_to(script, &o, &stub, &client));
	assert_int_equal(rsp_client_cancel_only_waits(client), fds[0]);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_no_error(rsp_client_resume(client, NULL, NULL, 0));
	err = rsp_client_wait(client, -1, &stop);
	assert_int_equal(kt_error_code(err), KT_ERROR_CANCELLED);
	kt_error_destroy(err);
	assert_no_error(rsp_client_interrupt(client, &stop));
	assert_no_error(rsp_client_breakpoint(client, 16, 1, false));
	rsp_client_destroy(client);
	assert_joined(stub);
	close(fds[0]);
	close(fds[1]);
}

/* What a watchpoint's stop says; and what is no address is no write. */
static void test_watchpoints(void **state)
{
	static const struct {
		const char *reply;
		bool is_write;
		gaddr_t written;
	} cases[] = {
		{"T05thread:p01.02;watch:ffffffff83000010;", true, UINT64_C(0xffffffff83000010)},
		{"T05thread:p01.02;watch:10", true, 0x10},
		{"T05thread:p01.02;", false, 0},
		{"T05thread:p01.02;watch:;", false, 0},
		{"T05thread:p01.02;watch:10g;", false, 0},
		{"T05thread:p01.02;watch:11111111222222223;", false, 0},
		{"T05thread:p01.02;rwatch:10;", false, 0},
		{"T05watch:", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct stub_step script[] = {
			STUB_HELLO,
			{STUB_EXPECT, "Z2,ffffffff83000010,8"},
			{STUB_REPLY, "OK"},
			{STUB_EXPECT, "vCont;c"},
			{STUB_REPLY, cases[i].reply},
			{STUB_EXPECT, "z2,ffffffff83000010,8"},
			{STUB_REPLY, "OK"},
			{STUB_EXPECT, "Z2,ffffffff83000010,4"},
			{STUB_REPLY, "E22"},
			STUB_BYE,
			{STUB_END},
		};
		struct rsp_client *client;
		struct rsp_stop stop;
		struct kt_error *err;
		struct stub *stub;

		assert_no_error(connect_to(script, &options, &stub, &client));
		assert_no_error(
			rsp_client_watchpoint(client, UINT64_C(0xffffffff83000010), 8, true));
		assert_no_error(rsp_client_resume(client, NULL, NULL, 0));
		assert_no_error(rsp_client_wait(client, -1, &stop));
		assert_int_equal(stop.is_write, cases[i].is_write);
		assert_int_equal(stop.written, cases[i].written);
		assert_no_error(
			rsp_client_watchpoint(client, UINT64_C(0xffffffff83000010), 8, false));
		err = rsp_client_watchpoint(client, UINT64_C(0xffffffff83000010), 4, true);
		assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
		kt_error_destroy(err);
		assert_no_error(rsp_client_detach(client));
		rsp_client_destroy(client);
		assert_joined(stub);
	}
}

/* "W00": QEMU ends, and says so. */
static void test_qemu_ends(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "+"},
		{STUB_SLEEP, NULL, 20},
		{STUB_RAW, "$W00#b7"},
		{STUB_CLOSE},
		{STUB_END},
	};
	struct rsp_client *client;
	struct rsp_stop stop;
	struct kt_error *err;
	struct stub *stub;

	(void)state;
	assert_no_error(connect_to(script, &options, &stub, &client));
	assert_no_error(rsp_client_resume(client, NULL, NULL, 0));
	err = rsp_client_wait(client, -1, &stop);
	assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
	kt_error_destroy(err);
	rsp_client_destroy(client);
	assert_joined(stub);
}

/* It may end in the middle of a stop, too: instead of a reply, or behind the last one. */
static void test_qemu_ends_in_a_stop(void **state)
{
	static const struct stub_step instead[] = {
		STUB_HELLO, {STUB_EXPECT_ANY}, {STUB_RAW, "+$W00#b7"}, {STUB_CLOSE}, {STUB_END},
	};
	static const struct stub_step behind[] = {
		STUB_HELLO,   {STUB_EXPECT_ANY}, {STUB_RAW, "+$aa#c2$W00#b7"},
		{STUB_CLOSE}, {STUB_END},
	};
	const struct stub_step *const scripts[] = {behind, instead};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		uint8_t byte;
		struct rsp_read read = {.addr = 16, .len = 1, .buf = &byte};
		struct rsp_client *client;
		struct kt_error *err;
		struct stub *stub;

		assert_no_error(connect_to(scripts[i], &options, &stub, &client));
		err = rsp_client_read(client, RSP_VIRTUAL, &read, 1);
		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
		kt_error_destroy(err);
		rsp_client_destroy(client);
		assert_joined(stub);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_before_running),
		cmocka_unit_test(test_write_refused),
		cmocka_unit_test(test_wait_again),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_glance),
		cmocka_unit_test(test_bad_glance),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_watchpoints),
		cmocka_unit_test(test_qemu_ends),
		cmocka_unit_test(test_qemu_ends_in_a_stop),
	};

	return cmocka_run_group_tests_name("gdbrsp/run", tests, NULL, NULL);
}
