// SPDX-License-Identifier: LGPL-2.1-or-later
/* watch: prints each load of a BPF program in a running guest, as it happens. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cli/session.h"
#include "host/target.h"
#include "render/load.h"
#include "render/log_last.h"
#include "render/text.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "watch/watch.h"

static const char help[] =
	"Usage: ktstr-gdb watch [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"\n"
	"Prints a line for each BPF program load in a running QEMU guest, passed or failed:\n"
	"who loads what, what comes of it, and what the verifier had to do. Hardware\n"
	"breakpoints stop the guest for less than a millisecond a load. Ctrl-C ends it; the\n"
	"guest runs on without them.\n"
	"\n"
	HOST_TARGET_HELP
	"\n"
	"What is shown:\n"
	"  --failed             only loads that fail\n"
	"  --name GLOB          only programs whose name matches; may be given again\n"
	"  --count N            end after N loads\n"
	"  --duration SECONDS   end after that time\n"
	"  --logs DIR           of each load that fails, the log that its loader asked for\n"
	"                       (libbpf does when it tries again), a file each in DIR\n"
	"  --last               what of that log leads to the error, below the line\n"
	"  --progress           how far loads are that last: instructions, states, and\n"
	"                       the source line at hand\n"
	"  --max-overhead PCT   for --progress: the share of time that the guest may be\n"
	"                       stopped to look (1)\n"
	"  --json               one JSON object a line\n"
	"  --color WHEN         auto, always or never\n"
	"\n";

enum {
	OPT_FAILED = CLI_OPT_OWN,
	OPT_COUNT,
	OPT_DURATION,
	OPT_LOGS,
	OPT_LAST,
	OPT_PROGRESS,
	OPT_MAX_OVERHEAD,
};

struct options {
	struct cli_guest guest;
	const char *target;
	bool json, failed, last, progress;
	long count;        /* 0: without end */
	double duration_s; /* likewise */
	double max_overhead;
	const char *logs;
	enum cli_color color;
	KT_VEC(const char *) globs;
};

/* The state of a watch. */
struct session {
	const struct options *options;
	struct cli_session guest;
	struct load_summary summary;
	KT_VEC(int64_t) pauses;
	uint64_t shown;
	bool color;
	bool stdout_failed;
	bool began;      /* the breakpoints were set, and the guest ran */
	bool was_paused; /* somebody else paused the guest, which ended the watch */
	char why[200];   /* why the guest ended the watch; "": it did not */
	struct watch_stats stats;
};

/* --- showing --- */

/* Flushes, so that a reader behind a pipe gets each line at once. */
static void put(struct session *s, const char *text)
{
	cli_progress(NULL);
	if (!s->stdout_failed && (fputs(text, stdout) < 0 || fflush(stdout)))
		s->stdout_failed = true;
}

static bool is_failed(const struct bpf_load *load)
{
	return load->error.known && load->error.value != 0;
}

static bool is_asked_for(const struct options *options, const struct bpf_load *load)
{
	if (options->failed && !is_failed(load))
		return false;
	kt_vec_for_each (&options->globs, glob)
		if (fnmatch(*glob, load->full_name ? load->full_name : load->name, 0) == 0 ||
		    fnmatch(*glob, load->name, 0) == 0)
			return true;
	return !options->globs.len;
}

static void count(struct session *s, const struct bpf_load *load)
{
	struct load_summary *sum = &s->summary;

	if (!load->error.known)
		sum->unknown++;
	else if (load->error.value)
		sum->failed++;
	else
		sum->passed++;
	sum->insns += load->verified_insns.value;
	if (load->verified_insns.value > sum->most_insns) {
		sum->most_insns = load->verified_insns.value;
		memcpy(sum->most_name, load->name, sizeof(sum->most_name));
	}
	/* Without memory for this one, the median is that of the others. */
	(void)kt_vec_push(&s->pauses, load->pause_ns);
}

