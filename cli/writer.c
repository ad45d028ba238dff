// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "cli/pager.h"
#include "cli/writer.h"
#include "render/text.h"

/* A piece of this size is written from where it is; a smaller one is copied to the buffer. */
#define DIRECT 16384

/* A longer line is written in parts, and no more bytes of undecided lines are held. */
#define HELD_MAX 65536

/*
 * The text may be a mapped file, whose pages go when somebody truncates the file. write(2) then
 * fails with EFAULT. To read the byte is a SIGBUS, whose handler in cli/input.c puts a page there.
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
	[KT_ROLE_PLAIN] = "",        [KT_ROLE_MARK] = "\033[36m",   [KT_ROLE_SOURCE] = "\033[32m",
	[KT_ROLE_ASIDE] = "\033[2m", [KT_ROLE_HEADING] = "\033[1m", [KT_ROLE_ERROR] = "\033[1;31m",
};
#define STYLE_OFF "\033[0m"

/* Shows a line, or a part of one: its colour is switched on at its beginning, off at its end. */
static struct kt_error *show(struct cli_writer *w, struct kt_text text, enum kt_line_role role,
			     bool begins, bool ends)
{
	bool colored = role != KT_ROLE_PLAIN;

	w->shown.len = 0;
	if (begins && colored)
		kt_buf_appends(&w->shown, style_on[role]);
	render_append_visible_bytes(&w->shown, text.data, text.len, true);
	if (ends && colored)
		kt_buf_appends(&w->shown, STYLE_OFF);
	if (kt_buf_failed(&w->shown))
		return kt_error_no_memory();
	return put_bytes(w, w->shown.data ? w->shown.data : "", w->shown.len);
}

/* Shows a whole line; newline: it has one. */
static struct kt_error *show_line(struct cli_writer *w, struct kt_text line, enum kt_line_role role,
				  bool newline)
{
	struct kt_error *err;

	if (newline && line.len && line.data[line.len - 1] == '\r')
		line.len--;
	err = show(w, line, line.len ? role : KT_ROLE_PLAIN, true, true);
	return err || !newline ? err : put_bytes(w, "\n", 1);
}

/* Shows the lines that were held. */
static struct kt_error *release(struct cli_writer *w, enum kt_line_role role)
{
	struct kt_text rest = {w->held.data, w->held.len}, line;
	struct kt_error *err = NULL;

	while (!err && kt_text_next_line(&rest, &line))
		err = show_line(w, line, role, true);
	w->held.len = 0;
	return err;
}

/* Holds a line until a later one tells its role. */
static struct kt_error *hold(struct cli_writer *w, struct kt_text line)
{
	struct kt_error *err = NULL;

	if (w->held.len + line.len >= HELD_MAX)
		err = release(w, KT_ROLE_PLAIN);
	kt_buf_append(&w->held, line.data, line.len);
	kt_buf_appendc(&w->held, '\n');
	if (!err && kt_buf_failed(&w->held))
		err = kt_error_no_memory();
	return err;
}

static struct kt_error *color_line(struct cli_writer *w, struct kt_text line, bool newline)
{
	struct kt_error *err = NULL;
	struct kt_role role;

	if (w->about) {
		bool first = !w->begun && line.len;

		w->begun |= first;
		return show_line(w, line, kt_last_line_role(line, first), newline);
	}
	role = kt_roles_next(&w->roles, line, !newline);
	if (role.undecided)
		return hold(w, line);
	if (w->held.len)
		err = release(w, role.before);
	return err ? err : show_line(w, line, role.role, newline);
}

static struct kt_error *put_line(struct cli_writer *w, struct kt_text line, bool newline)
{
	struct kt_error *err;

	if (!w->inside)
		return w->color ? color_line(w, line, newline)
				: show_line(w, line, KT_ROLE_PLAIN, newline);
	w->inside = false;
	if (newline && line.len && line.data[line.len - 1] == '\r')
		line.len--;
	err = show(w, line, w->role, false, true);
	return err || !newline ? err : put_bytes(w, "\n", 1);
}

/* How much of a part of a line can go out: no half character at its end, and no CR of a CRLF. */
static size_t whole_characters(const char *data, size_t len)
{
	size_t back = 1;

	if (data[len - 1] == '\r')
		return len - 1;
	while (back < 4 && back < len && ((unsigned char)data[len - back] & 0xc0) == 0x80)
		back++;
	return (unsigned char)data[len - back] >= 0xc0 ? len - back : len;
}

/* The line buffer is full: its content goes out, and the line goes on. */
static struct kt_error *put_part(struct cli_writer *w)
{
	struct kt_text part = {w->line.data, whole_characters(w->line.data, w->line.len)};
	struct kt_error *err = NULL;

	if (!w->inside) {
		w->role = w->color ? kt_roles_next_part(&w->roles, part) : KT_ROLE_PLAIN;
		err = w->held.len ? release(w, KT_ROLE_PLAIN) : NULL;
	}
	if (!err)
		err = show(w, part, w->role, !w->inside, false);
	w->inside = true;
	kt_buf_consume(&w->line, part.len);
	return err;
}

/* Moves bytes from *rest to the line in the buffer: up to its end, or as many as fit. */
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

/* A long line goes out in parts. */
static struct kt_error *show_parts(struct cli_writer *w, struct kt_text line,
				   enum kt_line_role role, bool newline)
{
	struct kt_error *err = NULL;

	while (!err && line.len > HELD_MAX) {
		struct kt_text part = {line.data, whole_characters(line.data, HELD_MAX)};

		err = show(w, part, role, true, true);
		line.data += part.len;
		line.len -= part.len;
	}
	return err ? err : show_line(w, line, role, newline);
}

struct kt_error *cli_writer_put_as(struct cli_writer *w, struct kt_text piece,
				   enum kt_line_role role)
{
	struct kt_error *err = NULL;
	struct kt_text line;

	while (!err && kt_text_next_line(&piece, &line))
		err = show_parts(w, line, role, line.data + line.len < piece.data);
	return err;
}

void cli_writer_begin(struct cli_writer *w, bool blocks)
{
	kt_roles_init(&w->roles, !blocks);
	w->begun = false;
}

struct kt_error *cli_writer_end(struct cli_writer *w)
{
	struct kt_text line = {w->line.data, w->line.len};
	struct kt_error *err = NULL;

	if (line.len || w->inside)
		err = put_line(w, line, false);
	if (!err && w->held.len)
		err = release(w, kt_roles_end(&w->roles));
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
