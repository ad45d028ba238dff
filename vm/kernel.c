// SPDX-License-Identifier: LGPL-2.1-or-later
#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "vm/kernel.h"

/* As far as the last of the magic numbers, s390x's, reaches. */
#define HEAD_MAX ((size_t)66000)
/* A distribution's arm64 Image has 50 MB. */
#define IMAGE_MAX ((size_t)1 << 30)

/* Where a packed image begins in its file. */
struct payload {
	uint64_t offset, size; /* size 0: to the end */
};

static void archive_endp(struct archive **archive)
{
	if (*archive)
		archive_read_free(*archive);
}

static bool has_at(const struct kt_buf *head, size_t offset, const char *magic, size_t len)
{
	return head->len >= offset + len && !memcmp(head->data + offset, magic, len);
}

/*
 * The head of an EFI zboot image, drivers/firmware/efi/libstub/zboot-header.S:
 *
 *	0: "MZ"   4: "zimg"   8: u32 offset of the payload   12: u32 its size   24: "gzip", "zstd"
 */
static bool find_payload(const struct kt_buf *head, struct payload *ret)
{
	struct kt_cursor c = kt_cursor(head->data, head->len, false);

	*ret = (struct payload){0};
	if (has_at(head, 0, "\x1f\x8b", 2))
		return true;
	if (!has_at(head, 0, "MZ", 2) || !has_at(head, 4, "zimg", 4) || !kt_cursor_seek(&c, 8))
		return false;
	ret->offset = kt_cursor_u32(&c);
	ret->size = kt_cursor_u32(&c);
	return ret->offset && ret->size;
}

/*
 * Documentation/arch/x86/boot.rst: "HdrS" at 0x202. Documentation/arch/arm64/booting.rst and
 * Documentation/arch/riscv/boot-image-header.rst: "ARM\x64" and "RSC\x05" at 56.
 * arch/s390/boot/head.S: "S390EP" at 0x10008.
 */
static const struct vm_machine *machine_of(const struct kt_buf *head)
{
	static const struct {
		size_t offset;
		const char *magic, *arch;
	} known[] = {
		{0x202, "HdrS", "x86_64"},
		{56, "ARM\x64", "aarch64"},
		{56, "RSC\x05", "riscv64"},
		{0x10008, "S390EP", "s390x"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (has_at(head, known[i].offset, known[i].magic, strlen(known[i].magic)))
			return vm_machine_by_arch(known[i].arch);
	return NULL;
}

static struct kt_error *machine_of_elf(const char *path, const struct kt_buf *head,
				       const struct vm_machine **ret)
{
	bool big_endian = head->data[EI_DATA] == ELFDATA2MSB;
	struct kt_cursor c = kt_cursor(head->data, head->len, big_endian);
	uint16_t elf;

	kt_cursor_seek(&c, offsetof(Elf64_Ehdr, e_machine));
	elf = kt_cursor_u16(&c);
	*ret = vm_machine_by_elf(elf, big_endian);
	if (*ret)
		return NULL;
	return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
					  "the kernel %s is for another architecture (ELF machine "
					  "%u)",
					  path, elf),
			     "guests are x86_64, aarch64, riscv64 or s390x");
}

static struct kt_error *open_image(const char *path, int *fd_ret, off_t *size_ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return kt_error_os(errno, "cannot read the kernel %s", path);
	if (!S_ISREG(st.st_mode))
		return kt_error_new(KT_ERROR_FORMAT, "the kernel %s is no regular file", path);
	*fd_ret = kt_take_fd(&fd);
	*size_ret = st.st_size;
	return NULL;
}

static struct kt_error *read_at(int fd, const char *path, uint64_t offset, size_t max,
				struct kt_buf *out)
{
	char chunk[65536];

