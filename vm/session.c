// SPDX-License-Identifier: LGPL-2.1-or-later
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "vm/session.h"

#define TIMEOUT_MS    120000
#define MAX_BOOTS     3
#define CONSOLE_LINES 20
#define OUTPUT_MAX    (16u << 20) /* bytes of a payload's output that are kept */

static void vm_program_deinit(struct vm_program *program)
{
	free(program->section);
	free(program->name);
	free(program->type);
	free(program->place);
	free(program->log);
}

static void clear_programs(struct vm_results *results)
{
	kt_vec_for_each (&results->programs, program)
		vm_program_deinit(program);
	kt_vec_free(&results->programs);
}

void vm_results_init(struct vm_results *results)
{
	*results = (struct vm_results){0};
}

void vm_results_deinit(struct vm_results *results)
{
	clear_programs(results);
	kt_buf_deinit(&results->output);
	vm_sched_results_deinit(&results->sched);
	free(results->ready_reason);
	free(results->death);
	free(results->console);
	vm_results_init(results);
}

static struct kt_error *add_program(struct vm_results *results, size_t n_objects,
				    const struct vm_event *event)
{
	struct vm_program program;

	/* The guest is not to be trusted with an index into our arrays. */
	if (event->program.object >= n_objects)
		return NULL;
	program = (struct vm_program){
		.error = event->program.error,
		.id = event->program.id,
		.object = event->program.object,
		.section = strdup(event->program.section),
		.name = strdup(event->program.name),
		.type = strdup(event->program.type),
		.attach = event->program.attach,
		.ran = event->program.ran,
		.retval = event->program.retval,
		.place = strdup(event->program.place),
		.log = malloc(event->program.log_len + 1),
		.log_len = event->program.log_len,
		.log_dropped = event->program.log_dropped,
	};

	if (program.section && program.name && program.type && program.place && program.log) {
		memcpy(program.log, event->program.log, program.log_len);
		program.log[program.log_len] = '\0';
		if (kt_vec_push(&results->programs, program))
			return NULL;
	}
	vm_program_deinit(&program);
	return kt_error_no_memory();
}

static void add_output(struct vm_results *results, const struct vm_session_options *options,
		       const struct vm_event *event)
{
	if (options->output)
		options->output(options->output_arg, event->stream, event->data, event->len);
	if (results->output.len < OUTPUT_MAX)
		kt_buf_append(&results->output, event->data, event->len);
	else
		results->output_dropped += event->len;
}

static struct kt_error *guest_died(const struct vm_event *event, bool booted)
{
	return kt_error_hint(
		kt_error_new(KT_ERROR_CLOSED, "the guest died%s: %s",
			     booted ? "" : " while it booted", event->text),
		"its console tells more; QEMU's TCG is not flawless, so it may be worth another try");
}

static struct kt_error *qemu_exited(const struct vm_event *event, bool booted, const char *accel)
{
	struct kt_error *err;
	char how[64];
	int status = event->status;

	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "exited with status %d", WEXITSTATUS(status));
	err = kt_error_new(KT_ERROR_OS, "QEMU %s%s%s%s", how,
			   booted ? "" : " before the guest was up", event->text[0] ? ": " : "",
			   event->text);
	if (!booted && strstr(event->text, "Address already in use"))
		err = kt_error_hint(err, "something listens there already, maybe another guest "
					 "(`ktstr-gdb list`); --gdb :1235 takes another port");
	else if (!booted && !status && !event->text[0])
		err = kt_error_hint(err, "the guest reset before it could say a word, maybe for "
					 "want of --memory; or what was started is no QEMU");
	else if (!booted && strncmp(accel, "tcg", 3))
		err = kt_error_hint(err, "--accel tcg always works, only slower");
	return err;
}

/* A guest, from its start on. */
struct boot {
	const struct vm_config *config;
	const struct vm_session_options *options;
	size_t n_objects; /* that the guest was given */
	struct vm_results *results;
	struct vm *vm;
	int64_t started_ns, init_ns; /* init_ns: 0 until then */
	bool ready;
};

static void report_progress(const struct boot *boot, const char *stage)
{
	if (boot->config->progress)
		boot->config->progress(boot->config->progress_arg, stage);
}

