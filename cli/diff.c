// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb diff: compares two results. */
#include <inttypes.h>
#include <string.h>

#include "cli/boot.h"
#include "cli/input.h"
#include "cli/loader.h"
#include "model/filter.h"
#include "model/saved.h"
#include "render/diff.h"
#include "render/trials.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/path.h"

enum {
	OPT_FILTER = CLI_OPT_OWN,
	OPT_FAIL_ON,
	OPT_NUMBER,
	OPT_LABEL_A,
	OPT_LABEL_B,
};

struct rule {
	const char *text; /* as it was typed */
	struct kt_filter filter;
};

struct diff {
	const char *sort, *label_a, *label_b;
	bool csv, json;
	enum cli_color color;
	enum kt_trial_number number; /* that is compared */
	KT_VEC(struct kt_filter) filters;
	KT_VEC(struct rule) rules;
	struct cli_boot boot;
	struct cli_guest guest;
};

/* A or B. */
struct side {
	const char *source; /* the name of its file or kernel, for labels and messages */
	struct kt_saved result;
	char *label;
};

static void side_deinit(struct side *side)
{
	kt_saved_deinit(&side->result);
	free(side->label);
}

/* --- what to call them --- */

static bool differ(const char *a, const char *b)
{
	return a && b && strcmp(a, b) != 0;
}

/* Names a side by how it differs from the other: scheduler, kernel, or else its source. */
static char *make_label(const struct side *side, const struct side *other)
{
	bool schedulers = differ(side->result.scheduler, other->result.scheduler);
	bool kernels = differ(side->result.kernel, other->result.kernel);
	struct kt_buf label = KT_BUF_INIT;

	if (schedulers &&
	    differ(kt_base_name(side->result.scheduler), kt_base_name(other->result.scheduler)))
		kt_buf_appends(&label, kt_base_name(side->result.scheduler));
	else if (schedulers)
		kt_buf_appends(&label, side->result.scheduler);
	if (kernels)
		kt_buf_printf(&label, "%s%s", label.len ? " " : "", side->result.kernel);
	if (!label.len && differ(kt_base_name(side->source), kt_base_name(other->source)))
		kt_buf_appends(&label, kt_base_name(side->source));
	else if (!label.len)
		kt_buf_appends(&label, side->source);
	return kt_buf_steal(&label);
}

static struct kt_error *set_labels(const struct diff *diff, struct side *a, struct side *b)
{
	a->label = diff->label_a ? strdup(diff->label_a) : make_label(a, b);
	b->label = diff->label_b ? strdup(diff->label_b) : make_label(b, a);
	return a->label && b->label ? NULL : kt_error_no_memory();
}

/* --- --fail-on --- */

#define TOLD_MAX 10

/* The rows that broke a rule: the first ones, and how many. */
struct broken {
	struct {
		const char *rule; /* NULL: it fails in B only, which breaks every rule */
		struct kt_diff_row row;
	} all[TOLD_MAX];
	size_t n;
	bool run; /* the run of B failed, and that of A passed */
};

static void note_broken(struct broken *broken, const char *rule, const struct kt_diff_row *row)
{
	if (broken->n < TOLD_MAX) {
		broken->all[broken->n].rule = rule;
		broken->all[broken->n].row = *row;
	}
	broken->n++;
}

static void check_row(const struct diff *diff, const struct kt_diff_row *row, struct broken *broken)
{
	if (row->status == KT_DIFF_FAILED) {
		note_broken(broken, NULL, row);
		return;
	}
	for (size_t i = 0; i < diff->rules.len; i++)
		if (kt_filter_matches(&diff->rules.data[i].filter, row)) {
			note_broken(broken, diff->rules.data[i].text, row);
			return;
		}
}

static void check_rules(const struct diff *diff, const struct side *a, const struct side *b,
			const struct kt_diff_rows *rows, struct broken *ret)
{
	*ret = (struct broken){0};
	if (!diff->rules.len)
		return;
	ret->run = a->result.passed_known && a->result.passed && b->result.passed_known &&
		   !b->result.passed;
	for (size_t i = 0; i < rows->n; i++)
		check_row(diff, &rows->all[i], ret);
}

