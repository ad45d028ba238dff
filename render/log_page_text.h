/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts of a log on their way into a page. Not a public header. */
#ifndef KT_RENDER_LOG_PAGE_TEXT_H
#define KT_RENDER_LOG_PAGE_TEXT_H

#include <stdint.h>

#include "logparse/text.h"
#include "util/buf.h"
#include "util/vec.h"

struct log_page_string {
	struct kt_text text; /* a slice of the log */
	uint32_t next;       /* of the same hash, + 1 */
	uint32_t hash;
	uint32_t insn, source; /* for the user: + 1; 0: none */
};

/* Texts, each once, by number. */
struct log_page_strings {
	KT_VEC(struct log_page_string) all;
	uint32_t *heads; /* by hash, + 1 */
	size_t n_heads;  /* a power of 2 */
};

/* The number of a text, which has to stay where it is. False: no memory. */
bool log_page_intern(struct log_page_strings *strings, struct kt_text text, uint32_t *ret);
void log_page_strings_deinit(struct log_page_strings *strings);

/*
 * Appends text as a string of JSON that may stand in a <script>: no "<" in it. What could not be
 * seen, or turns the direction of writing around, is spelled out ("\x1b"); so are bytes that are
 * not UTF-8. Of text longer than 4096 bytes the beginning.
 */
void log_page_append_string(struct kt_buf *out, struct kt_text text);

/* Likewise all of a text. */
void log_page_append_lines(struct kt_buf *out, struct kt_text text);

#endif
