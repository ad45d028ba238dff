// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "model/audit.h"
#include "util/cleanup.h"

/* What one stop read. */
static struct program programs[3];
static struct map maps[2];
static struct link links[2];
static struct trampoline trampolines[2];
static struct struct_ops_prog ops_progs[1];
static struct struct_ops ops[1];
static uint32_t map_ids[2];
static char fentry[] = "fentry", func[] = "tcp_v4_rcv";

static int setup(void **state)
{
	(void)state;
	map_ids[0] = 21;
	map_ids[1] = 22;
	programs[0] = (struct program){.id = 1, .map_ids = map_ids, .n_map_ids = 2};
	programs[1] = (struct program){.id = 2};
	programs[2] = (struct program){.id = 3};
	maps[0] = (struct map){.id = 21};
	maps[1] = (struct map){.id = 22};
	links[0] = (struct link){.id = 11, .prog_id = {true, 1}};
	links[1] = (struct link){.id = 12, .prog_id = {true, 2}};
	trampolines[0] = (struct trampoline){
		.func = func, .type = fentry, .prog_id = {true, 2}, .link_id = {true, 12}};
	trampolines[1] = (struct trampoline){0}; /* nothing is known of it */
	ops_progs[0] = (struct struct_ops_prog){.id = 3};
	ops[0] = (struct struct_ops){
		.id = 22, .name = "ops", .progs = ops_progs, .n_progs = 1, .progs_known = true};
	return 0;
}

/* n_*: how many of those above are listed. */
static struct audit_result run(size_t n_programs, size_t n_maps, size_t n_links, const char *told)
{
	const struct programs p = {.all = programs, .n = n_programs};
	const struct maps m = {.all = maps, .n = n_maps};
	const struct links l = {.all = links, .n = n_links};
	const struct trampolines t = {.all = trampolines, .n = 2};
	const struct struct_ops_list o = {.all = ops, .n = 1};
	_cleanup_(audit_deinit) struct audit audit = {0};
	struct btf_objects btfs = {0};
	json_t *json = told ? json_loads(told, 0, NULL) : NULL;
	struct audit_result ret;

	assert_null(audit_programs(&audit, &p));
	assert_null(audit_maps(&audit, &m));
	assert_null(audit_links(&audit, &l));
	assert_null(audit_trampolines(&audit, &t));
	assert_null(audit_struct_ops(&audit, &o));
	assert_null(audit_finish(&audit, &p, &m, &l, &btfs, json, &ret));
	json_decref(json);
	return ret;
}

static void check_finding(const struct audit_finding *finding, enum audit_kind kind,
			  enum audit_problem problem, uint32_t id, const char *where)
{
	assert_int_equal(finding->kind, kind);
	assert_int_equal(finding->problem, problem);
	assert_int_equal(finding->id, id);
	if (where)
		assert_string_equal(finding->where, where);
	else
		assert_null(finding->where);
}

static void test_all_told(void **state)
{
	struct audit_result result = run(3, 2, 2, NULL);

	(void)state;
	assert_int_equal(result.n, 0);
	assert_int_equal(result.counts[AUDIT_PROG].listed, 3);
	assert_int_equal(result.counts[AUDIT_PROG].n_unreached, 0);
	/* Nothing leads to a link that is on no trampoline. */
	assert_int_equal(result.counts[AUDIT_LINK].n_unreached, 1);
	assert_int_equal(result.counts[AUDIT_LINK].unreached[0], 11);
	audit_result_deinit(&result);
}

static void test_hidden(void **state)
{
	struct audit_result result;

	(void)state;
	result = run(1, 1, 2, NULL);
	assert_int_equal(result.n, 3);
	check_finding(&result.all[0], AUDIT_PROG, AUDIT_HIDDEN, 2, "fentry of tcp_v4_rcv, link 12");
	check_finding(&result.all[1], AUDIT_PROG, AUDIT_HIDDEN, 3, "struct_ops 22 (ops)");
	check_finding(&result.all[2], AUDIT_MAP, AUDIT_HIDDEN, 22, "program 1");
	audit_result_deinit(&result);
	result = run(3, 2, 1, NULL);
	assert_int_equal(result.n, 1);
	check_finding(&result.all[0], AUDIT_LINK, AUDIT_HIDDEN, 12, "fentry of tcp_v4_rcv");
	audit_result_deinit(&result);
}

