/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* KVM or TCG: which of them, and the CPU that TCG can emulate. */
#ifndef KT_VM_ACCEL_H
#define KT_VM_ACCEL_H

/*
 * "max" for a guest under TCG: QEMU 7.2 corrupts RFLAGS in cmpxchg16b, which the slab allocator of
 * Linux 6.12 uses: one boot in five died of it.
 */
#define TCG_MAX_CPU "max,-cx16"

/*
 * The accelerator to try first: "kvm" if /dev/kvm can be used and has not been seen to hang guests
 * since this machine was booted, else "tcg".
 */
const char *vm_default_accel(void);

/* A guest hung under KVM: vm_default_accel() is "tcg" until this machine is booted again. */
void vm_remember_kvm_hangs(void);

#endif
