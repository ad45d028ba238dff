/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the command line of a QEMU process says. It is another process's, and so any bytes. */
#ifndef KT_HOST_CMDLINE_H
#define KT_HOST_CMDLINE_H

#include <stddef.h>
#include <sys/types.h>

/* ID of `-gdb chardev:ID`, which the caller frees; NULL: it says no such thing. */
char *host_cmdline_gdb_label(pid_t pid);

/* The same of len bytes of a command line, in which a NUL ends each argument. */
char *host_cmdline_find_gdb_label(const char *cmdline, size_t len);

#endif
