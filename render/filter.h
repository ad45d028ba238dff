/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which rows of a list are shown. */
#ifndef KT_RENDER_FILTER_H
#define KT_RENDER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The wishes of one user. Lists hold n strings; an empty list lets everything through. */
struct render_filter {
	const char *const *types; /* as bpftool names them */
	size_t n_types;
	const char *const *globs; /* fnmatch(3) on the full name, or the short one */
	size_t n_globs;
	const uint32_t *ids;
	size_t n_ids;
	/*
	 * Only rows that have this text in one of these columns; NULL: all. Rows that have nothing
	 * in them stay, too, unless only_known.
	 */
	const char *only, *only_in[2];
	bool only_known;
	const char *const *tags; /* 16 hex digits; of programs */
	size_t n_tags;
};

#endif
