// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "btf/kallsyms.h"
#include "tests/btf/kallsyms_writer.h"

#define LINK 0xffffffff82000000ull

static const char *const release_names[KW_RELEASES] = {"5.10", "6.1", "6.2", "6.4", "6.15", "7.0"};

struct table {
	struct kw_symbol *syms;
	uint32_t n;
};

/* n symbols around the tables, with per-CPU ones at small addresses where there are such. */
static struct table make_symbols(uint32_t n, enum kw_release release, size_t longest)
{
	struct table t = {calloc(n, sizeof(*t.syms)), n};
	static const char types[] = "TtDdrRbBVW";

	for (uint32_t i = 0; i < n; i++) {
		struct kt_buf name = KT_BUF_INIT;
		bool percpu = release < KW_6_15 && n > 4 && i < 3;

		kt_buf_printf(&name, "%s%u%s", i % 3 ? "sym_" : "bpf_prog__", i,
			      i % 5 ? "" : "_ops");
		while (i == n / 2 && name.len < longest)
			kt_buf_appendc(&name, 'x');
		t.syms[i] = (struct kw_symbol){
			.addr = percpu ? i * 0x1000 : LINK - 0x1000000 + i * 0x10000ull,
			.type = types[i % 10],
			.name = kt_buf_steal(&name),
		};
	}
	return t;
}

static void free_symbols(struct table *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		free((char *)t->syms[i].name);
	free(t->syms);
}

static struct kallsyms_range range_of(const struct kt_buf *buf, const struct kw_options *o)
{
	return (struct kallsyms_range){
		.data = kt_cursor(buf->data, buf->len, o->big_endian),
		.addr = o->addr,
		.pointer_size = o->pointer_size,
	};
}

static void check_all(const struct kallsyms *k, const struct table *t)
{
	struct kallsyms_iter it;
	uint32_t i = 0;

	assert_int_equal(k->num_syms, t->n);
	for (kallsyms_iter_init(&it, k); kallsyms_next(&it); i++) {
		assert_string_equal(it.name, t->syms[i].name);
		assert_int_equal(it.name_len, strlen(t->syms[i].name));
		assert_int_equal(it.type, t->syms[i].type);
		assert_int_equal(it.addr, t->syms[i].addr);
	}
	assert_int_equal(i, t->n);
}

static void check_round_trip(const struct kw_options *o, uint32_t n, size_t longest)
{
	struct table t = make_symbols(n, o->release, longest);
	struct kt_buf buf = KT_BUF_INIT;
	struct kallsyms_range range;
	struct kt_error *err;
	struct kallsyms k;

	kw_write(&buf, o, t.syms, n);
	range = range_of(&buf, o);
	err = kallsyms_find(&range, &k);
	if (err)
		fail_msg("%s, %u symbols: %s", release_names[o->release], n, kt_error_message(err));
	check_all(&k, &t);
	kt_buf_deinit(&buf);
	free_symbols(&t);
}

static void test_every_release(void **state)
{
	static const uint32_t counts[] = {5, 255, 256, 257, 600, 1024, 1300};

	(void)state;
	for (int r = 0; r < KW_RELEASES; r++) {
		for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
			struct kw_options o = {.release = (enum kw_release)r,
					       .pointer_size = 8,
					       .addr = LINK,
					       .junk = 4096 + 4 * i};

			check_round_trip(&o, counts[i], 0);
		}
	}
}

static void test_big_endian(void **state)
{
	(void)state;
	for (int r = 0; r < KW_RELEASES; r++) {
		struct kw_options o = {.release = (enum kw_release)r,
				       .pointer_size = 8,
				       .big_endian = true,
				       .addr = LINK,
				       .junk = 1000};

		check_round_trip(&o, 700, 0);
	}
}

/* The range may begin anywhere, as guest memory does; alignment is that of addresses. */
static void test_odd_start(void **state)
{
	(void)state;
	for (int r = 0; r < KW_RELEASES; r++) {
		struct kw_options o = {.release = (enum kw_release)r,
				       .pointer_size = 8,
				       .addr = LINK + 4,
				       .junk = 100};

		check_round_trip(&o, 700, 0);
	}
}

static void test_whole_addresses(void **state)
{
	struct kw_options o = {.release = KW_5_10,
			       .pointer_size = 8,
			       .whole_addresses = true,
			       .addr = LINK,
			       .junk = 64};

	(void)state;
	check_round_trip(&o, 700, 0);
	o.release = KW_6_4;
	check_round_trip(&o, 700, 0);
}

static void test_seqs_of_four_bytes(void **state)
{
	struct kw_options o = {.release = KW_6_2,
			       .pointer_size = 8,
			       .seqs_of_four = true,
			       .addr = LINK,
			       .junk = 64};

	(void)state;
	check_round_trip(&o, 1300, 0);
}

/* 300 characters need a length of two bytes, which came with 6.1 as names of 512 did. */
static void test_long_names(void **state)
{
	(void)state;
	for (int r = KW_6_1; r < KW_RELEASES; r++) {
		struct kw_options o = {.release = (enum kw_release)r,
				       .pointer_size = 8,
				       .addr = LINK,
				       .junk = 512};

		check_round_trip(&o, 600, 300);
		check_round_trip(&o, 600, KALLSYMS_NAME_MAX - 1);
	}
}

