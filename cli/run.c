// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/loader.h"
#include "cli/sched_events.h"
#include "object/lines.h"
#include "render/text.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/path.h"
#include "vm/modules.h"

/* A verifier at its limit of a million instructions takes minutes under TCG. */
#define DEFAULT_TIMEOUT_MS 300000

static void show_progress(void *arg, const char *stage)
{
	(void)arg;
	cli_progress(stage);
}

static void show_output(void *arg, int stream, const void *data, size_t len)
{
	struct kt_buf text = KT_BUF_INIT;

	(void)arg;
	(void)stream;
	cli_progress(NULL);
	/* A guest must not control a terminal. A file or a pipe gets the bytes as they are. */
	if (isatty(STDERR_FILENO))
		render_append_visible_bytes(&text, data, len, true);
	else
		kt_buf_append(&text, data, len);
	if (text.len)
		fwrite(text.data, 1, text.len, stderr);
	kt_buf_deinit(&text);
}

void cli_show_console(const char *console)
{
	struct kt_buf text = KT_BUF_INIT;

	if (!console || !console[0])
		return;
	render_append_visible(&text, console, true);
	if (text.len)
		fprintf(stderr, "--- the guest's console ends with\n%s%s---\n", text.data,
			text.data[text.len - 1] == '\n' ? "" : "\n");
	kt_buf_deinit(&text);
}

static int fail_with_console(struct kt_error *err, const char *console)
{
	bool cancelled = kt_error_code(err) == KT_ERROR_CANCELLED;
	int status = cli_fail(err);

	if (!cancelled) /* the console does not explain a Ctrl-C */
		cli_show_console(console);
	return status;
}

static void close_lines(struct object_lines **lines)
{
	object_lines_close(*lines);
}

/*
 * What a log before 6.9 does not say: the file and the line of the instruction that failed, by the
 * object. An object that has no lines is none that cannot be loaded.
 */
static struct kt_error *find_line(const char *object, struct kt_trial *trial)
{
	_cleanup_(close_lines) struct object_lines *lines = NULL;
	const struct object_insn insn = {
		.section = trial->section,
		.program = trial->name,
		.insn = (uint32_t)trial->insn,
		.text = trial->source,
		.text_len = trial->source ? strlen(trial->source) : 0,
	};
	const char *file;
	uint32_t line;

	if (trial->passed || trial->file || trial->insn < 0)
		return NULL;
	kt_error_destroy(object_lines_open(object, &lines));
	if (!lines || !object_lines_find(lines, &insn, &file, &line))
		return NULL;
	return kt_trial_set_line(trial, file, line);
}

static struct kt_error *gather_trials(struct cli_run *run, const struct vm_load *load)
{
	struct kt_error *err = NULL;

	run->trials.left_out = run->results.left_out;
	kt_vec_for_each (&run->results.programs, program) {
		const struct kt_trial trial = {
			.object = (char *)(uintptr_t)kt_path_apart(load->objects, load->num_objects,
								   program->object),
			.section = program->section,
			.name = program->name,
			.type = program->type && program->type[0] ? program->type : NULL,
			.passed = !program->error,
			.errnum = program->error,
			.id = program->id,
			.attach = program->attach,
			.place = program->attach ? program->place : NULL,
			.ran = program->ran,
			.retval = program->retval,
			.log = program->log,
			.log_dropped = program->log_dropped,
		};

		err = kt_trials_add(&run->trials, &trial);
		if (!err)
			err = find_line(load->objects[program->object],
					&run->trials.v.data[run->trials.v.len - 1]);
		if (err)
			return err;
	}
	return kt_trials_join(&run->trials, &run->session.inspection.programs);
}

/* What was loaded before the error is worth showing. The error is that of the run. */
static void keep_trials(struct cli_run *run, const struct vm_load *load)
{
	if (load->run)
		return;
	kt_error_destroy(gather_trials(run, load));
	run->trials.cut_off = true;
}

