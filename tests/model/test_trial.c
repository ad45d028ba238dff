// SPDX-License-Identifier: LGPL-2.1-or-later
/* Trials: what their logs say, the programs that they are, and the way through JSON. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "logparse/logs.h"
#include "model/json.h"
#include "model/json_put.h"
#include "model/trial_json.h"

static char *lit(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* As 6.12 and libbpf 1.1 print it. */
static const char rejected_log[] =
	"libbpf: prog 'p': BPF program load failed: Permission denied\n"
	"libbpf: prog 'p': -- BEGIN PROG LOAD LOG --\n"
	"0: R1=ctx() R10=fp0\n"
	"; return *v; @ a.bpf.c:11\n"
	"0: (61) r0 = *(u32 *)(r2 +0)\n"
	"R2 !read_ok\n"
	"processed 1 insns (limit 1000000) max_states_per_insn 2 total_states 3 peak_states 4 "
	"mark_read 5\n"
	"-- END PROG LOAD LOG --\n";

/* As 6.1 prints it: without file and number. */
static const char older_log[] = "libbpf: prog 'p': -- BEGIN PROG LOAD LOG --\n"
				"0: R1=ctx(off=0,imm=0) R10=fp0\n"
				"; *n += 1;\n"
				"8: (79) r1 = *(u64 *)(r0 +0)\n"
				"R0 invalid mem access 'map_value_or_null'\n"
				"processed 8 insns (limit 1000000) max_states_per_insn 0 "
				"total_states 0 peak_states 0 mark_read 0\n"
				"-- END PROG LOAD LOG --\n";

static const char passed_log[] =
	"libbpf: prog 'a': -- BEGIN PROG LOAD LOG --\n"
	"verification time 77 usec\n"
	"stack depth 8+16\n"
	"processed 136 insns (limit 1000000) max_states_per_insn 1 total_states 9 peak_states 7 "
	"mark_read 3\n"
	"-- END PROG LOAD LOG --\n";

static void add(struct kt_trials *trials, struct kt_trial trial)
{
	trial.object = trial.object ? trial.object : lit("a.bpf.o");
	trial.section = trial.section ? trial.section : lit("tc");
	trial.type = lit("sched_cls");
	assert_null(kt_trials_add(trials, &trial));
}

static void check_number(const struct kt_trial *trial, enum kt_trial_number number, uint64_t value)
{
	assert_true(trial->number[number].known);
	assert_int_equal(trial->number[number].value, value);
}

static void fill(struct kt_trials *trials)
{
	add(trials, (struct kt_trial){.name = lit("a_name_that_is_longer"),
				      .passed = true,
				      .id = 7,
				      .log = lit(passed_log),
				      .attach = KT_ATTACH_REFUSED,
				      .place = lit("lo: no"),
				      .ran = KT_TEST_RUN_DONE,
				      .retval = 2});
	add(trials,
	    (struct kt_trial){.name = lit("p"), .errnum = EACCES, .log = lit(rejected_log)});
	add(trials, (struct kt_trial){.name = lit("silent"), .passed = true, .id = 9});
}

static void check_filled(const struct kt_trials *trials)
{
	const struct kt_trial *all = trials->v.data;

	assert_int_equal(trials->v.len, 3);
	assert_int_equal(kt_trials_failed(trials), 1);
	check_number(&all[0], KT_TRIAL_TOTAL_STATES, 9);
	check_number(&all[0], KT_TRIAL_PEAK_STATES, 7);
	check_number(&all[0], KT_TRIAL_MAX_STATES_PER_INSN, 1);
	check_number(&all[0], KT_TRIAL_MARK_READ, 3);
	check_number(&all[0], KT_TRIAL_STACK, 24);
	check_number(&all[0], KT_TRIAL_TIME_US, 77);
	assert_null(all[0].message);
	assert_false(all[1].passed);
	assert_int_equal(all[1].errnum, EACCES);
	check_number(&all[1], KT_TRIAL_INSNS, 1);
	check_number(&all[1], KT_TRIAL_TOTAL_STATES, 3);
	assert_string_equal(all[1].message, "R2 !read_ok");
	assert_string_equal(all[1].file, "a.bpf.c");
	assert_int_equal(all[1].line, 11);
	assert_non_null(all[1].class);
	assert_string_equal(all[2].name, "silent");
	for (enum kt_trial_number i = 0; i < KT_N_TRIAL_NUMBERS; i++)
		assert_int_equal(all[2].number[i].known, 0);
}

static void test_logs(void **state)
{
	struct kt_trials trials = {0};

	(void)state;
	fill(&trials);
	check_filled(&trials);
	check_number(&trials.v.data[0], KT_TRIAL_INSNS, 136);
	kt_trials_deinit(&trials);
}

/* What the line is found by, where the log does not name it. */
static void test_line(void **state)
{
	struct kt_trials trials = {0};
	const struct kt_trial *all;

	(void)state;
	fill(&trials);
	add(&trials, (struct kt_trial){.name = lit("p"), .errnum = EACCES, .log = lit(older_log)});
	all = trials.v.data;
	assert_int_equal(all[0].insn, -1);
	assert_int_equal(all[1].insn, 0);
	assert_string_equal(all[1].source, "return *v;");
	assert_int_equal(all[3].insn, 8);
	assert_string_equal(all[3].source, "*n += 1;");
	assert_null(all[3].file);
	assert_int_equal(all[3].line, 0);
	assert_null(kt_trial_set_line(&trials.v.data[3], "b.bpf.c", 25));
	assert_string_equal(all[3].file, "b.bpf.c");
	assert_int_equal(all[3].line, 25);
	kt_trials_deinit(&trials);
}

