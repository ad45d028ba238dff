// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who is interrupted, wherever that is, leaves a guest that runs: the last that the stub gets
 * is a whole detach that names a process. (A bare `D` is refused by QEMU in multiprocess mode,
 * and a hang-up leaves the guest stopped.)
 *
 * The interrupt comes from the stub, as it reads a request; it then says nothing more before
 * the client has given up, so that no test depends on who is faster.
 */
#include <unistd.h>

#include "tests/gdbrsp/visit.h"

static int interrupt_pipe[2];

/* Interrupts as the next request comes, which is left for the next step. */
static const char *interrupt(const char *request)
{
	(void)request;
	if (write(interrupt_pipe[1], "x", 1) != 1)
		return "no interrupt";
	return NULL;
}

#define INTERRUPT                                                                                  \
	{                                                                                          \
		STUB_SERVE, .serve = interrupt                                                     \
	}

/* So late does an answer come that is late; well within the grace of 2 s that it has. */
#define LATE_MS 60

#define SUPPORTED "PacketSize=1000;qXfer:features:read+;multiprocess+"

#define FOUR_THREADS                                                                               \
	{STUB_EXPECT, "qsThreadInfo"}, {STUB_EXPECT, "qsThreadInfo"},                              \
		{STUB_EXPECT, "qsThreadInfo"},                                                     \
	{                                                                                          \
		STUB_EXPECT, "qsThreadInfo"                                                        \
	}

/* What the client says before anything was answered, after its first request. */
#define EXPECT_REST_OF_HELLO                                                                       \
	{STUB_EXPECT, "?"}, {STUB_EXPECT, "Qqemu.PhyMemMode:0"}, {STUB_EXPECT, "qfThreadInfo"},    \
		FOUR_THREADS

/* The client starts over. */
#define EXPECT_SYNC                                                                                \
	{STUB_RESYNC},                                                                             \
	{                                                                                          \
		STUB_EXPECT, "qSupported:multiprocess+"                                            \
	}

#define ANSWER_SYNC                                                                                \
	{STUB_RAW, "-+$#00"},                                                                      \
	{                                                                                          \
		STUB_REPLY, SUPPORTED                                                              \
	}

#define OK                                                                                         \
	{                                                                                          \
		STUB_REPLY, "OK"                                                                   \
	}

static struct rsp_options make_interruptible(void)
{
	assert_int_equal(pipe(interrupt_pipe), 0);
	return (struct rsp_options){.timeout_ms = 20000, .cancel_fd = interrupt_pipe[0]};
}

static void close_interrupt(void)
{
	close(interrupt_pipe[0]);
	close(interrupt_pipe[1]);
}

static void check_connect(const struct stub_step *script)
{
	struct rsp_options o = make_interruptible();

	check_refused(script, &o, KT_ERROR_CANCELLED, "interrupted");
	close_interrupt();
}

static struct kt_error *read_registers(struct rsp_client *client)
{
	const char *const names[] = {"rip", "cr3"};
	const struct rsp_thread *threads;
	uint64_t values[4];
	size_t n;

	assert_no_error(rsp_client_threads(client, &threads, &n));
	assert_int_equal(n, 2);
	return rsp_client_registers(client, threads, n, names, 2, values);
}

static struct kt_error *read_memory(struct rsp_client *client, enum rsp_space space)
{
	static char buf[0x1000];
	struct rsp_read read = {.addr = 0x1000, .len = sizeof(buf), .buf = buf};

	return rsp_client_read(client, space, &read, 1);
}

static struct kt_error *read_virtual(struct rsp_client *client)
{
	return read_memory(client, RSP_VIRTUAL);
}

static struct kt_error *read_physical(struct rsp_client *client)
{
	return read_memory(client, RSP_PHYSICAL);
}

/* An interrupt in what is done after a connect that went well. */
static void check_interrupted(const struct stub_step *script,
			      struct kt_error *(*work)(struct rsp_client *client))
{
	struct rsp_options o = make_interruptible();
	struct rsp_client *client;
	struct kt_error *err;
	struct stub *stub;

