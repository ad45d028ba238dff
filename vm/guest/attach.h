/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attaches a program to something harmless that its type allows, and runs it once. */
#ifndef KT_VM_GUEST_ATTACH_H
#define KT_VM_GUEST_ATTACH_H

#include <bpf/libbpf.h>
#include <stdint.h>

#include "model/attach.h"

struct attach_result {
	enum kt_attach outcome;
	char text[160]; /* of DONE to what; else why not */
	enum kt_test_run ran;
	int run_error;   /* errno, when the run was refused */
	uint32_t retval; /* of the run */
};

/* Mounts and makes what programs are attached to. Once, before the first load. */
void attach_init(void);

/* prog is loaded. It is detached again before this returns. */
void attach_program(struct bpf_program *prog, struct attach_result *ret);

#endif
