// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "util/radix.h"

#define N_DIGITS 8   /* of a key */
#define N_VALUES 256 /* of a digit */
/* Fewer are sorted one by one. */
#define FEW 32

static bool is_sorted(const struct kt_radix *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (v[i - 1].key > v[i].key)
			return false;
	return true;
}

static void sort_few(struct kt_radix *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct kt_radix one = v[i];
		size_t at = i;

		for (; at && v[at - 1].key > one.key; at--)
			v[at] = v[at - 1];
		v[at] = one;
	}
}

static unsigned int digit_of(const struct kt_radix *one, unsigned int digit)
{
	return (unsigned int)(one->key >> (8 * digit)) % N_VALUES;
}

/* From v to out, by that digit. Turns the numbers of each of its values into places. */
static void sort_by_digit(const struct kt_radix *v, size_t n, unsigned int digit, size_t *counts,
			  struct kt_radix *out)
{
	size_t place = 0;

	for (size_t i = 0; i < N_VALUES; i++) {
		size_t count = counts[i];

		counts[i] = place;
		place += count;
	}
	for (size_t i = 0; i < n; i++)
		out[counts[digit_of(&v[i], digit)]++] = v[i];
}

/* space: for n, too. */
static void sort_many(struct kt_radix *v, size_t n, struct kt_radix *space)
{
	size_t counts[N_DIGITS][N_VALUES] = {0};
	struct kt_radix *from = v, *to = space;

	for (size_t i = 0; i < n; i++)
		for (unsigned int digit = 0; digit < N_DIGITS; digit++)
			counts[digit][digit_of(&v[i], digit)]++;
	for (unsigned int digit = 0; digit < N_DIGITS; digit++) {
		struct kt_radix *sorted = to;

		/* All keys have the same digit there: addresses of a kernel begin alike. */
		if (counts[digit][digit_of(&v[0], digit)] == n)
			continue;
		sort_by_digit(from, n, digit, counts[digit], to);
		to = from;
		from = sorted;
	}
	if (from != v)
		memcpy(v, from, n * sizeof(*v));
}

bool kt_radix_sort(struct kt_radix *v, size_t n)
{
	struct kt_radix *space;

	if (is_sorted(v, n))
		return true;
	if (n <= FEW) {
		sort_few(v, n);
		return true;
	}
	space = malloc(n * sizeof(*v));
	if (!space)
		return false;
	sort_many(v, n, space);
	free(space);
	return true;
}
