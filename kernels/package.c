// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/archive.h"
#include "kernels/oci.h"
#include "kernels/package.h"
#include "kernels/place.h"
#include "kernels/requires.h"
#include "kernels/root.h"
#include "kernels/store.h"
#include "kernels/tree.h"
#include "util/cleanup.h"
#include "util/io.h"

#define INFO_MAX   (1u << 20) /* a package's text about itself */
#define IMAGES_MAX 16         /* of one container image, by architecture */

struct package {
	const struct kt_kernels_options *options;
	struct kernels_reading reading;
	const char *path; /* of the file */
	const char *what; /* the file is, if it is no archive */
	bool no_archive;  /* it is none */
	int fd;
	char *tree;         /* where the files go */
	struct kt_buf info; /* what the package says about itself */
	bool container;     /* it is a container image, not a package */
};

static void package_deinit(struct package *package)
{
	kt_buf_deinit(&package->info);
	free(package->tree);
	if (package->fd >= 0)
		close(package->fd);
}

/* --- a package --- */

static struct kt_error *take_data(void *context, struct archive *archive,
				  struct archive_entry *entry, const char *path)
{
	struct package *package = context;

	if (!kernels_entry_is_file(entry) ||
	    !(kernels_path_is_image(path) || kernels_path_is_module(path)))
		return NULL;
	return kernels_tree_put(package->tree, path, archive, &package->reading);
}

static struct kt_error *take_info(struct package *package, struct archive *archive)
{
	kt_buf_deinit(&package->info);
	return kernels_entry_read(archive, &package->reading, INFO_MAX, &package->info);
}

static struct kt_error *take_control(void *context, struct archive *archive,
				     struct archive_entry *entry, const char *path)
{
	return kernels_entry_is_file(entry) && !strcmp(path, "control")
		       ? take_info(context, archive)
		       : NULL;
}

/* An archive that has to be there, as it is named so. */
static struct kt_error *take_inner(struct package *package, struct archive *archive,
				   kernels_entry_fn *fn, const char *path)
{
	struct kt_error *err = kernels_walk_inner(archive, &package->reading, fn, package);

	if (err && kt_error_code(err) == KT_ERROR_NOT_FOUND) {
		kt_error_destroy(err);
		err = kt_error_new(KT_ERROR_FORMAT, "damaged: it is no archive");
	}
	return kt_error_wrap(err, "%s", path);
}

static bool is_one_of(const char *path, const char *one, const char *other, const char *third)
{
	return !strcmp(path, one) || !strcmp(path, other) || !strcmp(path, third);
}

static struct kt_error *take_entry(void *context, struct archive *archive,
				   struct archive_entry *entry, const char *path)
{
	struct package *package = context;

	if (!kernels_entry_is_file(entry))
		return NULL;
	/* A .deb is debian-binary, control.tar.xz and data.tar.xz. */
	if (!strncmp(path, "data.tar", 8))
		return take_inner(package, archive, take_data, path);
	if (!strncmp(path, "control.tar", 11))
		return take_inner(package, archive, take_control, path);
	if (!strcmp(path, ".PKGINFO")) /* pacman, apk */
		return take_info(package, archive);
	if (is_one_of(path, "oci-layout", "index.json", "manifest.json")) {
		package->container = package->reading.done = true;
		return NULL;
	}
	return take_data(context, archive, entry, path);
}

/* --- what is in it --- */

/* The trees DIR/0, DIR/1, ... */
static struct kt_error *list_trees(const char *dir, const char *source, struct kt_kernels *out)
{
	struct kt_error *err = NULL;

	for (unsigned i = 0; !err && i < IMAGES_MAX; i++) {
		_cleanup_free_ char *tree = NULL;

		if (asprintf(&tree, "%s/%u", dir, i) < 0) {
			tree = NULL;
			return kt_error_no_memory();
		}
		if (access(tree, F_OK))
			break;
		err = kernels_root_list(tree, source, true, out);
	}
	return err;
}

static bool holds_kernels(const char *dir)
{
	_cleanup_(kt_kernels_deinit) struct kt_kernels found = {0};

	kt_error_destroy(list_trees(dir, "", &found));
	return found.v.len;
}

/* A meta package has no files, and needs the one that has. */
static struct kt_error *no_kernel(const struct package *package)
{
	_cleanup_(kt_buf_deinit) struct kt_buf names = KT_BUF_INIT;
	struct kt_error *err;

