/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A kernel file on disk and the ELF in it.
 *
 * Opening is in two steps, because the second one costs: image_file_open() only maps the
 * file and tells what it is; image_open() decompresses where needed and reads the ELF's
 * tables. A -dbg vmlinux has hundreds of megabytes: it is mapped, never read whole.
 *
 * Everything in the file is hostile until checked: a section's bytes are handed out only
 * after its range was found to lie inside the file.
 */
#ifndef KT_IMAGE_IMAGE_H
#define KT_IMAGE_IMAGE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/kind.h"
#include "util/error.h"
#include "util/gaddr.h"

/* A file's bytes, mapped read-only. */
struct image_file {
	const uint8_t *data;
	size_t len;
	bool is_elf;
};

/* Errors say what is wrong but not with which file: the caller adds that. */
struct kt_error *image_file_open(const char *path, struct image_file *ret);
struct kt_error *image_file_map(int fd, struct image_file *ret); /* fd stays the caller's */
void image_file_close(struct image_file *file);

struct image;

/* One section that is in the file. */
struct image_section {
	const char *name;
	const uint8_t *data; /* NULL for .bss and its like */
	uint64_t size;
	gaddr_t addr; /* link address; 0 if it is not in memory at run time */
	uint32_t type;
	bool alloc; /* mapped at run time */
	size_t index;
};

/*
 * The ELF in data, which stays the caller's and must outlive *ret, without its wrappings: see
 * image_unwrap(), whose errors it has, too. KT_ERROR_UNSUPPORTED: a flat kernel, which has no
 * sections; what is in that, btf/kernel_file.h tells.
 */
struct kt_error *image_open(const void *data, size_t len, struct image **ret);

/* The same of a payload, whose owned bytes it takes if it succeeds. */
struct kt_error *image_of_payload(struct image_payload *payload, struct image **ret);
void image_close(struct image *image);
void image_closep(struct image **image);

Elf *image_elf(struct image *image);
uint16_t image_machine(const struct image *image); /* EM_* */
bool image_big_endian(const struct image *image);
unsigned int image_pointer_size(const struct image *image); /* 4 or 8 */

/* False when there is no such section or its range is not inside the file. */
bool image_section(struct image *image, const char *name, struct image_section *ret);

/*
 * The same, also of a section that is compressed (SHF_COMPRESSED), which all others here leave out:
 * its bytes are then as they are in the file.
 */
bool image_section_raw(struct image *image, const char *name, struct image_section *ret,
		       bool *compressed_ret);

/* Bytes of the ELF. */
size_t image_len(const struct image *image);

/* The section that holds n bytes at a link address. */
bool image_section_at(struct image *image, gaddr_t addr, uint64_t n, struct image_section *ret);

/* Walks all sections: start with *i = 0; false at the end. */
bool image_section_next(struct image *image, size_t *i, struct image_section *ret);

/* The GNU build ID of the notes, at most size bytes; 0 when there is none. */
size_t image_build_id(struct image *image, uint8_t *id, size_t size);

#endif
