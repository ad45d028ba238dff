// SPDX-License-Identifier: LGPL-2.1-or-later
/* Per-CPU offsets and the wall clock, which travel with the batches of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/wallclock.h"
#include "memory/percpu.h"
#include "tests/introspect/synth.h"

static struct synth s;

static int setup(void **state)
{
	(void)state;
	synth_init(&s, SYNTH_KASLR);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	synth_deinit(&s);
	return 0;
}

static struct guest *guest(void)
{
	struct guest *ret;
	struct kt_error *err;

	synth_cpu(&s);
	err = synth_guest(&s, &ret);
	if (err)
		fail_msg("%s", kt_error_message(err));
	return ret;
}

/* Reads the offsets; checks that they are these ("1000 2000", or "" for unknown). */
static void check_offsets(const char *wanted)
{
	struct gmem_batch first = {0}, second = {0};
	struct percpu_reader reader = {0};
	struct percpu percpu = {0};
	struct guest *g = guest();
	static uint8_t other[8];
	char got[4096] = "";
	size_t len = 0;

	/* Pieces of somebody else come before ours. */
	assert_true(gmem_batch_add(&first, SYNTH_DIRECT + SYNTH_HEAP, other, 8));
	assert_null(percpu_begin(&reader, g, &first));
	assert_null(guest_read(g, &first));
	assert_true(gmem_batch_add(&second, SYNTH_DIRECT + SYNTH_HEAP, other, 8));
	assert_null(percpu_next(&reader, g, &first, &second));
	assert_null(guest_read(g, &second));
	assert_null(percpu_end(&reader, g, &second, &percpu));
	kt_vec_for_each (&percpu.offsets, offset)
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%llx", len ? " " : "",
					(unsigned long long)*offset);
	assert_string_equal(got, wanted);
	gmem_batch_deinit(&first);
	gmem_batch_deinit(&second);
	percpu_reader_deinit(&reader);
	percpu_deinit(&percpu);
	guest_destroy(g);
}

static void put_mask(const char *words)
{
	textmem_printf(s.mem, "@%#llx %s", (unsigned long long)SYNTH_IMAGE + SYNTH_MASK, words);
}

static void test_holes(void **state)
{
	(void)state;
	check_offsets("1000 2000 4000");
}

static void test_second_word(void **state)
{
	(void)state;
	put_mask("0x8000000000000001 0x3");
	textmem_printf(s.mem, "@%#llx 0x1000 +496 0x63000 0x64000 0x65000 0x66000",
		       (unsigned long long)SYNTH_IMAGE + SYNTH_OFFSETS);
	check_offsets("1000 63000 64000 65000");
}

/* Built without SMP: CPU 0, at the address itself. Whatever else lacks the symbol is not known. */
static void test_without_smp(void **state)
{
	(void)state;
	fake_drop(&s.facts, KFACTS_SYMBOL, "__per_cpu_offset", NULL);
	check_offsets("");
	fake_member(&s.facts, "rq", "nr_running", 0, 4);
	fake_member(&s.facts, "rq", "cpu", 8, 4);
	check_offsets("");
	fake_drop(&s.facts, KFACTS_MEMBER, "rq", "cpu");
	check_offsets("0");
}

static void test_empty_mask(void **state)
{
	(void)state;
	put_mask("0 0");
	check_offsets("");
}

/* The guest is little endian, whose words we write the other way round. */
static void check_big_endian(uint64_t mask_size, size_t n)
{
	struct guest *g;
	struct gmem_batch first = {0}, second = {0};
	struct percpu_reader reader = {0};
	struct percpu percpu = {0};

	fake_size(&s.facts, "cpumask", mask_size);
	g = guest();
	s.facts.kernel.big_endian = s.mem->big_endian = true;
	put_mask("0x8000000000000005 2");
	textmem_printf(s.mem, "@%#llx 0x1000 0x2000 0x3000 +480 0x63000 0x64000 0x65000",
		       (unsigned long long)SYNTH_IMAGE + SYNTH_OFFSETS);
	/* The page tables stay as they are: the stub reads through them. */
	assert_null(percpu_begin(&reader, g, &first));
	assert_null(guest_read(g, &first));
	assert_null(percpu_next(&reader, g, &first, &second));
	assert_null(guest_read(g, &second));
	assert_null(percpu_end(&reader, g, &second, &percpu));
	assert_int_equal(percpu.offsets.len, n);
	assert_int_equal(percpu.offsets.data[0], 0x1000);
	assert_int_equal(percpu.offsets.data[1], 0x3000);
	assert_int_equal(percpu.offsets.data[2], 0x63000);
	if (n == 4)
		assert_int_equal(percpu.offsets.data[3], 0x65000);
	gmem_batch_deinit(&first);
	gmem_batch_deinit(&second);
	percpu_reader_deinit(&reader);
	percpu_deinit(&percpu);
	guest_destroy(g);
}

