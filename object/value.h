/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts as values: numbers, characters, strings. Knows nothing of types. Internal to object/. */
#ifndef KT_OBJECT_VALUE_H
#define KT_OBJECT_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

typedef unsigned __int128 value_uint; /* of the widest integer that C has */

/* An integer of either sign: of negative ones magnitude is the absolute value. */
struct value_int {
	bool negative;
	value_uint magnitude;
};

enum value_read { VALUE_OK, VALUE_NO_NUMBER, VALUE_TOO_LARGE };

/* "5", "-5", "+5", "0x1f", "017", "'c'", "'\n'". */
enum value_read value_read_int(const char *text, struct value_int *ret);

/* The largest integer of so many bits (1 to 128), signed or not. */
value_uint value_max(unsigned bits, bool is_signed);

/* The integer in two's complement of so many bits, or false if it does not fit, signed or not. */
bool value_fits(const struct value_int *value, unsigned bits, bool is_signed, value_uint *ret);

/* Appends it in decimal. */
void value_print(value_uint value, struct kt_buf *out);

/* "text" as C has it, with its quotes, appended without them. False: a quote or an escape is wrong.
 */
bool value_unquote(const char *text, struct kt_buf *out);

#endif
