// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb prog show: all that is known of one program; without an ID, the list. */
#include <string.h>

#include "cli/attach.h"
#include "cli/show.h"
#include "render/prog_details.h"
#include "util/cleanup.h"

struct show {
	uint32_t id;
	bool json, timing, holders;
};

static struct kt_error *render(const struct cli_result *result, const struct show *show, char **ret)
{
	const struct inspection *in = result->inspection;
	const struct program *program = programs_find(&in->programs, show->id);
	_cleanup_(prog_details_deinit) struct prog_details details = {0};
	char build_id[CLI_BUILD_ID_MAX];
	struct render_guest guest;
	struct kt_error *err;

	if (!program)
		return kt_error_new(KT_ERROR_FAULT,
				    "the parts of program %u are not mapped in the guest",
				    show->id);
	err = prog_details_init(&details, program, &in->insns, &in->maps);
	if (err)
		return err;
	guest = cli_render_guest(result, build_id);
	return show->json ? render_prog_details_json(&details, &guest, ret)
			  : render_prog_details_text(&details, cli_table_width(), ret);
}

static int show_one(const char *target, const struct cli_guest *guest, const struct show *show)
{
	const struct inspect_options what = {.objects = INSPECT_PROGRAMS | INSPECT_INSNS |
							INSPECT_MAPS | INSPECT_METADATA |
							(show->holders ? INSPECT_HOLDERS : 0),
					     .prog_id = show->id};
	_cleanup_(cli_session_deinit) struct cli_session session = {0};
	const struct cli_result result = {.session = &session, .inspection = &session.inspection};
	struct kt_error *err = cli_session_open(&session, guest, target, NULL);
	_cleanup_free_ char *text = NULL;
	int status;

	if (!err)
		err = cli_session_read(&session, &what);
	if (!err)
		err = render(&result, show, &text);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	cli_note_holders(result.inspection);
	if (show->timing)
		cli_print_timing(&result);
	return status;
}

static bool is_number(const char *word)
{
	return *word && !word[strspn(word, "0123456789")];
}

/* "show [id] ID [TARGET]" */
static int run(int n, char **args, const struct cli_guest *guest, struct show *show)
{
	struct kt_error *err;
	long id = 0;

	if (n > 1 && strcmp(args[1], "id") == 0)
		n--, args++;
	err = cli_id_and_target("prog show", "a program's ID",
				"`ktstr-gdb attach` lists the programs", n - 1, args + 1, &id);
	show->id = (uint32_t)id;
	return err ? cli_fail(err) : show_one(n > 2 ? args[2] : NULL, guest, show);
}

struct command_line {
	struct cli_guest guest;
	struct show show;
};

/* clang-format off */
static const struct cli_option output_options[] = {
	{"holders", CLI_OPT_HOLDERS, NULL,
	 "who holds it: processes that have it open, and paths in bpffs. The guest stops for longer."},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document"},
	CLI_TIMING_OPTION,
	{0},
};
/* clang-format on */

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	struct command_line *line = context;
	bool taken;

	switch (option->value) {
	case CLI_OPT_JSON: line->show.json = true; return NULL;
	case CLI_OPT_TIMING: line->show.timing = true; return NULL;
	case CLI_OPT_HOLDERS: line->show.holders = true; return NULL;
	default: return cli_guest_option(&line->guest, option->value, arg, &taken);
	}
}

static int show_program(int argc, char **argv)
{
	struct command_line line = {0};
	int status = cli_parse(&cli_prog_show_command, argc, argv, take_option, &line);

	if (status != CLI_GO_ON)
		return status;
	return run(argc - optind, argv + optind, &line.guest, &line.show);
}

/*
 * Whether the first word that is no option, nor an option's argument, is an ID; or --help is asked
 * for. The options are those of attach, which has all of ours.
 */
static bool names_program(int argc, char **argv)
{
	bool asks;
	int first = cli_first_argument(&cli_attach_command, argc - 1, argv + 1, &asks) + 1;

	return asks || (first < argc && (!strcmp(argv[first], "id") || is_number(argv[first])));
}

/* argv[1] is "show". */
static int run_command(int argc, char **argv)
{
	if (names_program(argc, argv))
		return show_program(argc, argv);
	argv[1] = argv[0];
	return cli_attach_command.run(argc - 1, argv + 1);
}

/* clang-format off */
const struct cli_command cli_prog_show_command = {
	.name = "prog show",
	.summary = "all that is known of a BPF program of a running guest",
	.section = CLI_RUNNING,
	.uses = {{"prog show ID [TARGET]", "all that is known of a program"}},
	.synopsis = "prog show ID [TARGET] [OPTION...]\n"
		    "prog show [TARGET] [OPTION...]",
	.text = "With an ID, prints all that is known of one BPF program of a running QEMU guest:\n"
		"besides what ktstr-gdb attach can show of it the helpers and kfuncs that it\n"
		"calls, its maps with their names, and its functions with their use of the stack.\n"
		"Without an ID it is ktstr-gdb attach, which lists the programs.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.examples = {{"ktstr-gdb prog show 17 :1234",
		      NULL}},
	.see = "bpftool-prog(8), ktstr-gdb-attach(1)",
	.takes = CLI_TAKES_TARGET,
	.run = run_command,
};
/* clang-format on */
