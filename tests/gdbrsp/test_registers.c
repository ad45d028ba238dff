// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gdbrsp/client.h"
#include "gdbrsp/target_xml.h"
#include "tests/lib/stub.h"

static const struct rsp_options options = {.timeout_ms = 60000, .cancel_fd = -1};

struct session {
	struct rsp_client *client;
	struct stub *stub;
	const struct rsp_thread *threads;
	size_t n_threads;
};

static void assert_no_error(struct kt_error *err)
{
	if (err)
		fail_msg("%s", kt_error_message(err));
}

static struct session start(const struct stub_step *script)
{
	struct session s;
	int fd;

	s.stub = stub_start(script, 0, &fd);
	assert_no_error(rsp_client_from_fd(fd, &options, &s.client));
	assert_no_error(rsp_client_threads(s.client, &s.threads, &s.n_threads));
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

static void check_item(const char *doc, size_t *pos, enum rsp_element element, const char *name,
		       uint32_t bits, int64_t number)
{
	struct rsp_xml_item item;

	assert_true(rsp_xml_next(doc, strlen(doc), pos, &item));
	assert_int_equal(item.element, element);
	assert_string_equal(item.name, name);
	assert_int_equal(item.bits, bits);
	assert_int_equal(item.number, number);
}

static void test_xml(void **state)
{
	const char *doc =
		"<?xml version=\"1.0\"?>\n<!-- <reg name=\"no\"/> -->\n"
		"<!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
		"<xi:include href=\"core.xml\"/>"
		"<reg name=\"rax\" bitsize=\"64\" type=\"int64\" regnum=\"7\"/>"
		"<!--reg name=\"cs_base\" bitsize=\"64\"/>\n <reg name=\"ss_base\" bitsize=\"64\"/-->"
		"<reg\n\tbitsize='32' name = 'cs'></reg>"
		"<region name=\"x\"/><regs/><xi:include/>"
		"<reg name=\"a_name_that_is_longer_than_any_that_makes_sense\" bitsize=\"8\"/>"
		"<reg name=\"odd\" bitsize=\"99999999999999999999\" regnum=\"-1\"/>"
		"<reg/></target><reg name=\"cut\" bits";
	size_t pos = 0;
	struct rsp_xml_item item;

	(void)state;
	check_item(doc, &pos, RSP_ELEMENT_INCLUDE, "core.xml", 0, -1);
	check_item(doc, &pos, RSP_ELEMENT_REGISTER, "rax", 64, 7);
	check_item(doc, &pos, RSP_ELEMENT_REGISTER, "cs", 32, -1);
	check_item(doc, &pos, RSP_ELEMENT_REGISTER, "", 8, -1);
	check_item(doc, &pos, RSP_ELEMENT_REGISTER, "odd", 0, -1);
	check_item(doc, &pos, RSP_ELEMENT_REGISTER, "", 0, -1);
	assert_false(rsp_xml_next(doc, strlen(doc), &pos, &item));
	assert_int_equal(pos, strlen(doc));
}

/* No prefix of a document makes the parser leave it. The sanitizer looks on. */
static void test_xml_cut_short(void **state)
{
	const char *doc =
		"<!-- a --><reg name=\"x\" bitsize='64' regnum=\"1\"/><xi:include href=\"y\"/>";

	(void)state;
	for (size_t len = 0; len <= strlen(doc); len++) {
		char *copy = malloc(len ? len : 1);
		struct rsp_xml_item item;
		size_t pos = 0;

		memcpy(copy, doc, len);
		while (rsp_xml_next(copy, len, &pos, &item))
			;
		assert_int_equal(pos, len);
		free(copy);
	}
}

#define TARGET_XML                                                                                 \
	"l<target><architecture>i386:x86-64</architecture><xi:include href=\"i386-64bit.xml\"/>"   \
	"</target>"
/* In the shape of QEMU's: some registers are in a comment, and the stub does not have them. */
#define X86_XML_1 "<reg name=\"rip\" bitsize=\"64\"/><reg name=\"cs\" bitsize=\"32\"/>"
#define X86_XML_2                                                                                  \
	"<!--reg name=\"cs_base\" bitsize=\"64\"/><reg name=\"es_base\" bitsize=\"64\"/-->"        \
	"<reg name=\"cr0\" bitsize=\"64\"/><reg name=\"cr3\" bitsize=\"64\"/>"                     \
	"<reg name=\"efer\" bitsize=\"64\"/><reg name=\"xmm0\" bitsize=\"128\"/>"

/* PacketSize=1000: pieces of 2045 bytes, five ahead. */
#define EXPECT_XML                                                                                 \
	{STUB_EXPECT, "qXfer:features:read:target.xml:0,7fd"},                                     \
		{STUB_EXPECT, "qXfer:features:read:i386-64bit.xml:0,7fd"},                         \
		{STUB_EXPECT, "qXfer:features:read:i386-64bit.xml:7fd,7fd"},                       \
		{STUB_EXPECT, "qXfer:features:read:i386-64bit.xml:ffa,7fd"},                       \
		{STUB_EXPECT, "qXfer:features:read:i386-64bit.xml:17f7,7fd"},                      \
	{                                                                                          \
		STUB_EXPECT, "qXfer:features:read:i386-64bit.xml:1ff4,7fd"                         \
	}
#define FOUR_TIMES_E00                                                                             \
	{STUB_REPLY, "E00"}, {STUB_REPLY, "E00"}, {STUB_REPLY, "E00"},                             \
	{                                                                                          \
		STUB_REPLY, "E00"                                                                  \
	}
#define SERVE_X86                                                                                  \
	EXPECT_XML, {STUB_REPLY, TARGET_XML}, {STUB_REPLY, "l" X86_XML_1 X86_XML_2}, FOUR_TIMES_E00

#define LONG_MODE_CR0  "3300058000000000"
#define LONG_MODE_EFER "010d000000000000"
#define ZERO           "0000000000000000"

/* Two vCPUs, the second one not started yet. Numbers skip what is in the comment. */
static void test_x86(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		SERVE_X86,
		STUB_FETCH("p01.01"),
		{STUB_EXPECT, "p3"},
		{STUB_REPLY, "00f0de0000000080"},
		{STUB_EXPECT, "p1"},
		{STUB_REPLY, "10000000"},
		{STUB_EXPECT, "p2"},
		{STUB_REPLY, LONG_MODE_CR0},
		{STUB_EXPECT, "p4"},
		{STUB_REPLY, LONG_MODE_EFER},
		{STUB_EXPECT, "Hgp01.02"},
		{STUB_REPLY, "OK"},
		STUB_FETCH("p01.02"),
		{STUB_EXPECT, "p3"},
		{STUB_REPLY, ZERO},
		{STUB_EXPECT, "p1"},
		{STUB_REPLY, "00f00000"},
		{STUB_EXPECT, "p2"},
		{STUB_REPLY, "1000006000000000"},
		{STUB_EXPECT, "p4"},
		{STUB_REPLY, ZERO},
		/* The second time there is nothing to find out. */
		{STUB_EXPECT, "p3"},
		{STUB_REPLY, "0100000000000000"},
		/* Virtual reads go through the vCPU that was selected, not the last one read. */
		{STUB_EXPECT, "Hgp01.01"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "m0,1"},
		{STUB_REPLY, "E14"},
		STUB_BYE,
		{STUB_END},
	};
	const char *const names[] = {"cr3", "cs"};
	struct session s = start(script);
	uint64_t values[4];
	uint8_t b;
	struct rsp_read r = {.addr = 0, .len = 1, .buf = &b};

