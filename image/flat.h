/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kernels that are not ELF: the flat Image of arm64 and RISC-V, which is the kernel's memory as
 * it will be, and a z/Architecture kernel. Types, symbols and notes are found in it as in a
 * running kernel's memory (btf/recover.h).
 */
#ifndef KT_IMAGE_FLAT_H
#define KT_IMAGE_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/*
 * EM_AARCH64 or EM_RISCV of an Image, by its header (Documentation/arch/arm64/booting.rst); 0: it
 * is none. A z/Architecture kernel has no header.
 */
uint16_t image_flat_machine(const uint8_t *data, size_t len);

/*
 * The compressed kernel in an EFI application that unpacks itself (CONFIG_EFI_ZBOOT, since 6.1:
 * drivers/firmware/efi/libstub/zboot-header.S): narrows [data, len) to it. False: it is none.
 */
bool image_zboot_payload(const uint8_t **data, size_t *len);

/* A z/Architecture bzImage (arch/s390/boot/head.S): its own kernel is what unpacks another. */
bool image_s390_is(const uint8_t *data, size_t len);

/*
 * The other one, which the caller frees. Nothing in the file tells where it is, so it is the first
 * thing in it that decompresses to the size of a kernel.
 * KT_ERROR_UNSUPPORTED: there is none (CONFIG_KERNEL_UNCOMPRESSED, or one compressed with LZO).
 */
struct kt_error *image_s390_unpack(const uint8_t *data, size_t len, uint8_t **ret, size_t *len_ret);

/*
 * What a flat Image of that machine has, as an ELF (btf/record.h) that the caller frees. Its
 * addresses are link addresses as far as the Image tells them; where it does not, they are off by
 * one offset all. Errors: KT_ERROR_NOT_FOUND and KT_ERROR_FORMAT as of recover_find().
 */
struct kt_error *image_flat_elf(const uint8_t *data, size_t len, uint16_t machine, uint8_t **ret,
				size_t *len_ret);

#endif
