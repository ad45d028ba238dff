// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb replay: what does the configuration of a running guest cost, on other kernels too? */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/replay.h"
#include "cli/trials.h"
#include "model/json.h"
#include "model/json_put.h"
#include "model/program_json.h"
#include "model/replay.h"
#include "render/constants.h"
#include "render/text.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "vm/process.h"

enum {
	OPT_SAVE_RODATA = CLI_OPT_OWN,
	OPT_TAG,
	OPT_RAW,
	OPT_PART,
};

struct options {
	struct cli_replay replay;
	struct cli_boot boot;
	const char *save_rodata;
	bool raw;
	long part_fd;          /* of the process that reads the guest; 0: this is not that one */
	KT_VEC(char *) passed; /* options that collect gets, "--name=value" */
	int argc;
	char **argv; /* as they were: parsing cuts some of them up */
};

/* What the process that reads the guest found. */
struct found {
	json_t *document;
	struct programs programs;
	int constants_fd; /* a file with the constants that are other ones; -1: all are the same */
};

static void options_deinit(struct options *o)
{
	cli_output_deinit(&o->replay.output);
	kt_vec_free(&o->replay.tags);
	cli_boot_deinit(&o->boot);
	kt_vec_for_each (&o->passed, arg)
		free(*arg);
	kt_vec_free(&o->passed);
	for (int i = 0; o->argv && i < o->argc; i++)
		free(o->argv[i]);
	free(o->argv);
}

static void found_deinit(struct found *found)
{
	json_decref(found->document);
	programs_deinit(&found->programs);
	if (found->constants_fd >= 0)
		close(found->constants_fd);
}

/* --- the guest --- */

/* A hundred times the largest that a kernel lets a map be is no document of ours. */
#define DOCUMENT_MAX ((size_t)1 << 30)

/* Ctrl-C in the terminal does not reach the process, which has a session of its own. */
static int wait_for(struct kt_process *process)
{
	struct pollfd fds[] = {{cli_cancel_fd(), POLLIN, 0}, {process->pidfd, POLLIN, 0}};
	int status;

	while (!kt_process_ended(process, &status)) {
		if (poll(fds, 2, -1) > 0 && fds[0].revents) {
			kill(process->pid, SIGTERM);
			fds[0].fd = -1;
		}
	}
	return status;
}

static struct kt_error *start_reader(const struct options *o, int fd, struct kt_process *ret)
{
	_cleanup_free_ const char **argv = calloc((size_t)o->argc + 4, sizeof(*argv));
	char number[16];
	size_t n = 0;

	if (!argv)
		return kt_error_no_memory();
	snprintf(number, sizeof(number), "%d", fd);
	argv[n++] = "/proc/self/exe";
	argv[n++] = "replay";
	argv[n++] = CLI_PART;
	argv[n++] = number;
	for (int i = 1; i < o->argc; i++)
		argv[n++] = o->argv[i];
	return kt_process_start(argv, STDERR_FILENO, false, NULL, NULL, ret);
}

/* CLI_DONE, or the exit status; what is wrong was printed. */
static int read_guest(const struct options *o, struct kt_buf *document)
{
	_cleanup_close_ int fd = memfd_create("ktstr-gdb", 0);
	struct kt_process process = {0, -1};
	struct kt_error *err = NULL;
	int status;

	if (fd < 0)
		return cli_fail(kt_error_os(errno, "cannot start a process"));
	err = start_reader(o, fd, &process);
	if (err)
		return cli_fail(err);
	status = wait_for(&process);
	if (WIFSIGNALED(status))
		return cli_fail(kt_error_new(KT_ERROR_CLOSED,
					     "the process that reads the guest was ended by signal "
					     "%d (%s)",
					     WTERMSIG(status), strsignal(WTERMSIG(status))));
	if (WEXITSTATUS(status) != CLI_DONE)
		return WEXITSTATUS(status);
	err = kt_read_all(fd, DOCUMENT_MAX, document);
	return err ? cli_fail(err) : CLI_DONE;
}

static struct kt_error *parse(const struct kt_buf *text, struct found *found)
{
	json_error_t why;

