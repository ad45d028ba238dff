/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A fence around this process, which nothing takes down again: only the files that are named can be
 * opened afterwards, no program can be started, and no process outside be traced or signalled. What
 * stays open: Unix sockets, which neither means tells apart by path, and with a port UDP.
 * Landlock (Linux 5.13) has the files, and from 6.7 (ABI 4) on TCP, from 6.12 (ABI 6) on signals;
 * seccomp has the rest. What the kernel at hand does not have is left out.
 *
 * Of the calling thread and those that it starts: to be called before there are others. Each place
 * stays open, with a file descriptor that this process keeps.
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

/* A place that stays open. One that does not exist is none. */
struct kt_fence_place {
	const char *path;
	enum kt_fence_right right;
};

struct kt_fence {
	KT_VEC(struct kt_fence_place) places;
	/* The only one that TCP can connect to, but for DNS. 0: there is no network at all. */
	uint16_t tcp_port;
};

/* What holds. */
struct kt_fence_state {
	int landlock; /* the ABI that is used; 0: the kernel has none */
	bool seccomp;
};

/* Files that are open stay open. */
struct kt_fence_state kt_fence_put_up(const struct kt_fence *fence);

#endif
