// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb cache: what the tool keeps between runs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options.h"
#include "render/text.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "vm/snapshot.h"

enum kind { SNAPSHOTS, KERNELS, FACTS, OTHER, N_KINDS };
static const char *const kind_names[N_KINDS] = {"snapshots", "kernels", "facts", "other"};

struct item {
	enum kind kind;
	char *path;
	int64_t size;
	time_t used;
	char *what; /* a snapshot's kernel and QEMU; else NULL */
};

struct cache {
	char *dir;
	KT_VEC(struct item) items;
};

static void cache_deinit(struct cache *cache)
{
	kt_vec_for_each (&cache->items, item) {
		free(item->path);
		free(item->what);
	}
	kt_vec_free(&cache->items);
	free(cache->dir);
}

/* nftw(3) has no context pointer. */
static int64_t tree_size;
static int add_size(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	tree_size += type == FTW_F ? st->st_size : 0;
	return 0;
}

static int64_t size_of(const char *path)
{
	tree_size = 0;
	nftw(path, add_size, 16, FTW_PHYS | FTW_MOUNT);
	return tree_size;
}

static bool add_item(struct cache *cache, enum kind kind, const char *path, const bool *wanted)
{
	struct item item = {.kind = kind};
	struct stat st;

	if (lstat(path, &st))
		return true;
	if (kind == FACTS && S_ISDIR(st.st_mode))
		item.kind = OTHER;
	if (!wanted[item.kind])
		return true;
	item.used = st.st_mtime;
	item.size = size_of(path);
	item.path = strdup(path);
	if (!item.path)
		return false;
	if (kt_vec_push(&cache->items, item))
		return true;
	free(item.path);
	return false;
}

/* Entries of a folder as items of that kind; the folder may be absent. */
static bool add_folder(struct cache *cache, enum kind kind, const char *path, const bool *wanted)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool ok = true;

	while (ok && dir && (entry = readdir(dir))) {
		_cleanup_free_ char *file = NULL;

		/* Locks, and what is being written, are left alone. */
		if (entry->d_name[0] == '.')
			continue;
		/* These have items of their own. */
		if (kind == FACTS && (!strcmp(entry->d_name, kind_names[SNAPSHOTS]) ||
				      !strcmp(entry->d_name, kind_names[KERNELS])))
			continue;
		if (asprintf(&file, "%s/%s", path, entry->d_name) < 0)
			file = NULL;
		ok = file && add_item(cache, kind, file, wanted);
	}
	if (dir)
		closedir(dir);
	return ok;
}

/* What the snapshots' own words are; and their size, in which holes do not count. */
static void describe(struct cache *cache)
{
	struct vm_snapshots snapshots = VM_SNAPSHOTS_INIT;
	struct vm_snapshot_list list = {0};
	struct kt_error *err = vm_snapshots_open(cache->dir, &snapshots);

	if (!err)
		err = vm_snapshot_list(&snapshots, &list);
	kt_error_destroy(err);
	kt_vec_for_each (&cache->items, item) {
		kt_vec_for_each (&list.v, entry) {
			const char *slash = strrchr(item->path, '/');

			if (item->kind != SNAPSHOTS || item->what || !entry->of.kernel[0] ||
			    strcmp(slash + 1, entry->name) != 0)
				continue;
			item->size = entry->size;
			if (asprintf(&item->what, "%s, QEMU %s", entry->of.kernel, entry->of.qemu) <
			    0)
				item->what = NULL;
		}
	}
	kt_vec_free(&list.v);
	vm_snapshots_close(&snapshots);
}

static struct kt_error *gather(struct cache *cache, const bool *wanted)
{
	_cleanup_free_ char *snapshots = NULL, *kernels = NULL;
	bool ok = true;

