/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The programs that attachments lead to: many attachments may have the same one, which is read
 * once. */
#ifndef KT_INTROSPECT_PROG_SET_H
#define KT_INTROSPECT_PROG_SET_H

#include "introspect/bpf_prog.h"

struct prog_set {
	gaddr_t *addrs; /* each once, in order */
	size_t n;
	struct bpf_progs *read;
	struct programs programs; /* of addrs, after prog_set_finish() */
};

void prog_set_deinit(struct prog_set *set);

/* Reads the programs at n addresses, which may be the same, or 0. Takes addrs, also when it fails.
 */
struct kt_error *prog_set_read(struct prog_set *set, struct guest *guest, gaddr_t *addrs, size_t n);
struct kt_error *prog_set_finish(struct prog_set *set, const struct kfacts *facts);

/* NULL: it could not be read. */
const struct program *prog_set_find(const struct prog_set *set, gaddr_t addr);

#endif
