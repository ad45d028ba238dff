// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "memory/seen.h"

static size_t slot_of(const struct seen *seen, gaddr_t addr)
{
	/* No guest knows where this is, so none can choose addresses that all want one slot. */
	uint64_t mixed = (addr ^ (uintptr_t)seen) * UINT64_C(0x9e3779b97f4a7c15);
	size_t slot = (size_t)(mixed >> 32);

	for (;; slot++) {
		slot &= seen->size - 1;
		if (!seen->slots[slot] || seen->slots[slot] == addr)
			return slot;
	}
}

static bool grow(struct seen *seen)
{
	struct seen old = *seen;

	seen->size = old.size ? 2 * old.size : 64;
	seen->slots = calloc(seen->size, sizeof(*seen->slots));
	if (!seen->slots) {
		*seen = old;
		return false;
	}
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i])
			seen->slots[slot_of(seen, old.slots[i])] = old.slots[i];
	free(old.slots);
	return true;
}

struct kt_error *seen_add(struct seen *seen, gaddr_t addr, bool *new_ret)
{
	size_t slot;

	if (2 * (seen->n + 1) > seen->size && !grow(seen))
		return kt_error_no_memory();
	slot = slot_of(seen, addr);
	*new_ret = !seen->slots[slot];
	seen->n += *new_ret;
	seen->slots[slot] = addr;
	return NULL;
}

void seen_deinit(struct seen *seen)
{
	free(seen->slots);
	*seen = (struct seen){0};
}
