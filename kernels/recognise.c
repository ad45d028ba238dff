// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <fcntl.h>
#include <string.h>

#include "image/decompress.h"
#include "image/image.h"
#include "image/uki.h"
#include "kernels/recognise.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/io.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* Documentation/arch/x86/boot.rst: kernel_version, an offset from 0x200 to a string. */
#define BOOT_KERNEL_VERSION 0x20e

bool kernels_release_ok(const char *release, size_t len)
{
	if (!len || len >= sizeof(((struct kernels_kind *)NULL)->release) || release[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!release[i] || !strchr(LETTERS "._+~-", release[i]))
			return false;
	return true;
}

/* "6.1.0-50-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP ..." */
static void bzimage_release(const uint8_t *data, size_t len, char *ret, size_t size)
{
	size_t at, n = 0;

	ret[0] = '\0';
	if (len < BOOT_KERNEL_VERSION + 2)
		return;
	at = kt_load_uint(data + BOOT_KERNEL_VERSION, 2, false) + 0x200;
	while (at + n < len && n < size && data[at + n] && data[at + n] != ' ')
		n++;
	if (n < size && kernels_release_ok((const char *)data + at, n)) {
		memcpy(ret, data + at, n);
		ret[n] = '\0';
	}
}

/* --- ELF files --- */

static const char *machine_name(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *program, *object;
	} known[] = {
		{EM_X86_64, "an ELF program for x86-64", NULL},
		{EM_AARCH64, "an ELF program for AArch64", NULL},
		{EM_RISCV, "an ELF program for RISC-V", NULL},
		{EM_S390, "an ELF program for s390x", NULL},
		{EM_386, "an ELF program for 32-bit x86", NULL},
		{EM_ARM, "an ELF program for 32-bit ARM", NULL},
		{EM_PPC64, "an ELF program for POWER", NULL},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].machine == machine)
			return known[i].program;
	return "an ELF program";
}

