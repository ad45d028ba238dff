// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/path.h"

static void test_base_name(void **state)
{
	(void)state;
	assert_string_equal(kt_base_name("a.o"), "a.o");
	assert_string_equal(kt_base_name("/x/y/a.o"), "a.o");
	assert_string_equal(kt_base_name("x/"), "");
}

/* Each path with the name that a person would give it beside the others. */
static void check(const char *const *paths, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_string_equal(kt_path_apart(paths, n, i), names[i]);
}

#define CHECK(paths, names)                                                                        \
	do {                                                                                       \
		assert_int_equal(sizeof(paths), sizeof(names));                                    \
		check(paths, names, sizeof(paths) / sizeof(*(paths)));                             \
	} while (0)

static void test_apart(void **state)
{
	static const char *const one[] = {"/x/y/a.o"}, *const one_name[] = {"a.o"};
	static const char *const several[] = {"old/bpf/a.o", "/new/bpf/a.o", "new/bpf/b.o", "xa.o"};
	static const char *const several_names[] = {"old/bpf/a.o", "new/bpf/a.o", "b.o", "xa.o"};
	static const char *const deep[] = {"1/p/a.o", "1/q/a.o", "2/p/a.o"};
	static const char *const deep_names[] = {"1/p/a.o", "q/a.o", "2/p/a.o"};

	(void)state;
	CHECK(one, one_name);
	CHECK(several, several_names);
	CHECK(deep, deep_names);
}

/* Nothing of a path is left to tell it apart. */
static void test_whole(void **state)
{
	static const char *const paths[] = {"a.o", "./a.o", "/a.o", "x//a.o"};
	static const char *const twice[] = {"x/a.o", "x/a.o", "y/b.o"};
	static const char *const twice_names[] = {"a.o", "a.o", "b.o"};

	(void)state;
	CHECK(paths, paths);
	CHECK(twice, twice_names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base_name),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_whole),
	};

	return cmocka_run_group_tests_name("util/path", tests, NULL, NULL);
}
