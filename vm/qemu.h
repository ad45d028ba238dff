/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU's command line and configuration files, and what it says when it fails. */
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

/* What QEMU wrote to stderr, on one line, without its warnings, bounded. Caller frees. */
char *vm_qemu_words(const struct vm_guard *guard);

/* Where QEMU lets the stub listen, as the tool's TARGET. The caller frees. */
char *vm_qemu_gdb_target(const struct vm_guard *guard, const struct vm_config *config);

/*
 * Which accelerator to try first: "kvm" where /dev/kvm can be used and was not seen to
 * hang guests since this machine was booted.
 */
const char *vm_qemu_default_accel(void);
void vm_qemu_remember_kvm_hangs(void);

#endif
