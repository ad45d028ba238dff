/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the tool as a person does, and looks at what it says. */
#ifndef KT_TESTS_CLI_TOOL_H
#define KT_TESTS_CLI_TOOL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TOOL_TEXT 65536

/* What a run came to. */
struct tool_run {
	int status; /* exit status, or 128 + signal */
	char out[TOOL_TEXT], err[TOOL_TEXT];
};

static inline void tool_slurp(FILE *file, char *text)
{
	size_t n;

	rewind(file);
	n = fread(text, 1, TOOL_TEXT - 1, file);
	text[n] = '\0';
	fclose(file);
}

/* KTSTR_GDB, or the build that the test is of. */
static inline const char *tool_path(void)
{
	const char *path = getenv("KTSTR_GDB");

	return path ? path : "build/san/ktstr-gdb";
}

/* Runs it with these arguments, NULL last. static storage: one run at a time. */
static inline const struct tool_run *tool_run(const char *const *args)
{
	static struct tool_run run;
	FILE *out = tmpfile(), *err = tmpfile();
	const char *argv[32] = {tool_path()};
	pid_t pid;
	int status;

	for (size_t i = 0; args[i]; i++)
		argv[i + 1] = args[i];
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(fileno(out), 1);
		dup2(fileno(err), 2);
		alarm(60);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(126);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	run.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	tool_slurp(out, run.out);
	tool_slurp(err, run.err);
	return &run;
}

#define RUN(...) tool_run((const char *const[]){__VA_ARGS__, NULL})

/* It refused: this status, one line on stderr with these words in it, nothing on stdout. */
static inline void tool_refused(const struct tool_run *run, int status, const char *words)
{
	const char *newline = strchr(run->err, '\n');

	if (run->status != status || !strstr(run->err, words))
		print_error("wanted %d, '%s'; got %d, %s", status, words, run->status, run->err);
	assert_int_equal(run->status, status);
	assert_non_null(strstr(run->err, words));
	assert_memory_equal(run->err, "ktstr-gdb: ", 11);
	assert_non_null(newline);
	assert_string_equal(newline, "\n");
	assert_string_equal(run->out, "");
}

#endif
