// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "image/uki.h"
#include "util/cursor.h"

/* "PE Format", Microsoft: the DOS header, the COFF file header behind "PE\0\0", section headers. */
#define DOS_PE_OFFSET        0x3c
#define DOS_LEN              0x40
#define PE_SECTIONS          6  /* u16, from the signature on */
#define PE_OPTIONAL_SIZE     20 /* u16 */
#define PE_HEADER_LEN        24
#define SECTION_LEN          40
#define SECTION_VIRTUAL_SIZE 8 /* u32, behind the name */
#define SECTION_RAW_SIZE     16
#define SECTION_RAW_OFFSET   20

/* Where the section headers are, and how many of them are in the file. */
static bool section_headers(const uint8_t *data, size_t len, const uint8_t **ret, size_t *n)
{
	uint64_t pe, at;

	if (len < DOS_LEN || memcmp(data, "MZ", 2))
		return false;
	pe = kt_load_uint(data + DOS_PE_OFFSET, 4, false);
	if (pe > len || len - pe < PE_HEADER_LEN || memcmp(data + pe, "PE\0\0", 4))
		return false;
	at = pe + PE_HEADER_LEN + kt_load_uint(data + pe + PE_OPTIONAL_SIZE, 2, false);
	*n = (size_t)kt_load_uint(data + pe + PE_SECTIONS, 2, false);
	if (at > len || *n > (len - at) / SECTION_LEN)
		return false;
	*ret = data + at;
	return true;
}

/* What of a section is its content: the rest of its bytes in the file fills the last page. */
static bool section_content(const uint8_t *data, size_t len, const uint8_t *header,
			    const uint8_t **ret, size_t *ret_len)
{
	uint64_t size = kt_load_uint(header + SECTION_VIRTUAL_SIZE, 4, false);
	uint64_t raw = kt_load_uint(header + SECTION_RAW_SIZE, 4, false);
	uint64_t at = kt_load_uint(header + SECTION_RAW_OFFSET, 4, false);

	if (size > raw || !size)
		size = raw;
	if (!size || at > len || size > len - at)
		return false;
	*ret = data + at;
	*ret_len = (size_t)size;
	return true;
}

/* The first section of that name, which is one of up to 8 bytes. */
static bool section(const uint8_t *data, size_t len, const char *name, const uint8_t **ret,
		    size_t *ret_len)
{
	const uint8_t *headers;
	char padded[8] = {0};
	size_t n;

	memcpy(padded, name, strlen(name));
	if (!section_headers(data, len, &headers, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!memcmp(headers + i * SECTION_LEN, padded, sizeof(padded)))
			return section_content(data, len, headers + i * SECTION_LEN, ret, ret_len);
	return false;
}

bool image_uki(const void *data, size_t len, struct image_uki *ret)
{
	struct image_uki uki = {0};
	const uint8_t *uname;

	if (!section(data, len, ".linux", &uki.kernel, &uki.kernel_len))
		return false;
	if (section(data, len, ".uname", &uname, &uki.release_len))
		uki.release = (const char *)uname;
	*ret = uki;
	return true;
}
