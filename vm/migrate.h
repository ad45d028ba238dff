/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state of a guest into a file, and back, with QEMU's own migration: all of its memory that is
 * not zero, its CPUs and its devices. Internal to vm/.
 */
#ifndef KT_VM_MIGRATE_H
#define KT_VM_MIGRATE_H

#include <stdbool.h>

#include "vm/monitor.h"

/*
 * Writes the state of a running guest to fd from its position on, at most max bytes. QEMU stops the
 * guest for the end of that, and it runs on then, also after an error. *runs_ret false: it may not.
 * Errors: those of vm_monitor_run(); UNSUPPORTED: QEMU could not write it, or it would be bigger.
 */
struct kt_error *vm_migrate_save(struct vm_monitor *monitor, int fd, int64_t max, bool *runs_ret);

/*
 * In a QEMU that was started with -incoming defer: has it read the state from fd's position on, and
 * does not wait for that. The guest runs then. If QEMU does not like what it reads, it exits.
 * Errors: those of vm_monitor_run().
 */
struct kt_error *vm_migrate_load(struct vm_monitor *monitor, int fd);

#endif
