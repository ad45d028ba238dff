/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU's command line: what it says of the machine and of ways to reach it. Pure: reads no process.
 * Of what is on the command line, QEMU may have changed much since. Internal to host/.
 */
#ifndef KT_HOST_ARGS_H
#define KT_HOST_ARGS_H

#include "model/program.h"
#include "util/buf.h"
#include "util/error.h"
#include "util/vec.h"

/* Where QEMU listens: a Unix socket, or TCP. */
struct host_endpoint {
	char *path;        /* NULL: TCP */
	char *host, *port; /* host may be "" */
};

struct host_args {
	/* NULL: not said. */
	char *name, *uuid;
	char *accel;  /* "kvm", or "kvm:tcg" if the second is for where the first does not work */
	char *kernel; /* a path, as QEMU's process has it */
	struct program_number vcpus, memory;          /* memory in bytes */
	KT_VEC(struct host_endpoint) stubs, monitors; /* QMP's monitors, of those that listen */
	char *libvirt_file; /* a path in libvirt's directory for this domain; NULL: none is said */
	bool libvirt;       /* started by libvirt, which has the monitor */
	bool hmp;           /* a monitor that speaks HMP */
};

/* A file that the command line names (-readconfig), whole in an empty buffer. */
struct host_reader {
	struct kt_error *(*read)(void *context, const char *path, struct kt_buf *ret);
	void *context;
};

/* How many arguments are looked at. */
#define HOST_ARGS_MAX 4096

/*
 * argv: the arguments behind the program's name, n of them. What is not understood is passed over,
 * and so are files that cannot be read. KT_ERROR_NO_MEMORY alone.
 */
struct kt_error *host_args_parse(const char *const *argv, size_t n, const struct host_reader *files,
				 struct host_args *ret);
void host_args_deinit(struct host_args *args);

#endif
