// SPDX-License-Identifier: LGPL-2.1-or-later
/* When a guest that says nothing is taken for dead, on hosts quick and slow. In made-up time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vm/life.h"

#define MS       INT64_C(1000000)
#define NEVER_MS 1000000

/* A host: what QEMU takes to start, and the CPU time that it gets of each ms, in percent. */
struct host {
	int64_t startup_ms, share;
};

/* When a guest that prints at these times, and then never again, is taken for dead. */
static int64_t over_at(const struct host *host, const int64_t *prints_ms, size_t n)
{
	struct vm_life life;

	vm_life_begin(&life, 5 * MS);
	for (int64_t ms = 0; ms < NEVER_MS; ms += 10) {
		struct vm_life_sign sign = {
			.now_ns = (5 + ms) * MS,
			.cpu_ns = ms * host->share / 100 * MS,
			.connected = ms >= host->startup_ms,
		};

		for (size_t i = 0; i < n; i++)
			sign.console += ms >= prints_ms[i];
		if (vm_life_is_over(&life, &sign))
			return ms;
	}
	return NEVER_MS;
}

static void assert_over(const struct host *host, int64_t from_ms, int64_t to_ms)
{
	assert_in_range(over_at(host, NULL, 0), from_ms, to_ms);
}

static void test_hangs(void **state)
{
	/* It spins: ten seconds are enough. It sleeps: a minute. */
	static const struct host quick = {60, 100}, asleep = {60, 0}, idle = {60, 1};

	(void)state;
	assert_over(&quick, 10000, 10100);
	assert_over(&asleep, 60000, 60100);
	assert_over(&idle, 60000, 60100);
}

/*
 * An emulated host: QEMU took 2 s to start, and the guest's kernel 15 s to print its first line.
 * And one that gives QEMU a tenth of a CPU.
 */
static void test_slow_hosts(void **state)
{
	static const struct host emulated = {2000, 100}, busy = {90, 10};
	static const int64_t late[] = {15000, 40000};

	(void)state;
	assert_in_range(over_at(&emulated, late, 2), 200000, 300000);
	assert_in_range(over_at(&busy, late, 2), 90000, 110000);
	assert_over(&emulated, 190000, 210000);
}

/* Each word on the console counts anew. */
static void test_words(void **state)
{
	static const struct host quick = {60, 100};
	static const int64_t prints[] = {9000, 18000, 27000};

	(void)state;
	assert_in_range(over_at(&quick, prints, 3), 37000, 37100);
}

/* QEMU that never connects is no slow host. */
static void test_never_connects(void **state)
{
	static const struct host never = {NEVER_MS, 100};

	(void)state;
	assert_over(&never, 10000, 10100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_slow_hosts),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_never_connects),
	};

	return cmocka_run_group_tests_name("vm/life", tests, NULL, NULL);
}
