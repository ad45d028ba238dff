/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not a public header. What the slots of maps lead to: the programs of prog arrays, and the maps of
 * arrays of maps. Plain data.
 */
#ifndef KT_MODEL_SLOTS_H
#define KT_MODEL_SLOTS_H

#include "model/holders.h"

struct slot {
	uint32_t map_id, index;
	struct held_object to; /* a program or a map; id 0: it has none any more */
	bool known;            /* to.id is */
};

struct slots {
	struct slot *all; /* of those that are taken, by map and index */
	size_t n;
	size_t n_unreadable; /* maps and slots that could not be read, or are too many */
};

static inline void slots_deinit(struct slots *slots)
{
	free(slots->all);
	*slots = (struct slots){0};
}

#endif
