/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The forms that a kernel file comes in, told by the magic numbers of each boot protocol, and the
 * kernel in it without its wrappings.
 */
#ifndef KT_IMAGE_KIND_H
#define KT_IMAGE_KIND_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* Since glibc 2.36 in <elf.h>. */
#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

enum image_form {
	IMAGE_UNKNOWN,
	IMAGE_ELF,     /* a vmlinux */
	IMAGE_BZIMAGE, /* of x86: it boots itself, and has a vmlinux in it */
	IMAGE_FLAT, /* an Image of arm64, RISC-V or LoongArch: the kernel's memory as it will be */
	IMAGE_S390, /* a bzImage of s390: a kernel that unpacks another one */
	/* Any of these, compressed: as a whole, or in an EFI application that unpacks itself
	 * (CONFIG_EFI_ZBOOT, since 6.1). */
	IMAGE_COMPRESSED,
	IMAGE_ZBOOT,
};

struct image_kind {
	enum image_form form;
	uint16_t machine; /* EM_*; EM_NONE where the form does not tell it */
	bool big_endian;
};

/* How many bytes of a file image_kind() may look at. */
#define IMAGE_HEAD 0x11000

struct image_kind image_kind(const void *data, size_t len);

/*
 * Narrows [data, len) to the compressed kernel in an IMAGE_ZBOOT. False: its header promises more
 * than the file has.
 */
bool image_zboot_payload(const uint8_t **data, size_t *len);

/* A kernel without its wrappings. */
struct image_payload {
	const uint8_t *data;
	size_t len;
	uint8_t *owned; /* data, where it had to be decompressed; else data is the caller's */
	bool flat;      /* the kernel's memory as it will be; false: an ELF */
	uint16_t machine;
};

/*
 * Takes the wrappings off. data has to outlive *ret, which is given to image_payload_deinit().
 *
 * KT_ERROR_FORMAT: not a kernel, truncated, corrupt. KT_ERROR_UNSUPPORTED: a bzImage, whole, of
 * which no kernel is to be had: it is compressed in a way not known here (LZO), or, on s390, not
 * compressed at all. What it boots may still have one in its memory.
 */
struct kt_error *image_unwrap(const void *data, size_t len, struct image_payload *ret);
void image_payload_deinit(struct image_payload *payload);

#define IMAGE_HINT_WHICH_FILE                                                                      \
	"give the vmlinuz that the guest booted, or the vmlinux of its debug package"

#endif
