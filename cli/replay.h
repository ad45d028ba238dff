/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ktstr-gdb replay: the constants of programs that a guest has loaded, and what they cost. */
#ifndef KT_CLI_REPLAY_H
#define KT_CLI_REPLAY_H

#include "cli/options.h"

/* What is to be read, and with what it is compared. Borrows all. */
struct cli_replay {
	const char *target; /* NULL: not given */
	const char *object; /* a BPF object file; NULL: none */
	struct cli_guest guest;
	struct cli_output output;  /* its filter chooses programs; none: the loaded scheduler */
	KT_VEC(const char *) tags; /* choose programs, too */
};

/*
 * Reads the guest, compares it with the object, and writes what was found to fd, the document
 * "ktstr-gdb.replay.v1" without its runs (docs/json.md). From here on this process can open no
 * other files. Returns the exit status.
 */
int cli_replay_read(struct cli_replay *replay, int fd);

#endif
