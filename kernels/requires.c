// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdbool.h>
#include <string.h>

#include "kernels/requires.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/io.h"

#define NAMES_MAX 4
#define NAME_SET  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-_"

static bool contains(const char *text, size_t len, const char *word)
{
	return memmem(text, len, word, strlen(word));
}

/* linux-image-6.1.0-50-amd64, kernel-core-uname-r, linux-lts; but no tool, and no firmware. */
static bool may_be_kernel(const char *name, size_t len)
{
	static const char *const others[] = {"firmware", "linux-base", "headers", "initramfs",
					     "kernel-install"};

	if (!contains(name, len, "linux") && !contains(name, len, "kernel"))
		return false;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (contains(name, len, others[i]))
			return false;
	return true;
}

static void add(const char *name, struct kt_buf *names, unsigned *n)
{
	size_t len = strspn(name, NAME_SET);

	if (*n == NAMES_MAX || !len || len > 100 || !may_be_kernel(name, len))
		return;
	kt_buf_appends(names, names->len ? ", " : "");
	kt_buf_append(names, name, len);
	(*n)++;
}

/* "linux-image-6.1.0-50-amd64 (= 6.1.170-3), initramfs-tools | linux-initramfs-tool" */
static void add_list(const char *list, const char *end, struct kt_buf *names, unsigned *n)
{
	while (list < end) {
		list += strspn(list, " \t");
		if (list < end)
			add(list, names, n);
		while (list < end && *list != ',' && *list != '|')
			list++;
		list += list < end;
	}
}

void kernels_requires_text(const char *info, struct kt_buf *names)
{
	static const char *const heads[] = {"Depends:", "Pre-Depends:", "depend =", "depend="};
	unsigned n = 0;

	while (*info) {
		const char *end = info + strcspn(info, "\n");

		for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
			if (!strncmp(info, heads[i], strlen(heads[i])))
				add_list(info + strlen(heads[i]), end, names, &n);
		info = *end ? end + 1 : end;
	}
}

/* --- rpm: a lead of 96 bytes, the signature's header, the header --- */

#define RPM_HEAD_MAX    (16u << 20)
#define RPM_LEAD        96
#define RPM_MAGIC       0xedabeedb
#define HEADER_MAGIC    0x8eade801
#define RPMTAG_REQUIRES 1049
#define RPM_STRINGS     8

struct header {
	const uint8_t *index, *store;
	size_t n_index, store_len;
};

/* "magic, 4 bytes, entries, size; entries of 16 bytes; the store". Moves on behind it. */
static bool take_header(const uint8_t **data, size_t *len, struct header *ret)
{
	uint64_t n, size;

	if (*len < 16 || kt_load_uint(*data, 4, true) != HEADER_MAGIC)
		return false;
	n = kt_load_uint(*data + 8, 4, true);
	size = kt_load_uint(*data + 12, 4, true);
	if (n > (*len - 16) / 16 || size > *len - 16 - n * 16)
		return false;
	*ret = (struct header){*data + 16, *data + 16 + n * 16, (size_t)n, (size_t)size};
	*data = ret->store + size;
	*len -= 16 + n * 16 + size;
	return true;
}

static void add_requires(const struct header *header, struct kt_buf *names)
{
	unsigned found = 0;

	for (size_t i = 0; i < header->n_index; i++) {
		const uint8_t *entry = header->index + i * 16;
		uint64_t at = kt_load_uint(entry + 8, 4, true),
			 n = kt_load_uint(entry + 12, 4, true);
		struct kt_cursor strings;
		const char *name;

		if (kt_load_uint(entry, 4, true) != RPMTAG_REQUIRES ||
		    kt_load_uint(entry + 4, 4, true) != RPM_STRINGS || at > header->store_len)
			continue;
		strings = kt_cursor(header->store + at, header->store_len - at, true);
		while (n-- && (name = kt_cursor_string(&strings)))
			if (!strchr(name, '('))
				add(name, names, &found);
	}
}

void kernels_requires_rpm(int fd, struct kt_buf *names)
{
	_cleanup_free_ uint8_t *head = malloc(RPM_HEAD_MAX);
	const uint8_t *data = head;
	struct header header;
	size_t len = 0, pad;

	if (!head)
		return;
	kt_error_destroy(kt_read_at(fd, head, RPM_HEAD_MAX, 0, &len));
	if (len < RPM_LEAD || kt_load_uint(data, 4, true) != RPM_MAGIC)
		return;
	data += RPM_LEAD;
	len -= RPM_LEAD;
	if (!take_header(&data, &len, &header))
		return;
	/* The second one begins at a multiple of 8. */
	pad = (8 - (size_t)(data - head) % 8) % 8;
	if (pad > len)
		return;
	data += pad;
	len -= pad;
	if (take_header(&data, &len, &header))
		add_requires(&header, names);
}
