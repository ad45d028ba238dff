// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "image/image.h"
#include "image/uki.h"
#include "kernels/recognise.h"
#include "kernels/store.h"
#include "kernels/uki.h"
#include "util/cleanup.h"
#include "util/io.h"

static struct kt_error *put(const char *dir, const char *name, const void *data, size_t len)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return kt_error_no_memory();
	}
	return kt_replace_file(path, data, len, 0600, false);
}

/* .uname has "6.12.9-amd64", maybe with zeros or a newline behind it. */
static size_t release_len(const struct image_uki *uki)
{
	size_t n = 0;

	while (n < uki->release_len && uki->release[n] && uki->release[n] != '\n')
		n++;
	return uki->release && kernels_release_ok(uki->release, n) ? n : 0;
}

static struct kt_error *fill(void *context, const char *dir)
{
	const int *fd = context;
	struct image_file file = {0};
	struct image_uki uki;
	struct kt_error *err = image_file_map(*fd, &file);

	if (!err && !image_uki(file.data, file.len, &uki))
		err = kt_error_new(KT_ERROR_FORMAT, "no unified kernel image");
	if (!err)
		err = put(dir, "vmlinuz", uki.kernel, uki.kernel_len);
	if (!err && release_len(&uki))
		err = put(dir, "release", uki.release, release_len(&uki));
	image_file_close(&file);
	return err;
}

struct kt_error *kernels_uki_take(const char *path, const struct kt_kernels_options *options,
				  char **ret)
{
	_cleanup_free_ char *name = NULL, *dir = NULL;
	_cleanup_close_ int fd = -1;
	struct kt_error *err = kt_open_file(AT_FDCWD, path, 0, &fd, NULL);

	if (!err && !(name = kernels_store_file_name("uki", path, fd)))
		err = kt_error_no_memory();
	if (!err)
		err = kernels_store(name, options, fill, &fd, &dir);
	if (!err && asprintf(ret, "%s/vmlinuz", dir) < 0)
		err = kt_error_no_memory();
	return err;
}
