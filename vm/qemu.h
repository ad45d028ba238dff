/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU's command line, its configuration files, and its messages. */
#ifndef KT_VM_QEMU_H
#define KT_VM_QEMU_H

#include "util/vec.h"
#include "vm/guard.h"
#include "vm/vm.h"

/*
 * "max" for a guest under TCG: QEMU 7.2 corrupts RFLAGS in cmpxchg16b, which the slab allocator of
 * Linux 6.12 uses: one boot in five died of it.
 */
#define TCG_MAX_CPU "max,-cx16"

/* Writes DIR/machine.cfg (from qemu-configs/) and DIR/guest.cfg (this guest's part). */
struct kt_error *vm_qemu_write_config(const struct vm_guard *guard, const struct vm_config *config);

/* A command line: NULL-terminated argv and the strings it owns. */
struct vm_argv {
	KT_VEC(const char *) v;
	KT_VEC(char *) owned;
};

struct kt_error *vm_qemu_argv(const struct vm_guard *guard, const struct vm_config *config,
			      const char *accel, struct vm_argv *ret);
void vm_argv_deinit(struct vm_argv *argv);

/* QEMU's messages without its warnings, on one line, bounded; the caller frees. NULL: no memory. */
char *vm_qemu_words(const struct vm_guard *guard);

/* The address of QEMU's stub, as the tool's TARGET. The caller frees. */
char *vm_qemu_gdb_target(const struct vm_guard *guard, const struct vm_config *config);

/*
 * The accelerator to try first: "kvm" if /dev/kvm can be used and has not been seen to hang guests
 * since this machine was booted, else "tcg".
 */
const char *vm_qemu_default_accel(void);

/* A guest hung under KVM: vm_qemu_default_accel() is "tcg" until this machine is booted again. */
void vm_qemu_remember_kvm_hangs(void);

#endif
