/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stub to connect to. */
#ifndef KT_GDBRSP_TARGET_H
#define KT_GDBRSP_TARGET_H

#include "util/error.h"

struct rsp_target {
	char *host; /* "localhost" where none was given; NULL for a Unix socket */
	char *port; /* decimal, 1..65535 */
	char *path; /* NULL for TCP */
	char *text; /* as the user wrote it, for messages */
};

/*
 * Reads TARGET, in the forms of util/stub_address.h. NULL text means ":1234", where `qemu -s`
 * listens. The caller owns *ret. KT_ERROR_USAGE: text is none of these forms; the hint lists them.
 */
struct kt_error *rsp_target_parse(const char *text, struct rsp_target *ret);
void rsp_target_deinit(struct rsp_target *target);

#endif
