// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb report: shows the results of a sweep. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/sweep.h"
#include "model/sched_saved.h"
#include "render/cells_diff.h"
#include "render/html.h"
#include "render/sched_dump.h"
#include "sweep/records.h"
#include "util/cleanup.h"

/* Bytes of one cell's log, and of all logs on a page: nobody reads a page of many MB. */
#define LOG_MAX  ((size_t)256 << 10)
#define LOGS_MAX ((size_t)64 << 20)

enum {
	OPT_BY = CLI_OPT_OWN,
	OPT_TRANSPOSE,
	OPT_BASELINE,
	OPT_FAIL_ON_REGRESSION,
	OPT_MARKDOWN,
	OPT_JUNIT,
	OPT_HTML,
};

enum form { FORM_TEXT, FORM_JSON, FORM_CSV, FORM_MARKDOWN, FORM_JUNIT, FORM_HTML, N_FORMS };

struct report {
	struct kt_cells_options options;
	enum cli_color color;
	bool forms[N_FORMS]; /* which of them were asked for */
	enum form form;      /* the only one; see check_forms() */
	const char *dir, *baseline, *html;
	bool fail_on_regression;
};

/* --- reading --- */

static void warn(void *dir, const char *file, const struct kt_error *why)
{
	cli_note("%s/%s is skipped: %s", (const char *)dir, file, kt_error_message(why));
}

/* kt_read_cell_records() takes a missing directory for an empty one; here it is a typo. */
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
	if (!err && !ret->n)
		err = kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
						 "there is no record of a cell in %s", dir),
				    "`ktstr-gdb sweep --results DIR` leaves them");
	return err;
}

struct logs {
	const char *dir;
	size_t left; /* bytes that further logs may take */
};

/* A log that cannot be read is left out, with a note. */
static void get_log(void *arg, const struct kt_cell_record *record, struct kt_buf *out)
{
	struct logs *logs = arg;
	size_t max = logs->left < LOG_MAX ? logs->left : LOG_MAX;
	struct kt_error *err;

	if (!record->log || !record->log[0])
		return;
	if (max < 4096) {
		kt_buf_appends(out,
			       "(left out: the logs of all cells are too long for one page)\n");
		return;
	}
	err = kt_read_cell_log(logs->dir, record, max, out);
	logs->left -= out->len < logs->left ? out->len : logs->left;
	if (err)
		cli_note("the log %s of %s / %s / %s is left out: %s", record->log,
			 record->scheduler, record->kernel, record->topology,
			 kt_error_message(err));
	kt_error_destroy(err);
}

/* Whole lines from the beginning, as far as there is room on the page. */
static void append_whole_lines(struct kt_buf *out, const char *text, size_t max, const char *from)
{
	size_t len = strlen(text), end = len;

	if (len > max) {
		const char *nl = memrchr(text, '\n', max);

		end = nl ? (size_t)(nl + 1 - text) : 0;
	}
	kt_buf_append(out, text, end);
	if (end < len)
		kt_buf_printf(out, "... %zu bytes left out: ktstr-gdb sched --from %s\n", len - end,
			      from);
}

static struct kt_error *read_dump(const char *dir, const struct kt_cell_record *record,
				  struct sched_saved *ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf file = KT_BUF_INIT;
	struct kt_error *err = kt_read_cell_dump(dir, record, SCHED_SAVED_MAX, &file);

	return err ? err
		   : sched_saved_read((struct kt_text){file.data ? file.data : "", file.len},
				      record->dump, ret);
}

/* Likewise a dump, which may be anything. */
static void get_dump(void *arg, const struct kt_cell_record *record, struct kt_buf *sum,
		     struct kt_buf *all)
{
	struct logs *logs = arg;
	size_t max = logs->left < LOG_MAX ? logs->left : LOG_MAX;
	_cleanup_(sched_saved_deinit) struct sched_saved saved = {0};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err;

	if (!record->dump[0])
		return;
	err = read_dump(logs->dir, record, &saved);
	if (!err)
		err = render_sched_dump_text(&saved, 0, false, &text);
	if (!err) {
		render_append_sched_end(sum, &saved);
		append_whole_lines(all, text, max, record->dump);
		logs->left -= all->len < logs->left ? all->len : logs->left;
		return;
	}
	cli_note("the dump %s of %s / %s / %s is left out: %s", record->dump, record->scheduler,
		 record->kernel, record->topology, kt_error_message(err));
	kt_error_destroy(err);
}

/* --- showing --- */

struct kt_error *cli_format_cells(const struct kt_cell_records *records,
				  const struct kt_cells_options *options, char **ret)
{
	_cleanup_free_ char *counts = NULL, *results = NULL;
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err;

	err = kt_render_instruction_count_tables(records, options, &counts);
	if (!err)
		err = kt_render_result_table(records, options, &results);
	if (err)
		return err;
	kt_buf_appends(&out, counts);
	kt_buf_appends(&out, counts[0] ? "\n" : "");
	kt_buf_appends(&out, results);
	return kt_buf_finish(&out, ret);
}

