// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/edits.h"
#include "vm/workload.h"

/* As vm/guest/workload_kinds.c has them. */
static const char *const kinds[] = {"mixed", "spin", "yield",  "pipe",
				    "fork",  "nice", "pinned", "cgroups"};

#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

/* A name that is part of the other, or a letter or two off. */
static bool is_near(const char *kind, const char *typed)
{
	size_t len = strlen(typed), max = 1 + len / 4;

	return (len > 2 && (strstr(kind, typed) || strstr(typed, kind))) ||
	       (len && kt_edits(kind, strlen(kind), typed, len, max) <= max);
}

static struct kt_error *no_kind(const char *text)
{
	_cleanup_(kt_buf_deinit) struct kt_buf near = KT_BUF_INIT, all = KT_BUF_INIT;
	struct kt_error *err = kt_error_new(KT_ERROR_USAGE, "there is no workload '%.60s'", text);

	for (size_t i = 0; i < N_KINDS; i++) {
		kt_buf_printf(&all, "%s%s", i ? ", " : "", kinds[i]);
		if (is_near(kinds[i], text))
			kt_buf_printf(&near, "%s%s", near.len ? ", " : "near it: ", kinds[i]);
	}
	if (all.failed || near.failed)
		return err;
	return kt_error_hint(err, "%s%sthere are %s; the path of a command has a \"/\"",
			     near.len ? near.data : "", near.len ? "; " : "", all.data);
}

static const char *find_kind(const char *text)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (!strcmp(kinds[i], text))
			return kinds[i];
	return NULL;
}

static bool is_command(const char *text)
{
	size_t begin = strspn(text, " \t");

	return memchr(text + begin, '/', strcspn(text + begin, " \t"));
}

static struct kt_error *split(const char *text, struct vm_workload *ret)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = NULL;

	for (char *word = copy ? strtok_r(copy, " \t", &rest) : NULL; word;
	     word = strtok_r(NULL, " \t", &rest)) {
		char *arg = strdup(word);

		if (!arg || !kt_vec_push(&ret->argv, arg)) {
			free(arg);
			return kt_error_no_memory();
		}
	}
	return copy ? NULL : kt_error_no_memory();
}

struct kt_error *vm_workload_parse(const char *text, struct vm_workload *ret)
{
	struct vm_workload workload = {.kind = find_kind(text)};
	struct kt_error *err = NULL;

	if (!workload.kind && !is_command(text))
		return no_kind(text);
	if (!workload.kind) {
		workload.kind = "command";
		err = split(text, &workload);
	}
	if (err) {
		vm_workload_deinit(&workload);
		return err;
	}
	*ret = workload;
	return NULL;
}

void vm_workload_deinit(struct vm_workload *workload)
{
	kt_vec_for_each (&workload->argv, arg)
		free(*arg);
	kt_vec_free(&workload->argv);
	*workload = (struct vm_workload){0};
}

struct kt_error *vm_workload_absolute(const char *text, const char *dir, char **ret)
{
	_cleanup_free_ char *here = NULL;
	size_t begin = strspn(text, " \t");

	if (!find_kind(text) && !is_command(text))
		return no_kind(text);
	if (find_kind(text) || text[begin] == '/') {
		*ret = strdup(text + begin);
		return *ret ? NULL : kt_error_no_memory();
	}
	if (!dir) {
		here = getcwd(NULL, 0);
		if (!here)
			return kt_error_os(errno, "cannot tell what the working directory is");
		dir = here;
	}
	if (asprintf(ret, "%s/%s", dir, text + begin) < 0)
		return kt_error_no_memory();
	return NULL;
}
