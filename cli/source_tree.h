/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files below a folder by their names: the kernel's logs name source files without a folder. */
#ifndef KT_CLI_SOURCE_TREE_H
#define KT_CLI_SOURCE_TREE_H

#include "logparse/text.h"
#include "util/buf.h"
#include "util/error.h"

struct cli_source_tree;

/*
 * Reads the names of all files below root, but for those in folders whose names begin with a dot;
 * symbolic links are not followed. cli_source_tree_destroy() releases *ret. Errors: KT_ERROR_OS;
 * KT_ERROR_UNSUPPORTED for more than a million files; KT_ERROR_NO_MEMORY.
 */
struct kt_error *cli_source_tree_create(const char *root, struct cli_source_tree **ret);
void cli_source_tree_destroy(struct cli_source_tree *tree);

/*
 * Appends the path of the only file of that name, or whose path ends in that path, as root names
 * it: "src/a.bpf.c" for root "src". Nothing is appended if there is none, or if there are several.
 * `tree` is a struct cli_source_tree: the function is a find_source of render/log_format.h.
 */
struct kt_error *cli_source_tree_find(void *tree, struct kt_text name, struct kt_buf *path);

#endif