static struct kt_error *format(const struct report *report, const struct kt_cell_records *records,
			       char **ret)
{
	struct logs logs = {report->dir, LOGS_MAX};
	struct kt_html_options html = {.log = get_log, .dump = get_dump, .arg = &logs};

	switch (report->form) {
	case FORM_JSON: return kt_format_cells_json(records, ret);
	case FORM_CSV: return kt_format_cells_csv(records, ret);
	case FORM_MARKDOWN: return kt_format_cells_markdown(records, get_log, &logs, ret);
	case FORM_JUNIT: return kt_format_cells_junit(records, ret);
	case FORM_HTML: return kt_format_cells_html(records, &html, ret);
	default: return cli_format_cells(records, &report->options, ret);
	}
}

static struct kt_error *format_diff(const struct report *report, const struct kt_cells_diff *diff,
				    const struct kt_cell_records *records, char **ret)
{
	struct logs logs = {report->dir, LOGS_MAX};

	switch (report->form) {
	case FORM_JSON: return kt_format_cells_diff_json(diff, records, ret);
	case FORM_MARKDOWN:
		return kt_format_cells_diff_markdown(diff, records, get_log, &logs, ret);
	default: return kt_format_cells_diff(diff, &report->options, ret);
	}
}

/* "-" is standard output. */
static int write_page(const char *path, const char *text)
{
	struct kt_error *err;

	if (strcmp(path, "-") == 0)
		return cli_print(text);
	err = cli_replace_file(path, text);
	return err ? cli_fail(kt_error_wrap(err, "cannot write %s", path)) : CLI_DONE;
}

static int show(const struct report *report, const struct kt_cell_records *records)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = format(report, records, &text);

	if (err)
		return cli_fail(err);
	return report->form == FORM_HTML ? write_page(report->html, text) : cli_print(text);
}

/* Shows the changes first, then checks --fail-on-regression. */
static int show_diff(const struct report *report, const struct kt_cell_records *baseline,
		     const struct kt_cell_records *records)
{
	_cleanup_free_ char *text = NULL;
	struct kt_cells_diff diff = {0};
	struct kt_error *err = kt_build_cells_diff(baseline, records, &diff);
	size_t broken = diff.counts[KT_CELL_BROKEN];
	int status;

	if (!err)
		err = format_diff(report, &diff, records, &text);
	kt_cells_diff_deinit(&diff);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	if (status != CLI_DONE || !report->fail_on_regression || !broken)
		return status;
	cli_note("--fail-on-regression: %zu cell%s passed in %s, and %s now", broken,
		 broken == 1 ? "" : "s", report->baseline, broken == 1 ? "fails" : "fail");
	return CLI_TEST_FAILED;
}

static int report_dir(const struct report *report)
{
	_cleanup_(kt_cell_records_deinit) struct kt_cell_records records = {0}, baseline = {0};
	struct kt_error *err = read_records(report->dir, &records);

	if (!err && report->baseline)
		err = read_records(report->baseline, &baseline);
	if (err)
		return cli_fail(err);
	return report->baseline ? show_diff(report, &baseline, &records) : show(report, &records);
}

/* --- the command line --- */

static struct kt_error *take_numbers(const char *names, unsigned *ret)
{
	unsigned numbers = 0;

	for (size_t len; *names; names += len + (names[len] == ',')) {
		unsigned i = 0;

		len = strcspn(names, ",");
		for (; i < KT_N_TRIAL_NUMBERS; i++) {
			const char *known = kt_trial_number_name((enum kt_trial_number)i);

			if (strlen(known) == len && !strncmp(known, names, len))
				break;
		}
		if (i == KT_N_TRIAL_NUMBERS)
			return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
							  "-o: \"%.*s\" is no number of a program",
							  (int)len, names),
					     "`ktstr-gdb report --help` has them");
		numbers |= 1u << i;
	}
	*ret = numbers;
	return NULL;
}

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct report *report = context;
	switch (option->value) {
	case OPT_BY:
		if (strcmp(arg, "kernel") != 0)
			return kt_error_new(KT_ERROR_USAGE, "--by takes kernel, not \"%s\"", arg);
		report->options.by_kernel = true;
		return NULL;
	case 'o': return take_numbers(arg, &report->options.numbers);
	case OPT_TRANSPOSE: report->options.transpose = true; return NULL;
	case OPT_BASELINE: report->baseline = arg; return NULL;
	case OPT_FAIL_ON_REGRESSION: report->fail_on_regression = true; return NULL;
	case CLI_OPT_JSON: report->forms[FORM_JSON] = true; return NULL;
	case CLI_OPT_CSV: report->forms[FORM_CSV] = true; return NULL;
	case OPT_MARKDOWN: report->forms[FORM_MARKDOWN] = true; return NULL;
	case OPT_JUNIT: report->forms[FORM_JUNIT] = true; return NULL;
	case OPT_HTML:
		report->html = arg;
		report->forms[FORM_HTML] = true;
		return NULL;
	default: return cli_color_option(arg, &report->color);
	}
}

static struct kt_error *check_forms(struct report *report)
{
	size_t n = 0;

