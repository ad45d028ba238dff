// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "model/map_dump.h"

static bool append(void *to, const void *from, size_t had, size_t more)
{
	char *p = realloc(*(void **)to, had + more + 1);

	if (!p)
		return false;
	if (more)
		memcpy(p + had, from, more);
	*(void **)to = p;
	return true;
}

bool map_dump_append(struct map_dump *to, struct map_dump *part)
{
	size_t value = to->n_values * to->value_len;
	bool ok = part->map.id == to->map.id && part->key_len == to->key_len &&
		  part->n_values == to->n_values && part->value_len == to->value_len &&
		  append(&to->keys, part->keys, to->n * to->key_len, part->n * to->key_len) &&
		  append(&to->values, part->values, to->n * value, part->n * value) &&
		  part->n_facts == to->n_facts &&
		  append(&to->states, part->states, to->n, part->n) &&
		  append(&to->facts, part->facts, to->n * to->n_facts * sizeof(*to->facts),
			 part->n * to->n_facts * sizeof(*to->facts));

	if (ok) {
		to->n += part->n;
		to->n_unreadable += part->n_unreadable;
		to->next = part->next;
		to->done = part->done;
	}
	map_dump_deinit(part);
	return ok;
}
