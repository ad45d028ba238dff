// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/attach.h"
#include "cli/loader.h"
#include "cli/sched_events.h"
#include "cli/trials.h"
#include "cli/writer.h"
#include "kernels/fetch.h"
#include "render/objects.h"
#include "render/sched_dump.h"
#include "render/text.h"
#include "render/trials_columns.h"
#include "render/verifier_output.h"
#include "util/cleanup.h"
#include "util/io.h"

enum {
	OPT_SAVE = CLI_OPT_OWN,
	OPT_RAW,
	OPT_STATS,
	OPT_SOURCE,
	OPT_DUMP,
	OPT_PART,
	OPT_PART_KERNEL,
	OPT_PART_MODULES,
	OPT_PART_NAME,
};

struct collect {
	struct cli_args args;
	struct cli_boot boot;
	const char *save, *dump;
	bool raw, stats, source;

	/* A run for one of several kernels (cli/trials.h). */
	const char *part_kernel; /* NULL: it is none */
	const char *part_modules, *part_name;
	long part_fd;
};

static void collect_deinit(struct collect *c)
{
	cli_output_deinit(&c->args.output);
	cli_boot_deinit(&c->boot);
}

static bool take_own_option(struct collect *c, int option, char *arg)
{
	switch (option) {
	case OPT_SAVE: c->save = arg; break;
	case OPT_RAW: c->raw = c->boot.raw = true; break;
	case OPT_DUMP: c->dump = arg; break;
	case OPT_STATS: c->stats = true; break;
	case OPT_SOURCE: c->source = true; break;
	case OPT_PART_KERNEL: c->part_kernel = arg; break;
	case OPT_PART_MODULES: c->part_modules = arg; break;
	case OPT_PART_NAME: c->part_name = arg; break;
	default: return false;
	}
	c->boot.given = true;
	return true;
}

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct collect *c = context;
	struct kt_error *err;
	bool taken;

	if (option->value == OPT_PART)
		return cli_number(CLI_PART, arg, 3, INT_MAX, &c->part_fd);
	if (take_own_option(c, option->value, arg))
		return NULL;
	err = cli_boot_option(&c->boot, option->value, arg, &taken);
	if (!taken)
		err = cli_guest_option(&c->args.guest, option->value, arg, &taken);
	if (!taken)
		err = cli_output_option(&c->args.output, option->value, arg, &taken);
	return err;
}

static struct cli_trials_options trials_options(const struct collect *c)
{
	return (struct cli_trials_options){
		.output = &c->args.output,
		.raw = c->raw,
		.stats = c->stats,
		.source = c->source,
	};
}

/* One --kernel may be several, by a glob. */
static struct kt_error *check_kernels(const struct collect *c)
{
	const struct cli_trials_options options = trials_options(c);
	bool several = c->boot.found.v.len > 1;

	if (several && !c->boot.objects.len)
		return kt_error_new(KT_ERROR_USAGE,
				    "collect takes several kernels only with objects; `ktstr-gdb "
				    "diff` compares two, `sweep` runs many");
	if (several && (c->boot.vm.keep || c->boot.vm.gdb || c->boot.modules))
		return kt_error_new(KT_ERROR_USAGE, "--keep, -s, --gdb and --modules are for one "
						    "guest: give one --kernel");
	return c->boot.objects.len ? cli_trials_check(&options, c->boot.found.v.len) : NULL;
}

/* Before a boot: minutes later it would be too late. */
static struct kt_error *check_save(const char *path)
{
	_cleanup_free_ char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (!dir)
		return kt_error_no_memory();
	if (slash)
		slash[slash == dir] = '\0';
	if (access(path, W_OK) == 0 || access(slash ? dir : ".", W_OK) == 0)
		return NULL;
	return kt_error_os(errno, "--save: cannot write %s", path);
}

static struct kt_error *check_usage(const struct collect *c, int n_args, char **args)
{
	struct kt_error *err = cli_output_check(&c->args.output);
	bool objects = c->boot.objects.len;

