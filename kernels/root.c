// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/place.h"
#include "kernels/recognise.h"
#include "kernels/root.h"
#include "util/cleanup.h"

/* No /boot and no lib/modules has more entries. */
#define MAX_NAMES 10000

struct root {
	char *dir; /* without symbolic links */
	const char *source;
	bool lone;
	struct kt_kernels found;
};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static char *join(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

struct kt_error *kernels_not_a_kernel(const char *source, const char *what, const char *remedy)
{
	bool of_32_bits = !strncmp(what, KERNELS_32_BITS, strlen(KERNELS_32_BITS));
	struct kt_error *err = kt_error_new(of_32_bits ? KT_ERROR_UNSUPPORTED : KT_ERROR_FORMAT,
					    "%s: %s%s", source,
					    of_32_bits ? "" : "not a kernel: ", what);

	if (remedy)
		return kt_error_hint(err, "%s", remedy);
	return kt_error_hint(err,
			     "give a distro's vmlinuz, a package or a container image with one, or "
			     "debian:SUITE");
}

struct kt_error *kernels_push(const char *release, const char *image, const char *modules,
			      const char *source, struct kt_kernels *out)
{
	_cleanup_(kt_kernel_deinit) struct kt_kernel kernel = {
		.name = strdup(release ? release : base_name(source)),
		.release = release ? strdup(release) : NULL,
		.image = image ? strdup(image) : NULL,
		.modules = modules ? strdup(modules) : NULL,
		.source = strdup(source),
	};

	if (!kernel.name || !kernel.source || (release && !kernel.release) ||
	    (image && !kernel.image) || (modules && !kernel.modules) ||
	    !kt_vec_push(&out->v, kernel))
		return kt_error_no_memory();
	kernel = (struct kt_kernel){0};
	return NULL;
}

/* --- the modules of a release --- */

/* A directory with modules has a directory in it (kernel/, updates/), or tells of those built in.
 */
static bool holds_modules(const char *dir)
{
	_cleanup_(closedirp) DIR *names = opendir(dir);
	struct dirent *entry;

	for (size_t i = 0; names && i < MAX_NAMES && (entry = readdir(names)); i++) {
		_cleanup_free_ char *path = join(dir, entry->d_name);
		struct stat st;

		if (entry->d_name[0] == '.' || !path)
			continue;
		if (!strcmp(entry->d_name, "modules.builtin") ||
		    (!lstat(path, &st) && S_ISDIR(st.st_mode)))
			return true;
	}
	return false;
}

/* The caller frees it. NULL: there are none. */
static char *modules_of(const struct root *root, const char *release)
{
	static const char *const places[] = {"lib/modules", "usr/lib/modules"};

	for (size_t i = 0; release && i < 2; i++) {
		char *path;

		if (asprintf(&path, "%s/%s/%s", root->dir, places[i], release) < 0)
			return NULL;
		if (holds_modules(path))
			return path;
		free(path);
	}
	return NULL;
}

/* --- images --- */

static bool has_release(const struct root *root, const char *release)
{
	kt_vec_for_each (&root->found.v, kernel)
		if (kernel->release && !strcmp(kernel->release, release))
			return true;
	return false;
}

/* A regular file below the root, also by a symbolic link; the caller frees its path. */
static char *file_inside(const struct root *root, const char *path)
{
	size_t len = strcmp(root->dir, "/") ? strlen(root->dir) : 0;
	char *real = realpath(path, NULL);
	struct stat st;

	if (real && !strncmp(real, root->dir, len) && real[len] == '/' && !stat(real, &st) &&
	    S_ISREG(st.st_mode))
		return real;
	free(real);
	return NULL;
}

/* version: of the directory that it is in; NULL: it is in boot/. */
static struct kt_error *take_image(struct root *root, const char *path, const char *version)
{
	_cleanup_free_ char *real = file_inside(root, path), *release = NULL, *modules = NULL;
	struct kernels_kind kind;
	struct kt_error *err;

	if (!real)
		return NULL;
	err = kernels_recognise(real, &kind);
	if (err || !kind.is_kernel) {
		kt_error_destroy(err);
		return NULL;
	}
	release = kernels_release_of(path, &kind);
	modules = modules_of(root, release);
	if (!modules && version) {
		modules = modules_of(root, version);
		if (!release)
			release = strdup(version);
	}
	if (release && has_release(root, release))
		return NULL;
	return kernels_push(release, real, modules, root->source, &root->found);
}

static struct kt_error *take_version(struct root *root, const char *dir, const char *version)
{
	static const char *const names[] = {"vmlinuz", "Image", "bzImage", "image"};
	_cleanup_free_ char *modules = join(dir, version);
	struct kt_error *err = NULL;

	if (!modules)
		return kt_error_no_memory();
	for (size_t i = 0; !err && i < sizeof(names) / sizeof(*names); i++) {
		_cleanup_free_ char *path = join(modules, names[i]);

		if (!path)
			return kt_error_no_memory();
		err = take_image(root, path, version);
	}
	return err;
}

typedef struct kt_error *take_name_fn(struct root *root, const char *dir, const char *name);

static struct kt_error *each_name(struct root *root, const char *below, take_name_fn *take)
{
	_cleanup_free_ char *path = join(root->dir, below);
	_cleanup_(closedirp) DIR *names = path ? opendir(path) : NULL;
	struct kt_error *err = path ? NULL : kt_error_no_memory();
	struct dirent *entry;

	for (size_t i = 0; !err && names && i < MAX_NAMES && (entry = readdir(names)); i++)
		if (entry->d_name[0] != '.')
			err = take(root, path, entry->d_name);
	return err;
}

static struct kt_error *take_modules_dir(struct root *root, const char *dir, const char *name)
{
	return kernels_release_ok(name, strlen(name)) ? take_version(root, dir, name) : NULL;
}

static struct kt_error *take_boot(struct root *root, const char *dir, const char *name)
{
	_cleanup_free_ char *path = join(dir, name), *place = join("boot", name);

	if (!path || !place)
		return kt_error_no_memory();
	return kernels_path_is_image(place) ? take_image(root, path, NULL) : NULL;
}

/* Modules whose image is in another package. */
static struct kt_error *take_lone(struct root *root, const char *dir, const char *name)
{
	_cleanup_free_ char *path = join(dir, name);

	if (!path)
		return kt_error_no_memory();
	if (!kernels_release_ok(name, strlen(name)) || has_release(root, name) ||
	    !holds_modules(path))
		return NULL;
	return kernels_push(name, NULL, path, root->source, &root->found);
}

/*
 * boot/vmlinuz-lts, with lib/modules/6.6.80-0-lts beside it (Alpine): where the image itself does
 * not tell, and there is one of each, they belong together.
 */
static void pair_only(struct kt_kernels *found)
{
	struct kt_kernel *image = found->v.data, *modules = image + 1;

	if (found->v.len != 2 || image->release || !image->image || modules->image)
		return;
	free(image->name);
	image->name = kt_take_ptr(modules->name);
	image->release = kt_take_ptr(modules->release);
	image->modules = kt_take_ptr(modules->modules);
	kt_kernel_deinit(modules);
	found->v.len = 1;
}

static void root_deinit(struct root *root)
{
	free(root->dir);
	kt_kernels_deinit(&root->found);
}

static struct kt_error *list(struct root *root)
{
	struct kt_error *err = each_name(root, "usr/lib/modules", take_modules_dir);

	if (!err)
		err = each_name(root, "lib/modules", take_modules_dir);
	if (!err)
		err = each_name(root, "boot", take_boot);
	if (!err && root->lone)
		err = each_name(root, "lib/modules", take_lone);
	if (!err)
		pair_only(&root->found);
	return err;
}

struct kt_error *kernels_root_list(const char *dir, const char *source, bool lone,
				   struct kt_kernels *out)
{
	_cleanup_(root_deinit) struct root root = {
		.dir = realpath(dir, NULL),
		.source = source,
		.lone = lone,
	};
	struct kt_error *err = root.dir ? list(&root) : NULL;

	if (!err && !kt_vec_reserve(&out->v, out->v.len + root.found.v.len))
		err = kt_error_no_memory();
	if (err)
		return err;
	kt_vec_for_each (&root.found.v, kernel)
		out->v.data[out->v.len++] = *kernel;
	root.found.v.len = 0;
	return NULL;
}
