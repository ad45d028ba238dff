/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is attached to the network of a stopped guest, in each network namespace: XDP, filters of
 * tc, tcx, netkit, flow dissectors, sk_lookup, netfilter; and to sockmaps. It takes the same two
 * steps as introspect/bpf_prog.h. Facts are those of bpf_prog_query(), rtnl_xdp_fill(),
 * cls_bpf_dump() and bpf_nf_link_fill_link_info().
 */
#ifndef KT_INTROSPECT_NET_H
#define KT_INTROSPECT_NET_H

#include "memory/guest.h"
#include "model/net.h"

bool bpf_net_wants(struct wants *wants);

/* KT_ERROR_UNSUPPORTED: a kernel without a network. KT_ERROR_NOT_FOUND: the facts lack something.
 */
struct kt_error *bpf_net_check(const struct kfacts *facts);

struct bpf_net;

struct kt_error *bpf_net_read(struct guest *guest, struct bpf_net **ret);
void bpf_net_destroy(struct bpf_net *net);

/* Plain data out of what was read, once; needs no guest. The caller owns *ret. */
struct kt_error *bpf_net_finish(struct bpf_net *net, const struct kfacts *facts, struct net *ret);

#endif
