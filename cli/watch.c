// SPDX-License-Identifier: LGPL-2.1-or-later
/* watch: prints each load of a BPF program in a running guest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/following.h"
#include "cli/sched_events.h"
#include "cli/session.h"
#include "model/load_filter.h"
#include "model/load_fold.h"
#include "render/load.h"
#include "render/log_last.h"
#include "render/text.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "watch/watch.h"

enum {
	OPT_FAILED = CLI_OPT_OWN,
	OPT_COUNT,
	OPT_DURATION,
	OPT_LOGS,
	OPT_LAST,
	OPT_PROGRESS,
	OPT_MAX_OVERHEAD,
	OPT_COMM,
	OPT_PID,
	OPT_MIN_INSNS,
	OPT_ALL,
	OPT_STOP_AT_ALL,
	OPT_SCHED,
	OPT_DUMP,
};

struct options {
	struct cli_guest guest;
	const char *target;
	bool json, last, progress, all, stop_at_all, sched;
	long count;          /* 0: without end */
	double duration_s;   /* likewise */
	double max_overhead; /* 0: not given */
	const char *logs, *dump;
	enum cli_color color;
	struct load_filter filter;
};

/* The state of a watch. */
struct session {
	struct cli_following following;
	const struct options *options;
	struct load_summary summary;
	struct load_fold fold;
	struct cli_sched_events sched;
	KT_VEC(int64_t) pauses;
	uint64_t shown;
	size_t width; /* of the terminal; 80 if stdout is none */
	bool color;
};

static struct session *session_of(struct cli_following *f)
{
	return (struct session *)f;
}

/* --- showing --- */

