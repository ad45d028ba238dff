// SPDX-License-Identifier: LGPL-2.1-or-later
/* Graphs of programs that no kernel takes. What bpftool makes of real ones is in tests/guest/same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <linux/bpf.h>
#include <string.h>

#include "render/bpf_cfg.h"

#define EDGE(from, to) "fn_0_bb_" #from ":s -> fn_0_bb_" #to ":n [style=\"solid"

static char *graph(struct insn *all, size_t n)
{
	const struct insns insns = {.all = all, .n = n};
	const struct render_insns how = {.opcodes = true, .linum = true};
	char *text;

	assert_null(render_insns_dot(&insns, &how, &text));
	assert_int_equal(strncmp(text, "digraph", 7), 0);
	assert_string_equal(text + strlen(text) - 2, "}\n");
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		n++;
	return n;
}

static void test_empty(void **state)
{
	char *text = graph(NULL, 0);

	(void)state;
	assert_string_equal(text, "digraph \"DOT graph for eBPF program\" {\n}\n");
	free(text);
}

/* To before the program, behind it, into itself; a call to nowhere. */
static void test_wild(void **state)
{
	struct insn all[] = {
		{.code = BPF_JMP | BPF_JEQ, .off = -2},
		{.code = BPF_JMP | BPF_JEQ, .off = INT16_MAX},
		{.code = BPF_JMP | BPF_JA, .off = -1},
		{.code = BPF_JMP32 | BPF_JA, .imm = INT32_MIN},
		{.code = BPF_JMP | BPF_CALL, .src = BPF_PSEUDO_CALL, .off = INT16_MIN},
		{.code = BPF_LD | BPF_IMM | BPF_DW},
	};
	char *text = graph(all, 6);

	(void)state;
	assert_int_equal(count(text, "subgraph"), 1);
	assert_int_equal(count(text, EDGE(2, 3)), 1);
	/* ENTRY; two that go on; what is behind a goto is no block of its own, and goes on to EXIT.
	 */
	assert_int_equal(count(text, "[style=\"solid"), 4);
	free(text);
}

/* gotol has its distance in imm; a constant of 64 bits is one instruction, also as the last one. */
static void test_wide(void **state)
{
	struct insn all[] = {
		{.code = BPF_JMP32 | BPF_JA, .imm = 2},
		{.code = BPF_LD | BPF_IMM | BPF_DW},
		{0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	char *text = graph(all, 4);

	(void)state;
	assert_int_equal(count(text, EDGE(2, 3)), 1);
	assert_int_equal(count(text, EDGE(2, 1)), 0);
	assert_int_equal(count(text, EDGE(3, 1)), 1);
	free(text);
}

/* Functions are numbered as calls name them, and each has its own blocks. */
static void test_functions(void **state)
{
	struct insn all[] = {
		{.code = BPF_JMP | BPF_CALL, .src = BPF_PSEUDO_CALL, .off = 2},
		{.code = BPF_JMP | BPF_CALL, .src = BPF_PSEUDO_CALL, .off = 0},
		{.code = BPF_JMP | BPF_EXIT},
		{.code = BPF_JMP | BPF_EXIT},
	};
	char *text = graph(all, 4);

	(void)state;
	assert_int_equal(count(text, "subgraph"), 3);
	assert_true(strstr(text, "cluster_2") < strstr(text, "cluster_1"));
	assert_int_equal(count(text, "fn_1_bb_0:s -> fn_1_bb_2:n"), 1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_wild),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_functions),
	};

	return cmocka_run_group_tests_name("graphs", tests, NULL, NULL);
}
