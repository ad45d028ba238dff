// SPDX-License-Identifier: LGPL-2.1-or-later
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/directory.h"
#include "kernels/package.h"
#include "kernels/recognise.h"
#include "kernels/root.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "vm/modules.h"

static bool has(const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return false;
	}
	return !access(path, F_OK);
}

/* Files in dir that match a pattern, which has no special characters of dir in it. */
static bool match(const char *dir, const char *pattern, glob_t *ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;

	for (const char *p = dir; *p; p++) {
		if (strchr("*?[\\", *p))
			kt_buf_appendc(&text, '\\');
		kt_buf_appendc(&text, *p);
	}
	kt_buf_printf(&text, "/%s", pattern);
	return !text.failed && !glob(text.data, 0, NULL, ret);
}

/* --- a build tree --- */

/* include/config/kernel.release, one line. */
static char *built_release(const char *dir)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	_cleanup_free_ char *path = NULL;
	size_t len;

	if (asprintf(&path, "%s/include/config/kernel.release", dir) < 0) {
		path = NULL;
		return NULL;
	}
	kt_error_destroy(kt_read_file(path, 1024, &text));
	len = text.data ? strcspn(text.data, "\n") : 0;
	return kernels_release_ok(text.data, len) ? strndup(text.data, len) : NULL;
}

/* Modules are anywhere in it; modules.order is written when they are built. */
static struct kt_error *add_built(const char *dir, const char *image, struct kt_kernels *out)
{
	_cleanup_free_ char *release = NULL;
	struct kernels_kind kind;
	struct kt_error *err = kernels_recognise(image, &kind);

	if (err)
		return kt_error_wrap(err, "%s", image);
	if (!kind.is_kernel)
		return kernels_not_a_kernel(image, kind.what, kind.remedy);
	release = kind.release[0] ? strdup(kind.release) : built_release(dir);
	return kernels_push(release, image, has(dir, "modules.order") ? dir : NULL, dir, out);
}

/* Of several images of one build, the one that is meant to be booted. */
static struct kt_error *add_build_tree(const char *dir, struct kt_kernels *out, bool *found)
{
	static const char *const names[] = {"bzImage", "vmlinuz.efi", "Image.gz", "Image"};

	*found = false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		_cleanup_(globfree) glob_t images = {0};
		char pattern[64];

		snprintf(pattern, sizeof(pattern), "arch/*/boot/%s", names[i]);
		if (!match(dir, pattern, &images))
			continue;
		*found = true;
		/* arch/x86_64/boot/bzImage is a link to that of arch/x86. */
		return add_built(dir, images.gl_pathv[0], out);
	}
	return NULL;
}

/* --- a directory with images in it --- */

static struct kt_error *add_images(const char *dir, struct kt_kernels *out)
{
	_cleanup_(globfree) glob_t images = {0};
	struct kt_error *err = NULL;

	if (!match(dir, "vmlinuz*", &images))
		return NULL;
	for (size_t i = 0; !err && i < images.gl_pathc; i++) {
		const char *path = images.gl_pathv[i];
		_cleanup_free_ char *release = NULL, *modules = NULL;
		struct kernels_kind kind;
		bool again = false;

		err = kernels_recognise(path, &kind);
		if (err || !kind.is_kernel) {
			kt_error_destroy(err);
			err = NULL;
			continue;
		}
		release = kernels_release_of(path, &kind);
		kt_vec_for_each (&out->v, other)
			again |= release && other->release && !strcmp(release, other->release);
		modules = vm_modules_dir(path, release);
		if (!again)
			err = kernels_push(release, path, modules, dir, out);
	}
	return err;
}

static struct kt_error *nothing_in(const char *dir)
{
	_cleanup_(globfree) glob_t packages = {0};
	struct kt_error *err = kt_error_new(
		KT_ERROR_NOT_FOUND,
		"%s: no kernel in this directory: there is no boot/vmlinuz*, no "
		"lib/modules/*/vmlinuz, no vmlinuz*, no arch/*/boot/bzImage",
		dir);

	if (has(dir, "Kbuild") && has(dir, "Kconfig"))
		return kt_error_hint(err, "it is a kernel's source: build it first");
	if (match(dir, "*.rpm", &packages))
		return kt_error_hint(err, "for all its packages: '%s/*.rpm'", dir);
	if (match(dir, "*.deb", &packages))
		return kt_error_hint(err, "for all its packages: '%s/*.deb'", dir);
	return err;
}

struct kt_error *kernels_directory_add(const char *dir, const struct kt_kernels_options *options,
				       struct kt_kernels *out)
{
	_cleanup_(kt_kernels_deinit) struct kt_kernels found = {0};
	struct kt_error *err;
	bool built;

	if (has(dir, "oci-layout") || has(dir, "index.json") || has(dir, "manifest.json"))
		return kernels_oci_add(dir, options, out);
	err = add_build_tree(dir, &found, &built);
	if (!err && !built)
		err = kernels_root_list(dir, dir, false, &found);
	if (!err && !found.v.len)
		err = add_images(dir, &found);
	if (!err && !found.v.len)
		err = nothing_in(dir);
	if (!err && !kt_vec_reserve(&out->v, out->v.len + found.v.len))
		err = kt_error_no_memory();
	if (err)
		return err;
	kt_vec_for_each (&found.v, kernel)
		out->v.data[out->v.len++] = *kernel;
	found.v.len = 0;
	return NULL;
}