	if (!err)
		err = cli_boot_check(&c->boot, n_args, args);
	if (!err && !objects)
		err = cli_output_check_columns(&c->args.output);
	if (err)
		return err;
	if (cli_output_holders(&c->args.output))
		return kt_error_new(KT_ERROR_USAGE, "--output: pids and pinned are of a guest that "
						    "runs by now; attach has them");
	if (c->boot.schedulers.len > 1)
		return kt_error_new(KT_ERROR_USAGE,
				    "collect takes one --scheduler; `ktstr-gdb diff` compares "
				    "two, `sweep` runs many");
	if (c->raw && !objects && !c->boot.schedulers.len && !c->boot.load.run)
		return kt_error_new(KT_ERROR_USAGE, "--raw needs --scheduler, --run or objects: it "
						    "is about their logs");
	if ((c->stats || c->source) && !objects)
		return kt_error_new(KT_ERROR_USAGE, "--stats and --source need objects: they are "
						    "about the logs of these");
	if (c->dump && !c->boot.schedulers.len)
		return kt_error_new(KT_ERROR_USAGE,
				    "--dump needs --scheduler: it keeps how a scheduler ends");
	if (c->dump)
		err = cli_sched_events_check(c->dump);
	if (!err && c->save)
		err = check_save(c->save);
	if (err)
		return err;
	if (c->args.guest.leave_stopped && c->boot.schedulers.len)
		return kt_error_new(KT_ERROR_USAGE, "--leave-stopped: a scheduler's guest has to "
						    "run on until its verdict is known");
	if (c->boot.schedulers.len && c->args.output.columns && !c->args.output.csv)
		return kt_error_new(KT_ERROR_USAGE,
				    "--output: with --scheduler only --csv has columns");
	return NULL;
}

static int keep(const struct collect *c, struct cli_run *run)
{
	/* A copy: vm_keep() frees the string. */
	_cleanup_free_ char *dir = strdup(vm_dir(run->vm));
	const char *vmlinux = c->args.guest.vmlinux;
	struct kt_error *err = dir ? vm_keep(run->vm) : kt_error_no_memory();

	if (err)
		return cli_fail(err);
	cli_note("the guest runs on as process %ld; its console is %s/console.log",
		 (long)vm_pid(run->vm), dir);
	if (run->session.gathered.stops) /* the image is of no use to attach */
		cli_note("to read it again: ktstr-gdb attach %s", vm_gdb_target(run->vm));
	else
		cli_note("to read it again: ktstr-gdb attach %s --vmlinux %s",
			 vm_gdb_target(run->vm), vmlinux ? vmlinux : run->kernel);
	cli_note("to end it: kill %ld", (long)vm_pid(run->vm));
	return CLI_DONE;
}

static int show_objects(const struct collect *c, const struct cli_run *run)
{
	const struct kfacts *facts = run->session.facts;
	const char *release = facts ? kfacts_kernel(facts)->release : NULL;
	const struct render_kernel_trials kernel = {
		.asked = run->kernel_name,
		.release = release && release[0] ? release : NULL,
		.trials = &run->trials,
	};
	const struct cli_trials_options options = trials_options(c);
	int status = cli_show_trials(&kernel, 1, &options);

	if (c->args.output.timing && run->result.inspection)
		cli_print_timing(&run->result);
	return status;
}

static int show_loaded(const struct collect *c, struct cli_run *run)
{
	int status = run->result.trials && !c->args.output.json
			     ? show_objects(c, run)
			     : cli_show(&run->result, &c->args.output);

	if (status == CLI_DONE && run->result.payload)
		status = cli_loader_show(run, &c->args.output);
	if (c->boot.vm.keep && status < CLI_USAGE) {
		int kept = keep(c, run);

		status = kept == CLI_DONE ? status : kept;
	}
	return status;
}

/* Statistics are shown of programs that the filter left, and of those that failed. */
static bool is_shown(const struct cli_run *run, const struct kt_prog_stats *stats)
{
	const struct programs *programs = &run->collected.inspection.programs;

	for (size_t i = 0; i < programs->n; i++) {
		const struct program *p = &programs->all[i];

		if (!strcmp(stats->name, p->full_name ? p->full_name : p->name))
			return true;
	}
	return stats->failed;
}

