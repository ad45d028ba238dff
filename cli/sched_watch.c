// SPDX-License-Identifier: LGPL-2.1-or-later
/* sched watch: prints what happens to sched_ext in a running guest, and keeps how it ended. */
#include <stdlib.h>
#include <string.h>

#include "cli/following.h"
#include "cli/sched_events.h"
#include "render/sched_event.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "watch/watch.h"

enum { OPT_DUMP = CLI_OPT_OWN, OPT_COUNT, OPT_EXITS, OPT_DURATION };

struct options {
	struct cli_guest guest;
	const char *target;
	long count, exits; /* 0: without end */
	double duration_s; /* likewise */
	struct cli_sched_events events;
};

struct session {
	struct cli_following following;
	struct options *options;
	uint64_t gone; /* schedulers that ended */
};

static struct session *session_of(struct cli_following *f)
{
	return (struct session *)f;
}

static struct kt_error *show_begin(struct cli_following *f, const struct watch *watch)
{
	const struct session *s = session_of(f);
	_cleanup_free_ char *points = NULL, *line = NULL;
	struct kt_error *err = watch_sched_points(watch, &points);

	if (err || !s->options->events.json) {
		if (!err)
			cli_note("watching: %s", points);
		return err;
	}
	err = render_sched_begin_json(kfacts_kernel(f->guest.facts)->release, points, &line);
	if (!err)
		cli_following_put(f, line);
	return err;
}

static struct kt_error *show_end(struct cli_following *f)
{
	const struct session *s = session_of(f);
	const struct watch_stats *stats = &f->stats;
	_cleanup_free_ char *line = NULL;
	struct kt_error *err;

	if (!s->options->events.json)
		return NULL;
	err = render_sched_end_json(s->options->events.shown, stats->stops, stats->paused_ns,
				    stats->until_ns - stats->since_ns, *f->why ? f->why : NULL,
				    &line);
	if (!err)
		cli_following_put(f, line);
	return err;
}

static bool is_done(const struct cli_following *f)
{
	const struct session *s = (const struct session *)f;
	const struct options *o = s->options;

	return (o->count && o->events.shown >= (uint64_t)o->count) ||
	       (o->exits && s->gone >= (uint64_t)o->exits);
}

static struct kt_error *show_event(struct cli_following *f, const struct watch *watch,
				   struct watch_event *event)
{
	struct session *s = session_of(f);
	_cleanup_free_ char *line = NULL;
	struct kt_error *err;

	if (event->kind != WATCH_SCHED)
		return NULL;
	s->gone += event->sched.kind == SCHED_DISABLED;
	err = cli_sched_event(&s->options->events, &f->guest, watch_kaslr_offset(watch),
			      &event->sched, &line);
	if (!err)
		cli_following_put(f, line);
	cli_sched_events_tell(&s->options->events);
	return err;
}

static const struct cli_following_ops ops = {
	.begin = show_begin,
	.show = show_event,
	.is_done = is_done,
	.end = show_end,
};

static int watch_with(struct options *options)
{
	struct session session = {
		.following = {.ops = &ops,
			      .what = {.sched = true, .no_loads = true},
			      .duration_s = options->duration_s},
		.options = options,
	};
	struct cli_session *guest = &session.following.guest;
	const char *file = options->events.dump;
	_cleanup_free_ char *dir = file ? cli_sched_events_dir(file) : NULL;
	struct kt_error *err = file && !dir ? kt_error_no_memory() : NULL;

	if (!err && file)
		err = cli_sched_events_check(file);
	if (!err)
		err = cli_session_open(guest, &options->guest, options->target, dir);
	if (!err)
		err = cli_session_know(guest, INSPECT_LOADS | INSPECT_SCHED_EVENTS);
	guest->retry_ms = 100;
	if (!err)
		err = cli_session_name_file(guest, cli_following_run(&session.following));
	cli_sched_events_deinit(&options->events);
	cli_session_deinit(guest);
	if (err)
		return cli_fail(err);
	return session.following.stdout_failed || options->events.lost ? CLI_CANNOT : CLI_DONE;
}

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct options *o = context;
	bool taken;

	switch (option->value) {
	case OPT_DUMP: o->events.dump = arg; return NULL;
	case OPT_COUNT: return cli_number("--count", arg, 1, INT32_MAX, &o->count);
	case OPT_EXITS: return cli_number("--exits", arg, 1, INT32_MAX, &o->exits);
	case OPT_DURATION: return cli_seconds("--duration", arg, &o->duration_s);
	case CLI_OPT_JSON: o->events.json = true; return NULL;
	default: return cli_guest_option(&o->guest, option->value, arg, &taken);
	}
}

