/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BPF objects for a guest, looked at before it is booted. */
#ifndef KT_VM_OBJECTS_H
#define KT_VM_OBJECTS_H

#include "vm/initramfs.h"
#include "vm/machine.h"

/*
 * Looks at the first bytes of each object of load. KT_ERROR_OS: one cannot be read.
 * KT_ERROR_FORMAT: one is no BPF object, or has another byte order than the machine; the hint says
 * how to make it.
 */
struct kt_error *vm_objects_check(const struct vm_load *load, const struct vm_machine *machine);

#endif
