/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state of a guest into a file, and back, with QEMU's own migration: all of its memory that is
 * not zero, its CPUs and its devices. Internal to vm/.
 */
#ifndef KT_VM_MIGRATE_H
#define KT_VM_MIGRATE_H

#include "vm/monitor.h"

/*
 * Stops the guest, writes its state to fd from its position on, at most max bytes, and lets it run
 * again, also after an error, within the monitor's deadline. Errors: those of vm_monitor_run();
 * UNSUPPORTED: QEMU could not write it, or it would be bigger.
 */
struct kt_error *vm_migrate_save(struct vm_monitor *monitor, int fd, int64_t max);

/*
 * In a QEMU that was started with -incoming defer: reads the state from fd's position on, and lets
 * the guest run. Errors: those of vm_monitor_run(). QEMU may end itself: CLOSED.
 */
struct kt_error *vm_migrate_load(struct vm_monitor *monitor, int fd);

#endif
