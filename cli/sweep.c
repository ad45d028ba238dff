// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb sweep: scheduler x kernel x topology, each cell a process of its own. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/boot.h"
#include "cli/sweep.h"
#include "sweep/records.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "vm/accel.h"

enum {
	OPT_LIST = CLI_OPT_OWN,
	OPT_FILTER,
	OPT_RESUME,
	OPT_CELL,
	OPT_RESULTS,
	OPT_JOBS,
	OPT_RETRIES,
	OPT_ENGINE,
	OPT_MACHINES,
	OPT_ENGINE_ARG,
	OPT_NEXTEST,
	OPT_PROFILE,
};

struct sweep {
	const char *file, *scheduler, *cell, *results, *accel, *machines, *profile;
	char *workload; /* with an absolute path, since a cell may run elsewhere */
	struct kt_error *(*engine)(const struct sweep_work *work);
	struct kt_error *(*need_engine)(void); /* NULL: it is always there */
	KT_VEC(const char *) filters, engine_args;
	bool list, resume, json, nextest, retries_given;
	unsigned jobs, retries, timeout_s;
};

static void sweep_deinit(struct sweep *sweep)
{
	free(sweep->workload);
	kt_vec_free(&sweep->filters);
	kt_vec_free(&sweep->engine_args);
}

/* --- the command line --- */

static struct kt_error *take_engine(const char *name, struct sweep *sweep)
{
	sweep->need_engine = NULL;
	if (!strcmp(name, "local")) {
		sweep->engine = sweep_run_local;
	} else if (!strcmp(name, "parallel")) {
		sweep->engine = sweep_run_parallel;
		sweep->need_engine = sweep_need_parallel;
	} else if (!strcmp(name, "slurm")) {
		sweep->engine = sweep_run_slurm;
		sweep->need_engine = sweep_need_slurm;
	} else {
		return kt_error_new(KT_ERROR_USAGE,
				    "--engine takes local, parallel or slurm, not \"%s\"", name);
	}
	return NULL;
}

static struct kt_error *number(const char *option, const char *arg, long min, unsigned *ret)
{
	long value;
	struct kt_error *err = cli_number(option, arg, min, 1000000, &value);

	if (!err)
		*ret = (unsigned)value;
	return err;
}

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct sweep *sweep = context;
	switch (option->value) {
	case OPT_LIST: sweep->list = true; return NULL;
	case OPT_FILTER: return kt_vec_push(&sweep->filters, arg) ? NULL : kt_error_no_memory();
	case CLI_OPT_SCHEDULER: sweep->scheduler = arg; return NULL;
	case OPT_RESUME: sweep->resume = true; return NULL;
	case OPT_CELL: sweep->cell = arg; return NULL;
	case OPT_RESULTS: sweep->results = arg; return NULL;
	case OPT_JOBS: return number("--jobs", arg, 1, &sweep->jobs);
	case OPT_RETRIES:
		sweep->retries_given = true;
		return number("--retries", arg, 0, &sweep->retries);
	case CLI_OPT_TIMEOUT: return number("--timeout", arg, 1, &sweep->timeout_s);
	case CLI_OPT_ACCEL: sweep->accel = arg; return NULL;
	case CLI_OPT_WORKLOAD:
		free(kt_take_ptr(sweep->workload));
		return kt_error_wrap(vm_workload_absolute(arg, NULL, &sweep->workload),
				     "--workload");
	case OPT_ENGINE: return take_engine(arg, sweep);
	case OPT_MACHINES: sweep->machines = arg; return NULL;
	case OPT_ENGINE_ARG:
		return kt_vec_push(&sweep->engine_args, arg) ? NULL : kt_error_no_memory();
	case CLI_OPT_JSON: sweep->json = true; return NULL;
	case OPT_NEXTEST: sweep->nextest = true; return NULL;
	default: sweep->profile = arg; return NULL;
	}
}

