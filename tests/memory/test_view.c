// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "memory/view.h"
#include "tests/memory/fake_facts.h"
#include "tests/memory/rng.h"
#include "tests/memory/textmem.h"

enum { A, B, NAME, OPTIONAL };
static const struct view_field fields[] = {
	[A] = {.path = "a"},
	[B] = {.path = "b"},
	[NAME] = {.path = "name", .max = 16},
	[OPTIONAL] = {.path = "sometimes", .optional = true},
};
static const struct view_type type = VIEW_TYPE("thing", fields);

static void facts_init(struct kfacts *facts)
{
	*facts = (struct kfacts){0};
	fake_member(facts, "thing", "a", 8, 4);
	fake_member(facts, "thing", "b", 1000, 2);
	fake_member(facts, "thing", "name", 16, 32);
	fake_member(facts, "thing", "sometimes", 1002, 8);
}

/* The image of one thing at 0x1000, which the caller frees. */
static uint8_t *read_thing(const struct kfacts *facts, struct view *view, const char *memory)
{
	struct textmem *m = textmem_create();
	struct gmem_batch batch = {0};
	uint8_t *image;
	struct kt_error *err = view_init(view, &type, facts);

	if (err)
		fail_msg("%s", kt_error_message(err));
	m->big_endian = facts->kernel.big_endian;
	textmem_text(m, memory);
	image = malloc(view->size);
	assert_non_null(image);
	assert_true(view_read(view, &batch, 0x1000, image));
	assert_int_equal(batch.reads.len, view->n_spans);
	assert_null(gmem_batch_read(&batch, textmem_read_physical, m));
	assert_false(gmem_batch_fault(&batch, 0, batch.reads.len));
	gmem_batch_deinit(&batch);
	textmem_destroy(m);
	return image;
}

#define THING                                                                                      \
	"@0x1008 0x11223344/4 @0x1010 \"0123456789abcdefGHIJ\" @0x13e8 0x5566/2 0xfedcba9876543210/8"

static void test_values(void **state)
{
	for (int big = 0; big <= 1; big++) {
		struct kfacts facts;
		struct view view;
		uint8_t *image;
		size_t len;

		(void)state;
		facts_init(&facts);
		facts.kernel.big_endian = big;
		image = read_thing(&facts, &view, THING);
		assert_int_equal(view.n_spans, 2);
		assert_true(view.size < 60);
		assert_int_equal(view_uint(&view, image, A), 0x11223344);
		assert_int_equal(view_uint(&view, image, B), 0x5566);
		assert_int_equal(view_uint(&view, image, OPTIONAL), UINT64_C(0xfedcba9876543210));
		assert_memory_equal(view_bytes(&view, image, NAME, &len), "0123456789abcdef", 16);
		assert_int_equal(len, 16);
		/* An array, or a part of one, is no number. */
		assert_int_equal(view_uint(&view, image, NAME), 0);
		free(image);
	}
}

static void test_optional_is_absent(void **state)
{
	struct kfacts facts;
	struct view view;
	uint8_t *image;
	size_t len = 99;

	(void)state;
	facts_init(&facts);
	fake_drop(&facts, KFACTS_MEMBER, "thing", "sometimes");
	image = read_thing(&facts, &view, THING);
	assert_false(view_has(&view, OPTIONAL));
	assert_true(view_has(&view, A));
	assert_int_equal(view_uint(&view, image, OPTIONAL), 0);
	assert_null(view_bytes(&view, image, OPTIONAL, &len));
	assert_int_equal(view_uint(&view, image, B), 0x5566);
	free(image);
}