/* The kernel's number counts, its name is made whole; another program of that id is left alone. */
static void test_join(void **state)
{
	struct kt_trials trials = {0};
	struct program all[] = {
		{.id = 7, .name = "a_name_that_is_", .verified_insns = {true, 140}},
		{.id = 9, .name = "another"},
	};
	struct programs programs = {.all = all, .n = 2};

	(void)state;
	fill(&trials);
	assert_null(kt_trials_join(&trials, &programs));
	assert_ptr_equal(trials.v.data[0].program, &all[0]);
	check_number(&trials.v.data[0], KT_TRIAL_INSNS, 140);
	assert_string_equal(all[0].full_name, "a_name_that_is_longer");
	assert_null(trials.v.data[1].program);
	assert_null(all[1].full_name);
	free(all[0].full_name);
	kt_trials_deinit(&trials);
}

/* A loader's own log tells what it would tell of an object; only what it does not say is missing.
 */
static void test_add_log(void **state)
{
	struct kt_text text = {rejected_log, strlen(rejected_log)};
	struct kt_trials by_log = {0}, by_object = {0};
	json_t *object = json_object();
	const struct kt_trial *a, *b;
	struct kt_log_block nameless;
	struct kt_logs logs;

	(void)state;
	add(&by_object,
	    (struct kt_trial){.name = lit("p"), .errnum = EACCES, .log = lit(rejected_log)});
	assert_null(kt_logs_find(text, NULL, &logs));
	assert_int_equal(logs.v.len, 1);
	assert_null(kt_trials_add_log(&by_log, &logs.v.data[0]));
	a = &by_log.v.data[0];
	b = &by_object.v.data[0];
	assert_string_equal(a->name, "p");
	assert_string_equal(a->object, "");
	assert_null(a->type);
	assert_false(a->passed);
	assert_int_equal(a->errnum, EACCES);
	assert_string_equal(a->message, "R2 !read_ok");
	assert_string_equal(a->class, b->class);
	assert_string_equal(a->file, "a.bpf.c");
	assert_int_equal(a->line, 11);
	for (enum kt_trial_number i = 0; i < KT_N_TRIAL_NUMBERS; i++)
		assert_memory_equal(&a->number[i], &b->number[i], sizeof(a->number[i]));
	assert_memory_equal(a->log, "0: R1=ctx()", 11);
	/* Without markers nobody knows how long the kernel's log was. */
	nameless = logs.v.data[0];
	nameless.program.len = 0;
	nameless.marked = false;
	assert_null(kt_trials_add_log(&by_log, &nameless));
	assert_false(by_log.v.data[1].number[KT_TRIAL_LOG_BYTES].known);
	kt_trial_put_log(&by_log.v.data[1], object);
	assert_true(json_is_null(json_object_get(object, "name")));
	assert_null(json_object_get(object, "object"));
	json_decref(object);
	kt_logs_deinit(&logs);
	kt_trials_deinit(&by_log);
	kt_trials_deinit(&by_object);
}

/* As collect's document has them: those that passed in one list, the others in another. */
static void test_json(void **state)
{
	struct kt_trials trials = {0}, back = {0};
	json_t *root = json_object(), *passed = json_array(), *failed = json_array();
	char *text;
	json_error_t why;

	(void)state;
	fill(&trials);
	for (size_t i = 0; i < 3; i++) {
		json_t *object = json_object();

		json_object_set_new(object, "id", json_integer(trials.v.data[i].id));
		kt_trial_put(&trials.v.data[i], i, object);
		json_array_append_new(trials.v.data[i].passed ? passed : failed, object);
	}
	json_array_append_new(passed, json_object()); /* of no object */
	json_object_set_new(root, "programs", passed);
	json_object_set_new(root, "failed", failed);
	assert_null(kt_json_dump_line(root, &text));
	root = kt_json_load((struct kt_text){text, strlen(text)}, 0, &why);
	assert_non_null(root);
	assert_null(kt_trials_read(root, &back));
	check_filled(&back);
	assert_string_equal(back.v.data[0].log, passed_log);
	assert_int_equal(back.v.data[0].id, 7);
	assert_true(kt_trial_is_refused(&back.v.data[0]));
	assert_string_equal(back.v.data[0].place, "lo: no");
	assert_int_equal(back.v.data[0].ran, KT_TEST_RUN_DONE);
	assert_int_equal(back.v.data[0].retval, 2);
	assert_int_equal(kt_trials_refused(&back), 1);
	json_decref(root);
	free(text);
	kt_trials_deinit(&back);
	kt_trials_deinit(&trials);
}

/* What another process hands over may be anything. */
static void test_damaged_json(void **state)
{
	static const char *const documents[] = {
		"[]",
		"{}",
		"3",
		"{\"programs\":3,\"failed\":{}}",
		"{\"programs\":[3,null,[]]}",
		("{\"failed\":[{\"object\":\"a\",\"name\":\"b\",\"section\":\"\",\"order\":-1,"
		 "\"errno\":1e9,\"log\":5,\"total_states\":\"x\"}]}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
		struct kt_trials trials = {0};
		json_error_t why;
		json_t *root = kt_json_load((struct kt_text){documents[i], strlen(documents[i])},
					    JSON_DECODE_ANY, &why);

		assert_non_null(root);
		assert_null(kt_trials_read(root, &trials));
		kt_trials_deinit(&trials);
		json_decref(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logs), cmocka_unit_test(test_line),
		cmocka_unit_test(test_join), cmocka_unit_test(test_add_log),
		cmocka_unit_test(test_json), cmocka_unit_test(test_damaged_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
