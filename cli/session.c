// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "btf/facts_apart.h"
#include "btf/record.h"
#include "cli/cli.h"
#include "cli/config.h"
#include "cli/fence.h"
#include "cli/session.h"
#include "host/process.h"
#include "introspect/inspect_apart.h"
#include "memory/gather_apart.h"
#include "memory/gather_stub.h"
#include "memory/locate.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/io.h"
#include "util/turns.h"
#include "watch/watch.h"

/* --- open --- */

/* For a monitor to be opened, if --timeout says nothing else. */
#define LINK_TIMEOUT_MS 5000

/* All sessions of a process (diff has two) write to one trace, which exit() closes. */
static struct kt_error *open_trace(const char *path, FILE **ret)
{
	static FILE *trace;

	if (path && !trace)
		trace = fopen(path, "we");
	*ret = trace;
	return path && !trace ? kt_error_os(errno, "cannot write the trace to %s", path) : NULL;
}

struct kt_error *cli_session_init(struct cli_session *s, const struct cli_guest *options)
{
	*s = (struct cli_session){
		.options = options,
		.stub = {.timeout_ms = (int64_t)(options->timeout_s * 1000),
			 .cancel_fd = cli_cancel_fd(),
			 .leave_stopped = options->leave_stopped},
		.cache_dir = options->no_cache ? NULL : kt_cache_dir(),
		.deadline_ns = kt_deadline_ms((int64_t)(options->wait_s * 1000)),
		.retry_ms = 500,
		.image_fd = -1,
	};
	return open_trace(options->trace, &s->stub.trace);
}

void cli_session_deinit(struct cli_session *s)
{
	gather_stub_deinit(&s->gathering);
	inspection_deinit(&s->inspection);
	if (host_link_is_lost(s->link))
		cli_note("the process that kept QEMU's monitor is gone (was it killed?); another "
			 "one takes away what was started in QEMU");
	host_link_close(s->link);
	kfacts_destroy(s->facts);
	rsp_target_deinit(&s->target);
	free(s->cache_dir);
	*s = (struct cli_session){0};
}

/* What there is without a TARGET, and what a process's number stands for. */
static struct kt_error *find_target(const char *text, struct host_target *ret)
{
	const struct host_proc proc = {.root = "/proc", .uid = geteuid()};
	_cleanup_free_ char *found = NULL;
	struct host_target target;
	uint32_t pid = 0;
	const struct cli_config *config;
	struct kt_error *err = cli_config(&config);

	if (!err && !text)
		text = config->target;
	if (!err && !text)
		err = host_vm_default(&proc, &found, &pid);
	if (!err && pid)
		cli_note("no TARGET is given; the only VM of this host is %s (pid %" PRIu32 ")",
			 found, pid);
	if (!err)
		err = host_target_parse(text ? text : found, &target);
	if (err)
		return text ? cli_not_a_target(text, err) : err;
	if (target.kind == HOST_TARGET_PID) {
		err = host_vm_target(&proc, target.pid, &found);
		host_target_deinit(&target);
		if (!err)
			err = host_target_parse(found, &target);
	}
	if (!err)
		*ret = target;
	return err;
}

/* The link, and the address of the stub that is there, if there is one. */
static struct kt_error *open_link(struct cli_session *s, const struct host_target *target)
{
	const int64_t timeout_ms = s->stub.timeout_ms ? s->stub.timeout_ms : LINK_TIMEOUT_MS;
	const struct host_vm *vm;
	struct kt_error *err;

	do {
		const struct rsp_patience patience = {kt_deadline_ms(timeout_ms),
						      s->stub.cancel_fd};

		err = host_link_open(target, &patience, &s->link);
	} while (err && cli_session_try_again(s, &err));
	if (err)
		return err;
	host_link_set_leave_stopped(s->link, s->options->leave_stopped);
	vm = host_link_vm(s->link);
	err = vm->address ? rsp_target_parse(vm->address, &s->target) : NULL;
	if (err)
		return err;
	if (vm->started && s->target.port)
		cli_note(
			"this monitor cannot pass a socket: QEMU's GDB stub listens on %s meanwhile",
			vm->address);
	free(s->target.text);
	s->target.text = strdup(target->text);
	s->target.dialer = host_link_dialer(s->link);
	return s->target.text ? NULL : kt_error_no_memory();
}

