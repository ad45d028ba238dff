// SPDX-License-Identifier: LGPL-2.1-or-later
#include "util/edits.h"

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
