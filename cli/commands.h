/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All commands; each is in the file of its name (report: cli/cells.c). */
#ifndef KT_CLI_COMMANDS_H
#define KT_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct cli_command cli_list_command;
extern const struct cli_command cli_attach_command;
extern const struct cli_command cli_maps_command;
extern const struct cli_command cli_map_command;
extern const struct cli_command cli_links_command;
extern const struct cli_command cli_trampolines_command;
extern const struct cli_command cli_perf_command;
extern const struct cli_command cli_struct_ops_command;
extern const struct cli_command cli_sched_command;
extern const struct cli_command cli_sched_watch_command;
extern const struct cli_command cli_cgroup_command;
extern const struct cli_command cli_net_command;
extern const struct cli_command cli_btf_command;
extern const struct cli_command cli_prog_command;
extern const struct cli_command cli_prog_show_command;
extern const struct cli_command cli_audit_command;
extern const struct cli_command cli_watch_command;
extern const struct cli_command cli_info_command;
extern const struct cli_command cli_collect_command;
extern const struct cli_command cli_replay_command;
extern const struct cli_command cli_sweep_command;
extern const struct cli_command cli_fetch_kernel_command;
extern const struct cli_command cli_cache_command;
extern const struct cli_command cli_report_command;
extern const struct cli_command cli_check_command;
extern const struct cli_command cli_log_command;
extern const struct cli_command cli_explain_command;
extern const struct cli_command cli_diff_command;
extern const struct cli_command cli_layout_command;
extern const struct cli_command cli_doctor_command;
extern const struct cli_command cli_complete_command;
extern const struct cli_command cli_manual_command;

#endif
