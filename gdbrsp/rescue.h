/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gets a guest to run, on a connection that its owner left at any moment. Allocates nothing. */
#ifndef KT_GDBRSP_RESCUE_H
#define KT_GDBRSP_RESCUE_H

#include <stdbool.h>
#include <stdint.h>

struct rsp_rescue {
	int fd; /* non-blocking */
	const char *process;
	bool leave_stopped; /* put the stub's state back, but do not detach */
	int64_t deadline_ns;
};

/* True: the stub has said that it did all of it. */
bool rsp_rescue(const struct rsp_rescue *rescue);

#endif
