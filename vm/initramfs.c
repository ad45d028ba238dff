// SPDX-License-Identifier: LGPL-2.1-or-later
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/vec.h"
#include "vm/deps.h"
#include "vm/initramfs.h"
#include "vm/modules.h"

#define SETTLE_MS  700
#define MAX_MS     15000
#define LOADING_MS 240000 /* a program at the limit of a million instructions, under TCG */

#define ATTACH_MS   15000
#define WORKLOAD_MS 5000

/* An archive that is being written. cpio wants a directory once, before the files in it. */
struct writer {
	struct archive *archive;
	const char *path;
	KT_VEC(char *) dirs;
};

static struct kt_error *writer_error(const struct writer *w)
{
	return kt_error_new(KT_ERROR_OS, "cannot write the initramfs %s: %s", w->path,
			    archive_error_string(w->archive));
}

static struct kt_error *writer_open(struct writer *w, const char *path)
{
	*w = (struct writer){.archive = archive_write_new(), .path = path};
	if (!w->archive)
		return kt_error_no_memory();
	if (archive_write_set_format_cpio_newc(w->archive) != ARCHIVE_OK ||
	    archive_write_add_filter_none(w->archive) != ARCHIVE_OK ||
	    archive_write_open_filename(w->archive, path) != ARCHIVE_OK)
		return writer_error(w);
	return NULL;
}

static void writer_deinit(struct writer *w)
{
	if (w->archive)
		archive_write_free(w->archive);
	kt_vec_for_each (&w->dirs, dir)
		free(*dir);
	kt_vec_free(&w->dirs);
}

/* Owner, time and inode stay 0: the same input gives the same bytes on every machine. */
static struct kt_error *put_header(struct writer *w, const char *name, mode_t mode, int64_t size)
{
	struct archive_entry *entry = archive_entry_new();
	int status;

	if (!entry)
		return kt_error_no_memory();
	archive_entry_set_pathname(entry, name);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_size(entry, size);
	archive_entry_set_nlink(entry, 1);
	archive_entry_set_mtime(entry, 0, 0);
	status = archive_write_header(w->archive, entry);
	archive_entry_free(entry);
	return status == ARCHIVE_OK ? NULL : writer_error(w);
}

/* The directories above name, which has no leading slash. */
static struct kt_error *put_parents(struct writer *w, const char *name)
{
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		_cleanup_free_ char *dir = strndup(name, (size_t)(slash - name));
		bool known = false;
		struct kt_error *err;

		if (!dir)
			return kt_error_no_memory();
		kt_vec_for_each (&w->dirs, it)
			known |= !strcmp(*it, dir);
		if (known)
			continue;
		err = put_header(w, dir, S_IFDIR | 0755, 0);
		if (err)
			return err;
		if (!kt_vec_push(&w->dirs, dir))
			return kt_error_no_memory();
		dir = NULL;
	}
	return NULL;
}

static struct kt_error *put_data(struct writer *w, const void *data, size_t size)
{
	la_ssize_t n = archive_write_data(w->archive, data, size);

	return n >= 0 && (size_t)n == size ? NULL : writer_error(w);
}

static struct kt_error *put_bytes(struct writer *w, const char *name, mode_t mode, const void *data,
				  size_t size)
{
	struct kt_error *err;

	err = put_parents(w, name);
	if (!err)
		err = put_header(w, name, S_IFREG | mode, (int64_t)size);
	if (!err)
		err = put_data(w, data, size);
	return err;
}

/* The header has the size already: the content must have exactly as many bytes. */
static struct kt_error *put_content(struct writer *w, int fd, const char *from, uint64_t size)
{
	char chunk[65536];
	struct kt_error *err;

