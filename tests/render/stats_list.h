/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of programs to compare. Include after cmocka.h. */
#ifndef KT_TESTS_RENDER_STATS_LIST_H
#define KT_TESTS_RENDER_STATS_LIST_H

#include "model/diff.h"

#define UNKNOWN (-1)

/* insns: UNKNOWN, or what the verifier processed. */
static inline void add(struct kt_prog_stats_list *list, const char *name, const char *type,
		       const char *tag, int64_t insns, bool failed)
{
	struct kt_prog_stats stats = {
		.name = (char *)(uintptr_t)name,
		.type = (char *)(uintptr_t)type,
		.tag = (char *)(uintptr_t)tag,
		.verified_insns = {insns >= 0, insns >= 0 ? (uint64_t)insns : 0},
		.failed = failed,
	};

	assert_null(kt_prog_stats_add(list, &stats));
}

/* One that passed, of type xdp. */
static inline void pass(struct kt_prog_stats_list *list, const char *name, int64_t insns)
{
	add(list, name, "xdp", "0123456789abcdef", insns, false);
}

static inline void failing(struct kt_prog_stats_list *list, const char *name, int64_t insns)
{
	add(list, name, NULL, NULL, insns, true);
}

static inline struct kt_diff_rows rows_of(const struct kt_prog_stats_list *a,
					  const struct kt_prog_stats_list *b)
{
	struct kt_diff_rows rows;
	struct kt_b_map *map;

	assert_null(kt_build_b_map(b, &map));
	assert_null(kt_build_diff_rows(a, map, &rows));
	kt_b_map_destroy(map);
	return rows;
}

#endif