	if (package->info.len)
		kernels_requires_text(package->info.data, &names);
	else
		kernels_requires_rpm(package->fd, &names);
	err = kt_error_new(KT_ERROR_NOT_FOUND, "no kernel in it%s%s",
			   names.len ? ": it depends on " : "", names.len ? names.data : "");
	if (names.len)
		return kt_error_hint(err, "give that package");
	return kt_error_hint(err, "looked for boot/vmlinuz* and lib/modules/*/vmlinuz");
}

static struct kt_error *fill_package(struct package *package, const char *dir)
{
	struct kt_error *err;

	if (asprintf(&package->tree, "%s/0", dir) < 0) {
		package->tree = NULL;
		return kt_error_no_memory();
	}
	err = kt_mkdir_p(package->tree, 0700);
	if (!err)
		err = kernels_walk(package->fd, &package->reading, take_entry, package);
	package->reading.done = false;
	return err;
}

static struct kt_error *fill(void *context, const char *dir)
{
	struct package *package = context;
	struct kt_error *err = fill_package(package, dir);

	if (err && kt_error_code(err) == KT_ERROR_NOT_FOUND) {
		kt_error_destroy(err);
		package->no_archive = true;
		return kernels_not_a_kernel(package->path, package->what, NULL);
	}
	if (!err && package->container)
		err = kernels_oci_unpack(package->fd, false, &package->reading, dir);
	if (!err && !holds_kernels(dir))
		err = no_kernel(package);
	return err;
}

static void tell(const struct kt_kernels_options *options, const char *path)
{
	_cleanup_(kt_buf_deinit) struct kt_buf stage = KT_BUF_INIT;
	const char *slash = strrchr(path, '/');

	kt_buf_printf(&stage, "taking the kernel out of %s", slash ? slash + 1 : path);
	if (options->progress && !stage.failed)
		options->progress(options->progress_arg, stage.data);
}

struct kt_error *kernels_package_add(const char *path, const char *what,
				     const struct kt_kernels_options *options,
				     struct kt_kernels *out)
{
	_cleanup_(package_deinit) struct package package = {
		.options = options, .path = path, .what = what, .fd = -1};
	_cleanup_free_ char *name = NULL, *dir = NULL;
	struct kt_error *err;

	kernels_reading_init(&package.reading, options);
	tell(options, path);
	err = kt_open_file(AT_FDCWD, path, 0, &package.fd, NULL);
	if (!err && !(name = kernels_store_file_name("package", path, package.fd)))
		err = kt_error_no_memory();
	if (!err)
		err = kernels_store(name, options, fill, &package, &dir);
	if (err && package.no_archive)
		return err; /* it names the file */
	return err ? kt_error_wrap(err, "%s", path) : list_trees(dir, path, out);
}

/* --- a directory with an OCI image --- */

static struct kt_error *fill_from_dir(void *context, const char *dir)
{
	struct package *package = context;
	struct kt_error *err = kernels_oci_unpack(package->fd, true, &package->reading, dir);

	return !err && !holds_kernels(dir) ? no_kernel(package) : err;
}

/* Blobs are named by their content, and the index by those names. */
static struct kt_error *index_name(int dir_fd, char **ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	_cleanup_close_ int fd = -1;
	struct kt_error *err = kt_open_file(dir_fd, "index.json", 0, &fd, NULL);

	if (err && kt_error_code(err) == KT_ERROR_NOT_FOUND) {
		kt_error_destroy(err);
		err = kt_open_file(dir_fd, "manifest.json", 0, &fd, NULL);
	}
	if (!err)
		err = kt_read_all(fd, INFO_MAX, &text);
	if (err)
		return err;
	kt_buf_appends(&text, KERNELS_STORE_VERSION);
	*ret = text.failed ? NULL : kernels_store_name("container", text.data);
	return *ret ? NULL : kt_error_no_memory();
}

struct kt_error *kernels_oci_add(const char *path, const struct kt_kernels_options *options,
				 struct kt_kernels *out)
{
	_cleanup_(package_deinit) struct package package = {.options = options, .fd = -1};
	_cleanup_free_ char *name = NULL, *dir = NULL;
	struct kt_error *err;

	kernels_reading_init(&package.reading, options);
	tell(options, path);
	package.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (package.fd < 0)
		return kt_error_os(errno, "cannot read %s", path);
	err = index_name(package.fd, &name);
	if (!err)
		err = kernels_store(name, options, fill_from_dir, &package, &dir);
	return err ? kt_error_wrap(err, "%s", path) : list_trees(dir, path, out);
}