/* Slots of maps; one that could not be read is no finding. */
static void test_slots(void **state)
{
	static struct slot all[] = {
		{21, 0, {HELD_PROG, 1}, true},
		{21, 3, {HELD_PROG, 9}, true},
		{21, 4, {HELD_PROG, 0}, false},
		{22, 1, {HELD_MAP, 30}, true},
	};
	const struct slots slots = {.all = all, .n = 4};
	struct program program = {.id = 1};
	struct map map = {.id = 21};
	struct audit_result result;
	struct audit audit = {0};

	(void)state;
	assert_null(audit_slots(&audit, &slots));
	assert_null(audit_finish(&audit, &(struct programs){.all = &program, .n = 1},
				 &(struct maps){.all = &map, .n = 1}, &(struct links){0},
				 &(struct btf_objects){0}, NULL, &result));
	assert_int_equal(result.n, 2);
	check_finding(&result.all[0], AUDIT_PROG, AUDIT_HIDDEN, 9, "slot 3 of map 21");
	check_finding(&result.all[1], AUDIT_MAP, AUDIT_HIDDEN, 30, "slot 1 of map 22");
	assert_int_equal(result.counts[AUDIT_PROG].n_unreached, 0);
	assert_int_equal(result.counts[AUDIT_MAP].n_unreached, 1);
	audit_result_deinit(&result);
	audit_deinit(&audit);
}

/* As bpf_prog_free_id() leaves a program. */
static void test_without_id(void **state)
{
	struct audit_result result;

	(void)state;
	trampolines[0].prog_id.value = 0;
	trampolines[0].link_id.value = 0; /* a link gets its ID last */
	result = run(3, 2, 2, NULL);
	assert_int_equal(result.n, 1);
	check_finding(&result.all[0], AUDIT_PROG, AUDIT_WITHOUT_ID, 0, "fentry of tcp_v4_rcv");
	audit_result_deinit(&result);
}

static void test_told(void **state)
{
	struct audit_result result = run(3, 2, 2, "[{\"id\":1},{\"id\":3},{\"id\":7}]");

	(void)state;
	assert_int_equal(result.n, 2);
	check_finding(&result.all[0], AUDIT_PROG, AUDIT_NOT_TOLD, 2, NULL);
	check_finding(&result.all[1], AUDIT_PROG, AUDIT_ONLY_TOLD, 7, NULL);
	audit_result_deinit(&result);
}

static void test_no_list(void **state)
{
	static const char *const wrong[] = {"{}", "[1]", "[{\"id\":-1}]", "[{\"id\":\"1\"}]"};
	const struct programs p = {0};
	const struct maps m = {0};
	const struct links l = {0};
	struct btf_objects btfs = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *json = json_loads(wrong[i], 0, NULL);
		struct audit audit = {0};
		struct audit_result result;
		struct kt_error *err = audit_finish(&audit, &p, &m, &l, &btfs, json, &result);

		assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
		kt_error_destroy(err);
		json_decref(json);
	}
}

/* Only what was there twice counts. */
static void test_churn(void **state)
{
	struct audit_result first = run(1, 2, 2, NULL), again;

	(void)state;
	ops_progs[0].id = 1;
	again = run(1, 1, 2, NULL);
	assert_int_equal(first.n, 2);
	assert_int_equal(again.n, 2);
	audit_keep_both(&first, &again);
	assert_int_equal(first.n, 1);
	check_finding(&first.all[0], AUDIT_PROG, AUDIT_HIDDEN, 2, "fentry of tcp_v4_rcv, link 12");
	audit_result_deinit(&first);
	audit_result_deinit(&again);
}

static void test_many_places(void **state)
{
	const struct programs p = {0};
	const struct maps m = {0};
	const struct links l = {0};
	struct btf_objects btfs = {0};
	struct audit audit = {0};
	struct audit_result result;

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_null(audit_see(&audit, AUDIT_MAP, 5, "p%d", i));
	assert_null(audit_finish(&audit, &p, &m, &l, &btfs, NULL, &result));
	assert_int_equal(result.n, 1);
	assert_string_equal(result.all[0].where, "p0, p1, p2, p3, p4, p5, p6, p7 and 2 more");
	audit_result_deinit(&result);
	audit_deinit(&audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all_told, setup),
		cmocka_unit_test_setup(test_hidden, setup),
		cmocka_unit_test(test_slots),
		cmocka_unit_test_setup(test_without_id, setup),
		cmocka_unit_test_setup(test_told, setup),
		cmocka_unit_test_setup(test_no_list, setup),
		cmocka_unit_test_setup(test_churn, setup),
		cmocka_unit_test_setup(test_many_places, setup),
	};

	return cmocka_run_group_tests_name("model/audit", tests, NULL, NULL);
}
