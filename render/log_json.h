/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verifier logs as a JSON document. */
#ifndef KT_RENDER_LOG_JSON_H
#define KT_RENDER_LOG_JSON_H

#include "logparse/collapse.h"
#include "render/log.h"
#include "util/error.h"

/*
 * The document "ktstr-gdb.log.v1"; docs/json.md has its keys. Bytes that are no UTF-8
 * become U+FFFD. collapse says how the texts in it are collapsed; may be NULL. The caller frees
 * *ret. Errors: KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_log_json(const struct render_log_program *programs, size_t n,
				 const struct kt_collapse_options *collapse, char **ret);

#endif
