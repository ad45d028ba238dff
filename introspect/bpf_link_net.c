// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A device that is gone leaves its links a null pointer, and their ifindex is 0. attach_type is in
 * each type's own structure up to 6.16, in bpf_link since 6.17.
 */
#include "introspect/bpf_link_impl.h"

/* clang-format off */
#define DEVICE(type, holder)                                                                       \
	{type, LINK_AT(ifindex), VALUE_NUMBER, .or_zero = true,                                    \
	 .hops = {HOP(holder, "dev"), HOP("net_device", "ifindex")}},                                    \
	{type, LINK_AT(devname), VALUE_TEXT,                                                       \
	 .hops = {HOP(holder, "dev"), {"net_device", "name", HOP_IN}}}

#define ATTACH_TYPE(type, holder, member)                                                          \
	{type, LINK_AT(attach_type), VALUE_ATTACH_TYPE, .hops = {HOP("bpf_link", "attach_type")}},    \
	{type, LINK_AT(attach_type), VALUE_ATTACH_TYPE, .hops = {HOP(holder, member)}}

static const struct link_row rows[] = {
	ATTACH_TYPE("NETNS", "bpf_netns_link", "type"),
	{"NETNS", LINK_AT(netns_ino), VALUE_NUMBER, .or_zero = true,
	 .hops = {HOP("bpf_netns_link", "net"), HOP("net", "ns.inum")}},
	DEVICE("XDP", "bpf_xdp_link"),
	DEVICE("TCX", "tcx_link"),
	ATTACH_TYPE("TCX", "tcx_link", "location"),
	DEVICE("NETKIT", "netkit_link"),
	ATTACH_TYPE("NETKIT", "netkit_link", "location"),
	{"SOCKMAP", LINK_AT(map_id), VALUE_NUMBER, .or_zero = true,
	 .hops = {HOP("sockmap_link", "map"), HOP("bpf_map", "id")}},
	ATTACH_TYPE("SOCKMAP", "sockmap_link", "attach_type"),
	{"NETFILTER", LINK_AT(pf), VALUE_NUMBER, .hops = {HOP("bpf_nf_link", "hook_ops.pf")}},
	{"NETFILTER", LINK_AT(hook), VALUE_NUMBER, .hops = {HOP("bpf_nf_link", "hook_ops.hooknum")}},
	{"NETFILTER", LINK_AT(prio), VALUE_SIGNED, .hops = {HOP("bpf_nf_link", "hook_ops.priority")}},
	/* BPF_F_NETFILTER_IP_DEFRAG, the one flag that there is, is 1. */
	{"NETFILTER", LINK_AT(flags), VALUE_IS_SET, .hops = {HOP("bpf_nf_link", "defrag_hook")}},
};
/* clang-format on */

const struct link_rows bpf_link_net_rows = LINK_ROWS(rows);
