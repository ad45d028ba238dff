/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads a verifier log as a walk over instructions, with branches put off and taken up again,
 * states pruned, and backtracking behind instructions. It yields events, one a line or one a group
 * of lines. Together they are the log, byte for byte. Nothing is copied. Formats of Linux 5.10 to
 * 7.3. A line that is not understood is KT_EVENT_TEXT, never an error.
 */
#ifndef KT_LOGPARSE_TRACE_H
#define KT_LOGPARSE_TRACE_H

#include <stdint.h>

#include "logparse/line.h"
#include "logparse/text.h"

enum kt_event_kind {
	KT_EVENT_TEXT,        /* a line of any other kind; errors are among them; or a blank one */
	KT_EVENT_INSN,        /* "7: (07) r1 += 3       ; R1_w=3": executed */
	KT_EVENT_SOURCE,      /* "; for (...) { @ good.bpf.c:37": of the instructions that follow */
	KT_EVENT_STATE,       /* "13: R0=scalar() R6=...", " R0_w=inv1 R10=fp0": as it is now */
	KT_EVENT_POP,         /* "from 44 to 34: R0=1": a branch that was put off is taken up */
	KT_EVENT_PRUNED,      /* "15: safe", "from 7 to 9: safe": nothing new from here on */
	KT_EVENT_PRECISION,   /* lines of precision tracking in a row, "mark_precise: ..." */
	KT_EVENT_CALL,        /* "caller:", its state, "callee:", its state: up to four lines */
	KT_EVENT_RETURN,      /* "returning from callee:", state, "to caller at 9:", state; and a
				 "from 44 to 9: ..." behind it, which is no branch */
	KT_EVENT_SUBPROG,     /* "Validating f() func#1...": f on its own from here on */
	KT_EVENT_TABLE,       /* rows in a row of what 6.16 and later print first: "func#1 @13",
				 "Live regs before insn:", "subprog#0: analyzing (depth 0)..." */
	KT_EVENT_NOTE,        /* "Func#1 ('f') is global and assumed valid.", "SCC enter (3)",
				 "reg type unsupported for arg#0 ...": no errors */
	KT_EVENT_EXPLANATION, /* "Verification failed: ..." to the end of its block; 7.3 */
	KT_EVENT_STATS,       /* "processed 8 insns ...", "verification time ...", ... */
};

/*
 * A source line. "; u32 k = 1;" is all that 6.1 prints, "; u32 k = 1; @ bad.bpf.c:40" is of 6.12
 * and later, ";  @ bad.bpf.c:0" a line that is unknown.
 */
struct kt_source_ref {
	struct kt_text text; /* without "; " and without the place; may be empty */
	struct kt_text file; /* empty where it is not known */
	uint32_t line;       /* from 1; 0 where it is not known */
};

struct kt_event {
	enum kt_event_kind kind;
	struct kt_text text; /* its lines, with the last one's newline if it has one */
	size_t line;         /* number of its first line, from 1 */
	size_t n_lines;

	uint32_t index; /* INSN, STATE, PRUNED: the instruction; POP: the one branched to; RETURN:
			   the one returned to; SUBPROG: the subprogram; or KT_LINE_NO_INDEX */
	uint32_t from;  /* POP, PRUNED: the instruction branched from; or KT_LINE_NO_INDEX */
	uint32_t frame; /* INSN: the call depth it is executed at; others: the depth behind them */

	/* INSN. State is also of STATE, POP, CALL (the callee's) and RETURN (the caller's). */
	uint8_t opcode;              /* "07" as a number; 0 of libbpf's "<invalid kfunc call>" */
	struct kt_text insn;         /* "(07) r1 += 3" */
	struct kt_text state;        /* registers behind the event, for kt_state_find(); or empty */
	struct kt_text message;      /* what is glued behind the instruction and is no state:
					"BPF program is too large. Processed 1000001 insn" */
	struct kt_text behind;       /* likewise a source line, of what follows: "; n++; @ a.c:4" */
	struct kt_source_ref source; /* of SOURCE itself; else the one in force */
	bool resumed;     /* INSN: at level 1 the log was taken back to here, and a branch that had
			     been put off is taken up. The state behind it, if any, is a whole one */
	bool speculative; /* POP: "from 3 to 5 (speculative execution): ..." */
};

struct kt_trace {
	struct kt_text rest; /* what has not been read */

	/* Private. */
	size_t line;
	uint32_t frame;
	uint32_t return_to;
	struct kt_source_ref source;
	struct kt_text line_text; /* the first line of rest, read before, and what it is */
	struct kt_line read;
	size_t line_size; /* with its newline; 0: not read yet */
	bool after_subprog;
};

/* Starts at the beginning of a log. Nothing to release. */
void kt_trace_init(struct kt_trace *trace, struct kt_text log);

/* The next event; false at the end. Time is linear over all calls. */
bool kt_trace_next(struct kt_trace *trace, struct kt_event *ret);

/* Reads a source line, "; text @ file.c:22". False: the line is none. */
bool kt_source_ref_read(struct kt_text line, struct kt_source_ref *ret);

/*
 * Of the first line of a log, which may lack its beginning (since 6.4): it looks as a source line
 * does, but is the end of an instruction's: "; 0xff)) R1=scalar(umax=255,var_off=(0x0; 0xff))".
 */
bool kt_source_line_is_rest(struct kt_text line);

#endif
