// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "image/module_files.h"
#include "kernels/place.h"

#define COMPONENT_MAX 255 /* NAME_MAX of every file system */

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* Appends a component. */
static bool append(char *path, size_t *len, const char *part, size_t n)
{
	if (n > COMPONENT_MAX || *len + n + 2 > KERNELS_PATH_MAX)
		return false;
	if (*len)
		path[(*len)++] = '/';
	memcpy(path + *len, part, n);
	*len += n;
	path[*len] = '\0';
	return true;
}

bool kernels_clean_path(const char *path, char ret[KERNELS_PATH_MAX])
{
	size_t len = 0;

	if (has_control(path))
		return false;
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && !strncmp(path, "..", 2))
			return false;
		if (n && !(n == 1 && *path == '.') && !append(ret, &len, path, n))
			return false;
		path += n;
		path += *path == '/';
	}
	if (len > 8 && !strncmp(ret, "usr/lib/", 8))
		memmove(ret, ret + 4, len - 4 + 1);
	return len > 0;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* What is behind "lib/modules/V/"; NULL: nothing. */
static const char *below_modules(const char *path)
{
	const char *slash;

	if (!begins(path, "lib/modules/"))
		return NULL;
	path += strlen("lib/modules/");
	slash = strchr(path, '/');
	return slash && slash != path ? slash + 1 : NULL;
}

bool kernels_path_is_image(const char *path)
{
	static const char *const in_boot[] = {"vmlinuz", "vmlinux-", "bzImage", "Image", "kernel-"};
	static const char *const in_modules[] = {"vmlinuz", "Image", "bzImage", "image"};
	const char *name = below_modules(path);

	for (size_t i = 0; name && i < sizeof(in_modules) / sizeof(*in_modules); i++)
		if (!strcmp(name, in_modules[i]))
			return true;
	if (!begins(path, "boot/") || strchr(path + 5, '/'))
		return false;
	for (size_t i = 0; i < sizeof(in_boot) / sizeof(*in_boot); i++)
		if (begins(path + 5, in_boot[i]))
			return true;
	return false;
}

bool kernels_path_is_module(const char *path)
{
	const char *name = below_modules(path), *base;

	if (!name)
		return false;
	if (!strchr(name, '/') && begins(name, "modules."))
		return true;
	return module_name_in_path(name, &base) != 0;
}
