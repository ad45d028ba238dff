// SPDX-License-Identifier: LGPL-2.1-or-later
/* unpack VMLINUZ OUT: the kernel's ELF file out of an image, with the house's own reader. */
#include <stdio.h>
#include <stdlib.h>

#include "image/image.h"

static void die(struct kt_error *err)
{
	if (!err)
		return;
	fprintf(stderr, "unpack: %s\n", kt_error_message(err));
	exit(3);
}

int main(int argc, char **argv)
{
	struct image_file file;
	struct image *image;
	const char *data;
	size_t len;
	FILE *to;

	if (argc != 3) {
		fprintf(stderr, "usage: unpack VMLINUZ OUT\n");
		return 2;
	}
	die(image_file_open(argv[1], &file));
	die(image_open(file.data, file.len, &image));
	data = elf_rawfile(image_elf(image), &len);
	to = fopen(argv[2], "we");
	if (!data || !to || fwrite(data, 1, len, to) != len || fclose(to)) {
		perror(argv[2]);
		return 3;
	}
	image_close(image);
	image_file_close(&file);
	return 0;
}
