// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb prog show: all that is known of one program; without an ID, the list. */
#include <string.h>

#include "cli/attach.h"
#include "cli/prog.h"
#include "cli/show.h"
#include "host/target.h"
#include "render/prog_details.h"
#include "util/cleanup.h"

static const char help[] =
	"Usage: ktstr-gdb prog show ID [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"       ktstr-gdb prog show [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"\n"
	"With an ID, prints all that is known of one BPF program of a running QEMU guest:\n"
	"besides what ktstr-gdb attach can show of it the helpers and kfuncs that it\n"
	"calls, its maps with their names, and its functions with their use of the stack.\n"
	"Without an ID it is ktstr-gdb attach, which lists the programs.\n"
	"\n" HOST_TARGET_HELP "\n";

static const char output_help[] =
	"Output:\n"
	"  --holders            who holds it: processes that have it open, and paths in\n"
	"                       bpffs. The guest stops for longer.\n"
	"  --json               one JSON document\n"
	"  --timing             where the time went, on stderr\n";

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

static int show_program(int argc, char **argv)
{
	static const struct option options[] = {CLI_GUEST_OPTIONS,
						CLI_HOLDERS_OPTION,
						{"json", no_argument, NULL, CLI_OPT_JSON},
						{"timing", no_argument, NULL, CLI_OPT_TIMING},
						{"help", no_argument, NULL, 'h'},
						{0}};
	struct cli_guest guest = {0};
	struct show show = {0};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		struct kt_error *err = NULL;
		bool taken;

		switch (c) {
		case 'h': return cli_print_texts(&(const struct cli_texts){help, output_help});
		case '?': return CLI_USAGE;
		case CLI_OPT_JSON: show.json = true; break;
		case CLI_OPT_TIMING: show.timing = true; break;
		case CLI_OPT_HOLDERS: show.holders = true; break;
		default: err = cli_guest_option(&guest, c, optarg, &taken); break;
		}
		if (err)
			return cli_fail(err);
	}
	return run(argc - optind, argv + optind, &guest, &show);
}

/*
 * Whether the first word that is no option, nor an option's argument, is an ID; or --help is asked
 * for. The options are those of attach, which has all of ours. What is wrong with one, the command
 * says that gets it.
 */
static bool names_program(int argc, char **argv)
{
	static const struct option options[] = {CLI_GUEST_OPTIONS,
						CLI_OUTPUT_OPTIONS,
						CLI_HOLDERS_OPTION,
						{"help", no_argument, NULL, 'h'},
						{0}};
	bool asks = false;
	int c, first;

	opterr = 0;
	while ((c = getopt_long(argc - 1, argv + 1, "+ho:", options, NULL)) != -1)
		asks |= c == 'h';
	first = optind + 1;
	opterr = 1;
	optind = 0; /* the next getopt_long() begins anew */
	return asks || (first < argc && (!strcmp(argv[first], "id") || is_number(argv[first])));
}

int cli_prog_show(int argc, char **argv)
{
	if (names_program(argc, argv))
		return show_program(argc, argv);
	argv[1] = argv[0];
	return cli_attach(argc - 1, argv + 1);
}
