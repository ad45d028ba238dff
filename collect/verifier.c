// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "collect/verifier.h"
#include "collect/watcher.h"
#include "introspect/inspect_apart.h"
#include "introspect/scx.h"
#include "logparse/sched_output.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define TIMEOUT_MS 300000

void kt_collected_deinit(struct kt_collected *collected)
{
	kt_verifier_vm_result_deinit(&collected->result);
	inspection_deinit(&collected->inspection);
	free(collected->dump);
	free(collected->no_dump);
	collected->dump = collected->no_dump = NULL;
}

struct run {
	const struct kt_collect *collect;
	struct kt_collected *out;
	int64_t began_ns;
	struct vm_results results;
	struct watcher watcher;
	bool unread; /* the guest was ready, but could not be read through its stub */
};

/* The scheduler is about to start. */
static void begin_to_watch(void *arg, struct vm *vm)
{
	struct run *run = arg;

	watcher_start(&run->watcher, vm_gdb_target(vm));
}

/* Over the watcher's connection. Without that, over one of its own. */
static struct kt_error *read_guest(struct run *run, struct vm *vm, struct inspection *ret)
{
	_cleanup_(rsp_target_deinit) struct rsp_target target = {0};
	const struct inspect_options what = {.objects = INSPECT_PROGRAMS | INSPECT_SCX};
	const struct kt_collect *collect = run->collect;
	struct kt_error *err = NULL;

	if (watcher_read(&run->watcher, ret))
		return NULL;
	err = rsp_target_parse(vm_gdb_target(vm), &target);
	return err ? err : inspect_guest_apart(&target, &collect->stub, collect->facts, &what, ret);
}

/*
 * Called when the scheduler has just attached. This reading only counts if the scheduler is gone at
 * the next one, so errors are ignored.
 */
static void read_early(void *arg, struct vm *vm)
{
	struct run *run = arg;
	struct inspection inspection;
	struct kt_error *err;

	/* The frame that says that it starts may have been damaged. */
	begin_to_watch(arg, vm);
	err = read_guest(run, vm, &inspection);

	if (err) {
		kt_error_destroy(err);
		return;
	}
	inspection_deinit(&run->out->inspection);
	run->out->inspection = inspection;
}

/* Reads the guest's words "enabled scx_simple"; "-": it has no sched_ext. */
static void read_sysfs(const char *text, struct scx_state *ret)
{
	size_t len = strcspn(text, " ");

	if (!len || text[0] == '-')
		return;
	ret->known = true;
	snprintf(ret->state, sizeof(ret->state), "%.*s", (int)len, text);
	snprintf(ret->ops, sizeof(ret->ops), "%s", text[len] ? text + len + 1 : "");
}

static struct kt_error *read_and_finish(struct run *run, struct vm *vm,
					const struct vm_session_options *options)
{
	const struct vm_sched_results *sched = &run->results.sched;
	struct kt_verifier_vm_result *result = &run->results.sched.result;
	struct inspection inspection;
	struct kt_error *err = read_guest(run, vm, &inspection), *why;

	if (err && vm_session_has_ended(vm, options, &run->results, &why)) {
		kt_error_destroy(err);
		return why;
	}
	if (err) {
		run->unread = true;
		result->console = vm_console_tail(vm, 20);
		return err;
	}
	result->memory = inspection.scx;
	read_sysfs(run->results.ready_reason, &result->sysfs);
	/* A scheduler that has ended is gone with its programs: then the early reading counts. */
	if (result->exited && run->out->inspection.programs.n > inspection.programs.n) {
		inspection_deinit(&inspection);
	} else {
		inspection_deinit(&run->out->inspection);
		run->out->inspection = inspection;
	}
	if (sched->stalled || result->exited)
		result->kernel_words = vm_console_line(vm, "sched_ext: ");
	return vm_session_finish(vm, options, &run->results);
}

/* Takes an error that is a result, such as a guest that crashed; returns any other error. */
static struct kt_error *take_error(struct run *run, struct kt_error *err)
{
	struct kt_verifier_vm_result *result = &run->results.sched.result;
	enum kt_error_code code = kt_error_code(err);

	if (run->unread || !run->results.sched.started ||
	    (code != KT_ERROR_TIMEOUT && code != KT_ERROR_CLOSED))
		return err;
	if (code == KT_ERROR_TIMEOUT) {
		result->timed_out = true;
	} else if (run->results.ready_reason && run->results.wordless) {
		/* The guest went down in an orderly way, and only its last word is missing. */
		result->end_reported = false;
	} else {
		result->crash = strdup(run->results.death ? run->results.death
							  : kt_error_message(err));
		if (!result->crash)
			return err;
	}
	kt_error_destroy(err);
	return NULL;
}