	cache->dir = kt_cache_dir();
	if (!cache->dir)
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "there is no cache: neither XDG_CACHE_HOME nor HOME is an "
				    "absolute path");
	if (asprintf(&snapshots, "%s/%s", cache->dir, kind_names[SNAPSHOTS]) < 0 ||
	    asprintf(&kernels, "%s/%s", cache->dir, kind_names[KERNELS]) < 0)
		return kt_error_no_memory();
	ok &= add_folder(cache, SNAPSHOTS, snapshots, wanted);
	ok &= add_folder(cache, KERNELS, kernels, wanted);
	ok &= add_folder(cache, FACTS, cache->dir, wanted);
	if (!ok)
		return kt_error_no_memory();
	if (!access(snapshots, F_OK))
		describe(cache);
	return NULL;
}

static void put_mib(struct kt_buf *out, int64_t size)
{
	kt_buf_printf(out, "%8.1f MiB", (double)size / (1 << 20));
}

static void put_item(struct kt_buf *out, const struct item *item)
{
	char when[32] = "";
	struct tm tm;

	if (localtime_r(&item->used, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	kt_buf_printf(out, "%-9s ", kind_names[item->kind]);
	put_mib(out, item->size);
	kt_buf_printf(out, "  %s  ", when);
	render_append_visible(out, item->what ? item->what : strrchr(item->path, '/') + 1, false);
	kt_buf_appendc(out, '\n');
}

/* Snapshots and kernels one by one, the many small files as one line. */
static void put_sums(const struct cache *cache, struct kt_buf *out, bool all)
{
	for (int kind = 0; kind < N_KINDS; kind++) {
		int64_t size = 0;
		size_t n = 0;

		kt_vec_for_each (&cache->items, item) {
			n += (int)item->kind == kind;
			size += (int)item->kind == kind ? item->size : 0;
		}
		if (!n || (!all && kind != FACTS))
			continue;
		kt_buf_printf(out, "%-9s ", kind_names[kind]);
		put_mib(out, size);
		kt_buf_printf(out, "  %zu\n", n);
	}
}

static int list(const struct cache *cache)
{
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;

	kt_vec_for_each (&cache->items, item)
		if (item->kind != FACTS)
			put_item(&out, item);
	put_sums(cache, &out, false);
	if (!out.len)
		kt_buf_printf(&out, "%s is empty\n", cache->dir);
	return out.failed ? cli_fail(kt_error_no_memory()) : cli_print(out.data);
}

static int size(const struct cache *cache)
{
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;
	int64_t sum = 0;

	put_sums(cache, &out, true);
	kt_vec_for_each (&cache->items, item)
		sum += item->size;
	kt_buf_printf(&out, "%-9s ", "all");
	put_mib(&out, sum);
	kt_buf_printf(&out, "  in %s\n", cache->dir);
	return out.failed ? cli_fail(kt_error_no_memory()) : cli_print(out.data);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* What could not be removed is the error; what was removed before it is said all the same. */
static int clear(const struct cache *cache)
{
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;
	struct cache removed = {.dir = cache->dir};
	struct kt_error *err = NULL;
	int status;

	kt_vec_for_each (&cache->items, item) {
		if (!err && nftw(item->path, remove_one, 16, FTW_PHYS | FTW_MOUNT | FTW_DEPTH) &&
		    errno != ENOENT)
			err = kt_error_os(errno, "cannot remove %s", item->path);
		if (err)
			break;
		if (!kt_vec_push(&removed.items, *item))
			err = kt_error_no_memory();
	}
	if (removed.items.len)
		kt_buf_printf(&out, "removed from %s:\n", cache->dir);
	put_sums(&removed, &out, true);
	kt_vec_free(&removed.items);
	status = cli_print(out.len ? out.data : "");
	if (!err && !out.len)
		cli_note("nothing to remove in %s", cache->dir);
	return err ? cli_fail(err) : status;
}

static const struct {
	const char *name;
	int (*run)(const struct cache *cache);
} actions[] = {{"list", list}, {"size", size}, {"clear", clear}};

static int run(const char *action, const bool *wanted)
{
	_cleanup_(cache_deinit) struct cache cache = {0};

	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		struct kt_error *err;

		if (strcmp(action, actions[i].name))
			continue;
		err = gather(&cache, wanted);
		return err ? cli_fail(err) : actions[i].run(&cache);
	}
	return cli_fail(kt_error_new(KT_ERROR_USAGE,
				     "\"%s\" is nothing that can be done with the cache: there are "
				     "list, size and clear",
				     action));
}

/* clang-format off */
static const struct cli_option own_options[] = {
	{"snapshots", CLI_OPT_OWN + SNAPSHOTS, NULL,
	 "only guests that were booted"},
	{"kernels", CLI_OPT_OWN + KERNELS, NULL,
	 "only kernels"},
	{"facts", CLI_OPT_OWN + FACTS, NULL,
	 "only layouts of kernels"},
	{"other", CLI_OPT_OWN + OTHER, NULL,
	 "only the rest"},
	{"all", CLI_OPT_OWN + N_KINDS, NULL,
	 "all of it"},
	{0},
};
/* clang-format on */

static struct kt_error *take_option(void *context, const struct cli_option *option, char *arg)
{
	bool *wanted = context;

	(void)arg;
	for (int kind = 0; kind < N_KINDS; kind++)
		wanted[kind] |= option->value == CLI_OPT_OWN + kind ||
				option->value == CLI_OPT_OWN + N_KINDS;
	return NULL;
}

static int run_command(int argc, char **argv)
{
	bool wanted[N_KINDS] = {false}, some = false;
	int status = cli_parse(&cli_cache_command, argc, argv, take_option, wanted);

	if (status != CLI_GO_ON)
		return status;
	for (int kind = 0; kind < N_KINDS; kind++)
		some |= wanted[kind];
	if (!some && optind < argc && strcmp(argv[optind], "clear") == 0)
		return cli_fail(kt_error_hint(
			kt_error_new(KT_ERROR_USAGE, "what is to be removed is not said"),
			"--snapshots, --kernels, --facts, --other, or --all; `ktstr-gdb cache` "
			"shows what there is"));
	for (int kind = 0; kind < N_KINDS && !some; kind++)
		wanted[kind] = true;
	if (argc - optind > 1)
		return cli_fail(kt_error_new(KT_ERROR_USAGE,
					     "\"%s\": cache does one thing at a time",
					     argv[optind + 1]));
	return run(optind < argc ? argv[optind] : "list", wanted);
}

/* clang-format off */
const struct cli_command cli_cache_command = {
	.name = "cache",
	.summary = "what is kept between runs",
	.section = CLI_HOST,
	.uses = {{"cache", "what is kept between runs; to remove it"}},
	.synopsis = "cache [list] [OPTION...]\n"
		    "cache size [OPTION...]\n"
		    "cache clear [OPTION...]",
	.text = "What is kept between runs, in $XDG_CACHE_HOME/ktstr-gdb or ~/.cache/ktstr-gdb:\n"
		"\n"
		"  snapshots  guests that were booted, up to where they get their work: the next\n"
		"             run with the same kernel, QEMU and options is restored from one.\n"
		"             2 GiB in all; those that were not used for longest go first\n"
		"  kernels    those that were fetched\n"
		"  facts      the layout of each kernel, and the like: small files\n"
		"  other      what the tool's scripts and tests keep: sources, debug info\n"
		"\n"
		"list shows them with their size and when they were last used or written. size\n"
		"adds them up. clear removes those that are named, or --all, and says what it\n"
		"removed; a guest that runs is not disturbed. All of it can be made again, which\n"
		"may take downloads, and builds of hours.",
	.groups = {
		{"Options", own_options, NULL},
	},
	.examples = {{"ktstr-gdb cache",
		      NULL},
		     {"ktstr-gdb cache clear --snapshots",
		      NULL}},
	.words = "list,size,clear",
	.see = "ktstr-gdb-fetch-kernel(1)",
	.takes = CLI_TAKES_NOTHING,
	.run = run_command,
};
/* clang-format on */