/* clang-format off */
static const struct cli_option shown_options[] = {
	{"dump", OPT_DUMP, "FILE",
	 "what was read when a scheduler failed or ended, as JSON; of a second one FILE.2, and so on. If "
	 "one cannot be saved, the watch goes on, and the exit status is 3"},
	{"count", OPT_COUNT, "N",
	 "end after N lines"},
	{"exits", OPT_EXITS, "N",
	 "end when N schedulers are gone"},
	{"duration", OPT_DURATION, "SECONDS",
	 "end after that time"},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON object a line"},
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	struct options options = {0};
	struct kt_error *err;
	int status = cli_parse(&cli_sched_watch_command, argc, argv, take_option, &options);

	if (status != CLI_GO_ON)
		return status;
	err = cli_one_target(argc - optind, argv + optind);
	if (err)
		return cli_fail(err);
	options.target = argv[optind];
	return watch_with(&options);
}

/* clang-format off */
const struct cli_command cli_sched_watch_command = {
	.name = "sched watch",
	.summary = "what happens to sched_ext in a running guest",
	.section = CLI_RUNNING,
	.uses = {{"sched watch [TARGET]", "a line for each scheduler that comes or ends, and what was there when it failed"}},
	.synopsis = "sched watch [TARGET] [OPTION...]",
	.text = "Prints a line for each thing that happens to sched_ext in a running QEMU guest:\n"
		"a scheduler is enabled, is bypassed, ends (and why), is gone; a CPU comes or\n"
		"goes; a task is rejected; the kernel panics. Ctrl-C ends it; the guest runs on.\n"
		"\n"
		"The guest is stopped at the very instant at which the kernel writes down that a\n"
		"scheduler has failed, before anything of it is torn down. Then all is read, and\n"
		"kept with --dump: the queues and who waits in them, the scheduler's variables by\n"
		"name, the task that the kernel blames, the stack of that CPU. The guest runs on\n"
		"at once. Schedulers below the root one (since 7.1) are in the dump; that one of\n"
		"them ends is not seen.\n"
		"\n"
		"It needs x86_64, and Linux 6.16 or later (scx_root). Elsewhere, see `ktstr-gdb\n"
		"sched`.\n"
		"\n"
		"Debug registers: a processor has four. Two watch writes to scx_root and to the\n"
		"scheduler's exit_kind, the others are at panic() and scx_bypass(). Where there\n"
		"are more (TCG), CPUs, rejects and the end of enabling are seen at once, too;\n"
		"else up to 2 s later, and the line says so. `ktstr-gdb watch --sched` shows\n"
		"loads as well: under KVM it has no registers for panic() and scx_bypass().",
	.groups = {
		{"What is shown, and kept", shown_options, NULL},
		CLI_GUEST_GROUP,
	},
	.examples = {{"ktstr-gdb sched watch :1234 --dump end.dump",
		      "A line for each thing that happens, until Ctrl-C; and all there was when a scheduler failed."}},
	.see = "ktstr-gdb-sched(1), ktstr-gdb-watch(1)",
	.takes = CLI_TAKES_TARGET,
	.run = run_command,
};
/* clang-format on */
