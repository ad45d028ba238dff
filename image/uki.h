/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A unified kernel image (UKI): an EFI program that has a kernel, its initramfs and its command
 * line as sections. The names of the sections: uapi-group.org, "Unified Kernel Image".
 */
#ifndef KT_IMAGE_UKI_H
#define KT_IMAGE_UKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_uki {
	const uint8_t *kernel; /* .linux; in the data that were given */
	size_t kernel_len;     /* bytes, never 0 */
	const char *release;   /* .uname, as it is there: any bytes; NULL: there is none */
	size_t release_len;
};

/* False: the data are none; *ret is untouched. Sections that are cut off are not there. */
bool image_uki(const void *data, size_t len, struct image_uki *ret);

#endif