	while (size) {
		size_t want = size < sizeof(chunk) ? (size_t)size : sizeof(chunk);
		ssize_t n = read(fd, chunk, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kt_error_os(errno, "cannot read %s", from);
		if (!n)
			return kt_error_new(KT_ERROR_FORMAT, "%s: became shorter while read", from);
		err = put_data(w, chunk, (size_t)n);
		if (err)
			return err;
		size -= (uint64_t)n;
	}
	return NULL;
}

static struct kt_error *put_file(struct writer *w, const char *name, mode_t mode, const char *from)
{
	_cleanup_close_ int fd = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct kt_error *err;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return kt_error_os(errno, "cannot read %s", from);
	if (S_ISDIR(st.st_mode))
		return kt_error_os(EISDIR, "cannot read %s", from);
	if (!S_ISREG(st.st_mode))
		return kt_error_new(KT_ERROR_FORMAT, "%s: not a regular file", from);
	/* cpio has eight hex digits for the size. */
	if (st.st_size > UINT32_MAX)
		return kt_error_os(EFBIG, "cannot take %s", from);
	err = put_parents(w, name);
	if (!err)
		err = put_header(w, name, S_IFREG | mode, st.st_size);
	if (!err)
		err = put_content(w, fd, from, (uint64_t)st.st_size);
	return err;
}

/* A line of /ktstr/orders. */
static void order(struct kt_buf *orders, const char *key, const char *value)
{
	kt_buf_printf(orders, "%s ", key);
	for (; *value; value++) {
		if (*value == '\n')
			kt_buf_appends(orders, "\\n");
		else if (*value == '\\')
			kt_buf_appends(orders, "\\\\");
		else
			kt_buf_appendc(orders, *value);
	}
	kt_buf_appendc(orders, '\n');
}

static void order_each(struct kt_buf *orders, const char *key, const char *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		order(orders, key, values[i]);
}

static void put_hex(struct kt_buf *orders, const void *bytes, size_t n)
{
	const unsigned char *data = bytes;

	for (size_t i = 0; i < n; i++)
		kt_buf_printf(orders, "%02x", data[i]);
}

static void order_set(struct kt_buf *orders, const struct vm_set *set)
{

	kt_buf_printf(orders, "set %zu %s %llu ", set->object, set->section,
		      (unsigned long long)set->offset);
	put_hex(orders, set->data, set->size);
	if (set->mask) {
		kt_buf_appendc(orders, '/');
		put_hex(orders, set->mask, set->size);
	}
	kt_buf_appendc(orders, '\n');
}

static struct kt_error *put_objects(struct writer *w, const struct vm_load *load,
				    struct kt_buf *orders)
{
	for (size_t i = 0; i < load->num_objects; i++) {
		_cleanup_(kt_buf_deinit) struct kt_buf name = KT_BUF_INIT;
		const char *slash = strrchr(load->objects[i], '/');
		struct kt_error *err;

		kt_buf_printf(&name, "/ktstr/objects/%zu-%.200s", i,
			      slash ? slash + 1 : load->objects[i]);
		if (name.failed)
			return kt_error_no_memory();
		order(orders, "object", name.data);
		err = put_file(w, name.data + 1, 0644, load->objects[i]);
		if (err)
			return err;
	}
	order_each(orders, "name", load->name_globs, load->num_name_globs);
	order_each(orders, "type", load->types, load->num_types);
	order_each(orders, "sleepable", load->sleepable_globs, load->num_sleepable_globs);
	for (size_t i = 0; i < load->num_sets; i++)
		order_set(orders, &load->sets[i]);
	if (load->attach)
		kt_buf_appends(orders, "attach 1\n");
	if (load->log_level)
		kt_buf_printf(orders, "log_level %u\n", load->log_level);
	return NULL;
}

/*
 * The guest has no ld.so.cache: LD_LIBRARY_PATH names the places where the libraries were
 * found. Nothing else is there, so it can't pick a wrong one.
 */
static void order_env(struct kt_buf *orders, const char *key, const struct kt_deps *deps)
{
	_cleanup_(kt_buf_deinit) struct kt_buf dirs = KT_BUF_INIT;

	order(orders, key, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	order(orders, key, "HOME=/tmp");
	kt_buf_appends(&dirs, "LD_LIBRARY_PATH=");
	for (size_t i = 0; i < deps->lib_dirs.v.len; i++)
		kt_buf_printf(&dirs, "%s%s", i ? ":" : "", deps->lib_dirs.v.data[i]);
	if (dirs.failed)
		orders->failed = true;
	else if (deps->lib_dirs.v.len)
		order(orders, key, dirs.data);
}

/* Files that the program reads, and the working directory to which their names are relative. */
static struct kt_error *put_data_files(struct writer *w, const struct vm_load *load,
				       struct kt_buf *orders)
{
	_cleanup_free_ char *cwd = getcwd(NULL, 0);
	_cleanup_(kt_buf_deinit) struct kt_buf place = KT_BUF_INIT;
	struct kt_error *err;

	if (!load->num_files)
		return NULL;
	if (!cwd)
		return kt_error_os(errno, "cannot tell what the working directory is");
	kt_buf_printf(&place, "%s/", cwd[1] ? cwd + 1 : "root");
	if (place.failed)
		return kt_error_no_memory();
	err = put_parents(w, place.data);
	order(orders, "cwd", cwd);
	for (size_t i = 0; i < load->num_files && !err; i++) {
		_cleanup_free_ char *path = realpath(load->files[i], NULL);
		struct stat st;

		if (!path || stat(path, &st))
			return kt_error_os(errno, "cannot read %s", load->files[i]);
		err = put_file(w, path + 1, st.st_mode & 0755, path);
	}
	return err;
}

static bool has_path(const struct kt_path_list *list, const char *path)
{
	kt_vec_for_each (&list->v, it)
		if (!strcmp(*it, path))
			return true;
	return false;
}

/* All that a program needs, but for what is there already. */
static struct kt_error *put_files(struct writer *w, const char *name, const struct kt_deps *deps,
				  const struct kt_deps *there)
{
	kt_vec_for_each (&deps->files.v, path) {
		struct kt_error *err = there && has_path(&there->files, *path)
					       ? NULL
					       : put_file(w, *path + 1, 0755, *path);

		if (err)
			return kt_error_wrap(err, "%s needs", name);
	}
	return NULL;
}

/* payload: what the scheduler needs. */
static struct kt_error *put_workload(struct writer *w, const struct vm_initramfs *initramfs,
				     const struct kt_deps *payload, struct kt_buf *orders)
{
	const struct vm_workload *workload = initramfs->load->workload;
	_cleanup_(kt_deps_deinit) struct kt_deps deps = {0};
	struct kt_error *err;

	if (!workload || !workload->kind)
		return NULL;
	order(orders, "workload", workload->kind);
	if (!workload->argv.len)
		return NULL;
	err = kt_deps_find(workload->argv.data[0], initramfs->machine->elf, initramfs->cancel_fd,
			   &deps);
	if (!err)
		err = put_files(w, workload->argv.data[0], &deps, payload);
	if (err)
		return kt_error_wrap(err, "--workload");
	order(orders, "workload_arg", deps.files.v.data[0]);
	for (size_t i = 1; i < workload->argv.len; i++)
		order(orders, "workload_arg", workload->argv.data[i]);
	order_env(orders, "workload_env", &deps);
	return NULL;
}

static struct kt_error *put_program(struct writer *w, const struct vm_initramfs *initramfs,
				    struct kt_buf *orders)
{
	const struct vm_load *load = initramfs->load;
	_cleanup_(kt_deps_deinit) struct kt_deps deps = {0};
	struct kt_error *err;

	err = kt_deps_find(load->run, initramfs->machine->elf, initramfs->cancel_fd, &deps);
	if (err)
		return err;
	err = put_files(w, load->run, &deps, NULL);
	if (!err)
		err = put_data_files(w, load, orders);
	if (!err && load->scheduler)
		err = put_workload(w, initramfs, &deps, orders);
	if (err)
		return err;
	order(orders, "arg", deps.files.v.data[0]);
	for (size_t i = 0; i < load->num_args; i++)
		order(orders, "arg", load->args[i]);
	order_env(orders, "env", &deps);
	if (load->scheduler)
		kt_buf_printf(orders, "scheduler 1\nattach_ms %u\nworkload_ms %u\n",
			      load->attach_ms ? load->attach_ms : ATTACH_MS,
			      load->workload_ms ? load->workload_ms : WORKLOAD_MS);
	kt_buf_printf(orders, "settle_ms %u\nmax_ms %u\nloading_ms %u\n",
		      load->settle_ms ? load->settle_ms : SETTLE_MS,
		      load->max_ms ? load->max_ms : MAX_MS,
		      load->max_ms ? load->max_ms : LOADING_MS);
	return NULL;
}

/* For init: where it mounts file systems, and /tmp. */
static struct kt_error *put_mount_points(struct writer *w)
{
	static const char *const names[] = {"dev/", "proc/", "sys/", "tmp/", "run/", "root/"};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !err; i++)
		err = put_parents(w, names[i]);
	return err;
}

static struct kt_error *put_module(struct writer *w, size_t nth, const struct vm_module *module,
				   struct kt_buf *orders)
{
	_cleanup_(kt_buf_deinit) struct kt_buf name = KT_BUF_INIT;

