// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ktstr-gdb complete WORD...: what the last word may become. The scripts in completions/ ask it, so
 * that what a shell offers is what this very build takes.
 *
 * A line for each candidate, "CANDIDATE<tab>what it is". A line ":files" or ":dirs" says that names
 * of files, or of directories, may stand there, too; ":nospace" that the word goes on.
 */
#include <bpf/libbpf.h>
#include <dirent.h>
#include <string.h>

#include "cli/options.h"
#include "host/process.h"
#include "logparse/catalog.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "vm/topology.h"

struct completion {
	struct kt_buf out;
	const char *word;  /* the last one, as far as it is typed */
	const char *front; /* what of it stays in front of each candidate: "--output=id," */
	size_t front_len;
};

/* What a person has typed behind the front. */
static const char *typed(const struct completion *c)
{
	return c->word + c->front_len;
}

/* The first words of a text: up to where a clause ends. */
static int brief(const char *text)
{
	return (int)strcspn(text, ".;:(\n");
}

static void offer(struct completion *c, const char *name, const char *what)
{
	if (strncmp(name, typed(c), strlen(typed(c))) != 0)
		return;
	kt_buf_printf(&c->out, "%.*s%s\t%.*s\n", (int)c->front_len, c->front, name,
		      what ? brief(what) : 0, what ? what : "");
}

static void offer_list(struct completion *c, const char *list, char comma)
{
	while (*list) {
		char name[64];
		size_t len = strcspn(list, (const char[]){comma, '\0'});

		snprintf(name, sizeof(name), "%.*s", (int)len, list);
		offer(c, name, NULL);
		list += len + (list[len] == comma);
	}
}

/* From here on the word is a list; what is before its last comma stays. */
static void go_to_last(struct completion *c)
{
	const char *comma = strrchr(typed(c), ',');

	if (comma)
		c->front_len = (size_t)(comma + 1 - c->word);
}

/* --- what there is on this host --- */

static void offer_targets(struct completion *c)
{
	_cleanup_(vms_deinit) struct vms vms = {0};
	const struct host_proc proc = {.root = "/proc", .uid = geteuid()};
	struct kt_error *err = host_vms_read(&proc, &vms);

	kt_vec_for_each (&vms.v, vm)
		if (vm->ways.len)
			offer(c, vm->ways.data[0].target, vm->name);
	kt_error_destroy(err);
}

/* "trixie-backports-6.18-cloud-amd64", a directory of the cache, as --kernel names it. */
static bool kernel_name(const char *dir, char *ret, size_t size)
{
	static const char *const architectures[] = {"amd64", "arm64",       "riscv64",
						    "s390x", "powerpc64le", "loong64"};
	const char *flavour = NULL, *series;

	for (size_t i = 0; i < sizeof(architectures) / sizeof(*architectures); i++) {
		size_t len = strlen(dir), n = strlen(architectures[i]);

		if (len > n && !strcmp(dir + len - n, architectures[i]) && dir[len - n - 1] == '-')
			flavour = dir + len - n;
	}
	if (!flavour)
		return false;
	if (flavour - dir > 7 && !strncmp(flavour - 7, "-cloud-", 7))
		flavour -= 6;
	series = dir + strcspn(dir, "0123456789");
	if (series < flavour && series > dir)
		snprintf(ret, size, "debian:%.*s/%.*s:%s", (int)(series - 1 - dir), dir,
			 (int)(flavour - 1 - series), series, flavour);
	else
		snprintf(ret, size, "debian:%.*s:%s", (int)(flavour - 1 - dir), dir, flavour);
	return true;
}

static void offer_kernels(struct completion *c)
{
	_cleanup_free_ char *cache = kt_cache_dir(), *path = NULL;
	struct dirent *entry;
	DIR *dir = NULL;

	if (cache && asprintf(&path, "%s/kernels", cache) > 0)
		dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char name[160];

		if (kernel_name(entry->d_name, name, sizeof(name)))
			offer(c, name, "fetched before");
	}
	if (dir)
		closedir(dir);
	kt_buf_appends(&c->out, ":files\n");
}