static void append_number(struct kt_buf *buf, struct program_number number)
{
	if (number.known)
		kt_buf_printf(buf, "%" PRIu64, number.value);
	else
		kt_buf_appends(buf, "-");
}

static void tell_row(const char *rule, const struct kt_diff_row *row)
{
	struct kt_buf text = KT_BUF_INIT;

	kt_buf_printf(&text, "%s (%s)", row->name[0] ? row->name : "(no name)",
		      row->type ? row->type : "type unknown");
	if (!rule) {
		kt_buf_appends(&text, " failed in B, passed in A");
	} else {
		kt_buf_appends(&text, ": ");
		append_number(&text, row->a);
		kt_buf_appends(&text, " -> ");
		append_number(&text, row->b);
		if (row->has_delta)
			kt_buf_printf(&text, ", %+" PRId64 ", %+.1f%%", row->delta, row->delta_pct);
		else
			kt_buf_printf(&text, ", %s", kt_diff_status_name(row->status));
	}
	cli_note("--fail-on%s%s: %s", rule ? " " : "", rule ? rule : "",
		 text.data ? text.data : "");
	kt_buf_deinit(&text);
}

static int tell_broken(const struct broken *broken, const struct side *b)
{
	size_t told = broken->n < TOLD_MAX ? broken->n : TOLD_MAX;

	if (broken->run)
		cli_note("--fail-on: the run failed in B, passed in A: %s",
			 b->result.verdict ? b->result.verdict : "no verdict");
	for (size_t i = 0; i < told; i++)
		tell_row(broken->all[i].rule, &broken->all[i].row);
	if (broken->n > told)
		cli_note("--fail-on: and %zu more", broken->n - told);
	return broken->n || broken->run ? CLI_TEST_FAILED : CLI_DONE;
}

/* --- what is shown --- */

static struct kt_error *format(const struct diff *diff, const struct side *a, const struct side *b,
			       const struct kt_diff_rows *rows, char **ret)
{
	if (diff->json)
		return kt_format_diff_json(&(struct kt_diff_side){a->label, &a->result},
					   &(struct kt_diff_side){b->label, &b->result}, rows, ret);
	if (diff->csv)
		return kt_format_diff_csv(rows, ret);
	return kt_format_diff_rows(a->label, b->label, rows,
				   &(struct kt_diff_options){
					   .width = cli_table_width(),
					   .color = cli_color_on(diff->color, stdout),
				   },
				   ret);
}

/* Explains an empty table. */
static void tell_empty(const struct kt_diff_rows *rows, size_t total)
{
	if (rows->n)
		return;
	if (total)
		cli_note("no program is left by --filter, of %zu that were compared", total);
	else
		cli_note("there is no program in A, nor in B");
}

/* Prints the verdict of a failed run, which says more than its programs do. */
static void tell_verdict(const char *which, const struct side *side)
{
	if (side->result.passed_known && !side->result.passed)
		cli_note("%s (%s) failed: %s", which, side->label,
			 side->result.verdict ? side->result.verdict : "no verdict");
}

/* Filters, sorts and prints the rows, and then what --fail-on found. */
static int show_rows(const struct diff *diff, const struct side *a, const struct side *b,
		     struct kt_diff_rows *rows)
{
	_cleanup_free_ char *text = NULL;
	struct broken broken;
	size_t total = rows->n;
	struct kt_error *err;
	int status;

	check_rules(diff, a, b, rows, &broken);
	kt_diff_rows_filter(rows, diff->filters.data, diff->filters.len);
	err = kt_diff_rows_sort(rows, diff->sort);
	if (!err)
		err = format(diff, a, b, rows, &text);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	tell_empty(rows, total);
	tell_verdict("A", a);
	if (!broken.run)
		tell_verdict("B", b);
	return tell_broken(&broken, b) == CLI_DONE || status != CLI_DONE ? status : CLI_TEST_FAILED;
}

