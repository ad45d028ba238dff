// SPDX-License-Identifier: LGPL-2.1-or-later
/* Objects on several kernels: a process of this tool for each, side by side. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/trials.h"
#include "model/json.h"
#include "model/json_put.h"
#include "model/program_json.h"
#include "model/replay.h"
#include "model/trial_json.h"
#include "render/text.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/io.h"
#include "util/resources.h"
#include "vm/process.h"

/* Memory that a guest needs beside its own: QEMU, the tool, the initramfs. */
#define MARGIN_MIB         256
#define DEFAULT_MEMORY_MIB 1024

/* After Ctrl-C. A guest takes a moment to be torn down. */
#define GRACE_MS 10000

struct part {
	const struct kt_kernel *kernel;
	struct kt_process process;
	int result_fd, log_fd; /* its result, its stderr; -1: it has not begun */
	bool running, done;
	int status, signal;  /* exit status, when done; what ended it, or 0 */
	char *words;         /* that it wrote to stderr */
	json_t *root;        /* its result; NULL: it has none */
	const char *release; /* borrows from root */
	struct kt_trials trials;
	struct programs programs; /* that trials refer to */
};

struct parts {
	const struct cli_kernels *kernels;
	struct part *all;
	struct pollfd *fds; /* one more than parts */
	size_t n_running, n_done;
	bool cancelled;
	struct kt_trials guest; /* the programs of kernels->beside */
};

static void parts_deinit(struct parts *parts)
{
	for (size_t i = 0; parts->all && i < parts->kernels->n; i++) {
		struct part *part = &parts->all[i];

		kt_process_kill(&part->process);
		if (part->log_fd >= 0)
			close(part->log_fd);
		if (part->result_fd >= 0)
			close(part->result_fd);
		free(part->words);
		kt_trials_deinit(&part->trials);
		programs_deinit(&part->programs);
		json_decref(part->root);
	}
	free(parts->all);
	free(parts->fds);
	kt_trials_deinit(&parts->guest);
}

static struct kt_error *parts_init(struct parts *parts, const struct cli_kernels *kernels)
{
	parts->kernels = kernels;
	parts->all = calloc(kernels->n, sizeof(*parts->all));
	parts->fds = calloc(kernels->n + 1, sizeof(*parts->fds));
	if (!parts->all || !parts->fds)
		return kt_error_no_memory();
	for (size_t i = 0; i < kernels->n; i++) {
		parts->all[i].kernel = &kernels->all[i];
		parts->all[i].log_fd = parts->all[i].result_fd = -1;
		parts->all[i].process.pidfd = -1;
	}
	return NULL;
}

/* --- processes --- */

/* The result's descriptor stays open in the process that is started. */
static struct kt_error *open_files(struct part *part)
{
	part->log_fd = memfd_create("ktstr-gdb", MFD_CLOEXEC);
	part->result_fd = memfd_create("ktstr-gdb", 0);
	if (part->log_fd < 0 || part->result_fd < 0)
		return kt_error_os(errno, "cannot start a process for %s", part->kernel->name);
	return NULL;
}

static struct kt_error *start(struct parts *parts, struct part *part)
{
	const struct cli_kernels *kernels = parts->kernels;
	char fd[16];
	const char *const first[] = {
		"/proc/self/exe", "collect",           CLI_PART,      fd,
		CLI_PART_KERNEL,  part->kernel->image, CLI_PART_NAME, part->kernel->name,
	};
	size_t n = sizeof(first) / sizeof(*first);
	_cleanup_free_ const char **argv = calloc(n + 2 + (size_t)kernels->argc, sizeof(*argv));
	struct kt_error *err = argv ? open_files(part) : kt_error_no_memory();

	if (err)
		return err;
	snprintf(fd, sizeof(fd), "%d", part->result_fd);
	memcpy(argv, first, sizeof(first));
	if (part->kernel->modules) {
		argv[n++] = CLI_PART_MODULES;
		argv[n++] = part->kernel->modules;
	}
	for (int i = 1; i < kernels->argc; i++)
		argv[n++] = kernels->argv[i];
	err = kt_process_start(argv, part->log_fd, false, NULL, NULL, &part->process);
	part->running = !err;
	parts->n_running += !err;
	return err;
}

