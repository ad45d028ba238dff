// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "image/decompress.h"
#include "image/kind.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* Parts of an x86 boot header, Documentation/arch/x86/boot.rst. */
#define BOOT_SETUP_SECTS    0x1f1
#define BOOT_FLAG           0x1fe
#define BOOT_MAGIC          0x202
#define BOOT_VERSION        0x206
#define BOOT_PAYLOAD_OFFSET 0x248
#define BOOT_PAYLOAD_LENGTH 0x24c
#define BOOT_XLOADFLAGS     0x236 /* since 2.12 */
#define BOOT_KERNEL_64      1
#define BOOT_END            0x250

/*
 * The header of an Image has 64 bytes: Documentation/arch/arm64/booting.rst,
 * Documentation/arch/riscv/boot-image-header.rst. So has that of an EFI zboot image.
 */
#define IMAGE_HEADER_LEN 64

/* arch/s390/boot/head.S. Code for IPL, and the code that unpacks, come before the payload. */
#define S390_MAGIC   0x10008
#define S390_PAYLOAD 0x11000

/* A kernel in an s390 bzImage has at least, and at most, so many bytes. */
#define S390_SIZE_MIN  ((size_t)1 << 20)
#define S390_SIZE_MAX  ((size_t)256 << 20)
#define S390_TRIES_MAX 64

static bool has_at(const uint8_t *data, size_t len, size_t offset, const char *magic)
{
	size_t n = strlen(magic);

	return len >= offset + n && !memcmp(data + offset, magic, n);
}

static bool looks_elf(const uint8_t *data, size_t len)
{
	return has_at(data, len, 0, ELFMAG);
}

static struct image_kind kind_of_elf(const uint8_t *data, size_t len)
{
	bool be = len > EI_DATA && data[EI_DATA] == ELFDATA2MSB;
	size_t at = offsetof(Elf64_Ehdr, e_machine); /* the same in both classes */

	return (struct image_kind){
		.form = IMAGE_ELF,
		.machine = len >= at + 2 ? (uint16_t)kt_load_uint(data + at, 2, be) : EM_NONE,
		.big_endian = be,
	};
}

/* i386's begins like x86-64's. */
static struct image_kind kind_of_bzimage(const uint8_t *data, size_t len)
{
	bool is_32bit = len >= BOOT_END && kt_load_uint(data + BOOT_VERSION, 2, false) >= 0x020c &&
			!(kt_load_uint(data + BOOT_XLOADFLAGS, 2, false) & BOOT_KERNEL_64);

	return (struct image_kind){IMAGE_BZIMAGE, is_32bit ? EM_386 : EM_X86_64, false};
}

struct image_kind image_kind(const void *bytes, size_t len)
{
	static const struct {
		size_t offset;
		const char *magic;
		struct image_kind kind;
	} known[] = {
		{0x38, "ARM\x64", {IMAGE_FLAT, EM_AARCH64, false}},
		{0x38, "RSC\x05", {IMAGE_FLAT, EM_RISCV, false}},
		{S390_MAGIC, "S390EP", {IMAGE_S390, EM_S390, true}},
		/* Documentation/arch/arm/booting.rst has it unpack itself. */
		{0x24, "\x18\x28\x6f\x01", {IMAGE_UNKNOWN, EM_ARM, false}},
	};
	const uint8_t *data = bytes;

	if (looks_elf(data, len))
		return kind_of_elf(data, len);
	if (has_at(data, len, 0, "MZ") && has_at(data, len, 4, "zimg"))
		return (struct image_kind){.form = IMAGE_ZBOOT};
	if (decompress_format(data, len))
		return (struct image_kind){.form = IMAGE_COMPRESSED};
	/* arch/loongarch/kernel/head.S: an EFI application; its PE header comes right behind. */
	if (has_at(data, len, 0, "MZ") && has_at(data, len, 0x38, "\xcd\x23\x82\x81") &&
	    has_at(data, len, 0x40, "PE") && has_at(data, len, 0x44, "\x64\x62"))
		return (struct image_kind){IMAGE_FLAT, EM_LOONGARCH, false};
	if (has_at(data, len, BOOT_FLAG, "\x55\xaa") && has_at(data, len, BOOT_MAGIC, "HdrS"))
		return kind_of_bzimage(data, len);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (has_at(data, len, known[i].offset, known[i].magic))
			return known[i].kind;
	return (struct image_kind){.form = IMAGE_UNKNOWN};
}

/*
 * drivers/firmware/efi/libstub/zboot-header.S: "MZ\0\0", "zimg", the payload's offset and size,
 * 8 bytes, the compression's name.
 */
bool image_zboot_payload(const uint8_t **data, size_t *len)
{
	uint64_t offset, size;

	if (*len < IMAGE_HEADER_LEN || image_kind(*data, *len).form != IMAGE_ZBOOT)
		return false;
	offset = kt_load_uint(*data + 8, 4, false);
	size = kt_load_uint(*data + 12, 4, false);
	if (offset > *len || size > *len - offset)
		return false;
	*data += offset;
	*len = (size_t)size;
	return true;
}

