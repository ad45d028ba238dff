/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files in bpffs that pin objects. Internal to bpf_holders*.c. */
#ifndef KT_INTROSPECT_BPF_HOLDERS_IMPL_H
#define KT_INTROSPECT_BPF_HOLDERS_IMPL_H

#include "introspect/bpf_holders.h"

/* A file before its object's ID is known; pin.of.id is not. */
struct found_pin {
	gaddr_t object;
	struct held_pin pin;
};
struct found_pins {
	KT_VEC(struct found_pin) v; /* which own their paths */
	bool known;                 /* false: this kernel has no bpffs, or the facts do not tell */
	size_t n_unread;
};

bool bpf_holders_pins_wants(struct wants *wants);
struct kt_error *bpf_holders_pins_read(struct guest *guest, struct found_pins *ret);

#endif
