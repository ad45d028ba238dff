// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/io.h"
#include "vm/accel.h"

/* A file in the cache: the boot ID of this machine when KVM was last seen to hang guests. */
static char *kvm_marker_path(const char *cache_dir)
{
	char *path;

	return cache_dir && asprintf(&path, "%s/kvm-hangs", cache_dir) >= 0 ? path : NULL;
}

static bool read_line(const char *path, char *line, int size)
{
	_cleanup_fclose_ FILE *file = path ? fopen(path, "re") : NULL;

	return file && fgets(line, size, file);
}

/*
 * A KVM that hangs guests (nested, without the hypervisor's support) costs ten seconds to find out.
 * It stays so until the machine is booted again.
 */
const char *vm_default_accel(void)
{
	_cleanup_free_ char *cache_dir = kt_cache_dir();
	_cleanup_free_ char *marker = kvm_marker_path(cache_dir);
	char boot[64], hung[64];

	if (access("/dev/kvm", R_OK | W_OK))
		return "tcg";
	if (read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot)) &&
	    read_line(marker, hung, sizeof(hung)) && !strcmp(boot, hung))
		return "tcg";
	return "kvm";
}

void vm_remember_kvm_hangs(void)
{
	_cleanup_free_ char *cache_dir = kt_cache_dir();
	_cleanup_free_ char *marker = kvm_marker_path(cache_dir);
	struct kt_error *err;
	char boot[64];

	if (!marker || !read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot)))
		return;
	err = kt_mkdir_p(cache_dir, 0700);
	if (!err)
		err = kt_replace_file(marker, boot, strlen(boot), 0600, false);
	/* Only a shortcut for the next time: without it, nothing is lost. */
	kt_error_destroy(err);
}