	(void)state;
	assert_no_error(rsp_client_registers(s.client, s.threads, 2, names, 2, values));
	assert_true(values[0] == UINT64_C(0x8000000000def000));
	assert_int_equal(values[1], 0x10);
	assert_int_equal(values[2], 0);
	assert_int_equal(values[3], 0xf000);
	assert_no_error(rsp_client_registers(s.client, s.threads + 1, 1, names, 1, values));
	assert_int_equal(values[0], 1);
	assert_no_error(rsp_client_read(s.client, RSP_VIRTUAL, &r, 1));
	assert_true(r.fault);
	finish(&s);
}

static void check_error(const struct stub_step *script, const char *name, enum kt_error_code code,
			const char *says)
{
	struct session s = start(script);
	const char *const names[] = {name};
	uint64_t values[2];
	struct kt_error *err = rsp_client_registers(s.client, s.threads, 1, names, 1, values);

	assert_non_null(err);
	if (kt_error_code(err) != code || !strstr(kt_error_message(err), says))
		fail_msg("%d: %s", kt_error_code(err), kt_error_message(err));
	kt_error_destroy(err);
	finish(&s);
}

static void test_not_in_long_mode(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		SERVE_X86,
		STUB_FETCH("p01.01"),
		{STUB_EXPECT, "p3"},
		{STUB_REPLY, ZERO},
		{STUB_EXPECT, "p2"},
		{STUB_REPLY, "1100000000000000"},
		{STUB_EXPECT, "p4"},
		{STUB_REPLY, ZERO},
		STUB_BYE,
		{STUB_END},
	};

	(void)state;
	check_error(script, "cr3", KT_ERROR_NOT_READY, "not in 64-bit mode yet");
}

