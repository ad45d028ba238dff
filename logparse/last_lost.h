/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that take the type of a value that the program still has: of packet pointers, because
 * the call may move the packet; of what it releases; of what was good inside an RCU or lock
 * section, which it ends. The value is a scalar or nothing from there on, and the log does not
 * say so. Internal to logparse/.
 */
#ifndef KT_LOGPARSE_LAST_LOST_H
#define KT_LOGPARSE_LAST_LOST_H

#include "logparse/last_place.h"
#include "logparse/op.h"
#include "logparse/value.h"

enum {                       /* what a call may take */
       KT_TAKES_PACKET = 1,  /* pointers into the packet, slices of a dynptr of it */
       KT_TAKES_OBJECT = 2,  /* what it is given: a reference that it releases */
       KT_TAKES_SECTION = 4, /* what is good inside an RCU or lock section */
};

/* What a call of this name may take. Empty: a function of the program. */
unsigned kt_lost_takes(struct kt_text name);

#define KT_LOST_CALLS 16

struct kt_lost_call {
	size_t step;
	size_t position;            /* how many steps of the explanation come before it */
	struct kt_path_place place; /* where the value was then */
};

/* What a walk back knows of the type. Zeroed: nothing. */
struct kt_lost {
	bool over;  /* the type cannot have been taken before here */
	bool known; /* `now` is known: */
	enum kt_value_rank now;
	size_t n; /* calls passed since; the oldest of them are kept: */
	struct kt_lost_call calls[KT_LOST_CALLS];
};

/* The walk passes a call. */
void kt_lost_pass(struct kt_lost *lost, const struct kt_lost_call *call);

/*
 * The walk sees the value. If it was more than it is now, then the answer is the call that took
 * it, or NULL where that cannot be told; lost->over is set in either case.
 */
const struct kt_lost_call *kt_lost_see(struct kt_lost *lost, const struct kt_path *path,
				       struct kt_text value);

/*
 * The walk ends at the instruction that set the value, and no state told its type. The answer is
 * the call that took it, if what the instruction reads can only have been a packet pointer, or
 * if the call releases this very value. NULL: there is none.
 */
const struct kt_lost_call *kt_lost_guess(struct kt_lost *lost, const struct kt_path *path,
					 const struct kt_op *set_by);

#endif
