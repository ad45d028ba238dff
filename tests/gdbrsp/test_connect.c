// SPDX-License-Identifier: LGPL-2.1-or-later
/* What keeps a client from attaching, and what it then says. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/gdbrsp/visit.h"

#define FOUR_THREADS                                                                               \
	{STUB_EXPECT, "qsThreadInfo"}, {STUB_EXPECT, "qsThreadInfo"},                              \
		{STUB_EXPECT, "qsThreadInfo"},                                                     \
	{                                                                                          \
		STUB_EXPECT, "qsThreadInfo"                                                        \
	}

static void test_not_a_stub(void **state)
{
	static const struct stub_step ssh[] = {
		{STUB_RAW, "SSH-2.0-OpenSSH_9.2p1\r\n"}, {STUB_DRAIN}, {STUB_END}};
	static const struct stub_step binary[] = {
		{STUB_RAW, "\xff\xfd\x01\x1b[2J"}, {STUB_DRAIN}, {STUB_END}};
	static const struct stub_step bad_sum[] = {{STUB_RAW, "+$OK#00"}, {STUB_DRAIN}, {STUB_END}};
	static const struct stub_step no_size[] = {
		{STUB_REPLY, "PacketSize="}, {STUB_DRAIN}, {STUB_END}};
	static const struct stub_step bad_size[] = {
		{STUB_REPLY, "PacketSize=zz"}, {STUB_DRAIN}, {STUB_END}};
	static const struct stub_step tiny[] = {
		{STUB_REPLY, "PacketSize=10"}, {STUB_DRAIN}, {STUB_END}};
	static const struct stub_step big[] = {
		{STUB_REPLY, "PacketSize=fffffffffffffffff"}, {STUB_DRAIN}, {STUB_END}};

	(void)state;
	check_refused(ssh, &options, KT_ERROR_PROTOCOL,
		      "not a GDB stub: it says 'SSH-2.0-OpenSSH_9.2p1'");
	check_refused(binary, &options, KT_ERROR_PROTOCOL, "not a GDB stub");
	check_refused(bad_sum, &options, KT_ERROR_PROTOCOL, "checksum");
	check_refused(no_size, &options, KT_ERROR_PROTOCOL, "PacketSize");
	check_refused(bad_size, &options, KT_ERROR_PROTOCOL, "PacketSize=zz");
	check_refused(tiny, &options, KT_ERROR_PROTOCOL, "PacketSize=10");
	check_refused(big, &options, KT_ERROR_PROTOCOL, "PacketSize=ffff");
}

static void test_hang_ups(void **state)
{
	static const struct stub_step at_once[] = {{STUB_CLOSE}, {STUB_END}};
	static const struct stub_step in_packet[] = {
		{STUB_RESYNC}, {STUB_RAW, "+$Packe"}, {STUB_CLOSE}, {STUB_END}};
	static const struct stub_step greeted[] = {
		{STUB_REPLY, "PacketSize=1000"}, {STUB_CLOSE}, {STUB_END}};

	(void)state;
	check_refused(at_once, &options, KT_ERROR_CLOSED, "closed the connection");
	check_refused(in_packet, &options, KT_ERROR_CLOSED, "closed the connection");
	check_refused(greeted, &options, KT_ERROR_CLOSED, "closed the connection");
}

/* Another debugger is attached: silence. What was said must end with a detach, for later. */
static void test_silence(void **state)
{
	static const struct stub_step script[] = {
		{STUB_SLEEP, NULL, 2 * SHORT_MS},
		{STUB_RESYNC},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_EXPECT, "?"},
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},
		{STUB_EXPECT, "qfThreadInfo"},
		FOUR_THREADS,
		{STUB_EXPECT, "D;1"},
		{STUB_END},
	};
	struct rsp_client *client = NULL;
	int64_t start = kt_now_ns();
	struct kt_error *err;
	struct stub *stub;

	(void)state;
	err = connect_to(script, &impatient, &stub, &client);
	assert_non_null(err);
	assert_true(kt_now_ns() - start >= SHORT_MS * INT64_C(1000000));
	assert_int_equal(kt_error_code(err), KT_ERROR_TIMEOUT);
	assert_non_null(strstr(kt_error_message(err), "silent"));
	assert_non_null(strstr(kt_error_hint_text(err), "another one"));
	kt_error_destroy(err);
	assert_joined(stub);
}

/* A stub that speaks, only too slowly: no byte may give it more time. */
static void test_trickle(void **state)
{
	static const struct stub_step script[] = {
		{STUB_DRIP, "++++++++++++++++++++++++++++++++++++++++++++++++++", 10},
		{STUB_DRAIN},
		{STUB_END}};
	int64_t start = kt_now_ns();

	(void)state;
	/* It was heard, so that the detach is tried in earnest: two seconds. */
	check_refused(script, &impatient, KT_ERROR_TIMEOUT, "silent");
	assert_true(kt_now_ns() - start < 4000 * INT64_C(1000000));
}