	found->document = kt_json_load((struct kt_text){text->data ? text->data : "", text->len}, 0,
				       &why);
	if (!found->document)
		return kt_error_new(KT_ERROR_FORMAT, "what was read of the guest is no JSON: %s",
				    why.text);
	return kt_programs_read(json_object_get(found->document, "guest"), &found->programs);
}

/* --- the constants --- */

/* All of them, as `bpftool map dump -j` prints each map's: one array. */
static struct kt_error *save_rodata(const struct found *found, const char *path)
{
	_cleanup_free_ char *text = NULL;
	json_t *all = json_array(), *section, *entry;
	struct kt_error *err;
	size_t i, j;

	json_array_foreach(json_object_get(found->document, "rodata"), i, section)
	{
		json_array_foreach(json_object_get(section, "dump"), j, entry)
			json_array_append_new(all, json_incref(entry));
	}
	err = kt_json_dump(all, &text);
	if (!err)
		err = cli_replace_file(path, text);
	return kt_error_wrap(err, "cannot save the constants to %s", path);
}

/* Bytes of those that are other ones than in the object, which has the rest: object/globals.h. */
static struct kt_error *put_constants(struct found *found)
{
	static const char *const keys[] = {"section", "offset", "hex"};
	_cleanup_free_ char *text = NULL;
	json_t *list = json_array(), *constant;
	struct kt_error *err;
	size_t i;

	json_array_foreach(json_object_get(found->document, "constants"), i, constant)
	{
		json_t *bytes = json_object();

		for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
			json_object_set_new(bytes, keys[k],
					    json_incref(json_object_get(constant, keys[k])));
		json_array_append_new(list, bytes);
	}
	if (!json_array_size(list)) {
		json_decref(list);
		return NULL;
	}
	err = kt_json_dump(json_pack("{s:o}", "bytes", list), &text);
	if (err)
		return err;
	found->constants_fd = memfd_create("ktstr-gdb", 0);
	if (found->constants_fd < 0)
		return kt_error_os(errno, "cannot keep the constants");
	return kt_write_all(found->constants_fd, text, strlen(text));
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What the guest says of itself may be any bytes. */
static void append_head(const struct options *o, const struct found *found, size_t n,
			struct kt_buf *out)
{
	_cleanup_(kt_buf_deinit) struct kt_buf line = KT_BUF_INIT;
	const json_t *kernel = json_object_get(json_object_get(found->document, "guest"), "kernel");
	const char *release = kt_json_get_text(json_object_get(kernel, "release"));
	const char *ops = kt_json_get_text(
		json_object_get(json_object_get(found->document, "sched_ext"), "ops"));
	long long all = json_integer_value(json_object_get(found->document, "n_constants"));

	kt_buf_printf(&line, "%s: ", base_name(o->replay.object));
	if (all)
		kt_buf_printf(&line, "%zu of %lld constants %s another value", n, all,
			      n == 1 ? "has" : "have");
	else
		kt_buf_appends(&line, "it has no constants");
	kt_buf_printf(&line, " in the guest (Linux %.80s%s%.128s)", release ? release : "-",
		      ops ? ", sched_ext " : "", ops ? ops : "");
	render_append_visible(out, line.data ? line.data : "", false);
	out->failed |= line.failed;
	kt_buf_appendc(out, '\n');
}

/* The table, or CSV. */
static struct kt_error *constants_text(const struct options *o, const struct found *found,
				       char **ret)
{
	json_t *constants = json_object_get(found->document, "constants"), *constant;
	size_t n = json_array_size(constants), i;
	_cleanup_free_ struct render_constant *rows = calloc(n + 1, sizeof(*rows));
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err = rows ? NULL : kt_error_no_memory();
	struct render_grid grid;

	json_array_foreach(constants, i, constant)
	{
		if (err)
			break;
		rows[i].name = kt_json_get_text(json_object_get(constant, "name"));
		err = kt_json_dump_line(json_incref(json_object_get(constant, "object")),
					&rows[i].object);
		if (!err)
			err = kt_json_dump_line(json_incref(json_object_get(constant, "guest")),
						&rows[i].guest);
	}
	grid = render_constants_grid(rows, n);
	if (!err && o->replay.output.csv)
		err = render_grid_csv(&grid, &out);
	if (!err && !o->replay.output.csv)
		append_head(o, found, n, &out);
	if (!err && n && !o->replay.output.csv)
		err = render_grid_table(&grid, cli_table_width(),
					cli_color_on(o->replay.output.color, stdout), &out);
	for (i = 0; rows && i < n; i++) {
		free(rows[i].object);
		free(rows[i].guest);
	}
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}

static int show_constants(const struct options *o, const struct found *found)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = constants_text(o, found, &text);
	int status = err ? cli_fail(err) : cli_print(text);

