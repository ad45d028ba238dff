// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "cli/pager.h"
#include "cli/writer.h"
#include "logparse/line.h"
#include "render/text.h"

/* Pieces from here on are not copied, but written from where they are. */
#define DIRECT 16384

/* Longer lines are written in parts, and more lines are not waited with. */
#define HELD_MAX 65536

/*
 * The text may be a file's mapping, whose pages are gone when someone truncates the file: where
 * write(2) says EFAULT, a look at the byte makes the handler in cli/input.c put a page there.
 */
static void touch(const char *data)
{
	(void)*(const volatile char *)data;
}

static struct kt_error *write_all(struct cli_writer *w, const char *data, size_t len)
{
	size_t fault = len;

	if (w->pager && len) {
		w->pager = false;
		w->paged = cli_pager_start();
	}
	while (len) {
		ssize_t n = write(STDOUT_FILENO, data, len);
		struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT};

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			poll(&wait, 1, -1);
		} else if (errno == EFAULT && fault >= len) {
			fault = len - 1; /* once for each place */
			touch(data);
		} else if (errno != EINTR) {
			return kt_error_os(errno, "cannot write the result to stdout");
		}
	}
	return NULL;
}

struct kt_error *cli_writer_flush(struct cli_writer *w)
{
	size_t len = w->len;

	w->len = 0;
	return write_all(w, w->buf, len);
}

static struct kt_error *put_bytes(struct cli_writer *w, const char *data, size_t len)
{
	struct kt_error *err;

	if (len > sizeof(w->buf) - w->len || len >= DIRECT) {
		err = cli_writer_flush(w);
		if (err || len >= DIRECT)
			return err ? err : write_all(w, data, len);
	}
	if (len)
		memcpy(w->buf + w->len, data, len);
	w->len += len;
	return NULL;
}

static const char *const style_on[] = {
	[CLI_STYLE_PLAIN] = "",          [CLI_STYLE_MARK] = "\033[36m",
	[CLI_STYLE_SOURCE] = "\033[32m", [CLI_STYLE_FAINT] = "\033[2m",
	[CLI_STYLE_HEAD] = "\033[1m",    [CLI_STYLE_ERROR] = "\033[1;31m",
};
#define STYLE_OFF "\033[0m"

/* A line, or a part of one: where it begins its style is switched on, where it ends off. */
static struct kt_error *show(struct cli_writer *w, struct kt_text text, enum cli_writer_style style,
			     bool begins, bool ends)
{
	bool styled = style != CLI_STYLE_PLAIN;

	w->shown.len = 0;
	if (begins && styled)
		kt_buf_appends(&w->shown, style_on[style]);
	render_append_visible_bytes(&w->shown, text.data, text.len, true);
	if (ends && styled)
		kt_buf_appends(&w->shown, STYLE_OFF);
	if (kt_buf_failed(&w->shown))
		return kt_error_no_memory();
	return put_bytes(w, w->shown.data ? w->shown.data : "", w->shown.len);
}

/* A whole line, of which newline tells whether it has one. */
static struct kt_error *show_line(struct cli_writer *w, struct kt_text line,
				  enum cli_writer_style style, bool newline)
{
	struct kt_error *err;

	if (newline && line.len && line.data[line.len - 1] == '\r')
		line.len--;
	err = show(w, line, style, true, true);
	return err || !newline ? err : put_bytes(w, "\n", 1);
}

static bool has(struct kt_text line, struct kt_text words)
{
	return line.len >= words.len && memmem(line.data, line.len, words.data, words.len);
}

/* The lines that were waited with. */
static struct kt_error *release(struct cli_writer *w, enum cli_writer_style style)
{
	struct kt_text rest = {w->held.data, w->held.len}, line;
	struct kt_error *err = NULL;

	while (!err && kt_text_next_line(&rest, &line))
		err = show_line(w, line, line.len ? style : CLI_STYLE_PLAIN, true);
	w->held.len = 0;
	return err;
}

/* The statistics, which are the last lines of a log; logparse/stats.h quotes them. */
static bool is_stats(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("processed ")) ||
	       kt_text_starts_with(line, KT_TEXT("verification time ")) ||
	       kt_text_starts_with(line, KT_TEXT("stack depth ")) ||
	       kt_text_starts_with(line, KT_TEXT("insns processed "));
}

static bool is_mark(struct kt_text line)
{
	return line.len >= 8 && memcmp(line.data, "--- ", 4) == 0 &&
	       memcmp(line.data + line.len - 4, " ---", 4) == 0;
}

/*
 * The error that stands behind an instruction:
 *	8: (ad) if r3 < r2 goto pc-3 BPF program is too large. Processed 1000001 insn
 */