static void filter_stats(struct cli_run *run)
{
	struct kt_prog_stats_list *stats = &run->collected.result.stats;
	size_t kept = 0;

	for (size_t i = 0; i < stats->n; i++) {
		struct kt_prog_stats s = stats->all[i];

		if (!is_shown(run, &s))
			continue;
		stats->all[i] = stats->all[kept];
		stats->all[kept++] = s;
	}
	kt_prog_stats_truncate(stats, kept);
}

static struct kt_error *print_text(const struct collect *c, const struct kt_buf *text)
{
	static struct cli_writer writer;
	struct kt_error *err;

	writer.color = cli_color_on(c->args.output.color, stdout);
	writer.visible = writer.color || isatty(STDOUT_FILENO);
	cli_writer_begin(&writer, true);
	err = cli_writer_put(&writer, (struct kt_text){text->data, text->len});
	if (!err)
		err = cli_writer_end(&writer);
	if (!err)
		err = cli_writer_flush(&writer);
	cli_writer_deinit(&writer);
	return err;
}

/* The scheduler with its arguments, cut after some 60 characters. */
static void append_command(struct kt_buf *out, const char *scheduler, const struct vm_load *load)
{
	kt_buf_appends(out, scheduler);
	for (size_t i = 0; i < load->num_args; i++) {
		if (out->len > 60) {
			kt_buf_appends(out, " ...");
			break;
		}
		kt_buf_printf(out, " %.60s", load->args[i]);
	}
}

/* A run that passed has an end that nobody asks for, and one that never attached may have none. */
static bool shows_end(const struct collect *c, const struct cli_run *run)
{
	enum kt_verdict verdict = kt_verdict(run->result.run);

	return c->dump || (verdict != KT_VERDICT_PASS &&
			   (run->collected.dump || verdict != KT_VERDICT_NOT_ATTACHED));
}

/* Of a run that failed, and for who keeps it: how the scheduler began to end, and where that is. */
static struct kt_error *append_end(const struct collect *c, const struct cli_run *run,
				   struct kt_buf *text)
{
	const struct kt_collected *collected = &run->collected;
	_cleanup_(sched_saved_deinit) struct sched_saved saved = {0};
	struct kt_error *err;

	if (!shows_end(c, run))
		return NULL;
	if (!collected->dump) {
		kt_buf_appends(text, "\nhow it ended was not kept: ");
		render_append_visible(text, collected->no_dump ? collected->no_dump : "", false);
		kt_buf_appendc(text, '\n');
		return NULL;
	}
	err = sched_saved_read((struct kt_text){collected->dump, strlen(collected->dump)},
			       "what was kept of the end", &saved);
	if (err)
		return err;
	kt_buf_appendc(text, '\n');
	render_append_sched_end(text, &saved);
	kt_buf_appends(text, "  queues with their tasks, variables, CPUs: ");
	if (c->dump)
		kt_buf_printf(text, "ktstr-gdb sched --from %s\n", c->dump);
	else
		kt_buf_appends(text, "--dump FILE keeps them\n");
	return NULL;
}

static int show_scheduler(const struct collect *c, struct cli_run *run)
{
	_cleanup_(kt_buf_deinit) struct kt_buf label = KT_BUF_INIT, text = KT_BUF_INIT;
	const struct cli_output *output = &c->args.output;
	struct kt_error *err;

	cli_show_console(run->collected.result.console);
	if (output->json || output->csv)
		return cli_show(&run->result, output);
	err = cli_filter_and_sort(&run->collected.inspection.programs, output);
	if (err)
		return cli_fail(err);
	filter_stats(run);
	append_command(&label, run->result.scheduler, &c->boot.load);
	kt_buf_printf(&label, ", Linux %s", kfacts_kernel(run->session.facts)->release);
	err = label.failed ? kt_error_no_memory()
			   : kt_format_verifier_output(label.data, run->result.run, c->raw, &text);
	if (!err)
		err = append_end(c, run, &text);
	if (!err && text.failed)
		err = kt_error_no_memory();
	cli_progress(NULL);
	if (!err)
		err = print_text(c, &text);
	if (err && kt_error_errno(err) == EPIPE) {
		kt_error_destroy(err);
		return CLI_CANNOT;
	}
	if (output->timing)
		cli_print_timing(&run->result);
	return err ? cli_fail(err) : CLI_DONE;
}