	while (out->len < max) {
		size_t want = max - out->len < sizeof(chunk) ? max - out->len : sizeof(chunk);
		ssize_t n = pread(fd, chunk, want, (off_t)(offset + out->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kt_error_os(errno, "cannot read the kernel %s", path);
		if (!n)
			break;
		kt_buf_append(out, chunk, (size_t)n);
		if (out->failed)
			return kt_error_no_memory();
	}
	return NULL;
}

static struct kt_error *damaged(const char *path, struct archive *archive)
{
	const char *why = archive ? archive_error_string(archive) : NULL;

	return kt_error_new(KT_ERROR_FORMAT, "the kernel %s cannot be unpacked: %s", path,
			    why ? why : "damaged");
}

/* At most max bytes of what is in the packed bytes; the rest is left. */
static struct kt_error *unpack(const char *path, const struct kt_buf *packed, size_t max,
			       struct kt_buf *out)
{
	_cleanup_(archive_endp) struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	char chunk[65536];
	la_ssize_t n = 0;

	if (!archive)
		return kt_error_no_memory();
	if (archive_read_support_format_raw(archive) != ARCHIVE_OK ||
	    archive_read_support_filter_gzip(archive) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(archive) != ARCHIVE_OK ||
	    archive_read_support_filter_lzma(archive) != ARCHIVE_OK ||
	    archive_read_support_filter_lz4(archive) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(archive) != ARCHIVE_OK ||
	    archive_read_open_memory(archive, packed->data, packed->len) != ARCHIVE_OK ||
	    archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		return damaged(path, archive);
	while (out->len < max && (n = archive_read_data(archive, chunk, sizeof(chunk))) > 0) {
		size_t room = max - out->len;

		kt_buf_append(out, chunk, (size_t)n < room ? (size_t)n : room);
		if (out->failed)
			return kt_error_no_memory();
	}
	return n < 0 ? damaged(path, archive) : NULL;
}

/* The first bytes of the image in the file, at most max; *packed tells if it is packed. */
static struct kt_error *read_image(const char *path, size_t max, struct kt_buf *out, bool *packed)
{
	_cleanup_(kt_buf_deinit) struct kt_buf payload_bytes = KT_BUF_INIT;
	_cleanup_close_ int fd = -1;
	struct payload payload;
	struct kt_error *err;
	off_t size;

	err = open_image(path, &fd, &size);
	if (!err)
		err = read_at(fd, path, 0, HEAD_MAX, out);
	if (err)
		return err;
	*packed = out->len && find_payload(out, &payload);
	if (!*packed)
		return NULL;
	if (payload.offset >= (uint64_t)size || payload.size > (uint64_t)size - payload.offset)
		return damaged(path, NULL);
	if (!payload.size)
		payload.size = (uint64_t)size - payload.offset;
	if (payload.size > IMAGE_MAX)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "the kernel %s is larger than 1 GB",
				    path);
	kt_buf_deinit(out);
	*out = (struct kt_buf)KT_BUF_INIT;
	err = read_at(fd, path, payload.offset, (size_t)payload.size, &payload_bytes);
	return err ? err : unpack(path, &payload_bytes, max, out);
}

struct kt_error *vm_kernel_recognise(const char *path, struct vm_kernel *ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf head = KT_BUF_INIT;
	const struct vm_machine *machine = NULL;
	struct kt_error *err;
	bool packed = false;

	err = read_image(path, HEAD_MAX, &head, &packed);
	if (err)
		return err;
	if (head.len >= sizeof(Elf64_Ehdr) && !memcmp(head.data, ELFMAG, SELFMAG))
		err = machine_of_elf(path, &head, &machine);
	else
		machine = machine_of(&head);
	if (err)
		return err;
	ret->machine = machine ? machine : vm_machine_x86_64;
	ret->packed = packed && machine && machine != vm_machine_x86_64;
	return NULL;
}

struct kt_error *vm_kernel_unpack(const char *path, const char *to)
{
	_cleanup_(kt_buf_deinit) struct kt_buf image = KT_BUF_INIT;
	_cleanup_close_ int fd = -1;
	struct kt_error *err;
	bool packed;

	err = read_image(path, IMAGE_MAX, &image, &packed);
	if (err)
		return err;
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return kt_error_os(errno, "cannot write %s", to);
	for (size_t done = 0; done < image.len;) {
		ssize_t n = write(fd, image.data + done, image.len - done);

		if (n < 0 && errno != EINTR)
			return kt_error_os(errno, "cannot write %s", to);
		done += n > 0 ? (size_t)n : 0;
	}
	return NULL;
}
