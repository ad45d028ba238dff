/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any kernel file as an ELF. Most have one in them. The flat Image of arm64 and RISC-V and the
 * kernel in an s390 bzImage have none, but are the kernel's memory as it will be: types, symbols
 * and notes are found there as in a running kernel's memory (btf/recover.h), and recorded.
 */
#ifndef KT_BTF_KERNEL_FILE_H
#define KT_BTF_KERNEL_FILE_H

#include "image/image.h"

/*
 * Like image_open(), but opens a flat kernel, too. In the ELF of a flat kernel, addresses are link
 * addresses if the kernel tells them; if it does not, all are off by the same number.
 *
 * Errors: those of image_unwrap(); KT_ERROR_NOT_FOUND and KT_ERROR_FORMAT of recover_find().
 */
struct kt_error *kernel_file_open(const void *data, size_t len, struct image **ret);

#endif