static bool has_error(struct kt_text line)
{
	return has(line, KT_TEXT(" BPF program is too large. "));
}

/*
 * Of the 7.3 kernel's explanation, which begins with "Verification failed: CLASS: HEADLINE": its
 * headings ("Reason:", "At:"), and where it points to: "  >>> 53 |   v[i] = 1;", "|  ^-- error: …".
 */
static enum cli_writer_style explanation_style(struct kt_text line)
{
	if (line.len && line.data[0] != ' ' && line.data[line.len - 1] == ':')
		return CLI_STYLE_HEAD;
	if (has(line, KT_TEXT("^-- error: ")))
		return CLI_STYLE_ERROR;
	return kt_text_starts_with(line, KT_TEXT("  >>> ")) ? CLI_STYLE_HEAD : CLI_STYLE_PLAIN;
}

static enum cli_writer_style kind_style(enum kt_line_kind kind)
{
	switch (kind) {
	case KT_LINE_SOURCE: return CLI_STYLE_SOURCE;
	case KT_LINE_PRECISION:
	case KT_LINE_TABLE:
	case KT_LINE_NOTE: return CLI_STYLE_FAINT;
	default: return CLI_STYLE_PLAIN;
	}
}

/* A line that is not waited with. What was waited with is the error, or is not: of `before`. */
static struct kt_error *decided(struct cli_writer *w, enum cli_writer_style before,
				struct kt_text line, enum cli_writer_style style, bool newline)
{
	struct kt_error *err = w->held.len ? release(w, before) : NULL;

	return err ? err : show_line(w, line, style, newline);
}

/* Text of which what follows tells whether it is the error: statistics, or the log goes on. */
static struct kt_error *undecided(struct cli_writer *w, struct kt_text line)
{
	struct kt_error *err = w->held.len + line.len < HELD_MAX ? NULL
								 : release(w, CLI_STYLE_PLAIN);

	kt_buf_append(&w->held, line.data, line.len);
	kt_buf_appendc(&w->held, '\n');
	if (!err && kt_buf_failed(&w->held))
		err = kt_error_no_memory();
	return err;
}

/* Not what any text might have in it by chance. */
static bool is_trace(enum kt_line_kind kind)
{
	return kind == KT_LINE_INSN || kind == KT_LINE_STATE || kind == KT_LINE_POP ||
	       kind == KT_LINE_SAFE || kind == KT_LINE_PRECISION;
}

/* Of text that the end of everything follows: the error, if this is a log at all. */
static enum cli_writer_style end_style(const struct cli_writer *w)
{
	return w->in_log && w->seen_log ? CLI_STYLE_ERROR : CLI_STYLE_PLAIN;
}

/*
 * Of the text that render/log_last.h makes, which begins with the name and the error, and has
 * source lines and the kernel's explanation in it.
 */
static enum cli_writer_style about_style(struct cli_writer *w, struct kt_text line)
{
	struct kt_text rest = line;
	bool first = !w->explaining && line.len;

	w->explaining |= first;
	while (rest.len && rest.data[0] == ' ') {
		rest.data++;
		rest.len--;
	}
	if (first || is_stats(rest))
		return CLI_STYLE_HEAD;
	if (kt_text_starts_with(rest, KT_TEXT("; ")))
		return CLI_STYLE_SOURCE;
	if (kt_text_starts_with(line, KT_TEXT("Verification failed: ")))
		return CLI_STYLE_ERROR;
	return is_mark(rest) ? CLI_STYLE_MARK : explanation_style(line);
}

static struct kt_error *color_line(struct cli_writer *w, struct kt_text line, bool newline)
{
	struct kt_line read;

	if (w->about)
		return show_line(w, line, about_style(w, line), newline);
	if (is_mark(line))
		return decided(w, CLI_STYLE_PLAIN, line, CLI_STYLE_MARK, newline);
	if (w->blocks && has(line, KT_TEXT(" LOG --"))) {
		enum cli_writer_style before = end_style(w);

		w->in_log = w->seen_log = has(line, KT_TEXT("-- BEGIN "));
		w->explaining = false;
		return decided(w, before, line, CLI_STYLE_PLAIN, newline);
	}
	if (!w->in_log)
		return decided(w, CLI_STYLE_PLAIN, line, CLI_STYLE_PLAIN, newline);
	if (is_stats(line)) {
		w->explaining = false;
		return decided(w, CLI_STYLE_ERROR, line, CLI_STYLE_HEAD, newline);
	}
	if (kt_text_starts_with(line, KT_TEXT("Verification failed: "))) {
		w->explaining = true;
		return decided(w, CLI_STYLE_ERROR, line, CLI_STYLE_ERROR, newline);
	}
	if (w->explaining)
		return decided(w, CLI_STYLE_ERROR, line, explanation_style(line), newline);
	kt_line_read(line, &read);
	if (read.kind == KT_LINE_TEXT && newline)
		return undecided(w, line);
	if (read.kind == KT_LINE_BLANK && newline && w->held.len)
		return undecided(w, line);
	/* Text at the very end without a newline is where a log was cut, or its error. */
	if (read.kind == KT_LINE_TEXT)
		return decided(w, end_style(w), line, end_style(w), newline);
	w->seen_log |= is_trace(read.kind);
	return decided(w, CLI_STYLE_PLAIN, line,
		       has_error(line) ? CLI_STYLE_ERROR : kind_style(read.kind), newline);
}

