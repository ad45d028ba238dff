// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a load costs the guest. The loads here are made up of parts whose lengths the test knows:
 * what a loader does itself, and what the verifier takes. So it knows what has to come out, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "watch/cost.h"

#define MS    INT64_C(1000000)
#define SHORT 100    /* instructions, and so no work for the verifier */
#define LONG  500000 /* keeps the verifier busy, watched or not */

struct loader {
	gaddr_t task;
	int64_t cpu_ns; /* that its task has run, by the guest's own clock */
};

/* The loader does something of its own, and then loads. It returns other_ns after the verifier. */
static void load(struct cost *cost, struct loader *loader, int64_t own_ns, int64_t verifier_ns,
		 uint64_t insns)
{
	const struct bpf_load what = {
		.verified_insns = {true, insns},
		.verification_time_ns = {true, (uint64_t)verifier_ns},
	};
	struct cost_load one;

	loader->cpu_ns += own_ns + verifier_ns;
	cost_begin(cost, loader->task, (struct program_number){true, (uint64_t)loader->cpu_ns},
		   &what, &one);
	cost_end(cost, &one, own_ns);
}

static void test_none(void **state)
{
	struct cost cost = {0};

	(void)state;
	assert_int_equal(cost_of_load(&cost), 0);
	cost_deinit(&cost);
}

/* The task's whole time from one load to the next, since nothing but the watch takes that long. */
static void test_short_programs(void **state)
{
	struct loader one = {0x1000, 700 * MS}, two = {0x2000, 0};
	struct cost cost = {0};

	(void)state;
	for (int i = 0; i < 20; i++) {
		load(&cost, &one, 30 * MS, 8 * MS, SHORT);
		load(&cost, &two, 30 * MS, 8 * MS, SHORT);
	}
	assert_int_equal(cost_of_load(&cost), 38 * MS);
	/* It may be asked for again, and is still right with more loads. */
	load(&cost, &two, 30 * MS, 8 * MS, SHORT);
	assert_int_equal(cost_of_load(&cost), 38 * MS);
	cost_deinit(&cost);
}

/* One load is all there was: what its task did before is not the watch's doing. */
static void test_first_load(void **state)
{
	struct loader loader = {0x1000, INT64_C(3600) * 1000 * MS};
	struct cost cost = {0};

	(void)state;
	load(&cost, &loader, 5 * MS, 2 * MS, SHORT);
	assert_int_equal(cost_of_load(&cost), 7 * MS);
	cost_deinit(&cost);
}

/* Half a second in the verifier is the program's own doing: as much as short ones need counts. */
static void test_long_program(void **state)
{
	struct loader loader = {0x1000, 0};
	struct cost cost = {0};

	(void)state;
	for (int i = 0; i < 9; i++)
		load(&cost, &loader, 30 * MS, 8 * MS, SHORT);
	load(&cost, &loader, 30 * MS, 500 * MS, LONG);
	assert_int_equal(cost_of_load(&cost), 38 * MS);
	/* A long program that is verified faster than that counts as it is. */
	for (int i = 0; i < 10; i++)
		load(&cost, &loader, 30 * MS, 4 * MS, LONG);
	assert_int_equal(cost_of_load(&cost), 36 * MS);
	cost_deinit(&cost);
}

/* There is no short program to tell: the verifier's code is as much as the rest. */
static void test_long_programs_only(void **state)
{
	struct loader loader = {0x1000, 0};
	struct cost cost = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		load(&cost, &loader, 30 * MS, 500 * MS, LONG);
	assert_int_equal(cost_of_load(&cost), 60 * MS);
	cost_deinit(&cost);
}

/* A loader that computes for a minute between two loads: that is not what the watch costs. */
static void test_busy_loader(void **state)
{
	struct loader loader = {0x1000, 0};
	struct cost cost = {0};

	(void)state;
	for (int i = 0; i < 99; i++)
		load(&cost, &loader, 30 * MS, 8 * MS, SHORT);
	load(&cost, &loader, 60000 * MS, 8 * MS, SHORT);
	assert_in_range(cost_of_load(&cost), 38 * MS, 41 * MS);
	cost_deinit(&cost);
}

/* A loader that waits for a lock inside of the verifier: that is no processor's time. */
static void test_waits_in_verifier(void **state)
{
	const struct bpf_load what = {
		.verified_insns = {true, SHORT},
		.verification_time_ns = {true, 100 * MS},
	};
	struct cost cost = {0};
	struct cost_load one;

	(void)state;
	cost_begin(&cost, 0x1000, (struct program_number){true, 50 * MS}, &what, &one);
	cost_begin(&cost, 0x1000, (struct program_number){true, 60 * MS}, &what, &one);
	assert_int_equal(one.other_ns, 0);
	cost_deinit(&cost);
}

/* A new task where an old one was has run for less, and its time has nothing to do with the old. */
static void test_new_task_at_old_address(void **state)
{
	struct loader old = {0x1000, 900 * MS}, new = {0x1000, 1 * MS};
	struct cost cost = {0};

	(void)state;
	load(&cost, &old, 5 * MS, 2 * MS, SHORT);
	load(&cost, &new, 5 * MS, 2 * MS, SHORT);
	load(&cost, &new, 5 * MS, 2 * MS, SHORT);
	assert_int_equal(cost_of_load(&cost), 7 * MS);
	cost_deinit(&cost);
}

/* What could not be read once is no 0: the next load would be charged all that its task ever ran.
 */
static void test_unknown_time(void **state)
{
	const struct bpf_load what = {
		.verified_insns = {true, SHORT},
		.verification_time_ns = {true, 2 * MS},
	};
	struct loader loader = {0x1000, 900 * MS};
	struct cost cost = {0};
	struct cost_load one;

	(void)state;
	for (int i = 0; i < 2; i++) {
		load(&cost, &loader, 5 * MS, 2 * MS, SHORT);
		cost_begin(&cost, loader.task, (struct program_number){0}, &what, &one);
		cost_end(&cost, &one, 5 * MS);
	}
	assert_int_equal(cost_of_load(&cost), 7 * MS);
	cost_deinit(&cost);
}

/* More tasks than are remembered, such as a shell script that runs bpftool again and again. */
static void test_many_tasks(void **state)
{
	struct cost cost = {0};

	(void)state;
	for (gaddr_t i = 0; i < 1000; i++) {
		struct loader loader = {0x1000 * (i + 1), 2 * MS};

		load(&cost, &loader, 5 * MS, 2 * MS, SHORT);
	}
	assert_int_equal(cost_of_load(&cost), 7 * MS);
	cost_deinit(&cost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_short_programs),
		cmocka_unit_test(test_first_load),
		cmocka_unit_test(test_long_program),
		cmocka_unit_test(test_long_programs_only),
		cmocka_unit_test(test_busy_loader),
		cmocka_unit_test(test_waits_in_verifier),
		cmocka_unit_test(test_new_task_at_old_address),
		cmocka_unit_test(test_unknown_time),
		cmocka_unit_test(test_many_tasks),
	};

	return cmocka_run_group_tests_name("watch cost", tests, NULL, NULL);
}
