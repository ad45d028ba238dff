/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel image: which machine it is for, and what QEMU needs of it. */
#ifndef KT_VM_KERNEL_H
#define KT_VM_KERNEL_H

#include "vm/machine.h"

struct vm_kernel {
	const struct vm_machine *machine;
	bool packed; /* QEMU does not unpack it by itself: see vm_kernel_unpack() */
};

/*
 * What the image at path is, by its first bytes: x86_64's or s390x's bzImage, an Image of aarch64
 * or riscv64, an ELF file of one of them; an Image also in gzip, or as an EFI zboot image (since
 * Linux 6.1). What is none of these is left to x86_64's QEMU, to say why.
 * KT_ERROR_OS: it cannot be read; KT_ERROR_FORMAT: no regular file, or what is packed is damaged;
 * KT_ERROR_UNSUPPORTED: an ELF file of another architecture.
 */
struct kt_error *vm_kernel_recognise(const char *path, struct vm_kernel *ret);

/* Writes the image in a packed one to a new file at `to`. Errors as above. */
struct kt_error *vm_kernel_unpack(const char *path, const char *to);

#endif