static void test_big_endian(void **state)
{
	(void)state;
	check_big_endian(16, 4);
}

/* A mask that ends within a word: what would be behind its end is not looked at. */
static void test_big_endian_half_a_word(void **state)
{
	(void)state;
	check_big_endian(12, 3);
}

static void test_mask_is_not_mapped(void **state)
{
	(void)state;
	fake_symbol(&s.facts, "__cpu_possible_mask", UINT64_C(0xffffffffff600000));
	check_offsets("");
}

static void test_offsets_are_not_mapped(void **state)
{
	(void)state;
	fake_symbol(&s.facts, "__per_cpu_offset", UINT64_C(0xffffffffff600000));
	check_offsets("");
}

static void test_unknown_symbols(void **state)
{
	static const char *const names[] = {"__per_cpu_offset", "__cpu_possible_mask"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		synth_deinit(&s);
		synth_init(&s, 0);
		fake_drop(&s.facts, KFACTS_SYMBOL, names[i], NULL);
		check_offsets("");
	}
	synth_deinit(&s);
	synth_init(&s, 0);
	fake_drop(&s.facts, KFACTS_SIZE, "cpumask", NULL);
	check_offsets("");
}

/* More CPUs than any kernel is built for: the facts are damaged. */
static void test_mask_sizes(void **state)
{
	static const struct {
		uint64_t size;
		const char *wanted;
	} truth[] = {
		{0, ""},    {1, "1000 2000 4000"}, {1024, "1000 2000 4000"},
		{1025, ""}, {UINT64_MAX, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(truth) / sizeof(truth[0]); i++) {
		synth_deinit(&s);
		synth_init(&s, 0);
		fake_size(&s.facts, "cpumask", truth[i].size);
		check_offsets(truth[i].wanted);
	}
}

/* The clock after its read; *known_ret: whether it tells the time at 1000 ns after boot. */
static int64_t clock_at_1000(bool *known_ret)
{
	struct wallclock clock = {0};
	struct gmem_batch batch = {0};
	struct guest *g = guest();
	static uint8_t other[8];
	int64_t ns = 0;

	assert_true(gmem_batch_add(&batch, SYNTH_DIRECT + SYNTH_HEAP, other, 8));
	assert_null(wallclock_begin(&clock, g, &batch));
	assert_null(guest_read(g, &batch));
	wallclock_end(&clock, &batch);
	*known_ret = wallclock_of_boottime(&clock, 1000, &ns);
	gmem_batch_deinit(&batch);
	guest_destroy(g);
	return ns;
}

static void test_clock(void **state)
{
	bool known;
	int64_t ns = clock_at_1000(&known);

	(void)state;
	assert_true(known);
	assert_true(ns == INT64_C(1699999995000001000));
}

/* Since 6.17 the clock is in an array of another name. */
static void test_clock_by_its_newer_name(void **state)
{
	bool known;

	(void)state;
	fake_drop(&s.facts, KFACTS_SYMBOL, "tk_core", NULL);
	fake_symbol(&s.facts, "timekeeper_data", SYNTH_TEXT + SYNTH_TK);
	clock_at_1000(&known);
	assert_true(known);
}

static void test_clock_is_unknown(void **state)
{
	static const struct fake_fact gone[] = {
		{.kind = KFACTS_SYMBOL, .name = "tk_core"},
		{.kind = KFACTS_MEMBER, .name = "timekeeper", .path = "timekeeper"},
		{.kind = KFACTS_MEMBER, .name = "timekeeper", .path = "offs_real"},
		{.kind = KFACTS_MEMBER, .name = "timekeeper", .path = "offs_boot"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		bool known;

		synth_deinit(&s);
		synth_init(&s, 0);
		fake_drop(&s.facts, gone[i].kind, gone[i].name, gone[i].path);
		clock_at_1000(&known);
		assert_false(known);
	}
}

static void test_clock_is_not_mapped(void **state)
{
	bool known;

	(void)state;
	fake_symbol(&s.facts, "tk_core", UINT64_C(0xffffffffff600000));
	clock_at_1000(&known);
	assert_false(known);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_holes),
		TEST(test_second_word),
		TEST(test_without_smp),
		TEST(test_empty_mask),
		TEST(test_big_endian),
		TEST(test_big_endian_half_a_word),
		TEST(test_mask_is_not_mapped),
		TEST(test_offsets_are_not_mapped),
		TEST(test_unknown_symbols),
		TEST(test_mask_sizes),
		TEST(test_clock),
		TEST(test_clock_by_its_newer_name),
		TEST(test_clock_is_unknown),
		TEST(test_clock_is_not_mapped),
	};

	return cmocka_run_group_tests_name("percpu", tests, NULL, NULL);
}
