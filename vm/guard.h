/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A private directory, and a guard for it: a child (util/survivor.h) that kills QEMU and removes
 * the directory when the tool has ended, however it ended.
 */
#ifndef KT_VM_GUARD_H
#define KT_VM_GUARD_H

#include <sys/types.h>

#include "util/error.h"

struct vm_guard {
	char *dir; /* absolute, mode 0700, short enough for Unix sockets in it */
	pid_t pid;
	int fd;
};

/* clang-format off */
#define VM_GUARD_INIT {.fd = -1}
/* clang-format on */

/* Makes the directory, under $XDG_RUNTIME_DIR, $TMPDIR or /tmp, and starts the guard. */
struct kt_error *vm_guard_init(struct vm_guard *guard);

/* Kills what is watched, removes the directory and all files in it, ends the guard. */
void vm_guard_deinit(struct vm_guard *guard);

/* Names the process to kill, by a pidfd that stays the caller's. Replaces an earlier one. */
struct kt_error *vm_guard_watch(struct vm_guard *guard, int pidfd);

/*
 * Hands process and directory over to the guard for good: it removes the directory when
 * the process ends, and kills nothing. guard is empty afterwards.
 */
struct kt_error *vm_guard_release(struct vm_guard *guard);

/* "DIR/NAME", which the caller frees; NULL without memory. */
char *vm_guard_path(const struct vm_guard *guard, const char *name);

#endif
