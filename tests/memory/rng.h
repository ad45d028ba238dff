/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random numbers that are the same in every run (splitmix64). */
#ifndef KT_TESTS_INTROSPECT_RNG_H
#define KT_TESTS_INTROSPECT_RNG_H

#include <stdint.h>

static inline uint64_t rng_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline uint64_t rng_next(uint64_t *state)
{
	*state += 1;
	return rng_mix(*state);
}

/* 0 .. n - 1; 0 for n = 0 */
static inline uint64_t rng_below(uint64_t *state, uint64_t n)
{
	return n ? rng_next(state) % n : 0;
}

#endif
