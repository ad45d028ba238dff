/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The places in the kernel's code where the guest is stopped. Internal to watch/. */
#ifndef KT_WATCH_PLACES_H
#define KT_WATCH_PLACES_H

#include "memory/guest.h"
#include "watch/failing.h"

enum watch_place {
	WATCH_AT_FINALIZE, /* bpf_vlog_finalize() */
	WATCH_AT_RETURN,   /* behind the call of bpf_prog_load() */
	WATCH_AT_PANIC,    /* panic() */
	WATCH_AT_INIT,     /* bpf_vlog_init(): a load gets to the verifier */
	WATCH_AT_PROGRAM,  /* a load fails, and its program is the argument of the call there */
	WATCH_AT_EXIT = WATCH_AT_PROGRAM + FAILING_PROGRAMS, /* a load fails */
	WATCH_AT_TOKEN = WATCH_AT_EXIT + FAILING_EXITS,      /* a load may fail */
	WATCH_PLACES,
	WATCH_NOWHERE = WATCH_PLACES,
};

struct places {
	struct {
		gaddr_t addr; /* 0: this kernel does not have it */
		bool set;     /* there is a breakpoint */
	} at[WATCH_PLACES];
	size_t breakpoint_len;
	/*
	 * Only loads that fail stop the guest: bpf_prog_load()'s return has a breakpoint only while
	 * one of them is on its way there.
	 */
	bool only_failing;
	/* No breakpoint was left for it: it has that of this place. WATCH_NOWHERE: of none. */
	enum watch_place lender;
};

/* False: no memory. */
bool places_wants(struct wants *wants);

/*
 * Finds them in a stopped guest. with_init: bpf_vlog_init(), too. only_failing: those of loads that
 * fail in place of those of all loads, if this kernel's code proves that they are.
 * KT_ERROR_UNSUPPORTED: there is no place that would tell anything of a load.
 */
struct kt_error *places_find(struct places *places, struct guest *guest,
			     const struct watch_arch *arch, bool with_init, bool only_failing);

/* Only panic(), which not every kernel's symbols have. */
struct kt_error *places_find_panic(struct places *places, struct guest *guest,
				   const struct watch_arch *arch);

/*
 * Sets the breakpoints. That there is none left for panic() or for a bad token is no error. If
 * there are too few for loads that fail, all loads are stopped at.
 */
struct kt_error *places_set(struct places *places, struct rsp_client *client);
struct kt_error *places_remove(struct places *places, struct rsp_client *client);

/*
 * With only_failing: bpf_prog_load()'s return gets a breakpoint, or loses it. If the processor has
 * none left, it takes that of panic() or of a bad token meanwhile, else that of an exit: whoever
 * comes by there gets to the return next. One who is between the two when the return loses its
 * breakpoint is seen at neither: places_lacks_exit() tells the caller to wait for a quiet moment.
 */
struct kt_error *places_await_return(struct places *places, struct rsp_client *client, bool await);
bool places_lacks_exit(const struct places *places);

/* The place whose breakpoint is at pc: the first of its kind. */
enum watch_place places_which(const struct places *places, gaddr_t pc);

#endif
