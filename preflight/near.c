// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/near.h"

#include <string.h>

#include "util/buf.h"

/* Longer names are like no other. */
#define MAX_LEN 96

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, or more than max. Both names have MAX_LEN bytes at most. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len, size_t max)
{
	size_t row[MAX_LEN + 1];

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
	return row[b_len];
}

/*
 * How far apart two names are; more than max: too far. A name with a word more at one of its ends
 * ("scx_bpf_dsq_insert" and "scx_bpf_dsq_insert_vtime") is near.
 */
static size_t apart(const char *want, const char *name, size_t max)
{
	size_t a = strlen(want), b = strlen(name), shorter = min(a, b);

	if (a > MAX_LEN || b > MAX_LEN || !shorter)
		return max + 1;
	if (shorter >= 6 && !strncmp(want, name, shorter))
		return min(max, 1 + (a > b ? a - b : b - a) / 8);
	if (a > b + max || b > a + max)
		return max + 1;
	return distance(want, a, name, b, max);
}

/* Ties by name, so that the order of types in a kernel does not matter. */
static bool is_behind(const struct pf_near_name *known, const char *name, size_t d)
{
	return known->distance > d || (known->distance == d && strcmp(known->name, name) > 0);
}

void pf_near_offer(struct pf_near *near, const char *name)
{
	size_t max = strlen(near->want) / 4 + 1, d = apart(near->want, name, max), i;

	if (d > max || !d)
		return;
	for (i = 0; i < near->n; i++)
		if (!strcmp(near->best[i].name, name))
			return;
	for (i = near->n; i && is_behind(&near->best[i - 1], name, d); i--)
		if (i < PF_NEAR_MAX)
			near->best[i] = near->best[i - 1];
	if (i == PF_NEAR_MAX)
		return;
	near->best[i].name = name;
	near->best[i].distance = d;
	near->n += near->n < PF_NEAR_MAX;
}

char *pf_near_text(const struct pf_near *near)
{
	struct kt_buf text = KT_BUF_INIT;

	if (!near->n)
		return NULL;
	for (size_t i = 0; i < near->n; i++)
		kt_buf_printf(&text, "%s%s", i ? ", " : "near it: ", near->best[i].name);
	return kt_buf_steal(&text);
}
