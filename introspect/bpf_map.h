/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The BPF maps of a stopped guest: map_idr and struct bpf_map. Each value is what
 * BPF_OBJ_GET_INFO_BY_FD would answer (bpf_map_get_info_by_fd() in kernel/bpf/syscall.c).
 * It takes the same two steps as introspect/bpf_prog.h.
 */
#ifndef KT_INTROSPECT_BPF_MAP_H
#define KT_INTROSPECT_BPF_MAP_H

#include "memory/guest.h"
#include "model/map.h"

bool bpf_maps_wants(struct wants *wants);
struct kt_error *bpf_maps_check(const struct kfacts *facts);

struct bpf_maps;

/* Reads all maps. Leaves out those that nobody holds, as the kernel's lookups do. */
struct kt_error *bpf_maps_read(struct guest *guest, struct bpf_maps **ret);
void bpf_maps_destroy(struct bpf_maps *maps);

/* Plain data out of what was read; needs no guest. The caller owns *ret. */
struct kt_error *bpf_maps_finish(const struct bpf_maps *maps, const struct kfacts *facts,
				 struct maps *ret);

#endif