/* Compares two results from files or guests. Returns the exit status. */
static int show_diff(const struct diff *diff, struct side *a, struct side *b)
{
	struct kt_diff_rows rows = {0};
	struct kt_b_map *map = NULL;
	struct kt_error *err;
	int status;

	kt_saved_choose(&a->result, diff->number);
	kt_saved_choose(&b->result, diff->number);
	err = set_labels(diff, a, b);
	if (!err)
		err = kt_build_b_map(&b->result.programs, &map);
	if (!err)
		err = kt_build_diff_rows(&a->result.programs, map, &rows);
	status = err ? cli_fail(err) : show_rows(diff, a, b, &rows);
	kt_diff_rows_deinit(&rows);
	kt_b_map_destroy(map);
	return status;
}

/* --- the two files --- */

/* ret->source is set, for messages. */
static struct kt_error *parse(const struct cli_input *input, struct side *ret)
{
	struct kt_error *err = kt_saved_read(input->text, ret->source, &ret->result);
	struct kt_error *shrank = cli_input_check(input, ret->source);

	if (!shrank)
		return err;
	kt_error_destroy(err);
	return shrank;
}

static struct kt_error *read_side(const char *path, struct side *ret)
{
	struct cli_input input;
	struct kt_error *err = cli_input_read(path, &input);

	if (err)
		return err;
	ret->source = strcmp(path, "-") == 0 ? "standard input" : path;
	err = input.error ? kt_take_ptr(input.error) : parse(&input, ret);
	cli_input_deinit(&input);
	return err;
}

static int diff_files(const struct diff *diff, const char *path_a, const char *path_b)
{
	_cleanup_(side_deinit) struct side a = {0}, b = {0};
	struct kt_error *err = read_side(path_a, &a);

	if (!err)
		err = read_side(path_b, &b);
	return err ? cli_fail(err) : show_diff(diff, &a, &b);
}

/* --- two guests --- */

static int run_side(const struct diff *diff, size_t nth, bool *failed, struct side *ret)
{
	const struct cli_boot *boot = &diff->boot;
	const struct kt_kernel *kernel = &boot->found.v.data[nth < boot->found.v.len ? nth : 0];
	const char *scheduler =
		boot->schedulers.len ? boot->schedulers.data[nth < boot->schedulers.len ? nth : 0]
				     : NULL;
	_cleanup_(cli_run_deinit) struct cli_run run = {0};
	struct kt_error *err;
	int status = cli_run_guest(boot, kernel, scheduler, &diff->guest, &run);

	if (status != CLI_DONE)
		return status;
	*failed |= (scheduler || run.result.payload) && cli_run_status(&run) != CLI_DONE;
	cli_loader_tell(&run);
	cli_show_console(run.collected.result.console);
	ret->source = boot->schedulers.len > 1 ? scheduler : kernel->name;
	err = cli_saved(&run.result, &ret->result);
	return err ? cli_fail(err) : CLI_DONE;
}

static int diff_guests(const struct diff *diff)
{
	_cleanup_(side_deinit) struct side a = {0}, b = {0};
	bool failed = false;
	int status = run_side(diff, 0, &failed, &a);

	if (status == CLI_DONE)
		status = run_side(diff, 1, &failed, &b);
	if (status == CLI_DONE)
		status = show_diff(diff, &a, &b);
	return status == CLI_DONE && failed ? CLI_TEST_FAILED : status;
}

/* --- the command line --- */

static struct kt_error *add_filter(struct diff *diff, const char *arg)
{
	struct kt_filter filter;
	struct kt_error *err = kt_filter_parse(arg, &filter);

	if (err)
		return kt_error_wrap(err, "--filter");
	return kt_vec_push(&diff->filters, filter) ? NULL : kt_error_no_memory();
}

static struct kt_error *add_rule(struct diff *diff, const char *arg)
{
	struct rule rule = {.text = arg};
	struct kt_error *err = kt_filter_parse(arg, &rule.filter);

	if (err)
		return kt_error_wrap(err, "--fail-on");
	return kt_vec_push(&diff->rules, rule) ? NULL : kt_error_no_memory();
}

