// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/cycle.h"

#include <stdint.h>
#include <stdlib.h>

#include "logparse/line.h"
#include "logparse/scan.h"
#include "util/cleanup.h"

/* Hashes of prefixes modulo the Mersenne prime 2^61 - 1, so that stretches compare in O(1). */
#define PRIME ((UINT64_C(1) << 61) - 1)
#define RADIX UINT64_C(0x1f3d5b79a2c4e687)

struct lines {
	uint64_t *token; /* below PRIME */
	uint64_t *hash;  /* of the first i */
	uint64_t *power;
	size_t n;
};

static uint64_t times(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;
	uint64_t r = (uint64_t)(m & PRIME) + (uint64_t)(m >> 61);

	return r >= PRIME ? r - PRIME : r;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
	uint64_t r = a + b;

	return r >= PRIME ? r - PRIME : r;
}

static uint64_t stretch(const struct lines *l, size_t from, size_t n)
{
	return plus(l->hash[from + n], PRIME - times(l->hash[from], l->power[n]));
}

/* How many tokens from a on equal those from b on. a < b. */
static size_t equal_ahead(const struct lines *l, size_t a, size_t b)
{
	size_t lo = 0, hi = l->n - b;

	while (lo < hi) {
		size_t mid = lo + (hi - lo + 1) / 2;

		if (stretch(l, a, mid) == stretch(l, b, mid))
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo;
}

/* How many tokens that end before a equal those that end before b. */
static size_t equal_behind(const struct lines *l, size_t a, size_t b)
{
	size_t lo = 0, hi = a;

	while (lo < hi) {
		size_t mid = lo + (hi - lo + 1) / 2;

		if (stretch(l, a - mid, mid) == stretch(l, b - mid, mid))
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo;
}

static void lines_deinit(struct lines *l)
{
	free(l->token);
	free(l->hash);
	free(l->power);
}

/* After a failure, too, lines_deinit() releases the memory. */
static struct kt_error *lines_init(struct lines *l, const struct kt_text *text, size_t n)
{
	*l = (struct lines){.n = n};
	l->token = malloc(n * sizeof(*l->token) + 1);
	l->hash = malloc((n + 1) * sizeof(*l->hash));
	l->power = malloc((n + 1) * sizeof(*l->power));
	if (!l->token || !l->hash || !l->power)
		return kt_error_no_memory();
	l->hash[0] = 0;
	l->power[0] = 1;
	for (size_t i = 0; i < n; i++) {
		struct kt_line line;

		kt_line_read(text[i], &line);
		l->token[i] = log_line_token(text[i], &line) % PRIME;
		l->hash[i + 1] = plus(times(l->hash[i], RADIX), l->token[i]);
		l->power[i + 1] = times(l->power[i], RADIX);
	}
	return NULL;
}

/* Lines that collapsing saves: all but the first and the last repetition. */
static size_t saved(const struct kt_cycle *c)
{
	return c->count ? (c->count - 2) * c->period : 0;
}

static bool better(const struct kt_cycle *a, const struct kt_cycle *b)
{
	if (saved(a) != saved(b))
		return saved(a) > saved(b);
	if (!b->count)
		return false;
	return a->start != b->start ? a->start < b->start : a->period < b->period;
}

/*
 * A stretch of two periods or more has two neighbouring multiples of the period, and their tokens
 * are equal. From there it is widened both ways.
 */
static void with_period(const struct lines *l, size_t period, struct kt_cycle *best)
{
	for (size_t i = 0; i + period < l->n;) {
		size_t ahead, behind;
		struct kt_cycle c = {.period = period};

		if (l->token[i] != l->token[i + period]) {
			i += period;
			continue;
		}
		ahead = equal_ahead(l, i, i + period);
		behind = equal_behind(l, i, i + period);
		c.start = i - behind;
		c.count = (behind + ahead + period) / period;
		if (c.count >= KT_CYCLE_MIN_COUNT && better(&c, best))
			*best = c;
		i += ahead < period ? period : ahead / period * period;
	}
}

struct kt_error *kt_detect_cycle(const struct kt_text *lines, size_t n, struct kt_cycle *ret)
{
	_cleanup_(lines_deinit) struct lines l = {0};
	struct kt_cycle best = {0};
	struct kt_error *err;

	err = lines_init(&l, lines, n);
	if (err)
		return err;
	for (size_t p = KT_CYCLE_MIN_PERIOD; p <= n / KT_CYCLE_MIN_COUNT; p++)
		with_period(&l, p, &best);
	*ret = best;
	return NULL;
}