static void show_progress(const struct parts *parts)
{
	char step[64];

	snprintf(step, sizeof(step), "%zu of %zu kernels done", parts->n_done, parts->kernels->n);
	cli_progress(step);
}

/* How many guests this machine has room for; at least one. Under TCG a guest is one busy CPU. */
static size_t room(const struct cli_kernels *kernels)
{
	int64_t memory = kernels->memory_mib ? kernels->memory_mib : DEFAULT_MEMORY_MIB;
	int64_t by_memory = kt_available_memory_mib() / (memory + MARGIN_MIB);
	int64_t n = kt_online_cpus();

	n = by_memory < n ? by_memory : n;
	return n > 1 ? (size_t)n : 1;
}

static void reap(struct parts *parts)
{
	for (size_t i = 0; i < parts->kernels->n; i++) {
		struct part *part = &parts->all[i];
		int status;

		if (!part->running || !kt_process_ended(&part->process, &status))
			continue;
		part->running = false;
		part->done = true;
		part->status = WIFEXITED(status) ? WEXITSTATUS(status) : CLI_CANNOT;
		part->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
		parts->n_running--;
		parts->n_done++;
	}
}

static void tell_all(struct parts *parts, int signal)
{
	for (size_t i = 0; i < parts->kernels->n; i++)
		if (parts->all[i].running)
			kill(parts->all[i].process.pid, signal);
}

/* Waits until a process ends, or the user wants to end all. */
static void wait_for_one(struct parts *parts, int timeout_ms)
{
	nfds_t n = 0;

	for (size_t i = 0; i < parts->kernels->n; i++)
		if (parts->all[i].running)
			parts->fds[n++] = (struct pollfd){parts->all[i].process.pidfd, POLLIN, 0};
	if (!parts->cancelled)
		parts->fds[n++] = (struct pollfd){cli_cancel_fd(), POLLIN, 0};
	if (poll(parts->fds, n, timeout_ms) > 0 && !parts->cancelled && parts->fds[n - 1].revents) {
		parts->cancelled = true;
		tell_all(parts, SIGTERM);
	}
	reap(parts);
}

static struct kt_error *run_all(struct parts *parts)
{
	size_t next = 0, max = room(parts->kernels);
	struct kt_error *err = NULL;
	int64_t deadline;

	while (!err && !parts->cancelled && (next < parts->kernels->n || parts->n_running)) {
		show_progress(parts);
		if (next < parts->kernels->n && parts->n_running < max)
			err = start(parts, &parts->all[next++]);
		else
			wait_for_one(parts, -1);
	}
	deadline = kt_deadline_ms(GRACE_MS);
	if (err)
		tell_all(parts, SIGTERM);
	while (parts->n_running && kt_deadline_left_ms(deadline) > 0)
		wait_for_one(parts, kt_deadline_left_ms(deadline));
	return err;
}

/* --- results --- */

/* Ends of a document and of words: no real run prints more. */
#define RESULT_MAX ((size_t)1 << 30)
#define WORDS_MAX  ((size_t)1 << 20)

static struct kt_error *read_words(struct part *part)
{
	struct kt_buf words = KT_BUF_INIT;
	struct kt_error *err = part->log_fd < 0 ? NULL
						: kt_read_all(part->log_fd, WORDS_MAX, &words);

	kt_buf_appends(&words, "");
	return err ? err : kt_buf_finish(&words, &part->words);
}

/* A run that failed may have no result, and said why. */
static struct kt_error *read_result(struct part *part)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	struct kt_error *err = part->result_fd < 0
				       ? NULL
				       : kt_read_all(part->result_fd, RESULT_MAX, &text);
	json_error_t why;

	if (err || !text.len)
		return err;
	part->root = kt_json_load((struct kt_text){text.data, text.len}, 0, &why);
	if (!part->root)
		return kt_error_new(KT_ERROR_FORMAT, "the result for %s is no JSON: %s",
				    part->kernel->name, why.text);
	part->release = kt_json_get_text(
		json_object_get(json_object_get(part->root, "kernel"), "release"));
	err = kt_programs_read(part->root, &part->programs);
	if (!err)
		err = kt_trials_read(part->root, &part->trials);
	return err ? err : kt_trials_join(&part->trials, &part->programs);
}