static int64_t timeout_ms(const struct cli_guest *guest, const struct vm_load *load)
{
	int64_t loader = cli_loader_limit_ms(load);

	if (guest->timeout_s > 0)
		return (int64_t)(guest->timeout_s * 1000);
	return loader > DEFAULT_TIMEOUT_MS ? loader : DEFAULT_TIMEOUT_MS;
}

static struct kt_error *read_guest(struct cli_run *run)
{
	static const struct inspect_options what = {.objects = INSPECT_PROGRAMS};
	struct kt_error *err = cli_session_aim(&run->session, vm_gdb_target(run->vm));

	return err ? err : cli_session_read(&run->session, &what);
}

/* Loads objects, or runs a loader. */
static int run_loader(const struct vm_config *vm, const struct vm_load *load,
		      const struct cli_boot *boot, struct cli_run *run)
{
	struct vm_session_options options = {.timeout_ms = timeout_ms(run->session.options, load),
					     .output = boot->live ? show_output : NULL};
	struct kt_error *err;

	err = vm_session_start(vm, load, &options, &run->results, &run->vm);
	if (load->run)
		cli_loader_show_output(&run->results, boot->live, boot->raw);
	if (err) {
		keep_trials(run, load);
		return fail_with_console(err, run->results.console);
	}
	err = read_guest(run);
	if (err) {
		_cleanup_free_ char *console = vm_console_tail(run->vm, 20);

		keep_trials(run, load);
		return fail_with_console(err, console);
	}
	if (load->run) {
		run->result.payload = &run->payload;
		err = cli_loader_judge(run, load);
	} else {
		err = gather_trials(run, load);
		run->result.trials = &run->trials;
	}
	if (err)
		return cli_fail(err);
	run->result.inspection = &run->session.inspection;
	run->result.boot_ns = run->results.boot_ns;
	run->result.restored = vm_was_restored(run->vm);
	run->result.load_ns = run->results.load_ns;
	return CLI_DONE;
}

static struct kt_error *make_dump(void *facts, const struct sched_event *event,
				  int64_t kaslr_offset, char **ret)
{
	return cli_sched_dump_json(facts, kaslr_offset, event, ret);
}

static int run_scheduler(const struct vm_config *vm, const struct vm_load *load,
			 const struct cli_boot *boot, struct cli_run *run)
{
	struct kt_collect collect = {
		.vm = vm,
		.load = load,
		.stub = run->session.stub,
		.facts = run->session.facts,
		.timeout_ms = timeout_ms(run->session.options, load),
		.output = boot->live ? show_output : NULL,
		.dump = boot->watch && !run->unwatched ? make_dump : NULL,
		.dump_arg = run->session.facts,
	};
	struct kt_error *err;

	collect.stub.timeout_ms = 0; /* --timeout is for the run */
	err = kt_collect_verifier_output(&collect, &run->collected);
	if (!run->collected.no_dump)
		run->collected.no_dump = kt_take_ptr(run->unwatched);
	if (err)
		return fail_with_console(err, run->collected.result.console);
	run->result.inspection = &run->collected.inspection;
	run->result.run = &run->collected.result;
	run->result.scheduler = kt_base_name(load->run);
	run->result.boot_ns = run->collected.boot_ns;
	run->result.load_ns = run->collected.load_ns;
	return CLI_DONE;
}

/* *ret: the directory of the kernel's modules; NULL: not found. */
static struct kt_error *find_modules(const struct cli_boot *boot, const struct kt_kernel *kernel,
				     const struct cli_run *run, char **ret)
{
	const struct kfacts *facts = run->session.facts;

	*ret = NULL;
	if (boot->modules || kernel->modules)
		*ret = strdup(boot->modules ? boot->modules : kernel->modules);
	else if (facts)
		*ret = vm_modules_dir(run->kernel, kfacts_kernel(facts)->release);
	return *ret || !(boot->modules || kernel->modules) ? NULL : kt_error_no_memory();
}

/*
 * Loads the facts before the boot, so that a kernel that cannot be read does not cost a boot. Some
 * images do not show their kernel (LZO, say): then the guest's memory is read after the boot. Not
 * if the user gave files, and not for a scheduler, which needs to know of sched_ext before.
 */
