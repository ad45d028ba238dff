/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU's command line, its configuration files, and its messages. */
#ifndef KT_VM_QEMU_H
#define KT_VM_QEMU_H

#include "util/buf.h"
#include "util/error.h"
#include "util/vec.h"
#include "vm/config.h"
#include "vm/guard.h"

/* How a guest comes up. */
enum vm_start {
	VM_START_BOOT, /* with all its work in its initramfs */
	VM_START_KEEP, /* booted, and kept as a snapshot before it gets its work; has a monitor */
	VM_START_RESTORE, /* from a snapshot that the monitor is told of */
};

/* In DIR, for VM_START_KEEP and RESTORE: the guest's memory, a file that QEMU maps. */
#define VM_QEMU_RAM "ram"

/* Its bytes; 0: QEMU makes the memory itself (a topology has several pieces, one a node). */
uint64_t vm_qemu_ram(const struct vm_config *config);

/* Appends DIR/guest.cfg to cfg; check kt_buf_failed() there. */
struct kt_error *vm_qemu_config(const struct vm_guard *guard, const struct vm_config *config,
				enum vm_start how, struct kt_buf *cfg);

/* Writes DIR/machine.cfg (from qemu-configs/) and DIR/guest.cfg (this guest's part). */
struct kt_error *vm_qemu_write_config(const struct vm_guard *guard, const struct vm_config *config,
				      enum vm_start how);

/* A command line: NULL-terminated argv and the strings it owns. */
struct vm_argv {
	KT_VEC(const char *) v;
	KT_VEC(char *) owned;
};

struct kt_error *vm_qemu_argv(const struct vm_guard *guard, const struct vm_config *config,
			      const char *accel, enum vm_start how, struct vm_argv *ret);
void vm_argv_deinit(struct vm_argv *argv);

/* QEMU's messages without its warnings, on one line, bounded; the caller frees. NULL: no memory. */
char *vm_qemu_words(const struct vm_guard *guard);

/* The address of QEMU's stub, as the tool's TARGET. The caller frees. */
char *vm_qemu_gdb_target(const struct vm_guard *guard, const struct vm_config *config);

#endif
