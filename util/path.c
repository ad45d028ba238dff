// SPDX-License-Identifier: LGPL-2.1-or-later
#include "util/path.h"

#include <stdbool.h>
#include <string.h>

const char *kt_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Whether the last parts of the path are those of tail. */
static bool ends_with(const char *path, const char *tail)
{
	size_t len = strlen(path), tail_len = strlen(tail);
	const char *at = path + len - (tail_len < len ? tail_len : len);

	return !strcmp(at, tail) && (at == path || at[-1] == '/');
}

const char *kt_path_apart(const char *const *paths, size_t n, size_t i)
{
	const char *path = paths[i], *tail = kt_base_name(path);

	for (size_t k = 0; k < n; k++) {
		while (tail > path && strcmp(paths[k], path) != 0 && ends_with(paths[k], tail))
			for (tail--; tail > path && (*tail == '/' || tail[-1] != '/');)
				tail--;
	}
	return tail;
}
