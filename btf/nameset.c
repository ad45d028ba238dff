// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "btf/nameset.h"

bool nameset_init(struct nameset *set, size_t capacity)
{
	size_t slots = 16;

	/* Mostly empty, so that nearly every miss is one look at one slot. */
	while (slots < capacity * 8)
		slots *= 2;
	*set = (struct nameset){.mask = slots - 1};
	set->names = calloc(capacity ? capacity : 1, sizeof(*set->names));
	set->slots = calloc(slots, sizeof(*set->slots));
	if (set->names && set->slots)
		return true;
	nameset_deinit(set);
	return false;
}

void nameset_deinit(struct nameset *set)
{
	free(set->names);
	free(set->slots);
	*set = (struct nameset){0};
}

/* The slot of the name, or the free one where it belongs. */
static uint32_t *slot_of(const struct nameset *set, const char *name, size_t len)
{
	size_t i = (size_t)XXH3_64bits(name, len) & set->mask;

	for (;; i = (i + 1) & set->mask) {
		uint32_t *slot = &set->slots[i];
		const char *have = *slot ? set->names[*slot - 1] : NULL;

		if (!have || (!strncmp(have, name, len) && !have[len]))
			return slot;
	}
}

size_t nameset_add(struct nameset *set, const char *name)
{
	uint32_t *slot = slot_of(set, name, strlen(name));

	if (!*slot) {
		set->names[set->n] = name;
		*slot = (uint32_t)++set->n;
	}
	return *slot - 1;
}

ptrdiff_t nameset_find(const struct nameset *set, const char *name, size_t len)
{
	return (ptrdiff_t)*slot_of(set, name, len) - 1;
}