	assert_no_error(connect_to(script, &o, &stub, &client));
	err = work(client);
	assert_non_null(err);
	if (kt_error_code(err) != KT_ERROR_CANCELLED)
		fail_msg("%d: %s", kt_error_code(err), kt_error_message(err));
	kt_error_destroy(err);
	assert_no_error(rsp_client_detach(client));
	rsp_client_destroy(client);
	assert_joined(stub);
	close_interrupt();
}

/* The first answer takes its time: no hang-up before it, and `D;1` after it. */
static void test_before_first_reply(void **state)
{
#define LATE_ANSWER                                                                                \
	{STUB_SLEEP, NULL, LATE_MS}, ANSWER_SYNC, {STUB_REPLY, "T05thread:p01.01;"}, EXPECT_SYNC,  \
		{STUB_QUIET}, ANSWER_SYNC, {STUB_EXPECT, "D;1"}, OK,                               \
	{                                                                                          \
		STUB_END                                                                           \
	}
	static const struct stub_step silent[] = {
		{STUB_RESYNC},        INTERRUPT,   {STUB_EXPECT, "qSupported:multiprocess+"},
		EXPECT_REST_OF_HELLO, LATE_ANSWER,
	};
	/* Up to QEMU 8.0 a running guest is announced, before and apart from any answer. */
	static const struct stub_step announced[] = {
		{STUB_RAW, "$T02thread:01;#04"},           {STUB_RESYNC},        INTERRUPT,
		{STUB_EXPECT, "qSupported:multiprocess+"}, EXPECT_REST_OF_HELLO, LATE_ANSWER,
	};
	/* Half of the first answer is there. */
	static const struct stub_step halfway[] = {
		{STUB_RESYNC},
		INTERRUPT,
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_RAW, "-+$#00+$PacketS"},
		EXPECT_REST_OF_HELLO,
		{STUB_SLEEP, NULL, LATE_MS},
		{STUB_RAW, "ize=1000#f1"},
		EXPECT_SYNC,
		{STUB_QUIET},
		ANSWER_SYNC,
		{STUB_EXPECT, "D;1"},
		OK,
		{STUB_END},
	};

	(void)state;
	check_connect(silent);
	check_connect(announced);
	check_connect(halfway);
}

/* No answer at all, for longer than anybody waits: the detach is there for when it comes. */
static void test_no_reply(void **state)
{
	static const struct stub_step script[] = {
		{STUB_RESYNC},
		INTERRUPT,
		{STUB_EXPECT, "qSupported:multiprocess+"},
		EXPECT_REST_OF_HELLO,
		{STUB_EXPECT, "D;1"},
		{STUB_END},
	};
	/* An ack shows that somebody reads; it is no answer. */
	static const struct stub_step acked[] = {
		{STUB_RESYNC},
		INTERRUPT,
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_RAW, "+"},
		EXPECT_REST_OF_HELLO,
		EXPECT_SYNC,
		{STUB_EXPECT, "D;1"},
		{STUB_END},
	};

	(void)state;
	check_connect(script);
	check_connect(acked);
}

/* What may come between the sync and the detach. */
static const char *until_detach(const char *request)
{
	if (!strcmp(request, "qSupported:multiprocess+"))
		return SUPPORTED;
	return strcmp(request, "Qqemu.PhyMemMode:0") ? NULL : "OK";
}