static struct kt_error *check_usage(const struct sweep *sweep, int n, char **args)
{
	if (sweep->nextest && (sweep->list || sweep->cell || sweep->filters.len || sweep->resume))
		return kt_error_new(KT_ERROR_USAGE, "--nextest: which cells there are is cargo's "
						    "affair; see what goes behind \"--\"");
	if (!sweep->nextest && sweep->profile)
		return kt_error_new(KT_ERROR_USAGE, "--profile goes with --nextest");
	if (sweep->cell && (sweep->list || sweep->filters.len || sweep->scheduler || sweep->resume))
		return kt_error_new(KT_ERROR_USAGE, "--cell names one cell; nothing else chooses");
	if (sweep->machines && sweep->engine != sweep_run_parallel)
		return kt_error_new(KT_ERROR_USAGE, "--machines goes with --engine parallel");
	if (!sweep->nextest && n > 1)
		return kt_error_new(KT_ERROR_USAGE, "one FILE, not also \"%s\"", args[1]);
	return NULL;
}

/* --- the result directory --- */

static const char *results_dir(const struct sweep *sweep)
{
	const char *env = getenv(KTSTR_VERIFIER_RESULT_DIR_ENV);

	if (sweep->results)
		return sweep->results;
	return env && env[0] ? env : "ktstr-results";
}

static struct kt_error *make_results(const struct sweep *sweep, char **ret)
{
	const char *dir = results_dir(sweep);

	if (mkdir(dir, 0755) && errno != EEXIST)
		return kt_error_os(errno, "cannot make the result directory %s", dir);
	*ret = realpath(dir, NULL);
	return *ret ? NULL : kt_error_os(errno, "cannot use the result directory %s", dir);
}

struct kt_error *sweep_read_record(const char *results, const struct sweep_cell *cell,
				   struct kt_cell_record *ret)
{
	const char *scheduler = cell->scheduler->name, *kernel = cell->kernel->name;
	const char *topology = cell->topology->name;
	struct kt_error *err;
	bool due;

	err = kt_cell_is_due(results, scheduler, kernel, topology, &due);
	if (err)
		return err;
	if (due)
		return kt_error_new(KT_ERROR_NOT_FOUND, "its record is from before");
	return kt_read_cell_record(results, scheduler, kernel, topology, ret);
}

static bool is_done(const char *results, const struct sweep_cell *cell)
{
	struct kt_cell_record record = {0};
	struct kt_error *err = sweep_read_record(results, cell, &record);
	bool done = !err;

	kt_error_destroy(err);
	kt_cell_record_deinit(&record);
	return done;
}

static void leave_out_done(const char *results, struct sweep_cells *cells)
{
	size_t kept = 0;

	for (size_t i = 0; i < cells->v.len; i++) {
		struct sweep_cell cell = cells->v.data[i];

		if (is_done(results, &cell))
			free(cell.name);
		else
			cells->v.data[kept++] = cell;
	}
	cells->v.len = kept;
}

/* From here on --resume runs all of them, also if this sweep is killed at once. */
static struct kt_error *set_due(const char *results, const struct sweep_cells *cells)
{
	struct kt_error *err = NULL;

	kt_vec_for_each (&cells->v, cell)
		if (!err)
			err = kt_cell_set_due(results, cell->scheduler->name, cell->kernel->name,
					      cell->topology->name);
	return err;
}

/* --- running them --- */

struct work {
	struct sweep_work work;
	KT_VEC(struct sweep_job) jobs;
	KT_VEC(const char *) args;
	char tool[PATH_MAX];
	char timeout[32];
};

static void work_deinit(struct work *w)
{
	kt_vec_free(&w->jobs);
	kt_vec_free(&w->args);
}

static void notice(void *arg, const char *text)
{
	(void)arg;
	cli_note("%s", text);
}

/* Decides how many cells run at a time: under TCG a guest is one thread, under KVM one per vCPU. */
static bool uses_kvm(const char *accel)
{
	return !strncmp(accel ? accel : vm_default_accel(), "kvm", 3);
}

