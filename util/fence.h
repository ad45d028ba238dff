/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sandbox for this process, which cannot be left again. Afterwards only the named files can be
 * opened, no program can be started, and no process outside can be traced or signalled. Unix
 * sockets are not limited: neither Landlock nor seccomp can tell them apart by path. UDP is not
 * limited either, if there is a TCP port.
 *
 * Landlock limits files (Linux 5.13), TCP (6.7, ABI 4) and signals (6.12, ABI 6); seccomp limits
 * the rest. What this kernel does not support is left out.
 *
 * It holds for the calling thread and those that it starts: call it before there are other threads.
 * The process keeps a file descriptor for each named place.
 * Internal to the tool; not a public header.
 */
#ifndef KT_UTIL_FENCE_H
#define KT_UTIL_FENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/vec.h"

enum kt_fence_right {
	KT_FENCE_READ,  /* a file, or all that is beneath a directory */
	KT_FENCE_WRITE, /* likewise, and files there can be made, replaced and removed */
};

/* A place that can still be used. One that does not exist is left out. */
struct kt_fence_place {
	const char *path;
	enum kt_fence_right right;
};

struct kt_fence {
	KT_VEC(struct kt_fence_place) places;
	/* TCP can connect to this port and to that of DNS only. 0: there is no network at all. */
	uint16_t tcp_port;
};

/* What is in force. */
struct kt_fence_state {
	int landlock; /* the ABI that is used; 0: the kernel has none */
	bool seccomp;
};

/* Files that are open already stay open. */
struct kt_fence_state kt_fence_put_up(const struct kt_fence *fence);

#endif
