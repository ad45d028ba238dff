/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A column of lists of IDs: "3,17"; an array in JSON. Internal to render/. */
#ifndef KT_RENDER_IDS_H
#define KT_RENDER_IDS_H

#include "render/grid.h"

/* Sorts by the lists' lengths. */
extern const struct render_type render_as_ids;

struct render_cell render_ids_cell(bool known, const uint32_t *ids, size_t n);

#endif
