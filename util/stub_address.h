/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a GDB stub listens, as a user writes it: HOST:PORT, [V6ADDR]:PORT, :PORT, PORT or
 * unix:PATH; the TCP forms with a colon may begin with "tcp:", as for QEMU's -gdb. Internal to the
 * tool; not a public header.
 */
#ifndef KT_UTIL_STUB_ADDRESS_H
#define KT_UTIL_STUB_ADDRESS_H

#include <sys/un.h>

#include "util/error.h"

/* For hints. */
#define KT_STUB_ADDRESS_FORMS "HOST:PORT, [V6ADDR]:PORT, :PORT, PORT or unix:PATH"

struct kt_stub_address {
	char *host; /* without brackets; NULL: none was given, or a Unix socket */
	char *port; /* decimal, 1..65535; NULL: a Unix socket */
	char *path; /* of a Unix socket; NULL: TCP */
};

/* KT_ERROR_USAGE, without a hint: text has none of these forms. */
struct kt_error *kt_stub_address_parse(const char *text, struct kt_stub_address *ret);
/*
 * The address of a Unix socket, for connect(2). Returns 0, or an errno: ENAMETOOLONG; ENOTSOCK for
 * a file that is no socket, of which connect(2) says ECONNREFUSED, as if nobody listened yet.
 */
int kt_stub_address_unix(const char *path, struct sockaddr_un *ret);
void kt_stub_address_deinit(struct kt_stub_address *address);

#endif
