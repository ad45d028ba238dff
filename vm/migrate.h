/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state of a guest into a file, and back, with QEMU's own migration: its CPUs, its devices, and
 * all of its memory that is not zero. Internal to vm/.
 */
#ifndef KT_VM_MIGRATE_H
#define KT_VM_MIGRATE_H

#include <stdbool.h>
#include <stdint.h>

#include "vm/monitor.h"

/*
 * Memory that is a file, which QEMU maps: shared in the guest that is kept, private in one that is
 * restored. QEMU's stream is without it then, and a page is read when the guest wants it.
 */
struct vm_migrate_ram {
	int fd;        /* of the guest that is kept */
	uint64_t size; /* bytes; 0: the memory is in the stream */
};

/*
 * Writes the state of a running guest to fd from its position on, and its memory to fd's beginning,
 * if that is a file; each at most max bytes. QEMU stops the guest for the end of that, and it runs
 * on then, also after an error. *runs_ret false: it may not. Errors: those of vm_monitor_run();
 * UNSUPPORTED: QEMU could not write it, or it would be bigger; OS.
 */
struct kt_error *vm_migrate_save(struct vm_monitor *monitor, int fd,
				 const struct vm_migrate_ram *ram, int64_t max, bool *runs_ret);

/*
 * In a QEMU that was started with -incoming defer: has it read the state from fd's position on, and
 * does not wait for that. Mapped: its memory is that of the file. The guest runs then. If QEMU does
 * not like what it reads, it exits. Errors: those of vm_monitor_run().
 */
struct kt_error *vm_migrate_load(struct vm_monitor *monitor, int fd, bool mapped);

#endif
