/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When two guests are the same up to where they get their work: the same kernel, initramfs, QEMU,
 * and what QEMU is told. Internal to vm/.
 */
#ifndef KT_VM_SNAPSHOT_KEY_H
#define KT_VM_SNAPSHOT_KEY_H

#include "vm/config.h"
#include "vm/guard.h"
#include "vm/snapshot.h"

/*
 * Whether such a guest can be kept: an x86_64 guest, without --qemu-arg (which may bring disks, or
 * stop it).
 */
bool vm_snapshot_possible(const struct vm_config *config);

/*
 * The key, in hexadecimal, of a guest with this accelerator, whose initramfs is at initrd. The
 * kernel and the initramfs count by content, QEMU by its file. Where guard's directory or the stub
 * is does not count. Errors: OS, a file cannot be read; NOT_FOUND, there is no QEMU.
 */
struct kt_error *vm_snapshot_key(const struct vm_guard *guard, const struct vm_config *config,
				 const char *accel, const char *initrd,
				 char ret[VM_SNAPSHOT_KEY_SIZE]);

#endif