static void test_required_is_absent(void **state)
{
	struct view view, before;
	struct kfacts facts;
	struct kt_error *err;

	(void)state;
	facts_init(&facts);
	fake_drop(&facts, KFACTS_MEMBER, "thing", "b");
	memset(&view, 0x5a, sizeof(view));
	before = view;
	err = view_init(&view, &type, &facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	assert_non_null(strstr(kt_error_message(err), "thing has no b"));
	assert_memory_equal(&view, &before, sizeof(view));
	kt_error_destroy(err);
}

/* Facts out of a damaged image: a place that no structure has is not there. */
static void test_hostile_places(void **state)
{
	static const struct kfacts_member bad[] = {
		{.offset = 1 << 20, .size = 4},
		{.offset = UINT32_MAX, .size = 4},
		{.offset = UINT32_MAX - 3, .size = UINT32_MAX},
		{.offset = 8, .size = 0},
		{.offset = 8, .size = 8, .bit_shift = 64, .bit_size = 1},
		{.offset = 8, .size = 8, .bit_shift = 255, .bit_size = 255},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct kfacts facts;
		struct view view;
		struct kt_error *err;

		facts_init(&facts);
		fake_find(&facts, KFACTS_MEMBER, "thing", "sometimes")->member = bad[i];
		assert_null(view_init(&view, &type, &facts));
		assert_false(view_has(&view, OPTIONAL));
		assert_true(view.size < 60);
		fake_find(&facts, KFACTS_MEMBER, "thing", "a")->member = bad[i];
		err = view_init(&view, &type, &facts);
		assert_non_null(err);
		kt_error_destroy(err);
	}
}

/* A member too large for a number gives none, and is not read for it. */
static void test_oversized_number(void **state)
{
	struct kfacts facts;
	struct view view;
	uint8_t *image;

	(void)state;
	facts_init(&facts);
	fake_member(&facts, "thing", "a", 8, UINT32_MAX);
	image = read_thing(&facts, &view, THING);
	assert_int_equal(view_uint(&view, image, A), 0);
	assert_true(view.size < 70);
	free(image);
	/* Read in full, and still no number. */
	fake_member(&facts, "thing", "name", 16, 12);
	image = read_thing(&facts, &view, THING);
	assert_int_equal(view_uint(&view, image, NAME), 0);
	free(image);
}

/* bpf_prog's: "jited" is bit 0 on little endian; on big endian the compiler counts from above. */
static void test_bit_fields(void **state)
{
	static const struct {
		bool big;
		struct kfacts_member member;
		uint64_t value;
	} truth[] = {
		{false, {8, 4, 0, 1}, 0},
		{false, {8, 4, 2, 1}, 1},
		{false, {8, 4, 4, 8}, 0x34},
		{false, {8, 4, 28, 4}, 1},
		{false, {8, 4, 0, 32}, 0x11223344},
		{false, {8, 1, 2, 3}, 1},
		{false, {8, 4, 0, 0}, 0x11223344},
		{true, {8, 4, 0, 1}, 0},
		{true, {8, 4, 2, 1}, 1},
		{true, {8, 4, 28, 4}, 1},
		{true, {8, 1, 0, 5}, 0x11},
		{true, {8, 2, 4, 12}, 0x112},
		/* Wider than what there is, or than any number: no crash, no foreign bits. */
		{false, {8, 4, 31, 64}, 0x11223344},
		{false, {8, 1, 7, 8}, 0},
		{false, {8, 4, 63, 63}, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(truth) / sizeof(truth[0]); i++) {
		struct kfacts facts;
		struct view view;
		uint8_t *image;

		facts_init(&facts);
		facts.kernel.big_endian = truth[i].big;
		fake_find(&facts, KFACTS_MEMBER, "thing", "a")->member = truth[i].member;
		image = read_thing(&facts, &view, THING);
		assert_int_equal(view_uint(&view, image, A), truth[i].value);
		free(image);
	}
}

/* Random places, also on top of each other: each member's bytes are the object's. */
static void test_random_layouts(void **state)
{
	uint64_t rng = 3;

	(void)state;
	for (unsigned int round = 0; round < 300; round++) {
		struct textmem *m = textmem_create();
		struct gmem_batch batch = {0};
		struct kfacts facts = {0};
		uint64_t total = 0;
		struct view view;
		uint8_t *image;
		size_t len;

		for (size_t i = 0; i < 4; i++)
			fake_member(&facts, "thing", fields[i].path,
				    (uint32_t)rng_below(&rng, round % 2 ? 64 : 3000),
				    1 + (uint32_t)rng_below(&rng, round % 3 ? 8 : 40));
		for (unsigned int i = 0; i < 4096; i++)
			textmem_put_uint(m, 0x1000 + i, rng_mix(i), 1);
		assert_null(view_init(&view, &type, &facts));
		image = malloc(view.size);
		assert_true(view_read(&view, &batch, 0x1000, image));
		kt_vec_for_each (&batch.reads, read)
			total += read->len;
		assert_int_equal(total, view.size);
		assert_null(gmem_batch_read(&batch, textmem_read_physical, m));
		for (unsigned int i = 0; i < 4; i++) {
			const struct kfacts_member *member =
				&fake_find(&facts, KFACTS_MEMBER, "thing", fields[i].path)->member;
			const uint8_t *got = view_bytes(&view, image, i, &len);
			uint8_t wanted[64];

			assert_true(textmem_get(m, 0x1000 + member->offset, wanted, 40));
			assert_memory_equal(got, wanted, len);
			assert_int_equal(len, member->size < (i == NAME ? 16 : 8)
						      ? member->size
						      : (i == NAME ? 16 : 8));
		}
		free(image);
		gmem_batch_deinit(&batch);
		textmem_destroy(m);
	}
}

static void test_wants(void **state)
{
	struct wants wants = {0};

	(void)state;
	assert_true(view_wants(&type, &wants));
	assert_true(wants_add(&wants, KFACTS_SYMBOL, "prog_idr", NULL, false));
	assert_int_equal(wants.v.len, 5);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(wants.v.data[i].kind, KFACTS_MEMBER);
		assert_string_equal(wants.v.data[i].name, "thing");
		assert_string_equal(wants.v.data[i].path, fields[i].path);
		assert_true(wants.v.data[i].optional);
	}
	assert_int_equal(wants.v.data[4].kind, KFACTS_SYMBOL);
	assert_false(wants.v.data[4].optional);
	wants_deinit(&wants);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_optional_is_absent),
		cmocka_unit_test(test_required_is_absent),
		cmocka_unit_test(test_hostile_places),
		cmocka_unit_test(test_oversized_number),
		cmocka_unit_test(test_bit_fields),
		cmocka_unit_test(test_random_layouts),
		cmocka_unit_test(test_wants),
	};

	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
