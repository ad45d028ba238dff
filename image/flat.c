// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "btf/record.h"
#include "image/decompress.h"
#include "image/flat.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define HEADER_LEN   64
#define HEADER_MAGIC 0x38

uint16_t image_flat_machine(const uint8_t *data, size_t len)
{
	if (len < HEADER_LEN)
		return 0;
	if (!memcmp(data + HEADER_MAGIC, "ARM\x64", 4))
		return EM_AARCH64;
	return memcmp(data + HEADER_MAGIC, "RSC\x05", 4) ? 0 : EM_RISCV;
}

/* "MZ\0\0", "zimg", the payload's offset and size, 8 bytes, the compression's name. */
bool image_zboot_payload(const uint8_t **data, size_t *len)
{
	const uint8_t *d = *data;
	uint64_t offset, size;

	if (*len < HEADER_LEN || memcmp(d, "MZ", 2) || memcmp(d + 4, "zimg", 4))
		return false;
	offset = kt_load_uint(d + 8, 4, false);
	size = kt_load_uint(d + 12, 4, false);
	if (offset > *len || size > *len - offset)
		return false;
	*data += offset;
	*len = (size_t)size;
	return true;
}

/* --- s390's, which unpacks itself --- */

#define S390_MAGIC     "S390EP"
#define S390_MAGIC_AT  0x10008
#define S390_PAYLOAD   0x11000 /* its first code, IPL's and then that which unpacks, is before */
#define S390_SIZE_MIN  ((size_t)1 << 20)
#define S390_SIZE_MAX  ((size_t)256 << 20)
#define S390_TRIES_MAX 64

bool image_s390_is(const uint8_t *data, size_t len)
{
	return len >= S390_PAYLOAD && !memcmp(data + S390_MAGIC_AT, S390_MAGIC, strlen(S390_MAGIC));
}

/*
 * The linker puts it where there is room (.rodata.compressed of arch/s390/boot/vmlinux.lds.S), and
 * what decompresses has the formats' magic numbers, too, in its own code.
 */
struct kt_error *image_s390_unpack(const uint8_t *data, size_t len, uint8_t **ret, size_t *len_ret)
{
	unsigned int tries = S390_TRIES_MAX;

	for (size_t at = S390_PAYLOAD; at < len && tries; at++) {
		uint8_t *kernel;
		size_t size;
		struct kt_error *err;

		if (!decompress_format(data + at, len - at))
			continue;
		tries--;
		err = decompress(data + at, len - at, S390_SIZE_MAX, &kernel, &size);
		if (!err && size >= S390_SIZE_MIN) {
			*ret = kernel;
			*len_ret = size;
			return NULL;
		}
		if (!err)
			free(kernel);
		kt_error_destroy(err);
	}
	return kt_error_new(
		KT_ERROR_UNSUPPORTED,
		"a bzImage of s390 in which no kernel is compressed in a way known here");
}

/* --- where it is linked to --- */

#define R_RELATIVE_ARM64 1027 /* R_AARCH64_RELATIVE */

/*
 * The lowest address that a relocation is for, 0 without any. Elf64_Rela is offset, info,
 * addend, all with link addresses; .rela.dyn is a part of a relocatable Image.
 */
static uint64_t lowest_relocated(const uint8_t *data, size_t len)
{
	const uint64_t kernel = UINT64_C(0xff) << 56;
	uint64_t lowest = 0;

	for (size_t i = 0; i + 24 <= len; i += 8) {
		uint64_t offset;

		if (kt_load_uint(data + i + 8, 8, false) != R_RELATIVE_ARM64)
			continue;
		offset = kt_load_uint(data + i, 8, false);
		if ((offset & kernel) != kernel ||
		    (kt_load_uint(data + i + 16, 8, false) & kernel) != kernel)
			continue;
		if (!lowest || offset < lowest)
			lowest = offset;
	}
	return lowest;
}

/*
 * arm64's KIMAGE_VADDR: above half of the addresses (PAGE_END, of 36 to 48 bits), and there
 * above what has been put before it: modules, of 128 MiB up to 6.4 and 2 GiB later, and up to
 * 5.10 JITed BPF of 128 MiB (arch/arm64/include/asm/memory.h).
 */