static struct kt_error *choose_number(struct diff *diff, const char *arg)
{
	return kt_error_wrap(render_trials_number(arg, &diff->number), "--number");
}

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct diff *diff = context;
	struct kt_error *err;
	bool taken;

	err = cli_boot_option(&diff->boot, option->value, arg, &taken);
	if (!taken && option->value != CLI_OPT_SORT)
		err = cli_guest_option(&diff->guest, option->value, arg, &taken);
	if (taken)
		return err;
	switch (option->value) {
	case OPT_FILTER: return add_filter(diff, arg);
	case OPT_FAIL_ON: return add_rule(diff, arg);
	case OPT_NUMBER: return choose_number(diff, arg);
	case OPT_LABEL_A: diff->label_a = arg; return NULL;
	case OPT_LABEL_B: diff->label_b = arg; return NULL;
	case CLI_OPT_JSON: diff->json = true; return NULL;
	case CLI_OPT_CSV: diff->csv = true; return NULL;
	case CLI_OPT_COLOR: return cli_color_option(arg, &diff->color);
	default: diff->sort = arg; return kt_error_wrap(kt_diff_rows_check_sort(arg), "--sort");
	}
}

static struct kt_error *check_boots(const struct diff *diff, int n_args, char **args)
{
	const struct cli_boot *boot = &diff->boot;
	size_t kernels = boot->kernels.len, schedulers = boot->schedulers.len;
	struct kt_error *err;

	if (n_args && !schedulers && !boot->load.run)
		return kt_error_new(KT_ERROR_USAGE,
				    "\"%s\" and --kernel: files are compared, or "
				    "guests that are booted, one of them",
				    args[0]);
	err = cli_boot_check(boot, n_args, args);
	if (err)
		return err;
	if (boot->vm.keep)
		return kt_error_new(KT_ERROR_USAGE, "--keep goes with collect");
	if (kernels > 2 || schedulers > 2)
		return kt_error_new(KT_ERROR_USAGE, "two are compared, not more%s",
				    boot->objects.len ? "; `ktstr-gdb collect` takes objects and "
							"many kernels"
						      : "");
	if (kernels < 2 && schedulers < 2)
		return kt_error_new(KT_ERROR_USAGE,
				    "what is to be compared? Two times --kernel, or "
				    "two times --scheduler");
	return NULL;
}

static struct kt_error *check_usage(const struct diff *diff, int n, char **files)
{
	if (diff->json && diff->csv)
		return kt_error_new(KT_ERROR_USAGE, "--json and --csv: one of them");
	if (diff->boot.given)
		return check_boots(diff, n, files);
	if (n != 2)
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
						  "two results are compared, and %d given", n),
				     "ktstr-gdb diff A.json B.json; `ktstr-gdb collect ... --save "
				     "FILE` makes them");
	if (strcmp(files[0], "-") == 0 && strcmp(files[1], "-") == 0)
		return kt_error_new(KT_ERROR_USAGE, "standard input can be A or B, not both");
	return NULL;
}

static void diff_deinit(struct diff *diff)
{
	kt_vec_free(&diff->filters);
	kt_vec_free(&diff->rules);
	cli_boot_deinit(&diff->boot);
}

/* clang-format off */
static const struct cli_option own_options[] = {
	{"filter", OPT_FILTER, "EXPR",
	 "show only programs for which EXPR holds; if given again, all have to hold"},
	{"fail-on", OPT_FAIL_ON, "EXPR",
	 "exit with 1 if EXPR holds for any program, whether --filter shows it or not, or if a program, "
	 "or the run, passed in A and fails in B; may be given again"},
	{"number", OPT_NUMBER, "KEY",
	 "compare another number than verified_insns, of objects: total_states, peak_states, "
	 "max_states_per_insn, mark_read, stack_depth, verification_time_us, log_bytes"},
	{"sort", CLI_OPT_SORT, "KEY",
	 "name, type, a, b, delta, delta_pct, status, |delta| or |delta_pct|; numbers the largest first; "
	 "-KEY turns it around. If not given, A's order, then what only B has"},
	{"label-a", OPT_LABEL_A, "TEXT",
	 "what to call A"},
	{"label-b", OPT_LABEL_B, "TEXT",
	 "what to call B; if not given, the scheduler or kernel where these differ, else the file's name"},
	{"csv", CLI_OPT_CSV, NULL,
	 "comma-separated, one line a program"},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document"},
	CLI_COLOR_OPTION,
	{0},
};
static const struct cli_option cache_options[] = {
	{"no-cache", CLI_OPT_NO_CACHE, NULL,
	 "boot each guest anew, and keep nothing"},
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	_cleanup_(diff_deinit) struct diff diff = {0};
	int status = cli_parse(&cli_diff_command, argc, argv, take_option, &diff);
	struct kt_error *err;

	if (status != CLI_GO_ON)
		return status;
	if (diff.boot.list_topologies)
		return cli_list_topologies();
	err = cli_boot_take_objects(&diff.boot, &argc, argv, optind);
	if (!err)
		err = check_usage(&diff, argc - optind, argv + optind);
	if (!err && diff.boot.given)
		err = cli_boot_settings(&diff.boot, false);
	if (!err && diff.boot.given)
		err = cli_boot_find_kernels(&diff.boot);
	if (!err && diff.boot.found.v.len > 2)
		err = kt_error_new(KT_ERROR_USAGE, "two kernels are compared, and %zu given",
				   diff.boot.found.v.len);
	if (err)
		return cli_fail(err);
	if (!diff.boot.given)
		return diff_files(&diff, argv[optind], argv[optind + 1]);
	diff.boot.load.args = (const char *const *)argv + optind;
	diff.boot.load.num_args = (size_t)(argc - optind);
	return diff_guests(&diff);
}