/* For the process that shows the results of all kernels. */
static struct kt_error *hand_over(const struct collect *c, const struct cli_run *run)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = cli_render_json(&run->result, &text);

	return err ? err : kt_write_all((int)c->part_fd, text, strlen(text));
}

/* status: of the run. One that was cut off is a result, too, if it came to anything. */
static int conclude_part(const struct collect *c, struct cli_run *run, int status)
{
	struct kt_error *err;

	if (status != CLI_DONE) {
		if (!run->trials.cut_off || !run->trials.v.len)
			return status;
		run->result.trials = &run->trials;
		run->result.inspection = &run->session.inspection;
	}
	err = hand_over(c, run);
	if (status == CLI_DONE && c->args.output.timing)
		cli_print_timing(&run->result);
	if (err)
		return cli_fail(err);
	return status == CLI_DONE ? cli_run_status(run) : status;
}

/* --dump: what was kept of the scheduler's end. That there is none is no failure. */
static int save_dump(const struct collect *c, const struct cli_run *run)
{
	const struct kt_collected *collected = &run->collected;
	struct kt_error *err;

	if (!collected->dump) {
		cli_note("--dump %s: there is nothing to keep: %s", c->dump,
			 collected->no_dump ? collected->no_dump : "");
		return CLI_DONE;
	}
	err = cli_sched_dump_write(c->dump, collected->dump);
	return err ? cli_fail(kt_error_wrap(err, "cannot save the dump to %s", c->dump)) : CLI_DONE;
}

static int collect_boot(const struct collect *c)
{
	_cleanup_(cli_run_deinit) struct cli_run run = {0};
	const char *scheduler = c->boot.schedulers.len ? c->boot.schedulers.data[0] : NULL;
	int status = cli_run_guest(&c->boot, &c->boot.found.v.data[0], scheduler, &c->args.guest,
				   &run);
	int saved = CLI_DONE;

	/* JSON is the whole result, or nothing. */
	if (status != CLI_DONE && run.trials.cut_off && run.trials.v.len && !c->part_kernel &&
	    !c->args.output.json)
		show_objects(c, &run);
	if (c->part_kernel)
		return conclude_part(c, &run, status);
	/*
	 * Saved first, since to show it drops what the filter does not let through. Shown even if
	 * it cannot be saved, since it took minutes.
	 */
	if (status == CLI_DONE && c->save)
		saved = cli_save(&run.result, c->save);
	if (status == CLI_DONE && c->dump) {
		int kept = save_dump(c, &run);

		saved = saved == CLI_DONE ? kept : saved;
	}
	if (status == CLI_DONE)
		status = scheduler ? show_scheduler(c, &run) : show_loaded(c, &run);
	if (status == CLI_DONE && saved != CLI_DONE)
		status = saved;
	return status == CLI_DONE ? cli_run_status(&run) : status;
}

/* A TARGET has no such name. */
static bool is_object(const char *arg)
{
	size_t len = strlen(arg);

	return len > 2 && !strcmp(arg + len - 2, ".o") && !strchr(arg, ':');
}

/* Without --kernel, collect is attach. */
static int collect_running(struct collect *c, int n_args, char **args)
{
	const struct kfacts_sources sources = cli_sources(&c->args.guest);
	struct kt_error *err = NULL;

	for (int i = 0; i < n_args && !err; i++)
		if (kt_fetch_prefix(args[i]))
			err = kt_error_hint(kt_error_new(KT_ERROR_USAGE, "%s is a kernel", args[i]),
					    "ktstr-gdb collect FILE.bpf.o --kernel %s", args[i]);
	if (!err && n_args && is_object(args[0]))
		err = kt_error_new(KT_ERROR_USAGE,
				   "%s is an object to load: --kernel KERNEL says in which kernel "
				   "(debian:trixie, or a vmlinuz)",
				   args[0]);
	if (!err)
		err = cli_one_target(n_args, args);
	if (!err)
		err = cli_output_check_columns(&c->args.output);
	if (!err && !cli_sources_name(&sources) && !n_args)
		err = kt_error_new(KT_ERROR_USAGE,
				   "a guest is needed: --kernel IMAGE boots a guest, a TARGET (or "
				   "--vmlinux FILE) reads a running one");
	if (err)
		return cli_fail(err);
	c->args.target = args[0];
	return cli_attach_to(&c->args);
}

