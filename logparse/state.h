/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Register state as the verifier prints it: which register, stack slot or list of references
 * has which value. Read on demand from a state text, which is a slice of a log line:
 *
 *	R1=ctx(id=0,off=0,imm=0) R0_w=invP(id=0,umax_value=7,var_off=(0x0; 0x7))    5.10
 *	frame1: R1_rw=Pscalar(umax=3,var_off=(0x0; 0x3)) R10=fp0 fp-304=mmmm????    6.1
 *	R0=ringbuf_mem_or_null(id=2,sz=8) fp-8=iter_num(id=1,state=active) refs=2,4 cb   7.3
 */
#ifndef KT_LOGPARSE_STATE_H
#define KT_LOGPARSE_STATE_H

#include <stdint.h>

#include "logparse/text.h"

enum kt_place {
	KT_PLACE_REG,  /* number: of the register */
	KT_PLACE_SLOT, /* number: the offset from the frame pointer, below 0, a multiple of 8 */
	KT_PLACE_REFS, /* the references held; the value is a list "2,4" */
	KT_PLACE_FLAG, /* a word of its own: "cb", "async_cb" */
};

struct kt_state_item {
	enum kt_place place;
	int32_t number;
	struct kt_text name;  /* "R0", "fp-8", "refs": without liveness */
	struct kt_text live;  /* "_rw" or empty: liveness marks, up to 6.17 */
	struct kt_text value; /* "scalar(umax=7,var_off=(0x0; 0x7))"; of a flag the flag itself */
};

struct kt_state_items {
	struct kt_text rest;
	uint32_t frame; /* of "frame1: "; 0 where the text names none */
};

/* Starts at the beginning of a state text, takes "frame1:" off it. Nothing to release. */
void kt_state_items_init(struct kt_state_items *it, struct kt_text state);

/* The next item; words that are none are passed over. Linear over all calls. */
bool kt_state_items_next(struct kt_state_items *it, struct kt_state_item *ret);

/*
 * The item of a register (number) or of the stack slot that holds byte `number` of the frame
 * (-4: fp-8) in a state text. False: the text does not name it.
 */
bool kt_state_find(struct kt_text state, enum kt_place place, int32_t number,
		   struct kt_state_item *ret);

/*
 * Is this register state, and no other text? True for what begins with "R0=", "R0_w=",
 * "fp-8=", "refs=", "cb" or "frame1:", blanks before it allowed.
 */
bool kt_state_is(struct kt_text text);

#endif
