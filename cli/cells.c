// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb report: what a sweep came to. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "render/cells.h"
#include "sweep/records.h"
#include "util/cleanup.h"

static const char help[] =
	"Usage: ktstr-gdb report DIR [OPTION...]\n"
	"\n"
	"Shows what a sweep came to, whose cells left their records in DIR: for each\n"
	"scheduler the verified_insns of its programs by kernel; then a grid of topologies\n"
	"and schedulers; then every combination that failed, with the reason.\n"
	"\n"
	"In the tables LO..HI is what differs between topologies; \"-\" is not known. In the\n"
	"grid ✓ says that it passed on every kernel, ✗ that it failed on every one, ✗ 2/3\n"
	"that it passed on 2 of 3, and \"-\" that it ran on none (skipped, or not there).\n"
	"\n"
	"Options:\n"
	"  --by kernel          a grid a scheduler, of topologies and kernels\n"
	"  --transpose          rows and columns change places, which a table that is wider\n"
	"                       than the terminal does by itself\n"
	"  --color WHEN         auto, always or never\n"
	"  -h, --help           this text\n"
	"\n"
	"Other forms, one at a time:\n"
	"  --json               one JSON document\n"
	"  --csv                comma-separated, one line a program of a cell\n"
	"  --markdown           for GitHub, as in the summary of a CI job:\n"
	"                       >> \"$GITHUB_STEP_SUMMARY\"\n"
	"  --junit              JUnit's XML, a testcase a cell\n"
	"\n";

enum {
	OPT_BY = CLI_OPT_OWN,
	OPT_TRANSPOSE,
	OPT_MARKDOWN,
	OPT_JUNIT,
};

enum form { FORM_TEXT, FORM_JSON, FORM_CSV, FORM_MARKDOWN, FORM_JUNIT };

struct report {
	struct kt_cells_options options;
	enum cli_color color;
	enum form form;
};

static void warn(void *dir, const char *file, const struct kt_error *why)
{
	cli_note("%s/%s is skipped: %s", (const char *)dir, file, kt_error_message(why));
}

/* The library has no records for a directory that is not there; here that is a typo. */
static struct kt_error *check_dir(const char *dir)
{
	struct stat st;

	if (stat(dir, &st))
		return kt_error_os(errno, "cannot read the results in %s", dir);
	if (!S_ISDIR(st.st_mode))
		return kt_error_new(KT_ERROR_UNSUPPORTED, "%s is not a directory", dir);
	return NULL;
}

static struct kt_error *read_records(const char *dir, struct kt_cell_records *ret)
{
	struct kt_error *err = check_dir(dir);

	if (!err)
		err = kt_read_cell_records(dir, warn, (void *)(uintptr_t)dir, ret);
	return err;
}

static int show(const struct report *report, const struct kt_cell_records *records)
{
	_cleanup_free_ char *counts = NULL, *results = NULL;
	struct kt_cells_options options = report->options;
	struct kt_error *err;
	int status;

	options.width = cli_terminal_width();
	options.color = cli_color_on(report->color, stdout);
	err = kt_render_instruction_count_tables(records, &options, &counts);
	if (!err)
		err = kt_render_result_table(records, &options, &results);
	if (err)
		return cli_fail(err);
	status = cli_print(counts);
	if (status == CLI_DONE && counts[0] && results[0])
		status = cli_print("\n");
	return status == CLI_DONE ? cli_print(results) : status;
}

static int report_dir(const struct report *report, const char *dir)
{
	struct kt_cell_records records = {0};
	struct kt_error *err = read_records(dir, &records);
	int status;

	if (err)
		return cli_fail(err);
	if (!records.n)
		cli_note("there is no record of a cell in %s", dir);
	status = show(report, &records);
	kt_cell_records_deinit(&records);
	return status;
}

static struct kt_error *take_option(struct report *report, int option, const char *arg)
{
	switch (option) {
	case OPT_BY:
		if (strcmp(arg, "kernel") != 0)
			return kt_error_new(KT_ERROR_USAGE, "--by takes kernel, not \"%s\"", arg);
		report->options.by_kernel = true;
		return NULL;
	case OPT_TRANSPOSE: report->options.transpose = true; return NULL;
	default: return cli_color_option(arg, &report->color);
	}
}

int cli_report(int argc, char **argv)
{
	static const struct option options[] = {
		{"by", required_argument, NULL, OPT_BY},
		{"transpose", no_argument, NULL, OPT_TRANSPOSE},
		{"color", required_argument, NULL, CLI_OPT_COLOR},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct report report = {0};
	struct kt_error *err;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return cli_print(help);
		if (option == '?')
			return CLI_USAGE;
		err = take_option(&report, option, optarg);
		if (err)
			return cli_fail(err);
	}
	return report_dir(&report, argv[optind]);
}