static void test_bad_threads(void **state)
{
#define HELLO_TO_THREADS                                                                           \
	{STUB_RESYNC}, {STUB_RAW, "$T02#b6"}, {STUB_REPLY, "PacketSize=1000"},                     \
		{STUB_REPLY, "T05"},                                                               \
	{                                                                                          \
		STUB_REPLY, "OK"                                                                   \
	}
	static const struct stub_step none[] = {HELLO_TO_THREADS,  {STUB_REPLY, "l"},
						{STUB_REPLY, "l"}, {STUB_REPLY, "l"},
						{STUB_REPLY, "l"}, {STUB_REPLY, "l"},
						{STUB_CLOSE},      {STUB_END}};
	static const struct stub_step odd[] = {
		HELLO_TO_THREADS, {STUB_REPLY, "mp01.01;c"}, {STUB_CLOSE}, {STUB_END}};
	static const struct stub_step empty[] = {
		HELLO_TO_THREADS, {STUB_REPLY, "m"}, {STUB_CLOSE}, {STUB_END}};
	static const struct stub_step trailing[] = {
		HELLO_TO_THREADS, {STUB_REPLY, "mp01.01,"}, {STUB_CLOSE}, {STUB_END}};
	static const struct stub_step longer[] = {HELLO_TO_THREADS,
						  {STUB_REPLY, "mp01.0000000000000000000000000000"},
						  {STUB_CLOSE},
						  {STUB_END}};
	static const struct stub_step many[] = {
		HELLO_TO_THREADS, {STUB_HUGE, "m1,", 1}, {STUB_DRAIN}, {STUB_END}};

	(void)state;
	check_refused(none, &options, KT_ERROR_PROTOCOL, "no threads");
	check_refused(odd, &options, KT_ERROR_PROTOCOL, "threads");
	check_refused(empty, &options, KT_ERROR_PROTOCOL, "threads");
	check_refused(trailing, &options, KT_ERROR_PROTOCOL, "threads");
	check_refused(longer, &options, KT_ERROR_PROTOCOL, "threads");
	check_refused(many, &options, KT_ERROR_PROTOCOL, "threads");
}

static void test_cancelled_before(void **state)
{
	static const struct stub_step script[] = {{STUB_DRAIN}, {STUB_END}};
	struct rsp_options o = {.timeout_ms = 2000};
	int cancel[2];

	(void)state;
	assert_int_equal(pipe(cancel), 0);
	assert_int_equal(write(cancel[1], "x", 1), 1);
	o.cancel_fd = cancel[0];
	check_refused(script, &o, KT_ERROR_CANCELLED, "interrupted");
	close(cancel[0]);
	close(cancel[1]);
}

/* Nobody there: the errno, and what QEMU needs. */
static void test_nobody_listens(void **state)
{
	struct rsp_target target;
	struct rsp_client *client;
	struct kt_error *err;

	(void)state;
	assert_null(rsp_target_parse("unix:/nonexistent/gdb.sock", &target));
	err = rsp_client_connect(&target, &options, &client);
	assert_int_equal(kt_error_code(err), KT_ERROR_OS);
	assert_int_equal(kt_error_errno(err), ENOENT);
	assert_non_null(strstr(kt_error_message(err), "unix:/nonexistent/gdb.sock"));
	assert_non_null(strstr(kt_error_hint_text(err), "-s"));
	kt_error_destroy(err);
	rsp_target_deinit(&target);
}

/* A Unix socket whose queue is full gives EAGAIN, not a wait: two debuggers are there already. */
static void test_full_queue(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	char dir[] = "/tmp/ktstr-test-XXXXXX", text[80];
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int waiting[2];
	struct rsp_target target;
	struct rsp_client *client;
	struct kt_error *err;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", dir);
	snprintf(text, sizeof(text), "unix:%s/s", dir);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 0), 0);
	waiting[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(waiting[0], (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_null(rsp_target_parse(text, &target));
	err = rsp_client_connect(&target, &impatient, &client);
	assert_int_equal(kt_error_code(err), KT_ERROR_TIMEOUT);
	assert_non_null(strstr(kt_error_hint_text(err), "another one"));
	kt_error_destroy(err);
	rsp_target_deinit(&target);
	close(waiting[0]);
	close(listener);
	unlink(addr.sun_path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_a_stub),     cmocka_unit_test(test_hang_ups),
		cmocka_unit_test(test_silence),        cmocka_unit_test(test_trickle),
		cmocka_unit_test(test_bad_threads),    cmocka_unit_test(test_cancelled_before),
		cmocka_unit_test(test_nobody_listens), cmocka_unit_test(test_full_queue),
	};

	return cmocka_run_group_tests_name("gdbrsp/connect", tests, NULL, NULL);
}