/* The stub's process has no name yet: it is 1. */
static void test_in_greeting(void **state)
{
#define SUPPORT                                                                                    \
	{STUB_RESYNC}, {STUB_EXPECT, "qSupported:multiprocess+"}, {STUB_RAW, "-+$#00"},            \
	{                                                                                          \
		STUB_REPLY, SUPPORTED                                                              \
	}
#define LEAVE_FROM_GREETING                                                                        \
	{STUB_RESYNC}, {STUB_REPLY, "l"}, {STUB_RAW, "-+$#00"},                                    \
		{STUB_SERVE, .serve = until_detach}, {STUB_EXPECT, "D;1"}, OK,                     \
	{                                                                                          \
		STUB_END                                                                           \
	}
	static const struct stub_step at_stop_query[] = {SUPPORT, INTERRUPT, EXPECT_REST_OF_HELLO,
							 LEAVE_FROM_GREETING};
	static const struct stub_step at_mode[] = {
		SUPPORT,
		{STUB_EXPECT, "?"},
		{STUB_REPLY, "T05thread:p01.01;"},
		INTERRUPT,
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},
		{STUB_EXPECT, "qfThreadInfo"},
		FOUR_THREADS,
		LEAVE_FROM_GREETING,
	};
	static const struct stub_step in_thread[] = {
		SUPPORT,
		{STUB_EXPECT, "?"},
		{STUB_REPLY, "T05thread:p01.01;"},
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},
		OK,
		INTERRUPT,
		{STUB_EXPECT, "qfThreadInfo"},
		{STUB_RAW, "+$mp01."},
		FOUR_THREADS,
		{STUB_RESYNC},
		{STUB_RAW, "01#cd"},
		{STUB_SERVE, .serve = until_detach},
		{STUB_EXPECT, "D;1"},
		OK,
		{STUB_END},
	};
	static const struct stub_step at_next_thread[] = {
		SUPPORT,
		{STUB_EXPECT, "?"},
		{STUB_REPLY, "T05thread:p01.01;"},
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"},
		OK,
		{STUB_EXPECT, "qfThreadInfo"},
		{STUB_REPLY, "mp01.01"},
		INTERRUPT,
		FOUR_THREADS,
		LEAVE_FROM_GREETING,
	};
	static const struct stub_step at_version[] = {
		STUB_HELLO_SIZE("1000"),
		INTERRUPT,
		{STUB_EXPECT, "qRcmd,696e666f2076657273696f6e"},
		{STUB_REPLY, "O372e322e3232446562690d0a"},
		LEAVE_FROM_GREETING,
	};

	(void)state;
	check_connect(at_stop_query);
	check_connect(at_mode);
	check_connect(in_thread);
	check_connect(at_next_thread);
	check_connect(at_version);
}

/* From here on the process has the name that the stub gave it, 01. */
#define LEAVE                                                                                      \
	EXPECT_SYNC, {STUB_EXPECT, "Qqemu.PhyMemMode:0"}, {STUB_QUIET}, ANSWER_SYNC, OK,           \
		{STUB_EXPECT, "D;01"}, OK,                                                         \
	{                                                                                          \
		STUB_END                                                                           \
	}

static void test_in_target_xml(void **state)
{
#define EXPECT_XML                                                                                 \
	{STUB_EXPECT, "qXfer:features:read:target.xml:0,7fd"},                                     \
		{STUB_EXPECT, "qXfer:features:read:i386-64bit.xml:0,7fd"}, EXPECT_MORE_XML
#define EXPECT_MORE_XML                                                                            \
	{STUB_EXPECT, "qXfer:features:read:i386-64bit.xml:7fd,7fd"},                               \
		{STUB_EXPECT, "qXfer:features:read:i386-64bit.xml:ffa,7fd"},                       \
		{STUB_EXPECT, "qXfer:features:read:i386-64bit.xml:17f7,7fd"},                      \
	{                                                                                          \
		STUB_EXPECT, "qXfer:features:read:i386-64bit.xml:1ff4,7fd"                         \
	}
#define TARGET_XML "l<target><xi:include href=\"i386-64bit.xml\"/></target>"
	static const struct stub_step at_first[] = {STUB_HELLO, INTERRUPT, EXPECT_XML, LEAVE};
	/* What was asked is answered late, before the sync. */
	static const struct stub_step late[] = {
		STUB_HELLO,
		INTERRUPT,
		EXPECT_XML,
		{STUB_RESYNC},
		{STUB_REPLY, TARGET_XML},
		{STUB_REPLY, "l<reg name=\"rip\" bitsize=\"64\"/>"},
		{STUB_REPLY, "E00"},
		{STUB_RAW, "-+$#00"},
		{STUB_SERVE, .serve = until_detach},
		{STUB_EXPECT, "D;01"},
		OK,
		{STUB_END},
	};
	static const struct stub_step in_document[] = {
		STUB_HELLO,
		{STUB_EXPECT, "qXfer:features:read:target.xml:0,7fd"},
		{STUB_REPLY, TARGET_XML},
		INTERRUPT,
		{STUB_EXPECT, "qXfer:features:read:i386-64bit.xml:0,7fd"},
		{STUB_RAW, "+$m<reg name=\"ri"},
		EXPECT_MORE_XML,
		{STUB_RESYNC},
		{STUB_RAW, "p\" bitsize=\"64\"/>#00"},
		{STUB_SERVE, .serve = until_detach},
		{STUB_EXPECT, "D;01"},
		OK,
		{STUB_END},
	};

	(void)state;
	check_interrupted(at_first, read_registers);
	check_interrupted(late, read_registers);
	check_interrupted(in_document, read_registers);
}