/* Each line with the kernel that it is about. */
static void show_words(const struct part *part, const char *name)
{
	static const char own[] = "ktstr-gdb: ";
	struct kt_text rest = {part->words ? part->words : "", 0}, line;

	rest.len = strlen(rest.data);
	while (kt_text_next_line(&rest, &line)) {
		struct kt_buf clean = KT_BUF_INIT;

		if (kt_text_starts_with(line, KT_TEXT("ktstr-gdb: ")))
			line = kt_text_from(line, sizeof(own) - 1);
		render_append_visible_bytes(&clean, line.data, line.len, true);
		cli_note("%s: %s", name, clean.data ? clean.data : "");
		kt_buf_deinit(&clean);
	}
}

/* Two files of one name are told apart by their paths. */
static const char *asked_name(const struct parts *parts, size_t i)
{
	const struct kt_kernel *kernel = parts->all[i].kernel;

	for (size_t k = 0; k < parts->kernels->n; k++)
		if (k != i && !strcmp(parts->all[k].kernel->name, kernel->name))
			return kernel->image;
	return kernel->name;
}

/* All kernels as the tables have them; the caller frees *ret. */
static struct kt_error *make_shown(const struct parts *parts, struct render_kernel_trials **ret)
{
	size_t n = parts->kernels->n;
	struct render_kernel_trials *shown = calloc(n, sizeof(*shown));

	if (!shown)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		const struct part *part = &parts->all[i];

		shown[i] = (struct render_kernel_trials){
			.asked = asked_name(parts, i),
			.release = part->release ? part->release : part->kernel->release,
			.trials = part->root ? &part->trials : NULL,
		};
	}
	*ret = shown;
	return NULL;
}

/* The programs whose code is not that of the guest. */
static json_t *json_other_code(const struct programs *guest, const struct kt_trials *trials)
{
	json_t *names = json_array();

	kt_vec_for_each (&trials->v, trial)
		if (kt_replay_is_other_code(guest, trial))
			json_array_append_new(names, kt_json_text(trial->name));
	return names;
}

static struct kt_error *render_json(const struct parts *parts, char **ret)
{
	const struct cli_beside *beside = parts->kernels->beside;
	_cleanup_free_ struct render_kernel_trials *shown = NULL;
	struct kt_error *err = make_shown(parts, &shown);
	json_t *root, *runs;

	if (err)
		return err;
	root = beside ? json_copy((json_t *)beside->document) : json_object();
	runs = json_array();
	if (!beside)
		json_object_set_new(root, "schema", json_string("ktstr-gdb.kernels.v1"));
	for (size_t i = 0; i < parts->kernels->n; i++) {
		const struct part *part = &parts->all[i];
		json_t *run = json_object();

		json_object_set_new(run, "kernel",
				    kt_json_text(part->kernel->source ? part->kernel->source
								      : part->kernel->image));
		json_object_set_new(
			run, "name",
			kt_json_text(render_kernel_long_name(shown, parts->kernels->n, i)));
		json_object_set_new(run, "exit_status",
				    part->done ? json_integer(part->status) : json_null());
		json_object_set_new(run, "messages", kt_json_text(part->words ? part->words : ""));
		json_object_set_new(run, "result",
				    part->root ? json_incref(part->root) : json_null());
		if (beside)
			json_object_set_new(run, "other_code",
					    part->root ? json_other_code(beside->programs,
									 &part->trials)
						       : json_null());
		json_array_append_new(runs, run);
	}
	json_object_set_new(root, "runs", runs);
	return kt_json_dump(root, ret);
}

static int save(const struct parts *parts, const char *path)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = render_json(parts, &text);

	if (!err)
		err = cli_replace_file(path, text);
	return err ? cli_fail(kt_error_wrap(err, "cannot save the result to %s", path)) : CLI_DONE;
}

static int show_json(const struct parts *parts)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = render_json(parts, &text);

	return err ? cli_fail(err) : cli_print(text);
}

/* What the guest has, as trials of the programs that were loaded here. */
static struct kt_error *make_guest(struct parts *parts)
{
	size_t n = parts->kernels->n;
	_cleanup_free_ const struct kt_trials **tried = calloc(n, sizeof(*tried));

	if (!tried)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		tried[i] = &parts->all[i].trials;
	return kt_replay_guest_trials(parts->kernels->beside->programs, tried, n, &parts->guest);
}