/* Not a guest that boots, so that nobody is told to wait. */
static void test_contradiction(void **state)
{
	static const struct stub_step no_paging[] = {
		STUB_HELLO,
		SERVE_X86,
		STUB_FETCH("p01.01"),
		{STUB_EXPECT, "p3"},
		{STUB_REPLY, ZERO},
		{STUB_EXPECT, "p2"},
		{STUB_REPLY, "1000006000000000"},
		{STUB_EXPECT, "p4"},
		{STUB_REPLY, LONG_MODE_EFER},
		STUB_BYE,
		{STUB_END},
	};
	static const struct stub_step no_protection[] = {
		STUB_HELLO,
		SERVE_X86,
		STUB_FETCH("p01.01"),
		{STUB_EXPECT, "p3"},
		{STUB_REPLY, ZERO},
		{STUB_EXPECT, "p2"},
		{STUB_REPLY, "1000008000000000"},
		{STUB_EXPECT, "p4"},
		{STUB_REPLY, ZERO},
		STUB_BYE,
		{STUB_END},
	};

	(void)state;
	check_error(no_paging, "cr3", KT_ERROR_PROTOCOL,
		    "vCPU p01.01 that contradict each other: cr0 0x60000010, efer 0xd01");
	check_error(no_protection, "cr3", KT_ERROR_PROTOCOL, "cr0 0x80000010, efer 0");
}

/* General registers make sense in every mode: nothing is checked for them. */
static void test_general_registers(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		SERVE_X86,
		STUB_FETCH("p01.01"),
		{STUB_EXPECT, "p0"},
		{STUB_REPLY, "f0ff000000000000"},
		STUB_BYE,
		{STUB_END},
	};
	const char *const names[] = {"rip"};
	struct session s = start(script);
	uint64_t value;

	(void)state;
	assert_no_error(rsp_client_registers(s.client, s.threads, 1, names, 1, &value));
	assert_int_equal(value, 0xfff0);
	finish(&s);
}

static void test_unknown_names(void **state)
{
	static const struct stub_step unknown[] = {STUB_HELLO, SERVE_X86, STUB_BYE, {STUB_END}};

	(void)state;
	check_error(unknown, "TTBR1_EL1", KT_ERROR_NOT_FOUND, "TTBR1_EL1");
	check_error(unknown, "es_base", KT_ERROR_NOT_FOUND, "es_base");
	check_error(unknown, "xmm0", KT_ERROR_UNSUPPORTED, "128 bits");
}

#define AFTER_ERROR                                                                                \
	{STUB_RESYNC}, {STUB_EXPECT, "qSupported:multiprocess+"}, {STUB_REPLY, "PacketSize=1000"}, \
		{STUB_EXPECT, "Qqemu.PhyMemMode:0"}, {STUB_QUIET}, {STUB_REPLY, "OK"}, STUB_BYE,   \
	{                                                                                          \
		STUB_END                                                                           \
	}

