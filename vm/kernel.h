/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel image that is to be booted: which machine it is for, and what QEMU needs of it. */
#ifndef KT_VM_KERNEL_H
#define KT_VM_KERNEL_H

#include "vm/machine.h"

struct vm_kernel {
	const struct vm_machine *machine;
	bool packed; /* QEMU does not unpack it by itself: see vm_kernel_unpack() */
};

/*
 * The machine for the image at path, by what image_kind() tells of it, or of what is packed in it.
 * What is no kernel that is known there is left to x86_64's QEMU, to say why.
 * KT_ERROR_OS: it cannot be read; KT_ERROR_FORMAT: no regular file, or what is packed is damaged;
 * KT_ERROR_UNSUPPORTED: an ELF file of another architecture.
 */
struct kt_error *vm_kernel_recognise(const char *path, struct vm_kernel *ret);

/* Writes the image in a packed one to a new file at `to`. Errors as above. */
struct kt_error *vm_kernel_unpack(const char *path, const char *to);

#endif
