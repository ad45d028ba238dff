/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of the kernel's functions that programs call: helpers and kfuncs. */
#ifndef KT_INTROSPECT_BPF_CALLEES_H
#define KT_INTROSPECT_BPF_CALLEES_H

#include "introspect/view.h"

bool bpf_callees_wants(struct wants *wants);

/* The name of the one at a link-time address, the caller's. *ret is untouched if it is none. */
struct kt_error *bpf_callee_at(const struct kfacts *facts, gaddr_t addr, char **ret);

#endif