	kt_buf_printf(&name, "/ktstr/modules/%zu-%.100s.ko", nth, module->name);
	if (name.failed)
		return kt_error_no_memory();
	order(orders, "module", name.data);
	return put_bytes(w, name.data + 1, 0644, module->data, module->size);
}

/* For the virtio port, which is faster than the serial port. */
static struct kt_error *put_modules(struct writer *w, const struct vm_machine *machine,
				    const struct vm_load *load, struct kt_buf *orders)
{
	const char *const names[] = {machine->bus_module, "virtio_console"};
	_cleanup_(vm_modules_deinit) struct vm_modules modules = {0};
	struct kt_error *err;

	if (!load->modules_dir)
		return NULL;
	err = vm_modules_find(load->modules_dir, load->release, names, 2, &modules);
	if (err && !load->modules_asked) {
		kt_error_destroy(err);
		return NULL;
	}
	if (err)
		return kt_error_wrap(err, "no modules of the guest's kernel");
	for (size_t i = 0; i < modules.all.len && !err; i++)
		err = put_module(w, i, &modules.all.data[i], orders);
	return err;
}

/* What every guest of this kernel has. */
static struct kt_error *put_base(struct writer *w, const struct vm_initramfs *initramfs)
{
	_cleanup_(kt_buf_deinit) struct kt_buf orders = KT_BUF_INIT;
	struct kt_error *err = put_mount_points(w);

