// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/near.h"

#include <string.h>

#include "util/buf.h"
#include "util/edits.h"

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How far apart two names are; more than max: too far. A name with a word more at one of its ends
 * ("scx_bpf_dsq_insert" and "scx_bpf_dsq_insert_vtime") is near.
 */
static size_t apart(const char *want, const char *name, size_t max)
{
	size_t a = strlen(want), b = strlen(name), shorter = min(a, b);

	if (a > KT_EDITS_NAME_MAX || b > KT_EDITS_NAME_MAX || !shorter)
		return max + 1;
	if (shorter >= 6 && !strncmp(want, name, shorter))
		return min(max, 1 + (a > b ? a - b : b - a) / 8);
	return kt_edits(want, a, name, b, max);
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