	return status == CLI_DONE && o->boot.kernels.len ? cli_print("\n") : status;
}

/* --- the kernels --- */

static struct kt_error *pass(struct options *o, const char *name, const char *value)
{
	char *arg = NULL;

	if (asprintf(&arg, value ? "--%s=%s" : "--%s", name, value) < 0)
		return kt_error_no_memory();
	if (kt_vec_push(&o->passed, arg))
		return NULL;
	free(arg);
	return kt_error_no_memory();
}

/* The programs that the guest has, by the object's names, which were compared with these. */
static struct kt_error *pass_programs(struct options *o, const struct programs *programs)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < programs->n && !err; i++) {
		const struct program *program = &programs->all[i];
		const char *name = program->full_name ? program->full_name : program->name;
		char glob[sizeof(program->name) + 1];

		if (!name[0])
			continue;
		if (kt_replay_is_cut(program)) {
			snprintf(glob, sizeof(glob), "%s*", program->name);
			name = glob;
		}
		err = pass(o, "name", name);
		/* Loaders may say so, where the name of the section does not. */
		if (!err && program->sleepable.known && program->sleepable.value)
			err = pass(o, "sleepable", name);
	}
	return err;
}

static int run_kernels(struct options *o, const struct found *found)
{
	const struct cli_output *given = &o->replay.output;
	/* The programs are chosen by now. */
	const struct cli_output output = {.json = given->json,
					  .csv = given->csv,
					  .timing = given->timing,
					  .columns = given->columns,
					  .color = given->color};
	const struct cli_trials_options show = {.output = &output, .raw = o->raw};
	const struct cli_beside beside = {.programs = &found->programs,
					  .document = found->document};
	_cleanup_free_ char **argv = NULL;
	char path[64];
	struct kt_error *err = pass(o, "object", o->replay.object);
	int argc = 1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", found->constants_fd);
	if (!err && found->constants_fd >= 0)
		err = pass(o, "rodata", path);
	if (!err)
		err = pass_programs(o, &found->programs);
	if (!err)
		err = cli_boot_find_kernels(&o->boot);
	argv = err ? NULL : calloc(o->passed.len + 2, sizeof(*argv));
	if (!err && !argv)
		err = kt_error_no_memory();
	if (err)
		return cli_fail(err);
	argv[0] = o->argv[0];
	kt_vec_for_each (&o->passed, arg)
		argv[argc++] = *arg;
	return cli_run_kernels(&(struct cli_kernels){
		.all = o->boot.found.v.data,
		.n = o->boot.found.v.len,
		.memory_mib = o->boot.vm.memory_mib ? o->boot.vm.memory_mib
			      : o->boot.vm.topology ? o->boot.vm.topology->memory_mib
						    : 0,
		.argc = argc,
		.argv = argv,
		.show = &show,
		.beside = &beside,
	});
}

/* --- all of it --- */

static int print_document(const struct found *found)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err;

	json_object_set_new(found->document, "runs", json_array());
	err = kt_json_dump(json_incref(found->document), &text);
	return err ? cli_fail(err) : cli_print(text);
}

static int replay(struct options *o)
{
	_cleanup_(found_deinit) struct found found = {.constants_fd = -1};
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	int status = read_guest(o, &text);
	struct kt_error *err;

	if (status != CLI_DONE)
		return status;
	err = parse(&text, &found);
	if (!err && o->save_rodata)
		err = save_rodata(&found, o->save_rodata);
	if (!err && o->replay.object)
		err = put_constants(&found);
	if (err)
		return cli_fail(err);
	if (o->replay.object && !o->replay.output.json &&
	    !(o->replay.output.csv && o->boot.kernels.len))
		status = show_constants(o, &found);
	if (status == CLI_DONE && o->boot.kernels.len)
		return run_kernels(o, &found);
	return status == CLI_DONE && o->replay.output.json ? print_document(&found) : status;
}

