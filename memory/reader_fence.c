// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "memory/reader_fence.h"
#include "util/fence.h"
#include "util/turns.h"

/* Of the places below, those that a Unix socket needs, too. */
#define PLACES_WITHOUT_PORT 3

void reader_fence_put_up(const struct rsp_target *target)
{
	struct kt_fence_place places[] = {
		/* The guardian reads there whether this process is stopped. */
		{"/proc/self", KT_FENCE_READ},
		/* The C library reads there how many CPUs there are. */
		{"/sys/devices/system/cpu/online", KT_FENCE_READ},
		{"/dev/null", KT_FENCE_WRITE},
		/* To resolve a host's name, where the stub has a port. */
		{"/etc/gai.conf", KT_FENCE_READ},
		{"/etc/host.conf", KT_FENCE_READ},
		{"/etc/hosts", KT_FENCE_READ},
		{"/etc/ld.so.cache", KT_FENCE_READ},
		{"/etc/nsswitch.conf", KT_FENCE_READ},
		{"/etc/resolv.conf", KT_FENCE_READ},
		{"/lib", KT_FENCE_READ},
		{"/usr/lib", KT_FENCE_READ},
	};
	const size_t n = sizeof(places) / sizeof(*places);
	const struct kt_fence fence = {
		.places = {.data = places, .len = target->port ? n : PLACES_WITHOUT_PORT},
		.tcp_port = target->port ? (uint16_t)atoi(target->port) : 0,
	};

	kt_fence_put_up(&fence);
	kt_take_short_turns();
}
