// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An archive (cpio, "newc"), as the kernel unpacks its initramfs (usr/gen_init_cpio.c writes such):
 *
 *	"070701", then 13 numbers of 8 hex digits: ino mode uid gid nlink mtime filesize devmajor
 *	devminor rdevmajor rdevminor namesize check
 *	the name with its NUL, then the content, each filled up so that the next begins at a
 *	multiple of 4 bytes. The last name is TRAILER!!!
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cursor.h"
#include "util/io.h"
#include "vm/guest/guest.h"

#define MAGIC        "070701"
#define MAGIC_LEN    6
#define LAST         "TRAILER!!!"
#define NAME_MAX_LEN 4096

enum { MODE = 1, FILESIZE = 6, NAMESIZE = 11, N_NUMBERS = 13 };

static bool is_magic(const uint8_t *bytes)
{
	return bytes && !memcmp(bytes, MAGIC, MAGIC_LEN);
}

static bool read_numbers(struct kt_cursor *c, uint32_t *numbers)
{
	if (!is_magic(kt_cursor_bytes(c, MAGIC_LEN)))
		return false;
	for (int i = 0; i < N_NUMBERS; i++) {
		const uint8_t *digits = kt_cursor_bytes(c, 8);
		char text[9] = "", *end;

		if (!digits)
			return false;
		memcpy(text, digits, 8);
		numbers[i] = (uint32_t)strtoul(text, &end, 16);
		if (end != text + 8 || strspn(text, "0123456789abcdefABCDEF") != 8)
			return false;
	}
	return true;
}

static void align(struct kt_cursor *c)
{
	if (c->pos % 4)
		kt_cursor_bytes(c, 4 - c->pos % 4);
}

static const char *read_name(struct kt_cursor *c, uint32_t size)
{
	const char *name = size && size <= NAME_MAX_LEN ? (const char *)kt_cursor_bytes(c, size)
							: NULL;

	return name && strnlen(name, size) == size - 1 ? name : NULL;
}

/* No component is "..": nothing is written above the root. */
static bool stays_inside(const char *name)
{
	for (const char *part = name; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (!strncmp(part, "..", 2) && (!part[2] || part[2] == '/'))
			return false;
	}
	return true;
}

static bool put_file(const char *path, mode_t mode, const void *data, size_t len)
{
	struct kt_error *err;
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	err = kt_write_all(fd, data, len);
	if (!err && fchmod(fd, mode & 07777))
		err = kt_error_os(errno, "chmod");
	close(fd);
	kt_error_destroy(err);
	return !err;
}

static bool put(const char *path, uint32_t mode, const void *data, size_t len)
{
	if (S_ISDIR(mode))
		return !mkdir(path, mode & 07777) || errno == EEXIST;
	return S_ISREG(mode) && put_file(path, mode, data, len);
}

bool unpack(const void *data, size_t len, const char *root, const char **why)
{
	struct kt_cursor c = kt_cursor(data, len, false);
	static char path[2 * NAME_MAX_LEN];
	uint32_t n[N_NUMBERS];

	*why = "the archive is damaged";
	for (;;) {
		const char *name;
		const void *content;

		if (!read_numbers(&c, n))
			return false;
		name = read_name(&c, n[NAMESIZE]);
		align(&c);
		if (!name || c.failed)
			return false;
		if (!strcmp(name, LAST))
			return true;
		content = kt_cursor_bytes(&c, n[FILESIZE]);
		align(&c);
		if (c.failed || !stays_inside(name))
			return false;
		if (snprintf(path, sizeof(path), "%s/%s", root, name) >= (int)sizeof(path) ||
		    !put(path, n[MODE], content, n[FILESIZE])) {
			*why = "a file in it could not be written; is the guest's memory full?";
			return false;
		}
	}
}
