// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "image/decompress.h"
#include "image/flat.h"
#include "image/image.h"
#include "util/cleanup.h"
#include "util/cursor.h"

struct image {
	Elf *elf;
	GElf_Ehdr ehdr;
	const uint8_t *data; /* the ELF's bytes */
	size_t len;
	uint8_t *owned; /* them again when they had to be decompressed */
	size_t shnum, shstrndx;
};

/* Parts of an x86 boot header, Documentation/arch/x86/boot.rst. */
#define BOOT_SETUP_SECTS    0x1f1
#define BOOT_FLAG           0x1fe
#define BOOT_MAGIC          0x202
#define BOOT_VERSION        0x206
#define BOOT_PAYLOAD_OFFSET 0x248
#define BOOT_PAYLOAD_LENGTH 0x24c
#define BOOT_END            0x250

#define HINT_WHICH_FILE                                                                            \
	"give the vmlinuz that the guest booted, or the vmlinux of its debug package"

static bool looks_elf(const uint8_t *data, size_t len)
{
	return len >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG);
}

static struct kt_error *file_map(int fd, struct image_file *ret)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st))
		return kt_error_os(errno, "cannot stat it");
	if (!S_ISREG(st.st_mode))
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT, "not a regular file"),
				     HINT_WHICH_FILE);
	if (!st.st_size)
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT, "the file is empty"),
				     HINT_WHICH_FILE);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return kt_error_os(errno, "cannot map it");
	ret->data = map;
	ret->len = (size_t)st.st_size;
	ret->is_elf = looks_elf(ret->data, ret->len);
	return NULL;
}

struct kt_error *image_file_open(const char *path, struct image_file *ret)
{
	/* O_NONBLOCK: a FIFO must not make us wait before we can say that it is no file. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? kt_error_new(KT_ERROR_NOT_FOUND, "no such file")
				       : kt_error_os(errno, "cannot open it");
	return file_map(fd, ret);
}

void image_file_close(struct image_file *file)
{
	if (file->data)
		munmap((void *)file->data, file->len);
	file->data = NULL;
}

static struct kt_error *not_a_kernel(void)
{
	return kt_error_hint(kt_error_new(KT_ERROR_FORMAT,
					  "not a kernel: neither an ELF vmlinux nor a "
					  "compressed kernel image"),
			     HINT_WHICH_FILE);
}

static bool looks_bzimage(const uint8_t *data, size_t len)
{
	return len >= BOOT_MAGIC + 4 && !memcmp(data + BOOT_MAGIC, "HdrS", 4) &&
	       kt_load_uint(data + BOOT_FLAG, 2, false) == 0xaa55;
}

/* Narrows [data, len) to the compressed kernel inside a bzImage. */
static struct kt_error *bzimage_payload(const uint8_t **data, size_t *len)
{
	const uint8_t *d = *data;
	uint64_t sects, offset, size;

	if (*len < BOOT_END)
		return kt_error_new(KT_ERROR_FORMAT,
				    "truncated: a bzImage whose header has %d bytes, of which %zu "
				    "are there",
				    BOOT_END, *len);
	if (kt_load_uint(d + BOOT_VERSION, 2, false) < 0x0208)
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "a bzImage older than Linux 2.6.24 (boot protocol 2.08)");
	sects = d[BOOT_SETUP_SECTS] ? d[BOOT_SETUP_SECTS] : 4;
	offset = (sects + 1) * 512 + kt_load_uint(d + BOOT_PAYLOAD_OFFSET, 4, false);
	size = kt_load_uint(d + BOOT_PAYLOAD_LENGTH, 4, false);
	if (offset > *len || size > *len - offset)
		return kt_error_new(KT_ERROR_FORMAT,
				    "truncated: its header promises %llu bytes, the file has %zu",
				    (unsigned long long)(offset + size), *len);
	*data += offset;
	*len = (size_t)size;
	if (looks_elf(*data, *len) || decompress_format(*data, *len))
		return NULL;
	return kt_error_new(KT_ERROR_UNSUPPORTED,
			    "a bzImage whose kernel is compressed in a way not known here");
}

