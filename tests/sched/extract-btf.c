// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * extract-btf KERNEL: writes the BTF of a vmlinuz or vmlinux to stdout, as bpftool reads it.
 * The kernel at hand is one to boot, not the one that runs here: /sys/kernel/btf is no help.
 */
#include <stdio.h>

#include "image/image.h"
#include "util/cleanup.h"

static struct kt_error *extract(const struct image_file *file, FILE *out)
{
	_cleanup_(image_closep) struct image *image = NULL;
	struct image_section btf;
	struct kt_error *err;

	err = image_open(file->data, file->len, &image);
	if (err)
		return err;
	if (!image_section(image, ".BTF", &btf) || !btf.data)
		return kt_error_new(KT_ERROR_NOT_FOUND, "it has no BTF");
	if (fwrite(btf.data, 1, btf.size, out) != btf.size || fflush(out))
		return kt_error_new(KT_ERROR_OS, "cannot write its BTF");
	return NULL;
}

int main(int argc, char **argv)
{
	_cleanup_error_ struct kt_error *err = NULL;
	struct image_file file = {};

	if (argc != 2) {
		fprintf(stderr, "usage: extract-btf KERNEL >FILE\n");
		return 2;
	}
	err = image_file_open(argv[1], &file);
	if (!err)
		err = extract(&file, stdout);
	image_file_close(&file);
	if (err)
		fprintf(stderr, "extract-btf: %s: %s\n", argv[1], kt_error_message(err));
	return err != NULL;
}