static struct kt_error *put_line(struct cli_writer *w, struct kt_text line, bool newline)
{
	struct kt_error *err;

	if (!w->inside)
		return w->color ? color_line(w, line, newline)
				: show_line(w, line, CLI_STYLE_PLAIN, newline);
	w->inside = false;
	if (newline && line.len && line.data[line.len - 1] == '\r')
		line.len--;
	err = show(w, line, w->style, false, true);
	return err || !newline ? err : put_bytes(w, "\n", 1);
}

/* How much of a part of a line can go out: not half a character, nor the CR of a CRLF. */
static size_t whole_characters(const char *data, size_t len)
{
	size_t back = 1;

	if (data[len - 1] == '\r')
		return len - 1;
	while (back < 4 && back < len && ((unsigned char)data[len - back] & 0xc0) == 0x80)
		back++;
	return (unsigned char)data[len - back] >= 0xc0 ? len - back : len;
}

/* The line buffer is full: what is in it goes out, and the line goes on. */
static struct kt_error *put_part(struct cli_writer *w)
{
	struct kt_text part = {w->line.data, whole_characters(w->line.data, w->line.len)};
	struct kt_error *err = NULL;
	struct kt_line read;

	if (!w->inside) {
		kt_line_read(part, &read);
		w->style = w->color && w->in_log ? kind_style(read.kind) : CLI_STYLE_PLAIN;
		err = w->held.len ? release(w, CLI_STYLE_PLAIN) : NULL;
	}
	if (!err)
		err = show(w, part, w->style, !w->inside, false);
	w->inside = true;
	kt_buf_consume(&w->line, part.len);
	return err;
}

/* Takes from *rest what completes the line in the buffer, or as much as fits there. */
static struct kt_error *continue_line(struct cli_writer *w, struct kt_text *rest)
{
	size_t room = HELD_MAX - w->line.len, n = rest->len < room ? rest->len : room;
	const char *newline = memchr(rest->data, '\n', n);
	struct kt_error *err = NULL;

	if (newline)
		n = (size_t)(newline - rest->data);
	kt_buf_append(&w->line, rest->data, n);
	if (kt_buf_failed(&w->line))
		return kt_error_no_memory();
	if (newline) {
		err = put_line(w, (struct kt_text){w->line.data, w->line.len}, true);
		w->line.len = 0;
		n++;
	} else if (w->line.len == HELD_MAX) {
		err = put_part(w);
	}
	rest->data += n;
	rest->len -= n;
	return err;
}

struct kt_error *cli_writer_put(void *writer, struct kt_text piece)
{
	struct cli_writer *w = writer;
	struct kt_error *err = NULL;

	if (!w->visible)
		return put_bytes(w, piece.data, piece.len);
	while (piece.len && !err) {
		const char *newline = NULL;
		size_t n = piece.len < HELD_MAX ? piece.len : HELD_MAX;

		if (!w->line.len && !w->inside)
			newline = memchr(piece.data, '\n', n);
		if (!newline) {
			err = continue_line(w, &piece);
			continue;
		}
		n = (size_t)(newline - piece.data);
		err = put_line(w, (struct kt_text){piece.data, n}, true);
		piece.data += n + 1;
		piece.len -= n + 1;
	}
	return err;
}

void cli_writer_begin(struct cli_writer *w, bool blocks)
{
	w->blocks = blocks;
	w->in_log = !blocks;
	w->seen_log = false;
	w->explaining = false;
}

struct kt_error *cli_writer_end(struct cli_writer *w)
{
	struct kt_text line = {w->line.data, w->line.len};
	struct kt_error *err = NULL;

	if (line.len || w->inside)
		err = put_line(w, line, false);
	if (!err && w->held.len)
		err = release(w, end_style(w));
	w->line.len = 0;
	w->inside = false;
	return err;
}

void cli_writer_deinit(struct cli_writer *w)
{
	kt_buf_deinit(&w->line);
	kt_buf_deinit(&w->held);
	kt_buf_deinit(&w->shown);
}
