/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stopping a guest and letting it run, over one connection to its GDB stub. */
#ifndef KT_MEMORY_GATHER_STUB_H
#define KT_MEMORY_GATHER_STUB_H

#include "gdbrsp/client.h"
#include "memory/gather.h"

/*
 * The first stop connects, and so has one guardian made; the later ones interrupt the guest, and
 * `vCont;c` lets it run. A guest that was paused before, or is to be left stopped, stands all the
 * time. So does one that somebody else stops meanwhile, and it is left as that.
 */
struct gather_stub {
	const struct rsp_target *target;
	const struct rsp_options *options;
	/* NULL before the first stop. The caller may take it away, and put NULL here. */
	struct rsp_client *client;
	bool was_paused; /* the guest stood before the first connection, as far as the stub tells */
	bool stands;     /* it is not let run */
	int64_t stopped_ns;
};

/* target and options are the caller's, and so is *stub, which the stops use. */
struct gather_stops gather_stub_stops(struct gather_stub *stub);

/* Detaches. */
void gather_stub_deinit(struct gather_stub *stub);

#endif