static void test_bad_values(void **state)
{
	static const struct stub_step narrow[] = {STUB_HELLO,
						  SERVE_X86,
						  STUB_FETCH("p01.01"),
						  {STUB_EXPECT, "p0"},
						  {STUB_REPLY, "00000000"},
						  AFTER_ERROR};
	static const struct stub_step error[] = {STUB_HELLO,           SERVE_X86,
						 STUB_FETCH("p01.01"), {STUB_EXPECT, "p0"},
						 {STUB_REPLY, "E14"},  AFTER_ERROR};
	static const struct stub_step unknown[] = {STUB_HELLO,
						   SERVE_X86,
						   STUB_FETCH("p01.01"),
						   {STUB_EXPECT, "p0"},
						   {STUB_REPLY, "xxxxxxxxxxxxxxxx"},
						   AFTER_ERROR};
	static const struct stub_step nothing[] = {STUB_HELLO,           SERVE_X86,
						   STUB_FETCH("p01.01"), {STUB_EXPECT, "p0"},
						   {STUB_REPLY, ""},     AFTER_ERROR};

	(void)state;
	check_error(narrow, "rip", KT_ERROR_PROTOCOL, "rip");
	check_error(error, "rip", KT_ERROR_PROTOCOL, "E14");
	check_error(unknown, "rip", KT_ERROR_PROTOCOL, "xxxx");
	check_error(nothing, "rip", KT_ERROR_PROTOCOL, "''");
}

/* Pieces that are shorter than asked for, so that what was asked ahead is in vain. */
static void test_short_pieces(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		EXPECT_XML,
		{STUB_REPLY, TARGET_XML},
		{STUB_REPLY, "m" X86_XML_1},
		FOUR_TIMES_E00, /* at offsets that are not next */
		{STUB_EXPECT_ANY},
		{STUB_EXPECT_ANY},
		{STUB_EXPECT_ANY},
		{STUB_EXPECT_ANY},
		{STUB_EXPECT_ANY},
		{STUB_REPLY, "l" X86_XML_2},
		FOUR_TIMES_E00,
		STUB_FETCH("p01.01"),
		{STUB_EXPECT, "p0"},
		{STUB_REPLY, ZERO},
		STUB_BYE,
		{STUB_END},
	};
	const char *const names[] = {"rip"};
	struct session s = start(script);
	uint64_t value = 1;

	(void)state;
	assert_no_error(rsp_client_registers(s.client, s.threads, 1, names, 1, &value));
	assert_int_equal(value, 0);
	finish(&s);
}

/* As QEMU's aarch64 has it: system registers bring numbers of their own. */
static const char *serve_aarch64(const char *request)
{
	static char reply[64];
	static const struct {
		const char *name, *text;
	} docs[] = {
		{"target.xml", "<target><xi:include href=\"aarch64-core.xml\"/>"
			       "<xi:include href=\"aarch64-core.xml\"/>"
			       "<xi:include href=\"system-registers.xml\"/></target>"},
		{"aarch64-core.xml",
		 "<reg name=\"x0\" bitsize=\"64\"/><reg name=\"cpsr\" bitsize=\"32\"/>"},
		{"system-registers.xml",
		 "<reg name=\"TTBR1_EL1\" bitsize=\"64\" regnum=\"300\" group=\"cp_regs\"/>"
		 "<reg name=\"TCR_EL1\" bitsize=\"64\" regnum=\"269\"/>"
		 "<reg name=\"next\" bitsize=\"8\"/>"},
	};
	const char *prefix = "qXfer:features:read:";

	if (strncmp(request, prefix, strlen(prefix)))
		return NULL;
	for (size_t i = 0; i < 3; i++) {
		const char *rest = request + strlen(prefix);
		size_t n = strlen(docs[i].name), offset;

		if (strncmp(rest, docs[i].name, n) || rest[n] != ':')
			continue;
		offset = strtoul(rest + n + 1, NULL, 16);
		if (offset > strlen(docs[i].text))
			return "E00";
		/* 50 bytes at a time, whatever was asked for. */
		snprintf(reply, sizeof(reply), "%c%.50s",
			 offset + 50 < strlen(docs[i].text) ? 'm' : 'l', docs[i].text + offset);
		return reply;
	}
	return "E00";
}

static void test_aarch64(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO_SIZE("20020"),
		{STUB_SERVE, .serve = serve_aarch64},
		STUB_FETCH("p01.01"),
		{STUB_EXPECT, "p12c"},
		{STUB_REPLY, "0011223344556677"},
		{STUB_EXPECT, "p10d"},
		{STUB_REPLY, "8877665544332211"},
		{STUB_EXPECT, "p10e"},
		{STUB_REPLY, "07"},
		{STUB_EXPECT, "p1"},
		{STUB_REPLY, "c5000060"},
		STUB_BYE,
		{STUB_END},
	};
	const char *const names[] = {"TTBR1_EL1", "TCR_EL1", "next", "cpsr"};
	struct session s = start(script);
	uint64_t v[4];

	(void)state;
	assert_no_error(rsp_client_registers(s.client, s.threads, 1, names, 4, v));
	assert_true(v[0] == UINT64_C(0x7766554433221100));
	assert_true(v[1] == UINT64_C(0x1122334455667788));
	assert_int_equal(v[2], 7);
	assert_int_equal(v[3], 0x600000c5);
	finish(&s);
}