static void count(struct session *s, const struct bpf_load *load)
{
	struct load_summary *sum = &s->summary;

	if (!load->error.known)
		sum->unknown++;
	else if (load->error.value)
		sum->failed++;
	else
		sum->passed++;
	sum->probes += load->role == BPF_LOAD_PROBE;
	sum->retries += load->role == BPF_LOAD_RETRY;
	sum->insns += load->verified_insns.value;
	if (load->verified_insns.value > sum->most_insns) {
		sum->most_insns = load->verified_insns.value;
		free(sum->most_name);
		sum->most_name = strdup(bpf_load_name(load)); /* NULL is shown as no name */
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
	struct kt_error *err;

	if (render_load_log_only(load))
		return render_load_why_enospc(load, ret);
	err = render_log_last((struct kt_text){load->log, load->log_len},
			      (struct kt_text){load->name, strlen(load->name)}, &raw);
	if (!err) {
		render_append_visible_bytes(&text, raw.data ? raw.data : "", raw.len, true);
		err = kt_buf_finish(&text, ret);
	}
	kt_buf_deinit(&raw);
	return err;
}

static struct kt_error *show_load(struct session *s, const struct bpf_load *load)
{
	bool folded = load->role != BPF_LOAD_ORDINARY && !s->options->all;
	_cleanup_free_ char *line = NULL, *last = NULL;
	struct kt_error *err = NULL;

	count(s, load);
	if (!load_filter_takes(&s->options->filter, load))
		return NULL;
	s->shown += !folded;
	if (s->options->logs && load->log)
		err = save_log(s, load);
	if (!err && load->log && (s->options->last || render_load_log_only(load)))
		err = last_of(load, &last);
	if (err)
		return err;
	/* What follows, folded or not, is for a person; a program can tell by itself. */
	if (s->options->json)
		err = render_load_json(load, last, &line);
	else if (!folded)
		err = render_load_line(load, s->width, s->color, &line);
	if (err)
		return err;
	if (line)
		cli_following_put(&s->following, line);
	if (last && !s->options->json) {
		cli_following_put(&s->following, last);
		cli_following_put(&s->following, "\n");
	}
	return NULL;
}

static bool is_done(const struct cli_following *f)
{
	const struct session *s = (const struct session *)f;

	return s->options->count && s->shown >= (uint64_t)s->options->count;
}

/* Shows the loads of which is known by now what they are. */
static struct kt_error *show_loads(struct session *s)
{
	struct kt_error *err = NULL;
	struct bpf_load load;

	while (!err && !s->following.stdout_failed && !is_done(&s->following) &&
	       load_fold_next(&s->fold, &load)) {
		err = show_load(s, &load);
		bpf_load_deinit(&load);
	}
	return err;
}

static int64_t realtime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct kt_error *show_progress(struct session *s, const struct bpf_load_progress *progress)
{
	_cleanup_free_ char *line = NULL;
	struct kt_error *err = s->options->json ? render_load_progress_json(progress, &line)
						: render_load_progress_line(progress, &line);

	if (!err)
		cli_following_put(&s->following, line);
	return err;
}

/* Tells that the watch has begun: a script may wait for that. */
static struct kt_error *show_begin(struct cli_following *f, const struct watch *watch)
{
	const struct kfacts_kernel *kernel = kfacts_kernel(f->guest.facts);
	int64_t kaslr_offset = watch_kaslr_offset(watch) + kernel->moved;
	struct session *s = session_of(f);
	const struct options *o = s->options;
	_cleanup_free_ char *line = NULL;
	struct kt_error *err;

	s->summary.only_failing = watch_only_failing(watch);
	if (!watch_sees_verifier(watch) && !watch_only_failing(watch))
		cli_note("Linux %s has no bpf_vlog_finalize() (it came with 6.4): seen are the "
			 "results of loads, and of those that passed what the kernel keeps%s",
			 kernel->release,
			 o->logs || o->last || o->progress ? "; no logs, and no progress" : "");
	err = s->options->json ? render_load_begin_json(kernel->release,
							kernel->moved_known ? &kaslr_offset : NULL,
							watch_sees_verifier(watch),
							watch_only_failing(watch), &line)
			       : render_load_head(s->width, &line);
	if (!err)
		cli_following_put(&s->following, line);
	return err;
}

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Only what is dropped at the stops is the watch's doing. -1: not known. */
static int64_t load_cost_ns(const struct watch_stats *stats)
{
	if (!stats->drops.known)
		return -1;
	return stats->drops.value * 2 > stats->stops ? stats->load_cost_ns : 0;
}

static struct kt_error *show_summary(struct cli_following *f)
{
	const struct watch_stats *stats = &f->stats;
	struct session *s = session_of(f);
	_cleanup_free_ char *text = NULL;
	struct kt_error *err;

	s->summary.stops = stats->stops;
	s->summary.paused_ns = stats->paused_ns;
	s->summary.looked_ns = stats->looked_ns;
	s->summary.elapsed_ns = stats->until_ns - stats->since_ns;
	s->summary.folded = !s->options->all && !s->options->json;
	s->summary.drops = stats->drops;
	s->summary.load_cost_ns = load_cost_ns(stats);
	s->summary.behind_known = stats->behind_known;
	s->summary.behind_ns = stats->behind_ns;
	if (s->pauses.len) {
		qsort(s->pauses.data, s->pauses.len, sizeof(*s->pauses.data), compare_ns);
		s->summary.median_pause_ns = s->pauses.data[s->pauses.len / 2];
	}
	if (s->options->json)
		err = render_load_summary_json(&s->summary, *f->why ? f->why : NULL, &text);
	else
		err = render_load_summary(&s->summary, &text);
	if (!err)
		cli_following_put(&s->following, text);
	return err;
}

/* --- watching --- */

/* How long to wait for an event: until the end of the watch, or until a load has waited enough. */
static int64_t wait_ms(const struct cli_following *f, int64_t wait)
{
	const struct session *s = (const struct session *)f;
	int64_t due_ns = load_fold_due_ns(&s->fold), due_ms;

	if (due_ns == INT64_MAX)
		return wait;
	due_ms = (due_ns - realtime_ns()) / 1000000 + 1;
	due_ms = due_ms < 1 ? 1 : due_ms;
	return wait < 0 || due_ms < wait ? due_ms : wait;
}

static struct kt_error *show_sched(struct session *s, const struct watch *watch,
				   struct sched_event *event)
{
	_cleanup_free_ char *line = NULL;
	struct kt_error *err = cli_sched_event(&s->sched, &s->following.guest,
					       watch_kaslr_offset(watch), event, &line);

	if (!err)
		cli_following_put(&s->following, line);
	cli_sched_events_tell(&s->sched);
	return err;
}

static struct kt_error *show_event(struct cli_following *f, const struct watch *watch,
				   struct watch_event *event)
{
	struct session *s = session_of(f);
	struct kt_error *err = NULL;

	switch (event->kind) {
	case WATCH_LOAD: err = load_fold_add(&s->fold, &event->load); break;
	case WATCH_SCHED: err = show_sched(s, watch, &event->sched); break;
	case WATCH_PROGRESS: err = show_progress(s, &event->progress); break;
	case WATCH_NO_PROGRESS: cli_note("%s", event->why); break;
	default: break;
	}
	bpf_load_deinit(&event->load);
	bpf_load_progress_deinit(&event->progress);
	if (!err)
		err = load_fold_let_go(&s->fold, realtime_ns());
	return err ? err : show_loads(s);
}

/* A load that still waits is shown, and counts. */
static struct kt_error *let_go(struct cli_following *f)
{
	struct session *s = session_of(f);
	struct kt_error *err = load_fold_let_go(&s->fold, INT64_MAX);

	return err ? err : show_loads(s);
}

static const struct cli_following_ops ops = {
	.begin = show_begin,
	.show = show_event,
	.is_done = is_done,
	.wait_ms = wait_ms,
	.let_go = let_go,
	.end = show_summary,
};

/*
 * Makes the directory of --logs, and checks that the file of --dump is in it: a watch may write to
 * one directory only.
 */
static struct kt_error *check_same_dir(const char *logs, const char *dump_dir)
{
	bool is_new = !mkdir(logs, 0777);
	struct stat a, b;

	if (stat(logs, &a))
		return kt_error_os(errno, "cannot make the directory %s", logs);
	if (!stat(dump_dir, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return NULL;
	if (is_new)
		rmdir(logs);
	return kt_error_new(KT_ERROR_USAGE, "with --logs %s, --dump takes a file in that directory",
			    logs);
}

/* The directory that files go to: of --logs, or of the file of --dump. */
static struct kt_error *results_dir(const struct options *options, char **ret)
{
	const char *logs = options->logs, *dump = options->dump;
	struct kt_error *err = NULL;

	if (!logs && !dump)
		return NULL;
	*ret = dump ? cli_sched_events_dir(dump) : strdup(logs);
	if (!*ret)
		return kt_error_no_memory();
	if (logs && dump)
		err = check_same_dir(logs, *ret);
	return err || !dump ? err : cli_sched_events_check(dump);
}

static int watch_with(const struct options *options)
{
	_cleanup_free_ char *dir = NULL;
	struct session session = {
		.following = {.ops = &ops,
			      .what = {.logs = options->logs || options->last,
				       .progress = options->progress,
				       .only_failing = options->filter.failed &&
						       !options->stop_at_all,
				       .max_overhead = options->max_overhead,
				       .sched = options->sched},
			      .duration_s = options->duration_s},
		.options = options,
		.sched = {.json = options->json, .dump = options->dump},
		.color = cli_color_on(options->color, stdout),
		.width = cli_table_width(),
	};
	struct cli_session *guest = &session.following.guest;
	struct kt_error *err = results_dir(options, &dir);

	if (!err)
		err = cli_session_open(guest, &options->guest, options->target, dir);
	if (!err)
		err = cli_session_know(guest,
				       INSPECT_LOADS | (options->sched ? INSPECT_SCHED_EVENTS : 0));
	guest->retry_ms = 100; /* soon enough for the first loads of a guest that boots */
	if (!err)
		err = cli_session_name_file(guest, cli_following_run(&session.following));
	kt_vec_free(&session.pauses);
	load_fold_deinit(&session.fold);
	cli_sched_events_deinit(&session.sched);
	free(session.summary.most_name);
	cli_session_deinit(guest);
	if (err)
		return cli_fail(err);
	return session.following.stdout_failed || session.sched.lost ? CLI_CANNOT : CLI_DONE;
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

static struct kt_error *add_types(struct load_filter *filter, char *arg)
{
	for (char *save, *type = strtok_r(arg, ",", &save); type; type = strtok_r(NULL, ",", &save))
		if (!kt_vec_push(&filter->types, type))
			return kt_error_no_memory();
	return filter->types.len ? NULL
				 : kt_error_new(KT_ERROR_USAGE, "--type takes types as bpftool "
								"names them, such as xdp,kprobe");
}

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct options *o = context;
	struct kt_error *err;
	long number = 0;
	bool taken;

	switch (option->value) {
	case OPT_FAILED: o->filter.failed = true; return NULL;
	case OPT_ALL: o->all = true; return NULL;
	case OPT_STOP_AT_ALL: o->stop_at_all = true; return NULL;
	case OPT_COMM: return kt_vec_push(&o->filter.comms, arg) ? NULL : kt_error_no_memory();
	case OPT_MIN_INSNS:
		err = cli_number("--min-insns", arg, 1, INT32_MAX, &number);
		o->filter.min_insns = (uint64_t)number;
		return err;
	case OPT_PID:
		err = cli_number("--pid", arg, 1, INT32_MAX, &number);
		if (!err && !kt_vec_push(&o->filter.pids, (uint32_t)number))
			err = kt_error_no_memory();
		return err;
	case CLI_OPT_TYPE: return add_types(&o->filter, arg);
	case OPT_COUNT: return cli_number("--count", arg, 1, INT32_MAX, &o->count);
	case OPT_DURATION: return cli_seconds("--duration", arg, &o->duration_s);
	case OPT_LOGS: o->logs = arg; return NULL;
	case OPT_SCHED: o->sched = true; return NULL;
	case OPT_DUMP: o->dump = arg; return NULL;
	case OPT_LAST: o->last = true; return NULL;
	case OPT_PROGRESS: o->progress = true; return NULL;
	case OPT_MAX_OVERHEAD: return take_overhead(arg, &o->max_overhead);
	case CLI_OPT_JSON: o->json = true; return NULL;
	case CLI_OPT_COLOR: return cli_color_option(arg, &o->color);
	case CLI_OPT_NAME: return kt_vec_push(&o->filter.names, arg) ? NULL : kt_error_no_memory();
	default: return cli_guest_option(&o->guest, option->value, arg, &taken);
	}
}

/* clang-format off */
static const struct cli_option shown_options[] = {
	{"failed", OPT_FAILED, NULL,
	 "only loads that fail; the others do not stop the guest, where the kernel's code allows that "
	 "(see above)"},
	{"stop-at-all", OPT_STOP_AT_ALL, NULL,
	 "with --failed: stop at every load all the same"},
	{"name", CLI_OPT_NAME, "GLOB",
	 "only programs whose name matches; may be given again"},
	{"type", CLI_OPT_TYPE, "TYPE[,TYPE]",
	 "only programs of these types, as bpftool names them"},
	{"comm", OPT_COMM, "GLOB",
	 "only loads by processes whose name matches; may be given again"},
	{"pid", OPT_PID, "N",
	 "only loads by that process; may be given again"},
	{"min-insns", OPT_MIN_INSNS, "N",
	 "only loads for which the verifier processed that many instructions"},
	{"all", OPT_ALL, NULL,
	 "libbpf's own loads, too: its probes of what the kernel can do, and its second try for the log "
	 "of a load that failed"},
	{"count", OPT_COUNT, "N",
	 "end after N loads"},
	{"duration", OPT_DURATION, "SECONDS",
	 "end after that time"},
	{"logs", OPT_LOGS, "DIR",
	 "of each load that fails, the log that its loader asked for (libbpf does when it tries again), "
	 "a file each in DIR"},
	{"last", OPT_LAST, NULL,
	 "what of that log leads to the error, below the line"},
	{"progress", OPT_PROGRESS, NULL,
	 "how far loads are that last: instructions, states, and the source line at hand"},
	{"max-overhead", OPT_MAX_OVERHEAD, "PCT",
	 "the share of time that the guest may be stopped, from 0.01 to 50. If it is more over 5 "
	 "seconds, --progress ends first; if it still is, the watch ends (exit status 3), and the guest "
	 "runs on. Without this, a watch does not end by itself, and --progress takes 1 % at most"},
	{"sched", OPT_SCHED, NULL,
	 "what happens to sched_ext, too: `sched watch --help`; needs Linux 6.16 or later, and x86_64"},
	{"dump", OPT_DUMP, "FILE",
	 "with --sched: what was read when a scheduler failed"},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON object a line, with all there is"},
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	struct options options = {0};
	struct kt_error *err;
	int status = cli_parse(&cli_watch_command, argc, argv, take_option, &options);

	if (status != CLI_GO_ON)
		return status;
	err = cli_one_target(argc - optind, argv + optind);
	if (err)
		return cli_fail(err);
	if (options.dump && !options.sched)
		return cli_fail(kt_error_new(KT_ERROR_USAGE, "--dump needs --sched"));
	options.target = argv[optind];
	status = watch_with(&options);
	load_filter_deinit(&options.filter);
	return status;
}

/* clang-format off */
const struct cli_command cli_watch_command = {
	.name = "watch",
	.summary = "each load of a BPF program in a running guest",
	.section = CLI_RUNNING,
	.uses = {{"watch [TARGET]", "a line for each load, as it happens"}},
	.synopsis = "watch [TARGET] [OPTION...]",
	.text = "Prints a line for each BPF program load in a running QEMU guest, passed or\n"
		"failed: who loads what, what comes of it, and what the verifier had to do.\n"
		"Hardware breakpoints stop the guest twice a load, for less than a millisecond in\n"
		"all. Ctrl-C ends it; the guest runs on without them. Guests are of x86_64; of\n"
		"aarch64; and without --failed (but with --stop-at-all) of riscv64 and s390x.\n"
		"\n"
		"What it costs: the guest's clock stands still in each stop, and so falls behind.\n"
		"Under KVM that is all. Under TCG, QEMU up to 10.1 also drops the code that it\n"
		"has translated at each stop: a load of 5 ms then takes 50 to 150 ms, and other\n"
		"work is slow as long. The summary tells what loads cost here, by the guest's own\n"
		"clock, and how far that is behind.\n"
		"\n"
		"With --failed, the breakpoints are where bpf_prog_load() parts the way of loads\n"
		"that fail from that of the others, which so cost nothing. What is not known\n"
		"then: states, stack and time, unless the loader asked for a log (libbpf does\n"
		"when it tries again); how many loads pass; which nameless loads are libbpf's\n"
		"probes, so those that fail are shown. KVM has four breakpoints: a panic of the\n"
		"guest is not seen there, nor a load whose token is not valid. Where four are too\n"
		"few (6.1), and with --progress or --stop-at-all, all loads stop the guest.",
	.groups = {
		{"What is shown", shown_options, "Lines are as wide as the terminal, or 80 columns in a pipe. For that columns are\n"
		 "left out in this order: READ, MAX, PEAK, LOG, STACK, STATES, DURATION, PID,\n"
		 "TIME, COMM; then names are cut."},
		CLI_GUEST_GROUP,
	},
	.examples = {{"ktstr-gdb watch :1234",
		      "Until Ctrl-C."},
		     {"ktstr-gdb watch :1234 --failed --last",
		      "Only loads that fail, and why."}},
	.see = "ktstr-gdb-attach(1), ktstr-gdb-sched-watch(1)",
	.takes = CLI_TAKES_TARGET,
	.type = cli_prog_type,
	.run = run_command,
};
/* clang-format on */
