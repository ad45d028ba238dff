/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The places in bpf_prog_load() that only loads get to that fail, found by a walk through its code:
 * a load that passes has to get through the call that makes its file descriptor, and what that
 * returns is tested. Whatever does not lead there is the way of a failure. Internal to watch/.
 */
#ifndef KT_WATCH_FAILING_H
#define KT_WATCH_FAILING_H

#include "watch/arch.h"

#define FAILING_PROGRAMS 2
#define FAILING_EXITS    16

/* Where functions begin that bpf_prog_load() calls; 0: not known. */
struct failing_callees {
	gaddr_t new_fd[2];  /* bpf_prog_new_fd(), or what that calls, anon_inode_getfd() */
	gaddr_t put;        /* __bpf_prog_put_noref(): the program of a load that failed goes */
	gaddr_t token;      /* bpf_token_get_from_fd() */
	gaddr_t kernel_btf; /* bpf_get_btf_vmlinux() */
	gaddr_t no_return;  /* __stack_chk_fail() */
};

struct failing {
	/* Calls whose first argument is the program of the load: the verifier was done with it. */
	gaddr_t programs[FAILING_PROGRAMS];
	size_t n_programs;
	/* On all other ways out of the function. */
	gaddr_t exits[FAILING_EXITS];
	size_t n_exits;
	/*
	 * Behind it, a load with a bad token fails, and shares all that is left of its way with
	 * those that pass. Every load with a token gets here. 0: there is no such way.
	 */
	gaddr_t token;
};

/*
 * The function at addr, of which len bytes are known. KT_ERROR_UNSUPPORTED: its code does not prove
 * that every load that fails comes by these places, and no other load: the message says why not.
 *
 * One way is left out: behind bpf_get_btf_vmlinux(), a load fails without any such place if the
 * kernel cannot read its own BTF; then no such load ever passed.
 */
struct kt_error *failing_find(const struct watch_arch *arch, const uint8_t *code, size_t len,
			      gaddr_t addr, const struct failing_callees *callees,
			      struct failing *ret);

#endif