/* What a newer QEMU calls otherwise, and what not every stub has: of that, nothing is asked. */
static void test_alternatives(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO_SIZE("20020"),
		{STUB_SERVE, .serve = serve_aarch64},
		STUB_FETCH("p01.01"),
		{STUB_EXPECT, "p10d"},
		{STUB_REPLY, "8877665544332211"},
		{STUB_EXPECT, "p12c"},
		{STUB_REPLY, "0011223344556677"},
		{STUB_EXPECT, "p1"},
		{STUB_REPLY, "c5000060"},
		{STUB_EXPECT, "p10e"},
		{STUB_REPLY, "07"},
		STUB_BYE,
		{STUB_END},
	};
	const char *const names[] = {
		"SCTLR_EL1|TCR_EL1", "TTBR1_EL1|TCR_EL1", "?HCR_EL2", "?cpsr",
		"?VBAR_EL1|VBAR",    "?VBAR_EL1|next",
	};
	uint64_t v[] = {9, 9, 9, 9, 9, 9};
	struct session s = start(script);

	(void)state;
	assert_no_error(rsp_client_registers(s.client, s.threads, 1, names, 6, v));
	assert_true(v[0] == UINT64_C(0x1122334455667788));
	assert_true(v[1] == UINT64_C(0x7766554433221100));
	assert_int_equal(v[2], 0);
	assert_int_equal(v[3], 0x600000c5);
	assert_int_equal(v[4], 0);
	assert_int_equal(v[5], 7);
	finish(&s);
}

/* One that has to be there is missed by all of its names; a part of a name is none. */
static void test_no_alternative(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO_SIZE("20020"),
		{STUB_SERVE, .serve = serve_aarch64},
		STUB_BYE,
		{STUB_END},
	};

	(void)state;
	check_error(script, "SCTLR_EL1|SCTLR", KT_ERROR_NOT_FOUND, "'SCTLR_EL1|SCTLR'");
	check_error(script, "TCR_EL|TTBR1_EL12|cps", KT_ERROR_NOT_FOUND, "TTBR1_EL12");
}

static const char *serve_s390x(const char *request)
{
	static const char whole[] = "l<target><architecture>s390:64-bit</architecture>"
				    "<reg name=\"pswm\" bitsize=\"64\"/>"
				    "<reg name=\"acr0\" bitsize=\"32\" regnum=\"18\"/>"
				    "<reg name=\"cr13\" bitsize=\"64\" regnum=\"88\"/></target>";
	const char *prefix = "qXfer:features:read:";

	if (strncmp(request, prefix, strlen(prefix)))
		return NULL;
	return strstr(request, ":target.xml:0,") ? whole : "E00";
}

/* Registers come in the guest's byte order. */
static void test_big_endian(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO_SIZE("20020"),
		{STUB_SERVE, .serve = serve_s390x},
		STUB_FETCH("p01.01"),
		{STUB_EXPECT, "p0"},
		{STUB_REPLY, "0704c00180000000"},
		{STUB_EXPECT, "p12"},
		{STUB_REPLY, "01020304"},
		{STUB_EXPECT, "p58"},
		{STUB_REPLY, "000000000153400b"},
		STUB_BYE,
		{STUB_END},
	};
	const char *const names[] = {"pswm", "acr0", "cr13"};
	struct session s = start(script);
	uint64_t v[3];

	(void)state;
	assert_no_error(rsp_client_registers(s.client, s.threads, 1, names, 3, v));
	assert_true(v[0] == UINT64_C(0x0704c00180000000));
	assert_int_equal(v[1], 0x01020304);
	assert_int_equal(v[2], 0x0153400b);
	finish(&s);
}

