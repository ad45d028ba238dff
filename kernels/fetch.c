// SPDX-License-Identifier: LGPL-2.1-or-later
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/fetch.h"
#include "util/cleanup.h"
#include "vm/process.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* What fetch-kernel exits with where the host's own tools cannot do it. */
#define STATUS_CANNOT_HERE 4

static const struct {
	const char *prefix, *name; /* in a spec; for fetch-kernel */
	const char *package;       /* that has the image */
} distributions[] = {
	[KT_FETCH_DEBIAN] = {"debian:", "debian", "linux-image-VERSION"},
	[KT_FETCH_UBUNTU] = {"ubuntu:", "ubuntu", "linux-image-VERSION"},
	[KT_FETCH_FEDORA] = {"fedora:", "fedora", "kernel-core"},
};

#define N_DISTRIBUTIONS (sizeof(distributions) / sizeof(*distributions))

/* --- what is asked for --- */

/* N_DISTRIBUTIONS: it names none. */
static size_t distribution_of(const char *text)
{
	size_t i = 0;

	while (i < N_DISTRIBUTIONS &&
	       strncmp(text, distributions[i].prefix, strlen(distributions[i].prefix)))
		i++;
	return i;
}

size_t kt_fetch_prefix(const char *text)
{
	size_t i = distribution_of(text);

	return i < N_DISTRIBUTIONS ? strlen(distributions[i].prefix) : 0;
}

/* A word as fetch-kernel takes it: never an option. Cuts it off *text. */
static bool take_word(const char **text, const char *more, char **ret)
{
	size_t len = strcspn(*text, "/:");

	if (!len || (*text)[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!strchr(LETTERS, (*text)[i]) && !strchr(more, (*text)[i]))
			return false;
	*ret = strndup(*text, len);
	*text += len;
	return true;
}

/* "6.18" */
static bool is_series(const char *text)
{
	size_t major = strspn(text, "0123456789"), minor;

	if (!major || text[major] != '.')
		return false;
	minor = strspn(text + major + 1, "0123456789");
	return minor && !text[major + 1 + minor];
}

struct kt_error *kt_fetch_parse(const char *text, struct kt_fetch *ret)
{
	struct kt_fetch f = {0};
	size_t prefix = kt_fetch_prefix(text);
	const char *rest;
	bool ok, complete;

	if (prefix)
		f.distribution = (enum kt_fetch_distribution)distribution_of(text);
	text += prefix;
	rest = text;
	ok = take_word(&rest, "+.-", &f.suite);
	if (ok && *rest == '/') {
		rest++;
		ok = take_word(&rest, ".", &f.series) && (!f.series || is_series(f.series));
	}
	if (ok && *rest == ':') {
		rest++;
		ok = take_word(&rest, "+.-_", &f.flavour);
	}
	complete = f.suite && (!strchr(text, '/') || f.series) && (!strchr(text, ':') || f.flavour);
	if (ok && !*rest && complete) {
		*ret = f;
		return NULL;
	}
	kt_fetch_deinit(&f);
	if (ok && !*rest)
		return kt_error_no_memory();
	return kt_error_hint(
		kt_error_new(KT_ERROR_USAGE,
			     "'%.80s' is no suite: SUITE[/SERIES][:FLAVOUR] is the form", text),
		"trixie, trixie-backports/6.18, bookworm:amd64");
}

void kt_fetch_deinit(struct kt_fetch *fetch)
{
	free(fetch->suite);
	free(fetch->series);
	free(fetch->flavour);
	*fetch = (struct kt_fetch){0};
}

/* --- the fetcher --- */

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
		if (!access(path, X_OK))
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

/* Where a host's own tools are not those of the distribution, nothing can be fetched from it. */
static struct kt_error *cannot_here(const char *line, const struct kt_fetch *fetch)
{
	return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED, "%s",
					  line[0] ? line : "it cannot be fetched here"),
			     "download its package %s, and give that file",
			     distributions[fetch->distribution].package);
}

static struct kt_error *run_fetcher(const char *const *argv, const struct kt_fetch *fetch,
				    const struct kt_kernels_options *options, char **ret)
{
	_cleanup_free_ char *output = NULL;
	struct kt_error *err;
	const char *line;
	int status;

	err = kt_process_output(argv, options->deadline_ns, options->cancel_fd, &output, &status);
	if (err)
		return err;
	line = last_line(output);
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_CANNOT_HERE)
		return cannot_here(line, fetch);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return kt_error_new(KT_ERROR_NOT_FOUND, "%s",
				    line[0] ? line : "the fetcher failed without a word");
	if (line[0] != '/' || access(line, R_OK))
		return kt_error_new(KT_ERROR_FORMAT, "%s printed no path of an image", argv[0]);
	*ret = strdup(line);
	return *ret ? NULL : kt_error_no_memory();
}

struct kt_error *kt_fetch_run(const struct kt_fetch *fetch,
			      const struct kt_kernels_options *options, char **ret)
{
	_cleanup_free_ char *fetcher = find_fetcher();
	const char *argv[10];
	size_t n = 0;

	if (!fetcher)
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
						  "there is no fetch-kernel beside this tool to "
						  "get it with"),
				     "KTSTR_FETCH_KERNEL names it, or give the image's path");
	argv[n++] = fetcher;
	if (fetch->refresh)
		argv[n++] = "--refresh";
	if (fetch->debug)
		argv[n++] = "--dbg";
	if (fetch->series) {
		argv[n++] = "--series";
		argv[n++] = fetch->series;
	}
	if (fetch->distribution != KT_FETCH_DEBIAN) {
		argv[n++] = "--distribution";
		argv[n++] = distributions[fetch->distribution].name;
	}
	argv[n++] = fetch->suite;
	if (fetch->flavour)
		argv[n++] = fetch->flavour;
	argv[n] = NULL;
	return run_fetcher(argv, fetch, options, ret);
}
