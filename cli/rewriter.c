// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/rewriter.h"

/* No more bytes of undecided lines are held, so that output does not wait for long. */
#define HELD_MAX 65536

static bool is_within(struct kt_text piece, struct kt_text text)
{
	return piece.data >= text.data && piece.data + piece.len <= text.data + text.len;
}

/* The first n bytes, which are taken off. */
static struct kt_text take(struct kt_text *rest, size_t n)
{
	struct kt_text first = {rest->data, n < rest->len ? n : rest->len};

	rest->data += first.len;
	rest->len -= first.len;
	return first;
}

/*
 * A sink for kt_rewrap: a piece of the input, or of a mark. In a piece of the input, all is around
 * lines but the text of the line at hand.
 */
static struct kt_error *paint(void *rewriter, struct kt_text piece)
{
	struct cli_rewriter *r = rewriter;
	struct kt_text text = r->painted;
	struct kt_error *err;

	if (!is_within(piece, r->input))
		return cli_writer_put_as(r->writer, piece, KT_ROLE_MARK);
	if (!text.len || piece.data + piece.len <= text.data || piece.data >= text.data + text.len)
		return cli_writer_put_as(r->writer, piece, KT_ROLE_ASIDE);
	err = piece.data < text.data
		      ? cli_writer_put_as(r->writer, take(&piece, (size_t)(text.data - piece.data)),
					  KT_ROLE_ASIDE)
		      : NULL;
	if (!err)
		err = cli_writer_put_as(r->writer,
					take(&piece, (size_t)(text.data + text.len - piece.data)),
					r->role);
	return err ? err : cli_writer_put_as(r->writer, piece, KT_ROLE_ASIDE);
}

static struct kt_error *put_line(struct cli_rewriter *r, struct kt_text line,
				 enum kt_line_role role)
{
	struct kt_text before, after;

	r->painted = kt_unwrapped_line(r->rewrap.unwrapped, line, &before, &after);
	r->role = role;
	return kt_rewrap_put(&r->rewrap, line);
}

static struct kt_error *release(struct cli_rewriter *r, enum kt_line_role role)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < r->held.len && !err; i++)
		err = put_line(r, r->held.data[i], role);
	r->held.len = 0;
	r->held_len = 0;
	return err;
}

static struct kt_error *hold(struct cli_rewriter *r, struct kt_text line)
{
	struct kt_error *err = NULL;

	if (r->held_len + line.len > HELD_MAX)
		err = release(r, KT_ROLE_PLAIN);
	r->held_len += line.len;
	if (!err && !kt_vec_push(&r->held, line))
		err = kt_error_no_memory();
	return err;
}

/* The line with its newline. */
static struct kt_text take_line(struct kt_text *rest)
{
	struct kt_text line = {rest->data, 0}, text;

	kt_text_next_line(rest, &text);
	line.len = (size_t)(rest->data - line.data);
	return line;
}

static struct kt_role role_of(struct cli_rewriter *r, struct kt_text line)
{
	bool newline = line.len && line.data[line.len - 1] == '\n';

	line.len -= newline;
	return kt_roles_next(&r->roles, line, !newline);
}

static struct kt_error *put_lines(struct cli_rewriter *r, struct kt_text lines)
{
	struct kt_error *err = NULL;

	while (lines.len && !err) {
		struct kt_text line = take_line(&lines);
		struct kt_role role = role_of(r, line);

		if (role.undecided) {
			err = hold(r, line);
			continue;
		}
		err = release(r, role.before);
		if (!err)
			err = put_line(r, line, role.role);
	}
	return err;
}

/* A mark, and what else is there of our own. */
static struct kt_error *put_mark(struct cli_rewriter *r, struct kt_text mark)
{
	struct kt_text rest = mark;
	struct kt_error *err = NULL;

	while (rest.len && !err) {
		struct kt_text line = take_line(&rest);

		if (line.len > 1)
			err = release(r, role_of(r, line).before);
	}
	return err ? err : kt_rewrap_put(&r->rewrap, mark);
}

void cli_rewriter_init(struct cli_rewriter *r, struct cli_writer *writer,
		       const struct kt_unwrapped *unwrapped, struct kt_text input, bool blocks)
{
	*r = (struct cli_rewriter){.writer = writer, .input = input};
	kt_roles_init(&r->roles, !blocks);
	if (writer->color)
		kt_rewrap_init(&r->rewrap, unwrapped, paint, r);
	else
		kt_rewrap_init(&r->rewrap, unwrapped, cli_writer_put, writer);
}

struct kt_error *cli_rewriter_put(void *rewriter, struct kt_text piece)
{
	struct cli_rewriter *r = rewriter;

	if (!r->writer->color)
		return kt_rewrap_put(&r->rewrap, piece);
	return is_within(piece, kt_unwrapped_text(r->rewrap.unwrapped)) ? put_lines(r, piece)
									: put_mark(r, piece);
}

struct kt_error *cli_rewriter_end(struct cli_rewriter *r)
{
	struct kt_error *err = release(r, kt_roles_end(&r->roles)), *end;

	end = kt_rewrap_end(&r->rewrap);
	kt_vec_free(&r->held);
	if (!err)
		return end;
	kt_error_destroy(end);
	return err;
}