/* --- the command line --- */

static struct kt_error *check_usage(struct options *o, int n_args, char **args)
{
	struct kt_error *err = cli_one_target(n_args, args);

	if (err)
		return err;
	o->replay.target = n_args ? args[0] : NULL;
	if (o->boot.objects.len > 1)
		return kt_error_new(KT_ERROR_USAGE, "replay takes one --object");
	o->replay.object = o->boot.objects.len ? o->boot.objects.data[0] : NULL;
	if (!o->replay.object && !o->save_rodata)
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
						  "nothing is asked for: --object FILE.bpf.o, or "
						  "--save-rodata FILE"),
				     "see ktstr-gdb replay --help");
	if (!o->replay.object && (o->boot.kernels.len || o->boot.globals.sets.len))
		return kt_error_new(KT_ERROR_USAGE, "--kernel and --set are for the object that is "
						    "loaded: they need --object");
	if (!o->boot.kernels.len &&
	    (o->boot.globals.sets.len || o->replay.output.columns || o->raw))
		return kt_error_new(KT_ERROR_USAGE,
				    "--set, -o and --raw are for loads: they need --kernel");
	if (cli_output_holders(&o->replay.output))
		return kt_error_new(KT_ERROR_USAGE, "--output: pids and pinned are of a guest that "
						    "runs by now; attach has them");
	if (o->boot.vm.topology && o->boot.vm.smp)
		return kt_error_new(KT_ERROR_USAGE, "--smp and --topology both set the number of "
						    "CPUs: give one of them");
	if (o->replay.output.columns) {
		const struct cli_trials_options show = {.output = &o->replay.output};

		return cli_trials_check(&show, 2);
	}
	return o->replay.output.json && o->replay.output.csv
		       ? kt_error_new(KT_ERROR_USAGE, "--json and --csv: give one of them")
		       : NULL;
}

/* The options that collect knows, too, and that go there. */
static struct kt_error *take_boot_option(struct options *o, int option, const char *name, char *arg,
					 bool *taken)
{
	struct kt_error *err = cli_boot_option(&o->boot, option, arg, taken);

	if (!*taken || err || option == CLI_OPT_OBJECT)
		return err;
	return pass(o, name, arg);
}

static struct kt_error *copy_arguments(struct options *o, int argc, char **argv)
{
	bool ok;

	o->argv = calloc((size_t)argc + 1, sizeof(*o->argv));
	o->argc = argc;
	ok = o->argv;
	for (int i = 0; ok && i < argc; i++) {
		o->argv[i] = strdup(argv[i]);
		ok = o->argv[i];
	}
	return ok ? NULL : kt_error_no_memory();
}

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct options *o = context;
	struct kt_error *err;
	bool taken = true;

	switch (option->value) {
	case OPT_SAVE_RODATA: o->save_rodata = arg; return NULL;
	case OPT_RAW: o->raw = true; return NULL;
	case OPT_TAG: return kt_vec_push(&o->replay.tags, arg) ? NULL : kt_error_no_memory();
	case OPT_PART: return cli_number(CLI_PART, arg, 3, INT_MAX, &o->part_fd);
	default: break;
	}
	err = take_boot_option(o, option->value, option->name, arg, &taken);
	if (!taken)
		err = cli_guest_option(&o->replay.guest, option->value, arg, &taken);
	if (taken && !err && option->value == CLI_OPT_TIMEOUT)
		err = pass(o, option->name, arg);
	if (!taken)
		err = cli_output_option(&o->replay.output, option->value, arg, &taken);
	return err;
}

/* clang-format off */
static const struct cli_option read_options[] = {
	{"id", CLI_OPT_ID, "ID[,ID]",
	 "the programs with these IDs. If nothing chooses programs: the loaded scheduler, and all "
	 "programs that have its constants"},
	{"name", CLI_OPT_NAME, "GLOB",
	 "programs whose name matches; may be given again"},
	{"type", CLI_OPT_TYPE, "TYPE[,TYPE]",
	 "programs of these types"},
	{"tag", OPT_TAG, "TAG",
	 "programs with this tag; may be given again"},
	{"save-rodata", OPT_SAVE_RODATA, "FILE",
	 "keep the constants, as `collect --rodata FILE` takes them"},
	{0},
};