	for (int i = 0; i < N_FORMS; i++)
		if (report->forms[i]) {
			report->form = (enum form)i;
			n++;
		}
	if (n > 1)
		return kt_error_new(KT_ERROR_USAGE,
				    "--json, --csv, --markdown, --junit, --html: one of them");
	if (report->baseline &&
	    (report->form == FORM_CSV || report->form == FORM_JUNIT || report->form == FORM_HTML))
		return kt_error_new(KT_ERROR_USAGE,
				    "--baseline goes with text, --json and --markdown");
	if (n &&
	    (report->options.by_kernel || report->options.transpose || report->options.numbers))
		return kt_error_new(KT_ERROR_USAGE,
				    "--by, --transpose and -o are for tables alone");
	return NULL;
}

static struct kt_error *check_usage(struct report *report, int n, char **dirs)
{
	struct kt_error *err = check_forms(report);

	if (err)
		return err;
	if (report->fail_on_regression && !report->baseline)
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
						  "--fail-on-regression: since when"),
				     "--baseline DIR is the sweep to compare with");
	if (n != 1)
		return kt_error_hint(
			kt_error_new(KT_ERROR_USAGE,
				     "one directory of results is reported, and %d given", n),
			"ktstr-gdb report DIR; `ktstr-gdb sweep` makes one");
	report->dir = dirs[0];
	return NULL;
}

/* clang-format off */
static const struct cli_option own_options[] = {
	{"by", OPT_BY, "kernel",
	 "one grid per scheduler, of topologies and kernels"},
	{"output", 'o', "NAMES",
	 "numbers that have tables, with commas between: verified_insns, total_states, peak_states, "
	 "max_states_per_insn, mark_read, stack_depth, verification_time_us, log_bytes; what records "
	 "have beside verified_insns is of objects"},
	{"transpose", OPT_TRANSPOSE, NULL,
	 "swap rows and columns; a table that is wider than the terminal does so by itself, if it helps"},
	{"baseline", OPT_BASELINE, "DIR",
	 "show the changes since that sweep: cells that broke, were fixed, are new or gone; "
	 "verified_insns that differ, over the topologies that passed in both"},
	{"fail-on-regression", OPT_FAIL_ON_REGRESSION, NULL,
	 "exit with 1 if a cell passed in the baseline and fails now"},
	CLI_COLOR_OPTION,
	{0},
};

static const struct cli_option form_options[] = {
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document; with --baseline, the changes, too"},
	{"csv", CLI_OPT_CSV, NULL,
	 "comma-separated, one line per program of a cell"},
	{"markdown", OPT_MARKDOWN, NULL,
	 "for GitHub, as in the summary of a CI job; with --baseline, the changes, too"},
	{"junit", OPT_JUNIT, NULL,
	 "JUnit's XML, one testcase per cell"},
	{"html", OPT_HTML, "FILE",
	 "one page with everything, also logs, and how schedulers that failed ended; needs no network"},
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	struct report report = {0};
	int status = cli_parse(&cli_report_command, argc, argv, take_option, &report);
	struct kt_error *err;

	if (status != CLI_GO_ON)
		return status;
	err = check_usage(&report, argc - optind, argv + optind);
	if (err)
		return cli_fail(err);
	report.options.width = cli_table_width();
	report.options.color = cli_color_on(report.color, stdout);
	return report_dir(&report);
}

/* clang-format off */
const struct cli_command cli_report_command = {
	.name = "report",
	.summary = "show the results of a sweep",
	.section = CLI_BOOTED,
	.uses = {{"report DIR", "what a sweep came to, cell by cell"}},
	.synopsis = "report DIR [OPTION...]",
	.text = "Shows the results of a sweep, whose cells left their records in DIR: for each\n"
		"scheduler the verified_insns of its programs by kernel; then a grid of\n"
		"topologies and schedulers; then every combination that failed, with the reason.\n"
		"\n"
		"In the tables LO..HI is a range over topologies, and - is an unknown number. In\n"
		"the grid ✓ means passed on every kernel, \xe2\x9c\x97 failed on every kernel, \xe2\x9c\x97 2/3 passed\n"
		"on 2 of 3, and - ran on none (skipped, or no record). If the locale is not\n"
		"UTF-8, these are ok, FAIL and FAIL 2/3.",
	.groups = {
		{"Options", own_options, NULL},
		{"Other forms, one at a time", form_options, NULL},
	},
	.status = "0 the report was shown, also if cells failed (for that, see the exit status of `ktstr-gdb "
		  "sweep`); 1 --fail-on-regression found one; 2 usage; 3 the records could not be read. A "
		  "file that is no record is skipped, with a note",
	.examples = {{"ktstr-gdb report results", NULL},
		     {"ktstr-gdb report results --baseline last-week --fail-on-regression", NULL},
		     {"ktstr-gdb report results --markdown >> \"$GITHUB_STEP_SUMMARY\"", NULL},
		     {"ktstr-gdb report results --html report.html", NULL}},
	.see = "ktstr-gdb-sweep(1)",
	.takes = CLI_TAKES_DIR,
	.run = run_command,
};
/* clang-format on */
