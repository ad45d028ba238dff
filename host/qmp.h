/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU's monitor on a socket of its own: `-qmp unix:PATH,server=on,wait=off`, or by TCP. */
#ifndef KT_HOST_QMP_H
#define KT_HOST_QMP_H

#include "host/monitor.h"
#include "util/stub_address.h"

/*
 * Connects, and gets through the greeting, all before deadline_ns in kt_now_ns() time. KT_ERROR_OS:
 * nobody listens (ENOENT, ECONNREFUSED), or this user may not connect. KT_ERROR_TIMEOUT: no
 * greeting, since another client has the monitor. KT_ERROR_PROTOCOL: not QMP; a monitor for people
 * and a GDB stub are named.
 */
struct kt_error *host_qmp_open(const struct kt_stub_address *address, int64_t deadline_ns,
			       struct host_monitor **ret);

/* The same on a connected stream socket, which is the monitor's from here, success or not. */
struct kt_error *host_qmp_from_fd(int fd, int64_t deadline_ns, struct host_monitor **ret);

#endif
