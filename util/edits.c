// SPDX-License-Identifier: LGPL-2.1-or-later
#include "util/edits.h"

#include <stdbool.h>
#include <string.h>

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t kt_edits(const char *a, size_t a_len, const char *b, size_t b_len, size_t max)
{
	size_t row[KT_EDITS_NAME_MAX + 1];

	if (a_len > KT_EDITS_NAME_MAX || b_len > KT_EDITS_NAME_MAX || a_len > b_len + max ||
	    b_len > a_len + max)
		return max + 1;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0], least = row[0] = i;

		for (size_t j = 1; j <= b_len; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = min(change, min(row[j], row[j - 1]) + 1);
			least = min(least, row[j]);
		}
		if (least > max)
			return max + 1;
	}
	return min(row[b_len], max + 1);
}

/* "jsno" and "json": two edits, and one slip. */
static bool is_swapped(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t at = 0;

	if (a_len != b_len)
		return false;
	while (at < a_len && a[at] == b[at])
		at++;
	return at + 1 < a_len && a[at] == b[at + 1] && a[at + 1] == b[at] &&
	       memcmp(a + at + 2, b + at + 2, a_len - at - 2) == 0;
}

/* "stak" of "stack_depth" */
static bool is_near_begin(const char *word, size_t len, const char *name)
{
	size_t begin = strcspn(name, "_-");

	return name[begin] && begin >= 4 && kt_edits(word, len, name, begin, 1) == 1;
}

void kt_nearest_try(struct kt_nearest *nearest, const char *word, size_t len, const char *name)
{
	size_t name_len = strlen(name), max = name_len < 6 ? (name_len + 1) / 3 : name_len / 3;
	size_t edits;
	bool near;

	if (is_swapped(word, len, name, name_len))
		edits = 1;
	else if (len >= 3 && len < name_len && strncmp(word, name, len) == 0)
		edits = 1;
	else
		edits = kt_edits(word, len, name, name_len, max);
	near = edits <= max || edits == 1;
	if (!near && is_near_begin(word, len, name)) {
		edits = 2;
		near = true;
	}
	if (near && len && (!nearest->name || edits < nearest->edits))
		*nearest = (struct kt_nearest){name, edits};
}
