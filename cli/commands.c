// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/commands.h"

#include <string.h>

/* In the order in which the list of commands shows them. */
static const struct cli_command *const commands[] = {
	&cli_attach_command,       &cli_maps_command,        &cli_map_command,
	&cli_links_command,        &cli_trampolines_command, &cli_perf_command,
	&cli_struct_ops_command,   &cli_sched_command,       &cli_sched_watch_command,
	&cli_cgroup_command,       &cli_net_command,         &cli_btf_command,
	&cli_prog_command,         &cli_prog_show_command,   &cli_audit_command,
	&cli_watch_command,        &cli_info_command,        &cli_collect_command,
	&cli_replay_command,       &cli_sweep_command,       &cli_report_command,
	&cli_check_command,        &cli_log_command,         &cli_explain_command,
	&cli_diff_command,         &cli_layout_command,      &cli_list_command,
	&cli_fetch_kernel_command, &cli_cache_command,       &cli_doctor_command,
	&cli_complete_command,     &cli_manual_command,
};

const struct cli_command *const *cli_commands(size_t *n_ret)
{
	*n_ret = sizeof(commands) / sizeof(*commands);
	return commands;
}

const struct cli_command *cli_command_find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}
