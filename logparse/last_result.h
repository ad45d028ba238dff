/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What leads to the error of a verifier log, as logparse/last.h finds it: plain data. */
#ifndef KT_LOGPARSE_LAST_RESULT_H
#define KT_LOGPARSE_LAST_RESULT_H

#include <stdint.h>

#include "logparse/loader.h"
#include "logparse/stats.h"
#include "logparse/trace.h"

enum kt_last_outcome {
	KT_LAST_PASSED, /* statistics, and no error before them: nothing failed */
	KT_LAST_FAILED, /* there is an error */
	KT_LAST_CUT,    /* the log ends before the error, if there was one: up to 6.3 a log that
			   overflows its buffer keeps its head */
	KT_LAST_EMPTY,  /* no verifier log at all */
};

/* The kind of error, which decides what is shown. */
enum kt_last_class {
	KT_LAST_INSN,    /* of one instruction, which `at` is */
	KT_LAST_BUDGET,  /* too many instructions or jumps: no instruction is wrong by itself */
	KT_LAST_LOOP,    /* "infinite loop detected at insn 36" */
	KT_LAST_PROGRAM, /* of the program as a whole: "combined stack size of 2 calls is 736" */
	KT_LAST_FLOW,    /* found before anything was executed: "unreachable insn 2" */
	KT_LAST_UNSAID,  /* it failed, as its loader or its statistics say; the log has no error */
};

/* Before 6.4 a kernel keeps the beginning of a log that does not fit, and since then its end. */
enum kt_last_age {
	KT_LAST_AGE_UNKNOWN,
	KT_LAST_BEFORE_6_4,
	KT_LAST_SINCE_6_4,
};

/* An instruction in the log; index is KT_LINE_NO_INDEX where there is none. */
struct kt_last_insn {
	uint32_t index;
	uint32_t frame;
	struct kt_text insn;         /* "(61) r1 = *(u32 *)(r0 +0)"; empty: it was not printed */
	struct kt_text line;         /* the log line it is in, without its newline; or empty */
	struct kt_source_ref source; /* text and line are empty where it is not known */
};

enum kt_last_how {
	KT_LAST_SET,      /* the instruction gives it a value of its own */
	KT_LAST_ALTERED,  /* the instruction alters it ("r6 += r2"); the next step is about `reg` */
	KT_LAST_COPIED,   /* it is a copy of `reg`, which the next step is about */
	KT_LAST_FILLED,   /* it is read from the stack, `slot`, which the next step is about */
	KT_LAST_SPILLED,  /* a slot: `reg` is stored there, which the next step is about */
	KT_LAST_RESULT,   /* r0 of a call of a helper or of a global function */
	KT_LAST_CLOBBER,  /* r1 to r5 behind a call: gone */
	KT_LAST_ARGUMENT, /* handed over by a call; the next step is about the same in the caller */
	KT_LAST_RETURNED, /* r0 of a callee, that this exit hands over; likewise */
	KT_LAST_ACQUIRED, /* a reference: the call that took it */
	KT_LAST_LOST,     /* the call took its type: `was` before, a scalar or nothing since; or the
			     store did, over the dynptr that it is a slice of */
};

struct kt_last_step {
	enum kt_last_how how;
	uint32_t reg;   /* ALTERED, COPIED, SPILLED, ARGUMENT, RETURNED: the register of the next
			   step; else 0 */
	int32_t slot;   /* FILLED: the slot of the next step; else 0 */
	uint32_t frame; /* the frame of that register or slot */
	uint32_t times; /* how often the path has this instruction do it, as a loop does; from 1 */
	bool unbounds;  /* ALTERED, FILLED: it takes a bound: the number was good as a size, and now
			   may be  negative or too large */
	struct kt_text value; /* what the instruction leaves; empty: not in the log */
	struct kt_last_insn insn;
};

/* Is the next step about another register or slot than this one, or about what it was altered from?
 */
static inline bool kt_last_goes_on(const struct kt_last_step *step)
{
	return step->how == KT_LAST_ALTERED || step->how == KT_LAST_COPIED ||
	       step->how == KT_LAST_FILLED || step->how == KT_LAST_SPILLED ||
	       step->how == KT_LAST_ARGUMENT || step->how == KT_LAST_RETURNED;
}

