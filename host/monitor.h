/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU's monitor, in QMP's words, whoever carries them: a socket of QEMU's own (host/qmp.h) or
 * libvirt. What QEMU says is hostile: a reply is bounded, and its members are what jansson says.
 */
#ifndef KT_HOST_MONITOR_H
#define KT_HOST_MONITOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

/* The longest reply that is taken from a monitor, in bytes. */
#define HOST_REPLY_MAX (1024 * 1024)

struct host_monitor;

struct host_monitor_ops {
	/*
	 * Sends the command, and with it a copy of fd (-1: none); *ret is the whole reply, an
	 * object with "return" or "error" in it, and the caller's. Until deadline_ns of the
	 * monitor. An error: there was no reply, and the monitor is of no more use.
	 */
	struct kt_error *(*execute)(struct host_monitor *monitor, json_t *command, int fd,
				    json_t **ret);
	void (*destroy)(struct host_monitor *monitor);
};

/* The first member of what an implementation has. */
struct host_monitor {
	const struct host_monitor_ops *ops;
	int64_t deadline_ns; /* of what is executed next, in kt_now_ns() time */
	bool passes_fds;     /* a descriptor can go along */
	bool is_here;        /* QEMU runs on this host, as far as its address tells */
	pid_t pid;           /* of QEMU, as the kernel says; 0: not known */
};

/* Accepts NULL. */
void host_monitor_destroy(struct host_monitor *monitor);

/*
 * Runs a command of QMP. args: taken, NULL for none. *ret is the "return" of the reply, which the
 * caller drops; ret may be NULL. QEMU's own errors: KT_ERROR_UNSUPPORTED if it does not know the
 * command, KT_ERROR_NOT_FOUND for all others, "QEMU says: ...".
 */
struct kt_error *host_monitor_run(struct host_monitor *monitor, const char *command, json_t *args,
				  json_t **ret);

/* `getfd`: QEMU has a copy of fd, by this name, until a command uses or closes it. */
struct kt_error *host_monitor_getfd(struct host_monitor *monitor, const char *name, int fd);

/* A command of the human monitor. *text_ret: what it prints, which the caller frees. */
struct kt_error *host_monitor_hmp(struct host_monitor *monitor, const char *line, char **text_ret);

#endif