/* "000012-EINVAL-tp_loop1.log" */
static struct kt_error *save_log(const struct session *s, const struct bpf_load *load)
{
	_cleanup_free_ char *path = NULL;
	char number[24], name[sizeof(load->name)];
	FILE *f;
	bool bad;

	memcpy(name, load->name, sizeof(name));
	for (char *p = name; *p; p++)
		if (*p == '/' || *p == '.' || (unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			*p = '_';
	if (asprintf(&path, "%s/%06llu-%s-%s.log", s->options->logs,
		     (unsigned long long)(s->summary.passed + s->summary.failed),
		     render_errno(load->error.value, number, sizeof(number)), name) < 0)
		return kt_error_no_memory();
	f = fopen(path, "we");
	if (!f)
		return kt_error_os(errno, "cannot write the log to %s", path);
	bad = fwrite(load->log, 1, load->log_len, f) != load->log_len;
	bad |= fclose(f) != 0;
	return bad ? kt_error_os(errno, "cannot write the log to %s", path) : NULL;
}

static struct kt_error *last_of(const struct bpf_load *load, char **ret)
{
	struct kt_buf raw = KT_BUF_INIT, text = KT_BUF_INIT;
	struct kt_error *err = render_log_last((struct kt_text){load->log, load->log_len},
					       (struct kt_text){load->name, strlen(load->name)},
					       &raw);

	if (!err) {
		render_append_visible_bytes(&text, raw.data ? raw.data : "", raw.len, true);
		err = kt_buf_finish(&text, ret);
	}
	kt_buf_deinit(&raw);
	return err;
}

static struct kt_error *show_load(struct session *s, const struct bpf_load *load)
{
	_cleanup_free_ char *line = NULL, *last = NULL;
	struct kt_error *err = NULL;

	count(s, load);
	if (!is_asked_for(s->options, load))
		return NULL;
	s->shown++;
	if (s->options->logs && load->log)
		err = save_log(s, load);
	if (!err && s->options->last && load->log)
		err = last_of(load, &last);
	if (!err)
		err = s->options->json ? render_load_json(load, last, &line)
				       : render_load_line(load, s->color, &line);
	if (err)
		return err;
	put(s, line);
	if (last && !s->options->json) {
		put(s, last);
		put(s, "\n");
	}
	return NULL;
}

static struct kt_error *show_progress(struct session *s, const struct bpf_load_progress *progress)
{
	_cleanup_free_ char *line = NULL;
	struct kt_error *err = s->options->json ? render_load_progress_json(progress, &line)
						: render_load_progress_line(progress, &line);

	if (!err)
		put(s, line);
	return err;
}

/* Tells that the watch has begun: a script may wait for that. */
static struct kt_error *show_begin(struct session *s, const struct kfacts *facts,
				   const struct watch *watch)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(facts);
	int64_t kaslr_offset = watch_kaslr_offset(watch) + kernel->moved;
	const struct options *o = s->options;
	_cleanup_free_ char *line = NULL;
	struct kt_error *err;

	if (!watch_sees_verifier(watch))
		cli_note("Linux %s has no bpf_vlog_finalize() (it came with 6.4): seen are the "
			 "results of loads, and of those that passed what the kernel keeps%s",
			 kernel->release,
			 o->logs || o->last || o->progress ? "; no logs, and no progress" : "");
	err = s->options->json ? render_load_begin_json(kernel->release,
							kernel->moved_known ? &kaslr_offset : NULL,
							watch_sees_verifier(watch), &line)
			       : render_load_head(&line);
	if (!err)
		put(s, line);
	return err;
}

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static struct kt_error *show_summary(struct session *s)
{
	const struct watch_stats *stats = &s->stats;
	_cleanup_free_ char *text = NULL;
	struct kt_error *err;

	s->summary.stops = stats->stops;
	s->summary.paused_ns = stats->paused_ns;
	s->summary.looked_ns = stats->looked_ns;
	s->summary.elapsed_ns = stats->until_ns - stats->since_ns;
	if (s->pauses.len) {
		qsort(s->pauses.data, s->pauses.len, sizeof(*s->pauses.data), compare_ns);
		s->summary.median_pause_ns = s->pauses.data[s->pauses.len / 2];
	}
	if (s->options->json)
		err = render_load_summary_json(&s->summary, *s->why ? s->why : NULL, &text);
	else
		err = render_load_summary(&s->summary, &text);
	if (!err)
		put(s, text);
	return err;
}

/* --- watching --- */

static bool is_done(const struct session *s)
{
	return s->stdout_failed || (s->options->count && s->shown >= (uint64_t)s->options->count);
}

/* Shows events until the user, an option or the guest ends the watch. */
static struct kt_error *follow(struct session *s, struct watch *watch)
{
	double duration = s->options->duration_s;
	int64_t until = duration > 0 ? kt_deadline_ms((int64_t)(duration * 1000)) : INT64_MAX;

