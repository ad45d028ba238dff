/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The BPF links of a stopped guest: link_idr, struct bpf_link (since 5.7) and the structure of
 * its type around it. Each value is what BPF_OBJ_GET_INFO_BY_FD would answer
 * (bpf_link_get_info_by_fd() in kernel/bpf/syscall.c and the fill_link_info of each type).
 * It takes the same two steps as introspect/bpf_prog.h.
 */
#ifndef KT_INTROSPECT_BPF_LINK_H
#define KT_INTROSPECT_BPF_LINK_H

#include "memory/guest.h"
#include "model/map.h"

bool bpf_links_wants(struct wants *wants);
struct kt_error *bpf_links_check(const struct kfacts *facts);

struct bpf_links;

/* Reads all links. Leaves out those that nobody holds, as the kernel's lookups do. */
struct kt_error *bpf_links_read(struct guest *guest, struct bpf_links **ret);
void bpf_links_destroy(struct bpf_links *links);

/* Plain data out of what was read, once; needs no guest. The caller owns *ret. */
struct kt_error *bpf_links_finish(struct bpf_links *links, const struct kfacts *facts,
				  struct links *ret);

#endif
