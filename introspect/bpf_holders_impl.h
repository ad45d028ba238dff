/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two ways to hold an object. Internal to bpf_holders*.c. */
#ifndef KT_INTROSPECT_BPF_HOLDERS_IMPL_H
#define KT_INTROSPECT_BPF_HOLDERS_IMPL_H

#include "introspect/bpf_holders.h"

/* A descriptor before its object's ID is known; fd.of.id is not. */
struct found_fd {
	gaddr_t object;
	struct held_fd fd;
};
struct found_fds {
	KT_VEC(struct found_fd) v;
	size_t n_unread;
};

bool bpf_holders_fds_wants(struct wants *wants);
struct kt_error *bpf_holders_fds_check(const struct kfacts *facts);
/* In no order; one that several threads share may be there several times. */
struct kt_error *bpf_holders_fds_read(struct guest *guest, struct found_fds *ret);

/* A file in bpffs, likewise. */
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