static struct kt_error *make_work(const struct sweep *sweep, const struct sweep_plan *plan,
				  const struct sweep_cells *cells, struct work *w)
{
	ssize_t n = readlink("/proc/self/exe", w->tool, sizeof(w->tool) - 1);
	unsigned timeout_s = sweep->timeout_s  ? sweep->timeout_s
			     : plan->timeout_s ? plan->timeout_s
					       : 300;
	bool ok = true;

	if (n < 0)
		return kt_error_os(errno, "cannot tell where this tool is");
	w->tool[n] = '\0';
	kt_vec_for_each (&cells->v, cell)
		ok &= kt_vec_push(&w->jobs, (struct sweep_job){
						    .name = cell->name,
						    .cpus = cell->topology->cpus,
						    .memory_mib = cell->topology->memory_mib,
					    });
	snprintf(w->timeout, sizeof(w->timeout), "%u", timeout_s);
	ok &= kt_vec_push(&w->args, "--timeout") && kt_vec_push(&w->args, w->timeout);
	if (sweep->accel)
		ok &= kt_vec_push(&w->args, "--accel") && kt_vec_push(&w->args, sweep->accel);
	if (sweep->workload)
		ok &= kt_vec_push(&w->args, "--workload") && kt_vec_push(&w->args, sweep->workload);
	if (!ok)
		return kt_error_no_memory();
	w->work = (struct sweep_work){
		.jobs = w->jobs.data,
		.n_jobs = w->jobs.len,
		.tool = w->tool,
		.args = w->args.data,
		.n_args = w->args.len,
		.max_jobs = sweep->jobs,
		.retries = sweep->retries_given ? sweep->retries : plan->retries,
		.timeout_s = timeout_s + 30, /* the cell times out by itself before that */
		.machines = sweep->machines,
		.engine_args = sweep->engine_args.data,
		.n_engine_args = sweep->engine_args.len,
		.cancel_fd = cli_cancel_fd(),
		.kvm = uses_kvm(sweep->accel ? sweep->accel : plan->accel),
		.notice = notice,
		.begun = sweep_view_begun,
		.ended = sweep_view_ended,
	};
	return NULL;
}

#define GO_ON "what is done is kept; --resume goes on"

static struct kt_error *run_cells(const struct sweep *sweep, const struct sweep_plan *plan,
				  const struct sweep_cells *cells, const char *results)
{
	_cleanup_free_ char *file = realpath(sweep->file, NULL);
	_cleanup_(work_deinit) struct work w = {0};
	struct sweep_view *view = NULL;
	struct kt_error *err;

	if (!file)
		return kt_error_os(errno, "cannot read the sweep file %s", sweep->file);
	err = sweep->need_engine ? sweep->need_engine() : NULL;
	/* Before the kernels are fetched: Ctrl-C may come while that goes on, and then --resume. */
	if (!err)
		err = sweep_check_disk(results);
	if (!err)
		err = set_due(results, cells);
	if (err)
		return err;
	err = sweep_prepare_kernels(plan, cells);
	if (!err)
		err = make_work(sweep, plan, cells, &w);
	w.work.file = file;
	w.work.results = results;
	if (!err)
		err = sweep_view_create(cells, results, sweep->json, &view);
	if (err)
		return err;
	w.work.arg = view;
	err = (sweep->engine ? sweep->engine : sweep_run_local)(&w.work);
	sweep_view_destroy(view);
	return err;
}

/* --- what came of it --- */

/* The exit status for these cells: a failed cell outweighs one whose result is not known. */
static int status_of(const char *results, const struct sweep_cells *cells)
{
	int status = CLI_DONE;

	kt_vec_for_each (&cells->v, cell) {
		struct kt_cell_record record = {0};
		struct kt_error *err = sweep_read_record(results, cell, &record);
		bool unknown = err || kt_cell_is_unknown(&record);

		if (!err && (record.passed || record.skipped))
			unknown = false;
		else if (!unknown)
			status = CLI_TEST_FAILED;
		if (unknown && status == CLI_DONE)
			status = CLI_CANNOT;
		kt_error_destroy(err);
		kt_cell_record_deinit(&record);
	}
	return status;
}

static struct kt_error *chosen_cells(const struct sweep *sweep, const struct sweep_plan *plan,
				     struct sweep_cells *ret)
{
	return sweep_plan_cells(plan, sweep->filters.data, sweep->filters.len, sweep->scheduler,
				ret);
}

