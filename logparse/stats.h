/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The statistics at the end of a verifier log:
 *
 *	verification time 1234 usec
 *	stack depth 8+0+0 max 16
 *	processed 136 insns (limit 1000000) max_states_per_insn 1 total_states 9
 *		peak_states 9 mark_read 3		(in one line)
 *
 * How they drift: Linux 5.2 to 7.3 have the "processed" line; 6.18 and later print
 * mark_read as 0; 7.2 adds "max 16" behind the stack depths and a line
 * "insns processed 14+122"; 7.3 has "stack depth max 16" without depths and a line for
 * each subprogram, "subprog 1 (glob_fn) global insns_self 122 insns_total 122 stack 0".
 * Time and stack are there only with bit 4 of the log level.
 */
#ifndef KT_LOGPARSE_STATS_H
#define KT_LOGPARSE_STATS_H

#include <stdint.h>

#include "logparse/text.h"

/* VerifierStats. A number that is not in the log: its `has` is false, its value is 0. */
enum kt_stat {
	KT_STAT_PROCESSED, /* instructions processed; equals verified_insns */
	KT_STAT_LIMIT,     /* instructions at which the verifier gives up */
	KT_STAT_MAX_STATES_PER_INSN,
	KT_STAT_TOTAL_STATES,
	KT_STAT_PEAK_STATES,
	KT_STAT_MARK_READ, /* longest chain of mark_reg_read() */
	KT_STAT_TIME,      /* microseconds */
	KT_STAT_STACK_MAX, /* bytes; since 7.2 */
	KT_N_STATS,
};

#define KT_STACK_DEPTHS_MAX 256 /* BPF_MAX_SUBPROGS */

struct kt_verifier_stats {
	bool has[KT_N_STATS];
	uint64_t value[KT_N_STATS];

	struct kt_text stack; /* "8+0+0", a slice of the log; empty where it has none */
	size_t n_stack;
	uint32_t stack_depth[KT_STACK_DEPTHS_MAX]; /* bytes, main program first */
};

/*
 * Called for a malformed number, with its line, which may hold anything, and the reason:
 * "total_states: not a number", "limit: larger than 64 bits".
 */
typedef void (*kt_stats_warn_fn)(void *arg, struct kt_text line, const char *what);

/*
 * Reads the last line of each kind, which are looked for from the end: only as much of the
 * log is read as it takes to find all three. What is absent or malformed stays absent; of the
 * latter warn (may be NULL) is told. An earlier line of that kind does not stand in for it.
 * *ret is always set. True when anything was found.
 */
bool kt_parse_verifier_stats(struct kt_text log, struct kt_verifier_stats *ret,
			     kt_stats_warn_fn warn, void *arg);

/* A line about a subprogram, of Linux 7.3. The texts are slices of the log. */
struct kt_subprog_stats {
	uint32_t index;       /* 0: the main program */
	struct kt_text name;  /* without the parentheses */
	struct kt_text kind;  /* "main", "static" or "global" */
	uint64_t insns_self;  /* instructions processed in it */
	uint64_t insns_total; /* likewise, with what it calls */
	uint32_t stack;       /* bytes */
};

/*
 * Reads the lines of subprograms that stand right before the last "processed" line, first one
 * first. Gives their number, at most max (KT_STACK_DEPTHS_MAX is enough for any program); 0
 * for a kernel before 7.3, or at a log level without bit 4.
 */
size_t kt_parse_subprog_stats(struct kt_text log, struct kt_subprog_stats *ret, size_t max);

#endif