static const struct cli_option load_options[] = {
	{"object", CLI_OPT_OBJECT, "FILE",
	 "the BPF object that the programs are from"},
	{"set", CLI_OPT_SET, "VAR=VALUE",
	 "besides, as in collect; it comes after what was read"},
	{"kernel", CLI_OPT_KERNEL, "KERNEL",
	 "as in collect"},
	{"modules", CLI_OPT_MODULES, "DIR",
	 "as in collect"},
	{"accel", CLI_OPT_ACCEL, "kvm|tcg",
	 "as in collect"},
	{"memory", CLI_OPT_MEMORY, "MIB",
	 "as in collect"},
	{"smp", CLI_OPT_SMP, "N",
	 "as in collect"},
	{"topology", CLI_OPT_TOPOLOGY, "PRESET",
	 "as in collect"},
	{"append", CLI_OPT_APPEND, "WORDS",
	 "as in collect"},
	{"qemu", CLI_OPT_QEMU, "BIN",
	 "as in collect"},
	{"qemu-arg", CLI_OPT_QEMU_ARG, "ARG",
	 "as in collect"},
	{0},
};

static const struct cli_option output_options[] = {
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document"},
	{"csv", CLI_OPT_CSV, NULL,
	 "programs and kernels, as collect; without --kernel the constants"},
	{"output", 'o', "LIST",
	 "a table of each, as collect with several kernels"},
	{"raw", OPT_RAW, NULL,
	 "of programs that fail the whole log"},
	CLI_TIMING_OPTION,
	CLI_COLOR_OPTION,
	{0},
};

/* Of the process that reads the guest. */
static const struct cli_option part_options[] = {
	{"part", OPT_PART, "FD", NULL},
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	_cleanup_(options_deinit) struct options o = {.replay.output.columns_later = true};
	struct kt_error *err = copy_arguments(&o, argc, argv);
	int status = err ? cli_fail(err)
			 : cli_parse(&cli_replay_command, argc, argv, take_option, &o);

	if (status != CLI_GO_ON)
		return status;
	err = check_usage(&o, argc - optind, argv + optind);
	if (err)
		return cli_fail(err);
	return o.part_fd ? cli_replay_read(&o.replay, (int)o.part_fd) : replay(&o);
}

/* clang-format off */
const struct cli_command cli_replay_command = {
	.name = "replay",
	.summary = "the constants of a running guest, on other kernels",
	.section = CLI_BOOTED,
	.uses = {{"replay [TARGET] --object FILE.bpf.o --kernel KERNEL...", "with the constants that a running guest has: what do they cost, on each kernel?"}},
	.synopsis = "replay [TARGET] --object FILE.bpf.o [--kernel KERNEL...] [OPTION...]\n"
		    "replay [TARGET] --save-rodata FILE [OPTION...]",
	.text = "Reads the constants (.rodata) of the sched_ext scheduler, or of other programs,\n"
		"that a running guest has loaded, and sets them in the object that these are\n"
		"from. --kernel loads the programs with them on other kernels, or on the same\n"
		"one, as `ktstr-gdb collect` does: what does that machine's configuration cost,\n"
		"there and here? The column \"guest\" has what it cost the guest's own verifier.\n"
		"\n"
		"The object has to be the one that was loaded: names and places of its variables\n"
		"are compared before, and on a kernel of the guest's release the code, by tags.",
	.groups = {
		{"What is read", read_options, NULL},
		{"What is loaded", load_options, NULL},
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
		{NULL, part_options, NULL},
	},
	.status = "0 done; 1 a program failed to load; 2 usage; 3 it could not be done",
	.examples = {{"ktstr-gdb replay :1234 --object scx_fix.bpf.o --kernel debian:trixie-backports",
		      "What does that machine's configuration of its scheduler cost on this kernel?"},
		     {"ktstr-gdb replay :1234 --save-rodata constants.json",
		      "Keep the constants, for `ktstr-gdb collect --rodata`."}},
	.see = "ktstr-gdb-collect(1)",
	.takes = CLI_TAKES_TARGET,
	.type = cli_prog_type,
	.run = run_command,
};
/* clang-format on */
