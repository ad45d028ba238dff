// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/log_format.h"

#include <string.h>

#include "cli/source_tree.h"
#include "render/log_format.h"

struct cli_log_format {
	const char *name;
	struct kt_error *(*render)(const struct render_log_program *programs, size_t n,
				   const struct render_log_format_options *options, char **ret);
};

static const struct cli_log_format formats[] = {
	{"gcc", render_log_gcc},
	{"sarif", render_log_sarif},
	{"github", render_log_github},
};

struct kt_error *cli_log_format_find(const char *name, const struct cli_log_format **ret)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].name, name) == 0) {
			*ret = &formats[i];
			return NULL;
		}
	}
	return kt_error_new(KT_ERROR_USAGE, "--format \"%s\": gcc, sarif or github", name);
}

struct kt_error *cli_log_format_render(const struct cli_log_format *format,
				       const struct render_log_program *programs, size_t n,
				       const struct cli_log_format_wishes *wishes, char **ret)
{
	struct render_log_format_options options = {.incomplete = wishes->incomplete};
	struct cli_source_tree *tree = NULL;
	struct kt_error *err = NULL;

	if (wishes->source_root)
		err = kt_error_wrap(cli_source_tree_create(wishes->source_root, &tree),
				    "--source-root");
	if (err)
		return err;
	if (tree) {
		options.find_source = cli_source_tree_find;
		options.arg = tree;
	}
	err = format->render(programs, n, &options, ret);
	cli_source_tree_destroy(tree);
	return err;
}
