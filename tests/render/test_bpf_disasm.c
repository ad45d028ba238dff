// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "render/bpf_disasm.h"

/* The two instructions of 32 hex digits; for the second only imm counts. */
static void parse(const char *hex, struct insn insns[2])
{
	unsigned int b[16];

	for (int i = 0; i < 16; i++)
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &b[i]), 1);
	for (int i = 0; i < 2; i++) {
		const unsigned int *p = b + 8 * i;

		insns[i] = (struct insn){
			.code = (uint8_t)p[0],
			.dst = p[1] & 15,
			.src = (uint8_t)(p[1] >> 4),
			.off = (int16_t)(p[2] | p[3] << 8),
			.imm = (int32_t)(p[4] | p[5] << 8 | p[6] << 16 | p[7] << 24),
		};
	}
}

/*
 * disasm.golden: one of each shape that kernel/bpf/disasm.c (Linux 7.1, in bpftool 7.7) has made
 * of every opcode with many operands, with the callbacks of bpftool's xlated dump.
 */
static void test_every_shape(void **state)
{
	FILE *golden = fopen("tests/render/disasm.golden", "re");
	char line[256];
	size_t n = 0;

	(void)state;
	assert_non_null(golden);
	while (fgets(line, sizeof(line), golden)) {
		struct kt_buf text = KT_BUF_INIT;
		struct insn pair[2];
		struct insns insns = {.all = pair, .n = 2};

		line[strcspn(line, "\n")] = '\0';
		parse(line, pair);
		render_insn(&text, &insns, 0);
		assert_string_equal(text.data, line + 33);
		kt_buf_deinit(&text);
		n++;
	}
	fclose(golden);
	assert_true(n > 700);
}

static const struct render_insns plain, opcodes = {.opcodes = true}, linum = {.linum = true};

/* Nothing that a guest may have there is read past its end, or makes a null pointer a string. */
static void test_every_opcode_alone(void **state)
{
	(void)state;
	for (unsigned int code = 0; code < 256; code++)
		for (uint8_t src = 0; src < 16; src++) {
			struct insn one = {.code = (uint8_t)code, .src = src, .imm = (int32_t)code};
			struct insns insns = {.all = &one, .n = 1};
			struct kt_buf text = KT_BUF_INIT;
			char *all;

			render_insn(&text, &insns, 0);
			assert_null(strstr(text.data, "(null)"));
			kt_buf_deinit(&text);
			assert_null(render_insns_text(&insns, &opcodes, &all));
			free(all);
			assert_null(render_insns_json(&insns, &opcodes, &all));
			free(all);
		}
}

static void test_calls(void **state)
{
	char symbol[] = "bpf_prog_0123_sub";
	struct insn all[] = {
		{.code = 0x85, .src = 1, .off = 3, .imm = 1, .callee = symbol, .callee_addr = 16},
		{.code = 0x85, .src = 1, .off = -3, .imm = 1, .callee_addr = 0xffffffffc0001000},
		{.code = 0x85, .src = 1, .off = 3, .imm = 1},
		{.code = 0x85, .imm = 123456, .callee = symbol, .callee_addr = 16},
		{.code = 0x85, .imm = -123456, .callee_addr = 0xffffffff81000000},
		{.code = 0x85, .imm = 123456},
		{.code = 0x85, .imm = 12},
		{.code = 0x85, .src = 2, .imm = 77},
	};
	const char *wanted = "   0: (85) call pc+3#bpf_prog_0123_sub\n"
			     "   1: (85) call pc-3#0xffffffffc0001000\n"
			     "   2: (85) call pc+3\n"
			     "   3: (85) call bpf_prog_0123_sub#123456\n"
			     "   4: (85) call 0xffffffff81000000#-123456\n"
			     "   5: (85) call unknown#123456\n"
			     "   6: (85) call bpf_tail_call#12\n"
			     "   7: (85) call kernel-function#77\n";
	struct insns insns = {.all = all, .n = sizeof(all) / sizeof(all[0])};
	char *text;

	(void)state;
	assert_null(render_insns_text(&insns, &plain, &text));
	assert_string_equal(text, wanted);
	free(text);
}

/* A constant of 64 bits is one instruction with the number of its first half. */
static void test_double(void **state)
{
	struct insn all[] = {{.code = 0x18, .dst = 1, .imm = 0x11}, {.imm = 2}, {.code = 0x95}};
	struct insns insns = {.all = all, .n = 3};
	json_t *root;
	char *text;

	(void)state;
	assert_null(render_insns_text(&insns, &opcodes, &text));
	assert_string_equal(text, "   0: (18) r1 = 0x200000011\n"
				  "       18 01 00 00 11 00 00 00 00 00 00 00 02 00 00 00\n"
				  "   2: (95) exit\n"
				  "       95 00 00 00 00 00 00 00\n");
	free(text);
	assert_null(render_insns_json(&insns, &opcodes, &text));
	root = json_loads(text, 0, NULL);
	free(text);
	assert_int_equal(json_array_size(root), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(root, 1), "disasm")),
			    "(95) exit");
	assert_int_equal(json_array_size(json_object_get(
				 json_object_get(json_array_get(root, 0), "opcodes"), "imm")),
			 12);
	json_decref(root);
}

/*
 * Functions and lines are where bpftool has them: "int f(void):" and "; text [file:... ]". What a
 * guest has in them does nothing to a terminal.
 */
static void test_source(void **state)
{
	struct insn all[] = {{.code = 0xb7}, {.code = 0x95}, {.code = 0x95}};
	struct insn_function functions[] = {{0, (char *)"int f(void)"}, {2, (char *)"int g(\033)"}};
	struct insn_line lines[] = {{0, (char *)"return\t0;", (char *)"/src/a.c", 7, 9},
				    {1, NULL, NULL, 0, 0},
				    {2, (char *)"}\x9b", NULL, 8, 0}};
	const struct insns insns = {.all = all,
				    .n = 3,
				    .functions = functions,
				    .n_functions = 2,
				    .lines = lines,
				    .n_lines = 3};
	json_t *root;
	char *text;

	(void)state;
	assert_null(render_insns_text(&insns, &plain, &text));
	assert_string_equal(text, "int f(void):\n; return\t0;\n   0: (b7) r0 = 0\n"
				  "   1: (95) exit\nint g(\\x1b):\n; }\\x9b\n   2: (95) exit\n");
	free(text);
	assert_null(render_insns_text(&insns, &linum, &text));
	assert_non_null(strstr(text, "; return\t0; [file:/src/a.c line_num:7 line_col:9]\n"));
	assert_non_null(strstr(text, "; }\\x9b [file: line_num:8 line_col:0]\n"));
	free(text);
	assert_null(render_insns_json(&insns, &linum, &text));
	root = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json_array_get(root, 0), "proto")),
			    "int f(void)");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(root, 0), "line_num")),
			 7);
	assert_int_equal(json_object_size(json_array_get(root, 1)), 1);
	assert_null(json_object_get(json_array_get(root, 2), "line_col"));
	json_decref(root);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_shape), cmocka_unit_test(test_every_opcode_alone),
		cmocka_unit_test(test_calls),       cmocka_unit_test(test_source),
		cmocka_unit_test(test_double),
	};

	return cmocka_run_group_tests_name("bpf disasm", tests, NULL, NULL);
}
