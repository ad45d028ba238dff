// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>

#include "host/cmdline.h"
#include "util/cleanup.h"
#include "util/io.h"

/* Longer than any that QEMU has had; libvirt's have some 10 KB. */
#define CMDLINE_MAX (1024 * 1024)

char *host_cmdline_find_gdb_label(const char *cmdline, size_t len)
{
	const char *end = cmdline + len;
	bool is_value = false;

	for (const char *arg = cmdline; arg < end;) {
		size_t n = strnlen(arg, (size_t)(end - arg));

		if (is_value && n > 8 && !memcmp(arg, "chardev:", 8))
			return strndup(arg + 8, n - 8);
		is_value = (n == 4 && !memcmp(arg, "-gdb", 4)) ||
			   (n == 5 && !memcmp(arg, "--gdb", 5));
		arg += n + 1;
	}
	return NULL;
}

char *host_cmdline_gdb_label(pid_t pid)
{
	_cleanup_(kt_buf_deinit) struct kt_buf cmdline = KT_BUF_INIT;
	struct kt_error *err;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
	err = kt_read_file(path, CMDLINE_MAX, &cmdline);
	if (err) {
		kt_error_destroy(err);
		return NULL;
	}
	return cmdline.len ? host_cmdline_find_gdb_label(cmdline.data, cmdline.len) : NULL;
}
