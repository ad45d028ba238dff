/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each word of a synthetic kernel's heap, spoiled in each way. Include once, after walk.h. */
#ifndef KT_TESTS_INTROSPECT_SPOIL_H
#define KT_TESTS_INTROSPECT_SPOIL_H

#include "tests/introspect/walk.h"

#define SPOIL_WAYS 6

static uint64_t spoiled(unsigned int way, gaddr_t at)
{
	switch (way) {
	case 0: return 0;
	case 1: return UINT64_MAX;
	case 2: return UINT64_C(0x7fffffff7fffffff);
	case 3: return synth_va(at);
	case 4: return synth_va(at & ~(gaddr_t)15) + 32; /* as a node of a list */
	default: return NOWHERE;
	}
}

/* Words of the heap that are not 0. */
static size_t find_words(gaddr_t *ret, size_t max)
{
	size_t n = 0;

	for (gaddr_t at = SYNTH_HEAP; at < s.heap; at += 8) {
		uint64_t value = 0;
		struct gmem_read read = {at, 8, &value, false};

		assert_null(textmem_read_physical(s.mem, &read, 1));
		if (!read.fault && value && n < max)
			ret[n++] = at;
	}
	return n;
}

/*
 * Makes the kernel anew for each word and each way, spoils it, and reads. reads() tells whether
 * there was no error; it checks what it got. The kernel has `least` such words at least, and most
 * of them do not keep the rest from being read.
 */
static void spoil_each_word(int (*again)(void **state), void (*make)(void), bool (*reads)(void),
			    size_t least)
{
	gaddr_t words[512];
	size_t n, read = 0;

	make();
	n = find_words(words, 512);
	assert_in_range(n, least, 511);
	for (size_t i = 0; i < n; i++)
		for (unsigned int way = 0; way < SPOIL_WAYS; way++) {
			teardown(NULL);
			again(NULL);
			make();
			textmem_put_uint(s.mem, words[i], spoiled(way, words[i]), 8);
			read += reads();
		}
	assert_true(read > n);
}

#endif
