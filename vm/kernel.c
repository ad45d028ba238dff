// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/decompress.h"
#include "image/image.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "vm/kernel.h"

/* *ret stays empty for an empty file. */
static struct kt_error *map_kernel(const char *path, struct image_file *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return kt_error_os(errno, "cannot read the kernel %s", path);
	if (!S_ISREG(st.st_mode))
		return kt_error_new(KT_ERROR_FORMAT, "the kernel %s is no regular file", path);
	return st.st_size
		       ? kt_error_wrap(image_file_map(fd, ret), "cannot read the kernel %s", path)
		       : NULL;
}

/* Narrows [data, len) to what is compressed in a packed kernel. */
static struct kt_error *packed_bytes(enum image_form form, const uint8_t **data, size_t *len)
{
	if (form == IMAGE_ZBOOT && !image_zboot_payload(data, len))
		return kt_error_new(KT_ERROR_FORMAT, "damaged: it ends before its payload does");
	return NULL;
}

static struct kt_error *recognise_packed(const struct image_file *file, struct image_kind *kind)
{
	_cleanup_free_ uint8_t *head = malloc(IMAGE_HEAD);
	const uint8_t *data = file->data;
	size_t len = file->len, n = 0;
	struct kt_error *err = head ? packed_bytes(kind->form, &data, &len) : kt_error_no_memory();

	if (!err)
		err = decompress_head(data, len, head, IMAGE_HEAD, &n);
	if (!err)
		*kind = image_kind(head, n);
	return err;
}

static struct kt_error *choose_machine(const char *path, const struct image_file *file,
				       struct vm_kernel *ret)
{
	struct image_kind kind = image_kind(file->data, file->len);
	bool packed = kind.form == IMAGE_ZBOOT || kind.form == IMAGE_COMPRESSED;
	const struct vm_machine *machine;
	struct kt_error *err = NULL;

	if (packed)
		err = kt_error_wrap(recognise_packed(file, &kind),
				    "the kernel %s cannot be unpacked", path);
	if (err)
		return err;
	machine = vm_machine_by_elf(kind.machine, kind.big_endian);
	if (kind.machine == EM_386 || kind.machine == EM_ARM)
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "the kernel %s is for %s: guests of 32 bits are "
						  "neither booted nor read",
						  path, kind.machine == EM_386 ? "i386" : "arm"),
				     "guests are x86_64, aarch64, riscv64, s390x, ppc64le or "
				     "loongarch64");
	if (!machine && kind.form == IMAGE_ELF)
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "the kernel %s is for another architecture (ELF "
						  "machine %u)",
						  path, kind.machine),
				     "guests are x86_64, aarch64, riscv64, s390x, ppc64le or "
				     "loongarch64");
	ret->machine = machine ? machine : vm_machine_x86_64;
	ret->packed = packed && ret->machine != vm_machine_x86_64;
	return NULL;
}

struct kt_error *vm_kernel_recognise(const char *path, struct vm_kernel *ret)
{
	struct image_file file = {0};
	struct kt_error *err = map_kernel(path, &file);

	if (!err)
		err = choose_machine(path, &file, ret);
	image_file_close(&file);
	return err;
}

static struct kt_error *write_kernel(const char *to, const uint8_t *kernel, size_t len)
{
	_cleanup_close_ int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct kt_error *err = fd < 0 ? kt_error_os(errno, "cannot create it")
				      : kt_write_all(fd, kernel, len);

	return kt_error_wrap(err, "cannot write %s", to);
}

struct kt_error *vm_kernel_unpack(const char *path, const char *to)
{
	_cleanup_free_ uint8_t *kernel = NULL;
	struct image_file file = {0};
	struct kt_error *err = map_kernel(path, &file);
	const uint8_t *data = file.data;
	size_t len = file.len;

	if (err)
		return err;
	err = packed_bytes(image_kind(data, len).form, &data, &len);
	if (!err)
		err = decompress(data, len, DECOMPRESS_LIMIT, &kernel, &len);
	err = kt_error_wrap(err, "the kernel %s cannot be unpacked", path);
	if (!err)
		err = write_kernel(to, kernel, len);
	image_file_close(&file);
	return err;
}