static struct kt_error *not_a_kernel(void)
{
	return kt_error_hint(kt_error_new(KT_ERROR_FORMAT,
					  "not a kernel: neither an ELF vmlinux nor a "
					  "compressed kernel image"),
			     IMAGE_HINT_WHICH_FILE);
}

/* Narrows the payload to the compressed kernel inside a bzImage. */
static struct kt_error *bzimage_payload(struct image_payload *p)
{
	uint64_t sects, offset, size;

	if (p->len < BOOT_END)
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT,
						  "truncated: a bzImage whose header has %d bytes, "
						  "of which %zu are there",
						  BOOT_END, p->len),
				     HINT_TRUNCATED_FILE);
	if (kt_load_uint(p->data + BOOT_VERSION, 2, false) < 0x0208)
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "a bzImage older than Linux 2.6.24 (boot protocol 2.08)");
	sects = p->data[BOOT_SETUP_SECTS] ? p->data[BOOT_SETUP_SECTS] : 4;
	offset = (sects + 1) * 512 + kt_load_uint(p->data + BOOT_PAYLOAD_OFFSET, 4, false);
	size = kt_load_uint(p->data + BOOT_PAYLOAD_LENGTH, 4, false);
	if (offset > p->len || size > p->len - offset)
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT,
						  "truncated: its header promises %llu bytes, the "
						  "file has %zu",
						  (unsigned long long)(offset + size), p->len),
				     HINT_TRUNCATED_FILE);
	p->data += offset;
	p->len = (size_t)size;
	if (looks_elf(p->data, p->len) || decompress_format(p->data, p->len))
		return NULL;
	return kt_error_new(KT_ERROR_UNSUPPORTED,
			    "a bzImage whose kernel is compressed in a way not known here");
}

static struct kt_error *decompress_payload(struct image_payload *p)
{
	uint8_t *kernel;
	struct kt_error *err = decompress(p->data, p->len, DECOMPRESS_LIMIT, &kernel, &p->len);

	if (err)
		return err;
	p->data = p->owned = kernel;
	return NULL;
}

/*
 * The linker puts the kernel where there is room (.rodata.compressed of
 * arch/s390/boot/vmlinux.lds.S), and nothing in the file tells where that is. So it is the first
 * thing in the file that decompresses to the size of a kernel. The code that unpacks it has the
 * formats' magic numbers, too.
 */
static struct kt_error *s390_payload(struct image_payload *p)
{
	unsigned int tries = S390_TRIES_MAX;

	for (size_t at = S390_PAYLOAD; at < p->len && tries; at++) {
		uint8_t *kernel = NULL;
		size_t size = 0;

		if (!decompress_format(p->data + at, p->len - at))
			continue;
		tries--;
		kt_error_destroy(
			decompress(p->data + at, p->len - at, S390_SIZE_MAX, &kernel, &size));
		if (size >= S390_SIZE_MIN) {
			free(p->owned);
			p->data = p->owned = kernel;
			p->len = size;
			return NULL;
		}
		free(kernel);
	}
	return kt_error_hint(
		kt_error_new(
			KT_ERROR_UNSUPPORTED,
			"a bzImage of s390 in which no kernel is compressed in a way known here"),
		IMAGE_HINT_WHICH_FILE);
}

static struct kt_error *unwrap(struct image_payload *p)
{
	struct kt_error *err = NULL;
	struct image_kind kind = image_kind(p->data, p->len);

	if (kind.form == IMAGE_BZIMAGE)
		err = bzimage_payload(p);
	else if (kind.form == IMAGE_ZBOOT && !image_zboot_payload(&p->data, &p->len))
		err = not_a_kernel();
	if (!err && decompress_format(p->data, p->len))
		err = decompress_payload(p);
	if (err)
		return err;
	kind = image_kind(p->data, p->len);
	if (kind.form == IMAGE_S390) {
		err = s390_payload(p);
		/* Older ones have an ELF in them. */
		p->flat = !err && !looks_elf(p->data, p->len);
	} else if (kind.form == IMAGE_FLAT && p->len >= IMAGE_HEADER_LEN) {
		p->flat = true;
	} else if (kind.form != IMAGE_ELF) {
		err = not_a_kernel();
	}
	p->machine = kind.machine;
	return err;
}

struct kt_error *image_unwrap(const void *data, size_t len, struct image_payload *ret)
{
	struct image_payload p = {.data = data, .len = len};
	struct kt_error *err = unwrap(&p);

	if (err)
		image_payload_deinit(&p);
	else
		*ret = p;
	return err;
}

void image_payload_deinit(struct image_payload *payload)
{
	free(payload->owned);
	*payload = (struct image_payload){0};
}
