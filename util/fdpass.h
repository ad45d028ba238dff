/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Open files through a Unix socket, to another process. Neither function allocates or locks
 * anything, so both may be called in the child of a process with threads.
 * Internal to the tool; not a public header.
 */
#ifndef KT_UTIL_FDPASS_H
#define KT_UTIL_FDPASS_H

#include <sys/types.h>

/*
 * Sends data, at least one byte, and with it a copy of the descriptor fd (-1: none). Returns and
 * sets errno as sendmsg(2), but goes on after EINTR, and raises no SIGPIPE.
 */
ssize_t kt_fd_send(int sock, const void *data, size_t len, int fd);

/*
 * Receives data, and in *fd_ret the descriptor that came with it, which is then the caller's and
 * close-on-exec; -1: none came. Returns and sets errno as recvmsg(2), but goes on after EINTR.
 */
ssize_t kt_fd_receive(int sock, void *data, size_t size, int *fd_ret);

#endif