/* A run for one of several kernels is told where its files are. */
static struct kt_error *find_kernels(struct collect *c)
{
	struct kt_kernel part = {0};
	struct kt_error *err = NULL;

	if (!c->part_kernel) {
		err = cli_boot_find_kernels(&c->boot);
		return err ? err : check_kernels(c);
	}
	if (!c->part_fd)
		return kt_error_new(KT_ERROR_USAGE, CLI_PART_KERNEL " is for this tool alone");
	if (asprintf(&part.name, "%s", c->part_name ? c->part_name : c->part_kernel) < 0 ||
	    !(part.image = strdup(c->part_kernel)) ||
	    (c->part_modules && !(part.modules = strdup(c->part_modules))) ||
	    !kt_vec_push(&c->boot.found.v, part)) {
		kt_kernel_deinit(&part);
		err = kt_error_no_memory();
	}
	return err;
}

/* Of each guest; 0: the default. */
static unsigned guest_memory_mib(const struct vm_config *vm)
{
	return vm->memory_mib ? vm->memory_mib : vm->topology ? vm->topology->memory_mib : 0;
}

static int collect_kernels(const struct collect *c, int argc, char **argv)
{
	const struct cli_trials_options show = trials_options(c);
	const struct cli_kernels kernels = {
		.all = c->boot.found.v.data,
		.n = c->boot.found.v.len,
		.memory_mib = guest_memory_mib(&c->boot.vm),
		.argc = argc,
		.argv = argv,
		.save = c->save,
		.show = &show,
	};

	return cli_run_kernels(&kernels);
}

static struct render_grid columns(void)
{
	return render_programs_grid(&(struct programs){0});
}

/* clang-format off */
static const struct cli_option result_options[] = {
	{"save", OPT_SAVE, "FILE",
	 "write it there as --json would print it, too: for `ktstr-gdb diff`"},
	{"raw", OPT_RAW, NULL,
	 "logs, and what a loader prints, as they are"},
	{"stats", OPT_STATS, NULL,
	 "of objects: below the table those of `ktstr-gdb log`"},
	{"source", OPT_SOURCE, NULL,
	 "of objects: below the table those of `ktstr-gdb log`"},
	{"dump", OPT_DUMP, "FILE",
	 "of a scheduler: all of sched_ext when it began to end, as JSON: for `ktstr-gdb sched --from`. "
	 "It needs Linux 6.16 or later"},
	{0},
};

/* Of a process that collects on one of several kernels. */
static const struct cli_option part_options[] = {
	{"part", OPT_PART, "FD", NULL},
	{"part-kernel", OPT_PART_KERNEL, "IMAGE", NULL},
	{"part-modules", OPT_PART_MODULES, "DIR", NULL},
	{"part-name", OPT_PART_NAME, "NAME", NULL},
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	_cleanup_(collect_deinit) struct collect c = {.args.output.columns_later = true,
						      .boot.watch = true};
	struct kt_error *err;
	int n_args, status = cli_parse(&cli_collect_command, argc, argv, take_option, &c);

	if (status != CLI_GO_ON)
		return status;
	if (c.boot.list_topologies)
		return cli_list_topologies();
	err = NULL;
	if (c.boot.given || (optind < argc && is_object(argv[optind])))
		err = cli_boot_settings(&c.boot, !c.part_kernel);
	if (err)
		return cli_fail(err);
	if (!c.boot.kernels.len && !c.boot.given)
		return collect_running(&c, argc - optind, argv + optind);
	c.boot.given = true;
	n_args = argc;
	err = cli_boot_take_objects(&c.boot, &n_args, argv, optind);
	n_args -= optind;
	if (!err)
		err = check_usage(&c, n_args, argv + optind);
	if (err)
		return cli_fail(err);
	c.boot.load.args = (const char *const *)argv + optind;
	c.boot.load.num_args = (size_t)n_args;
	c.boot.load.name_globs = c.args.output.filter.globs.data;
	c.boot.load.num_name_globs = c.args.output.filter.globs.len;
	c.boot.load.types = c.args.output.filter.types.data;
	c.boot.load.num_types = c.args.output.filter.types.len;
	if (c.source && !c.boot.load.log_level)
		c.boot.load.log_level = 2; /* that of each instruction */
	err = find_kernels(&c);
	if (err)
		return cli_fail(err);
	return c.boot.found.v.len > 1 ? collect_kernels(&c, argc, argv) : collect_boot(&c);
}

