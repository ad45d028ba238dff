/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the verifier got to where it is: the instructions from the entry of the program to the
 * present one. A branch that is taken up leads back to its jump; what was executed behind
 * that jump belongs to another path. Branches are taken up last one first, so the jump is the
 * last one of its index of which no branch has been taken up. But a jump puts off nothing when
 * the verifier knows where it goes, which is not printed: so the constants in registers, which
 * are, must be those that the branch goes on with. Internal to logparse/.
 */
#ifndef KT_LOGPARSE_LAST_PATH_H
#define KT_LOGPARSE_LAST_PATH_H

#include "logparse/insn.h"
#include "logparse/last_result.h"
#include "util/vec.h"

enum {                         /* flags of a step */
       KT_STEP_STATE = 1,      /* no instruction: a state that was printed by itself */
       KT_STEP_TAKEN = 2,      /* its branch has been taken up */
       KT_STEP_MULTI = 4,      /* it has any number of branches: gotox */
       KT_STEP_WHOLE = 8,      /* the state has all registers that have a value */
       KT_STEP_NO_SOURCE = 16, /* its source line is gone from the log */
};

#define KT_STEP_CALL_DEFS KT_INSN_CALL_SETS

/* A step of the path. */
struct kt_path_step {
	uint64_t offset; /* in the log, of the instruction's line or of a state text */
	uint64_t consts; /* what is in the registers before it, KT_PATH_CONST_BITS each */
	uint32_t index;
	uint16_t defs; /* bit N: rN is set */
	uint8_t frame; /* at most 255; real ones are below 8 */
	uint8_t flags;
};

#define KT_PATH_CONST_BITS 6 /* 0: not known, else a number modulo 63, plus 1 */

struct kt_path {
	struct kt_text log;
	bool branches;   /* it may show where branches are taken up; then consts are kept */
	uint64_t consts; /* as in a step, now */
	KT_VEC(struct kt_path_step) steps;
	size_t n_insns; /* of the steps, and of those before them that were forgotten */
	bool whole;     /* the first step is where the (sub)program was entered */
	bool global;    /* ... which was a global function, by itself */
	bool inside;    /* it began inside a function, and no state has told yet at which depth */
	bool over;      /* the last event was the end of a path: an exit, or "safe" */
	bool no_source; /* the source lines of instructions that are added now are not known */

	/* The event added last takes up a branch without saying so, as 5.10 does. */
	bool implied;
	uint32_t from; /* the jump, or KT_LINE_NO_INDEX */
};

/* Where the source line of an instruction was printed: offsets in the log, + 1, by index. */
struct kt_path_sources {
	struct kt_text log;
	KT_VEC(uint64_t) by_index;
	uint64_t since; /* those below are of a log before this one */
};

/* The first `what` in text, which may be empty and have no data; or NULL. */
static inline const char *kt_path_find(struct kt_text text, const char *what)
{
	return text.len ? memmem(text.data, text.len, what, strlen(what)) : NULL;
}

/* A path through log, without steps. kt_path_deinit() releases it. */
void kt_path_init(struct kt_path *path, struct kt_text log);
void kt_path_deinit(struct kt_path *path);

/* Forgets all steps. whole: the next event is the entry of a (sub)program. */
void kt_path_restart(struct kt_path *path, bool whole, bool global);

/*
 * Takes in an event of the log. Linear over all calls: each step is added and removed once;
 * at most 2^20 steps are kept, the latest. False: no memory.
 */
bool kt_path_add(struct kt_path *path, const struct kt_event *ev);

/*
 * Goes on at the instruction `to`, where a branch was put off that was not said to be taken up.
 * Returns its jump. NO_INDEX: there is none, and the path is as it was. state may be empty.
 */
uint32_t kt_path_resume(struct kt_path *path, uint32_t to, struct kt_text state);

/* The source line at offset was printed for an instruction. False: no memory. */
bool kt_path_sources_add(struct kt_path_sources *sources, uint32_t index, size_t offset);

/* Was a source line printed right before the instruction? */
bool kt_path_has_source(const struct kt_path_sources *sources, uint32_t index);

/* The source line of an instruction; empty where it is not known. */
struct kt_source_ref kt_path_source(const struct kt_path_sources *sources, uint32_t index);

/* Reads the line of a step anew; of a state ret->state is all that is set. */
void kt_path_read_step(const struct kt_path *path, const struct kt_path_step *step,
		       struct kt_event *ret);

/* A step that is an instruction. */
struct kt_last_insn kt_path_insn(const struct kt_path *path, const struct kt_path_sources *sources,
				 const struct kt_path_step *step);

/* The last instruction of the path (of this index, if it is not KT_LINE_NO_INDEX). */
bool kt_path_last(const struct kt_path *path, const struct kt_path_sources *sources, uint32_t index,
		  struct kt_last_insn *ret);

/* Where the line of the last instruction of this index is in the log. False: there is none. */
bool kt_path_find_last(const struct kt_path *path, uint32_t index, size_t *ret);

#endif
