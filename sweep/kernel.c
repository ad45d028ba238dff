// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/kernel.h"
#include "util/cleanup.h"
#include "vm/process.h"

static bool executable(const char *path)
{
	return path && access(path, X_OK) == 0;
}

/* Gets the directory of this executable. */
static bool own_dir(char *dir, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", dir, size - 1);
	char *slash;

	if (n <= 0)
		return false;
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

static char *find_fetcher(void)
{
	static const char *const places[] = {"../vm/fetch-kernel", "../../vm/fetch-kernel",
					     "../libexec/ktstr-gdb/fetch-kernel"};
	const char *told = getenv("KTSTR_FETCH_KERNEL");
	char dir[PATH_MAX];

	if (told && told[0])
		return strdup(told);
	if (!own_dir(dir, sizeof(dir)))
		return NULL;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		char *path;

		if (asprintf(&path, "%s/%s", dir, places[i]) < 0)
			return NULL;
		if (executable(path))
			return path;
		free(path);
	}
	return NULL;
}

/* The last line, which is the fetcher's result, or why it failed. Cuts off newlines. */
static char *last_line(char *text)
{
	char *end = text + strlen(text), *nl;

	while (end > text && end[-1] == '\n')
		*--end = '\0';
	nl = strrchr(text, '\n');
	return nl ? nl + 1 : text;
}

static struct kt_error *run_fetcher(const char *const *argv, int64_t deadline_ns, int cancel_fd,
				    char **ret)
{
	_cleanup_free_ char *output = NULL;
	struct kt_error *err;
	const char *line;
	int status;

	err = kt_process_output(argv, deadline_ns, cancel_fd, &output, &status);
	if (err)
		return err;
	line = last_line(output);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return kt_error_new(KT_ERROR_NOT_FOUND, "%s",
				    line[0] ? line : "the fetcher failed without a word");
	if (line[0] != '/' || access(line, R_OK))
		return kt_error_new(KT_ERROR_FORMAT, "%s printed no path of an image", argv[0]);
	*ret = strdup(line);
	return *ret ? NULL : kt_error_no_memory();
}

static struct kt_error *fetch(const char *spec, int64_t deadline_ns, int cancel_fd, char **ret)
{
	_cleanup_free_ char *fetcher = find_fetcher();
	_cleanup_free_ char *suite = strdup(spec + strlen("debian:"));
	char *series;

	if (!suite)
		return kt_error_no_memory();
	if (!fetcher)
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
						  "there is no fetch-kernel beside this tool to "
						  "get %s with",
						  spec),
				     "KTSTR_FETCH_KERNEL names it, or give the image's path");
	series = strchr(suite, '/');
	if (series)
		*series++ = '\0';
	return run_fetcher(series ? (const char *[]){fetcher, "--series", series, suite, NULL}
				  : (const char *[]){fetcher, suite, NULL},
			   deadline_ns, cancel_fd, ret);
}

struct kt_error *sweep_kernel_image(const struct sweep_kernel *kernel, int64_t deadline_ns,
				    int cancel_fd, char **ret)
{
	if (!strncmp(kernel->image, "debian:", strlen("debian:")))
		return kt_error_wrap(fetch(kernel->image, deadline_ns, cancel_fd, ret), "kernel %s",
				     kernel->name);
	if (access(kernel->image, R_OK))
		return kt_error_os(errno, "kernel %s: cannot read %s", kernel->name, kernel->image);
	*ret = strdup(kernel->image);
	return *ret ? NULL : kt_error_no_memory();
}
