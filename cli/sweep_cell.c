// SPDX-License-Identifier: LGPL-2.1-or-later
/* One cell of a sweep: runs a guest like `ktstr-gdb collect`, and writes a record. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cli/boot.h"
#include "cli/sweep.h"
#include "cli/sweep_failure.h"
#include "logparse/blocks.h"
#include "sweep/kernel.h"
#include "sweep/records.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "vm/topology.h"

#define LOG_MAX (1u << 20) /* bytes of a collapsed log that are kept */

static struct kt_error *set_string(char **member, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return kt_error_no_memory();
	free(*member);
	*member = copy;
	return NULL;
}

/* NULL: the default. */
static const char *workload_of(const struct sweep_plan *plan, const struct sweep_cell *cell,
			       const struct sweep_cell_options *options)
{
	const struct sweep_scheduler *s = cell->scheduler;

	return options->workload ? options->workload : s->workload ? s->workload : plan->workload;
}

static struct kt_error *begin_record(const struct sweep_plan *plan, const struct sweep_cell *cell,
				     const struct sweep_cell_options *options,
				     struct kt_cell_record *record)
{
	const char *workload = workload_of(plan, cell, options);
	struct kt_error *err = set_string(&record->scheduler, cell->scheduler->name);
	struct utsname host;

	record->started = time(NULL);
	record->place = (unsigned)(cell->scheduler - plan->schedulers.data) + 1;
	if (!err)
		err = set_string(&record->file, plan->path);
	if (!err)
		err = set_string(&record->version, KTSTR_VERSION);
	if (!err && !uname(&host) && host.nodename[0])
		err = set_string(&record->host, host.nodename);
	if (!err)
		err = set_string(&record->kernel, cell->kernel->name);
	if (!err)
		err = set_string(&record->topology, cell->topology->name);
	if (!err && cell->scheduler->scheduler)
		err = set_string(&record->workload, workload ? workload : VM_WORKLOAD_DEFAULT);
	return err;
}

/* False, with errno: not all of it could be written, and nothing is left. */
static bool write_log(const char *path, const char *data, size_t len, size_t left_out)
{
	FILE *file = fopen(path, "we");
	bool ok = file && fwrite(data, 1, len, file) == len;
	int error;

	if (ok && left_out)
		ok = fprintf(file, "\n[... %zu bytes more left out here ...]\n", left_out) > 0;
	if (file && fclose(file))
		ok = false;
	error = errno;
	if (file && !ok)
		unlink(path);
	errno = error;
	return ok;
}

/* Writes the log beside the record, collapsed as `collect` shows it. */
static struct kt_error *keep_log(const char *results, struct kt_cell_record *record,
				 struct kt_text log)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	_cleanup_free_ char *stem = NULL, *name = NULL, *path = NULL;
	struct kt_error *err;
	size_t len;

	if (!log.len)
		return NULL;
	err = kt_collapse_blocks_to(log, NULL, kt_sink_append, &text);
	if (!err)
		err = sweep_failure_last(log, &record->last);
	if (!err)
		err = kt_cell_stem(record->scheduler, record->kernel, record->topology, &stem);
	if (err)
		return err;
	if (text.failed || asprintf(&name, "%s.log", stem) < 0 ||
	    asprintf(&path, "%s/%s", results, name) < 0)
		return kt_error_no_memory();
	len = text.len < LOG_MAX ? text.len : LOG_MAX;
	if (!write_log(path, text.data, len, text.len - len))
		cli_note("the log of the cell is not kept: cannot write %s: %s", path,
			 strerror(errno));
	else
		record->log = kt_take_ptr(name);
	return NULL;
}

static struct kt_error *keep_logs(const char *results, const struct cli_run *run,
				  struct kt_cell_record *record)
{
	const struct kt_verifier_vm_result *result = run->result.run;
	_cleanup_(kt_buf_deinit) struct kt_buf logs = KT_BUF_INIT;
	struct kt_error *err = NULL;

	if (result)
		return keep_log(results, record,
				(struct kt_text){result->scheduler_log, result->scheduler_log_len});
	if (run->result.trials)
		err = sweep_failure_log(run->result.trials, &logs);
	return err ? err : keep_log(results, record, (struct kt_text){logs.data, logs.len});
}