struct kt_error *cli_session_open(struct cli_session *s, const struct cli_guest *options,
				  const char *target, const char *results_dir)
{
	const struct kfacts_sources files = cli_sources(options);
	_cleanup_(host_target_deinit) struct host_target found = {0};
	struct kt_error *err = find_target(target, &found);

	if (err)
		return err;
	/* Before there are the keeper and the guardian, for whom a guest waits, too. */
	kt_take_short_turns();
	err = cli_session_init(s, options);
	if (!err && results_dir && mkdir(results_dir, 0777) && errno != EEXIST)
		err = kt_error_os(errno, "cannot make the directory %s", results_dir);
	if (!err && found.kind == HOST_TARGET_STUB)
		err = rsp_target_parse(found.text, &s->target);
	else if (!err)
		err = open_link(s, &found);
	return err ? err : cli_fence(&s->target, &files, s->cache_dir, results_dir);
}

struct kt_error *cli_session_aim(struct cli_session *s, const char *target)
{
	s->booted = true;
	free(kt_take_ptr(s->cache_dir));
	s->stub.timeout_ms = 0;
	s->deadline_ns = kt_deadline_ms((int64_t)(s->options->wait_s * 1000));
	return rsp_target_parse(target, &s->target);
}

/* --- waiting --- */

/* Nobody listens yet, or no kernel runs yet. */
static bool may_pass(const struct kt_error *err)
{
	int errnum = kt_error_errno(err);

	return kt_error_code(err) == KT_ERROR_NOT_READY || kt_error_code(err) == KT_ERROR_NESTED ||
	       errnum == ECONNREFUSED || errnum == ENOENT;
}

/*
 * A vCPU is out of its guest for moments. So it takes tries and no patience. They are not in step
 * with a timer of the guest's, which is what ends such a moment.
 */
#define NESTED_TRIES    200
#define NESTED_RETRY_MS 10
#define NESTED_STEPS    11

/* --wait or not. */
static bool try_nested_again(struct cli_session *s, const struct kt_error *err)
{
	return kt_error_code(err) == KT_ERROR_NESTED && s->nested_tries++ < NESTED_TRIES &&
	       !cli_sleep_ms(NESTED_RETRY_MS + s->nested_tries * 7 % NESTED_STEPS);
}

bool cli_session_try_again(struct cli_session *s, struct kt_error **err)
{
	int left_ms = kt_deadline_left_ms(s->deadline_ns);

	if (try_nested_again(s, *err)) {
		kt_error_destroy(kt_take_ptr(*err));
		return true;
	}
	if (!may_pass(*err) || !left_ms)
		return false;
	cli_progress("waiting for the guest");
	if (cli_sleep_ms(left_ms < s->retry_ms ? left_ms : s->retry_ms))
		return false;
	kt_error_destroy(kt_take_ptr(*err));
	return true;
}

/* --- facts --- */

/* A note instead of an error: what needs the missing facts is left out. Takes err. */
static void note_lack(struct kt_error *err)
{
	const char *hint = kt_error_hint_text(err);

	cli_note("%s%s%s", kt_error_message(err), hint ? "; " : "", hint ? hint : "");
	kt_error_destroy(err);
}

/* A process that starts programs has no fence, so a child with one reads the kernel's files. */
static struct kt_error *load_facts(const struct cli_session *s,
				   const struct kfacts_sources *sources, const struct wants *wants,
				   const char *cache_dir, struct kfacts **ret, bool *cached_ret)
{
	const struct kfacts_wanted wanted = {wants->v.data, wants->v.len, s->image_fd,
					     s->stub.cancel_fd};

	if (s->booted)
		return kfacts_load_apart(sources, &wanted, cache_dir, ret, cached_ret);
	return kfacts_load(sources, wants->v.data, wants->v.len, cache_dir, ret, cached_ret);
}