static const char *serve_architecture(const char *request, const char *name)
{
	static char whole[128];
	const char *prefix = "qXfer:features:read:";

	snprintf(whole, sizeof(whole),
		 "l<target><architecture>%s</architecture>"
		 "<reg name=\"cr3\" bitsize=\"32\"/></target>",
		 name);
	if (strncmp(request, prefix, strlen(prefix)))
		return NULL;
	return strstr(request, ":target.xml:0,") ? whole : "E00";
}

static const char *serve_arm(const char *request)
{
	return serve_architecture(request, "arm");
}

static const char *serve_i386(const char *request)
{
	return serve_architecture(request, "i386");
}

/* Guests of 32 bits are refused by name, whatever registers they have. */
static void test_32_bits(void **state)
{
	static const struct stub_step arm[] = {
		STUB_HELLO_SIZE("20020"),
		{STUB_SERVE, .serve = serve_arm},
		STUB_BYE,
		{STUB_END},
	};
	static const struct stub_step i386[] = {
		STUB_HELLO_SIZE("20020"),
		{STUB_SERVE, .serve = serve_i386},
		STUB_BYE,
		{STUB_END},
	};
	/* A 32-bit kernel on a processor of 64 bits: pages, and not in long mode. */
	static const struct stub_step mixed[] = {
		STUB_HELLO,
		SERVE_X86,
		STUB_FETCH("p01.01"),
		{STUB_EXPECT, "p3"},
		{STUB_REPLY, ZERO},
		{STUB_EXPECT, "p2"},
		{STUB_REPLY, "3300058000000000"},
		{STUB_EXPECT, "p4"},
		{STUB_REPLY, ZERO},
		STUB_BYE,
		{STUB_END},
	};

	(void)state;
	check_error(arm, "cr3", KT_ERROR_UNSUPPORTED, "a guest of 32 bits (arm)");
	check_error(i386, "cr3", KT_ERROR_UNSUPPORTED, "a guest of 32 bits (i386)");
	check_error(mixed, "cr3", KT_ERROR_UNSUPPORTED, "a guest of 32 bits (i386)");
}

static void test_no_description(void **state)
{
	static const struct stub_step empty[] = {
		STUB_HELLO, EXPECT_XML, {STUB_REPLY, ""}, AFTER_ERROR};
	static const struct stub_step missing[] = {STUB_HELLO,          EXPECT_XML,
						   {STUB_REPLY, "E00"}, {STUB_REPLY, "E00"},
						   FOUR_TIMES_E00,      STUB_BYE,
						   {STUB_END}};
	static const struct stub_step odd[] = {
		STUB_HELLO, EXPECT_XML, {STUB_REPLY, "m"}, AFTER_ERROR};

	(void)state;
	check_error(empty, "rip", KT_ERROR_UNSUPPORTED, "does not describe");
	check_error(missing, "rip", KT_ERROR_UNSUPPORTED, "does not describe");
	check_error(odd, "rip", KT_ERROR_PROTOCOL, "'m'");
}

/* Documents that include themselves and one another come to an end. */
static void test_include_loop(void **state)
{
#define LOOP "l<xi:include href=\"i386-64bit.xml\"/><xi:include href=\"target.xml\"/>"
	static const struct stub_step script[] = {
		STUB_HELLO,     EXPECT_XML, {STUB_REPLY, LOOP}, {STUB_REPLY, LOOP LOOP LOOP},
		FOUR_TIMES_E00, STUB_BYE,   {STUB_END},
	};

	(void)state;
	check_error(script, "rip", KT_ERROR_NOT_FOUND, "rip");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xml),           cmocka_unit_test(test_xml_cut_short),
		cmocka_unit_test(test_x86),           cmocka_unit_test(test_not_in_long_mode),
		cmocka_unit_test(test_contradiction), cmocka_unit_test(test_general_registers),
		cmocka_unit_test(test_unknown_names), cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_short_pieces),  cmocka_unit_test(test_aarch64),
		cmocka_unit_test(test_alternatives),  cmocka_unit_test(test_no_alternative),
		cmocka_unit_test(test_big_endian),    cmocka_unit_test(test_no_description),
		cmocka_unit_test(test_32_bits),       cmocka_unit_test(test_include_loop),
	};

	return cmocka_run_group_tests_name("gdbrsp/registers", tests, NULL, NULL);
}
