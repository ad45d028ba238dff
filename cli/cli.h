/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every command needs: exit status, messages, the terminal, signals. Only this room prints,
 * and only it chooses an exit status.
 *
 * By topic: cli/options.h, options that commands share; cli/session.h, a running guest to read;
 * cli/boot.h, a guest to boot; cli/show.h, results on the terminal.
 */
#ifndef KT_CLI_CLI_H
#define KT_CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "util/error.h"

enum cli_status {
	CLI_DONE = 0,
	CLI_TEST_FAILED = 1, /* what was tested failed */
	CLI_USAGE = 2,
	CLI_CANNOT = 3, /* it could not be done */
};

/* --- messages: cli/report.c --- */

/* Prints the error as one line, destroys it, and returns the exit status that it means. */
int cli_fail(struct kt_error *err);

/* The message that cli_fail() printed last; "" if there was none. */
const char *cli_last_error(void);

/* A line on stderr, "ktstr-gdb: …", for what is no error. */
void cli_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints a result; CLI_DONE, or CLI_CANNOT when stdout takes no more. */
int cli_print(const char *text);

/*
 * The progress line, on a terminal only: a step that lasts longer than a second is shown,
 * and goes away when the next output comes. NULL ends it.
 */
void cli_progress(const char *step);

/*
 * Writes a file in place of one that was there: a reader finds the old one or the new one, whole.
 * A path that is no regular file (/dev/stdout) is written to as it is. KT_ERROR_OS.
 */
struct kt_error *cli_replace_file(const char *path, const char *text);

/* --- the terminal: cli/report.c --- */

enum cli_color { CLI_COLOR_AUTO, CLI_COLOR_ALWAYS, CLI_COLOR_NEVER };
bool cli_color_on(enum cli_color color, FILE *stream);

/* Width of the terminal that stdout is, in columns; 0: stdout is no terminal. */
size_t cli_terminal_width(void);

/* The same for a table that fits somehow without losing much: 80 where stdout is no terminal. */
size_t cli_table_width(void);

/* --- signals: cli/signals.c --- */

/*
 * Becomes readable with the first SIGINT, SIGTERM or SIGHUP, and stays so: whoever waits gives up,
 * cleans up and says so. The first call installs the handlers.
 */
int cli_cancel_fd(void);

/* Sleeps until the time is over, or a signal asks to stop: then true. */
bool cli_sleep_ms(int ms);

#endif
