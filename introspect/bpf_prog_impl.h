/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Internal to bpf_prog.c: what was read of all programs. The test looks in, too. */
#ifndef KT_INTROSPECT_BPF_PROG_IMPL_H
#define KT_INTROSPECT_BPF_PROG_IMPL_H

#include "introspect/bpf_prog.h"
#include "introspect/bpf_prog_attrs.h"
#include "introspect/bpf_prog_one.h"
#include "introspect/bpf_prog_refs.h"
#include "introspect/wallclock.h"

struct walk_entry {
	uint64_t index; /* in the IDR */
	gaddr_t addr;
	struct prog prog; /* readable if its aux is known */
	struct refs refs;
	struct attrs attrs;
};

struct bpf_progs {
	struct prog_views views;
	struct refs_views refs;
	struct wallclock clock;
	struct walk_entry *entries;
	size_t n;
	size_t n_unreadable;
	bool at; /* of bpf_progs_read_at(): entries are in no IDR, and have no refs */
};

#endif
