/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's console, a file that QEMU appends to. */
#ifndef KT_VM_CONSOLE_H
#define KT_VM_CONSOLE_H

#include <stdint.h>

/* Bytes so far; 0 when there is no such file yet. */
uint64_t vm_console_size(const char *path);

/*
 * The last lines, and those before them from the one on that says why the guest died, where it is
 * not far; control characters replaced. The caller frees. NULL without memory.
 */
char *vm_console_read_tail(const char *path, unsigned lines);

/*
 * The line that says why the guest died: init's last word, or the first "Kernel panic" or
 * oops. Without its time stamp; the caller frees. NULL when there is none.
 */
char *vm_console_death(const char *path);

/* The last line that begins with prefix, without its time stamp; the caller frees. NULL: none. */
char *vm_console_last_line(const char *path, const char *prefix);

#endif
