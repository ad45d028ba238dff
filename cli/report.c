// SPDX-License-Identifier: LGPL-2.1-or-later
/* Prints errors, notes, results and progress. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "render/text.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/io.h"

/*
 * Prints a message, which may quote a guest, a stub or a file. Control characters in it must not
 * move the cursor or break the line.
 */
static void put_clean(const char *text)
{
	struct kt_buf clean = KT_BUF_INIT;

	render_append_visible(&clean, text, false);
	fputs(clean.data && !clean.failed ? clean.data : "", stderr);
	kt_buf_deinit(&clean);
}

/* For cli_last_error(): the error itself is gone once it is printed. */
static char last_error[1024];

const char *cli_last_error(void)
{
	return last_error;
}

int cli_fail(struct kt_error *err)
{
	int status = kt_error_code(err) == KT_ERROR_USAGE ? CLI_USAGE : CLI_CANNOT;
	const char *hint = kt_error_hint_text(err);

	snprintf(last_error, sizeof(last_error), "%s%s%s", kt_error_message(err), hint ? "; " : "",
		 hint ? hint : "");
	cli_progress(NULL);
	fputs("ktstr-gdb: ", stderr);
	put_clean(kt_error_message(err));
	if (hint) {
		fputs("; ", stderr);
		put_clean(hint);
	}
	fputc('\n', stderr);
	kt_error_destroy(err);
	return status;
}

void cli_note(const char *fmt, ...)
{
	struct kt_buf text = KT_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	kt_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	cli_progress(NULL);
	fputs("ktstr-gdb: ", stderr);
	put_clean(text.data ? text.data : "");
	fputc('\n', stderr);
	kt_buf_deinit(&text);
}

int cli_print(const char *text)
{
	cli_progress(NULL);
	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return CLI_DONE;
	/* The reader of a pipe has gone (`| head`), which needs no message. */
	if (errno == EPIPE)
		return CLI_CANNOT;
	return cli_fail(kt_error_os(errno, "cannot write the result to stdout"));
}

/*
 * A thread draws the progress line, so that the work itself need not call anything. The lock
 * protects all members.
 */
static struct {
	pthread_mutex_t lock;
	bool started, terminal, shown;
	char step[256]; /* what is shown; "": nothing */
	int64_t since_ns;
} progress = {.lock = PTHREAD_MUTEX_INITIALIZER};

#define PROGRESS_AFTER_NS 1000000000
#define PROGRESS_EVERY_US 200000

#define DEFAULT_WIDTH 80 /* columns; of a terminal that does not tell, and of a pipe */

/* Columns of the terminal that fd is; 0: it is none, or does not tell. */
static size_t width_of(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

/*
 * One line of the terminal at most: what is longer would scroll each time that it is drawn. The
 * last column stays free, since some terminals begin a new line once it is taken.
 */
static void progress_draw(void)
{
	int64_t ns = kt_now_ns() - progress.since_ns;
	size_t width = width_of(STDERR_FILENO), room;
	struct kt_buf clean = KT_BUF_INIT, line = KT_BUF_INIT;
	char end[32];

	if (!progress.step[0] || ns < PROGRESS_AFTER_NS)
		return;
	width = width ? width : DEFAULT_WIDTH;
	room = (size_t)snprintf(end, sizeof(end), "... %llds", (long long)(ns / 1000000000)) + 1;
	render_append_visible(&clean, progress.step, false); /* it may name a guest's program */
	if (clean.data)
		render_append_fitting(&line, clean.data, width > room ? width - room : 0);
	if (!line.failed && !clean.failed)
		fprintf(stderr, "\r\033[K%s%s", line.data ? line.data : "",
			width > room ? end : "");
	fflush(stderr);
	progress.shown = true;
	kt_buf_deinit(&line);
	kt_buf_deinit(&clean);
}

static void *progress_thread(void *arg)
{
	for (;;) {
		usleep(PROGRESS_EVERY_US);
		pthread_mutex_lock(&progress.lock);
		progress_draw();
		pthread_mutex_unlock(&progress.lock);
	}
	return arg;
}

/* Blocks signals in the thread: they have to end the waits of the main thread. */
static void progress_start(void)
{
	sigset_t all, before;
	pthread_t thread;

	progress.started = true;
	progress.terminal = isatty(STDERR_FILENO);
	if (!progress.terminal)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	if (pthread_create(&thread, NULL, progress_thread, NULL) == 0)
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void cli_progress(const char *step)
{
	pthread_mutex_lock(&progress.lock);
	if (step && !progress.started)
		progress_start();
	if (!step && progress.shown) {
		fputs("\r\033[K", stderr);
		progress.shown = false;
	}
	if (progress.terminal) {
		if (!progress.step[0])
			progress.since_ns = kt_now_ns();
		snprintf(progress.step, sizeof(progress.step), "%s", step ? step : "");
	}
	pthread_mutex_unlock(&progress.lock);
}

bool cli_color_on(enum cli_color color, FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");

	if (color != CLI_COLOR_AUTO)
		return color == CLI_COLOR_ALWAYS;
	return (!no_color || !no_color[0]) && isatty(fileno(stream));
}

size_t cli_terminal_width(void)
{
	return width_of(STDOUT_FILENO);
}

size_t cli_table_width(void)
{
	size_t width = cli_terminal_width();

	return width ? width : DEFAULT_WIDTH;
}

struct kt_error *cli_replace_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (stat(path, &st) || S_ISREG(st.st_mode))
		return kt_replace_file(path, text, strlen(text), 0644, false);
	/* /dev/stdout or a FIFO is written to as it is. */
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? kt_error_os(errno, "cannot open it") : kt_write_all(fd, text, strlen(text));
}