	while (!is_done(s) && kt_now_ns() < until) {
		int64_t wait = until == INT64_MAX ? -1 : kt_deadline_left_ms(until);
		struct watch_event event;
		struct kt_error *err = watch_next(watch, wait, &event);

		if (err && kt_error_code(err) == KT_ERROR_CANCELLED) {
			kt_error_destroy(err);
			return NULL;
		}
		if (err)
			return err;
		if (event.kind == WATCH_LOAD)
			err = show_load(s, &event.load);
		else if (event.kind == WATCH_PROGRESS)
			err = show_progress(s, &event.progress);
		bpf_load_deinit(&event.load);
		bpf_load_progress_deinit(&event.progress);
		if (err)
			return err;
		if (event.kind == WATCH_END) {
			memcpy(s->why, event.why, sizeof(s->why));
			s->was_paused = event.paused;
			return NULL;
		}
	}
	return NULL;
}

static struct kt_error *watch_stopped_guest(struct session *s, struct rsp_client *client)
{
	const struct options *options = s->options;
	const struct kfacts *facts = s->guest.facts;
	const char *cache_dir = s->guest.cache_dir, *place = s->guest.target.text;
	const struct watch_options what = {
		.logs = options->logs || options->last,
		.progress = options->progress,
		.max_overhead = options->max_overhead,
	};
	struct kt_error *err, *end_err;
	struct watch *watch;
	int64_t hint;
	bool has_hint = kfacts_load_hint(facts, cache_dir, place, &hint);

	err = watch_create(client, facts, has_hint ? &hint : NULL, &what, &watch);
	if (err)
		return err;
	s->began = true;
	if (!has_hint || hint != watch_kaslr_offset(watch))
		kfacts_store_hint(facts, cache_dir, place, watch_kaslr_offset(watch));
	err = show_begin(s, facts, watch);
	if (!err)
		err = follow(s, watch);
	end_err = watch_end(watch);
	/* The guest ended the watch, and may be gone with its breakpoints. */
	if (err || *s->why)
		kt_error_destroy(end_err);
	else
		err = end_err;
	s->stats = *watch_stats(watch);
	watch_destroy(watch);
	return err;
}

static struct kt_error *watch_guest(struct session *s)
{
	struct rsp_client *client;
	struct kt_error *err, *detach_err;

	err = rsp_client_connect(&s->guest.target, &s->guest.stub, &client);
	if (err)
		return err;
	err = watch_stopped_guest(s, client);
	/* The guest stays paused, as that somebody wants it. */
	if (s->was_paused)
		rsp_client_set_leave_stopped(client, true);
	detach_err = rsp_client_detach(client);
	rsp_client_destroy(client);
	if (!err && !*s->why)
		return detach_err;
	kt_error_destroy(detach_err);
	return err;
}

static struct kt_error *run(struct session *s)
{
	struct kt_error *err, *show_err;

