// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb fetch-kernel: where the kernels are that --kernel names. */
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "cli/boot.h"
#include "kernels/fetch.h"
#include "model/json.h"
#include "util/buf.h"
#include "util/cleanup.h"

enum { OPT_REFRESH = CLI_OPT_OWN, OPT_DEBUG };

struct fetch_options {
	bool refresh, debug, json;
};

/* "trixie", "trixie-backports/6.18", "debian:trixie", "ubuntu:noble": not another kernel. */
static bool is_suite(const char *arg)
{
	_cleanup_(kt_fetch_deinit) struct kt_fetch fetch = {0};
	struct kt_error *err;

	if (kt_fetch_prefix(arg))
		return true;
	if (!access(arg, F_OK))
		return false;
	err = kt_fetch_parse(arg, &fetch);
	kt_error_destroy(err);
	return !err;
}

/* What kt_kernels_find() does, too, but for --refresh and --dbg. */
static struct kt_error *fetch(const char *suite, const struct fetch_options *options,
			      const struct kt_kernels_options *how)
{
	_cleanup_(kt_fetch_deinit) struct kt_fetch wanted = {0};
	_cleanup_free_ char *image = NULL;
	struct kt_error *err = kt_fetch_parse(suite, &wanted);

	wanted.refresh = options->refresh;
	wanted.debug = options->debug;
	if (!err)
		err = kt_fetch_run(&wanted, how, &image);
	return kt_error_wrap(err, "%s", suite);
}

static struct kt_error *find(const char *arg, const struct fetch_options *options,
			     struct kt_kernels *out)
{
	const struct kt_kernels_options how = cli_kernels_options();
	_cleanup_(kt_buf_deinit) struct kt_buf spec = KT_BUF_INIT;
	struct kt_error *err = NULL;

	if (!is_suite(arg))
		return kt_kernels_find(arg, &how, out);
	cli_progress("fetching");
	if (options->refresh || options->debug)
		err = fetch(arg, options, &how);
	kt_buf_printf(&spec, "%s%s", kt_fetch_prefix(arg) ? "" : "debian:", arg);
	if (!err && spec.failed)
		err = kt_error_no_memory();
	return err ? err : kt_kernels_find(spec.data, &how, out);
}

static int print_paths(const struct kt_kernels *kernels)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;

	kt_vec_for_each (&kernels->v, kernel)
		kt_buf_printf(&text, "%s\n", kernel->image);
	return text.failed ? cli_fail(kt_error_no_memory()) : cli_print(text.data ? text.data : "");
}

static json_t *kernel_json(const struct kt_kernel *k)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", kt_json_text(k->name), "release",
			 kt_json_text(k->release), "image", kt_json_text(k->image), "modules",
			 kt_json_text(k->modules), "source", kt_json_text(k->source));
}

static int print_json(const struct kt_kernels *kernels)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	_cleanup_free_ char *dumped = NULL;
	json_t *array = json_array(), *document;
	bool ok = array;

	kt_vec_for_each (&kernels->v, kernel)
		ok = ok && !json_array_append_new(array, kernel_json(kernel));
	document = json_pack("{s:s, s:o}", "schema", "ktstr-gdb.fetched.v1", "kernels", array);
	dumped = ok ? json_dumps(document, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;
	json_decref(document);
	if (dumped)
		kt_buf_printf(&text, "%s\n", dumped);
	return text.data && !text.failed ? cli_print(text.data) : cli_fail(kt_error_no_memory());
}

static int find_all(int n, char **args, const struct fetch_options *options)
{
	_cleanup_(kt_kernels_deinit) struct kt_kernels found = {0};
	const struct kt_kernels_options how = cli_kernels_options();
	struct kt_error *err = NULL;

	for (int i = 0; !err && i < n; i++)
		err = find(args[i], options, &found);
	if (!err)
		err = kt_kernels_join(&found, &how);
	cli_progress(NULL);
	if (err)
		return cli_fail(err);
	return options->json ? print_json(&found) : print_paths(&found);
}

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct fetch_options *given = context;

	(void)arg;
	switch (option->value) {
	case OPT_REFRESH: given->refresh = true; return NULL;
	case OPT_DEBUG: given->debug = true; return NULL;
	default: given->json = true; return NULL;
	}
}

/* clang-format off */
static const struct cli_option own_options[] = {
	{"refresh", OPT_REFRESH, NULL,
	 "look for a newer kernel of the suite even if one is here"},
	{"dbg", OPT_DEBUG, NULL,
	 "fetch its vmlinux with debug info, too: vmlinux beside the image"},
	{"json", CLI_OPT_JSON, NULL,
	 "name, release, image, modules and source of each"},
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	struct fetch_options given = {0};
	int status = cli_parse(&cli_fetch_kernel_command, argc, argv, take_option, &given);

	if (status != CLI_GO_ON)
		return status;
	if (optind == argc)
		return cli_fail(kt_error_hint(
			kt_error_new(KT_ERROR_USAGE, "which kernel? A suite, or a file"),
			"ktstr-gdb fetch-kernel trixie; see fetch-kernel --help"));
	return find_all(argc - optind, argv + optind, &given);
}

/* clang-format off */
const struct cli_command cli_fetch_kernel_command = {
	.name = "fetch-kernel",
	.summary = "fetch a stock kernel, and print where it is",
	.section = CLI_HOST,
	.uses = {{"fetch-kernel SUITE...", "a stock kernel to boot"}},
	.synopsis = "fetch-kernel [OPTION...] SUITE[/SERIES][:FLAVOUR]...\n"
		    "fetch-kernel [OPTION...] KERNEL...",
	.text = "Prints the path of the newest stock kernel of a Debian suite, or of one series\n"
		"in it, after fetching it if need be; that of a KERNEL, in any form that --kernel\n"
		"takes, after taking it out of its package. Nothing is installed: what is fetched\n"
		"and taken out is in ${XDG_CACHE_HOME:-~/.cache}/ktstr-gdb/kernels.\n"
		"\n"
		"  trixie                   the suite's newest kernel, of flavour cloud-amd64\n"
		"  trixie-backports/6.18    its newest 6.18\n"
		"  bookworm:amd64           another flavour: amd64, cloud-arm64, arm64, riscv64,\n"
		"                           s390x, powerpc64le, loong64\n"
		"  ubuntu:noble             of Ubuntu, its updates included; flavour generic, or\n"
		"                           ubuntu:noble:virtual, ubuntu:noble:generic-arm64\n"
		"  fedora:43, fedora:43/6.18, fedora:43:aarch64\n"
		"                           of a release of Fedora\n"
		"\n"
		"Where packages come from is what this host's apt and dnf are configured for:\n"
		"those of Ubuntu are fetched where apt has package lists of Ubuntu, those of\n"
		"Fedora where dnf has the repository \"fedora\".",
	.groups = {{"Options", own_options, NULL}},
	.status = "0 done; 2 usage; 3 it could not be done",
	.examples = {{"ktstr-gdb fetch-kernel trixie",
		      NULL},
		     {"ktstr-gdb fetch-kernel trixie-backports/6.18 bookworm:amd64",
		      NULL}},
	.see = "ktstr-gdb-cache(1)",
	.takes = CLI_TAKES_KERNELS,
	.run = run_command,
};
/* clang-format on */
