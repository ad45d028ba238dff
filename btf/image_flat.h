/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kernels that are not ELF: the flat Image of arm64 and RISC-V, which is the kernel's memory as
 * it will be, and a z/Architecture kernel. Types, symbols and notes are found in it as in a
 * running kernel's memory (btf/recover.h).
 */
#ifndef KT_BTF_IMAGE_FLAT_H
#define KT_BTF_IMAGE_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* An arm64 or RISC-V Image, by its header (Documentation/arch/arm64/booting.rst). */
bool image_flat_is(const uint8_t *data, size_t len);

/*
 * The compressed kernel in an EFI application that unpacks itself (CONFIG_EFI_ZBOOT, since 6.1:
 * drivers/firmware/efi/libstub/zboot-header.S): narrows [data, len) to it. False: it is none.
 */
bool image_zboot_payload(const uint8_t **data, size_t *len);

/*
 * What a flat Image has, as an ELF (btf/record.h) that the caller frees. Its addresses are link
 * addresses as far as the Image tells them; where it does not, they are off by one offset all.
 * Errors: KT_ERROR_NOT_FOUND and KT_ERROR_FORMAT as of recover_find().
 */
struct kt_error *image_flat_elf(const uint8_t *data, size_t len, uint8_t **ret, size_t *len_ret);

#endif
