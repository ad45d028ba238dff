/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU's monitor by libvirt, which keeps it for itself and passes commands on.
 *
 * libvirt's library is loaded when it is asked for (libvirt.so.0 and libvirt-qemu.so.0), so that
 * the tool runs without it. The functions are declared in host/libvirt.c as libvirt's headers do;
 * they have not changed since 1.0.6, but virDomainQemuMonitorCommandWithFiles(), which came
 * with 8.2. libvirt marks a domain whose monitor somebody used as tainted ("custom-monitor").
 */
#ifndef KT_HOST_LIBVIRT_H
#define KT_HOST_LIBVIRT_H

#include "host/monitor.h"

/*
 * domain: a name, UUID or id. uri NULL: root's qemu:///system; another user's qemu:///session, if
 * that runs, and qemu:///system. Blocks as long as libvirt does.
 *
 * KT_ERROR_UNSUPPORTED: there is no libvirt library, or the domain is not QEMU's, or elsewhere.
 * KT_ERROR_CLOSED: no connection, in libvirt's words. KT_ERROR_NOT_FOUND: there is no such domain.
 * KT_ERROR_USAGE: there are two; the message has the TARGET of each. KT_ERROR_NOT_READY: it does
 * not run.
 */
struct kt_error *host_libvirt_open(const char *uri, const char *domain, struct host_monitor **ret);

#endif
