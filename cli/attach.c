// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/attach.h"
#include "cli/show.h"
#include "render/objects.h"
#include "util/cleanup.h"

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

static struct render_grid columns(void)
{
	return render_programs_grid(&(struct programs){0});
}

/* clang-format off */
static const struct cli_option own_options[] = {
	{"tag", CLI_OPT_TAG, "TAG",
	 "only programs with this tag; may be given again"},
	CLI_HOLDERS_OPTION,
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	struct cli_args args = {0};
	int status = cli_parse_args(&cli_attach_command, argc, argv, &args);

	if (status == CLI_GO_ON)
		status = cli_attach_to(&args);
	cli_output_deinit(&args.output);
	return status;
}

/* clang-format off */
const struct cli_command cli_attach_command = {
	.name = "attach",
	.summary = "the BPF programs of a running guest",
	.section = CLI_RUNNING,
	.uses = {{"attach [TARGET]", "its BPF programs"}},
	.synopsis = "attach [TARGET] [OPTION...]",
	.text = "Prints the BPF programs of a running QEMU guest. The guest stops for a\n"
		"few milliseconds, and runs on. Without --vmlinux, its kernel is read from its\n"
		"memory, in short stops, the first time that it is seen.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", cli_output_options, NULL},
		{NULL, own_options, NULL},
	},
	.examples = {{"ktstr-gdb attach :1234",
		      "The guest of `qemu -s`. Without a TARGET: that one, or the only VM of this host."},
		     {"ktstr-gdb attach :1234 --sort verified_insns -o id,name,verified_insns",
		      "What cost the verifier most?"},
		     {"ktstr-gdb attach libvirt:vm1 --wait 60",
		      "A domain of libvirt that boots right now."}},
	.see = "bpftool-prog(8), ktstr-gdb-watch(1)",
	.takes = CLI_TAKES_TARGET,
	.grid = columns,
	.type = cli_prog_type,
	.run = run_command,
};
/* clang-format on */
