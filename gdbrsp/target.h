/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a GDB stub listens: HOST:PORT, :PORT (localhost) or unix:PATH. */
#ifndef KT_GDBRSP_TARGET_H
#define KT_GDBRSP_TARGET_H

#include "util/error.h"

struct rsp_target {
	char *host; /* NULL for a Unix socket */
	char *port; /* decimal, 1..65535 */
	char *path; /* NULL for TCP */
	char *text; /* as the user wrote it, for messages */
};

/*
 * Reads TARGET. NULL text means ":1234", which is where `qemu -s` listens. A bare
 * port number is taken as :PORT; [V6ADDR]:PORT is understood, and so is "tcp:" before it, as
 * QEMU's -gdb has it. The caller owns *ret.
 * KT_ERROR_USAGE lists the accepted forms.
 */
struct kt_error *rsp_target_parse(const char *text, struct rsp_target *ret);
void rsp_target_deinit(struct rsp_target *target);

#endif
