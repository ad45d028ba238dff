/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The places in the kernel's code where the guest is stopped. Internal to watch/. */
#ifndef KT_WATCH_PLACES_H
#define KT_WATCH_PLACES_H

#include "introspect/guest.h"
#include "watch/arch.h"

enum watch_place {
	WATCH_AT_FINALIZE, /* bpf_vlog_finalize() */
	WATCH_AT_RETURN,   /* behind the call of bpf_prog_load() */
	WATCH_AT_PANIC,    /* panic() */
	WATCH_AT_INIT,     /* bpf_vlog_init(): a load gets to the verifier */
	WATCH_PLACES,
	WATCH_NOWHERE = WATCH_PLACES,
};

struct places {
	struct {
		gaddr_t addr; /* 0: this kernel does not have it */
		bool set;     /* there is a breakpoint */
	} at[WATCH_PLACES];
	size_t breakpoint_len;
};

/* False: no memory. */
bool places_wants(struct wants *wants);

/*
 * Finds them in a stopped guest. with_init: bpf_vlog_init(), too. KT_ERROR_UNSUPPORTED: there is
 * no place that would tell anything of a load.
 */
struct kt_error *places_find(struct places *places, struct guest *guest,
			     const struct watch_arch *arch, bool with_init);

/* Sets the breakpoints. That there is none left for panic() is no error. */
struct kt_error *places_set(struct places *places, struct rsp_client *client);
struct kt_error *places_remove(struct places *places, struct rsp_client *client);

/* The place whose breakpoint is at pc. */
enum watch_place places_which(const struct places *places, gaddr_t pc);

#endif
