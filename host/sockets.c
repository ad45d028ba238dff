// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/sockets.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/io.h"

#define LIST_MAX (32 * 1024 * 1024)

/*
 * Num       RefCount Protocol Flags    Type St Inode Path
 * 00000000d1c2: 00000002 00000000 00010000 0001 01 23456 /run/vm/qmp
 *
 * Flags has __SO_ACCEPTCON (0x10000) where it listens; St is SS_CONNECTED (3) of a connection,
 * which has the path of the socket that it came to.
 */
static bool read_unix_line(const char *line, struct host_sockets *ret)
{
	struct host_socket found = {0};
	unsigned int flags, type, state;
	int path = 0;

	if (sscanf(line, "%*x: %*x %*x %x %x %x %" SCNu64 " %n", &flags, &type, &state,
		   &found.inode, &path) != 4 ||
	    !path || !line[path] || line[path] == '@')
		return true;
	found.listens = flags & 0x10000;
	if (type != 1 || (!found.listens && state != 3))
		return true;
	found.path = strdup(line + path);
	if (found.path && kt_vec_push(&ret->v, found))
		return true;
	free(found.path);
	return false;
}

/*
 *   sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid  timeout inode
 *    0: 0100007F:04D2 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 23457
 *
 * st is 0A of one that listens, 01 of a connection.
 */
static bool read_tcp_line(const char *line, struct host_sockets *ret)
{
	struct host_socket found = {0};
	unsigned int port, state;

	if (sscanf(line,
		   "%*u: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %" SCNu64,
		   &port, &state, &found.inode) != 3 ||
	    (state != 0x0a && state != 1))
		return true;
	found.listens = state == 0x0a;
	found.port = (uint16_t)port;
	return kt_vec_push(&ret->v, found);
}

static bool read_list(const char *process, const char *name,
		      bool (*read_line)(const char *line, struct host_sockets *ret),
		      struct host_sockets *ret)
{
	_cleanup_free_ char *path = NULL;
	struct kt_buf text = KT_BUF_INIT;
	struct kt_error *err;
	char *save = NULL;
	bool ok = true;

	if (asprintf(&path, "%s/net/%s", process, name) < 0) {
		path = NULL;
		return false;
	}
	err = kt_read_file(path, LIST_MAX, &text);
	ret->known |= !err;
	for (char *line = err || !text.data ? NULL : strtok_r(text.data, "\n", &save); line && ok;
	     line = strtok_r(NULL, "\n", &save))
		ok = read_line(line, ret);
	kt_error_destroy(err);
	kt_buf_deinit(&text);
	return ok;
}

bool host_sockets_read(const char *process, struct host_sockets *ret)
{
	struct host_sockets sockets = {0};

	if (read_list(process, "unix", read_unix_line, &sockets) &&
	    read_list(process, "tcp", read_tcp_line, &sockets) &&
	    read_list(process, "tcp6", read_tcp_line, &sockets)) {
		*ret = sockets;
		return true;
	}
	host_sockets_deinit(&sockets);
	return false;
}

void host_sockets_deinit(struct host_sockets *sockets)
{
	kt_vec_for_each (&sockets->v, socket)
		free(socket->path);
	kt_vec_free(&sockets->v);
	*sockets = (struct host_sockets){0};
}