/* --- an option's argument --- */

/* Those of a grid that another one does not have, too. */
static void offer_grid(struct completion *c, const struct render_grid *grid,
		       const struct render_grid *but)
{
	for (size_t i = 0; i < grid->n_columns; i++) {
		const char *name = grid->columns[i].name;

		if (name && (!but || !render_grid_find(but, name, strlen(name))))
			offer(c, name, NULL);
	}
}

static void offer_columns(struct completion *c, const struct cli_command *command)
{
	struct render_grid grid = {0}, more;

	if (command->grid) {
		grid = command->grid();
		offer_grid(c, &grid, NULL);
	}
	if (command->more) {
		more = command->more();
		offer_grid(c, &more, &grid);
	}
}

static void offer_presets(struct completion *c)
{
	const struct vm_topology *all;
	size_t n;

	all = vm_topologies(&n);
	for (size_t i = 0; i < n; i++)
		offer(c, all[i].name, NULL);
	offer(c, "list", "show them");
}

static void offer_types(struct completion *c, const struct cli_command *command)
{
	const char *name;

	for (int i = 1; command->type && (name = command->type(i)); i++)
		offer(c, name, NULL);
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(name, *names) != 0)
		names++;
	return *names;
}

static void offer_argument(struct completion *c, const struct cli_command *command, const char *arg)
{
	static const char *const files[] = {"FILE", "BIN", "IMAGE", "VAR=VALUE", NULL};

	if (strchr(arg, '|')) {
		offer_list(c, arg, '|');
	} else if (is_one_of(arg, files)) {
		kt_buf_appends(&c->out, ":files\n");
	} else if (strcmp(arg, "DIR") == 0) {
		kt_buf_appends(&c->out, ":dirs\n");
	} else if (strcmp(arg, "KERNEL") == 0) {
		offer_kernels(c);
	} else if (strcmp(arg, "TARGET") == 0) {
		offer_targets(c);
	} else if (strcmp(arg, "PRESET") == 0) {
		offer_presets(c);
	} else if (strcmp(arg, "KIND") == 0) {
		offer_list(c, "mixed,spin,yield,pipe,fork,nice,pinned,cgroups", ',');
		kt_buf_appends(&c->out, ":files\n");
	} else if (strcmp(arg, "KEY") == 0) {
		c->front_len += typed(c)[0] == '-';
		offer_columns(c, command);
	} else if (strcmp(arg, "LIST") == 0) {
		go_to_last(c);
		offer_columns(c, command);
		kt_buf_appends(&c->out, ":nospace\n");
	} else if (strcmp(arg, "TYPE[,TYPE]") == 0) {
		go_to_last(c);
		offer_types(c, command);
	}
}

/* --- options, and arguments of a command --- */

static void offer_options(struct completion *c, const struct cli_command *command)
{
	for (const struct cli_group *g = command->groups; g->options; g++)
		for (const struct cli_option *o = g->options; o->value; o++) {
			char name[64];

			if (!o->help || !o->name || cli_option_find(command, o->name) != o)
				continue;
			snprintf(name, sizeof(name), "--%s", o->name);
			offer(c, name, o->help);
		}
	offer(c, "--help", "what the command does, and its options");
}

static void offer_entries(struct completion *c)
{
	const struct kt_catalog_entry *entry;

	for (size_t i = 0; (entry = kt_catalog_at(i)); i++)
		offer(c, entry->id, NULL);
}