/* Of a scheduler's cell that failed: what the guest was like when it began to end. */
static struct kt_error *keep_dump(const char *results, const struct cli_run *run,
				  struct kt_cell_record *record)
{
	const struct kt_collected *collected = &run->collected;
	struct kt_error *err;

	if (!run->result.run || record->passed)
		return NULL;
	if (!collected->dump)
		return collected->no_dump ? set_string(&record->no_dump, collected->no_dump) : NULL;
	err = kt_write_cell_dump(results, record, collected->dump, &record->dump);
	if (err && kt_error_code(err) == KT_ERROR_OS) {
		struct kt_error *failed = set_string(&record->no_dump, kt_error_message(err));

		cli_note("the dump of the cell is not kept: %s", kt_error_message(err));
		kt_error_destroy(err);
		err = failed;
	}
	return err;
}

static struct kt_error *record_result(const struct cli_run *run, struct kt_cell_record *record)
{
	_cleanup_(kt_saved_deinit) struct kt_saved saved = {0};
	struct kt_error *err = cli_saved(&run->result, &saved);

	if (err)
		return err;
	if (run->result.trials) {
		err = sweep_trial_stats(run->result.trials, &record->stats);
	} else {
		record->stats = saved.programs;
		saved.programs = (struct kt_prog_stats_list){0};
	}
	if (saved.kernel) {
		free(record->release);
		record->release = kt_take_ptr(saved.kernel);
	}
	record->passed = cli_run_status(run) == CLI_DONE;
	if (!record->passed && saved.verdict)
		record->reason = kt_take_ptr(saved.verdict);
	else if (!err && !record->passed && run->result.trials)
		err = sweep_failure_reason(run->result.trials, &record->reason);
	if (!err)
		err = set_string(&record->verdict,
				 run->result.run  ? kt_verdict_name(kt_verdict(run->result.run))
				 : record->passed ? "pass"
						  : "rejected");
	return err;
}

static struct kt_error *fill_boot(const struct sweep_plan *plan, const struct sweep_cell *cell,
				  const struct sweep_cell_options *options, struct cli_boot *boot)
{
	const struct sweep_scheduler *s = cell->scheduler;
	const char *workload = workload_of(plan, cell, options);
	bool ok = true;

	boot->watch = true;
	boot->vm.topology = cell->topology;
	boot->vm.accel = options->accel ? options->accel : plan->accel;
	boot->vm.append = plan->append;
	boot->load.args = (const char *const *)s->args.v.data;
	boot->load.num_args = s->args.v.len;
	kt_vec_for_each (&s->objects.v, object)
		ok &= kt_vec_push(&boot->objects, *object);
	kt_vec_for_each (&s->files.v, file)
		ok &= kt_vec_push(&boot->files, *file);
	if (ok && s->scheduler && workload) {
		struct kt_error *err = vm_workload_parse(workload, &boot->workload);

		if (err)
			return err;
	}
	return ok ? sweep_take_set(plan, s, &boot->globals) : kt_error_no_memory();
}

static struct kt_error *cannot(struct kt_cell_record *record, const char *why)
{
	struct kt_error *err = set_string(&record->verdict, "error");

	return err ? err : set_string(&record->reason, why);
}

static struct kt_error *run_cell(const struct sweep_plan *plan, const struct sweep_cell *cell,
				 const struct sweep_cell_options *options,
				 const struct kt_kernel *kernel, struct kt_cell_record *record)
{
	unsigned timeout_s = options->timeout_s ? options->timeout_s : plan->timeout_s;
	_cleanup_(cli_boot_deinit) struct cli_boot boot = {0};
	_cleanup_(cli_run_deinit) struct cli_run run = {0};
	struct cli_guest guest = {.timeout_s = timeout_s};
	struct kt_error *err;
	int status;

	err = fill_boot(plan, cell, options, &boot);
	if (err)
		return err;
	status = cli_run_guest(&boot, kernel, cell->scheduler->scheduler, &guest, &run);
	cli_progress(NULL);
	if (status != CLI_DONE)
		return cannot(record, cli_last_error());
	cli_show_console(run.collected.result.console);
	err = record_result(&run, record);
	if (!err)
		err = keep_logs(options->results, &run, record);
	if (!err)
		err = keep_dump(options->results, &run, record);
	return err;
}

static struct kt_error *check_readable(const struct sweep_strings *paths)
{
	kt_vec_for_each (&paths->v, path)
		if (access(*path, R_OK))
			return kt_error_os(errno, "cannot read %s", *path);
	return NULL;
}