/* The facts that there are. *err, which says what is missing, becomes a note if that works. */
static struct kfacts *load_part(const struct cli_session *s, const struct kfacts_sources *sources,
				const struct wants *wants, struct kt_error **err)
{
	struct kfacts_sources part = *sources;
	struct kfacts *facts = NULL;
	struct kt_error *worse;

	part.partial = true;
	/* The cache holds whole facts only. */
	worse = load_facts(s, &part, wants, NULL, &facts, NULL);
	if (!worse)
		note_lack(kt_take_ptr(*err));
	kt_error_destroy(worse);
	return facts;
}

struct kt_error *cli_session_load(struct cli_session *s, const struct kfacts_sources *sources,
				  unsigned int objects)
{
	_cleanup_(wants_deinit) struct wants wants = {0};
	int64_t start = kt_now_ns();
	struct kfacts *facts = NULL;
	bool cached = false;
	struct kt_error *err;

	if (!inspect_wants(objects, &wants) || (objects & INSPECT_LOADS && !watch_wants(&wants)) ||
	    (objects & INSPECT_SCHED_EVENTS && !watch_wants_sched(&wants)) || !locate_wants(&wants))
		return kt_error_no_memory();
	cli_progress("reading the kernel image");
	err = load_facts(s, sources, &wants, s->cache_dir, &facts, &cached);
	if (err && objects & INSPECT_AVAILABLE && kt_error_code(err) == KT_ERROR_NOT_FOUND)
		facts = load_part(s, sources, &wants, &err);
	if (err)
		return err;
	err = inspect_check(objects, facts);
	if (err) {
		kfacts_destroy(facts);
		return kt_error_wrap(err, "%s", cli_sources_name(sources));
	}
	kfacts_destroy(s->facts);
	s->facts = facts;
	s->cached = cached;
	s->resolve_ns = kt_now_ns() - start;
	return NULL;
}

static bool suffice(const struct kfacts_sources *files)
{
	return files->image || (files->btf && (files->system_map || files->kallsyms));
}

struct kt_error *cli_session_name_file(const struct cli_session *s, struct kt_error *err)
{
	const struct kfacts_sources files = cli_sources(s->options);

	if (!err || kt_error_code(err) != KT_ERROR_MISMATCH || !suffice(&files))
		return err;
	return kt_error_wrap(err, "%s", cli_sources_name(&files));
}

/* --- the stop --- */

/* Reads a guest whose kernel's facts are there. */
static struct kt_error *read_known(struct cli_session *s, const struct inspect_options *what)
{
	struct inspect_options how = *what;
	int64_t seen_at = 0;
	bool has_hint = kfacts_load_hint(s->facts, s->cache_dir, s->target.text, &seen_at);
	struct kt_error *err;

	how.hint = has_hint ? &seen_at : NULL;
	do {
		cli_progress("reading the guest");
		if (s->gathering.client)
			err = inspect_client(kt_take_ptr(s->gathering.client), s->facts, &how,
					     &s->inspection);
		else if (s->booted)
			err = inspect_guest_apart(&s->target, &s->stub, s->facts, &how,
						  &s->inspection);
		else
			err = inspect_guest(&s->target, &s->stub, s->facts, &how, &s->inspection);
	} while (err && cli_session_try_again(s, &err));
	if (err)
		return err;
	s->inspection.was_paused |= s->gathering.was_paused;
	if ((!has_hint || seen_at != s->inspection.kaslr_offset) && !s->inspection.runs_guests)
		kfacts_store_hint(s->facts, s->cache_dir, s->target.text,
				  s->inspection.kaslr_offset);
	return NULL;
}

