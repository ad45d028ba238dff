/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the watch has to know of an architecture. Internal to watch/. */
#ifndef KT_WATCH_ARCH_H
#define KT_WATCH_ARCH_H

#include "gdbrsp/client.h"

/* The registers that are read at each stop, in this order. */
enum watch_register {
	WATCH_PC,
	WATCH_FINALIZE_LOG, /* the argument of bpf_vlog_finalize() that is the log */
	WATCH_INIT_LOG,     /* that of bpf_vlog_init() */
	WATCH_RESULT,       /* of a function that has just returned */
	WATCH_PERCPU,       /* this CPU's per-CPU offset */
	WATCH_REGISTERS,
};

/* So much code is read at a breakpoint, to get the vCPU past it. */
#define WATCH_CODE_LEN 16

/* Registers that emulate() may change, at most. */
#define WATCH_WRITES 2

struct watch_arch {
	const char *pc, *result, *percpu; /* the registers' names in the target XML */
	const char *const *args;          /* the registers that functions get their arguments in */
	size_t n_args;
	size_t breakpoint_len; /* for rsp_client_breakpoint() */
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
};

extern const struct watch_arch watch_x86_64;

#endif
