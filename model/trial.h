/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trials: each program of some BPF objects, loaded on one kernel by itself. Plain data. What the
 * verifier counted comes from the log of the load, and verified_insns from the kernel's memory
 * where it was read there.
 */
#ifndef KT_MODEL_TRIAL_H
#define KT_MODEL_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/attach.h"
#include "model/program.h"
#include "util/error.h"
#include "util/vec.h"

/* What the verifier counts. */
enum kt_trial_number {
	KT_TRIAL_INSNS, /* instructions processed */
	KT_TRIAL_TOTAL_STATES,
	KT_TRIAL_PEAK_STATES,
	KT_TRIAL_MAX_STATES_PER_INSN,
	KT_TRIAL_MARK_READ,
	KT_TRIAL_STACK,     /* bytes, of all subprograms together */
	KT_TRIAL_TIME_US,   /* microseconds in the verifier, by the guest's clock */
	KT_TRIAL_LOG_BYTES, /* of the verifier's log, what was left out of it included */
	KT_N_TRIAL_NUMBERS,
};

/* The key of a number in documents: "verified_insns", "total_states", ... */
const char *kt_trial_number_name(enum kt_trial_number number);

/* It owns its strings. */
struct kt_trial {
	char *object;         /* the file's name, with folders only where another has the same */
	char *section, *name; /* as the object has them, in full; "": the object itself is bad */
	char *type;           /* "sched_cls"; NULL: unknown */
	bool passed;
	int errnum;           /* of the load that failed */
	uint32_t id;          /* the kernel's, of a program that passed; 0: unknown */
	char *log;            /* what libbpf printed, the verifier's log in it; never NULL */
	uint64_t log_dropped; /* bytes left out of the middle of log, which says so too */
	struct program_number number[KT_N_TRIAL_NUMBERS];

	/* Why it failed, by its log. NULL: not known. */
	char *class;   /* "Memory Safety", "Kfunc": see kt_load_class_name() and `ktstr-gdb explain`
			*/
	char *message; /* one line, which may hold any bytes but a newline and a NUL */
	char *file;    /* of the source line, as the log names it, since 6.9 */
	uint32_t line; /* from 1; 0: not known */
	int64_t insn;  /* the instruction that failed, of the program as it was loaded; -1: none */
	char *source;  /* its source line, as the log has it; NULL: not known */

	/* Of a program that passed, if it was to be attached. */
	enum kt_attach attach;
	char *place; /* what it was attached to, or why it was not; NULL: nobody asked */
	enum kt_test_run ran;
	uint32_t retval; /* of the run; one that was refused: its errno */

	/* The program in the guest's memory; NULL: it was not read. Borrowed. */
	const struct program *program;
};

struct kt_trials {
	KT_VEC(struct kt_trial) v; /* in the order of the objects, and in them */
	bool cut_off;              /* the run failed before all of them were tried */
	uint64_t left_out;         /* programs that were not to be loaded */
};

/*
 * Appends a copy of *trial, of which object, section, name, type, passed, errnum, id, log,
 * log_dropped, program, and what came of attaching it are used. Its log is read: numbers that
 * *trial does not have, and why it failed. Time is linear in the log. KT_ERROR_NO_MEMORY; the list
 * is then as it was.
 */
struct kt_error *kt_trials_add(struct kt_trials *trials, const struct kt_trial *trial);

/* The source line of a program that failed: of one whose log does not name it. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_trial_set_line(struct kt_trial *trial, const char *file, uint32_t line);

struct kt_log_block;

/*
 * Appends a program that was rejected, of which there is only the log that a loader printed: of no
 * object, and of no type. Its name is "" where the loader does not tell it. KT_ERROR_NO_MEMORY; the
 * list is then as it was.
 */
struct kt_error *kt_trials_add_log(struct kt_trials *trials, const struct kt_log_block *log);

/*
 * Sets `program` of each trial that passed, by its id, and takes verified_insns from there. A
 * program gets the full name that the object has. programs->all is by id, and has to stay in place
 * as long as `program` is used. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_trials_join(struct kt_trials *trials, struct programs *programs);

size_t kt_trials_failed(const struct kt_trials *trials);

/* Those that passed, and were then not attached, or not run, though they have a place. */
size_t kt_trials_refused(const struct kt_trials *trials);
bool kt_trial_is_refused(const struct kt_trial *trial);

/* "attached", "refused", "no place"; NULL: nobody asked. */
const char *kt_attach_name(enum kt_attach attach);
void kt_trials_deinit(struct kt_trials *trials);

#endif
