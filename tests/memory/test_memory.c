// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <string.h>

#include "memory/memory.h"
#include "tests/memory/rng.h"

/*
 * A source that has every byte of the address space but those of some pages, and writes
 * down the pages that it is asked for.
 */
struct pages {
	gaddr_t all[4096];
	size_t n;
};

struct fake {
	uint64_t bad;      /* salt: decides which pages fault */
	unsigned int odds; /* one page in so many */
	bool error;
	struct pages touched;
	size_t calls, requests, longest;
};

static uint8_t byte_at(gaddr_t addr)
{
	return (uint8_t)((addr * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

static bool page_faults(const struct fake *fake, gaddr_t page)
{
	return fake->odds && rng_mix(page ^ fake->bad) % fake->odds == 0;
}

static bool pages_have(const struct pages *pages, gaddr_t page)
{
	for (size_t i = 0; i < pages->n; i++)
		if (pages->all[i] == page)
			return true;
	return false;
}

static void pages_add(struct pages *pages, gaddr_t addr, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		gaddr_t page = (addr + i) >> 12;

		if (!pages_have(pages, page)) {
			assert_true(pages->n < 4096);
			pages->all[pages->n++] = page;
		}
	}
}

static struct kt_error *fake_read(void *source, struct gmem_read *reads, size_t count)
{
	struct fake *fake = source;

	fake->calls++;
	fake->requests += count;
	if (fake->error)
		return kt_error_new(KT_ERROR_CLOSED, "gone");
	for (size_t i = 0; i < count; i++) {
		uint8_t *buf = reads[i].buf;

		if (reads[i].len > fake->longest)
			fake->longest = reads[i].len;
		pages_add(&fake->touched, reads[i].addr, reads[i].len);
		reads[i].fault = false;
		for (size_t j = 0; j < reads[i].len; j++) {
			gaddr_t addr = reads[i].addr + j;

			if (page_faults(fake, addr >> 12)) {
				reads[i].fault = true;
				/* What a buffer holds after a fault is nobody's business. */
				memset(buf, 0x5a, reads[i].len);
				break;
			}
			buf[j] = byte_at(addr);
		}
	}
	return NULL;
}

#define MAX_PIECES 48
#define MAX_LEN    5000

struct pieces {
	size_t n;
	struct gmem_read all[MAX_PIECES];
	uint8_t bufs[MAX_PIECES][MAX_LEN];
};

static void piece_add(struct pieces *p, gaddr_t addr, size_t len)
{
	p->all[p->n] = (struct gmem_read){.addr = addr, .len = len, .buf = p->bufs[p->n]};
	p->n++;
}

/* Reads the pieces merged, and holds every byte and fault against what a piece alone gives. */
static void check(struct fake *fake, struct pieces *p)
{
	struct gmem_batch batch = {0};
	struct pages allowed = {.n = 0};

	for (size_t i = 0; i < p->n; i++) {
		pages_add(&allowed, p->all[i].addr, p->all[i].len);
		assert_true(gmem_batch_add(&batch, p->all[i].addr, p->all[i].buf, p->all[i].len));
	}
	assert_null(gmem_batch_read(&batch, fake_read, fake));
	assert_int_equal(batch.reads.len, p->n);
	for (size_t i = 0; i < p->n; i++) {
		const struct gmem_read *read = &batch.reads.data[i];
		bool fault = false;

		assert_true(read->addr == p->all[i].addr);
		assert_ptr_equal(read->buf, p->all[i].buf);
		for (size_t j = 0; j < read->len; j++)
			fault |= page_faults(fake, (read->addr + j) >> 12);
		assert_int_equal(read->fault, fault);
		assert_int_equal(gmem_batch_fault(&batch, i, i + 1), fault);
		for (size_t j = 0; j < read->len && !fault; j++)
			assert_int_equal(p->bufs[i][j], byte_at(read->addr + j));
	}
	for (size_t i = 0; i < fake->touched.n; i++)
		assert_true(pages_have(&allowed, fake->touched.all[i]));
	assert_true(fake->calls <= 2);
	gmem_batch_deinit(&batch);
}

static gaddr_t random_place(uint64_t *rng)
{
	switch (rng_below(rng, 4)) {
	case 0: return UINT64_C(0xffff888000000000) + rng_below(rng, 6000);
	case 1: return 0 - rng_below(rng, 6000);               /* up to the top, and around it */
	case 2: return UINT64_C(0x7000) - rng_below(rng, 600); /* a page's border */
	default: return rng_below(rng, 3000);
	}
}

static void test_random_batches(void **state)
{
	uint64_t rng = 1;

	(void)state;
	for (unsigned int round = 0; round < 600; round++) {
		static struct pieces p;
		struct fake fake = {.bad = rng_next(&rng),
				    .odds = (unsigned int)rng_below(&rng, 5)};
		size_t n = 1 + rng_below(&rng, MAX_PIECES - 1);
		bool spread = rng_below(&rng, 4) == 0;
		gaddr_t base = random_place(&rng);

		p.n = 0;
		for (size_t i = 0; i < n; i++) {
			size_t len = rng_below(&rng, 8) ? 1 + rng_below(&rng, 64)
							: 1 + rng_below(&rng, MAX_LEN - 1);

			if (i && rng_below(&rng, 6) == 0) /* the same once more */
				piece_add(&p, p.all[i - 1].addr, p.all[i - 1].len);
			else
				piece_add(&p, spread ? random_place(&rng) : base, len);
			base += rng_below(&rng, 3) ? rng_below(&rng, 100) : rng_below(&rng, 5000);
		}
		check(&fake, &p);
	}
}

static void test_neighbours_are_one_request(void **state)
{
	static struct pieces p;
	struct fake fake = {0};

	(void)state;
	piece_add(&p, 0x10c0, 8);
	piece_add(&p, 0x1000, 8);
	piece_add(&p, 0x1008, 16);
	piece_add(&p, 0x1000, 8);
	check(&fake, &p);
	assert_int_equal(fake.calls, 1);
	assert_int_equal(fake.requests, 1);
	assert_int_equal(fake.longest, 0xc8);
}

static void test_far_ones_are_not(void **state)
{
	static struct pieces p;
	struct fake fake = {0};

	(void)state;
	piece_add(&p, 0x1000, 8);
	piece_add(&p, 0x1e00, 8);
	piece_add(&p, 0x5000, 8); /* on one page, and still cheaper by themselves */
	piece_add(&p, 0x5400, 8);
	piece_add(&p, UINT64_C(0xfffffffffffffffc), 4);
	piece_add(&p, 0, 8);
	check(&fake, &p);
	assert_int_equal(fake.requests, 6);
}

/* Many small neighbours become a few requests, none longer than the stub's packets. */
static void test_requests_have_a_limit(void **state)
{
	static struct pieces p;
	struct fake fake = {0};

	(void)state;
	for (unsigned int i = 0; i < MAX_PIECES; i++)
		piece_add(&p, 0x10000 + i * 300, 300);
	check(&fake, &p);
	assert_true(fake.longest <= 2048);
	assert_true(fake.requests < MAX_PIECES / 4);
}

/* One bad neighbour: the others are asked for again, once, and only they. */
static void test_fault_is_not_contagious(void **state)
{
	static struct pieces p;
	struct fake fake = {.odds = 2};

	(void)state;
	while (page_faults(&fake, 1) || !page_faults(&fake, 2))
		fake.bad++;
	piece_add(&p, 0x1ff0, 8);
	piece_add(&p, 0x1ff8, 8);
	piece_add(&p, 0x2000, 8);
	piece_add(&p, 0x2ff0, 8); /* faults alone, needs no second try */
	check(&fake, &p);
	assert_int_equal(fake.calls, 2);
	assert_int_equal(fake.requests, 2 + 3);
}

static void test_nothing_to_read(void **state)
{
	struct gmem_batch batch = {0};
	struct fake fake = {0};

	(void)state;
	assert_true(gmem_batch_add(&batch, 0x1000, NULL, 0));
	assert_int_equal(batch.reads.len, 0);
	assert_false(gmem_batch_fault(&batch, 0, 0));
	assert_null(gmem_batch_read(&batch, fake_read, &fake));
	assert_int_equal(fake.calls, 0);
	gmem_batch_deinit(&batch);
}

static void test_error_of_the_source(void **state)
{
	struct gmem_batch batch = {0};
	struct fake fake = {.error = true};
	uint8_t buf[8];
	struct kt_error *err;

	(void)state;
	assert_true(gmem_batch_add(&batch, 0x1000, buf, 8));
	err = gmem_batch_read(&batch, fake_read, &fake);
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
	assert_true(gmem_batch_fault(&batch, 0, 1)); /* until it was read, it is missing */
	kt_error_destroy(err);
	gmem_batch_deinit(&batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_batches),
		cmocka_unit_test(test_neighbours_are_one_request),
		cmocka_unit_test(test_far_ones_are_not),
		cmocka_unit_test(test_requests_have_a_limit),
		cmocka_unit_test(test_fault_is_not_contagious),
		cmocka_unit_test(test_nothing_to_read),
		cmocka_unit_test(test_error_of_the_source),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