/* Whether all is there that the cell needs to start. kt_kernel_deinit() frees *ret. */
static struct kt_error *prepare(const struct sweep_cell *cell, struct kt_kernel *ret)
{
	const struct sweep_scheduler *s = cell->scheduler;
	struct kt_kernels_options options = cli_kernels_options();
	struct kt_error *err = NULL;

	if (s->scheduler && access(s->scheduler, R_OK))
		err = kt_error_os(errno, "cannot read %s", s->scheduler);
	if (!err)
		err = check_readable(&s->objects);
	if (!err)
		err = check_readable(&s->files);
	if (err)
		return kt_error_wrap(err, "scheduler %s", s->name);
	return sweep_kernel_find(cell->kernel, &options, ret);
}

/* *keep_ret: the cell did not start, and the record that it has from before is to stay. */
static struct kt_error *do_cell(const struct sweep_plan *plan, const struct sweep_cell *cell,
				const struct sweep_cell_options *options,
				struct kt_cell_record *record, bool *keep_ret)
{
	struct vm_topology_limits limits;
	_cleanup_(kt_kernel_deinit) struct kt_kernel kernel = {0};
	struct kt_error *err;

	vm_topology_limits(options->accel ? options->accel : plan->accel, &limits);
	err = vm_topology_check(cell->topology, 0, &limits);

	if (err && kt_error_code(err) == KT_ERROR_UNSUPPORTED) {
		struct kt_error *failed = set_string(&record->reason, kt_error_message(err));

		record->skipped = true;
		kt_error_destroy(err);
		/* The log of the record that this one replaces goes, too. */
		return failed ? failed
			      : kt_cell_start(options->results, record->scheduler, record->kernel,
					      record->topology);
	}
	if (!err)
		err = prepare(cell, &kernel);
	if (!err && kernel.release)
		err = set_string(&record->release, kernel.release);
	if (err) {
		struct kt_error *failed = cannot(record, kt_error_message(err));

		kt_error_destroy(err);
		return failed ? failed
			      : kt_cell_is_due(options->results, record->scheduler, record->kernel,
					       record->topology, keep_ret);
	}
	err = kt_cell_start(options->results, record->scheduler, record->kernel, record->topology);
	return err ? err : run_cell(plan, cell, options, &kernel, record);
}

static int tell(const struct sweep_cell *cell, const struct kt_cell_record *record)
{
	const char *reason = record->reason ? record->reason : "";

	if (record->skipped)
		cli_note("%s: skipped: %s", cell->name, reason);
	else if (!record->passed)
		cli_note("%s: FAIL: %s", cell->name, reason);
	else
		cli_note("%s: PASS", cell->name);
	if (record->skipped)
		return SWEEP_CELL_SKIPPED;
	if (record->passed)
		return CLI_DONE;
	return kt_cell_is_unknown(record) ? CLI_CANNOT : CLI_TEST_FAILED;
}

/* A record that is not due is of an earlier try. */
static unsigned tries_before(const char *results, const struct sweep_cell *cell)
{
	struct kt_cell_record before = {0};
	struct kt_error *err = sweep_read_record(results, cell, &before);
	unsigned tries = err ? 0 : before.attempts;

	kt_error_destroy(err);
	kt_cell_record_deinit(&before);
	return tries;
}

int sweep_run_cell(const struct sweep_plan *plan, const struct sweep_cell *cell,
		   const struct sweep_cell_options *options)
{
	struct kt_cell_record record = {0};
	unsigned tries = tries_before(options->results, cell);
	int64_t began = kt_now_ns();
	struct kt_error *err = begin_record(plan, cell, options, &record);
	bool keep = false;
	int status;

	if (!err)
		err = do_cell(plan, cell, options, &record, &keep);
	/* An interrupted try leaves no record. That of an earlier try stays. */
	if (!err && cli_sleep_ms(0))
		err = kt_error_new(KT_ERROR_CANCELLED, "%s: cancelled", cell->name);
	record.duration_s = (double)(kt_now_ns() - began) / 1e9;
	record.attempts = tries + 1;
	if (!err && keep)
		cli_note("%s: it did not start, and its record from before is kept", cell->name);
	else if (!err)
		err = kt_write_cell_record(options->results, &record);
	status = err ? cli_fail(err) : tell(cell, &record);
	kt_cell_record_deinit(&record);
	return status;
}
