// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/source_tree.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/vec.h"

#define MAX_FILES 1000000

struct file {
	char *path;
	const char *name; /* in path, behind its last slash */
};

struct cli_source_tree {
	KT_VEC(struct file) files; /* by name */
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static struct kt_error *add(struct cli_source_tree *tree, const char *path)
{
	struct file file = {0};

	if (tree->files.len == MAX_FILES)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "there are more than %d files in it",
				    MAX_FILES);
	/* As a person would name it. */
	while (strncmp(path, "./", 2) == 0)
		for (path += 2; *path == '/'; path++)
			;
	file.path = strdup(path);
	if (!file.path)
		return kt_error_no_memory();
	file.name = strrchr(file.path, '/');
	file.name = file.name ? file.name + 1 : file.path;
	if (kt_vec_push(&tree->files, file))
		return NULL;
	free(file.path);
	return kt_error_no_memory();
}

static struct kt_error *read_tree(struct cli_source_tree *tree, FTS *fts)
{
	struct kt_error *err = NULL;
	FTSENT *entry;

	while (!err && (errno = 0, entry = fts_read(fts))) {
		if (entry->fts_info == FTS_D && entry->fts_level > 0 && entry->fts_name[0] == '.')
			fts_set(fts, entry, FTS_SKIP);
		else if (entry->fts_info == FTS_F || entry->fts_info == FTS_NSOK)
			err = add(tree, entry->fts_path);
		/* A folder below that cannot be read is as good as empty. */
		else if (entry->fts_level == 0 && entry->fts_info != FTS_D &&
			 entry->fts_info != FTS_DP)
			err = kt_error_os(entry->fts_errno ? entry->fts_errno : ENOTDIR,
					  "cannot read it");
	}
	if (!err && !entry && errno)
		err = kt_error_os(errno, "cannot read it");
	return err;
}

struct kt_error *cli_source_tree_create(const char *root, struct cli_source_tree **ret)
{
	char *copy = strdup(root), *roots[] = {copy, NULL};
	struct cli_source_tree *tree = calloc(1, sizeof(*tree));
	FTS *fts = NULL;
	struct kt_error *err;

	if (copy && tree)
		fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	err = fts ? read_tree(tree, fts) : kt_error_no_memory();
	if (fts)
		fts_close(fts);
	free(copy);
	if (err) {
		cli_source_tree_destroy(tree);
		return kt_error_wrap(err, "%s", root);
	}
	if (tree->files.len)
		qsort(tree->files.data, tree->files.len, sizeof(*tree->files.data), compare_names);
	*ret = tree;
	return NULL;
}

void cli_source_tree_destroy(struct cli_source_tree *tree)
{
	if (!tree)
		return;
	kt_vec_for_each (&tree->files, file)
		free(file->path);
	kt_vec_free(&tree->files);
	free(tree);
}

/* Whether path is name, or ends in it behind a slash. */
static bool ends_in(const char *path, const char *name)
{
	size_t len = strlen(path), n = strlen(name);

	return len >= n && strcmp(path + len - n, name) == 0 &&
	       (len == n || path[len - n - 1] == '/');
}

struct kt_error *cli_source_tree_find(void *arg, struct kt_text name, struct kt_buf *path)
{
	const struct cli_source_tree *tree = arg;
	_cleanup_free_ char *wanted = strndup(name.data, name.len);
	const struct file *file, *end, *found = NULL;
	struct file key;

	if (!wanted)
		return kt_error_no_memory();
	key.name = strrchr(wanted, '/');
	key.name = key.name ? key.name + 1 : wanted;
	file = tree->files.len ? bsearch(&key, tree->files.data, tree->files.len,
					 sizeof(*tree->files.data), compare_names)
			       : NULL;
	if (!file)
		return NULL;
	end = tree->files.data + tree->files.len;
	while (file > tree->files.data && compare_names(file - 1, &key) == 0)
		file--;
	for (; file < end && compare_names(file, &key) == 0; file++) {
		if (!ends_in(file->path, wanted))
			continue;
		if (found)
			return NULL;
		found = file;
	}
	if (found)
		kt_buf_appends(path, found->path);
	return kt_buf_failed(path) ? kt_error_no_memory() : NULL;
}
