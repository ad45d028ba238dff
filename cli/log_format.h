/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ktstr-gdb log --format FORMAT`. */
#ifndef KT_CLI_LOG_FORMAT_H
#define KT_CLI_LOG_FORMAT_H

#include "render/log.h"
#include "util/error.h"

struct cli_log_format;

/* The format "gcc", "sarif" or "github"; static. Errors: KT_ERROR_USAGE. */
struct kt_error *cli_log_format_find(const char *name, const struct cli_log_format **ret);

struct cli_log_format_wishes {
	const char *source_root; /* where source files are looked for; NULL: nowhere */
	bool incomplete;         /* an input could not be read */
};

/*
 * The errors of logs in that format; the caller frees *ret. Errors: those of
 * cli_source_tree_create(), KT_ERROR_NO_MEMORY.
 */
struct kt_error *cli_log_format_render(const struct cli_log_format *format,
				       const struct render_log_program *programs, size_t n,
				       const struct cli_log_format_wishes *wishes, char **ret);

#endif