/* clang-format off */
const struct cli_command cli_collect_command = {
	.name = "collect",
	.summary = "boot a guest, load BPF programs in it, and print them",
	.section = CLI_BOOTED,
	.uses = {{"collect FILE.bpf.o... --kernel KERNEL...", "do these programs load, on each kernel?"},
		 {"collect --kernel IMAGE --run BIN [-- ARGS]", "the programs of a loader of yours"},
		 {"collect --kernel IMAGE --scheduler BIN [-- ARGS]", "does it attach, and schedule?"}},
	.synopsis = "collect FILE.bpf.o... --kernel IMAGE... [OPTION...]\n"
		    "collect --kernel IMAGE --run BIN [OPTION...] [-- ARGS]\n"
		    "collect --kernel IMAGE --scheduler BIN [OPTION...] [-- ARGS]\n"
		    "collect [--vmlinux FILE] [TARGET] [OPTION...]",
	.text = "Boots a guest in stock QEMU, loads BPF programs in it, prints them as its kernel\n"
		"has them, and tears it down. With --vmlinux or a TARGET, and no --kernel,\n"
		"it is `ktstr-gdb attach`.\n"
		"\n"
		"Of objects, each program is loaded by itself, and is a row: does it load, what\n"
		"does it cost, why not. --kernel may be given again: then the kernels are\n"
		"columns, and the guests run side by side. Below the table is each failure with\n"
		"its place in the source, its class, and what leads to it.",
	.groups = {
		{"What is loaded", cli_boot_load_options, NULL},
		{"The guest", cli_boot_guest_options, NULL},
		{"The result", result_options, NULL},
		CLI_GUEST_GROUP,
		{"Output", cli_output_options, NULL},
		{NULL, part_options, NULL},
	},
	.behind = "Of objects there are more columns: file_name (file), prog_name, section,\n"
		  "prog_type, verdict, class, message, total_insns (insns), total_states,\n"
		  "peak_states, max_states_per_insn, mark_read, stack_depth, duration (in\n"
		  "microseconds), log_bytes, prog_size (instructions), prog_size_jited; with\n"
		  "--attach attach, attach_place, run_retval. --csv has veristat's columns, for\n"
		  "`veristat -C`. With several kernels each column of -o is a table of its own.",
	.status = "0 done; 1 a program failed to load, or none was loaded; 2 usage; 3 it could not be done, "
		  "on one of the kernels at least, or a file is no BPF object",
	.examples = {{"ktstr-gdb collect prog.bpf.o --kernel debian:trixie --kernel debian:bookworm",
		      "Do these programs load on two kernels, and what do they cost?"},
		     {"ktstr-gdb collect --kernel debian:trixie --run ./my_loader",
		      "The programs of a loader."},
		     {"ktstr-gdb collect --kernel debian:sid --scheduler ./scx_fix -- good",
		      "Does a scheduler attach, and schedule?"}},
	.see = "ktstr-gdb-check(1), ktstr-gdb-diff(1), ktstr-gdb-sweep(1), veristat(8)",
	.takes = CLI_TAKES_FILES,
	.grid = columns,
	.more = trials_columns_own,
	.type = cli_prog_type,
	.run = run_command,
};
/* clang-format on */