enum kt_last_origin {
	KT_LAST_ORIGIN_FOUND, /* the last step is where it was set */
	KT_LAST_ORIGIN_ENTRY, /* nothing sets it: it is as it was when the program (or a global
				 function) was entered */
	KT_LAST_ORIGIN_NEVER, /* likewise, and then it has no value at all */
	KT_LAST_ORIGIN_GONE,  /* set before what there is of the log */
};

enum kt_last_subject_kind {
	KT_LAST_SUBJECT_REG,  /* number: 0 to 10 */
	KT_LAST_SUBJECT_SLOT, /* number: offset from the frame pointer in bytes, below 0 */
	KT_LAST_SUBJECT_REF,  /* number: its id */
};

enum kt_last_role {
	KT_LAST_ROLE_NONE,
	KT_LAST_ROLE_SIZE,   /* the size of the access, which a helper takes in this register */
	KT_LAST_ROLE_OFFSET, /* it was added to the address: by the instruction `before` */
};

enum kt_last_value_from {
	KT_LAST_FROM_STATE,   /* the log prints it */
	KT_LAST_FROM_INSN,    /* it is the constant of the instruction that sets it */
	KT_LAST_FROM_MESSAGE, /* the error says its type, and no more */
};

#define KT_LAST_MAX_STEPS    16
#define KT_LAST_MAX_SUBJECTS 5

/*
 * A register, slot or reference that the message names; if it names none, an instruction's
 * register. Behind them those with a role, which no message names.
 */
struct kt_last_subject {
	enum kt_last_subject_kind kind;
	enum kt_last_role role;
	int32_t number;
	uint32_t frame;
	uint32_t before; /* the instruction before which it has this value: the one that failed, or
			    that which added the offset; or KT_LINE_NO_INDEX */
	bool named;      /* by the message */
	struct kt_text value; /* "map_value_or_null(id=1,map=arr,ks=4,vs=32)", just before that
				 instruction; empty: not in the log. Of a reference the register
				 or slot that holds it, "R0=ringbuf_mem(id=2,sz=8)" */
	enum kt_last_value_from value_from;
	bool unreadable;    /* the message says that it has no value */
	struct kt_text was; /* what it was before its type was taken from it; or empty */
	enum kt_last_origin origin;
	size_t n_steps;  /* the latest first; copies, spills and alterations are followed */
	size_t left_out; /* steps that there was no room for, before the last one */
	struct kt_last_step steps[KT_LAST_MAX_STEPS];
};

struct kt_log_last {
	enum kt_last_outcome outcome;
	enum kt_last_class class;

	/* FAILED. */
	struct kt_text error;       /* all lines of the message, without the last newline */
	struct kt_text headline;    /* the first of them, or the one that says most */
	struct kt_text explanation; /* 7.3: "Verification failed: ..." to "Suggestion:", verbatim,
				       without the last newline; or empty */
	struct kt_text error_more;  /* lines about it behind the explanation; or empty */
	struct kt_last_insn at;     /* where it failed; CUT: the last one that was executed */
	size_t n_subjects;
	struct kt_last_subject subjects[KT_LAST_MAX_SUBJECTS];

	/*
	 * FAILED and CUT. The path is a slice of the log: the instructions since the last branch
	 * was taken up, or else since the start. KT_LAST_LOOP: since the instruction was executed
	 * the last time. KT_LAST_BUDGET and CUT: all since the start of the (sub)program, with
	 * other paths in between. KT_LAST_PROGRAM: empty.
	 */
	struct kt_text path;
	size_t path_line;    /* the number of its first line in the log, from 1 */
	size_t path_insns;   /* instructions in it */
	size_t path_before;  /* instructions that lead to it, in the log */
	bool gap;            /* lines of the log are missing before it, or before the error */
	bool path_loops;     /* it is a loop: it leads from `at` to `at` */
	bool path_branched;  /* it begins with a branch: */
	uint32_t path_from;  /* this instruction */
	uint32_t path_to;    /* goes on at this one */
	struct kt_text func; /* "glob_bad": the function that was validated by itself; or empty */

	struct kt_text stats;                 /* the lines of statistics; or empty */
	struct kt_verifier_stats stat_values; /* what they say */

	bool cut_front;       /* the log lacks its beginning: since 6.4 it keeps its tail */
	bool cut_end;         /* it has no statistics at its end */
	enum kt_last_age age; /* of the kernel, by the log's format; only where it is cut */

	struct kt_loader_words loader; /* said around the log; of kt_log_find_last_of() */
};

#endif
