/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream socket that never blocks past a deadline, and never writes without reading:
 * replies that nobody reads block QEMU's main loop (7.2 to 11.1).
 */
#ifndef KT_GDBRSP_CONNECTION_H
#define KT_GDBRSP_CONNECTION_H

#include <stddef.h>
#include <stdint.h>

#include "gdbrsp/guardian.h"
#include "gdbrsp/target.h"
#include "util/buf.h"
#include "util/error.h"

struct rsp_connection;

/*
 * Connects. KT_ERROR_OS: nobody is there. KT_ERROR_TIMEOUT: no answer, or a Unix socket whose
 * queue is full. A name is resolved within the system resolver's own time limits. The guardian
 * holds the socket before it is connected. *dialed_ret: what the target's dialer says; without one
 * it stays as it is. The caller has the dialer hang up, also after an error.
 */
struct kt_error *rsp_connection_open(const struct rsp_target *target,
				     const struct rsp_patience *patience,
				     struct rsp_guardian *guardian, struct rsp_dialed *dialed_ret,
				     struct rsp_connection **ret);

/* The same on a connected stream socket, which is the connection's from here, success or not. */
struct kt_error *rsp_connection_from_fd(int fd, struct rsp_connection **ret);

/* Closes. Accepts NULL. */
void rsp_connection_destroy(struct rsp_connection *conn);

/* The output buffer, to append to. It is sent by receive and flush. */
struct kt_buf *rsp_connection_output(struct rsp_connection *conn);

/* Forgets what was not sent yet; the stub may be left in the middle of a packet. */
void rsp_connection_drop_output(struct rsp_connection *conn);

/* Sends as much as the socket takes at once, which may not be all. */
struct kt_error *rsp_connection_flush(struct rsp_connection *conn);

/*
 * Sends the output as the other side takes it, until bytes come in: *data_ret, good until the
 * next call, and *len_ret, never 0. KT_ERROR_CLOSED: the other side hung up.
 */
struct kt_error *rsp_connection_receive(struct rsp_connection *conn,
					const struct rsp_patience *patience,
					const uint8_t **data_ret, size_t *len_ret);

#endif
