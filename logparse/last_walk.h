/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a value came from, along the path. Internal to logparse/last_subject.c. */
#ifndef KT_LOGPARSE_LAST_WALK_H
#define KT_LOGPARSE_LAST_WALK_H

#include "logparse/last_path.h"

struct kt_last_query {
	uint32_t acquired; /* of a reference: the instruction that the message names, or NO_INDEX */
	size_t step;       /* the value just before this step of the path, + 1; 0: the last one */
	struct kt_text type; /* what the message says it is: "scalar", "inv", "map_value_or_null" */
	bool unreadable;     /* the message says that it has no value */

	/* Output: the register that was added to the address, by this step, + 1; or 0. */
	uint32_t operand;
	size_t operand_step;
};

/*
 * Walks back from the end of the path, to the value of the subject's kind and number, and to the
 * instructions that set it. The other members are output. Linear in the path.
 */
void kt_path_explain(const struct kt_path *path, const struct kt_path_sources *sources,
		     struct kt_last_query *query, struct kt_last_subject *subject);

#endif