	do
		err = watch_guest(s);
	while (err && !s->began && cli_session_try_again(&s->guest, &err));
	/* The summary comes however the watch ended. */
	show_err = s->began ? show_summary(s) : NULL;
	if (err || !*s->why) {
		if (err)
			kt_error_destroy(show_err);
		return err ? err : show_err;
	}
	kt_error_destroy(show_err);
	return kt_error_new(KT_ERROR_CLOSED, "the watch ends: %s", s->why);
}

static int watch_with(const struct options *options)
{
	struct session session = {
		.options = options,
		.color = cli_color_on(options->color, stdout),
	};
	struct cli_session *guest = &session.guest;
	struct kt_error *err = cli_session_open(guest, &options->guest, options->target,
						options->logs);

	if (!err)
		err = cli_session_know(guest, INSPECT_LOADS);
	guest->retry_ms = 100; /* soon enough for the first loads of a guest that boots */
	if (!err)
		err = cli_session_name_file(guest, run(&session));
	kt_vec_free(&session.pauses);
	cli_session_deinit(guest);
	if (err)
		return cli_fail(err);
	return session.stdout_failed ? CLI_CANNOT : CLI_DONE;
}

static struct kt_error *take_overhead(const char *arg, double *ret)
{
	char *end;
	double value = strtod(arg, &end);

	if (end == arg || (*end && strcmp(end, "%") != 0) || !(value >= 0.01) || value > 50)
		return kt_error_new(KT_ERROR_USAGE,
				    "--max-overhead takes a share of time in percent, from 0.01 "
				    "to 50, not \"%s\"",
				    arg);
	*ret = value / 100;
	return NULL;
}

static struct kt_error *take_option(struct options *o, int option, const char *arg)
{
	bool taken;

	switch (option) {
	case OPT_FAILED: o->failed = true; return NULL;
	case OPT_COUNT: return cli_number("--count", arg, 1, INT32_MAX, &o->count);
	case OPT_DURATION: return cli_seconds("--duration", arg, &o->duration_s);
	case OPT_LOGS: o->logs = arg; return NULL;
	case OPT_LAST: o->last = true; return NULL;
	case OPT_PROGRESS: o->progress = true; return NULL;
	case OPT_MAX_OVERHEAD: return take_overhead(arg, &o->max_overhead);
	case CLI_OPT_JSON: o->json = true; return NULL;
	case CLI_OPT_COLOR: return cli_color_option(arg, &o->color);
	case CLI_OPT_NAME: return kt_vec_push(&o->globs, arg) ? NULL : kt_error_no_memory();
	default: return cli_guest_option(&o->guest, option, arg, &taken);
	}
}

static const struct option long_options[] = {
	CLI_GUEST_OPTIONS,
	{"failed", no_argument, NULL, OPT_FAILED},
	{"name", required_argument, NULL, CLI_OPT_NAME},
	{"count", required_argument, NULL, OPT_COUNT},
	{"duration", required_argument, NULL, OPT_DURATION},
	{"logs", required_argument, NULL, OPT_LOGS},
	{"last", no_argument, NULL, OPT_LAST},
	{"progress", no_argument, NULL, OPT_PROGRESS},
	{"max-overhead", required_argument, NULL, OPT_MAX_OVERHEAD},
	{"json", no_argument, NULL, CLI_OPT_JSON},
	{"color", required_argument, NULL, CLI_OPT_COLOR},
	{"help", no_argument, NULL, 'h'},
	{0},
};

int cli_watch(int argc, char **argv)
{
	struct options options = {.max_overhead = 0.01};
	struct kt_error *err;
	int c, status;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return cli_print(cli_guest_help);
		}
		if (c == '?')
			return CLI_USAGE;
		err = take_option(&options, c, optarg);
		if (err)
			return cli_fail(err);
	}
	err = cli_one_target(argc - optind, argv + optind);
	if (err)
		return cli_fail(err);
	options.target = argv[optind];
	status = watch_with(&options);
	kt_vec_free(&options.globs);
	return status;
}
