/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What registers and slots hold along a path, as far as the log says. Internal to
 * logparse/last_walk.c.
 */
#ifndef KT_LOGPARSE_LAST_PLACE_H
#define KT_LOGPARSE_LAST_PLACE_H

#include "logparse/last_path.h"
#include "logparse/op.h"
#include "logparse/state.h"

/* A register or some bytes of the stack, of one frame. */
struct kt_path_place {
	enum kt_place kind; /* KT_PLACE_REG or KT_PLACE_SLOT */
	int32_t number;     /* as in state.h; of a slot its lowest byte */
	uint32_t size;      /* of a slot, in bytes */
	uint32_t frame;
};

struct kt_path_value {
	const struct kt_path *path;
	struct kt_path_place place;
	size_t step;  /* before this one */
	size_t begin; /* where the search begins, at most the number of steps */
	size_t max;   /* at most so many steps are looked at */
};

/* Steps that a search that is done for each of many steps looks at. */
#define KT_PATH_NEAR 64

/* Does the state of the step say what the place holds? */
bool kt_path_state_at(const struct kt_path *path, size_t step, const struct kt_path_place *place,
		      struct kt_text *ret);

/*
 * What the place holds just before a step: by the last state at its depth that names it, unless
 * it was set behind that. A state behind the last instruction, which 5.10 prints before the error,
 * is from before it. False: the log does not say.
 */
bool kt_path_find_value(const struct kt_path_value *find, struct kt_text *ret);

/* What the place holds behind a step. */
bool kt_path_value_behind(const struct kt_path *path, size_t step,
			  const struct kt_path_place *place, struct kt_text *ret);

/* The bytes of the stack that a load or store at this step is about. False: other memory. */
bool kt_path_stack_of(const struct kt_path *path, size_t step, const struct kt_op *op,
		      struct kt_path_place *ret);

/* May a call write the slot? One of its arguments is a pointer to the stack at or below it. */
bool kt_path_call_gets(const struct kt_path *path, size_t step, const struct kt_path_place *slot);

#endif