static int sweep_all(const struct sweep *sweep, const struct sweep_plan *plan,
		     struct sweep_cells *cells)
{
	_cleanup_free_ char *results = NULL;
	struct sweep_cells all = {0};
	struct kt_error *err = make_results(sweep, &results);
	int status;

	cli_cancel_fd();
	if (!err && sweep->resume)
		leave_out_done(results, cells);
	if (!err && !cells->v.len)
		cli_note("nothing is left to run; without --resume, all of it is run again");
	else if (!err)
		err = run_cells(sweep, plan, cells, results);
	if (err && kt_error_code(err) == KT_ERROR_CANCELLED)
		err = kt_error_hint(err, "%s", GO_ON);
	if (err)
		return cli_fail(err);
	/* Concludes over all cells that were chosen, also those that --resume left out. */
	err = chosen_cells(sweep, plan, &all);
	if (err)
		return cli_fail(err);
	status = status_of(results, &all);
	status = sweep_conclude(&(struct sweep_scope){results, &all, sweep->scheduler,
						      !sweep->json},
				!status, status);
	sweep_cells_deinit(&all);
	return status;
}

/* An error if no cell is chosen: most likely an option is wrong. */
static struct kt_error *no_cells(const struct sweep *sweep, const struct sweep_plan *plan,
				 const struct sweep_cells *cells)
{
	_cleanup_(kt_buf_deinit) struct kt_buf names = KT_BUF_INIT;
	bool known = !sweep->scheduler;

	kt_vec_for_each (&plan->schedulers, s) {
		known |= sweep->scheduler && sweep_scheduler_is(s, sweep->scheduler);
		kt_buf_printf(&names, "%s%s", names.len ? ", " : "", s->name);
	}
	if (!known)
		return kt_error_new(KT_ERROR_USAGE, "%s has no scheduler \"%s\"; there are %s",
				    sweep->file, sweep->scheduler, names.data ? names.data : "");
	if (cells->v.len)
		return NULL;
	if (sweep->filters.len)
		return kt_error_hint(
			kt_error_new(KT_ERROR_NOT_FOUND, "no cell of %s matches --filter \"%s\"%s",
				     sweep->file, sweep->filters.data[0],
				     sweep->filters.len > 1 ? ", nor another one" : ""),
			"--list has their names");
	return kt_error_new(KT_ERROR_NOT_FOUND,
			    "%s: all %zu combinations are ruled out by the schedulers' limits",
			    sweep->file, cells->n_rejected);
}

static int sweep_list(const struct sweep *sweep, const struct sweep_cells *cells)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;

	kt_vec_for_each (&cells->v, cell)
		if (!sweep->resume || !is_done(results_dir(sweep), cell))
			kt_buf_printf(&text, "%s\n", cell->name);
	if (cells->n_rejected)
		cli_note("%zu combinations are ruled out by the schedulers' limits",
			 cells->n_rejected);
	if (text.failed)
		return cli_fail(kt_error_no_memory());
	return cli_print(text.data ? text.data : "");
}

/* Whether only the limits of its scheduler keep this combination from being a cell. */
static bool is_ruled_out(const struct sweep_plan *plan, const char *name)
{
	const char *rest = strncmp(name, "verifier/", 9) ? name : name + 9;

	kt_vec_for_each (&plan->schedulers, s)
		kt_vec_for_each (&plan->kernels, k)
			kt_vec_for_each (&plan->topologies, t) {
				_cleanup_free_ char *cell = NULL;

				if (asprintf(&cell, "%s/%s/%s", s->name, k->name, (*t)->name) > 0 &&
				    !strcmp(cell, rest))
					return true;
			}
	return false;
}

