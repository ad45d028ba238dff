// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/attach.h"
#include "cli/loader.h"
#include "cli/writer.h"
#include "render/verifier_output.h"
#include "util/cleanup.h"

static const char help[] =
	"Usage: ktstr-gdb collect --kernel IMAGE --object FILE.bpf.o... [OPTION...]\n"
	"       ktstr-gdb collect --kernel IMAGE --run BIN [OPTION...] [-- ARGS]\n"
	"       ktstr-gdb collect --kernel IMAGE --scheduler BIN [OPTION...] [-- ARGS]\n"
	"       ktstr-gdb collect [--vmlinux FILE] [TARGET] [OPTION...]\n"
	"\n"
	"Boots a guest in stock QEMU, loads BPF programs in it, prints them as its kernel\n"
	"has them, and tears it down. With --vmlinux or a TARGET, and no --kernel,\n"
	"it is `ktstr-gdb attach`.\n"
	"\n";

static const char help_result[] =
	"The result:\n"
	"  --save FILE          write it there as --json would print it, too: for\n"
	"                       `ktstr-gdb diff`\n"
	"  --raw                the log of the scheduler, and what the loader prints, as it\n"
	"                       is, not collapsed\n"
	"\n";

enum { OPT_SAVE = CLI_OPT_OWN, OPT_RAW };

struct collect {
	struct cli_args args;
	struct cli_boot boot;
	const char *save;
	bool raw;
};

static void collect_deinit(struct collect *c)
{
	cli_output_deinit(&c->args.output);
	cli_boot_deinit(&c->boot);
}

static struct kt_error *take_option(struct collect *c, int option, char *arg)
{
	struct kt_error *err;
	bool taken;

	if (option == OPT_SAVE || option == OPT_RAW) {
		c->boot.given = true;
		c->raw |= option == OPT_RAW;
		c->boot.raw = c->raw;
		c->save = option == OPT_SAVE ? arg : c->save;
		return NULL;
	}
	err = cli_boot_option(&c->boot, option, arg, &taken);
	if (!taken)
		err = cli_guest_option(&c->args.guest, option, arg, &taken);
	if (!taken)
		err = cli_output_option(&c->args.output, option, arg, &taken);
	return err;
}

static struct kt_error *check_usage(const struct collect *c, int n_args, char **args)
{
	struct kt_error *err = cli_output_check(&c->args.output);

	if (!err)
		err = cli_boot_check(&c->boot, n_args, args);
	if (err)
		return err;
	if (c->boot.kernels.len > 1 || c->boot.schedulers.len > 1)
		return kt_error_new(KT_ERROR_USAGE,
				    "collect takes one --kernel and one --scheduler; "
				    "`ktstr-gdb diff` compares two");
	if (c->raw && !c->boot.schedulers.len && !c->boot.load.run)
		return kt_error_new(KT_ERROR_USAGE, "--raw needs --scheduler or --run: it is about "
						    "what these print");
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

static int show_loaded(const struct collect *c, struct cli_run *run)
{
	int status = cli_show(&run->result, &c->args.output);

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

static int collect_boot(const struct collect *c)
{
	_cleanup_(cli_run_deinit) struct cli_run run = {0};
	const char *scheduler = c->boot.schedulers.len ? c->boot.schedulers.data[0] : NULL;
	int status = cli_run_guest(&c->boot, c->boot.kernels.data[0], scheduler, &c->args.guest,
				   &run);
	int saved = CLI_DONE;

	/*
	 * Saved first, since to show it drops what the filter does not let through. Shown even if
	 * it cannot be saved, since it took minutes.
	 */
	if (status == CLI_DONE && c->save)
		saved = cli_save(&run.result, c->save);
	if (status == CLI_DONE)
		status = scheduler ? show_scheduler(c, &run) : show_loaded(c, &run);
	if (status == CLI_DONE && saved != CLI_DONE)
		status = saved;
	return status == CLI_DONE ? cli_run_status(&run) : status;
}

/* Without --kernel, collect is attach. */
static int collect_running(struct collect *c, int n_args, char **args)
{
	const struct kfacts_sources sources = cli_sources(&c->args.guest);
	struct kt_error *err = cli_one_target(n_args, args);

	if (!err && !cli_sources_name(&sources) && !n_args)
		err = kt_error_new(KT_ERROR_USAGE,
				   "a guest is needed: --kernel IMAGE boots a guest, a TARGET (or "
				   "--vmlinux FILE) reads a running one");
	if (err)
		return cli_fail(err);
	c->args.target = args[0];
	return cli_attach_to(&c->args);
}

static int print_help(void)
{
	const char *const parts[] = {
		help,        cli_boot_load_help, "\n", cli_boot_guest_help, "\n",
		help_result, cli_guest_help,     "\n", cli_output_help};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		fputs(parts[i], stdout);
	return cli_print("");
}

int cli_collect(int argc, char **argv)
{
	static const struct option options[] = {CLI_GUEST_OPTIONS,
						CLI_OUTPUT_OPTIONS,
						CLI_BOOT_OPTIONS,
						{"save", required_argument, NULL, OPT_SAVE},
						{"raw", no_argument, NULL, OPT_RAW},
						{"help", no_argument, NULL, 'h'},
						{0}};
	_cleanup_(collect_deinit) struct collect c = {0};
	struct kt_error *err;
	int option;

	while ((option = getopt_long(argc, argv, "o:sh", options, NULL)) != -1) {
		if (option == 'h')
			return print_help();
		if (option == '?')
			return CLI_USAGE;
		err = take_option(&c, option, optarg);
		if (err)
			return cli_fail(err);
	}
	if (c.boot.list_topologies)
		return cli_list_topologies();
	if (!c.boot.kernels.len && !c.boot.given)
		return collect_running(&c, argc - optind, argv + optind);
	err = check_usage(&c, argc - optind, argv + optind);
	if (err)
		return cli_fail(err);
	c.boot.load.name_globs = c.args.output.filter.globs.data;
	c.boot.load.num_name_globs = c.args.output.filter.globs.len;
	c.boot.load.types = c.args.output.filter.types.data;
	c.boot.load.num_types = c.args.output.filter.types.len;
	c.boot.load.args = (const char *const *)argv + optind;
	c.boot.load.num_args = (size_t)(argc - optind);
	return collect_boot(&c);
}
