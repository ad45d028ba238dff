/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of BPF objects other than programs: a grid is filtered, cut to columns, made JSON. */
/* Internal to render/ and cli/. */
#ifndef KT_RENDER_OBJECTS_H
#define KT_RENDER_OBJECTS_H

#include <jansson.h>

#include "model/map.h"
#include "render/grid.h"
#include "render/programs.h"

/* Over the rows of what was read, which must outlive the grid. */
struct render_grid render_maps_grid(struct maps *maps);
struct render_grid render_links_grid(struct links *links);

bool render_objects_has(const struct render_grid *grid, const char *column);

/*
 * Keeps the rows that the filter lets through, in order, by the grid's columns "id", "type" and
 * "name". The others stay in the array, behind n_rows, so that their owner can free them.
 */
void render_objects_filter(struct render_grid *grid, const struct render_filter *filter);

#define RENDER_OBJECTS_COLUMNS 24

/*
 * Makes the grid one of the columns in text, "id,name", in that order; columns are written to
 * `columns`, which must outlive it. NULL leaves it as it is. KT_ERROR_USAGE.
 */
struct kt_error *render_objects_select(struct render_grid *grid, const char *text,
				       struct render_grid_column columns[RENDER_OBJECTS_COLUMNS]);

/*
 * The document "ktstr-gdb.WHAT.v1", with all columns of each row under the key WHAT ("maps").
 * What is not known is null. The caller frees *ret.
 */
struct kt_error *render_objects_json(const struct render_grid *grid, const char *what,
				     const struct render_guest *guest, char **ret);

/* The key "kernel" of a document. A new reference, NULL without memory. */
json_t *render_json_kernel(const struct render_guest *guest);

#endif
