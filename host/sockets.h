/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's lists of sockets, of the network namespace of a process. Internal to host/. */
#ifndef KT_HOST_SOCKETS_H
#define KT_HOST_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/vec.h"

struct host_socket {
	bool listens; /* else it is a connection */
	uint64_t inode;
	char *path;    /* as it was bound, of a Unix socket; NULL: TCP */
	uint16_t port; /* of this side */
};

struct host_sockets {
	bool known; /* false: the lists could not be read */
	KT_VEC(struct host_socket) v;
};

/* process: its directory, "/proc/PID". Only named Unix sockets, and TCP. False: no memory. */
bool host_sockets_read(const char *process, struct host_sockets *ret);
void host_sockets_deinit(struct host_sockets *sockets);

#endif
