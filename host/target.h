/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a user may name to have a guest read: its stub, its monitor, its domain, its process. */
#ifndef KT_HOST_TARGET_H
#define KT_HOST_TARGET_H

#include <sys/types.h>

#include "util/error.h"
#include "util/stub_address.h"

/* All forms of a TARGET, for hints. */
#define HOST_TARGET_FORMS                                                                          \
	KT_STUB_ADDRESS_FORMS " (a GDB stub), qmp:PATH or qmp:HOST:PORT (QEMU's monitor), "        \
			      "libvirt:DOMAIN, libvirt+URI:DOMAIN or pid:N"

/* The same for help texts, which say first what is taken if none is given. */
#define HOST_TARGET_HELP                                                                           \
	"TARGET is a GDB stub: HOST:PORT, :PORT or unix:PATH; or a guest that has none,\n"         \
	"by its monitor or its process: qmp:PATH, qmp:HOST:PORT, libvirt:DOMAIN,\n"                \
	"libvirt+URI:DOMAIN, pid:N. If not given: the stub at :1234, where `qemu -s`\n"            \
	"listens; without one, the only VM of this host (ktstr-gdb list shows them).\n"

enum host_target_kind {
	HOST_TARGET_STUB,
	HOST_TARGET_QMP,
	HOST_TARGET_LIBVIRT,
	HOST_TARGET_PID,
};

struct host_target {
	enum host_target_kind kind;
	char *text;                     /* as the user wrote it, for messages */
	struct kt_stub_address address; /* of a stub, or of a QMP monitor: TCP has a host */
	char *uri;                      /* of libvirt; NULL: its own choice */
	char *domain;                   /* a name, UUID or id */
	pid_t pid;
};

/*
 * Reads TARGET. NULL text means ":1234", where `qemu -s` listens. The caller owns *ret.
 * KT_ERROR_USAGE: text is none of the forms; the hint lists them.
 */
struct kt_error *host_target_parse(const char *text, struct host_target *ret);
void host_target_deinit(struct host_target *target);

#endif
