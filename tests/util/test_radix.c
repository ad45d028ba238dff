// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/radix.h"

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *seed >> 11;
}

static void check(const uint64_t *keys, size_t n)
{
	static struct kt_radix v[1000];

	for (size_t i = 0; i < n; i++)
		v[i] = (struct kt_radix){keys[i], i};
	assert_true(kt_radix_sort(v, n));
	for (size_t i = 0; i < n; i++) {
		assert_true(v[i].index < n);
		assert_true(v[i].key == keys[v[i].index]);
		if (!i)
			continue;
		assert_true(v[i - 1].key <= v[i].key);
		/* Equal ones stay in their order, so that none is there twice. */
		if (v[i - 1].key == v[i].key)
			assert_true(v[i - 1].index < v[i].index);
	}
}

static void test_sizes(void **state)
{
	static const uint64_t masks[] = {UINT64_MAX, 0xff, 0xffff00, 7,
					 UINT64_C(0xff000000000000ff)};
	static uint64_t keys[1000];
	uint64_t seed = 1;

	(void)state;
	for (size_t n = 0; n <= 1000; n += n < 70 ? 1 : 93)
		for (size_t m = 0; m < sizeof(masks) / sizeof(masks[0]); m++) {
			for (size_t i = 0; i < n; i++)
				keys[i] = (next(&seed) ^ next(&seed) << 30) & masks[m];
			check(keys, n);
		}
}

static void test_orders(void **state)
{
	static uint64_t keys[500];

	(void)state;
	for (size_t i = 0; i < 500; i++)
		keys[i] = UINT64_C(0xffff888000000000) + i * 64;
	check(keys, 500);
	for (size_t i = 0; i < 500; i++)
		keys[i] = UINT64_C(0xffff888000000000) - i * 64;
	check(keys, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