/* In 5.10 a length of 0x80 is one byte: 127 characters and a type that nothing compresses. */
static void test_length_128_of_one_byte(void **state)
{
	struct kw_options o = {.release = KW_5_10, .pointer_size = 8, .addr = LINK, .junk = 512};
	char name[128] = {0};
	struct table t = make_symbols(300, KW_5_10, 0);
	struct kt_buf buf = KT_BUF_INIT;
	struct kallsyms_range range;
	struct kallsyms k;

	(void)state;
	memset(name, 'y', 127);
	free((char *)t.syms[150].name);
	t.syms[150].name = strdup(name);
	kw_write(&buf, &o, t.syms, t.n);
	range = range_of(&buf, &o);
	assert_null(kallsyms_find(&range, &k));
	assert_false(k.wide_lengths);
	check_all(&k, &t);
	kt_buf_deinit(&buf);
	free_symbols(&t);
}

/* The whole table moved, as KASLR does: place-relative values and the base move along. */
static void test_relocated(void **state)
{
	struct kw_options o = {.release = KW_7_0, .pointer_size = 8, .addr = LINK, .junk = 512};
	struct table t = make_symbols(600, KW_7_0, 0);
	struct kt_buf buf = KT_BUF_INIT;
	struct kallsyms_range range;
	struct kallsyms k;

	(void)state;
	kw_write(&buf, &o, t.syms, t.n);
	range = range_of(&buf, &o);
	range.addr += 0x1c000000;
	assert_null(kallsyms_find(&range, &k));
	for (uint32_t i = 0; i < t.n; i++)
		t.syms[i].addr += 0x1c000000;
	check_all(&k, &t);
	kt_buf_deinit(&buf);
	free_symbols(&t);
}

static void expect_none(const void *data, size_t len)
{
	struct kallsyms_range range = {
		.data = kt_cursor(data, len, false), .addr = LINK, .pointer_size = 8};
	struct kallsyms k = {.num_syms = 77};
	struct kt_error *err = kallsyms_find(&range, &k);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	assert_int_equal(k.num_syms, 77); /* untouched on failure */
	kt_error_destroy(err);
}

static void test_none(void **state)
{
	static uint8_t zeroes[100000];
	struct kt_buf junk = KT_BUF_INIT;

	(void)state;
	expect_none(NULL, 0);
	expect_none("x", 1);
	expect_none(zeroes, sizeof(zeroes));
	for (size_t i = 0; i < sizeof(zeroes) / 2; i++)
		((uint16_t *)zeroes)[i] = (uint16_t)i;
	expect_none(zeroes, sizeof(zeroes));
	kw_junk(&junk, 200000);
	expect_none(junk.data, junk.len);
	kt_buf_deinit(&junk);
}

/* Finds and walks; whatever comes out, nothing may be read outside of exactly len bytes. */
static bool survives(const char *data, size_t len, const struct kw_options *o)
{
	char *exact = malloc(len ? len : 1);
	struct kallsyms_range range;
	struct kallsyms_iter it;
	struct kt_error *err;
	struct kallsyms k;

	memcpy(exact, data, len);
	range = (struct kallsyms_range){.data = kt_cursor(exact, len, o->big_endian),
					.addr = o->addr,
					.pointer_size = o->pointer_size};
	err = kallsyms_find(&range, &k);
	if (!err) {
		for (kallsyms_iter_init(&it, &k); kallsyms_next(&it);)
			assert_true(it.name_len < KALLSYMS_NAME_MAX && !it.name[it.name_len]);
	}
	kt_error_destroy(err);
	free(exact);
	return !err;
}

/* No cut inside the tables leaves a table: the last byte that matters is of the offsets. */
static void test_every_truncation(void **state)
{
	(void)state;
	for (int r = 0; r < KW_RELEASES; r++) {
		struct kw_options o = {
			.release = (enum kw_release)r, .pointer_size = 8, .addr = LINK};
		struct table t = make_symbols(40, o.release, 0);
		struct kt_buf buf = KT_BUF_INIT;
		size_t needed;

		kw_write(&buf, &o, t.syms, t.n);
		needed = buf.len - (r >= KW_6_4 ? 40 * 3 : 0);
		/* 7.0 pads to 4 behind offsets, and so does the pointer behind 6.4's. */
		for (size_t len = 0; len < needed; len++)
			assert_false(survives(buf.data, len, &o));
		for (size_t len = needed + 8; len <= buf.len; len++)
			assert_true(survives(buf.data, len, &o));
		kt_buf_deinit(&buf);
		free_symbols(&t);
	}
}

static void test_bit_flips(void **state)
{
	uint32_t x = 42;

	(void)state;
	for (int r = 0; r < KW_RELEASES; r++) {
		struct kw_options o = {
			.release = (enum kw_release)r, .pointer_size = 8, .addr = LINK};
		struct table t = make_symbols(300, o.release, 0);
		struct kt_buf buf = KT_BUF_INIT;
		size_t refused = 0;

		kw_write(&buf, &o, t.syms, t.n);
		for (int i = 0; i < 500; i++) {
			size_t at;
			char bit;

			x = x * 1664525 + 1013904223;
			at = (x >> 8) % buf.len;
			bit = (char)(1 << (x >> 5 & 7));
			buf.data[at] ^= bit;
			refused += !survives(buf.data, buf.len, &o);
			buf.data[at] ^= bit;
		}
		assert_true(refused > 20);
		kt_buf_deinit(&buf);
		free_symbols(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_release),
		cmocka_unit_test(test_big_endian),
		cmocka_unit_test(test_odd_start),
		cmocka_unit_test(test_whole_addresses),
		cmocka_unit_test(test_seqs_of_four_bytes),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_length_128_of_one_byte),
		cmocka_unit_test(test_relocated),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_bit_flips),
	};

	return cmocka_run_group_tests_name("btf: kallsyms", tests, NULL, NULL);
}
