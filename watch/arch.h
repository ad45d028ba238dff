/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the watch has to know of an architecture: a table of operations, in a file of its own for
 * each. Internal to watch/.
 */
#ifndef KT_WATCH_ARCH_H
#define KT_WATCH_ARCH_H

#include "gdbrsp/client.h"

/* The registers that are read at each stop, in this order. */
enum watch_register {
	WATCH_PC,
	WATCH_FINALIZE_LOG, /* the argument of bpf_vlog_finalize() that is the log */
	WATCH_INIT_LOG,     /* that of bpf_vlog_init() */
	WATCH_ARGUMENT,     /* the first argument of a function that is called next */
	WATCH_RESULT,       /* of a function that has just returned */
	WATCH_CURRENT,      /* what leads to the current task: see watch_arch */
	WATCH_REGISTERS,
};

/* So much code is read at a breakpoint, to get the vCPU past it. */
#define WATCH_CODE_LEN 16

/* Of registers that may have anything. */
#define WATCH_GENERAL_MAX 16

/* Registers that emulate() may change, at most. */
#define WATCH_WRITES 2

enum watch_insn_kind {
	WATCH_INSN_UNKNOWN, /* or it jumps to where only a register says */
	WATCH_INSN_PLAIN,   /* the next one follows */
	WATCH_INSN_CALL,    /* the same; target: the function, 0 if only a register says */
	WATCH_INSN_JUMP,    /* to target */
	WATCH_INSN_BRANCH,  /* to target, or the next one follows */
	WATCH_INSN_END,     /* a return, or a trap that never comes back */
};

/* When a branch behind a test of a number is taken. */
enum watch_condition { WATCH_IF_OTHER, WATCH_IF_NEGATIVE, WATCH_IF_NOT_NEGATIVE };

struct watch_insn {
	enum watch_insn_kind kind;
	enum watch_condition condition;
	size_t len; /* bytes; 0: unknown */
	gaddr_t target;
	/* Compares what a function has returned with 0, and no more; or is a branch that does. */
	bool tests_result;
	bool stores_result; /* keeps that somewhere else, and changes nothing of it */
};

/* What the register WATCH_CURRENT is. */
enum watch_current {
	WATCH_CURRENT_PERCPU,  /* the CPU's per-CPU offset; a per-CPU variable has the task */
	WATCH_CURRENT_TASK,    /* the address of the task */
	WATCH_CURRENT_LOWCORE, /* the address of struct lowcore, which has the task */
};

/* Of pt_regs: a member, or of an array of 8 bytes each the one with this number. */
struct watch_member {
	const char *path;
	bool is_array;
	unsigned int element;
};

struct watch_arch {
	const char *name;        /* as struct kfacts_kernel's arch */
	const char *pc, *result; /* the registers' names in the target XML */
	const char *sp, *bp;     /* NULL: no stack is read, and sched_ext is not watched */
	const char *current;     /* of WATCH_CURRENT */
	enum watch_current current_is;
	const char *const *args; /* the registers that functions get their arguments in */
	size_t n_args;
	const char *const *general; /* all that may have a pointer; NULL: nobody asks */
	size_t n_general;
	size_t breakpoint_len; /* for rsp_client_breakpoint() */
	/*
	 * The members of pt_regs that have a system call's number and arguments, and bpf(2)'s.
	 * No path: what a loader asked for is not looked for.
	 */
	struct watch_member syscall_number, syscall_args[3];
	uint64_t bpf_number;
	/* The bytes of `code` before the first instruction worth a breakpoint. */
	size_t (*landing)(const uint8_t *code, size_t len);
	/*
	 * Does what the instruction at the program counter does, if it changes nothing but
	 * registers: *ret gets the new values. Returns how many; 0: it has to be executed.
	 */
	size_t (*emulate)(const uint8_t *code, size_t len, const uint64_t *registers,
			  struct rsp_write ret[WATCH_WRITES]);
	/*
	 * Where the call of `target` in the function at `addr` returns to; 0 unless there is
	 * exactly one such call.
	 */
	gaddr_t (*call_return)(const uint8_t *code, size_t len, gaddr_t addr, gaddr_t target);
	/*
	 * The instruction at code[0], of which len bytes are known. NULL: a walk through
	 * bpf_prog_load() is not possible, for this reason.
	 */
	struct watch_insn (*decode)(const uint8_t *code, size_t len, gaddr_t addr);
	const char *no_decode;
	/* A call to `to` runs that function: it may skip what the function begins with. */
	bool (*calls)(gaddr_t to, gaddr_t function);
};

extern const struct watch_arch watch_x86_64, watch_aarch64, watch_riscv64, watch_s390x;

/* The architecture of that name, or NULL. */
const struct watch_arch *watch_arch_by_name(const char *name);

/* For loops over all of them: NULL behind the last. */
const struct watch_arch *watch_arch_at(size_t i);

/* Of watch_x86_64, in a file of its own. */
struct watch_insn x86_64_decode(const uint8_t *code, size_t len, gaddr_t addr);

#endif
