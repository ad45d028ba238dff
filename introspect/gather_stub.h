/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stopping a guest by connecting to its GDB stub, and letting it run by detaching. */
#ifndef KT_INTROSPECT_GATHER_STUB_H
#define KT_INTROSPECT_GATHER_STUB_H

#include "gdbrsp/client.h"
#include "introspect/gather.h"

/* Each stop is a connection of its own, which takes 0.3 ms of a stop of 3 ms. */
struct gather_stub {
	const struct rsp_target *target;
	const struct rsp_options *options;
	struct rsp_client *client;
	bool was_paused; /* the guest stood before the first connection, as far as the stub tells */
	bool asked;      /* was_paused is known */
};

/* target and options are the caller's, and so is *stub, which the stops use. */
struct gather_stops gather_stub_stops(struct gather_stub *stub);

/* Detaches, if an error left that undone. */
void gather_stub_deinit(struct gather_stub *stub);

#endif
