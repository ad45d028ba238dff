/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One wrapping of a text: which bytes of it each line inside is made from. Not a public header. */
#ifndef KT_LOGPARSE_UNWRAP_LAYER_H
#define KT_LOGPARSE_UNWRAP_LAYER_H

#include <stdint.h>

#include "logparse/text.h"
#include "util/vec.h"

/* How the bytes of a line stand in the wrapping. */
enum wrap_code {
	WRAP_PLAIN,    /* nothing is around them; any number of lines in one wrap_line */
	WRAP_VERBATIM, /* behind the prefix */
	WRAP_ESCAPED,  /* "\n", "\"", "\t", "\u003e", "\x1b", "\u{1b}": JSON, Go, Rust, Python */
	WRAP_OCTAL,    /* "#012", "#011": rsyslog */
	WRAP_QUOTED_PRINTABLE,
	WRAP_COLORED, /* with escape sequences of a terminal */
};

struct wrap_line {
	uint64_t inner;  /* where the line begins inside */
	uint64_t outer;  /* where what it is made from begins */
	uint32_t prefix; /* bytes there before its text */
	uint8_t code;
};

struct wrap_layer {
	struct kt_text outer;
	char *inner; /* each line with a newline, but for the last where `outer` has none */
	size_t inner_len;
	enum { WRAP_NOT_KNOWN, WRAP_YES, WRAP_NO } lists; /* `outer` has listings of the kernel's */
	KT_VEC(struct wrap_line) lines;
};

#define WRAP_MAX_LAYERS 6

struct kt_unwrapped {
	struct wrap_layer layers[WRAP_MAX_LAYERS]; /* the outermost first */
	size_t n;
};

/*
 * Decodes one unit of code at p: its bytes go to out (at most 4), their number to *n, which may be
 * 0. Returns behind it. p < end.
 */
const char *wrap_decode(enum wrap_code code, const char *p, const char *end, char *out, size_t *n);

/* The bytes that a decoder of code has to look at; all others stand for themselves. */
char wrap_special(enum wrap_code code);

/* The line that an offset of the inner text is in. */
const struct wrap_line *wrap_line_at(const struct wrap_layer *layer, uint64_t inner);

/* What a line is made from: to the beginning of the next line. */
struct kt_text wrap_line_outer(const struct wrap_layer *layer, const struct wrap_line *line);

#endif