static gaddr_t arm64_base(unsigned int va_bits, uint64_t lowest)
{
	static const uint64_t before[] = {UINT64_C(0x80000000), 0x10000000, 0x8000000};
	gaddr_t page_end = ~UINT64_C(0) << (va_bits - 1);

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		if (lowest >= page_end + before[i])
			return page_end + before[i];
	return page_end + before[0];
}

/* --- what is in it --- */

/* A flat Image. */
struct flat {
	const uint8_t *data;
	size_t len;
	uint16_t machine;
};

static struct kt_error *recover_at(const struct flat *flat, gaddr_t base, struct recovered *ret)
{
	const struct recover_range range = {.data = flat->data, .len = flat->len, .addr = base};
	const struct recover_memory memory = {
		.ranges = &range,
		.n = 1,
		.machine = flat->machine,
		.big_endian = flat->machine == EM_S390,
		.pointer_size = 8,
		.unrelocated_base = base,
	};

	return recover_find(&memory, ret);
}

/* Where _text is by the kernel's own tables, if not at the base that was assumed. */
static struct kt_error *recover_from(const struct flat *flat, gaddr_t *base, struct recovered *ret)
{
	struct kt_error *err = recover_at(flat, *base, ret);

	/* RISC-V has a header before _text, which is no symbol's matter: its base is known. */
	if (err || flat->machine != EM_AARCH64 || !ret->text || ret->text == *base)
		return err;
	*base = ret->text;
	recovered_deinit(ret);
	return recover_at(flat, *base, ret);
}

/*
 * The table of symbols is what tells that the base is right, but a kernel may come without.
 * KERNEL_LINK_ADDR of RISC-V has been the same since 5.13; TEXT_OFFSET of s390 since 4.20
 * (arch/s390/include/asm/setup.h), whatever address its decompressor moves it to.
 */
static struct kt_error *recover_any(const struct flat *flat, gaddr_t *base, struct recovered *ret)
{
	static const unsigned int va_bits[] = {48, 39, 47, 42, 36};
	uint64_t lowest;

	*base = flat->machine == EM_S390 ? 0x100000 : UINT64_C(0xffffffff80000000);
	if (flat->machine != EM_AARCH64)
		return recover_from(flat, base, ret);
	lowest = lowest_relocated(flat->data, flat->len);
	for (size_t i = 0; i < sizeof(va_bits) / sizeof(va_bits[0]); i++) {
		struct kt_error *err;

		*base = arm64_base(va_bits[i], lowest);
		/* The relocations tell which it is; without any, each has its turn. */
		if (lowest && lowest - *base >= UINT64_C(1) << 31)
			continue;
		err = recover_from(flat, base, ret);
		if (!err && ret->has_kallsyms)
			return NULL;
		if (!err)
			recovered_deinit(ret);
		kt_error_destroy(err);
	}
	*base = arm64_base(48, lowest);
	return recover_from(flat, base, ret);
}

static struct kt_error *read_all(int fd, uint8_t **ret, size_t *len_ret)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	struct stat st;
	size_t len;

	if (fstat(fd, &st))
		return kt_error_os(errno, "cannot stat a file in memory");
	len = (size_t)st.st_size;
	bytes = malloc(len + 1);
	if (!bytes)
		return kt_error_no_memory();
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, bytes + done, len - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return kt_error_os(n ? errno : EIO, "cannot read a file in memory");
		done += (size_t)n;
	}
	*ret = kt_take_ptr(bytes);
	*len_ret = len;
	return NULL;
}

struct kt_error *image_flat_elf(const uint8_t *data, size_t len, uint16_t machine, uint8_t **ret,
				size_t *len_ret)
{
	const struct flat flat = {data, len, machine};
	_cleanup_(recovered_deinit) struct recovered kernel = {0};
	_cleanup_close_ int fd = -1;
	struct record_place place = {0};
	struct kt_error *err = recover_any(&flat, &place.text, &kernel);

	if (!err && kernel.text)
		place.text = kernel.text;
	if (!err)
		err = record_write(&kernel, &place, &fd);
	if (!err)
		err = read_all(fd, ret, len_ret);
	return err;
}
