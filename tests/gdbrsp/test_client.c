// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a client meets while it comes and goes. Failed attaches: test_connect. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/gdbrsp/visit.h"

/* Connects, looks whether the guest ran, and leaves. */
static void check_visit(const struct stub_step *script, bool was_running)
{
	struct rsp_client *client;
	struct stub *stub;

	assert_no_error(connect_to(script, &options, &stub, &client));
	assert_int_equal(rsp_client_was_running(client), was_running);
	assert_no_error(rsp_client_detach(client));
	rsp_client_destroy(client);
	assert_joined(stub);
}

/* QEMU 7.2, guest running: T02 comes unasked. */
static void test_running_guest(void **state)
{
	static const struct stub_step script[] = {STUB_HELLO, STUB_BYE, {STUB_END}};
	struct rsp_client *client;
	const struct rsp_thread *threads;
	struct stub *stub;
	size_t n;

	(void)state;
	assert_no_error(connect_to(script, &options, &stub, &client));
	assert_true(rsp_client_was_running(client));
	assert_true(rsp_client_has_physical(client));
	assert_no_error(rsp_client_threads(client, &threads, &n));
	assert_int_equal(n, 2);
	assert_string_equal(threads[0].id, "p01.01");
	assert_string_equal(threads[1].id, "p01.02");
	assert_no_error(rsp_client_detach(client));
	assert_true(rsp_client_stats(client)->greeting_ns > 0);
	assert_true(rsp_client_stats(client)->pause_ns > rsp_client_stats(client)->greeting_ns);
	assert_int_equal(rsp_client_stats(client)->requests, 9);
	/* The handshake is one round trip, the detach another. */
	assert_int_equal(rsp_client_stats(client)->round_trips, 2);
	/* A second detach has nothing to do, and nothing to complain about. */
	assert_no_error(rsp_client_detach(client));
	rsp_client_destroy(client);
	assert_joined(stub);
}

#define ASK_VERSION                                                                                \
	{                                                                                          \
		STUB_EXPECT, "qRcmd,696e666f2076657273696f6e"                                      \
	}

/* No T02: QEMU 7.2's monitor tells that it would have come (output "7.2.22..."). */
static void test_paused_guest(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO_SIZE("1000"), ASK_VERSION, {STUB_REPLY, "O372e322e3232446562690d0a"},
		{STUB_REPLY, "OK"},      STUB_BYE,    {STUB_END},
	};

	(void)state;
	check_visit(script, false);
}

/* QEMU 9.2 ("392e322e30") sends none: nobody can tell. So it is, too, without an answer. */
static void test_unknown_guest(void **state)
{
	static const struct stub_step new_qemu[] = {
		STUB_HELLO_SIZE("1000"), ASK_VERSION, {STUB_REPLY, "O392e322e30"},
		{STUB_REPLY, "OK"},      STUB_BYE,    {STUB_END},
	};
	static const struct stub_step no_monitor[] = {
		STUB_HELLO_SIZE("1000"), ASK_VERSION, {STUB_REPLY, ""}, STUB_BYE, {STUB_END},
	};
	static const struct stub_step newer_qemu[] = {
		/* 11.1 */
		STUB_HELLO_SIZE("20020"),
		STUB_BYE,
		{STUB_END},
	};

	(void)state;
	check_visit(new_qemu, true);
	check_visit(no_monitor, true);
	check_visit(newer_qemu, true);
}

/* A client before us died in the middle of a packet: the stub naks what ends it. */
static void test_parser_left_in_packet(void **state)
{
	static const struct stub_step script[] = {
		{STUB_RAW, "-+$E22#a9"},
		STUB_HELLO,
		STUB_BYE,
		{STUB_END},
	};

	(void)state;
	check_visit(script, true);
}

/* Everything from the stub in one write, and byte by byte. */
static void test_glued_and_dripping(void **state)
{
#define EXPECT_HELLO                                                                               \
	{STUB_RESYNC}, {STUB_EXPECT, "qSupported:multiprocess+"}, {STUB_EXPECT, "?"},              \
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},                                               \
	{                                                                                          \
		STUB_EXPECT, "qfThreadInfo"                                                        \
	}
#define FOUR_THREADS                                                                               \
	{STUB_EXPECT, "qsThreadInfo"}, {STUB_EXPECT, "qsThreadInfo"},                              \
		{STUB_EXPECT, "qsThreadInfo"},                                                     \
	{                                                                                          \
		STUB_EXPECT, "qsThreadInfo"                                                        \
	}
