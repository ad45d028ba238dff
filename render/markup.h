/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of unknown origin in HTML and XML. Not a public header. */
#ifndef KT_RENDER_MARKUP_H
#define KT_RENDER_MARKUP_H

#include "logparse/text.h"
#include "util/buf.h"

/*
 * Appends text for an element or a quoted attribute of HTML or XML 1.0. Control characters and
 * bytes that are not UTF-8 come out as "\xNN"; characters that turn the direction of writing
 * around, and the two that XML forbids, as "\u202e". lines: line breaks and tabs stay.
 */
void render_append_markup(struct kt_buf *out, const char *text, bool lines);
void render_append_markup_slice(struct kt_buf *out, struct kt_text text, bool lines);

#endif
