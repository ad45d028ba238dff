// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "btf/kernel_file.h"
#include "btf/record.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/io.h"

/* --- the address that a flat kernel is linked to --- */

#define R_RELATIVE_ARM64 1027 /* R_AARCH64_RELATIVE */

/* Elf64_Rela: where, the kind, what is put there. All addresses are link addresses. */
#define RELA_SIZE 24

/*
 * The next relocation of a relocatable Image, of which .rela.dyn is a part; *at is where to look
 * from, 0 at first. False: there are no more.
 */
static bool next_relocation(const uint8_t *data, size_t len, size_t *at, uint64_t *where_ret,
			    uint64_t *value_ret)
{
	const uint64_t kernel = UINT64_C(0xff) << 56;

	for (; *at + RELA_SIZE <= len; *at += 8) {
		const uint8_t *rela = data + *at;

		if (kt_load_uint(rela + 8, 8, false) != R_RELATIVE_ARM64)
			continue;
		*where_ret = kt_load_uint(rela, 8, false);
		*value_ret = kt_load_uint(rela + 16, 8, false);
		if ((*where_ret & kernel) != kernel || (*value_ret & kernel) != kernel)
			continue;
		*at += RELA_SIZE;
		return true;
	}
	return false;
}

/* The lowest address that a relocation is for, 0 without any. */
static uint64_t lowest_relocated(const uint8_t *data, size_t len)
{
	uint64_t lowest = 0, where, value;

	for (size_t at = 0; next_relocation(data, len, &at, &where, &value);)
		if (!lowest || where < lowest)
			lowest = where;
	return lowest;
}

/*
 * Does what the kernel does first of all, at the addresses that it is linked to: kallsyms counts
 * from an address that reads 0 before. False: no memory.
 */
static bool relocate(struct image_payload *flat, gaddr_t base)
{
	uint64_t where, value;
	uint8_t *data = malloc(flat->len + 1);

	if (!data)
		return false;
	memcpy(data, flat->data, flat->len);
	for (size_t at = 0; next_relocation(flat->data, flat->len, &at, &where, &value);) {
		if (where - base > flat->len || flat->len - (where - base) < 8)
			continue;
		for (unsigned int i = 0; i < 8; i++)
			data[where - base + i] = (uint8_t)(value >> 8 * i);
	}
	free(flat->owned);
	flat->data = flat->owned = data;
	return true;
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

/*
 * How far behind that the Image begins: 512 KiB up to 5.7, 0 from 5.8 on (Documentation/arch/arm64/
 * booting.rst: text_offset, behind the two words of code).
 */
static uint64_t text_offset(const struct image_payload *flat)
{
	uint64_t offset = flat->len < 16 ? 0 : kt_load_uint(flat->data + 8, 8, false);

	return offset < UINT64_C(0x200000) ? offset : 0;
}

/* --- types, symbols and notes of a flat kernel --- */

static struct kt_error *recover_at(const struct image_payload *flat, gaddr_t base,
				   struct recovered *ret)
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

/* Assumes a base first, and then takes the address of _text in the kernel's own tables. */
static struct kt_error *recover_from(const struct image_payload *flat, gaddr_t *base,
				     struct recovered *ret)
{
	struct kt_error *err = recover_at(flat, *base, ret);

	/* RISC-V and LoongArch have a header before _text, which is no symbol's matter: its base is
	 * known. */
	if (err || flat->machine != EM_AARCH64 || !ret->text || ret->text == *base)
		return err;
	*base = ret->text;
	recovered_deinit(ret);
	return recover_at(flat, *base, ret);
}

/*
 * The table of symbols is what tells that the base is right, but a kernel may come without.
 * KERNEL_LINK_ADDR of RISC-V has been the same since 5.13; TEXT_OFFSET of s390 since 4.20
 * (arch/s390/include/asm/setup.h), whatever address its decompressor moves it to. The header of
 * LoongArch's has the offset to where physical memory is mapped (VMLINUX_LOAD_ADDRESS).
 */
static struct kt_error *recover_any(struct image_payload *flat, gaddr_t *base,
				    struct recovered *ret)
{
	static const unsigned int va_bits[] = {48, 39, 47, 42, 36};
	uint64_t lowest;

	*base = flat->machine == EM_S390 ? 0x100000
		: flat->machine == EM_LOONGARCH
			? UINT64_C(0x9000000000000000) | kt_load_uint(flat->data + 0x18, 4, false)
			: UINT64_C(0xffffffff80000000);
	if (flat->machine != EM_AARCH64)
		return recover_from(flat, base, ret);
	lowest = lowest_relocated(flat->data, flat->len);
	for (size_t i = 0; i < sizeof(va_bits) / sizeof(va_bits[0]); i++) {
		struct kt_error *err;

		*base = arm64_base(va_bits[i], lowest) + text_offset(flat);
		/* The relocations tell which it is; without any, each has its turn. */
		if (lowest && lowest - *base >= UINT64_C(1) << 31)
			continue;
		if (lowest && !relocate(flat, *base))
			return kt_error_no_memory();
		err = recover_from(flat, base, ret);
		if (!err && ret->has_kallsyms)
			return NULL;
		if (!err)
			recovered_deinit(ret);
		kt_error_destroy(err);
	}
	*base = arm64_base(48, lowest) + text_offset(flat);
	return recover_from(flat, base, ret);
}

/* Puts an ELF of what the flat kernel has in its place. */
static struct kt_error *record_flat(struct image_payload *flat)
{
	_cleanup_(recovered_deinit) struct recovered kernel = {0};
	_cleanup_close_ int fd = -1;
	struct record_place place = {0};
	struct kt_buf elf = KT_BUF_INIT;
	struct kt_error *err = recover_any(flat, &place.text, &kernel);

	if (!err && kernel.text)
		place.text = kernel.text;
	if (!err)
		err = record_write(&kernel, &place, &fd);
	if (!err)
		err = kt_read_all(fd, SIZE_MAX, &elf);
	if (err)
		return kt_error_hint(kt_error_wrap(err, "a flat Image"), IMAGE_HINT_WHICH_FILE);
	free(flat->owned);
	flat->data = flat->owned = (uint8_t *)elf.data;
	flat->len = elf.len;
	flat->flat = false;
	return NULL;
}

struct kt_error *kernel_file_open(const void *data, size_t len, struct image **ret)
{
	_cleanup_(image_payload_deinit) struct image_payload payload = {0};
	struct kt_error *err = image_unwrap(data, len, &payload);

	if (!err && payload.flat)
		err = record_flat(&payload);
	return err ? err : image_of_payload(&payload, ret);
}
