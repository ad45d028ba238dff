// SPDX-License-Identifier: LGPL-2.1-or-later
/* What `prog show` makes of one program's instructions and maps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "model/prog_details.h"

#define CALL  0x85
#define WIDE  0x18 /* takes two places */
#define KFUNC 2

static char ktime[] = "bpf_ktime_get_ns", seq[] = "bpf_seq_write", kfunc[] = "bpf_rcu_read_lock";
static char proto[] = "int main(void)", sub_proto[] = "int sub(void)";

static void test_calls(void **state)
{
	struct insn insns[] = {
		{.code = CALL, .callee = seq, .callee_addr = 2},
		{.code = CALL, .callee = ktime, .callee_addr = 1},
		{.code = CALL, .callee_addr = 0x1234},
		{.code = CALL, .callee_addr = 0x1234},
		{.code = CALL, .callee = ktime, .callee_addr = 1},
		{.code = CALL, .src = KFUNC, .callee = kfunc, .callee_addr = 3},
		{.code = CALL, .src = KFUNC}, /* of another machine: neither is known */
		{.code = CALL, .src = 1, .callee = sub_proto},
		{.code = CALL, .imm = 12, .callee_addr = 0x99}, /* bpf_tail_call */
		{.code = WIDE},
		{.code = CALL, .callee_addr = 0x5678}, /* no instruction */
	};
	const struct insns all = {.all = insns, .n = sizeof(insns) / sizeof(insns[0])};
	const struct program program = {.id = 1};
	const struct maps none = {0};
	struct prog_details details;

	(void)state;
	assert_null(prog_details_init(&details, &program, &all, &none));
	assert_int_equal(details.helpers.n, 4);
	assert_string_equal(details.helpers.names[0], "bpf_ktime_get_ns");
	assert_string_equal(details.helpers.names[1], "bpf_seq_write");
	assert_string_equal(details.helpers.names[2], "bpf_tail_call");
	assert_string_equal(details.helpers.names[3], "0x1234");
	assert_int_equal(details.kfuncs.n, 1);
	assert_string_equal(details.kfuncs.names[0], kfunc);
	assert_false(details.maps_known);
	prog_details_deinit(&details);
}

static void test_functions(void **state)
{
	struct insn_subprog subprogs[] = {
		{{true, 0}, {true, 16}}, {{true, 7}, {true, 8}}, {{false, 0}, {false, 0}}};
	struct insn_function functions[] = {{0, proto}, {7, sub_proto}};
	char tags[3][17] = {"a", "b", "c"};
	struct insns all = {
		.subprogs = subprogs, .n_subprogs = 3, .functions = functions, .n_functions = 2};
	struct program program = {.prog_tags = tags, .n_prog_tags = 3};
	const struct maps none = {0};
	struct prog_details details;

	(void)state;
	assert_null(prog_details_init(&details, &program, &all, &none));
	assert_int_equal(details.n_functions, 3);
	assert_ptr_equal(details.functions[1].proto, sub_proto);
	assert_int_equal(details.functions[1].stack_depth.value, 8);
	assert_string_equal(details.functions[2].tag, "c");
	assert_null(details.functions[2].proto);
	assert_false(details.functions[2].stack_depth.known);
	prog_details_deinit(&details);

	/* Interpreted: the kernel keeps no list, and one tag of all together. */
	all.n_subprogs = 1;
	program.n_prog_tags = 1;
	assert_null(prog_details_init(&details, &program, &all, &none));
	assert_int_equal(details.n_functions, 2);
	assert_int_equal(details.functions[1].at.value, 7);
	assert_ptr_equal(details.functions[1].proto, sub_proto);
	assert_false(details.functions[1].stack_depth.known);
	assert_null(details.functions[0].tag);
	prog_details_deinit(&details);
}

static void test_maps(void **state)
{
	struct map maps[] = {{.id = 3, .name = "three"}, {.id = 9, .name = "nine"}};
	const struct maps all = {.all = maps, .n = 2};
	uint32_t ids[] = {9, 4};
	const struct program program = {.map_ids = ids, .n_map_ids = 2, .map_ids_known = true};
	const struct insns none = {0};
	struct prog_details details;

	(void)state;
	assert_null(prog_details_init(&details, &program, &none, &all));
	assert_int_equal(details.n_maps, 2);
	assert_ptr_equal(details.maps[0].map, &maps[1]);
	assert_int_equal(details.maps[1].id, 4);
	assert_null(details.maps[1].map);
	assert_int_equal(details.n_functions, 0);
	prog_details_deinit(&details);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_maps),
	};

	return cmocka_run_group_tests_name("model/prog_details", tests, NULL, NULL);
}
