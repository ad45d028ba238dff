/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verifier logs as one page of HTML, which needs no network and no other file. */
#ifndef KT_RENDER_LOG_PAGE_H
#define KT_RENDER_LOG_PAGE_H

#include "render/log.h"
#include "util/error.h"

/*
 * The page: why the log failed, its lines with loops folded, source lines beside them, and what the
 * verifier knew at each step. Its script makes all of it from data in the page (log_page_data.h);
 * the Content-Security-Policy lets no other script run. All text of a log is escaped.
 *
 * The same logs give the same bytes. The caller frees *ret. Time is linear in the logs.
 * Errors: KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_format_log_html(const struct render_log_program *programs, size_t n,
				    char **ret);

#endif
