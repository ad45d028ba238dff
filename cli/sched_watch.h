/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `sched watch`: argv[0] is as for a command, and "watch" is not among the arguments. */
#ifndef KT_CLI_SCHED_WATCH_H
#define KT_CLI_SCHED_WATCH_H

int cli_sched_watch(int argc, char **argv);

#endif
