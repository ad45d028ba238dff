// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>
#include <sys/wait.h>

#include "cli/attach.h"
#include "cli/cli.h"
#include "util/cleanup.h"
#include "vm/session.h"

static const char help[] =
	"Usage: ktstr-gdb collect --kernel IMAGE --object FILE.bpf.o... [OPTION...]\n"
	"       ktstr-gdb collect --kernel IMAGE --run BIN [OPTION...] [-- ARGS]\n"
	"       ktstr-gdb collect --vmlinux FILE [TARGET] [OPTION...]\n"
	"\n"
	"Boots a guest in stock QEMU, loads BPF programs in it, prints them as its kernel\n"
	"has them, and tears it down. With --vmlinux and no --kernel it is\n"
	"`ktstr-gdb attach`.\n"
	"\n"
	"What is loaded:\n"
	"  --object FILE        every program of a BPF object, each on its own; may be\n"
	"                       given again. One that is rejected does not stop the\n"
	"                       others: it is listed as failed, with libbpf's log, and\n"
	"                       the exit status is 1\n"
	"  --run BIN            a loader of your own, run in the guest with the shared\n"
	"                       libraries it needs; read once it has loaded programs and\n"
	"                       no other has come for 0.7 seconds\n"
	"  --file FILE          a file that the loader reads, put at the same place in\n"
	"                       the guest; may be given again\n"
	"\n"
	"The guest:\n"
	"  --kernel IMAGE       what to boot: a distro's vmlinuz\n"
	"  --accel NAME         kvm or tcg; kvm where it runs this guest, if not given\n"
	"  --memory MIB         (1024)\n"
	"  --smp N              vCPUs (2)\n"
	"  --append WORDS       more kernel parameters\n"
	"  --qemu BIN           another QEMU (qemu-system-x86_64)\n"
	"  --qemu-arg ARG       one more argument for it; may be given again\n"
	"  -s                   its GDB stub on :1234, for a debugger of yours\n"
	"  --gdb TARGET         likewise, there; if not given, on a private socket\n"
	"  --keep               leave the guest running, and say how to attach to it\n"
	"  --timeout SECONDS    for booting and loading, with --kernel (300)\n"
	"\n";

enum {
	OPT_KERNEL = CLI_OPT_OWN,
	OPT_OBJECT,
	OPT_RUN,
	OPT_FILE,
	OPT_ACCEL,
	OPT_MEMORY,
	OPT_SMP,
	OPT_APPEND,
	OPT_QEMU,
	OPT_QEMU_ARG,
	OPT_GDB,
	OPT_KEEP,
};

struct collect {
	struct cli_guest guest;
	struct cli_output output;
	struct vm_config vm;
	struct vm_load load;
	KT_VEC(const char *) objects;
	KT_VEC(const char *) files;
	KT_VEC(const char *) qemu_args;
	bool boots; /* an option was given that makes sense only for a guest of ours */
};

static void collect_deinit(struct collect *c)
{
	cli_output_deinit(&c->output);
	kt_vec_free(&c->objects);
	kt_vec_free(&c->files);
	kt_vec_free(&c->qemu_args);
}

static struct kt_error *own_number(const char *option, const char *arg, long max, unsigned *ret)
{
	long value;
	struct kt_error *err = cli_number(option, arg, 1, max, &value);

	if (!err)
		*ret = (unsigned)value;
	return err;
}

static struct kt_error *own_option(struct collect *c, int option, char *arg, bool *taken)
{
	*taken = true;
	switch (option) {
	case OPT_KERNEL: c->vm.kernel = arg; return NULL;
	case OPT_OBJECT: return kt_vec_push(&c->objects, arg) ? NULL : kt_error_no_memory();
	case OPT_RUN: c->load.run = arg; return NULL;
	case OPT_FILE: return kt_vec_push(&c->files, arg) ? NULL : kt_error_no_memory();
	case OPT_ACCEL: c->vm.accel = arg; return NULL;
	case OPT_MEMORY: return own_number("--memory", arg, 1 << 24, &c->vm.memory_mib);
	case OPT_SMP: return own_number("--smp", arg, 4096, &c->vm.smp);
	case OPT_APPEND: c->vm.append = arg; return NULL;
	case OPT_QEMU: c->vm.qemu = arg; return NULL;
	case OPT_QEMU_ARG: return kt_vec_push(&c->qemu_args, arg) ? NULL : kt_error_no_memory();
	case 's': c->vm.gdb = ":1234"; return NULL;
	case OPT_GDB: c->vm.gdb = arg; return NULL;
	case OPT_KEEP: c->vm.keep = true; return NULL;
	default: *taken = false; return NULL;
	}
}

static struct kt_error *take_option(struct collect *c, int option, char *arg)
{
	struct kt_error *err;
	bool taken;

	err = own_option(c, option, arg, &taken);
	c->boots |= taken;
	if (!taken)
		err = cli_guest_option(&c->guest, option, arg, &taken);
	if (!taken)
		err = cli_output_option(&c->output, option, arg, &taken);
	return err;
}

