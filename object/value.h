/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts as values: numbers, characters, strings. Knows nothing of types. Internal to object/. */
#ifndef KT_OBJECT_VALUE_H
#define KT_OBJECT_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

/* An integer of either sign: of negative ones magnitude is the absolute value. */
struct value_int {
	bool negative;
	uint64_t magnitude;
};

enum value_read { VALUE_OK, VALUE_NO_NUMBER, VALUE_TOO_LARGE };

/* "5", "-5", "+5", "0x1f", "017", "'c'", "'\n'". */
enum value_read value_read_int(const char *text, struct value_int *ret);

/*
 * The integer in two's complement of size bytes (1, 2, 4, 8), or false if it does not fit, signed
 * or not.
 */
bool value_fits(const struct value_int *value, unsigned size, bool is_signed, uint64_t *ret);

/* "text" as C has it, with its quotes, appended without them. False: a quote or an escape is wrong.
 */
bool value_unquote(const char *text, struct kt_buf *out);

#endif
