/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scheduler's run as a part of a JSON document. Internal to render/. */
#ifndef KT_RENDER_RUN_JSON_H
#define KT_RENDER_RUN_JSON_H

#include <jansson.h>

#include "model/verdict.h"

/* The object "run" of ktstr-gdb.programs.v1; a new reference, NULL without memory. */
json_t *render_run_json(const char *scheduler, const struct kt_verifier_vm_result *result);

/* Appends the programs that failed to the array "failed". */
void render_run_json_failed(const struct kt_verifier_vm_result *result, json_t *array);

#endif
