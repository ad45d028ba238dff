// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/gap.h"

#include "logparse/loader.h"

/* Instructions that may be left out of a log without a word: one that is wide counts as two. */
#define SMALL_GAP 3

bool kt_gap_before(const struct kt_gap *gap, const struct kt_event *ev)
{
	if (gap->elided)
		return true;
	return ev->kind == KT_EVENT_INSN && gap->next != KT_LINE_NO_INDEX &&
	       (ev->index < gap->next || ev->index - gap->next > SMALL_GAP);
}

void kt_gap_add(struct kt_gap *gap, const struct kt_event *ev)
{
	uint8_t class = ev->opcode & 7;

	switch (ev->kind) {
	case KT_EVENT_TEXT: gap->elided |= log_is_elision(ev->text); break;
	case KT_EVENT_INSN:
		gap->next = class != 5 && class != 6 && !ev->resumed ? ev->index + 1
								     : KT_LINE_NO_INDEX;
		break;
	case KT_EVENT_SOURCE:
	case KT_EVENT_PRECISION:
	case KT_EVENT_EXPLANATION:
	case KT_EVENT_STATS:
	case KT_EVENT_NOTE: break;
	default: gap->next = KT_LINE_NO_INDEX;
	}
}
