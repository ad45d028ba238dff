/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stub to connect to. */
#ifndef KT_GDBRSP_TARGET_H
#define KT_GDBRSP_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/* How long to wait. Both are checked at every wait. */
struct rsp_patience {
	int64_t deadline_ns; /* in kt_now_ns() time; after it: KT_ERROR_TIMEOUT */
	int cancel_fd;       /* readable: KT_ERROR_CANCELLED; -1: none */
};

/* What a dialer knows of the guest. */
struct rsp_dialed {
	int64_t stopped_ns; /* the guest runs no longer since then, or soon after; 0: it does */
	bool was_paused;    /* before; so it is left paused */
};

/*
 * Whoever knows more of a guest than its stub does: starts a stub for a connection, and ends it.
 *
 * dial() gives the stub one end of a socket pair, `theirs`, which stays the caller's; the guest
 * stops during the call. For a target with an address `theirs` is -1: the stub is there, the
 * client connects to it next, and dial() only fills *ret.
 *
 * hang_up() comes after each dial(), failed or not, once the client has closed its own end.
 * settled: the client has detached or leaves the guest stopped on purpose. Else a guest that stands
 * still, and ran before, is continued.
 */
struct rsp_dialer {
	struct kt_error *(*dial)(void *context, int theirs, const struct rsp_patience *patience,
				 struct rsp_dialed *ret);
	void (*hang_up)(void *context, bool settled);
	void *context;
	bool paused; /* the guest was, when it was last looked at */
};

struct rsp_target {
	char *host; /* "localhost" where none was given; NULL for a Unix socket */
	char *port; /* decimal, 1..65535 */
	char *path; /* NULL for TCP */
	char *text; /* as the user wrote it, for messages */
	/* NULL: none. With it, host, port and path may all be NULL. Not the target's own. */
	const struct rsp_dialer *dialer;
};

/*
 * Reads TARGET, in the forms of util/stub_address.h. NULL text means ":1234", where `qemu -s`
 * listens. The caller owns *ret. KT_ERROR_USAGE: text is none of these forms; the hint lists them.
 */
struct kt_error *rsp_target_parse(const char *text, struct rsp_target *ret);
void rsp_target_deinit(struct rsp_target *target);

#endif
