/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sweep as a part of a JSON document. Internal to render/. */
#ifndef KT_RENDER_CELLS_JSON_H
#define KT_RENDER_CELLS_JSON_H

#include <jansson.h>

#include "model/cells_index.h"

/* The document "ktstr-gdb.report.v1": a new reference. KT_ERROR_NO_MEMORY. */
struct kt_error *cells_json(const struct cells_index *index, json_t **ret);

/* A new object with the three names; NULL without memory. */
json_t *cells_json_name(const struct kt_cell_record *record);

#endif
