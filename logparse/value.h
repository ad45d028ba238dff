/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a register or stack slot holds, by the text of logparse/state.h or the name of a type in a
 * message. Linux 4.9 to 7.3.
 */
#ifndef KT_LOGPARSE_VALUE_H
#define KT_LOGPARSE_VALUE_H

#include <stdint.h>

#include "logparse/text.h"

/* Ordered by what a program may do with it. */
enum kt_value_rank {
	KT_VALUE_NONE,      /* no text, or a register that may not be read */
	KT_VALUE_SCALAR,    /* "scalar(umax=7)", "inv(id=0)", "7", "P0", "mmmm????" */
	KT_VALUE_UNTRUSTED, /* "untrusted_ptr_task_struct()" */
	KT_VALUE_POINTER,   /* "map_value(ks=4,vs=8)", "fp-8", "iter_num(id=1,state=active)" */
};

enum kt_value_rank kt_value_rank(struct kt_text value);

/* A number: "7", "-300", "0x3f", "inv5", "invP0", "P3". */
bool kt_value_is_const(struct kt_text value, int64_t *ret);

/*
 * The bounds of a scalar or of a pointer's variable offset. The number itself for a constant.
 * False: the text has no such bound, which may then be any.
 */
bool kt_value_max(struct kt_text value, uint64_t *ret);
bool kt_value_min(struct kt_text value, int64_t *ret);

/* The number of the reference that it holds, "ptr_task_struct(ref_obj_id=2)"; 0: none is named. */
uint32_t kt_value_ref(struct kt_text value);

/* Its "id=3", which its copies share; 0: none is printed. */
uint32_t kt_value_id(struct kt_text value);

/* "map_value" of "map_value(ks=4,vs=8)": the name of its type. */
struct kt_text kt_value_type(struct kt_text value);

#endif
