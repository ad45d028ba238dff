/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The places that attach.c attaches programs to, and how a place tells what came of it. */
#ifndef KT_VM_GUEST_ATTACH_TO_H
#define KT_VM_GUEST_ATTACH_TO_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/attach.h"

/* libbpf has what came with 1.N. */
#define HAS_LIBBPF_1(n) (LIBBPF_MAJOR_VERSION > 1 || LIBBPF_MINOR_VERSION >= (n))

struct attach_result {
	enum kt_attach outcome;
	char text[160]; /* of DONE to what; else why not */
	enum kt_test_run ran;
	int run_error;   /* errno, when the run was refused */
	uint32_t retval; /* of the run */
};

/* Where a program is from: what is needed to load more of it. */
struct attach_object {
	const struct bpf_object *obj; /* the program's */
	const char *path;             /* of its file */
	size_t number;                /* by which orders name it */
	const char *const *sets;      /* orders: values for its variables */
	size_t n_sets;
	int target; /* of freplace: the descriptor of the program that it was loaded for; -1: none
		     */
};

__attribute__((format(printf, 3, 4))) void attach_say(struct attach_result *ret,
						      enum kt_attach outcome, const char *fmt, ...);

/* Refused, with errnum and the last line of what libbpf said. */
void attach_say_refused(struct attach_result *ret, int errnum, const char *to);

/* Attached, if there is a link, which is destroyed; else errno tells. */
void attach_take_link(struct bpf_link *link, const char *to, struct attach_result *ret);

/* --- of packets: attach_net.c --- */

/* Netfilter's input of lo, or a route over lo. A packet is sent there, so that the program runs. */
void attach_netfilter(struct bpf_program *prog, struct attach_result *ret);
void attach_route(struct bpf_program *prog, struct attach_result *ret);

/* --- of user space: attach_user.c --- */

bool attach_is_of_user_space(const struct bpf_program *prog);

/* A function of init, which is then called, whatever program the section names: it is not here. */
void attach_uprobe(struct bpf_program *prog, struct attach_result *ret);

/* --- struct_ops: attach_ops.c --- */

/*
 * The struct_ops that prog is a member of, with all its programs. They are loaded for it from the
 * object, as `object` says: the one that is held has its program alone.
 */
void attach_struct_ops(const struct bpf_program *prog, const struct attach_object *object,
		       struct attach_result *ret);

#endif
