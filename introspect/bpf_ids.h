/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The IDs of BPF objects that something else in the kernel leads to, by their addresses. */
#ifndef KT_INTROSPECT_BPF_IDS_H
#define KT_INTROSPECT_BPF_IDS_H

#include "memory/guest.h"
#include "memory/object.h"
#include "model/holders.h"

/* An object: a bpf_prog, bpf_map, bpf_link or btf. */
struct bpf_id {
	enum held_kind kind;
	gaddr_t addr;

	/* Internal. */
	gaddr_t has_id; /* what has the ID; of a program that is its aux */
	struct object read;
};

struct bpf_ids {
	KT_VEC(struct bpf_id) v;
	struct view prog, ids[N_HELD_KINDS];
	bool has[N_HELD_KINDS]; /* this kernel's have IDs */
};

bool bpf_ids_wants(struct wants *wants);
void bpf_ids_deinit(struct bpf_ids *ids);

/* An object may be added again and again. False: no memory. */
bool bpf_ids_add(struct bpf_ids *ids, enum held_kind kind, gaddr_t addr);

/* Reads all of them, each once, in two round trips. */
struct kt_error *bpf_ids_read(struct bpf_ids *ids, struct guest *guest);

/* After the read. *ret 0: the object has no ID any more. False: it could not be read. */
bool bpf_ids_find(const struct bpf_ids *ids, enum held_kind kind, gaddr_t addr, uint32_t *ret);

#endif