static struct kt_error *check_usage(const struct collect *c, int argc, char **argv)
{
	struct kt_error *err = cli_output_check(&c->output);

	if (err)
		return err;
	if (c->load.run && c->objects.len)
		err = kt_error_new(KT_ERROR_USAGE, "--run and --object are two ways to load: one "
						   "of them");
	else if (!c->load.run && !c->objects.len)
		err = kt_error_new(KT_ERROR_USAGE, "what is to be loaded in the guest? --object "
						   "FILE.bpf.o, or --run BIN");
	else if (!c->load.run && c->files.len)
		err = kt_error_new(KT_ERROR_USAGE,
				   "--file is for what a loader reads: it goes with --run");
	else if (!c->load.run && optind < argc)
		err = kt_error_new(KT_ERROR_USAGE,
				   "\"%s\": with --kernel there is no TARGET; "
				   "arguments go with --run",
				   argv[optind]);
	return err;
}

static void show_progress(void *arg, const char *stage)
{
	(void)arg;
	cli_progress(stage);
}

static void show_output(void *arg, int stream, const void *data, size_t len)
{
	(void)arg;
	(void)stream;
	cli_progress(NULL);
	fwrite(data, 1, len, stderr);
}

static int exit_code(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* The base of a path: what a person calls the object. */
static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

struct failures {
	KT_VEC(struct render_failure) v;
};

static void failures_deinit(struct failures *failures)
{
	kt_vec_free(&failures->v);
}

static bool failures_gather(struct failures *failures, const struct collect *c,
			    const struct vm_results *results)
{
	if (!kt_vec_reserve(&failures->v, 1)) /* so that "none" is not NULL, "not loaded by us" */
		return false;
	kt_vec_for_each (&results->programs, program) {
		struct render_failure f = {
			.object = base_name(c->objects.data[program->object]),
			.section = program->section,
			.name = program->name,
			.errnum = program->error,
			.log = program->log,
		};

		if (program->error && !kt_vec_push(&failures->v, f))
			return false;
	}
	return true;
}

/* A loader that ended before its programs could be read is worth a word. */
static int payload_status(const struct collect *c, const struct vm_results *results)
{
	const char *reason = results->ready_reason ? results->ready_reason : "";
	int code = results->exited ? exit_code(results->exit_status) : 0;

	if (results->exited && code)
		cli_note("%s ended with exit status %d before its programs were read", c->load.run,
			 code);
	else if (results->exited)
		cli_note("%s ended before its programs were read; a loader has to stay alive to "
			 "hold them",
			 c->load.run);
	else if (strcmp(reason, "no programs appeared") == 0 ||
		 strcmp(reason, "still loading") == 0)
		cli_note("%s: %s when its time was up", c->load.run, reason);
	return results->exited && code ? CLI_TEST_FAILED : CLI_DONE;
}

static int show(const struct collect *c, const struct vm_results *results,
		struct cli_result *result)
{
	_cleanup_(failures_deinit) struct failures failures = {0};
	struct render_payload payload = {
		.exited = results->exited,
		.exit_code = exit_code(results->exit_status),
		.output = results->output.data ? results->output.data : "",
	};
	int status;

	if (c->load.run) {
		result->payload = &payload;
	} else {
		if (!failures_gather(&failures, c, results))
			return cli_fail(kt_error_no_memory());
		result->failures = failures.v.data;
		result->n_failures = failures.v.len;
	}
	result->boot_ns = results->boot_ns;
	result->load_ns = results->load_ns;
	status = cli_show(result, &c->output);
	if (status != CLI_DONE)
		return status;
	if (c->load.run)
		return payload_status(c, results);
	return failures.v.len ? CLI_TEST_FAILED : CLI_DONE;
}

static int keep(struct collect *c, struct vm *vm)
{
	_cleanup_free_ char *dir = strdup(vm_dir(vm)); /* the guard's, who lets go of it */
	struct kt_error *err = dir ? vm_keep(vm) : kt_error_no_memory();

	if (err)
		return cli_fail(err);
	cli_note("the guest runs on as process %ld; its console is %s/console.log",
		 (long)vm_pid(vm), dir);
	cli_note("to read it again: ktstr-gdb attach %s --vmlinux %s", vm_gdb_target(vm),
		 c->guest.vmlinux ? c->guest.vmlinux : c->vm.kernel);
	cli_note("to end it: kill %ld", (long)vm_pid(vm));
	return CLI_DONE;
}

static struct kt_error *read_guest(struct collect *c, struct vm *vm, const struct kfacts *facts,
				   struct inspection *ret)
{
	_cleanup_(rsp_target_deinit) struct rsp_target target = {0};
	struct cli_guest guest = c->guest;
	struct kt_error *err = rsp_target_parse(vm_gdb_target(vm), &target);

	guest.timeout_s = 0;   /* --timeout is for booting and loading here */
	guest.no_cache = true; /* nobody comes back to this socket */
	return err ? err : cli_inspect(&target, &guest, facts, ret);
}

static int fail_with_console(struct kt_error *err, const char *console)
{
	bool cancelled = kt_error_code(err) == KT_ERROR_CANCELLED; /* which is no riddle */
	int status = cli_fail(err);

	if (!cancelled && console && console[0])
		fprintf(stderr, "--- the guest's console ends with\n%s%s---\n", console,
			console[strlen(console) - 1] == '\n' ? "" : "\n");
	return status;
}

/* A verifier at its limit of a million instructions takes minutes under TCG. */
#define DEFAULT_TIMEOUT_MS 300000

static int collect_in(struct collect *c, struct cli_result *result)
{
	struct vm_session_options options = {
		.timeout_ms = c->guest.timeout_s > 0 ? (int64_t)(c->guest.timeout_s * 1000)
						     : DEFAULT_TIMEOUT_MS,
		.output = show_output,
	};
	_cleanup_(vm_results_deinit) struct vm_results results;
	struct kt_error *err;
	struct vm *vm = NULL;
	int status;

	vm_results_init(&results);
	err = vm_session_start(&c->vm, &c->load, &options, &results, &vm);
	if (err)
		return fail_with_console(err, results.console);
	err = read_guest(c, vm, result->facts, result->inspection);
	if (err) {
		_cleanup_free_ char *console = vm_console_tail(vm, 20);

		status = fail_with_console(err, console);
	} else {
		status = show(c, &results, result);
		if (c->vm.keep && status < CLI_USAGE) {
			int kept = keep(c, vm);

			status = kept == CLI_DONE ? status : kept;
		}
	}
	vm_destroy(vm);
	return status;
}

static int collect_boot(struct collect *c)
{
	_cleanup_(inspection_deinit) struct inspection inspection = {0};
	struct cli_result result = {.inspection = &inspection};
	const char *image = c->guest.vmlinux ? c->guest.vmlinux : c->vm.kernel;
	struct kfacts *facts;
	struct kt_error *err;
	int status;

	c->vm.cancel_fd = cli_cancel_fd();
	c->vm.progress = show_progress;
	c->vm.qemu_args = c->qemu_args.data;
	c->vm.num_qemu_args = c->qemu_args.len;
	c->load.objects = c->objects.data;
	c->load.num_objects = c->objects.len;
	c->load.files = c->files.data;
	c->load.num_files = c->files.len;
	err = cli_load_facts(image, !c->guest.no_cache, &facts, &result.resolve_ns, &result.cached);
	if (err)
		return cli_fail(err);
	result.facts = facts;
	status = collect_in(c, &result);
	kfacts_destroy(facts);
	return status;
}

int cli_collect(int argc, char **argv)
{
	/* clang-format off */
	static const struct option options[] = {
		CLI_GUEST_OPTIONS,
		CLI_OUTPUT_OPTIONS,
		{"kernel", required_argument, NULL, OPT_KERNEL},
		{"object", required_argument, NULL, OPT_OBJECT},
		{"run", required_argument, NULL, OPT_RUN},
		{"file", required_argument, NULL, OPT_FILE},
		{"accel", required_argument, NULL, OPT_ACCEL},
		{"memory", required_argument, NULL, OPT_MEMORY},
		{"smp", required_argument, NULL, OPT_SMP},
		{"append", required_argument, NULL, OPT_APPEND},
		{"qemu", required_argument, NULL, OPT_QEMU},
		{"qemu-arg", required_argument, NULL, OPT_QEMU_ARG},
		{"gdb", required_argument, NULL, OPT_GDB},
		{"keep", no_argument, NULL, OPT_KEEP},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	/* clang-format on */
	_cleanup_(collect_deinit) struct collect c = {0};
	struct kt_error *err;
	int option;

	while ((option = getopt_long(argc, argv, "o:sh", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			fputs(cli_guest_help, stdout);
			return cli_print(cli_output_help);
		}
		if (option == '?')
			return CLI_USAGE;
		err = take_option(&c, option, optarg);
		if (err)
			return cli_fail(err);
	}
	if (!c.vm.kernel) {
		if (c.boots)
			return cli_fail(kt_error_new(KT_ERROR_USAGE,
						     "which kernel is to be booted? --kernel "
						     "IMAGE"));
		if (!c.guest.vmlinux)
			return cli_fail(kt_error_new(KT_ERROR_USAGE,
						     "a kernel is needed: --kernel IMAGE boots a "
						     "guest, --vmlinux FILE reads a running one"));
		if (argc - optind > 1)
			return cli_fail(kt_error_new(KT_ERROR_USAGE, "one TARGET, not also \"%s\"",
						     argv[optind + 1]));
		return cli_attach_to(argv[optind], &c.guest, &c.output);
	}
	err = check_usage(&c, argc, argv);
	if (err)
		return cli_fail(err);
	c.load.args = (const char *const *)argv + optind;
	c.load.num_args = (size_t)(argc - optind);
	return collect_boot(&c);
}
