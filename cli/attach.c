// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/attach.h"
#include "cli/show.h"
#include "host/target.h"
#include "util/cleanup.h"

static const char help[] =
	"Usage: ktstr-gdb attach [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"\n"
	"Prints the BPF programs of a running QEMU guest. The guest stops for a\n"
	"few milliseconds, and runs on. Without --vmlinux, its kernel is read from its\n"
	"memory, in short stops, the first time that it is seen.\n"
	"\n" HOST_TARGET_HELP "\n";

int cli_attach_to(const struct cli_args *args)
{
	const struct inspect_options what = {.objects = INSPECT_PROGRAMS |
							cli_output_holders(&args->output) |
							cli_output_metadata(&args->output)};
	_cleanup_(cli_session_deinit) struct cli_session session = {0};
	const struct cli_result result = {.session = &session, .inspection = &session.inspection};
	struct cli_output output = args->output;
	struct kt_error *err = cli_output_check(&args->output);

	if (!err)
		err = cli_session_open(&session, &args->guest, args->target, NULL);
	if (!err)
		err = cli_session_read(&session, &what);
	if (args->output.holders && !output.columns)
		output.columns = "id,type,full_name,pids,pinned";
	return err ? cli_fail(err) : cli_show(&result, &output);
}

int cli_attach(int argc, char **argv)
{
	static const struct option options[] = {CLI_GUEST_OPTIONS,
						CLI_OUTPUT_OPTIONS,
						CLI_HOLDERS_OPTION,
						{"help", no_argument, NULL, 'h'},
						{0}};
	static const struct cli_texts texts = {help, cli_attach_output_help};
	struct cli_args args = {0};
	int status = cli_parse_args(argc, argv, options, &texts, &args);

	if (status == CLI_GO_ON)
		status = cli_attach_to(&args);
	cli_output_deinit(&args.output);
	return status;
}