/* --- a kernel that is in no file --- */

/* The facts of a recorded kernel. What the files of the options have comes before it. */
static struct kt_error *load_recorded(struct cli_session *s, const char *path, unsigned int objects)
{
	struct kfacts_sources sources = cli_sources(s->options);

	sources.image = path;
	sources.image_name = "the guest's kernel, as its memory has it";
	return cli_session_load(s, &sources, objects);
}

/*
 * Reads the guest with the facts of the kernel that the cache has for this address. *found_ret is
 * false, and there is no error, if the cache has none or the guest runs another one by now.
 */
static struct kt_error *read_seen(struct cli_session *s, const struct inspect_options *what,
				  bool *found_ret)
{
	_cleanup_free_ char *path = NULL;
	struct cache_name key;
	struct kt_error *err;

	*found_ret = false;
	if (!record_load_place(s->cache_dir, s->target.text, &key))
		return NULL;
	path = record_find(s->cache_dir, &key);
	if (!path)
		return NULL;
	err = load_recorded(s, path, what->objects);
	if (err) {
		/* Damaged, or made by an older version: the guest's memory has it all. */
		kt_error_destroy(err);
		return NULL;
	}
	err = read_known(s, what);
	*found_ret = !err;
	if (!err ||
	    (kt_error_code(err) != KT_ERROR_MISMATCH && kt_error_code(err) != KT_ERROR_NESTED))
		return err;
	kt_error_destroy(err);
	s->nested_tries = 0; /* it may be another kernel: that one is looked for as long */
	return NULL;
}

#define GATHERING "reading the kernel out of the guest's memory"

/* After so long, a line says how far it is. */
#define TELL_AFTER_NS INT64_C(5000000000)

struct telling {
	int64_t since_ns;
	bool told;
};

static void tell_progress(void *context, uint64_t done, uint64_t all)
{
	struct telling *telling = context;
	unsigned int percent = all ? (unsigned int)(done * 100 / all) : 100;
	char step[80];

	snprintf(step, sizeof(step), GATHERING ", %u %%", percent);
	if (!telling->told && kt_now_ns() - telling->since_ns >= TELL_AFTER_NS) {
		cli_note("%s of %.1f MB by now; --vmlinux FILE, the guest's kernel image, spares "
			 "that",
			 step, (double)all / 1e6);
		telling->told = true;
	}
	cli_progress(step);
}

static struct kt_error *gather_once(struct cli_session *s, const struct gather_options *options,
				    struct gathered *ret)
{
	struct gather_stops stops = gather_stub_stops(&s->gathering);
	struct kt_error *err;

	s->gathering.target = &s->target;
	s->gathering.options = &s->stub;
	cli_progress(GATHERING);
	err = gather_kernel(&stops, options, ret);
	if (err)
		gather_stub_deinit(&s->gathering);
	return err;
}

/* The facts of a kernel that was gathered, which the cache has from then on. */
static struct kt_error *load_gathered(struct cli_session *s, const struct gathered *gathered,
				      unsigned int objects)
{
	struct cache_name key = record_key(&gathered->kernel);
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	struct kt_error *err = record_write(&gathered->kernel, &gathered->place, &fd);

	if (err)
		return err;
	/* In place of one that is damaged, or cannot be recognised. */
	record_store(s->cache_dir, &key, fd);
	record_store_place(s->cache_dir, s->target.text, &key);
	path = record_find(s->cache_dir, &key);
	s->image_fd = fd;
	err = load_recorded(s, path ? path : record_path(fd).s, objects);
	s->image_fd = -1;
	return err;
}

/* The facts of a kernel that was recognised. *found_ret false: the cache does not have it whole. */
static struct kt_error *load_recognised(struct cli_session *s, const struct record_known *known,
					unsigned int objects, bool *found_ret)
{
	_cleanup_free_ char *path = record_find(s->cache_dir, &known->key);
	struct kt_error *err = path ? load_recorded(s, path, objects) : NULL;

	*found_ret = path && !err;
	s->recognised = *found_ret;
	if (*found_ret)
		record_store_place(s->cache_dir, s->target.text, &known->key);
	/* Damaged, or made by an older version: the guest's memory has it all. */
	kt_error_destroy(err);
	return NULL;
}