static void report_program(const struct boot *boot, const struct vm_event *event)
{
	char stage[160];

	snprintf(stage, sizeof(stage), "loading: %zu done, %.80s", boot->results->programs.len,
		 event->program.name);
	report_progress(boot, stage);
}

static struct kt_error *set_ready(struct boot *boot, const char *reason)
{
	free(boot->results->ready_reason);
	boot->results->ready_reason = strdup(reason);
	boot->results->load_ns = kt_now_ns() - boot->init_ns;
	boot->ready = true;
	return boot->results->ready_reason ? NULL : kt_error_no_memory();
}

static void take_sched(const struct boot *boot, const struct vm_event *event)
{
	const struct vm_session_options *options = boot->options;
	uint64_t bad_frames, skipped_bytes;

	vm_damage(boot->vm, &bad_frames, &skipped_bytes);
	/* The frame that says so may have been damaged: one from a scheduler will do. */
	boot->results->sched.started |= vm_sched_take(&boot->results->sched, event, bad_frames);
	switch (event->type) {
	case VM_EVENT_SCHED_LOG:
		if (options->output)
			options->output(options->output_arg, 1, event->data, event->len);
		break;
	case VM_EVENT_ATTACHED:
		report_progress(boot, "the scheduler has attached: running the workload");
		if (options->attached)
			options->attached(options->hook_arg, boot->vm);
		break;
	default: break;
	}
}

static struct kt_error *handle_event(struct boot *boot, const struct vm_event *event)
{
	struct vm_results *results = boot->results;
	struct kt_error *err = NULL;

	switch (event->type) {
	case VM_EVENT_INIT_STARTED:
		boot->init_ns = kt_now_ns();
		results->boot_ns = boot->init_ns - boot->started_ns;
		report_progress(boot, "the guest is up: loading");
		break;
	case VM_EVENT_PAYLOAD_STARTED:
		results->sched.started = true;
		report_progress(boot, "the program runs");
		if (boot->options->started)
			boot->options->started(boot->options->hook_arg, boot->vm);
		break;
	case VM_EVENT_PROGRAM:
		err = add_program(results, boot->n_objects, event);
		report_program(boot, event);
		break;
	case VM_EVENT_LEFT_OUT:
		results->left_out = event->status > 0 ? (size_t)event->status : 0;
		break;
	case VM_EVENT_OUTPUT: add_output(results, boot->options, event); break;
	case VM_EVENT_EXIT:
		results->exited = true;
		results->exit_status = event->status;
		break;
	case VM_EVENT_READY: err = set_ready(boot, event->text); break;
	case VM_EVENT_GUEST_DIED:
		free(results->death);
		results->death = strdup(event->text);
		results->wordless = !event->len;
		err = guest_died(event, boot->init_ns);
		break;
	case VM_EVENT_QEMU_EXITED:
		err = qemu_exited(event, boot->init_ns, vm_accel(boot->vm));
		break;
	default: take_sched(boot, event); break;
	}
	return err;
}

static struct kt_error *next(struct boot *boot, int64_t deadline_ns)
{
	struct vm_event event;
	struct kt_error *err = vm_next_event(boot->vm, deadline_ns, &event);

	if (!err)
		err = handle_event(boot, &event);
	if (!err && (boot->results->output.failed || boot->results->sched.log.failed))
		err = kt_error_no_memory();
	return err;
}

static int64_t timeout_ms(const struct boot *boot)
{
	return boot->options->timeout_ms ? boot->options->timeout_ms : TIMEOUT_MS;
}

static struct kt_error *run_to_ready(struct boot *boot)
{
	int64_t deadline_ns = kt_deadline_ms(timeout_ms(boot));
	struct kt_error *err = NULL;

	while (!err && !boot->ready) {
		err = next(boot, deadline_ns);
		if (err && kt_error_code(err) == KT_ERROR_TIMEOUT)
			err = kt_error_hint(err, "the limit was %lld s, see --timeout",
					    (long long)timeout_ms(boot) / 1000);
	}
	return err;
}

/* Before a guest is given up. */
static void keep_last_words(struct boot *boot)
{
	struct kt_verifier_vm_result *told = &boot->results->sched.result;

	vm_damage(boot->vm, &told->damaged_frames, &told->skipped_bytes);
	free(boot->results->console);
	boot->results->console = vm_console_tail(boot->vm, CONSOLE_LINES);
	if (boot->results->console && !boot->results->console[0])
		free(kt_take_ptr(boot->results->console));
}

