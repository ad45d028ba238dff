/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole files and whole writes: short reads and writes, EINTR, and files that grow meanwhile are
 * dealt with here. Errors call the file "it", unless they say otherwise: the caller knows what the
 * file is for, and puts that in front with kt_error_wrap().
 * Internal to the tool; not a public header.
 */
#ifndef KT_UTIL_IO_H
#define KT_UTIL_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/error.h"

/* Writes all of data, or fails. fd has to be blocking. */
struct kt_error *kt_write_all(int fd, const void *data, size_t len);

/*
 * Opens a regular file for reading, in the directory dir_fd (AT_FDCWD: the working directory).
 * Never blocks on a FIFO. flags: O_NOFOLLOW if it may not be a symbolic link, or 0. size_ret may be
 * NULL. KT_ERROR_NOT_FOUND: no such file. KT_ERROR_UNSUPPORTED: not a regular file, or a link.
 */
struct kt_error *kt_open_file(int dir_fd, const char *path, int flags, int *fd_ret,
			      off_t *size_ret);

/*
 * The bytes of a file at offset, up to len; fewer only if the file ends there. The position of fd
 * is neither used nor changed.
 */
struct kt_error *kt_read_at(int fd, void *data, size_t len, off_t offset, size_t *ret);

/*
 * The whole file, from its start wherever fd is, in an empty *ret that the caller frees. It does
 * not trust the size in stat(2): files in /proc have none, and others may grow.
 * KT_ERROR_FORMAT: it has more than max bytes.
 */
struct kt_error *kt_read_all(int fd, size_t max, struct kt_buf *ret);

/* kt_open_file() without flags, and kt_read_all(). Errors begin with "PATH: ". */
struct kt_error *kt_read_file(const char *path, size_t max, struct kt_buf *ret);

/*
 * Puts a new file in the place of the one at path, if there is one: readers see the old file or the
 * whole new one. The temporary file in the same directory is hidden. With sync, the content is on
 * the disk before the new name is. mode is exact, whatever the umask; 0600 needs no chmod(2), which
 * util/fence.h forbids.
 */
struct kt_error *kt_replace_file(const char *path, const void *data, size_t len, mode_t mode,
				 bool sync);

/* Adds the content of a file to the end of another one, which is there. */
struct kt_error *kt_append_file(const char *path, const char *from);

/* Makes a directory and its missing parents, each with this mode. Errors name the directory. */
struct kt_error *kt_mkdir_p(const char *path, mode_t mode);

/*
 * The tool's cache directory, $XDG_CACHE_HOME/ktstr-gdb or $HOME/.cache/ktstr-gdb, which the caller
 * frees. NULL: neither variable is an absolute path, or there is no memory. Who makes the directory
 * makes it with kt_mkdir_p() and mode 0700: what is in it comes from the memory of guests.
 */
char *kt_cache_dir(void);

#endif
