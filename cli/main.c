// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <locale.h>
#ifdef KT_STATIC
#include <nss.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/words.h"
#include "util/cleanup.h"
#include "util/edits.h"

/* If stdin, stdout or stderr is closed, no file that is opened may take its number. */
static void fill_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDONLY);
}

/* What people type who know another tool. */
static const struct {
	const char *word, *command;
} other_words[] = {
	{"boot", "collect"},    {"load", "collect"},   {"ls", "list"},     {"ps", "list"},
	{"run", "collect"},     {"show", "attach"},    {"status", "info"}, {"test", "collect"},
	{"top", "watch"},       {"verify", "collect"}, {"vms", "list"},    {"compare", "diff"},
	{"programs", "attach"}, {"progs", "attach"},
};

static const char *near_command(const char *name)
{
	struct kt_nearest nearest = {0};
	const struct cli_command *const *all;
	size_t n;

	if (name[0] == '-') {
		kt_nearest_try(&nearest, name, strlen(name), "--version");
		kt_nearest_try(&nearest, name, strlen(name), "--help");
		return nearest.name;
	}
	for (size_t i = 0; i < sizeof(other_words) / sizeof(*other_words); i++)
		if (strcmp(other_words[i].word, name) == 0)
			return other_words[i].command;
	all = cli_commands(&n);
	for (size_t i = 0; i < n; i++)
		if (all[i]->uses[0].how)
			kt_nearest_try(&nearest, name, strlen(name), all[i]->name);
	return nearest.name;
}

static int unknown_command(const char *name)
{
	const char *near = near_command(name);
	struct kt_error *err = kt_error_new(KT_ERROR_USAGE, "\"%s\" is no command", name);
	struct stat st;

	if (!near && name[0] == '-')
		err = kt_error_hint(err, "options stand behind the command: `ktstr-gdb COMMAND %s`",
				    name);
	else if (!near && strchr(name, ':'))
		err = kt_error_hint(err, "`ktstr-gdb attach %s` shows the programs of a guest",
				    name);
	else if (near)
		err = kt_error_hint(err, "did you mean %s? `ktstr-gdb --help` lists the commands",
				    near);
	else if (stat(name, &st) == 0 && S_ISREG(st.st_mode))
		err = kt_error_hint(err, "it is a file: `ktstr-gdb log FILE` reads a verifier's "
					 "log, `ktstr-gdb collect FILE --kernel KERNEL` loads a "
					 "BPF object");
	else
		err = kt_error_hint(err, "`ktstr-gdb --help` lists the commands");
	return cli_fail(err);
}

/*
 * A core file, of this process or of a QEMU that it starts, would have a guest's memory in it. With
 * a limit of one byte Linux writes no core file, and gives none to a pipe (systemd-coredump); a
 * limit of 0 does not stop the pipe. PR_SET_DUMPABLE would also take gdb, strace and /proc/PID of
 * this process from the user.
 */
static void leave_no_core(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) || limit.rlim_cur <= 1)
		return;
	limit.rlim_cur = 1;
	setrlimit(RLIMIT_CORE, &limit);
}

static int run_command(const char *name, int argc, char **argv)
{
	const struct cli_command *command = cli_command_find(name);

	return command ? command->run(argc, argv) : unknown_command(name);
}

static bool is_either(const char *arg, const char *one, const char *other)
{
	return strcmp(arg, one) == 0 || strcmp(arg, other) == 0;
}

static bool is_help(const char *arg)
{
	return is_either(arg, "--help", "-h") || strcmp(arg, "help") == 0;
}

/* words[0] is the command, or what bpftool has in its place. */
static int run_words(int n, char **words)
{
	_cleanup_free_ char **copy = calloc((size_t)n + CLI_WORDS_MORE + 1, sizeof(*copy));
	struct kt_error *err;

	if (!copy)
		return cli_fail(kt_error_no_memory());
	memcpy(copy, words, (size_t)n * sizeof(*copy));
	err = cli_words_of_bpftool(&n, copy);
	return err ? cli_fail(err) : run_command(copy[0], n, copy);
}

/* "help COMMAND", where COMMAND may be two words: "help prog show" */
static int help_of(int n, char **words)
{
	_cleanup_free_ char *two = NULL;
	const struct cli_command *command = NULL;

	if (n > 1 && asprintf(&two, "%s %s", words[0], words[1]) > 0)
		command = cli_command_find(two);
	if (!command)
		command = cli_command_find(words[0]);
	if (!command)
		return unknown_command(words[0]);
	return cli_show_manual(command) ? CLI_DONE : cli_print_help(command);
}

static int print_usage(FILE *stream)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = cli_usage(&text);

	if (err)
		return cli_fail(err);
	if (stream == stdout)
		return cli_print(text);
	fputs(text, stream);
	return CLI_USAGE;
}

/* What this machine has for it beyond these would bring a C library of its own along. */
static void look_up_plainly(void)
{
#ifdef KT_STATIC
	__nss_configure_lookup("passwd", "files");
	__nss_configure_lookup("hosts", "files dns");
#endif
}

int main(int argc, char **argv)
{
	fill_standard_fds();
	leave_no_core();
	look_up_plainly();
	setlocale(LC_CTYPE,
		  ""); /* the width of characters; numbers stay the same in every locale */
	if (argc < 2)
		return print_usage(stderr);
	if (is_either(argv[1], "--version", "-V"))
		return cli_print("ktstr-gdb " KTSTR_VERSION "\n");
	if (strcmp(argv[1], "help") == 0 && argc > 2 && !is_help(argv[2]))
		return help_of(argc - 2, argv + 2);
	if (is_help(argv[1]))
		return print_usage(stdout);
	return run_words(argc - 1, argv + 1);
}
