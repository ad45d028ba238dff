/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BPF objects for a guest, looked at before it is booted. */
#ifndef KT_VM_OBJECTS_H
#define KT_VM_OBJECTS_H

#include "vm/initramfs.h"
#include "vm/machine.h"

/*
 * Looks at the first bytes of a file. machine: where it is to run; NULL: not known. KT_ERROR_OS: it
 * cannot be read. KT_ERROR_FORMAT: it is no BPF object, or has another byte order than the machine;
 * the hint says how to make it.
 */
struct kt_error *vm_object_check(const char *path, const struct vm_machine *machine);

/* The same of each object of load. */
struct kt_error *vm_objects_check(const struct vm_load *load, const struct vm_machine *machine);

#endif
