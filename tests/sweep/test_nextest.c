// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/nextest.h"

static void assert_args(const char *profile, const char *const *forward, size_t n,
			const char *const *wanted)
{
	char **args;
	size_t i;

	assert_null(kt_build_nextest_args(profile, forward, n, &args));
	for (i = 0; wanted[i]; i++) {
		assert_non_null(args[i]);
		assert_string_equal(args[i], wanted[i]);
	}
	assert_null(args[i]);
	kt_nextest_args_free(args);
}

#define FIXED                                                                                      \
	"nextest", "run", "--run-ignored", "all", "--no-tests", "pass", "-E",                      \
		"test(/^verifier/) & !test(/^verifier::/)"

static void test_args(void **state)
{
	const char *const forward[] = {"--profile", "x y", "", "--", "'quoted'"};

	(void)state;
	assert_args(NULL, NULL, 0, (const char *[]){FIXED, NULL});
	assert_args("ci", NULL, 0, (const char *[]){FIXED, "--profile", "ci", NULL});
	assert_args(NULL, forward, 5,
		    (const char *[]){FIXED, "--profile", "x y", "", "--", "'quoted'", NULL});
	assert_args("ci", forward, 2,
		    (const char *[]){FIXED, "--profile", "ci", "--profile", "x y", NULL});
	kt_nextest_args_free(NULL);
}

struct outcome {
	enum kt_run_outcome outcome;
	char *message;
	int code;
};

static struct outcome classify(bool success, bool empty, bool failed, const char *scheduler,
			       int code)
{
	struct outcome o;

	assert_null(kt_classify_run_outcome(success, empty, failed, scheduler, code, &o.outcome,
					    &o.message, &o.code));
	return o;
}

/* What is wanted of each, from the words of the specification. */
static void check(bool success, bool empty, bool failed, const char *scheduler, int code)
{
	struct outcome o = classify(success, empty, failed, scheduler, code);

	if (success && !empty) {
		assert_int_equal(o.outcome, KT_RUN_SUCCESS);
		assert_int_equal(o.code, 0);
	} else if (!success && failed && !empty) {
		assert_int_equal(o.outcome, KT_RUN_FAILED_SILENTLY);
		assert_int_equal(o.code, code ? code : 1);
	} else {
		assert_int_equal(o.outcome, KT_RUN_FAILED);
		assert_int_not_equal(o.code, 0);
		assert_non_null(o.message);
		if (!success)
			assert_non_null(strstr(o.message, "exit status"));
		else if (scheduler)
			assert_string_equal(o.message, "no cell ran: the scheduler filter "
						       "\"scx_x\" matched nothing");
		else
			assert_string_equal(o.message, "no cell ran: no scheduler is declared, or "
						       "every topology was rejected");
	}
	assert_int_equal(o.message != NULL, o.outcome == KT_RUN_FAILED);
	free(o.message);
}

static void test_every_outcome(void **state)
{
	(void)state;
	for (int bits = 0; bits < 16; bits++)
		for (int code = 0; code < 256; code++)
			check(bits & 1, bits & 2, bits & 4, bits & 8 ? "scx_x" : NULL, code);
}

static void test_words(void **state)
{
	struct outcome o = classify(false, true, false, NULL, 101);

	(void)state;
	assert_int_equal(o.code, 101);
	assert_string_equal(o.message,
			    "the run failed with exit status 101, and no cell left a record");
	free(o.message);
	o = classify(false, false, false, "s", 100);
	assert_int_equal(o.code, 100);
	assert_string_equal(o.message, "the run failed with exit status 100, and no cell that has "
				       "a record did");
	free(o.message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_every_outcome),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
