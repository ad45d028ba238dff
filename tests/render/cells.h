/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of cells for tests. Include after cmocka.h. */
#ifndef KT_TESTS_RENDER_CELLS_H
#define KT_TESTS_RENDER_CELLS_H

#include <stdlib.h>
#include <string.h>

#include "model/cell_record.h"
#include "util/vec.h"

enum { PASS, FAIL, SKIP };

struct cells {
	KT_VEC(struct kt_cell_record) v;
};

static inline char *copy(const char *text)
{
	char *string = text ? strdup(text) : NULL;

	assert_true(!text || string);
	return string;
}

static inline struct kt_cell_record *add_cell(struct cells *cells, const char *scheduler,
					      const char *kernel, const char *topology, int state)
{
	struct kt_cell_record record = {
		.scheduler = copy(scheduler),
		.kernel = copy(kernel),
		.topology = copy(topology),
		.passed = state == PASS,
		.skipped = state == SKIP,
	};

	assert_true(kt_vec_push(&cells->v, record));
	return &cells->v.data[cells->v.len - 1];
}

/* insns: -1 is not known. */
static inline void add_stat(struct kt_cell_record *record, const char *name, int64_t insns,
			    bool failed)
{
	struct kt_prog_stats stats = {
		.name = (char *)(uintptr_t)name,
		.verified_insns = {insns >= 0, insns >= 0 ? (uint64_t)insns : 0},
		.failed = failed,
	};

	assert_null(kt_prog_stats_add(&record->stats, &stats));
}

static inline struct kt_cell_records records_of(const struct cells *cells)
{
	return (struct kt_cell_records){cells->v.data, cells->v.len};
}

static inline void cells_free(struct cells *cells)
{
	kt_vec_for_each (&cells->v, it)
		kt_cell_record_deinit(it);
	kt_vec_free(&cells->v);
}

/* xorshift: the same numbers everywhere. */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline void shuffle(struct cells *cells, uint64_t *state)
{
	for (size_t i = cells->v.len; i > 1; i--) {
		size_t j = next_random(state) % i;
		struct kt_cell_record swap = cells->v.data[i - 1];

		cells->v.data[i - 1] = cells->v.data[j];
		cells->v.data[j] = swap;
	}
}

static inline void put_random_text(char *text, size_t size, uint64_t *state)
{
	static const char *const odd[] = {"|",        "<b>", "&", "\"",           "'",
					  "\033[31m", "\n",  "`", "\xe2\x80\xae", "\xff",
					  "*",        "%",   ",", "\\",           "é",
					  "a"};
	size_t n = 1 + next_random(state) % 5;

	text[0] = '\0';
	for (size_t i = 0; i < n && strlen(text) + 8 < size; i++)
		strcat(text, odd[next_random(state) % 16]);
}

#endif
