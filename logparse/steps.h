/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the verifier knew at each step. A log says it in parts: all registers where a branch is
 * taken up or a function is entered, and behind an instruction those that it touched. Here the
 * parts are put together, along the path that leads to the step:
 *
 *	0: R1=ctx() R10=fp0
 *	0: (b7) r6 = 0                        ; R6=0
 *	1: (7b) *(u64 *)(r10 -8) = r6         ; R6=0 R10=fp0 fp-8=0		R1, too, is as it
 *was 2: (85) call bpf_get_prandom_u32#7    ; R0=scalar()			R1 is gone 3: (15)
 *if r0 == 0x0 goto pc+2        ; R0=scalar() 4: (bf) r6 = r0                       ;
 *R0=scalar(id=1) R6=scalar(id=1)
 *	...
 *	from 3 to 6: R0=0 R6=0 R10=fp0 fp-8=0					behind step 3, not
 *										the line above
 *
 * So each step follows on another, and differs from it by its changes. It is no emulation: a
 * register that the log does not name keeps its value, also where the kernel knows more by then
 * (another register with the same `id=` was tested).
 */
#ifndef KT_LOGPARSE_STEPS_H
#define KT_LOGPARSE_STEPS_H

#include <stdint.h>

#include "logparse/state.h"
#include "logparse/trace.h"
#include "util/error.h"

#define KT_STEP_NONE   UINT32_MAX
#define KT_STEP_FRAMES 16   /* the kernel allows 8; deeper ones are passed over */
#define KT_STEP_STACK  8000 /* bytes of a frame; the kernel allows 512 */

enum kt_change_how {
	KT_CHANGE_SET,   /* the step gave it this value */
	KT_CHANGE_SHOWN, /* the log says now that it has this value: more is known of it */
	KT_CHANGE_LOST,  /* the step gave it a value, and the log does not say which; no value */
	KT_CHANGE_GONE,  /* it has no value any more */
};

struct kt_change {
	enum kt_change_how how;
	uint32_t frame;
	enum kt_place place;
	int32_t number;       /* as in struct kt_state_item; 0 of REFS and FLAG */
	struct kt_text value; /* of the log or of kt_steps, as long as these last; empty: none */
};

struct kt_step {
	uint32_t number; /* from 0, in the order of the log */
	uint32_t before; /* the step that it follows on; KT_STEP_NONE: on nothing */
	uint32_t frame;  /* there are frames 0 to this one; what was in deeper ones is gone */

	/* What is other than before; good until the next call. */
	const struct kt_change *changes;
	size_t n_changes;
};

struct kt_steps;

/* Starts at the beginning of a log, which has to stay. Errors: KT_ERROR_NO_MEMORY. */
struct kt_error *kt_steps_create(struct kt_text log, struct kt_steps **ret);
void kt_steps_destroy(struct kt_steps *steps);

static inline void kt_steps_destroyp(struct kt_steps **steps)
{
	kt_steps_destroy(*steps);
}

/*
 * The next event of the log; its *step.number is KT_STEP_NONE if nothing that is known of registers
 * can have changed. *more: false at the end, and then nothing is set. Time is linear over all
 * calls; memory is that of the path at hand, at most some 100 MB. Errors: KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_steps_next(struct kt_steps *steps, struct kt_event *ev, struct kt_step *step,
			       bool *more);

/*
 * All that is known behind the step at hand, as changes of nothing: *step is that step, without
 * one before it. Good until the next call. Errors: KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_steps_whole(struct kt_steps *steps, struct kt_step *step);

/*
 * The value at the step at hand, of a register, slot, references or flags. Empty: there is none, or
 * the log does not say.
 */
struct kt_text kt_steps_value(const struct kt_steps *steps, uint32_t frame, enum kt_place place,
			      int32_t number);

#endif
