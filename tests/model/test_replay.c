// SPDX-License-Identifier: LGPL-2.1-or-later
/* Programs of a guest beside trials of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/replay.h"

static char *lit(const char *text)
{
	return (char *)(uintptr_t)text;
}

static struct program there[] = {
	{.id = 3, .name = "short", .tag = "0123456789abcdef", .verified_insns = {true, 30}},
	{.id = 4, .name = "fifteen_letters", .tag = "1111111111111111"},
	{.id = 5,
	 .name = "fifteen_letters",
	 .full_name = (char *)(uintptr_t) "fifteen_letters_and_more",
	 .verified_insns = {true, 50}},
	{.id = 6, .name = ""},
};

static struct programs guest = {there, 4, 0};

static void add(struct kt_trials *trials, const char *name, const struct program *program)
{
	const struct kt_trial trial = {.object = lit("a.bpf.o"),
				       .section = lit("tc"),
				       .name = lit(name),
				       .type = lit("sched_cls"),
				       .passed = program,
				       .program = program};

	assert_null(kt_trials_add(trials, &trial));
}

static uint32_t id_of(const char *name)
{
	const struct kt_trial trial = {.name = lit(name)};
	const struct program *program = kt_replay_find(&guest, &trial);

	return program ? program->id : 0;
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(id_of("short"), 3);
	assert_int_equal(id_of("shor"), 0);
	assert_int_equal(id_of("shorter"), 0);
	assert_int_equal(id_of("fifteen_letters_of_another"), 4);
	assert_int_equal(id_of(""), 0);
	guest.all++;
	guest.n--;
	there[1].full_name = lit("fifteen_letters_alone");
	assert_int_equal(id_of("fifteen_letters_and_more"), 5);
	there[1].full_name = NULL;
	guest.all--;
	guest.n++;
}

/* Kernels may have different lists; what the guest lacks, and what failed on all, has a row or
 * none. */
static void test_trials(void **state)
{
	struct kt_trials one = {0}, two = {0}, ret = {0};
	const struct kt_trials *const tried[] = {NULL, &one, &two};

	(void)state;
	add(&one, "unknown", NULL);
	add(&one, "fifteen_letters", NULL);
	add(&two, "short", &there[0]);
	add(&two, "fifteen_letters", NULL);
	assert_null(kt_replay_guest_trials(&guest, tried, 3, &ret));
	assert_int_equal(ret.v.len, 2);
	assert_string_equal(ret.v.data[0].name, "fifteen_letters");
	assert_false(ret.v.data[0].number[KT_TRIAL_INSNS].known);
	assert_string_equal(ret.v.data[1].name, "short");
	assert_string_equal(ret.v.data[1].object, "a.bpf.o");
	assert_true(ret.v.data[1].passed);
	assert_int_equal(ret.v.data[1].number[KT_TRIAL_INSNS].value, 30);
	kt_trials_deinit(&ret);
	kt_trials_deinit(&one);
	kt_trials_deinit(&two);
}

static void test_code(void **state)
{
	struct program here = {.tag = "0123456789abcdee"};
	struct kt_trials trials = {0};
	struct kt_trial *trial;

	(void)state;
	add(&trials, "short", &here);
	trial = &trials.v.data[0];
	trial->program = &here;
	assert_true(kt_replay_is_other_code(&guest, trial));
	memcpy(here.tag, there[0].tag, sizeof(here.tag));
	assert_false(kt_replay_is_other_code(&guest, trial));
	here.tag[0] = '\0';
	assert_false(kt_replay_is_other_code(&guest, trial));
	trial->program = NULL;
	assert_false(kt_replay_is_other_code(&guest, trial));
	kt_trials_deinit(&trials);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_trials),
		cmocka_unit_test(test_code),
	};

	return cmocka_run_group_tests_name("model/replay", tests, NULL, NULL);
}
