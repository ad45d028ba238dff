// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/loader.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "logparse/last.h"
#include "render/log_last.h"
#include "render/text.h"
#include "util/cleanup.h"
#include "util/path.h"

/* Of vm_load.max_ms, where it is 0. */
#define LOAD_MS    15000
#define LOADING_MS 240000

/* Beside what the loader gets: a boot under TCG. */
#define BOOT_MS 60000

/* Lines of its output that are shown: some screens. */
#define LINES_MAX 200

/* Named in one line at most. */
#define NAMES_MAX 5

/* --- what it printed --- */

/* A guest must not control a terminal. A file or a pipe gets the bytes as they are. */
static void print_bytes(struct kt_text text)
{
	_cleanup_(kt_buf_deinit) struct kt_buf visible = KT_BUF_INIT;

	if (isatty(STDERR_FILENO)) {
		render_append_visible_bytes(&visible, text.data, text.len, true);
		text = (struct kt_text){visible.data, visible.len};
	}
	if (text.len)
		fwrite(text.data, 1, text.len, stderr);
	if (text.len && text.data[text.len - 1] != '\n')
		fputc('\n', stderr);
}

/* The last lines of many; *before_ret is the number of those before them. */
static struct kt_text last_lines(struct kt_text text, size_t *before_ret)
{
	struct kt_text rest = text, line, tail = text;
	size_t n = 0;

	while (kt_text_next_line(&rest, &line))
		n++;
	*before_ret = n > LINES_MAX ? n - LINES_MAX : 0;
	for (size_t i = 0; i < *before_ret; i++)
		kt_text_next_line(&tail, &line);
	return tail;
}

static void print_last_lines(struct kt_text text)
{
	size_t before;

	text = last_lines(text, &before);
	if (before)
		fprintf(stderr, "[... %zu lines before these: --raw shows them ...]\n", before);
	print_bytes(text);
}

void cli_loader_show_output(const struct vm_results *results, bool live, bool raw)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	const struct kt_buf *output = &results->output;
	struct kt_error *err = NULL;

	cli_progress(NULL);
	if (!live && output->len) {
		if (!raw)
			err = kt_collapse_blocks_to((struct kt_text){output->data, output->len},
						    NULL, kt_sink_append, &text);
		/* It is shown, whatever happens. */
		if (raw || err || text.failed)
			print_bytes((struct kt_text){output->data, output->len});
		else
			print_last_lines((struct kt_text){text.data, text.len});
		kt_error_destroy(err);
	}
	if (results->output_dropped)
		cli_note("of what it printed, %llu bytes were too many to keep%s",
			 (unsigned long long)results->output_dropped,
			 live ? "" : "; --live shows all of it");
}

/* --- what it loaded --- */

/* A program's name has 15 characters in the kernel; a longer one is in its BTF. */
static bool is_named(const struct program *program, struct kt_text name)
{
	size_t most = sizeof(program->name) - 1;
	const char *full = program->full_name;

	if (full)
		return kt_text_equals(name, (struct kt_text){full, strlen(full)});
	return kt_text_equals(kt_text_head(name, most),
			      (struct kt_text){program->name, strlen(program->name)});
}

static bool is_loaded(const struct programs *programs, struct kt_text name)
{
	for (size_t i = 0; i < programs->n; i++)
		if (is_named(&programs->all[i], name))
			return true;
	return false;
}

/* A loader may try the same program more than once: the last try counts. */
static bool is_last(const struct kt_logs *logs, size_t nth)
{
	struct kt_text name = logs->v.data[nth].program;

	for (size_t i = nth + 1; name.len && i < logs->v.len; i++)
		if (kt_text_equals(logs->v.data[i].program, name))
			return false;
	return true;
}

static bool has_failed(const struct kt_log_block *log)
{
	struct kt_log_outcome outcome;

	kt_log_find_outcome_of(log, &outcome);
	return outcome.outcome == KT_LAST_FAILED && !log->btf;
}

static struct kt_error *find_rejected(const struct kt_buf *output, const struct programs *programs,
				      struct kt_logs *ret)
{
	struct kt_text text = {output->data ? output->data : "", output->len};
	struct kt_error *err = kt_logs_find(text, NULL, ret);
	struct kt_log_block none;
	size_t kept = 0;

	if (err)
		return err;
	none = kt_logs_none(text);
	if (!ret->v.len && none.loader.failed && !kt_vec_push(&ret->v, none))
		return kt_error_no_memory();
	for (size_t i = 0; i < ret->v.len; i++) {
		struct kt_log_block log = ret->v.data[i];

		if (!has_failed(&log) || !is_last(ret, i) || is_loaded(programs, log.program))
			continue;
		ret->v.data[kept++] = log;
	}
	ret->v.len = kept;
	return NULL;
}

/* --- what came of it --- */

