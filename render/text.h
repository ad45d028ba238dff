/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of unknown origin: a guest's names and logs, on their way to a terminal or a document. */
#ifndef KT_RENDER_TEXT_H
#define KT_RENDER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

/* The length of the valid UTF-8 sequence (RFC 3629) at p, which ends in a NUL; 0 for none. */
size_t render_utf8_length(const char *p);

/*
 * Appends the text. Control characters (C1 ones, too) and bytes that are not UTF-8 are shown as
 * "\xNN", as libsmartcols does in a table. lines: line breaks and tabs stay.
 */
void render_append_visible(struct kt_buf *buf, const char *text, bool lines);

/* The same for len bytes, which may hold NULs ("\x00"). Fast for plain text. */
void render_append_visible_bytes(struct kt_buf *buf, const char *data, size_t len, bool lines);

#define RENDER_TRIAL_CROSS "\xe2\x9c\x97" /* of a program that was not taken */

/* Columns that a terminal needs for len bytes of a line; a byte that is no text of this locale: 1.
 */
size_t render_text_width(const char *line, size_t len);

/* Appends as much of a line as fits in width columns; what is longer ends in "..". */
void render_append_fitting(struct kt_buf *buf, const char *line, size_t width);

/*
 * Appends a line that is broken at blanks, so that no more than width columns are used, unless a
 * word is longer. All lines but the first begin with indent. No line break is added at the end.
 */
void render_append_wrapped(struct kt_buf *buf, const char *line, size_t width, const char *indent);

/* Appends a field of CSV: with a quote, a comma or a line break it stands in quotes (RFC 4180). */
void render_append_csv(struct kt_buf *buf, const char *field);

#endif