static const char *guest_release(const struct cli_beside *beside)
{
	return kt_json_get_text(json_object_get(
		json_object_get(json_object_get(beside->document, "guest"), "kernel"), "release"));
}

/*
 * On the guest's own kernel the code is the guest's, too, if the object and the libbpf are those
 * that it was loaded from. On another kernel libbpf may relocate it to something else.
 */
static void tell_other_code(const struct parts *parts, const struct part *part)
{
	_cleanup_(kt_buf_deinit) struct kt_buf names = KT_BUF_INIT;
	size_t n = 0;

	kt_vec_for_each (&part->trials.v, trial)
		if (kt_replay_is_other_code(parts->kernels->beside->programs, trial))
			kt_buf_printf(&names, "%s%.80s", n++ ? ", " : "", trial->name);
	if (n && names.data)
		cli_note("%s is the guest's kernel, and the code of %zu of %zu programs is not the "
			 "guest's, by its tag (%s): the object is another version, or another "
			 "libbpf loaded it there",
			 part->release, n, part->trials.v.len, names.data);
}

static void tell_other_codes(const struct parts *parts)
{
	const char *release = guest_release(parts->kernels->beside);

	for (size_t i = 0; i < parts->kernels->n; i++) {
		const struct part *part = &parts->all[i];

		if (release && part->release && !strcmp(release, part->release))
			tell_other_code(parts, part);
	}
}

static int show_table(struct parts *parts)
{
	const struct render_kernel_trials guest = {.asked = "guest", .trials = &parts->guest};
	struct cli_trials_options how = *parts->kernels->show;
	size_t n = parts->kernels->n;
	_cleanup_free_ struct render_kernel_trials *shown = NULL;
	struct kt_error *err = make_shown(parts, &shown);
	int status;

	if (!err && parts->kernels->beside)
		err = make_guest(parts);
	if (err)
		return cli_fail(err);
	how.beside = parts->kernels->beside ? &guest : NULL;
	status = cli_show_trials(shown, n, &how);
	if (how.beside)
		tell_other_codes(parts);
	for (size_t i = 0; i < n; i++) {
		struct kt_buf name = KT_BUF_INIT;

		render_kernel_name(shown, n, i, &name);
		show_words(&parts->all[i], name.data ? name.data : "?");
		if (parts->all[i].signal)
			cli_note("%s: its process was ended by signal %d (%s)",
				 name.data ? name.data : "?", parts->all[i].signal,
				 strsignal(parts->all[i].signal));
		kt_buf_deinit(&name);
	}
	return status;
}

static size_t count_whole_results(const struct parts *parts)
{
	size_t n = 0;

	for (size_t i = 0; i < parts->kernels->n; i++)
		n += parts->all[i].root && !parts->all[i].trials.cut_off;
	return n;
}

/* The worst of them, and of the tests. */
static int overall(const struct parts *parts)
{
	int status = CLI_DONE;

	for (size_t i = 0; i < parts->kernels->n; i++) {
		const struct part *part = &parts->all[i];
		int one = !part->done || !part->root ? CLI_CANNOT : part->status;

		status = one > status ? one : status;
	}
	return status;
}

static int show(struct parts *parts, struct kt_error *err)
{
	const struct cli_kernels *kernels = parts->kernels;
	int status = CLI_DONE, shown;

	for (size_t i = 0; i < kernels->n; i++) {
		struct kt_error *other = read_words(&parts->all[i]);

		if (!other)
			other = read_result(&parts->all[i]);
		if (other)
			status = cli_fail(other);
	}
	if (kernels->save) {
		int saved = save(parts, kernels->save);

		status = saved > status ? saved : status;
	}
	shown = kernels->show->output->json ? show_json(parts) : show_table(parts);
	status = shown > status ? shown : status;
	if (err)
		status = cli_fail(err);
	if (parts->cancelled) {
		cli_note("cancelled: %zu of %zu kernels are done", count_whole_results(parts),
			 kernels->n);
		status = CLI_CANNOT;
	}
	return overall(parts) > status ? overall(parts) : status;
}

int cli_run_kernels(const struct cli_kernels *kernels)
{
	_cleanup_(parts_deinit) struct parts parts = {.kernels = kernels};
	struct kt_error *err = parts_init(&parts, kernels);

	if (err)
		return cli_fail(err);
	err = run_all(&parts);
	cli_progress(NULL);
	return show(&parts, err);
}
