/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of unknown origin in HTML and XML. Not a public header. */
#ifndef KT_RENDER_MARKUP_H
#define KT_RENDER_MARKUP_H

#include "logparse/text.h"
#include "util/buf.h"

/*
 * Appends text, so that it stands in an element or in a quoted attribute of HTML, and of XML 1.0.
 * What is not UTF-8 and control characters come out as "\xNN", and so do what turns the direction
 * of writing around ("\u202e") and the two that XML forbids. Line breaks and tabs stay where lines
 * is true.
 */
void render_append_markup(struct kt_buf *out, const char *text, bool lines);
void render_append_markup_slice(struct kt_buf *out, struct kt_text text, bool lines);

#endif