#define ALL_REPLIES                                                                                \
	"$T02thread:01;#04+$#00+$PacketSize=1000#f1+$T05thread:p01.01;#06+$OK#9a+$mp01.01#cd"      \
	"+$l#6c+$l#6c+$l#6c+$l#6c"
	static const struct stub_step glued[] = {
		EXPECT_HELLO, FOUR_THREADS, {STUB_RAW, ALL_REPLIES}, STUB_BYE, {STUB_END},
	};
	static const struct stub_step dripping[] = {
		EXPECT_HELLO, FOUR_THREADS, {STUB_DRIP, ALL_REPLIES}, STUB_BYE, {STUB_END},
	};

	(void)state;
	check_visit(glued, true);
	check_visit(dripping, true);
}

/* Stop replies that nobody asked for, and notifications, mean nothing in between. */
static void test_unasked_packets(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO, {STUB_RAW, "$T05thread:p01.01;#06"}, {STUB_RAW, "%x#78"}, STUB_BYE,
		{STUB_END},
	};

	(void)state;
	check_visit(script, true);
}

static void test_no_physical_mode(void **state)
{
	static const struct stub_step script[] = {
		{STUB_RESYNC},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_RAW, "$T02#b6"},
		{STUB_REPLY, "PacketSize=4000"},
		{STUB_EXPECT, "?"},
		{STUB_REPLY, "S05"},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, ""},
		STUB_THREADS,
		STUB_BYE,
		{STUB_END},
	};
	struct rsp_read read = {.addr = 0, .len = 1, .buf = &read};
	struct rsp_client *client;
	struct kt_error *err;
	struct stub *stub;

	(void)state;
	assert_no_error(connect_to(script, &options, &stub, &client));
	assert_false(rsp_client_has_physical(client));
	err = rsp_client_read(client, RSP_PHYSICAL, &read, 1);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	kt_error_destroy(err);
	assert_no_error(rsp_client_detach(client));
	rsp_client_destroy(client);
	assert_joined(stub);
}

/* More vCPUs than are asked for at first. */
static void test_many_threads(void **state)
{
	static const struct stub_step script[] = {
		{STUB_RESYNC},
		{STUB_RAW, "$T02#b6"},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, "PacketSize=1000"},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, "T05"},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "qfThreadInfo"},
		{STUB_REPLY, "mp2.1"},
		{STUB_EXPECT, "qsThreadInfo"},
		{STUB_REPLY, "mp2.2,p2.3"},
		{STUB_EXPECT, "qsThreadInfo"},
		{STUB_REPLY, "mp2.4"},
		{STUB_EXPECT, "qsThreadInfo"},
		{STUB_REPLY, "mp2.5"},
		{STUB_EXPECT, "qsThreadInfo"},
		{STUB_REPLY, "mp2.6"},
		{STUB_EXPECT, "qsThreadInfo"},
		{STUB_REPLY, "l"},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, "l"},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, "l"},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, "l"},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, "l"},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, "l"},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, "l"},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, "l"},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, "l"},
		{STUB_EXPECT, "D;2"},
		{STUB_REPLY, "OK"},
		{STUB_END},
	};
	const struct rsp_thread *threads;
	struct rsp_client *client;
	struct stub *stub;
	size_t n;

	(void)state;
	assert_no_error(connect_to(script, &options, &stub, &client));
	assert_no_error(rsp_client_threads(client, &threads, &n));
	assert_int_equal(n, 6);
	assert_string_equal(threads[5].id, "p2.6");
	rsp_client_destroy(client);
	assert_joined(stub);
}

static void test_detach_refused(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO, {STUB_EXPECT, "D;01"}, {STUB_REPLY, "E22"}, {STUB_END}};
	static const struct stub_step closing[] = {
		STUB_HELLO, {STUB_EXPECT, "D;01"}, {STUB_CLOSE}, {STUB_END}};
	struct rsp_client *client;
	struct kt_error *err;
	struct stub *stub;

	(void)state;
	assert_no_error(connect_to(script, &options, &stub, &client));
	err = rsp_client_detach(client);
	assert_int_equal(kt_error_code(err), KT_ERROR_PROTOCOL);
	assert_non_null(strstr(kt_error_message(err), "E22"));
	assert_non_null(strstr(kt_error_hint_text(err), "cont"));
	kt_error_destroy(err);
	rsp_client_destroy(client);
	assert_joined(stub);

	assert_no_error(connect_to(closing, &options, &stub, &client));
	err = rsp_client_detach(client);
	assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
	kt_error_destroy(err);
	rsp_client_destroy(client);
	assert_joined(stub);
}

