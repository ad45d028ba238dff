// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <xxhash.h>

#include "util/cleanup.h"
#include "util/io.h"
#include "vm/qemu.h"
#include "vm/snapshot_key.h"

bool vm_snapshot_possible(const struct vm_config *config)
{
	return config->cache_dir && config->machine == vm_machine_x86_64 && !config->num_qemu_args;
}

static void append_hash(struct kt_buf *out, XXH128_hash_t hash)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, hash);
	for (size_t i = 0; i < sizeof(canonical.digest); i++)
		kt_buf_printf(out, "%02x", canonical.digest[i]);
}

/* A kernel has 10 MB, an init 2: hashed in a few milliseconds. */
#define CONTENT_MAX ((size_t)512 << 20)

static struct kt_error *put_content(struct kt_buf *text, const char *path)
{
	_cleanup_(kt_buf_deinit) struct kt_buf file = KT_BUF_INIT;
	struct kt_error *err = kt_read_file(path, CONTENT_MAX, &file);

	if (err)
		return err;
	append_hash(text, XXH3_128bits(file.data, file.len));
	kt_buf_appendc(text, '\n');
	return NULL;
}

/* As execvp(3) finds it. NULL: nowhere. The caller frees it. */
static char *find_program(const char *name)
{
	_cleanup_free_ char *path = NULL;
	const char *env = getenv("PATH");
	char *rest, *dir;

	if (strchr(name, '/'))
		return realpath(name, NULL);
	path = rest = strdup(env ? env : "/bin:/usr/bin");
	while (rest && (dir = strsep(&rest, ":"))) {
		_cleanup_free_ char *file = NULL;

		if (asprintf(&file, "%s/%s", *dir ? dir : ".", name) < 0)
			return NULL;
		if (!access(file, X_OK))
			return realpath(file, NULL);
	}
	return NULL;
}

/* By its file: to ask it for its version would take as long as to restore a guest. */
static struct kt_error *put_qemu(struct kt_buf *text, const char *name)
{
	_cleanup_free_ char *path = find_program(name);
	struct stat st;

	if (!path || stat(path, &st))
		return kt_error_new(KT_ERROR_NOT_FOUND, "there is no %s", name);
	kt_buf_printf(text, "%s %llu %lld %lld.%09ld\n", path, (unsigned long long)st.st_ino,
		      (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return NULL;
}

/*
 * A CPU of KVM is this host's, and the host's kernel has its part in it:
 *
 *	model name	: AMD EPYC 7763 64-Core Processor
 *	flags		: fpu vme de pse tsc msr pae ...
 */
static void put_host_cpu(struct kt_buf *text)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/cpuinfo", "re");
	_cleanup_free_ char *line = NULL;
	struct utsname uts;
	size_t size = 0;

	if (!uname(&uts))
		kt_buf_printf(text, "%s %s\n", uts.release, uts.version);
	while (file && getline(&line, &size, file) > 1)
		if (!strncmp(line, "model", 5) || !strncmp(line, "flags", 5) ||
		    !strncmp(line, "microcode", 9))
			kt_buf_appends(text, line);
}

/* s without the private directory, which is another one each time. */
static void put_masked(struct kt_buf *text, const char *s, const char *dir)
{
	const char *at;

	while ((at = strstr(s, dir))) {
		kt_buf_append(text, s, (size_t)(at - s));
		kt_buf_appends(text, "DIR");
		s = at + strlen(dir);
	}
	kt_buf_appends(text, s);
	kt_buf_appendc(text, '\n');
}

static struct kt_error *put_told(struct kt_buf *text, const struct vm_guard *guard,
				 const struct vm_config *config, const char *accel)
{
	_cleanup_(kt_buf_deinit) struct kt_buf cfg = KT_BUF_INIT;
	_cleanup_(vm_argv_deinit) struct vm_argv argv = {0};
	const struct vm_machine *machine = config->machine;
	struct vm_config masked = *config;
	struct kt_error *err;

	masked.gdb = NULL;
	masked.kernel = "";
	err = vm_qemu_config(guard, &masked, VM_START_KEEP, &cfg);
	if (!err)
		err = vm_qemu_argv(guard, &masked, accel, VM_START_KEEP, &argv);
	if (err)
		return err;
	if (cfg.failed)
		return kt_error_no_memory();
	put_masked(text, cfg.data, guard->dir);
	kt_buf_append(text, machine->config, (size_t)(machine->config_end - machine->config));
	for (size_t i = 0; argv.v.data[i]; i++)
		put_masked(text, argv.v.data[i], guard->dir);
	if (strncmp(accel, "tcg", 3))
		put_host_cpu(text);
	return put_qemu(text, argv.v.data[0]);
}

struct kt_error *vm_snapshot_key(const struct vm_guard *guard, const struct vm_config *config,
				 const char *accel, const char *initrd,
				 char ret[VM_SNAPSHOT_KEY_SIZE])
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT, key = KT_BUF_INIT;
	struct kt_error *err = put_content(&text, config->kernel);

	if (!err)
		err = put_content(&text, initrd);
	if (!err)
		err = put_told(&text, guard, config, accel);
	if (err)
		return err;
	append_hash(&key, XXH3_128bits(text.data, text.len));
	if (text.failed || key.failed)
		return kt_error_no_memory();
	snprintf(ret, VM_SNAPSHOT_KEY_SIZE, "%s", key.data);
	return NULL;
}