static void offer_arguments(struct completion *c, const struct cli_command *command, bool is_first)
{
	if (command->words && is_first)
		offer_list(c, command->words, ',');
	switch (command->takes) {
	case CLI_TAKES_TARGET:
		if (!command->needs_word || !is_first)
			offer_targets(c);
		break;
	case CLI_TAKES_FILES: kt_buf_appends(&c->out, ":files\n"); break;
	case CLI_TAKES_DIR: kt_buf_appends(&c->out, ":dirs\n"); break;
	case CLI_TAKES_KERNELS: offer_kernels(c); break;
	case CLI_TAKES_ENTRY: offer_entries(c); break;
	default: break;
	}
}

/* The option whose argument the last of n words is; NULL: none. It may be "--name=...". */
static const struct cli_option *open_option(struct completion *c, const struct cli_command *command,
					    int n, char **words)
{
	const char *before = n > 1 ? words[n - 2] : "", *equals = strchr(c->word, '=');
	const struct cli_option *o = NULL;
	char name[64];

	if (strncmp(c->word, "--", 2) == 0 && equals) {
		snprintf(name, sizeof(name), "%.*s", (int)(equals - c->word - 2), c->word + 2);
		c->front_len = (size_t)(equals + 1 - c->word);
		o = cli_option_find(command, name);
	} else if (before[0] == '-' && before[1] && strcmp(before, "--") != 0) {
		o = cli_option_find(command, before + (before[1] == '-' ? 2 : 1));
	}
	return o && o->arg ? o : NULL;
}

/* n words behind the command's name, the last of which is completed. */
static void complete_command(struct completion *c, const struct cli_command *command, int n,
			     char **words)
{
	const struct cli_option *option = open_option(c, command, n, words);
	bool is_first = true, all_arguments = false;

	for (int i = 0; i < n - 1; i++) {
		all_arguments |= strcmp(words[i], "--") == 0;
		is_first &= words[i][0] == '-';
	}
	if (all_arguments)
		kt_buf_appends(&c->out, ":files\n");
	else if (option)
		offer_argument(c, command, option->arg);
	else if (c->word[0] == '-')
		offer_options(c, command);
	else
		offer_arguments(c, command, is_first);
}

static void complete_name(struct completion *c)
{
	const struct cli_command *const *all;
	size_t n;

	all = cli_commands(&n);
	for (size_t i = 0; i < n; i++)
		if (all[i]->uses[0].how && !strchr(all[i]->name, ' '))
			offer(c, all[i]->name, all[i]->summary);
	offer(c, "help", "what a command does");
	if (c->word[0] == '-') {
		offer(c, "--help", "the commands");
		offer(c, "--version", "the version");
	}
}

/* n words behind "ktstr-gdb". */
static void complete(struct completion *c, int n, char **words)
{
	const struct cli_command *command = NULL;
	char two[64];

	if (n == 1 || (n == 2 && !strcmp(words[0], "help"))) {
		complete_name(c);
		return;
	}
	snprintf(two, sizeof(two), "%s %s", words[0], words[1]);
	if (n > 2)
		command = cli_command_find(two);
	if (command) {
		complete_command(c, command, n - 2, words + 2);
		return;
	}
	command = cli_command_find(words[0]);
	if (command)
		complete_command(c, command, n - 1, words + 1);
}

static int run_command(int argc, char **argv)
{
	static char nothing[] = "", *no_words[] = {nothing, NULL};
	int n = argc > 1 ? argc - 1 : 1;
	char **words = argc > 1 ? argv + 1 : no_words;
	struct completion c = {.out = KT_BUF_INIT, .word = words[n - 1], .front = words[n - 1]};
	int status;

	complete(&c, n, words);
	status = kt_buf_failed(&c.out) ? cli_fail(kt_error_no_memory())
				       : cli_print(c.out.data ? c.out.data : "");
	kt_buf_deinit(&c.out);
	return status;
}

/* It has no options: what stands behind it are the words of another command. */
const struct cli_command cli_complete_command = {
	.name = "complete",
	.summary = "what a shell may complete",
	.synopsis = "complete WORD...",
	.text = "Prints what the last word may become, for the completion of a shell.",
	.takes = CLI_TAKES_NOTHING,
	.run = run_command,
};