/* clang-format off */
const struct cli_command cli_diff_command = {
	.name = "diff",
	.summary = "compare two results",
	.section = CLI_NO_GUEST,
	.uses = {{"diff A.json B.json", "two results (of --save) side by side, or of two guests that it boots"}},
	.synopsis = "diff A.json B.json [OPTION...]   (or .csv)\n"
		    "diff --kernel IMAGE --scheduler A --scheduler B [OPTION...] [-- ARGS]\n"
		    "diff --kernel A --kernel B --scheduler BIN [OPTION...] [-- ARGS]\n"
		    "diff FILE.bpf.o... --kernel A --kernel B [OPTION...]",
	.text = "Compares two results, from files that `ktstr-gdb collect --save`, `ktstr-gdb\n"
		"attach --json` or `veristat -o csv` wrote, or from two guests that are booted\n"
		"now. It shows for each program its verified_insns in A and in B, and DELTA,\n"
		"which is B - A: if it is positive, B costs the verifier more. A program that\n"
		"only one of them has is added or removed, and has no delta. A program that\n"
		"passed in A and fails in B is always shown, and named again below the table.\n"
		"Files may be compressed; one of them may be \"-\", standard input.",
	.groups = {
		{"Options", own_options, "EXPR is KEY OPERATOR VALUE, or several joined by &&:\n"
		 "  a, b, delta, delta_pct, |delta|, |delta_pct|\n"
		 "                       > >= < <= = != a number, such as 100, -2.5 or 10%\n"
		 "  name                 = != a pattern, such as scx_*\n"
		 "  status               = != unchanged, changed, unknown, added, removed,\n"
		 "                       failed (in B, passed in A), fixed, failed-in-both\n"
		 "A comparison of an unknown number never holds. Growth from 0 is infinitely many\n"
		 "percent."},
		{"What is loaded", cli_boot_load_options, NULL},
		{"The guest", cli_boot_guest_options, NULL},
		{NULL, cache_options, NULL},
	},
	.status = "0 done, also if they differ; 1 --fail-on found something, which is printed on stderr, or a "
		  "scheduler failed in a guest that was booted; 2 usage; 3 it could not be done",
	.examples = {{"ktstr-gdb diff old.json new.json --sort '|delta|'", NULL},
		     {"ktstr-gdb diff old.json new.json --filter 'delta_pct > 5% && name=tcp_*'", NULL},
		     {"ktstr-gdb diff old.json new.json --fail-on 'delta_pct > 10 && b > 1000'", NULL},
		     {"ktstr-gdb diff 6.12.json 7.0.json --csv > diff.csv", NULL},
		     {"ktstr-gdb diff --kernel vmlinuz-6.18 --kernel vmlinuz-7.2 --scheduler ./mine", NULL}},
	.see = "ktstr-gdb-collect(1)",
	.takes = CLI_TAKES_FILES,
	.run = run_command,
};
/* clang-format on */
