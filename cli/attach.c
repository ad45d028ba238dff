// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/attach.h"
#include "cli/cli.h"
#include "util/cleanup.h"

static const char help[] =
	"Usage: ktstr-gdb attach [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"\n"
	"Prints the BPF programs of a running QEMU guest. The guest stops for a\n"
	"few milliseconds, and runs on. Without --vmlinux, its kernel is read from its\n"
	"memory, in short stops, the first time that it is seen.\n"
	"\n"
	"TARGET is HOST:PORT, :PORT or unix:PATH; if not given, :1234, where `qemu -s`\n"
	"listens.\n"
	"\n";

int cli_attach_to(const char *target, const struct cli_guest *guest,
		  const struct cli_output *output)
{
	static const struct inspect_options what = {.objects = INSPECT_PROGRAMS};
	_cleanup_(inspection_deinit) struct inspection inspection = {0};
	_cleanup_(cli_facts_destroyp) struct kfacts *facts = NULL;
	struct cli_result result = {.inspection = &inspection};
	struct kt_error *err = cli_output_check(output);

	if (!err)
		err = cli_read_target(target, guest, &what, &result, &facts);
	return err ? cli_fail(err) : cli_show(&result, output);
}

int cli_attach(int argc, char **argv)
{
	static const struct option options[] = {
		CLI_GUEST_OPTIONS, CLI_OUTPUT_OPTIONS, {"help", no_argument, NULL, 'h'}, {0}};
	static const struct cli_texts texts = {help, cli_output_help};
	_cleanup_(cli_output_deinit) struct cli_output output = {0};
	struct cli_guest guest = {0};
	const char *target;
	int status = cli_target_args(argc, argv, options, &texts, &guest, &output, &target);

	return status == CLI_GO_ON ? cli_attach_to(target, &guest, &output) : status;
}