/* Where the first marker begins: at the start, or behind a line about lost frames; else len. */
static size_t find_start(const char *data, size_t len, struct kt_text marker)
{
	bool hole = kt_text_starts_with((struct kt_text){data, len}, KT_TEXT("[... "));
	const char *nl = hole ? memchr(data, '\n', len) : NULL;
	size_t begin = nl ? (size_t)(nl + 1 - data) : 0;

	return kt_text_starts_with((struct kt_text){data + begin, len - begin}, marker) ? begin
											: len;
}

/* Copies the log, without the markers that init put around it. */
static struct kt_error *take_log(struct kt_verifier_vm_result *result, const struct kt_buf *log)
{
	static const char end[] = SCHED_OUTPUT_END "\n";
	const struct kt_text start = KT_TEXT(SCHED_OUTPUT_START "\n");
	const char *data = log->data ? log->data : "";
	size_t tail = sizeof(end) - 1, len = log->len, before, rest;

	if (len >= tail && !memcmp(data + len - tail, end, tail))
		len -= tail;
	before = find_start(data, len, start);
	rest = before < len ? before + start.len : len;
	result->scheduler_log = malloc(before + len - rest + 1);
	if (!result->scheduler_log)
		return kt_error_no_memory();
	memcpy(result->scheduler_log, data, before);
	memcpy(result->scheduler_log + before, data + rest, len - rest);
	result->scheduler_log_len = before + len - rest;
	result->scheduler_log[result->scheduler_log_len] = '\0';
	return NULL;
}

static struct kt_error *take_stats(struct kt_collected *out)
{
	struct kt_verifier_vm_result *result = &out->result;
	struct kt_error *err;

	err = kt_prog_stats_add_loaded(&result->stats, &out->inspection.programs);
	if (!err)
		err = kt_failed_from_log((struct kt_text){result->scheduler_log,
							  result->scheduler_log_len},
					 &result->stats);
	return err;
}

/* How much of the time for the whole run is left; at least a second. */
static int64_t time_left_ms(const struct run *run, int64_t total_ms)
{
	int64_t left = total_ms - (kt_now_ns() - run->began_ns) / 1000000;

	return left > 1000 ? left : 1000;
}

/* Passes on the scheduler's output. init's markers in it come as frames of their own. */
static void pass_output(void *arg, int stream, const void *data, size_t len)
{
	const struct kt_collect *collect = ((const struct run *)arg)->collect;
	const struct kt_text text = {data, len};

	if (collect->output && !kt_text_starts_with(text, KT_TEXT(SCHED_OUTPUT_START "\n")) &&
	    !kt_text_starts_with(text, KT_TEXT(SCHED_OUTPUT_END "\n")))
		collect->output(collect->output_arg, stream, data, len);
}

static struct kt_error *run_guest(struct run *run)
{
	const struct kt_collect *collect = run->collect;
	struct vm_session_options options = {
		.timeout_ms = collect->timeout_ms ? collect->timeout_ms : TIMEOUT_MS,
		.output = pass_output,
		.output_arg = run,
		.started = begin_to_watch,
		.attached = read_early,
		.hook_arg = run,
	};
	struct vm *vm = NULL;
	struct kt_error *err;

	err = vm_session_start(collect->vm, collect->load, &options, &run->results, &vm);
	options.timeout_ms = time_left_ms(run, options.timeout_ms);
	if (!err)
		err = read_and_finish(run, vm, &options);
	err = kt_error_join(err, watcher_end(&run->watcher, &run->out->dump, &run->out->no_dump));
	vm_destroy(vm);
	return err;
}

struct kt_error *kt_collect_verifier_output(const struct kt_collect *collect,
					    struct kt_collected *ret)
{
	struct run run = {.collect = collect, .out = ret, .began_ns = kt_now_ns()};
	struct kt_error *err;

	if (!scx_supported(collect->facts))
		return kt_error_hint(
			kt_error_new(KT_ERROR_UNSUPPORTED,
				     "this kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT)"),
			"it takes Linux 6.12 or later, built with that option");
	vm_results_init(&run.results);
	run.watcher.options = (struct watcher_options){
		.facts = collect->facts,
		.stub = &collect->stub,
		.is_users = collect->vm->gdb,
		.dump = collect->dump,
		.dump_arg = collect->dump_arg,
	};
	err = run_guest(&run);
	if (err)
		err = take_error(&run, err);
	ret->result = run.results.sched.result;
	run.results.sched.result = (struct kt_verifier_vm_result){0};
	if (run.results.console) {
		free(ret->result.console);
		ret->result.console = kt_take_ptr(run.results.console);
	}
	if (!err)
		err = take_log(&ret->result, &run.results.sched.log);
	if (!err)
		err = take_stats(ret);
	ret->boot_ns = run.results.boot_ns;
	ret->load_ns = run.results.load_ns;
	vm_results_deinit(&run.results);
	return err;
}
