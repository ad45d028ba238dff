// SPDX-License-Identifier: LGPL-2.1-or-later
/* The one repeat that leaves the least text, against trying every start and every period. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "logparse/cycle.h"
#include "tests/memory/rng.h"

#define N_MAX 240

/* Lines that are the same for a reader of loops: the letter counts, nothing else. */
static const char *const insns[] = {"(07) r1 += 3", "(bf) r2 = r3", "(05) goto pc-9",
				    "(0f) r2 += r3", "(77) r3 >>= 2"};

struct list {
	uint8_t letter[N_MAX]; /* index in insns */
	size_t n;
	char room[N_MAX][96];
	struct kt_text lines[N_MAX];
};

/* As 6.12 prints them: another index and other registers each time. */
static void spell(struct list *l, uint64_t *rng)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *insn = insns[l->letter[i]];
		unsigned int index = (unsigned int)rng_below(rng, 3000);
		int len;

		if (rng_below(rng, 3) == 0)
			len = snprintf(l->room[i], sizeof(l->room[i]), "%u: %s", index, insn);
		else
			len = snprintf(l->room[i], sizeof(l->room[i]), "%u: %-34s; R1_w=%u R2=fp-8",
				       index, insn, index * 7);
		l->lines[i] = (struct kt_text){l->room[i], (size_t)len};
	}
}

static struct kt_cycle brute_force(const struct list *l)
{
	struct kt_cycle best = {0};
	size_t most = 0;

	for (size_t start = 0; start < l->n; start++) {
		for (size_t period = KT_CYCLE_MIN_PERIOD; start + 3 * period <= l->n; period++) {
			size_t count = 1;

			while (start + (count + 1) * period <= l->n &&
			       !memcmp(l->letter + start, l->letter + start + count * period,
				       period))
				count++;
			/* Starts and periods come in order: only what is better replaces. */
			if (count >= KT_CYCLE_MIN_COUNT && (count - 2) * period > most) {
				most = (count - 2) * period;
				best = (struct kt_cycle){start, period, count};
			}
		}
	}
	return best;
}

static void check(const struct list *l, uint64_t seed)
{
	struct kt_cycle want = brute_force(l), got;
	/* Of the exact size, so that ASan guards its end. */
	struct kt_text *lines = malloc((l->n ? l->n : 1) * sizeof(*lines));

	assert_non_null(lines);
	memcpy(lines, l->lines, l->n * sizeof(*lines));
	memset(&got, 0xff, sizeof(got));
	assert_null(kt_detect_cycle(lines, l->n, &got));
	free(lines);
	if (got.count == want.count &&
	    (!want.count || (got.start == want.start && got.period == want.period)))
		return;
	print_message("seed %llu:", (unsigned long long)seed);
	for (size_t i = 0; i < l->n; i++)
		print_message(" %c", 'a' + l->letter[i]);
	fail_msg("\n%zu x %zu from %zu, not %zu x %zu from %zu", got.count, got.period, got.start,
		 want.count, want.period, want.start);
}

static void test_nothing(void **state)
{
	struct list l = {.n = 0};
	uint64_t rng = 1;

	(void)state;
	check(&l, 0);
	for (l.n = 1; l.n < 20; l.n++) {
		spell(&l, &rng);
		check(&l, l.n); /* all lines equal: from 15 on there is a repeat */
	}
}

/* Random letters repeat by chance, in small alphabets often. */
static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 6000; seed++) {
		uint64_t rng = rng_mix(seed), letters = 1 + rng_below(&rng, 4);
		struct list l = {.n = rng_below(&rng, 61)};

		for (size_t i = 0; i < l.n; i++)
			l.letter[i] = (uint8_t)rng_below(&rng, letters);
		spell(&l, &rng);
		check(&l, seed);
	}
}

/* Several repeats with rubbish between, some of them within each other, some with an error. */
static void test_planted(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 3000; seed++) {
		uint64_t rng = rng_mix(~seed), letters = 2 + rng_below(&rng, 4);
		struct list l = {0};

		while (l.n < 200 && rng_below(&rng, 9)) {
			size_t period = 1 + rng_below(&rng, 17), count = 1 + rng_below(&rng, 9);
			size_t start = l.n;

			for (size_t i = 0; i < period * count && l.n < N_MAX; i++, l.n++)
				l.letter[l.n] = i < period ? (uint8_t)rng_below(&rng, letters)
							   : l.letter[l.n - period];
			if (l.n > start && !rng_below(&rng, 4))
				l.letter[start + rng_below(&rng, l.n - start)] = 0;
			/* What came so far once more. */
			if (!rng_below(&rng, 6) && 2 * l.n <= N_MAX) {
				memcpy(l.letter + l.n, l.letter, l.n);
				l.n *= 2;
			}
		}
		spell(&l, &rng);
		check(&l, seed);
	}
}

/* Fibonacci words hold every repeat that a word can hold without having a simple period. */
static void test_fibonacci(void **state)
{
	struct list l = {.letter = {0, 1, 0}, .n = 3};
	size_t before = 2;
	uint64_t rng = 3;

	(void)state;
	while (l.n + before <= N_MAX) {
		size_t n = l.n;

		memcpy(l.letter + n, l.letter, before);
		l.n += before;
		before = n;
		spell(&l, &rng);
		check(&l, l.n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_planted),
		cmocka_unit_test(test_fibonacci),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