static struct kt_error *elf_read_headers(struct image *image)
{
	if (elf_kind(image->elf) != ELF_K_ELF || !gelf_getehdr(image->elf, &image->ehdr))
		return kt_error_new(KT_ERROR_FORMAT, "a damaged ELF file: %s", elf_errmsg(-1));
	if (elf_getshdrnum(image->elf, &image->shnum) ||
	    elf_getshdrstrndx(image->elf, &image->shstrndx))
		return kt_error_new(KT_ERROR_FORMAT,
				    "truncated or damaged: its table of sections lies at byte %llu "
				    "of %zu",
				    (unsigned long long)image->ehdr.e_shoff, image->len);
	if (!image->shnum)
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT, "an ELF without sections"),
				     HINT_WHICH_FILE);
	return NULL;
}

/*
 * libelf bounds the table of sections by what is there and then calls the ELF sectionless, so
 * that a truncated vmlinux has to be told apart here.
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
		return err;
	elf_version(EV_CURRENT);
	image->elf = elf_memory((char *)image->data, image->len);
	if (!image->elf)
		return kt_error_new(KT_ERROR_FORMAT, "a damaged ELF file: %s", elf_errmsg(-1));
	return elf_read_headers(image);
}

/* What is known of a flat Image, as an ELF, takes its place. */
static struct kt_error *unwrap_flat(struct image *image, uint16_t machine, const uint8_t **data,
				    size_t *len)
{
	uint8_t *elf;
	struct kt_error *err = image_flat_elf(*data, *len, machine, &elf, len);

	if (err)
		return kt_error_hint(kt_error_wrap(err, "a flat Image"), HINT_WHICH_FILE);
	free(image->owned);
	*data = image->owned = elf;
	return NULL;
}

static struct kt_error *unwrap_s390(struct image *image, const uint8_t **data, size_t *len)
{
	struct kt_error *err = image_s390_unpack(*data, *len, &image->owned, len);

	if (err)
		return kt_error_hint(err, HINT_WHICH_FILE);
	*data = image->owned;
	/* Older kernels' decompressor has an ELF in it. */
	return looks_elf(*data, *len) ? NULL : unwrap_flat(image, EM_S390, data, len);
}

/* Peels wrappings off [data, len) until an ELF is left, which image->data and len are then. */
static struct kt_error *unwrap(struct image *image, const uint8_t *data, size_t len)
{
	struct kt_error *err;

	if (!looks_elf(data, len) && looks_bzimage(data, len)) {
		err = bzimage_payload(&data, &len);
		if (err)
			return err;
	}
	if (!looks_elf(data, len))
		image_zboot_payload(&data, &len);
	if (!looks_elf(data, len) && decompress_format(data, len)) {
		err = decompress(data, len, DECOMPRESS_LIMIT, &image->owned, &image->len);
		if (err)
			return err;
		data = image->owned;
		len = image->len;
	}
	if (!looks_elf(data, len) && image_flat_machine(data, len)) {
		err = unwrap_flat(image, image_flat_machine(data, len), &data, &len);
		if (err)
			return err;
	} else if (!looks_elf(data, len) && image_s390_is(data, len)) {
		err = unwrap_s390(image, &data, &len);
		if (err)
			return err;
	}
	if (!looks_elf(data, len))
		return not_a_kernel();
	image->data = data;
	image->len = len;
	return NULL;
}

struct kt_error *image_open(const void *data, size_t len, struct image **ret)
{
	_cleanup_(image_closep) struct image *image = calloc(1, sizeof(*image));
	struct kt_error *err;

	if (!image)
		return kt_error_no_memory();
	err = unwrap(image, data, len);
	if (!err)
		err = elf_open(image);
	if (err)
		return strncmp(kt_error_message(err), "truncated", 9)
			       ? err
			       : kt_error_hint(err, "copy or download the file again");
	*ret = kt_take_ptr(image);
	return NULL;
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