/* Who forgets to detach gets it done; leave_stopped leaves breakpoints away and no D. */
static void test_destroy_detaches(void **state)
{
	static const struct stub_step script[] = {STUB_HELLO, STUB_BYE, {STUB_END}};
	struct rsp_client *client;
	struct stub *stub;

	(void)state;
	assert_no_error(connect_to(script, &options, &stub, &client));
	rsp_client_destroy(client);
	assert_joined(stub);
	rsp_client_destroy(NULL);
}

static void test_leave_stopped(void **state)
{
	static const struct stub_step script[] = {STUB_HELLO,
						  {STUB_EXPECT, "Qqemu.PhyMemMode:1"},
						  {STUB_REPLY, "OK"},
						  {STUB_MEMORY, NULL, 1},
						  {STUB_EXPECT, "Qqemu.PhyMemMode:0"},
						  {STUB_REPLY, "OK"},
						  {STUB_EXPECT, "?"},
						  {STUB_REPLY, "T05"},
						  {STUB_END}};
	struct rsp_options o = options;
	struct rsp_client *client;
	struct stub *stub;
	char byte = 'x';
	struct rsp_read read = {.addr = 0x1234, .len = 1, .buf = &byte};

	(void)state;
	o.leave_stopped = true;
	struct kt_error *e = connect_to(script, &o, &stub, &client);
	if (e)
		fail_msg("%s", stub_join(stub));
	assert_no_error(rsp_client_read(client, RSP_PHYSICAL, &read, 1));
	assert_int_equal(byte, 0x34);
	assert_no_error(rsp_client_detach(client));
	rsp_client_destroy(client);
	assert_joined(stub);
}

/* Cancelled in the middle of a reply: what is left of it is waited out, then it is goodbye. */
static void test_detach_after_cancel(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "Qqemu.PhyMemMode:1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "m0,800"},
		{STUB_RAW, "+$0011"},
		{STUB_EXPECT, "m800,800"},
		{STUB_RESYNC},
		{STUB_RAW, "2233#50"},
		{STUB_REPLY, "44"},
		{STUB_RAW, "--+$#00"},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_REPLY, "PacketSize=1000"},
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},
		{STUB_REPLY, "OK"},
		STUB_BYE,
		{STUB_END},
	};
	struct rsp_options o = {.timeout_ms = 2000};
	static char buf[0x1000];
	struct rsp_read read = {.len = sizeof(buf), .buf = buf};
	struct rsp_client *client;
	struct kt_error *err;
	struct stub *stub;
	int cancel[2];

	(void)state;
	assert_int_equal(pipe(cancel), 0);
	o.cancel_fd = cancel[0];
	assert_no_error(connect_to(script, &o, &stub, &client));
	assert_int_equal(write(cancel[1], "x", 1), 1);
	err = rsp_client_read(client, RSP_PHYSICAL, &read, 1);
	assert_int_equal(kt_error_code(err), KT_ERROR_CANCELLED);
	kt_error_destroy(err);
	/* Nothing but the detach works from here. */
	err = rsp_client_read(client, RSP_PHYSICAL, &read, 1);
	assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
	kt_error_destroy(err);
	assert_no_error(rsp_client_detach(client));
	rsp_client_destroy(client);
	assert_joined(stub);
	close(cancel[0]);
	close(cancel[1]);
}

/* The same after a deadline, with a reply that comes too late, and a broken one. */
static void test_detach_after_timeout(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "m0,8"},
		{STUB_SLEEP, NULL, 2 * SHORT_MS},
		{STUB_REPLY, "0011223344556677"},
		{STUB_RAW, "$zz#00garbage"},
		{STUB_RESYNC},
		{STUB_RAW, "+$#00"},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_REPLY, "PacketSize=1000"},
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},
		{STUB_REPLY, "OK"},
		STUB_BYE,
		{STUB_END},
	};
	struct rsp_client *client;
	struct kt_error *err;
	struct stub *stub;
	char buf[8];
	struct rsp_read read = {.len = 8, .buf = buf};

	(void)state;
	assert_no_error(connect_to(script, &impatient, &stub, &client));
	err = rsp_client_read(client, RSP_VIRTUAL, &read, 1);
	assert_int_equal(kt_error_code(err), KT_ERROR_TIMEOUT);
	kt_error_destroy(err);
	assert_no_error(rsp_client_detach(client));
	rsp_client_destroy(client);
	assert_joined(stub);
}

