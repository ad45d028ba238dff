/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BPF objects for a guest, looked at before it is booted. */
#ifndef KT_VM_OBJECTS_H
#define KT_VM_OBJECTS_H

#include "vm/initramfs.h"
#include "vm/machine.h"

/*
 * By the first bytes of each of load's objects. KT_ERROR_OS: it cannot be read; KT_ERROR_FORMAT,
 * with how one is made: it is no BPF object, or one of the other byte order than the machine's.
 */
struct kt_error *vm_objects_check(const struct vm_load *load, const struct vm_machine *machine);

#endif
