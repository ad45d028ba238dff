/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KT_CLI_PROG_H
#define KT_CLI_PROG_H

/* "prog show ...": argv[1] is that word. Returns the exit status. */
int cli_prog_show(int argc, char **argv);

#endif
