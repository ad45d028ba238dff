/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keeper's own side; see host/link.h. For the files of this room only.
 *
 * The link asks with a line of JSON, {"id": 1, "do": "open"|"dial"|"hang-up", ...}, and a dial may
 * bring a descriptor with its first byte. The keeper answers each with a line: the same "id", and
 * "error" or what was asked for. End of file is the end of the process that asks.
 */
#ifndef KT_HOST_KEEPER_H
#define KT_HOST_KEEPER_H

#include "host/target.h"

/* The longest line, either way. */
#define HOST_LINE_MAX (64 * 1024)

/*
 * Never returns early: kt_survivor_start()'s run(). arg: the struct host_target. The process that
 * calls it forks the keeper, and is the spare: see host/link.h.
 */
void host_keeper_run(void *arg);

#endif