	if (!err)
		err = put_bytes(w, "init", 0755, initramfs->init, initramfs->init_size);
	if (!err)
		err = put_modules(w, initramfs->machine, initramfs->load, &orders);
	if (!err && initramfs->machine->frames_tty)
		order(&orders, "tty", initramfs->machine->frames_tty);
	if (!err && orders.failed)
		err = kt_error_no_memory();
	return err ? err : put_bytes(w, "ktstr/base", 0644, orders.data, orders.len);
}

static struct kt_error *put_work(struct writer *w, const struct vm_initramfs *initramfs)
{
	_cleanup_(kt_buf_deinit) struct kt_buf orders = KT_BUF_INIT;
	struct kt_error *err = put_objects(w, initramfs->load, &orders);

	if (!err && initramfs->load->run)
		err = put_program(w, initramfs, &orders);
	if (!err && orders.failed)
		err = kt_error_no_memory();
	return err ? err : put_bytes(w, "ktstr/orders", 0644, orders.data, orders.len);
}

enum { PART_BASE = 1, PART_WORK = 2 };

static struct kt_error *write_parts(const struct vm_initramfs *initramfs, int parts,
				    const char *path)
{
	_cleanup_(writer_deinit) struct writer w = {0};
	struct kt_error *err = writer_open(&w, path);

	if (!err && parts & PART_BASE)
		err = put_base(&w, initramfs);
	if (!err && parts & PART_WORK)
		err = put_work(&w, initramfs);
	if (!err && archive_write_close(w.archive) != ARCHIVE_OK)
		err = writer_error(&w);
	return err;
}

struct kt_error *vm_initramfs_write(const struct vm_initramfs *initramfs, const char *path)
{
	return write_parts(initramfs, PART_BASE | PART_WORK, path);
}

struct kt_error *vm_initramfs_write_base(const struct vm_initramfs *initramfs, const char *path)
{
	return write_parts(initramfs, PART_BASE, path);
}

struct kt_error *vm_initramfs_write_work(const struct vm_initramfs *initramfs, const char *path)
{
	return write_parts(initramfs, PART_WORK, path);
}
