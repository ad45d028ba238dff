// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Page tables in a physical memory of random content, tables that point at themselves among it:
 * every architecture's walk ends, a translation is the same when asked for again and in other
 * company, and what enumerate says is mapped is what translate says.
 *
 * The input: the architecture (1), the space's choice (1), ARCH_MAX_REGISTERS registers (8 each),
 * then the memory, which repeats over all addresses, so that every entry leads somewhere.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory/arch.h"
#include "memory/pagetable.h"
#include "util/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_QUERIES 32

struct memory {
	const uint8_t *data;
	size_t size;
	uint64_t bytes; /* that were read */
};

/* The highest quarter of the address space has no memory at all. */
static struct kt_error *read_memory(void *source, struct gmem_read *reads, size_t count)
{
	struct memory *m = source;

	for (size_t i = 0; i < count; i++) {
		reads[i].fault = !m->size || reads[i].addr >> 62 == 3;
		for (size_t j = 0; !reads[i].fault && j < reads[i].len; j++)
			((uint8_t *)reads[i].buf)[j] = m->data[(reads[i].addr + j) % m->size];
		m->bytes += reads[i].len;
	}
	return NULL;
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* Addresses all over the space, and near each other. */
static void ask(struct pagetable_query *queries, const struct memory *m)
{
	for (size_t i = 0; i < N_QUERIES; i++) {
		uint64_t v = 0;

		for (size_t j = 0; j < 8; j++)
			v = v << 8 | (m->size ? m->data[(i * 8 + j) % m->size] : i);
		queries[i] = (struct pagetable_query){.virtual = i % 3 ? v : ~(v >> 16)};
	}
}

static void check_queries(struct pagetable *pt, const struct memory *m)
{
	struct pagetable_query together[N_QUERIES], alone;

	ask(together, m);
	check(!pagetable_translate(pt, together, N_QUERIES));
	for (size_t i = 0; i < N_QUERIES; i++) {
		alone = (struct pagetable_query){.virtual = together[i].virtual};
		check(!pagetable_translate(pt, &alone, 1));
		check(alone.mapped == together[i].mapped);
		check(!alone.mapped || (alone.physical == together[i].physical && alone.left > 0 &&
					alone.left == together[i].left));
	}
}

static void check_ranges(struct pagetable *pt, gaddr_t first, gaddr_t last)
{
	struct pagetable_ranges ranges = {0};
	struct kt_error *err = pagetable_enumerate(pt, first, last, 1, &ranges);
	size_t looked_at = 0;

	check(!err);
	kt_vec_for_each (&ranges.all, r) {
		struct pagetable_query q = {.virtual = r->virtual};

		check(r->len > 0 && r->virtual >= first && r->len - 1 <= last - r->virtual);
		if (r->below || looked_at++ >= 64)
			continue;
		check(!pagetable_translate(pt, &q, 1));
		check(q.mapped && q.physical == r->physical);
	}
	pagetable_ranges_deinit(&ranges);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_cursor c = kt_cursor(data, size, false);
	struct arch_space spaces[ARCH_MAX_SPACES] = {0};
	uint64_t values[ARCH_MAX_REGISTERS];
	const struct arch *arch = NULL;
	const char *unsupported = NULL;
	struct pagetable *pt;
	struct memory m = {0};
	size_t n_archs = 0, n, which;

	while (arch_at(n_archs))
		n_archs++;
	arch = arch_at(kt_cursor_u8(&c) % n_archs);
	which = kt_cursor_u8(&c);
	for (size_t i = 0; i < ARCH_MAX_REGISTERS; i++)
		values[i] = kt_cursor_u64(&c);
	if (c.failed)
		return 0;
	m.data = data + c.pos;
	m.size = size - c.pos;
	n = arch->spaces(values, spaces, &unsupported);
	check(n <= ARCH_MAX_SPACES);
	if (!n)
		return 0;
	which %= n;
	check(!pagetable_create(arch, which & 1, &spaces[which], &(struct gmem){read_memory, &m},
				&pt));
	check_queries(pt, &m);
	check_ranges(pt, spaces[which].image_first, spaces[which].image_last);
	pagetable_destroy(pt);
	return 0;
}
