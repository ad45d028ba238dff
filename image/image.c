// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "image/decompress.h"
#include "image/image.h"
#include "util/cleanup.h"
#include "util/cursor.h"

struct image {
	Elf *elf;
	GElf_Ehdr ehdr;
	const uint8_t *data; /* the ELF's bytes */
	size_t len;
	uint8_t *owned; /* the same, where they have to be freed; else NULL */
	size_t shnum, shstrndx;
};

struct kt_error *image_file_map(int fd, struct image_file *ret)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st))
		return kt_error_os(errno, "cannot stat it");
	if (!S_ISREG(st.st_mode))
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT, "not a regular file"),
				     IMAGE_HINT_WHICH_FILE);
	if (!st.st_size)
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT, "the file is empty"),
				     IMAGE_HINT_WHICH_FILE);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return kt_error_os(errno, "cannot map it");
	ret->data = map;
	ret->len = (size_t)st.st_size;
	ret->is_elf = image_kind(ret->data, ret->len).form == IMAGE_ELF;
	return NULL;
}

struct kt_error *image_file_open(const char *path, struct image_file *ret)
{
	/* O_NONBLOCK: a FIFO must not make us wait before we can say that it is no file. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? kt_error_new(KT_ERROR_NOT_FOUND, "no such file")
				       : kt_error_os(errno, "cannot open it");
	return image_file_map(fd, ret);
}

void image_file_close(struct image_file *file)
{
	if (file->data)
		munmap((void *)file->data, file->len);
	file->data = NULL;
}

static struct kt_error *elf_read_headers(struct image *image)
{
	if (elf_kind(image->elf) != ELF_K_ELF || !gelf_getehdr(image->elf, &image->ehdr))
		return kt_error_new(KT_ERROR_FORMAT, "a damaged ELF file: %s", elf_errmsg(-1));
	if (elf_getshdrnum(image->elf, &image->shnum) ||
	    elf_getshdrstrndx(image->elf, &image->shstrndx))
		return kt_error_hint(
			kt_error_new(KT_ERROR_FORMAT,
				     "truncated or damaged: its table of sections lies at byte "
				     "%llu of %zu",
				     (unsigned long long)image->ehdr.e_shoff, image->len),
			HINT_TRUNCATED_FILE);
	if (!image->shnum)
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT, "an ELF without sections"),
				     IMAGE_HINT_WHICH_FILE);
	return NULL;
}

/*
 * Only errors of truncation. libelf itself bounds the table of sections by what is there, and would
 * call a truncated vmlinux an ELF without sections.
 */
static struct kt_error *elf_check_whole(const uint8_t *data, size_t len)
{
	bool wide, be;
	uint64_t shoff, shentsize, shnum;

	if (len < EI_NIDENT + 36)
		return kt_error_new(KT_ERROR_FORMAT,
				    "truncated: an ELF header of which %zu bytes "
				    "are there",
				    len);
	wide = data[EI_CLASS] == ELFCLASS64;
	be = data[EI_DATA] == ELFDATA2MSB;
	if (wide && len < sizeof(Elf64_Ehdr))
		return kt_error_new(KT_ERROR_FORMAT,
				    "truncated: an ELF header has %zu bytes, %zu are there",
				    sizeof(Elf64_Ehdr), len);
	shoff = kt_load_uint(data + (wide ? 0x28 : 0x20), wide ? 8 : 4, be);
	shentsize = kt_load_uint(data + (wide ? 0x3a : 0x2e), 2, be);
	shnum = kt_load_uint(data + (wide ? 0x3c : 0x30), 2, be);
	if (shoff > len || shentsize * shnum > len - shoff)
		return kt_error_new(KT_ERROR_FORMAT,
				    "truncated: its table of sections ends at byte %llu, the file "
				    "has %zu",
				    (unsigned long long)(shoff + shentsize * shnum), len);
	return NULL;
}

static struct kt_error *elf_open(struct image *image)
{
	struct kt_error *err = elf_check_whole(image->data, image->len);

	if (err)
		return kt_error_hint(err, HINT_TRUNCATED_FILE);
	elf_version(EV_CURRENT);
	image->elf = elf_memory((char *)image->data, image->len);
	if (!image->elf)
		return kt_error_new(KT_ERROR_FORMAT, "a damaged ELF file: %s", elf_errmsg(-1));
	return elf_read_headers(image);
}

struct kt_error *image_of_payload(struct image_payload *payload, struct image **ret)
{
	_cleanup_(image_closep) struct image *image = calloc(1, sizeof(*image));
	struct kt_error *err;

	if (!image)
		return kt_error_no_memory();
	if (payload->flat)
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "a flat Image, which has no sections"),
				     IMAGE_HINT_WHICH_FILE);
	image->data = payload->data;
	image->len = payload->len;
	err = elf_open(image);
	if (err)
		return err;
	image->owned = kt_take_ptr(payload->owned);
	*ret = kt_take_ptr(image);
	return NULL;
}

