// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/attach.h"
#include "cli/cli.h"
#include "util/cleanup.h"

static const char help[] =
	"Usage: ktstr-gdb attach [TARGET] --vmlinux FILE [OPTION...]\n"
	"\n"
	"Prints the BPF programs of a running QEMU guest. The guest stops for a\n"
	"few milliseconds, and runs on.\n"
	"\n"
	"TARGET is HOST:PORT, :PORT or unix:PATH; if not given, :1234, where `qemu -s`\n"
	"listens.\n"
	"\n";

int cli_attach_to(const char *target_text, const struct cli_guest *guest,
		  const struct cli_output *output)
{
	_cleanup_(rsp_target_deinit) struct rsp_target target = {0};
	_cleanup_(inspection_deinit) struct inspection inspection = {0};
	struct cli_result result = {.inspection = &inspection};
	const struct kfacts_sources sources = cli_sources(guest);
	struct kfacts *facts;
	struct kt_error *err;
	int status;

	if (!cli_sources_name(&sources))
		return cli_fail(
			kt_error_hint(kt_error_new(KT_ERROR_USAGE, "the guest's kernel is needed"),
				      "--vmlinux FILE takes its vmlinux or the distro's vmlinuz"));
	err = cli_output_check(output);
	if (!err)
		err = rsp_target_parse(target_text, &target);
	if (err)
		return cli_fail(err);
	cli_cancel_fd();
	err = cli_load_facts(&sources, !guest->no_cache, &facts, &result.resolve_ns,
			     &result.cached);
	if (err)
		return cli_fail(err);
	err = cli_inspect(&target, guest, facts, &inspection);
	if (err && kt_error_code(err) == KT_ERROR_MISMATCH)
		err = kt_error_wrap(err, "%s", cli_sources_name(&sources));
	result.facts = facts;
	if (!err && inspection.was_paused && !guest->leave_stopped)
		cli_note("the guest was paused before, and runs now; --leave-stopped keeps it so");
	status = err ? cli_fail(err) : cli_show(&result, output);
	kfacts_destroy(facts);
	return status;
}

int cli_attach(int argc, char **argv)
{
	static const struct option options[] = {
		CLI_GUEST_OPTIONS, CLI_OUTPUT_OPTIONS, {"help", no_argument, NULL, 'h'}, {0}};
	_cleanup_(cli_output_deinit) struct cli_output output = {0};
	struct cli_guest guest = {0};
	int c;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		struct kt_error *err;
		bool taken;

		if (c == 'h') {
			fputs(help, stdout);
			fputs(cli_guest_help, stdout);
			fputs("\n", stdout);
			return cli_print(cli_output_help);
		}
		if (c == '?')
			return CLI_USAGE;
		err = cli_guest_option(&guest, c, optarg, &taken);
		if (!taken)
			err = cli_output_option(&output, c, optarg, &taken);
		if (err)
			return cli_fail(err);
	}
	if (argc - optind > 1)
		return cli_fail(kt_error_new(KT_ERROR_USAGE, "one TARGET, not also \"%s\"",
					     argv[optind + 1]));
	return cli_attach_to(argv[optind], &guest, &output);
}
