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
	KT_LAST_SET,      /* the instruction gives it a value of its own, or alters it */
	KT_LAST_COPIED,   /* it is a copy of `reg`, which the next step is about */
	KT_LAST_RESULT,   /* r0 of a call of a helper or of a global function */
	KT_LAST_CLOBBER,  /* r1 to r5 behind a call: gone */
	KT_LAST_ARGUMENT, /* handed over by a call; the next step is about the same in the caller */
	KT_LAST_RETURNED, /* r0 of a callee, that this exit hands over; likewise */
	KT_LAST_ACQUIRED, /* a reference: the call that took it */
};

struct kt_last_step {
	enum kt_last_how how;
	uint32_t reg;   /* COPIED, ARGUMENT, RETURNED: the register of the next step; else 0 */
	uint32_t frame; /* the frame of that register */
	struct kt_last_insn insn;
};

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

#define KT_LAST_MAX_STEPS    8
#define KT_LAST_MAX_SUBJECTS 3

/*
 * A register, slot or reference that the message names; if it names none, an instruction's
 * register.
 */
struct kt_last_subject {
	enum kt_last_subject_kind kind;
	int32_t number;
	uint32_t frame;
	bool named;           /* by the message */
	struct kt_text value; /* "map_value_or_null(id=1,map=arr,ks=4,vs=32)", just before the
				 instruction that failed; empty: not in the log. Of a reference
				 the register or slot that holds it, "R0=ringbuf_mem(id=2,sz=8)" */
	enum kt_last_origin origin;
	size_t n_steps; /* the latest first; copies are followed */
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