static struct kt_error *load_facts(struct cli_run *run, bool scheduler, bool watch)
{
	struct kfacts_sources sources = cli_sources(run->session.options);
	bool given = cli_sources_name(&sources);
	struct kt_error *err;

	if (!sources.image)
		sources.image = run->kernel;
	if (scheduler && watch) {
		err = cli_session_load(&run->session, &sources,
				       INSPECT_PROGRAMS | INSPECT_SCX | INSPECT_LOADS |
					       INSPECT_SCHED_EVENTS);
		if (!err || kt_error_code(err) == KT_ERROR_CANCELLED)
			return err;
		/* What the watch wants must not keep the run. */
		run->unwatched = strdup(kt_error_message(err));
		kt_error_destroy(err);
		if (!run->unwatched)
			return kt_error_no_memory();
	}
	err = cli_session_load(&run->session, &sources, INSPECT_PROGRAMS | INSPECT_SCX);
	if (!err || given || scheduler || kt_error_code(err) != KT_ERROR_UNSUPPORTED)
		return err;
	cli_note("%s; so the kernel is read from the guest's memory", kt_error_message(err));
	kt_error_destroy(err);
	return NULL;
}

int cli_run_guest(const struct cli_boot *boot, const struct kt_kernel *kernel,
		  const char *scheduler, const struct cli_guest *guest, struct cli_run *run)
{
	_cleanup_(cli_globals_deinit) struct cli_globals globals = {0};
	_cleanup_free_ char *modules = NULL;
	struct vm_config vm = boot->vm;
	struct vm_load load = boot->load;
	const struct kfacts *facts;
	struct kt_error *err;

	vm.kernel = kernel->image;
	vm.cancel_fd = cli_cancel_fd();
	vm.progress = show_progress;
	vm.qemu_args = boot->qemu_args.data;
	vm.num_qemu_args = boot->qemu_args.len;
	load.objects = boot->objects.data;
	load.num_objects = boot->objects.len;
	load.files = boot->files.data;
	load.num_files = boot->files.len;
	load.sleepable_globs = boot->sleepable.data;
	load.num_sleepable_globs = boot->sleepable.len;
	load.scheduler = scheduler;
	load.workload = &boot->workload;
	if (scheduler)
		load.run = scheduler;
	run->what = load.run;
	run->kernel = kernel->image;
	run->kernel_name = kernel->name;
	run->result.session = &run->session;
	err = cli_globals_load(&boot->globals, load.objects, load.num_objects, &globals);
	if (err)
		return cli_fail(err);
	load.sets = globals.sets.data;
	load.num_sets = globals.sets.len;
	err = cli_session_init(&run->session, guest);
	run->session.booted = true;
	if (!err)
		err = load_facts(run, scheduler, boot->watch);
	if (!err)
		err = find_modules(boot, kernel, run, &modules);
	if (err)
		return cli_fail(err);
	facts = run->session.facts;
	vm.cache_dir = run->session.cache_dir;
	load.modules_dir = modules;
	load.modules_asked = boot->modules;
	load.release = facts ? kfacts_kernel(facts)->release : NULL;
	return scheduler ? run_scheduler(&vm, &load, boot, run) : run_loader(&vm, &load, boot, run);
}

void cli_run_deinit(struct cli_run *run)
{
	vm_destroy(run->vm);
	cli_loader_deinit(&run->loader);
	kt_trials_deinit(&run->trials);
	vm_results_deinit(&run->results);
	free(run->unwatched);
	kt_collected_deinit(&run->collected);
	cli_session_deinit(&run->session);
	*run = (struct cli_run){0};
}

int cli_run_status(const struct cli_run *run)
{
	bool failed = run->result.trials && (!run->trials.v.len || kt_trials_failed(&run->trials) ||
					     kt_trials_refused(&run->trials));

	if (run->result.run && kt_verdict_is_unknown(kt_verdict(run->result.run)))
		return CLI_CANNOT;
	if (run->result.run)
		failed = kt_verdict(run->result.run) != KT_VERDICT_PASS;
	else if (run->result.payload)
		failed = run->payload.reason;
	return failed ? CLI_TEST_FAILED : CLI_DONE;
}
