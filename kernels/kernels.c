// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/directory.h"
#include "kernels/fetch.h"
#include "kernels/kernels.h"
#include "kernels/package.h"
#include "kernels/recognise.h"
#include "kernels/root.h"
#include "kernels/uki.h"
#include "util/cleanup.h"
#include "vm/modules.h"

static struct kt_error *push(struct kt_kernels *out, struct kt_kernel *kernel)
{
	if (!kt_vec_push(&out->v, *kernel))
		return kt_error_no_memory();
	*kernel = (struct kt_kernel){0};
	return NULL;
}

static void tell(const struct kt_kernels_options *options, const char *stage)
{
	if (options->progress)
		options->progress(options->progress_arg, stage);
}

/* --- an image --- */

static struct kt_error *add_image(const char *path, const struct kernels_kind *kind,
				  const char *source, struct kt_kernels *out)
{
	_cleanup_free_ char *release = kernels_release_of(path, kind);
	_cleanup_free_ char *modules = vm_modules_dir(path, release);

	return kernels_push(release, path, modules, source, out);
}

static struct kt_error *add_uki(const char *path, const char *source,
				const struct kt_kernels_options *options, struct kt_kernels *out)
{
	_cleanup_free_ char *image = NULL;
	struct kernels_kind kind = {0};
	struct kt_error *err;

	tell(options, "taking the kernel out of a unified kernel image");
	err = kernels_uki_take(path, options, &image);
	if (!err)
		err = kernels_recognise(image, &kind);
	if (err)
		return kt_error_wrap(err, "%s", path);
	if (!kind.is_kernel)
		return kernels_not_a_kernel(path, "a unified kernel image without a kernel", NULL);
	return add_image(image, &kind, source, out);
}

/* A file or a directory, whatever is in it. */
static struct kt_error *add_path(const char *path, const char *source,
				 const struct kt_kernels_options *options, struct kt_kernels *out)
{
	struct kernels_kind kind;
	struct kt_error *err;
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return kernels_directory_add(path, options, out);
	err = kernels_recognise(path, &kind);
	if (err)
		return kt_error_wrap(err, "%s", path);
	if (kind.is_kernel)
		return add_image(path, &kind, source, out);
	if (kind.is_uki)
		return add_uki(path, source, options, out);
	if (kind.may_be_archive)
		return kernels_package_add(path, kind.what, options, out);
	return kernels_not_a_kernel(path, kind.what, kind.remedy);
}

/* --- fetched --- */

static struct kt_error *add_fetched(const char *spec, const struct kt_kernels_options *options,
				    struct kt_kernels *out)
{
	_cleanup_(kt_fetch_deinit) struct kt_fetch fetch = {0};
	_cleanup_free_ char *image = NULL;
	struct kt_error *err;

	tell(options, "looking for the kernels");
	err = kt_fetch_parse(spec, &fetch);
	if (!err)
		err = kt_fetch_run(&fetch, options, &image);
	err = kt_error_wrap(err, "%s", spec);
	return err ? err : add_path(image, spec, options, out);
}

/* --- a glob --- */

static int by_release(const void *a, const void *b)
{
	const struct kt_kernel *k = a, *other = b;
	int order = strverscmp(k->name, other->name);

	return order ? order : strcmp(k->source, other->source);
}

static void sort_kernels(struct kt_kernels *kernels)
{
	if (kernels->v.len)
		qsort(kernels->v.data, kernels->v.len, sizeof(*kernels->v.data), by_release);
}

static struct kt_error *expand(const char *spec, glob_t *ret)
{
	int status = glob(spec, GLOB_ERR | GLOB_TILDE, NULL, ret);

	if (status == GLOB_NOSPACE)
		return kt_error_no_memory();
	if (status == GLOB_ABORTED)
		return kt_error_os(errno, "cannot look for %s", spec);
	if (status == GLOB_NOMATCH)
		return kt_error_new(KT_ERROR_NOT_FOUND, "%s: no file matches", spec);
	return NULL;
}

static struct kt_error *add_glob(const char *spec, const struct kt_kernels_options *options,
				 struct kt_kernels *out)
{
	_cleanup_(globfree) glob_t files = {0};
	struct kt_error *err = expand(spec, &files);

	for (size_t i = 0; !err && i < files.gl_pathc; i++)
		err = add_path(files.gl_pathv[i], files.gl_pathv[i], options, out);
	if (!err)
		sort_kernels(out);
	return err;
}

static struct kt_error *find(const char *spec, const struct kt_kernels_options *options,
			     struct kt_kernels *out)
{
	/* A file whose name has "*" in it is that file. */
	bool exists = !access(spec, F_OK);

	if (!exists && kt_fetch_prefix(spec))
		return add_fetched(spec, options, out);
	if (!exists && spec[strcspn(spec, "*?[")])
		return add_glob(spec, options, out);
	return add_path(spec, spec, options, out);
}

/* What may have been meant by the name of a file that is not there. */
static struct kt_error *hint_at_suite(struct kt_error *err, const char *spec)
{
	_cleanup_(kt_fetch_deinit) struct kt_fetch fetch = {0};
	const char *colon = strchr(spec, ':');
	struct kt_error *other;

	if (!err || !access(spec, F_OK) || kt_fetch_prefix(spec) || strchr(spec, '.') ||
	    spec[0] == '/')
		return err;
	if (colon)
		return kt_error_hint(err,
				     "kernels of debian:SUITE, ubuntu:SUITE and fedora:RELEASE can "
				     "be fetched");
	other = kt_fetch_parse(spec, &fetch);
	if (!other)
		err = kt_error_hint(err, "a kernel of Debian's is debian:%s", spec);
	kt_error_destroy(other);
	return err;
}

struct kt_error *kt_kernels_find(const char *spec, const struct kt_kernels_options *options,
				 struct kt_kernels *out)
{
	_cleanup_(kt_kernels_deinit) struct kt_kernels found = {0};
	struct kt_error *err = hint_at_suite(find(spec, options, &found), spec);

	if (!err && !kt_vec_reserve(&out->v, out->v.len + found.v.len))
		err = kt_error_no_memory();
	if (err)
		return err;
	kt_vec_for_each (&found.v, kernel)
		err = push(out, kernel);
	return err;
}
