/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The BTF objects of a stopped guest: btf_idr and struct btf. Each value is what
 * BPF_OBJ_GET_INFO_BY_FD would answer (btf_get_info_by_fd() in kernel/bpf/btf.c).
 */
#ifndef KT_INTROSPECT_BPF_BTF_H
#define KT_INTROSPECT_BPF_BTF_H

#include "memory/guest.h"
#include "model/btf.h"

/* No BTF is larger: the kernel's own limit for what is loaded is 16 MB (BTF_MAX_SIZE). */
#define BPF_BTF_SIZE_MAX (64u << 20)

/* Bytes of BTF that are read in one stop at most: some 10 ms. */
#define BPF_BTF_PIECE (512u << 10)

bool bpf_btf_wants(struct wants *wants);
struct kt_error *bpf_btf_check(const struct kfacts *facts);

/* The list. The caller owns *ret. */
struct kt_error *bpf_btf_list(struct guest *guest, struct btf_objects *ret);

/*
 * At most BPF_BTF_PIECE bytes of the data of one object, from offset on; object tells how many
 * there are. KT_ERROR_NOT_FOUND: no object has the ID. KT_ERROR_FAULT: it is not mapped.
 */
struct kt_error *bpf_btf_read(struct guest *guest, uint32_t id, uint64_t offset,
			      struct btf_data *ret);

/*
 * All data of the object at an address, which has to be of at most BPF_BTF_PIECE bytes and continue
 * no other. ret->data is NULL if it is not so, or cannot be read.
 */
struct kt_error *bpf_btf_read_at(struct guest *guest, gaddr_t addr, struct btf_data *ret);

#endif
