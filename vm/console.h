/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's console, a file that QEMU appends to. */
#ifndef KT_VM_CONSOLE_H
#define KT_VM_CONSOLE_H

#include <stdint.h>

/* Bytes so far; 0 when there is no such file yet. */
uint64_t vm_console_size(const char *path);

/*
 * The last lines. If the line that says why the guest died is at most 60 lines before them, they
 * begin there. Control characters are replaced. The caller frees. NULL: no memory.
 */
char *vm_console_read_tail(const char *path, unsigned lines);

/*
 * The line that says why the guest died: init's message, or the first "Kernel panic" or oops.
 * Without its time stamp; the caller frees. NULL: there is none.
 */
char *vm_console_death(const char *path);

/* The last line that begins with prefix, without its time stamp; the caller frees. NULL: none. */
char *vm_console_last_line(const char *path, const char *prefix);

#endif
