/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people type who know bpftool: its objects, verbs and selectors, as words of this tool. */
#ifndef KT_CLI_WORDS_H
#define KT_CLI_WORDS_H

#include "util/error.h"

/*
 * Rewrites a command line, argv[0] being the command, where it is bpftool's: "map show" is "maps",
 * "link list id 3" is "links --id 3", "prog show name NAME" is "attach --name NAME". *argc and
 * *argv, which has room for what is put in, may change; strings are the old ones, or static.
 * KT_ERROR_USAGE: it is bpftool's, and something else is to be typed here, which the hint says.
 */
struct kt_error *cli_words_of_bpftool(int *argc, char **argv);

/* How many more words than before there may be. */
#define CLI_WORDS_MORE 2

#endif
