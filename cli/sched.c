// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb sched: the whole state of sched_ext in a running guest. */
#include <string.h>

#include "cli/show.h"
#include "model/json.h"
#include "model/sched_saved.h"
#include "render/sched.h"
#include "render/sched_dump.h"
#include "util/cleanup.h"
#include "util/io.h"

enum { OPT_FROM = CLI_OPT_OWN };

struct options {
	struct cli_guest guest;
	struct cli_output output;
	const char *target;
	const char *from; /* a file of `sched watch --dump`; NULL: a guest is read */
};

static void note_damage(const struct inspection *in)
{
	if (in->sched.n_unreadable)
		cli_note("%zu of the guest's dispatch queues could not be read and are left out",
			 in->sched.n_unreadable);
	if (in->sched.is_torn)
		cli_note(
			"a list of schedulers or of dispatch queues is damaged, or too long: there "
			"may be more");
	cli_note_unreadable(in->programs.n_unreadable, "prog_idr");
}

static int show(struct cli_session *session, const struct options *options)
{
	const struct cli_result result = {.session = session, .inspection = &session->inspection};
	struct scx_snapshot *sched = &session->inspection.sched;
	char build_id[CLI_BUILD_ID_MAX];
	struct render_guest guest = cli_render_guest(&result, build_id);
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = NULL;
	int status;

	if (!scx_name_programs(sched, &session->inspection.programs))
		err = kt_error_no_memory();
	else if (options->output.json)
		err = render_sched_json(sched, &guest, &text);
	else
		err = render_sched_text(sched, cli_table_width(),
					cli_color_on(options->output.color, stdout), &text);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	note_damage(&session->inspection);
	if (options->output.timing)
		cli_print_timing(&result);
	return status;
}

static int run(const struct options *options)
{
	const struct inspect_options what = {.objects = INSPECT_SCHED | INSPECT_PROGRAMS};
	_cleanup_(cli_session_deinit) struct cli_session session = {0};
	struct kt_error *err = cli_session_open(&session, &options->guest, options->target, NULL);

	if (!err)
		err = cli_session_read(&session, &what);
	return err ? cli_fail(err) : show(&session, options);
}

/* --from: the file may be anything. */
static int show_file(const struct options *options)
{
	_cleanup_(kt_buf_deinit) struct kt_buf file = KT_BUF_INIT;
	_cleanup_(sched_saved_deinit) struct sched_saved saved = {0};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = kt_read_file(options->from, SCHED_SAVED_MAX, &file);

	if (!err)
		err = sched_saved_read((struct kt_text){file.data ? file.data : "", file.len},
				       options->from, &saved);
	if (!err && options->output.json)
		err = kt_json_dump(json_incref(saved.document), &text);
	else if (!err)
		err = render_sched_dump_text(&saved, cli_table_width(),
					     cli_color_on(options->output.color, stdout), &text);
	return err ? cli_fail(err) : cli_print(text);
}

/* clang-format off */
static const struct cli_option output_options[] = {
	{"from", OPT_FROM, "FILE",
	 "what `sched watch --dump`, `collect --dump` or a sweep (the .dump beside a record) kept of a "
	 "scheduler's end"},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document"},
	CLI_TIMING_OPTION,
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct options *o = context;
	struct kt_error *err;
	bool taken;

	if (option->value == OPT_FROM) {
		o->from = arg;
		return NULL;
	}
	err = cli_guest_option(&o->guest, option->value, arg, &taken);
	return err || taken ? err : cli_output_option(&o->output, option->value, arg, &taken);
}

static int run_command(int argc, char **argv)
{
	struct options options = {0};
	struct kt_error *err;
	int status;

	if (argc > 1 && strcmp(argv[1], "watch") == 0)
		return cli_sched_watch_command.run(argc - 1, argv + 1);
	status = cli_parse(&cli_sched_command, argc, argv, take_option, &options);
	if (status != CLI_GO_ON)
		return status;
	err = cli_one_target(argc - optind, argv + optind);
	if (err)
		return cli_fail(err);
	options.target = optind < argc ? argv[optind] : NULL;
	if (options.from && options.target)
		return cli_fail(kt_error_new(KT_ERROR_USAGE,
					     "--from shows a file: there is no TARGET then"));
	return options.from ? show_file(&options) : run(&options);
}

/* clang-format off */
const struct cli_command cli_sched_command = {
	.name = "sched",
	.summary = "the state of sched_ext in a running guest",
	.section = CLI_RUNNING,
	.uses = {{"sched [TARGET]", "the state of sched_ext: schedulers, queues, and the tasks that wait there"}},
	.synopsis = "sched [TARGET] [OPTION...]\n"
		    "sched --from FILE [--json]\n"
		    "sched watch [TARGET] [OPTION...]",
	.text = "Prints the state of sched_ext in a running QEMU guest, as it is at one moment:\n"
		"the schedulers with their programs, event counters and how they ended; CPUs;\n"
		"and each dispatch queue with the tasks that wait in it. CPUs that are alike\n"
		"share a row. The guest stops for some milliseconds, and runs on.\n"
		"\n"
		"A scheduler that has ended is shown as long as a process or a link holds it.\n"
		"A queue is marked as `torn` when its list is damaged, as `cut` when it has more\n"
		"than 1000 tasks (or all have more than 20000), and as `uneven` when the guest\n"
		"was in the middle of a change.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.examples = {{"ktstr-gdb sched :1234",
		      NULL},
		     {"ktstr-gdb sched --from end.dump",
		      "How a scheduler ended, as `ktstr-gdb sched watch --dump` kept it."}},
	.words = "watch",
	.see = "ktstr-gdb-sched-watch(1)",
	.takes = CLI_TAKES_TARGET,
	.run = run_command,
};
/* clang-format on */