/* What `watch` does: break, look, step over, run on; and Ctrl-C while the guest runs. */
static void test_run(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		{STUB_EXPECT, "Z1,ffffffff81000000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "+"},
		{STUB_SLEEP, NULL, 5},
		{STUB_RAW, "$T05thread:p01.02;#07"},
		{STUB_EXPECT, "z1,ffffffff81000000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "vCont;s:p01.02"},
		{STUB_REPLY, "T05thread:p01.02;"},
		{STUB_EXPECT, "Z1,1,1"},
		{STUB_REPLY, "E22"},
		/* The stub stands at the vCPU that stopped: reads are to go through the first. */
		{STUB_EXPECT, "Hgp01.01"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "m0,1"},
		{STUB_REPLY, "00"},
		{STUB_EXPECT, "vCont;c"},
		{STUB_RAW, "+"},
		/* QEMU takes the first byte for a stop, and drops the others up to a `$`. */
		{STUB_RESYNC},
		{STUB_RAW, "$T02thread:p01.01;#03+$#00"},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_REPLY, "PacketSize=1000"},
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},
		{STUB_QUIET},
		{STUB_REPLY, "OK"},
		STUB_BYE,
		{STUB_END},
	};
	struct rsp_client *client;
	struct rsp_stop stop;
	struct kt_error *err;
	struct stub *stub;
	char byte;
	struct rsp_read read = {.len = 1, .buf = &byte};

	(void)state;
	assert_no_error(connect_to(script, &options, &stub, &client));
	assert_no_error(rsp_client_breakpoint(client, UINT64_C(0xffffffff81000000), 1, true));
	assert_no_error(rsp_client_resume(client, NULL, NULL, 0));
	assert_no_error(rsp_client_wait(client, -1, &stop));
	assert_int_equal(stop.signal, 5);
	assert_string_equal(stop.thread->id, "p01.02");
	assert_no_error(rsp_client_breakpoint(client, UINT64_C(0xffffffff81000000), 1, false));
	assert_no_error(rsp_client_step(client, stop.thread, &stop));
	err = rsp_client_breakpoint(client, 1, 1, true);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	kt_error_destroy(err);
	assert_no_error(rsp_client_read(client, RSP_VIRTUAL, &read, 1));
	assert_no_error(rsp_client_resume(client, NULL, NULL, 0));
	err = rsp_client_wait(client, 20000000, &stop);
	assert_int_equal(kt_error_code(err), KT_ERROR_TIMEOUT);
	kt_error_destroy(err);
	assert_no_error(rsp_client_detach(client));
	rsp_client_destroy(client);
	assert_joined(stub);
}

static void test_trace(void **state)
{
	static const struct stub_step script[] = {STUB_HELLO, STUB_BYE, {STUB_END}};
	struct rsp_options o = options;
	struct rsp_client *client;
	struct stub *stub;
	char *text;
	size_t len;

	(void)state;
	o.trace = open_memstream(&text, &len);
	assert_no_error(connect_to(script, &o, &stub, &client));
	assert_no_error(rsp_client_detach(client));
	rsp_client_destroy(client);
	fclose(o.trace);
	assert_non_null(strstr(text, "> #00#00$#00\n> qSupported:multiprocess+\n> ?\n"));
	assert_non_null(strstr(text, "< T02thread:01;\n"));
	assert_non_null(strstr(text, "> D;01\n< OK\n"));
	free(text);
	assert_joined(stub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_running_guest),
		cmocka_unit_test(test_paused_guest),
		cmocka_unit_test(test_unknown_guest),
		cmocka_unit_test(test_parser_left_in_packet),
		cmocka_unit_test(test_glued_and_dripping),
		cmocka_unit_test(test_unasked_packets),
		cmocka_unit_test(test_no_physical_mode),
		cmocka_unit_test(test_many_threads),
		cmocka_unit_test(test_detach_refused),
		cmocka_unit_test(test_destroy_detaches),
		cmocka_unit_test(test_leave_stopped),
		cmocka_unit_test(test_detach_after_cancel),
		cmocka_unit_test(test_detach_after_timeout),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_trace),
	};

	return cmocka_run_group_tests_name("gdbrsp/client", tests, NULL, NULL);
}