/* *died: the guest died before anything was loaded, so it is safe to boot again, and may help. */
static struct kt_error *boot_once(struct boot *boot, const struct vm_load *load, bool *died,
				  struct vm **ret)
{
	struct kt_error *err;

	report_progress(boot, "booting the guest");
	boot->results->boots++;
	boot->started_ns = kt_now_ns();
	err = vm_start(boot->config, load, &boot->vm);
	if (err)
		return err;
	err = run_to_ready(boot);
	*died = err && kt_error_code(err) == KT_ERROR_CLOSED && !boot->init_ns;
	if (err) {
		keep_last_words(boot);
		vm_destroy(boot->vm);
		return err;
	}
	*ret = boot->vm;
	return NULL;
}

struct kt_error *vm_session_start(const struct vm_config *config, const struct vm_load *load,
				  const struct vm_session_options *options,
				  struct vm_results *results, struct vm **ret)
{
	unsigned max_boots = options->max_boots ? options->max_boots : MAX_BOOTS;
	struct kt_error *err;

	for (;;) {
		struct boot boot = {.config = config,
				    .options = options,
				    .n_objects = load->num_objects,
				    .results = results};
		bool died = false;

		err = boot_once(&boot, load, &died, ret);
		if (!died || results->boots >= max_boots)
			break;
		report_progress(&boot, kt_error_message(err));
		kt_error_destroy(err);
		free(kt_take_ptr(results->death));
	}
	if (!err) {
		free(results->console);
		results->console = NULL;
	}
	return err;
}

/* A guest that has started already. */
static struct boot running(struct vm *vm, const struct vm_session_options *options,
			   struct vm_results *results)
{
	return (struct boot){
		.config = vm_config(vm),
		.options = options,
		.results = results,
		.vm = vm,
		.init_ns = 1,
	};
}

/* When QEMU exits, its stub is gone a moment before its process is. */
#define LAST_MOMENT_MS 1000

bool vm_session_has_ended(struct vm *vm, const struct vm_session_options *options,
			  struct vm_results *results, struct kt_error **why_ret)
{
	struct boot boot = running(vm, options, results);
	int64_t deadline_ns = kt_deadline_ms(LAST_MOMENT_MS);
	struct kt_error *err = NULL;

	while (!err)
		err = next(&boot, deadline_ns);
	if (kt_error_code(err) == KT_ERROR_TIMEOUT) {
		kt_error_destroy(err);
		return false;
	}
	keep_last_words(&boot);
	*why_ret = err;
	return true;
}

/* The guest powers off earlier, unless a scheduler's log is still on its way. */
#define GOODBYE_MS 4000

/* All frames of the guest have come: it may power off. */
static struct kt_error *say_goodbye(struct boot *boot)
{
	struct kt_error *err = vm_send_command(boot->vm, KT_COMMAND_BYE);
	int64_t deadline_ns = kt_deadline_ms(GOODBYE_MS);

	while (!err)
		err = next(boot, deadline_ns);
	return err;
}

struct kt_error *vm_session_finish(struct vm *vm, const struct vm_session_options *options,
				   struct vm_results *results)
{
	struct boot boot = running(vm, options, results);
	struct kt_verifier_vm_result *told = &results->sched.result;
	struct kt_error *err = vm_send_command(vm, KT_COMMAND_GO_ON), *death;
	int64_t deadline_ns = kt_deadline_ms(timeout_ms(&boot));

	if (err && vm_session_has_ended(vm, options, results, &death)) {
		kt_error_destroy(err);
		return death;
	}
	report_progress(&boot, "stopping the scheduler");
	while (!err && !results->exited)
		err = next(&boot, deadline_ns);
	if (results->exited) {
		told->end_reported = true;
		/* A guest that does not power off now is killed; that is no error. */
		kt_error_destroy(err);
		kt_error_destroy(say_goodbye(&boot));
		err = NULL;
	}
	if (err)
		keep_last_words(&boot);
	else
		vm_damage(vm, &told->damaged_frames, &told->skipped_bytes);
	return err;
}
