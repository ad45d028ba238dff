// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/store.h"
#include "kernels/tree.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/path.h"

/* The directories of modules that become one. */
struct parts {
	KT_VEC(const char *) dirs;
};

static void parts_deinit(struct parts *parts)
{
	kt_vec_free(&parts->dirs);
}

static struct kt_error *fill(void *context, const char *dir)
{
	const struct parts *parts = context;
	_cleanup_free_ char *modules = NULL;
	struct kt_error *err = NULL;

	if (asprintf(&modules, "%s/modules", dir) < 0) {
		modules = NULL;
		return kt_error_no_memory();
	}
	kt_vec_for_each (&parts->dirs, part)
		if (!err)
			err = kernels_tree_merge(*part, modules, true);
	return err;
}

/* Names of the parts hold what is in them: they are in the cache. */
static char *name_of(const struct parts *parts)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;

	kt_vec_for_each (&parts->dirs, part)
		kt_buf_printf(&text, "%s\n", *part);
	return text.failed || !text.data ? NULL : kernels_store_name("joined", text.data);
}

static struct kt_error *join_parts(struct parts *parts, const struct kt_kernels_options *options,
				   char **ret)
{
	_cleanup_free_ char *name = name_of(parts), *dir = NULL;
	struct kt_error *err;
	char *modules;

	if (!name)
		return kt_error_no_memory();
	err = kernels_store(name, options, fill, parts, &dir);
	if (err)
		return err;
	if (asprintf(&modules, "%s/modules", dir) < 0)
		return kt_error_no_memory();
	*ret = modules;
	return NULL;
}

static bool belongs(const struct kt_kernel *lone, const struct kt_kernel *kernel)
{
	return !lone->image && kernel->image && kernel->release &&
	       !strcmp(lone->release, kernel->release);
}

/* Gives a kernel all the modules that are in other packages of its release. */
static struct kt_error *complete(struct kt_kernels *kernels, struct kt_kernel *kernel,
				 const struct kt_kernels_options *options)
{
	_cleanup_(parts_deinit) struct parts parts = {0};
	char *joined = NULL;
	struct kt_error *err;
	bool ok = true;

	if (kernel->modules)
		ok = kt_vec_push(&parts.dirs, kernel->modules);
	kt_vec_for_each (&kernels->v, lone)
		if (belongs(lone, kernel))
			ok &= kt_vec_push(&parts.dirs, lone->modules);
	if (!ok)
		return kt_error_no_memory();
	if (parts.dirs.len == (kernel->modules ? 1 : 0))
		return NULL;
	err = join_parts(&parts, options, &joined);
	if (err)
		return kt_error_wrap(err, "%s", kernel->source);
	free(kernel->modules);
	kernel->modules = joined;
	return NULL;
}

static struct kt_error *check_lone(const struct kt_kernels *kernels, const struct kt_kernel *lone)
{
	kt_vec_for_each (&kernels->v, kernel)
		if (belongs(lone, kernel))
			return NULL;
	return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
					  "%s: it has the modules of %s, but no image",
					  lone->source, lone->release),
			     "give the package with its image, too (linux-image, kernel-core)");
}

static void drop_lone(struct kt_kernels *kernels)
{
	size_t kept = 0;

	kt_vec_for_each (&kernels->v, kernel) {
		if (kernel->image)
			kernels->v.data[kept++] = *kernel;
		else
			kt_kernel_deinit(kernel);
	}
	kernels->v.len = kept;
}

/* --- names --- */

static bool shares_name(const struct kt_kernels *kernels, const struct kt_kernel *kernel)
{
	kt_vec_for_each (&kernels->v, other)
		if (!strcmp(other->name, kernel->name) && strcmp(other->source, kernel->source))
			return true;
	return false;
}

/* Two builds of one release are told apart by where they come from. */
static struct kt_error *part_names(struct kt_kernels *kernels)
{
	KT_VEC(struct kt_kernel *) same = {0};
	KT_VEC(const char *) sources = {0};
	bool ok = true;

	kt_vec_for_each (&kernels->v, kernel)
		if (shares_name(kernels, kernel))
			ok &= kt_vec_push(&same, kernel) && kt_vec_push(&sources, kernel->source);
	for (size_t i = 0; i < same.len && ok; i++) {
		struct kt_kernel *kernel = same.data[i];
		char *name = strdup(kt_path_apart(sources.data, sources.len, i));

		ok = name != NULL;
		if (!ok)
			break;
		free(kernel->name);
		kernel->name = name;
	}
	kt_vec_free(&same);
	kt_vec_free(&sources);
	return ok ? NULL : kt_error_no_memory();
}

struct kt_error *kt_kernels_join(struct kt_kernels *kernels,
				 const struct kt_kernels_options *options)
{
	struct kt_error *err = NULL;

	kt_vec_for_each (&kernels->v, kernel)
		if (!err && !kernel->image)
			err = check_lone(kernels, kernel);
	kt_vec_for_each (&kernels->v, kernel)
		if (!err && kernel->image)
			err = complete(kernels, kernel, options);
	if (err)
		return err;
	drop_lone(kernels);
	return part_names(kernels);
}