static int sweep_one(const struct sweep *sweep, const struct sweep_plan *plan,
		     const struct sweep_cells *cells)
{
	_cleanup_free_ char *results = NULL;
	struct sweep_cell_options options = {
		.accel = sweep->accel, .workload = sweep->workload, .timeout_s = sweep->timeout_s};
	struct kt_error *err;

	kt_vec_for_each (&cells->v, cell) {
		if (strcmp(cell->name, sweep->cell) &&
		    strcmp(cell->name + strlen("verifier/"), sweep->cell))
			continue;
		err = make_results(sweep, &results);
		if (err)
			return cli_fail(err);
		options.results = results;
		cli_cancel_fd();
		return sweep_run_cell(plan, cell, &options);
	}
	if (is_ruled_out(plan, sweep->cell))
		return cli_fail(kt_error_new(KT_ERROR_NOT_FOUND,
					     "%s is ruled out by the limits of its scheduler in %s",
					     sweep->cell, sweep->file));
	return cli_fail(kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND, "%s has no cell \"%s\"",
						   sweep->file, sweep->cell),
				      "--list has their names"));
}

static int sweep_file(const struct sweep *sweep)
{
	struct sweep_plan plan = {0};
	struct sweep_cells cells = {0};
	struct kt_error *err = sweep_plan_read(sweep->file, &plan);
	int status;

	if (!err)
		err = chosen_cells(sweep, &plan, &cells);
	if (!err)
		err = no_cells(sweep, &plan, &cells);
	/* A cell looks at its own set alone. */
	if (!err && !sweep->cell)
		err = sweep_check_sets(&plan, &cells);
	if (err)
		status = cli_fail(err);
	else if (sweep->list)
		status = sweep_list(sweep, &cells);
	else if (sweep->cell)
		status = sweep_one(sweep, &plan, &cells);
	else
		status = sweep_all(sweep, &plan, &cells);
	sweep_cells_deinit(&cells);
	sweep_plan_deinit(&plan);
	return status;
}

/* --- cargo --- */

static int run_nextest(const struct sweep *sweep, int n, char **forward)
{
	_cleanup_free_ char *results = NULL;
	struct kt_error *err = make_results(sweep, &results);
	const struct sweep_scope scope = {results, NULL, sweep->scheduler, !sweep->json};

	return err ? cli_fail(err) : sweep_nextest(&scope, sweep->profile, n, forward);
}

/* clang-format off */
static const struct cli_option cell_options[] = {
	{"list", OPT_LIST, NULL,
	 "print the names of the cells, and run none"},
	{"filter", OPT_FILTER, "GLOB",
	 "cells whose name matches, with or without \"verifier/\"; given again: also those"},
	{"scheduler", CLI_OPT_SCHEDULER, "NAME",
	 "cells of one scheduler; with sets, of all of these, or NAME+SET"},
	{"resume", OPT_RESUME, NULL,
	 "cells that have not been run yet. Without it, all are run again; the record of a cell stays "
	 "until it starts"},
	{"cell", OPT_CELL, "NAME",
	 "one cell, on this machine; exit status 0 pass, 1 fail, 3 no result, 4 skipped"},
	{0},
};

static const struct cli_option how_options[] = {
	{"results", OPT_RESULTS, "DIR",
	 "the directory for the records; if not given, KTSTR_VERIFIER_RESULT_DIR, or else ktstr-results"},
	{"jobs", OPT_JOBS, "N",
	 "cells at a time; if not given, as CPUs and memory allow"},
	{"retries", OPT_RETRIES, "N",
	 "further tries of a cell that does not pass (FILE's, else 0)"},
	{"timeout", CLI_OPT_TIMEOUT, "SECONDS",
	 "for each try (FILE's, else 300)"},
	{"accel", CLI_OPT_ACCEL, "kvm|tcg",
	 "kvm or tcg"},
	{"workload", CLI_OPT_WORKLOAD, "KIND",
	 "as in `collect`, for all schedulers (the scheduler's, else FILE's, else mixed)"},
	{"engine", OPT_ENGINE, "local|parallel|slurm",
	 "local; parallel, GNU parallel; slurm, a job array"},
	{"machines", OPT_MACHINES, "LIST",
	 "for parallel: as for its --sshlogin, \"host1,host2\""},
	{"engine-arg", OPT_ENGINE_ARG, "ARG",
	 "an argument for sbatch or parallel; may be given again"},
	{"json", CLI_OPT_JSON, NULL,
	 "progress as one JSON object a line, and no report"},
	{0},
};