static bool has_interpreter(Elf *elf)
{
	const Elf64_Ehdr *header = elf64_getehdr(elf);
	const Elf64_Phdr *ph = header ? elf64_getphdr(elf) : NULL;
	size_t n = 0;

	if (!ph || elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (ph[i].p_type == PT_INTERP)
			return true;
	return false;
}

/* Every vmlinux has the kernel's parameters, or the banner in plain text. */
static bool is_vmlinux(struct image *image, const uint8_t *data, size_t len)
{
	static const char banner[] = "Linux version ";
	struct image_section section;

	return image_section(image, "__param", &section) ||
	       image_section(image, ".init.text", &section) ||
	       memmem(data, len, banner, sizeof(banner) - 1);
}

static void recognise_elf(const struct image_file *file, struct kernels_kind *ret)
{
	_cleanup_(image_closep) struct image *image = NULL;
	struct image_section section;
	uint16_t type;

	if (file->len < sizeof(Elf64_Ehdr)) {
		ret->what = "an ELF file that is cut off";
		return;
	}
	type = (uint16_t)kt_load_uint(file->data + offsetof(Elf64_Ehdr, e_type), 2,
				      file->data[EI_DATA] == ELFDATA2MSB);
	kt_error_destroy(image_open(file->data, file->len, &image));
	if (!image)
		ret->what = "an ELF file that is damaged";
	else if (type == ET_CORE)
		ret->what = "a core file";
	else if (type == ET_REL && image_machine(image) == EM_BPF)
		ret->what = "a BPF object";
	else if (type == ET_REL && image_section(image, ".modinfo", &section))
		ret->what = "a kernel module";
	else if (type == ET_REL)
		ret->what = "an ELF object file";
	else if (has_interpreter(image_elf(image)) || !is_vmlinux(image, file->data, file->len))
		ret->what = machine_name(image_machine(image));
	else
		ret->is_kernel = true;
}

/* --- all others --- */

static bool is_text(const uint8_t *data, size_t len)
{
	size_t n = len < 512 ? len : 512;

	for (size_t i = 0; i < n; i++)
		if ((data[i] < 0x20 && !strchr("\t\n\r\f\033", data[i])) || !data[i])
			return false;
	return true;
}

static void recognise_other(const uint8_t *data, size_t len, struct kernels_kind *ret)
{
	static const struct {
		size_t offset;
		const char *magic, *what;
		bool archive;
		const char *remedy;
	} known[] = {
		{0, "!<arch>\n", "an ar archive", true, NULL},
		{0, "\xed\xab\xee\xdb", "an RPM package", true, NULL},
		{0, "07070", "a cpio archive", true, NULL},
		{257, "ustar", "a tar archive", true, NULL},
		{0, "PK\3\4", "a zip archive", false, NULL},
		{0, "hsqs", "a squashfs image", false, NULL},
		{0, "QFI\xfb", "a qcow2 disk image", false, NULL},
		{32769, "CD001", "an ISO image", false, NULL},
		{0, "MZ", "an EFI program", false, NULL},
		{0, "KDUMP   ", "a crash dump", false, NULL},
		{0, "ADB", "a package in the format of apk 3", false,
		 "take it apart with apk 3 (apk extract --allow-untrusted --destination DIR FILE), "
		 "and give DIR"},
		{0, "%PDF", "a PDF document", false, NULL},
		{510, "\x55\xaa", "a disk image", false, NULL},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t n = strlen(known[i].magic);

		if (len >= known[i].offset + n &&
		    !memcmp(data + known[i].offset, known[i].magic, n)) {
			ret->what = known[i].what;
			ret->may_be_archive = known[i].archive;
			ret->remedy = known[i].remedy;
			return;
		}
	}
	ret->what = is_text(data, len) ? "a text file" : "a file of a format not known here";
}

static const char *what_is_compressed(const uint8_t *data, size_t len)
{
	static const struct {
		const char *format, *what;
	} known[] = {
		{"gzip", "a file compressed by gzip"}, {"xz", "a file compressed by xz"},
		{"zstd", "a file compressed by zstd"}, {"bzip2", "a file compressed by bzip2"},
		{"lz4", "a file compressed by lz4"},   {"lzma", "a file compressed by lzma"},
	};
	const char *format = decompress_format(data, len);

	for (size_t i = 0; format && i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(format, known[i].format))
			return known[i].what;
	return "a compressed file";
}

/* A compressed kernel, or something else that is compressed. */
static struct kt_error *recognise_packed(const uint8_t *data, size_t len, struct kernels_kind *ret)
{
	_cleanup_free_ uint8_t *head = malloc(IMAGE_HEAD);
	struct image_kind kind;
	size_t n = 0;

	if (!head)
		return kt_error_no_memory();
	ret->what = what_is_compressed(data, len);
	kt_error_destroy(decompress_head(data, len, head, IMAGE_HEAD, &n));
	kind = image_kind(head, n);
	ret->may_be_archive = true;
	ret->is_kernel = kind.form != IMAGE_UNKNOWN && kind.form != IMAGE_COMPRESSED;
	if (kind.form == IMAGE_BZIMAGE)
		bzimage_release(head, n, ret->release, sizeof(ret->release));
	return NULL;
}

static struct kt_error *recognise(const struct image_file *file, struct kernels_kind *ret)
{
	const uint8_t *data = file->data;
	size_t len = file->len;
	struct image_kind kind = image_kind(data, len);
	struct image_uki uki;

	if (kind.form != IMAGE_ELF && (kind.machine == EM_386 || kind.machine == EM_ARM)) {
		ret->what = kind.machine == EM_386
				    ? KERNELS_32_BITS " (i386); such guests are not read"
				    : KERNELS_32_BITS " (arm); such guests are not read";
		ret->remedy = "give a kernel of 64 bits";
		return NULL;
	}
	switch (kind.form) {
	case IMAGE_UNKNOWN:
		recognise_other(data, len, ret);
		ret->is_uki = image_uki(data, len, &uki);
		return NULL;
	case IMAGE_ELF: recognise_elf(file, ret); return NULL;
	case IMAGE_COMPRESSED: return recognise_packed(data, len, ret);
	case IMAGE_ZBOOT:
		if (!image_zboot_payload(&data, &len)) {
			ret->what = "a kernel that is cut off";
			return NULL;
		}
		ret->is_kernel = true;
		return NULL;
	case IMAGE_BZIMAGE: bzimage_release(data, len, ret->release, sizeof(ret->release)); break;
	case IMAGE_FLAT:
	case IMAGE_S390: break;
	}
	ret->is_kernel = true;
	return NULL;
}

struct kt_error *kernels_recognise(const char *path, struct kernels_kind *ret)
{
	struct kernels_kind kind = {.what = "a kernel"};
	struct image_file file = {0};
	_cleanup_close_ int fd = -1;
	struct kt_error *err;
	off_t size;

	err = kt_open_file(AT_FDCWD, path, 0, &fd, &size);
	if (!err && !size) {
		kind.what = "it is empty";
		*ret = kind;
		return NULL;
	}
	if (!err)
		err = image_file_map(fd, &file);
	if (!err)
		err = recognise(&file, &kind);
	image_file_close(&file);
	if (!err)
		*ret = kind;
	return err;
}

/* --- the release --- */

/* fetch-kernel's file, one line. */
static char *release_beside(const char *path)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *file = NULL;
	size_t len;

	if (asprintf(&file, "%.*srelease", slash ? (int)(slash + 1 - path) : 0, path) < 0) {
		file = NULL;
		return NULL;
	}
	kt_error_destroy(kt_read_file(file, 1024, &text));
	len = text.data ? strcspn(text.data, "\n") : 0;
	return len && kernels_release_ok(text.data, len) ? strndup(text.data, len) : NULL;
}

/* "…/vmlinuz-RELEASE", "…/modules/RELEASE/vmlinuz" */
static char *release_in_path(const char *path)
{
	static const char *const prefixes[] = {"vmlinuz-", "vmlinux-", "Image-", "bzImage-"};
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dir;
	size_t len;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t n = strlen(prefixes[i]);

		if (!strncmp(base, prefixes[i], n) && base[n] >= '0' && base[n] <= '9' &&
		    kernels_release_ok(base + n, strlen(base + n)))
			return strdup(base + n);
	}
	if (!slash)
		return NULL;
	dir = slash;
	while (dir > path && dir[-1] != '/')
		dir--;
	len = (size_t)(slash - dir);
	if (dir - path < 8 || strncmp(dir - 8, "modules/", 8) || !kernels_release_ok(dir, len))
		return NULL;
	return strndup(dir, len);
}

char *kernels_release_of(const char *path, const struct kernels_kind *kind)
{
	char *release;

	if (kind->release[0])
		return strdup(kind->release);
	release = release_beside(path);
	return release ? release : release_in_path(path);
}
