// SPDX-License-Identifier: LGPL-2.1-or-later
/* Commands of QEMU's monitor, through the stub. */
#include <stdlib.h>

#include "tests/gdbrsp/visit.h"

/* "info status" */
#define EXPECT_STATUS                                                                              \
	{                                                                                          \
		STUB_EXPECT, "qRcmd,696e666f20737461747573"                                        \
	}

static struct kt_error *ask(const struct stub_step *script, char **ret)
{
	struct rsp_client *client;
	struct kt_error *err;
	struct stub *stub;

	assert_no_error(connect_to(script, &options, &stub, &client));
	err = rsp_client_monitor(client, "info status", ret);
	rsp_client_destroy(client);
	assert_joined(stub);
	return err;
}

/* As QEMU 7.2 prints it: in as many packets as it has lines. */
static void test_output(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		EXPECT_STATUS,
		{STUB_REPLY, "O564d207374617475733a20"},
		{STUB_REPLY, "O7061757365640d0a"},
		{STUB_REPLY, "OK"},
		STUB_BYE,
		{STUB_END},
	};
	char *text = NULL;

	(void)state;
	assert_no_error(ask(script, &text));
	assert_string_equal(text, "VM status: paused\r\n");
	free(text);
}

static void test_silence(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO, EXPECT_STATUS, {STUB_REPLY, "OK"}, STUB_BYE, {STUB_END}};
	char *text = NULL;

	(void)state;
	assert_no_error(ask(script, &text));
	assert_string_equal(text, "");
	free(text);
}

/* Another stub than QEMU's. The connection is still good: the detach is an ordinary one. */
static void test_no_monitor(void **state)
{
	static const struct stub_step empty[] = {
		STUB_HELLO, EXPECT_STATUS, {STUB_REPLY, ""}, STUB_BYE, {STUB_END}};
	static const struct stub_step error[] = {
		STUB_HELLO, EXPECT_STATUS, {STUB_REPLY, "E22"}, STUB_BYE, {STUB_END}};
	static const struct stub_step *const scripts[] = {empty, error};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char *text = NULL;
		struct kt_error *err = ask(scripts[i], &text);

		assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
		assert_null(text);
		kt_error_destroy(err);
	}
}

/* More than anybody wants to read, and output that is none. */
static void test_hostile(void **state)
{
#define LEAVE                                                                                      \
	{STUB_RESYNC}, {STUB_EXPECT, "qSupported:multiprocess+"}, {STUB_REPLY, "PacketSize=1000"}, \
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"}, {STUB_REPLY, "OK"}, STUB_BYE,                 \
	{                                                                                          \
		STUB_END                                                                           \
	}
	static const struct stub_step no_hex[] = {
		STUB_HELLO, EXPECT_STATUS, {STUB_REPLY, "Oxx"}, LEAVE};
	static const struct stub_step odd[] = {
		STUB_HELLO,         EXPECT_STATUS, {STUB_REPLY, "O414"},
		{STUB_REPLY, "OK"}, STUB_BYE,      {STUB_END}};
	char *text = NULL;
	struct kt_error *err = ask(no_hex, &text);

	(void)state;
	assert_int_equal(kt_error_code(err), KT_ERROR_PROTOCOL);
	kt_error_destroy(err);
	assert_no_error(ask(odd, &text));
	assert_string_equal(text, "A");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_no_monitor),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("gdbrsp/monitor", tests, NULL, NULL);
}
