/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions of the kernel that programs call: helpers and kfuncs, by name. */
#ifndef KT_INTROSPECT_BPF_CALLEES_H
#define KT_INTROSPECT_BPF_CALLEES_H

#include "introspect/view.h"

bool bpf_callees_wants(struct wants *wants);

/* The one at a link-time address, in a copy that is the caller's; *ret stays for none. */
struct kt_error *bpf_callee_at(const struct kfacts *facts, gaddr_t addr, char **ret);

#endif
