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
 * Chooses the machine for the image at path by image_kind(), of the unpacked image if it is packed.
 * For a file that is no known kernel, that is x86_64: its QEMU then says what is wrong.
 * KT_ERROR_OS: it cannot be read; KT_ERROR_FORMAT: no regular file, or what is packed is damaged;
 * KT_ERROR_UNSUPPORTED: an ELF file of another architecture.
 */
struct kt_error *vm_kernel_recognise(const char *path, struct vm_kernel *ret);

/* Writes the image in a packed one to a new file at `to`. Errors as above. */
struct kt_error *vm_kernel_unpack(const char *path, const char *to);

#endif
