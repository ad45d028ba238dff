/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attaches a program to something harmless that its type allows, and runs it once. */
#ifndef KT_VM_GUEST_ATTACH_H
#define KT_VM_GUEST_ATTACH_H

#include "vm/guest/attach_to.h"

/* Mounts and makes what programs are attached to. Once, before the first load. */
void attach_init(void);

/* prog is loaded. It is detached again before this returns. */
void attach_program(struct bpf_program *prog, const struct attach_object *object,
		    struct attach_result *ret);

#endif