static void test_in_memory(void **state)
{
	static const struct stub_step at_first[] = {
		STUB_HELLO, INTERRUPT, {STUB_EXPECT, "m1000,800"}, {STUB_EXPECT, "m1800,800"},
		LEAVE,
	};
	static const struct stub_step at_second[] = {
		STUB_HELLO, {STUB_MEMORY, NULL, 1}, INTERRUPT, {STUB_EXPECT, "m1800,800"}, LEAVE,
	};
	static const struct stub_step in_reply[] = {
		STUB_HELLO,
		{STUB_EXPECT, "m1000,800"},
		{STUB_RAW, "+$0011"},
		INTERRUPT,
		{STUB_EXPECT, "m1800,800"},
		{STUB_RESYNC},
		{STUB_RAW, "2233#50"},
		{STUB_REPLY, "44"},
		{STUB_SERVE, .serve = until_detach},
		{STUB_EXPECT, "D;01"},
		OK,
		{STUB_END},
	};
	static const struct stub_step at_mode[] = {
		STUB_HELLO,
		INTERRUPT,
		{STUB_EXPECT, "Qqemu.PhyMemMode:1"},
		{STUB_EXPECT, "m1000,800"},
		{STUB_EXPECT, "m1800,800"},
		LEAVE,
	};
	static const struct stub_step at_physical[] = {
		STUB_HELLO, {STUB_EXPECT, "Qqemu.PhyMemMode:1"}, OK,    {STUB_MEMORY, NULL, 1},
		INTERRUPT,  {STUB_EXPECT, "m1800,800"},          LEAVE,
	};

	(void)state;
	check_interrupted(at_first, read_virtual);
	check_interrupted(at_second, read_virtual);
	check_interrupted(in_reply, read_virtual);
	check_interrupted(at_mode, read_physical);
	check_interrupted(at_physical, read_physical);
}

/*
 * A stub that is silent when it is detached from: QEMU comes to what it was sent later, and a
 * second `D` would crash it. One that is silent before that gets a single `D` to find.
 */
static void check_silent(const struct stub_step *script)
{
	struct rsp_client *client;
	struct kt_error *err;
	struct rsp_stop stop;
	struct stub *stub;

	assert_no_error(connect_to(script, &options, &stub, &client));
	assert_no_error(rsp_client_resume(client, NULL, NULL, 0));
	assert_no_error(rsp_client_wait(client, -1, &stop));
	err = rsp_client_detach(client);
	assert_int_equal(kt_error_code(err), KT_ERROR_TIMEOUT);
	assert_non_null(strstr(kt_error_hint_text(err), "may be left stopped"));
	kt_error_destroy(err);
	rsp_client_destroy(client);
	assert_joined(stub);
}

static void test_one_detach(void **state)
{
	static const struct stub_step at_detach[] = {
		STUB_HELLO,
		{STUB_EXPECT, "vCont;c"},
		{STUB_REPLY, "T05thread:p01.01;"},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_REPLY, SUPPORTED},
		{STUB_EXPECT, "D;01"},
		{STUB_END},
	};
	static const struct stub_step before_it[] = {
		STUB_HELLO,
		{STUB_EXPECT, "vCont;c"},
		{STUB_REPLY, "T05thread:p01.01;"},
		{STUB_EXPECT, "qSupported:multiprocess+"},
		{STUB_EXPECT, "D;01"},
		{STUB_END},
	};

	(void)state;
	check_silent(at_detach);
	check_silent(before_it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before_first_reply), cmocka_unit_test(test_no_reply),
		cmocka_unit_test(test_in_greeting),        cmocka_unit_test(test_in_target_xml),
		cmocka_unit_test(test_in_memory),          cmocka_unit_test(test_one_detach),
	};

	return cmocka_run_group_tests_name("gdbrsp/interrupt", tests, NULL, NULL);
}
