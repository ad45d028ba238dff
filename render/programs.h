/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list of BPF programs as a table, CSV or JSON. */
#ifndef KT_RENDER_PROGRAMS_H
#define KT_RENDER_PROGRAMS_H

#include "model/program.h"
#include "render/filter.h"
#include "render/guest.h"
#include "util/error.h"

/* Keeps the programs that the filter lets through, in order, and frees the others. */
void render_programs_filter(struct programs *programs, const struct render_filter *filter);

/*
 * Sorts by a column, "KEY" or "-KEY": names from A, numbers the largest first, id from the
 * smallest; -KEY the other way around. Unknown values come last, ties are by id. NULL leaves the
 * order. KT_ERROR_USAGE, with the columns that there are; KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_programs_sort(struct programs *programs, const char *key);

/*
 * Each gives text that the caller frees. columns: "id,full_name,insns", names or short forms of
 * them; NULL: those that fit a terminal of 80. width: of the terminal, which the names are cut to
 * fit; 0: nothing is cut. color: heads in bold. KT_ERROR_USAGE, with the columns that there are;
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_programs_table(const struct programs *programs, const char *columns,
				       size_t width, bool color, char **ret);
struct kt_error *render_programs_csv(const struct programs *programs, const char *columns,
				     char **ret);

/* The document "ktstr-gdb.programs.v1"; docs/json.md has its keys. */
struct kt_error *render_programs_json(const struct programs *programs,
				      const struct render_guest *guest, char **ret);

#endif