/* So many kernels of the cache are looked for. Each costs the first stop some 10 us. */
#define KNOWN_MAX 16

static struct kt_error *gather(struct cli_session *s, unsigned int objects)
{
	_cleanup_(gathered_deinit) struct gathered gathered = {0};
	_cleanup_(kt_buf_deinit) struct kt_buf kept = KT_BUF_INIT;
	struct telling telling = {.since_ns = kt_now_ns()};
	struct record_known known[KNOWN_MAX];
	struct gather_options options = {
		.known = known,
		.n_known = record_list(s->cache_dir, known, KNOWN_MAX),
		.kept = &kept,
		.progress = tell_progress,
		.context = &telling,
	};
	struct kt_error *err;
	bool had_kept, found = false;

	had_kept = record_load_part(s->cache_dir, s->target.text, &kept);
	do
		err = gather_once(s, &options, &gathered);
	while (err && cli_session_try_again(s, &err));
	if (!err && gathered.known) {
		err = load_recognised(s, gathered.known, objects, &found);
		options.n_known = 0;
		if (!err && !found)
			err = gather_once(s, &options, &gathered);
	}
	if (had_kept || kept.len)
		record_store_part(s->cache_dir, s->target.text, &kept);
	if (err)
		return err;
	s->gathered = gathered.stats;
	return found ? NULL : load_gathered(s, &gathered, objects);
}

/* The same for a guest that this process has booted: nothing is cached, and all is done apart. */
static struct kt_error *gather_booted(struct cli_session *s, unsigned int objects)
{
	_cleanup_close_ int fd = -1;
	struct kt_error *err;

	do {
		cli_progress(GATHERING);
		err = gather_kernel_apart(&s->target, &s->stub, &s->gathered, &fd);
	} while (err && cli_session_try_again(s, &err));
	if (err)
		return err;
	s->image_fd = fd;
	err = load_recorded(s, record_path(fd).s, objects);
	s->image_fd = -1;
	return err;
}

/* A guest that boots another kernel may do so right behind the gathering. */
#define GATHERINGS_MAX 3

static struct kt_error *read_unknown(struct cli_session *s, const struct inspect_options *what)
{
	bool found;
	struct kt_error *err = read_seen(s, what, &found);

	if (err || found)
		return err;
	for (int i = 1;; i++) {
		err = s->booted ? gather_booted(s, what->objects) : gather(s, what->objects);
		if (!err)
			err = read_known(s, what);
		if (!err || kt_error_code(err) != KT_ERROR_MISMATCH || i == GATHERINGS_MAX)
			return err;
		kt_error_destroy(err);
	}
}

/* --- facts and stop --- */

struct kt_error *cli_session_know(struct cli_session *s, unsigned int objects)
{
	const struct kfacts_sources files = cli_sources(s->options);
	const struct inspect_options what = {.objects = objects};

	return suffice(&files) ? cli_session_load(s, &files, objects) : read_unknown(s, &what);
}

struct kt_error *cli_session_read(struct cli_session *s, const struct inspect_options *what)
{
	const struct kfacts_sources files = cli_sources(s->options);
	struct kt_error *err = NULL;

	if (!s->facts && !suffice(&files)) {
		err = read_unknown(s, what);
	} else {
		if (!s->facts)
			err = cli_session_load(s, &files, what->objects);
		if (!err)
			err = cli_session_name_file(s, read_known(s, what));
	}
	if (!err && s->inspection.was_paused && !s->options->leave_stopped && !s->link)
		cli_note("the guest was paused before, and runs now; --leave-stopped leaves it "
			 "paused");
	return err;
}