static const struct cli_option cargo_options[] = {
	{"nextest", OPT_NEXTEST, NULL,
	 "runs `cargo nextest run ARGS` for the tests called verifier/..., and shows the records that "
	 "they write"},
	{"profile", OPT_PROFILE, "NAME",
	 "for --nextest: its --profile"},
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	_cleanup_(sweep_deinit) struct sweep sweep = {.file = "sweep.conf"};
	int status = cli_parse(&cli_sweep_command, argc, argv, take_option, &sweep);
	struct kt_error *err;

	if (status != CLI_GO_ON)
		return status;
	err = check_usage(&sweep, argc - optind, argv + optind);
	if (err)
		return cli_fail(err);
	if (sweep.nextest)
		return run_nextest(&sweep, argc - optind, argv + optind);
	if (optind < argc)
		sweep.file = argv[optind];
	return sweep_file(&sweep);
}

/* clang-format off */
const struct cli_command cli_sweep_command = {
	.name = "sweep",
	.summary = "each scheduler on each kernel in each topology",
	.section = CLI_BOOTED,
	.uses = {{"sweep [FILE]", "scheduler x kernel x topology"}},
	.synopsis = "sweep [FILE] [OPTION...]\n"
		    "sweep [FILE] --cell verifier/SCHEDULER/KERNEL/TOPOLOGY\n"
		    "sweep --nextest [OPTION...] [-- ARGS]",
	.text = "Runs each scheduler on each kernel in each topology, as FILE declares them, and\n"
		"shows the results; `ktstr-gdb report` shows them again. If FILE is not given, it\n"
		"is sweep.conf.\n"
		"\n"
		"  schedulers = ( { name = \"mine\"; scheduler = \"./scx_mine\"; args = [\"-v\"];\n"
		"                   cpus = [1, 64]; llcs = [1, 0]; numa_nodes = [1, 1]; },\n"
		"                 { name = \"probes\"; objects = [\"probes.bpf.o\"];\n"
		"                   sets = ( { name = \"n1\"; set = [\"nr_nodes=1\"]; },\n"
		"                            { name = \"n24\"; set = [\"nr_nodes=24\"]; } ); } );\n"
		"  kernels = ( \"debian:trixie-backports\", \"debian:trixie-backports/6.18\",\n"
		"              { name = \"next\"; image = \"./vmlinuz\"; } );\n"
		"  topologies = ( \"4cpu-1llc-nosmt\", \"9cpu-3llc-nosmt\",\n"
		"                 \"2numa-16cpu-4llc-nosmt\" );\n"
		"  timeout = 120; retries = 1;\n"
		"\n"
		"A range is [LEAST, MOST], where 0 is no limit; a scheduler runs only inside its\n"
		"ranges. There are also files = [...], accel and append, as in `collect`, and\n"
		"workload, of FILE or of a scheduler.\n"
		"Objects with sets are run once for each, as a scheduler called NAME+SET: set and\n"
		"rodata = \"FILE\" give global variables a value, as --set and --rodata of collect\n"
		"do. A set of a name alone changes nothing.\n"
		"Paths are relative to FILE. image = takes what --kernel of collect takes, a glob\n"
		"too, as long as it names one kernel.",
	.groups = {
		{"Which cells", cell_options, NULL},
		{"How", how_options, NULL},
		{"Cells that are tests of a cargo project", cargo_options, NULL},
	},
	.behind = "Other machines need this tool, FILE and the results at the same paths.\n"
		  "\n"
		  "Ctrl-C exits with 3 and keeps what is done; --resume goes on.",
	.status = "0 all cells passed or were skipped; 1 a cell failed; 2 usage; 3 the sweep could not be "
		  "done, or a cell has no result; with --nextest, cargo's",
	.examples = {{"ktstr-gdb sweep",
		      "What sweep.conf says."},
		     {"ktstr-gdb sweep --list",
		      NULL},
		     {"ktstr-gdb sweep --resume --jobs 4",
		      NULL}},
	.see = "sweep.conf(5), ktstr-gdb-report(1)",
	.takes = CLI_TAKES_FILES,
	.run = run_command,
};
/* clang-format on */
