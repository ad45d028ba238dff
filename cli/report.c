// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a person sees: errors, notes, results, progress. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "util/buf.h"
#include "util/clock.h"

/*
 * A message may quote a guest, a stub or a file: nothing of that may move the cursor or
 * break the line.
 */
static void put_clean(const char *text)
{
	for (const char *p = text; *p; p++)
		fputc((unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p, stderr);
}

int cli_fail(struct kt_error *err)
{
	int status = kt_error_code(err) == KT_ERROR_USAGE ? CLI_USAGE : CLI_CANNOT;
	const char *hint = kt_error_hint_text(err);

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
	/* A reader that has seen enough (`| head`) is no error worth a message. */
	if (errno == EPIPE)
		return CLI_CANNOT;
	return cli_fail(kt_error_os(errno, "cannot write the result to stdout"));
}

void cli_progress(const char *step)
{
	static bool shown, known, terminal;
	static int64_t since;
	static char current[128];

	if (!known) {
		terminal = isatty(STDERR_FILENO);
		known = true;
	}
	if (!terminal)
		return;
	if (!step) {
		if (shown)
			fputs("\r\033[K", stderr);
		shown = false;
		current[0] = '\0';
		return;
	}
	if (strncmp(step, current, sizeof(current) - 1) != 0) {
		if (!current[0])
			since = kt_now_ns();
		snprintf(current, sizeof(current), "%s", step);
	}
	if (kt_now_ns() - since < 1000000000)
		return;
	fprintf(stderr, "\r\033[K%s… %llds", current,
		(long long)((kt_now_ns() - since) / 1000000000));
	fflush(stderr);
	shown = true;
}

bool cli_color_on(enum cli_color color, FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");

	if (color != CLI_COLOR_AUTO)
		return color == CLI_COLOR_ALWAYS;
	return (!no_color || !no_color[0]) && isatty(fileno(stream));
}