static double limit_s(const struct vm_load *load, unsigned unless_given_ms)
{
	return (double)(load->max_ms ? load->max_ms : unless_given_ms) / 1000;
}

int64_t cli_loader_limit_ms(const struct vm_load *load)
{
	return load->run && load->max_ms ? (int64_t)load->max_ms + BOOT_MS : 0;
}

static void append_rejected(const struct kt_logs *rejected, struct kt_buf *out)
{
	size_t n = rejected->v.len, named = 0;

	kt_buf_printf(out, "%zu of its programs %s rejected", n, n == 1 ? "was" : "were");
	kt_vec_for_each (&rejected->v, log) {
		if (!log->program.len || named == NAMES_MAX)
			continue;
		kt_buf_appends(out, named++ ? ", " : ": ");
		render_append_visible_bytes(out, log->program.data, log->program.len, false);
	}
	kt_buf_appends(out, named == NAMES_MAX && n > named ? ", ..." : "");
}

/* The limits are those that the guest was told; see vm/session.h for its reasons. */
static void append_end(const struct cli_run *run, const struct vm_load *load, struct kt_buf *out)
{
	const char *reason = run->results.ready_reason ? run->results.ready_reason : "";
	int status = run->results.exit_status;

	if (run->results.exited && WIFSIGNALED(status))
		kt_buf_printf(out, "was killed by signal %d (%s) before its programs were read",
			      WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (run->results.exited && WEXITSTATUS(status))
		kt_buf_printf(out, "ended with exit status %d before its programs were read",
			      WEXITSTATUS(status));
	else if (!strcmp(reason, "exited, no programs"))
		kt_buf_appends(out, "loaded nothing that is still there: it ended, with exit "
				    "status 0, and a loader has to stay alive to hold its "
				    "programs, or pin them");
	else if (!strcmp(reason, "no programs appeared"))
		kt_buf_printf(out,
			      "loaded nothing in %g seconds; --load-timeout SECONDS gives it more",
			      limit_s(load, LOAD_MS));
	else if (!strcmp(reason, "still loading"))
		kt_buf_printf(
			out,
			"was cut off: it was still loading, or busy in the kernel, after %g seconds; "
			"--load-timeout SECONDS gives it more",
			limit_s(load, LOADING_MS));
}

static int exit_code(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static struct kt_error *append_reason(const struct cli_run *run, const struct vm_load *load,
				      struct kt_buf *out)
{
	append_end(run, load, out);
	if (run->loader.rejected.v.len) {
		kt_buf_appends(out, out->len ? "; " : "");
		append_rejected(&run->loader.rejected, out);
	}
	return out->failed ? kt_error_no_memory() : NULL;
}

struct kt_error *cli_loader_judge(struct cli_run *run, const struct vm_load *load)
{
	_cleanup_(kt_buf_deinit) struct kt_buf reason = KT_BUF_INIT;
	const struct kt_buf *output = &run->results.output;
	struct kt_error *err = find_rejected(output, &run->session.inspection.programs,
					     &run->loader.rejected);

	kt_vec_for_each (&run->loader.rejected.v, log)
		if (!err)
			err = kt_trials_add_log(&run->loader.tried, log);
	if (!err)
		err = append_reason(run, load, &reason);
	if (!err && reason.len)
		err = kt_buf_finish(&reason, &run->loader.reason);
	if (err)
		return err;
	run->payload = (struct render_payload){
		.exited = run->results.exited,
		.exit_code = exit_code(run->results.exit_status),
		.output = output->data ? output->data : "",
		.reason = run->loader.reason,
		.rejected = &run->loader.tried,
	};
	return NULL;
}

/* --- how it is shown --- */

static struct kt_error *append_failures(const struct kt_logs *rejected, struct kt_buf *out)
{
	struct kt_error *err = NULL;

	kt_vec_for_each (&rejected->v, log) {
		_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;

		err = render_log_last_of(log, &text);
		if (err)
			break;
		kt_buf_appendc(out, '\n');
		render_append_visible_bytes(out, text.data, text.len, true);
	}
	if (!err && out->failed)
		err = kt_error_no_memory();
	return err;
}

void cli_loader_tell(const struct cli_run *run)
{
	if (run->payload.reason)
		cli_note("%s %s", kt_base_name(run->what), run->payload.reason);
}

int cli_loader_show(const struct cli_run *run, const struct cli_output *output)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	struct kt_error *err = NULL;
	int status = CLI_DONE;

	if (!output->json)
		err = append_failures(&run->loader.rejected, &text);
	if (err)
		return cli_fail(err);
	if (text.len && output->csv)
		fputs(text.data, stderr);
	else if (text.len)
		status = cli_print(text.data);
	cli_loader_tell(run);
	return status;
}

void cli_loader_deinit(struct cli_loader *loader)
{
	kt_logs_deinit(&loader->rejected);
	kt_trials_deinit(&loader->tried);
	free(loader->reason);
	*loader = (struct cli_loader){0};
}
