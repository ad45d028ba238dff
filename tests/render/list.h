/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs to render. Include after cmocka.h. */
#ifndef KT_TESTS_RENDER_LIST_H
#define KT_TESTS_RENDER_LIST_H

#include <string.h>

#include "render/objects.h"
#include "render/programs.h"

static inline struct program_number known(uint64_t value)
{
	return (struct program_number){true, value};
}

static inline char *copy(const char *s)
{
	char *p = s ? strdup(s) : NULL;

	assert_true(p || !s);
	return p;
}

/* A program of which everything is known. */
static inline struct program full(uint32_t id, const char *type, const char *name,
				  const char *full_name, uint64_t insns)
{
	struct program p = {
		.id = id,
		.type = copy(type),
		.full_name = copy(full_name),
		.tag = "0123456789abcdef",
		.gpl_known = true,
		.gpl_compatible = true,
		.verified_insns = known(insns),
		.bytes_xlated = known(416),
		.bytes_jited = known(227),
		.loaded_at = known(1764021342),
		.uid = known(0),
		.btf_id = known(5),
		.run_cnt = known(1),
		.run_time_ns = known(2),
		.recursion_misses = known(3),
		.map_ids_known = true,
	};

	memcpy(p.name, name, strnlen(name, 15));
	return p;
}

/* One of which nothing is known but its ID. */
static inline struct program blank(uint32_t id)
{
	return (struct program){.id = id};
}

#define MAX 8

static inline struct programs *put(struct programs *programs, struct program p)
{
	if (!programs->all)
		programs->all = calloc(MAX, sizeof(p));
	assert_non_null(programs->all);
	assert_true(programs->n < MAX);
	programs->all[programs->n++] = p;
	return programs;
}

static inline char *ids(const struct programs *programs)
{
	static char text[128];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < programs->n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", i ? " " : "",
					programs->all[i].id);
	return text;
}

/* The grid of no program, with these columns. */
static inline struct render_grid columns(const char *names)
{
	struct render_grid grid = render_programs_grid(&(struct programs){0});
	struct kt_error *err = render_grid_select(&grid, names);

	if (err)
		fail_msg("%s", kt_error_message(err));
	return grid;
}

static inline const struct render_column *column(const char *name, size_t len)
{
	const struct render_grid grid = render_programs_grid(&(struct programs){0});

	return render_grid_find(&grid, name, len);
}

#endif