struct kt_error *image_open(const void *data, size_t len, struct image **ret)
{
	_cleanup_(image_payload_deinit) struct image_payload payload = {0};
	struct kt_error *err = image_unwrap(data, len, &payload);

	return err ? err : image_of_payload(&payload, ret);
}

void image_close(struct image *image)
{
	if (!image)
		return;
	elf_end(image->elf);
	free(image->owned);
	free(image);
}

void image_closep(struct image **image)
{
	image_close(*image);
}

Elf *image_elf(struct image *image)
{
	return image->elf;
}

uint16_t image_machine(const struct image *image)
{
	return image->ehdr.e_machine;
}

bool image_big_endian(const struct image *image)
{
	return image->ehdr.e_ident[EI_DATA] == ELFDATA2MSB;
}

unsigned int image_pointer_size(const struct image *image)
{
	return image->ehdr.e_ident[EI_CLASS] == ELFCLASS64 ? 8 : 4;
}

size_t image_len(const struct image *image)
{
	return image->len;
}

/* A section whose bytes, if it has any in the file, are all there. */
static bool section_load_raw(struct image *image, size_t index, struct image_section *ret,
			     bool *compressed_ret)
{
	Elf_Scn *scn = elf_getscn(image->elf, index);
	GElf_Shdr sh;
	const char *name;

	if (!scn || !gelf_getshdr(scn, &sh))
		return false;
	*compressed_ret = sh.sh_flags & SHF_COMPRESSED;
	name = elf_strptr(image->elf, image->shstrndx, sh.sh_name);
	if (!name)
		return false;
	if (sh.sh_type != SHT_NOBITS &&
	    (sh.sh_offset > image->len || sh.sh_size > image->len - sh.sh_offset))
		return false;
	*ret = (struct image_section){
		.name = name,
		.data = sh.sh_type == SHT_NOBITS ? NULL : image->data + sh.sh_offset,
		.size = sh.sh_size,
		.addr = sh.sh_flags & SHF_ALLOC ? sh.sh_addr : 0,
		.type = sh.sh_type,
		.alloc = sh.sh_flags & SHF_ALLOC,
		.index = index,
	};
	return true;
}

static bool section_load(struct image *image, size_t index, struct image_section *ret)
{
	bool compressed;

	return section_load_raw(image, index, ret, &compressed) && !compressed;
}

bool image_section_raw(struct image *image, const char *name, struct image_section *ret,
		       bool *compressed_ret)
{
	struct image_section s;

	for (size_t i = 1; i < image->shnum; i++) {
		if (section_load_raw(image, i, &s, compressed_ret) && !strcmp(s.name, name)) {
			*ret = s;
			return true;
		}
	}
	return false;
}

bool image_section_next(struct image *image, size_t *i, struct image_section *ret)
{
	while (++*i < image->shnum) {
		if (section_load(image, *i, ret))
			return true;
	}
	return false;
}

bool image_section(struct image *image, const char *name, struct image_section *ret)
{
	struct image_section s;

	for (size_t i = 0; image_section_next(image, &i, &s);) {
		if (!strcmp(s.name, name)) {
			*ret = s;
			return true;
		}
	}
	return false;
}

bool image_section_at(struct image *image, gaddr_t addr, uint64_t n, struct image_section *ret)
{
	struct image_section s;

	for (size_t i = 0; image_section_next(image, &i, &s);) {
		if (s.alloc && s.data && addr >= s.addr && n <= s.size &&
		    addr - s.addr <= s.size - n) {
			*ret = s;
			return true;
		}
	}
	return false;
}

/* Notes are {namesz, descsz, type, name, desc}, name and desc padded to four bytes (gabi). */
static size_t note_build_id(const struct image_section *s, bool be, uint8_t *id, size_t size)
{
	struct kt_cursor c = kt_cursor(s->data, (size_t)s->size, be);

	while (c.len - c.pos >= 12) {
		uint32_t namesz = kt_cursor_u32(&c), descsz = kt_cursor_u32(&c);
		uint32_t type = kt_cursor_u32(&c);
		const uint8_t *name = kt_cursor_bytes(&c, (namesz + (size_t)3) & ~(size_t)3);
		const uint8_t *desc = kt_cursor_bytes(&c, (descsz + (size_t)3) & ~(size_t)3);

		if (c.failed)
			return 0;
		if (type == 3 /* NT_GNU_BUILD_ID */ && namesz == 4 && !memcmp(name, "GNU", 4) &&
		    descsz && descsz <= size) {
			memcpy(id, desc, descsz);
			return descsz;
		}
	}
	return 0;
}

size_t image_build_id(struct image *image, uint8_t *id, size_t size)
{
	struct image_section s;

	for (size_t i = 0; image_section_next(image, &i, &s);) {
		size_t n = s.type == SHT_NOTE && s.data
				   ? note_build_id(&s, image_big_endian(image), id, size)
				   : 0;

		if (n)
			return n;
	}
	return 0;
}
