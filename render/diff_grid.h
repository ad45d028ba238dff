/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The columns of a diff, for its table, CSV and JSON. Internal to render/. */
#ifndef KT_RENDER_DIFF_GRID_H
#define KT_RENDER_DIFF_GRID_H

#include "model/diff.h"
#include "render/grid.h"

struct render_grid render_diff_grid(const struct kt_diff_rows *rows);

#endif
