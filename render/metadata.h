/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metadata of programs: variables with values of any type. Internal to render/. */
#ifndef KT_RENDER_METADATA_H
#define KT_RENDER_METADATA_H

#include "model/program.h"
#include "render/grid.h"

/* "version = "1.2", debug = true"; in CSV and JSON an object. */
extern const struct render_type render_as_metadata;

/* For RENDER_GET() of a row that is a struct program. */
struct render_cell render_metadata_cell(const void *row);

/* An object by name, NULL without memory or if it is unknown: a new reference. */
json_t *render_metadata_json(const struct program *program);

/* Appends "name = value". */
void render_append_variable(struct kt_buf *out, const char *name, json_t *value);

#endif
