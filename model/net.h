/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Not a public header. What is attached to the network of a guest: plain data. */
#ifndef KT_MODEL_NET_H
#define KT_MODEL_NET_H

#include "model/program.h"

/* In bpftool's order. */
enum net_section { NET_XDP, NET_TC, NET_FLOW_DISSECTOR, NET_SK_LOOKUP, NET_NETFILTER, NET_SOCKMAP };

/* A program at one place. What a section does not have is not known, or NULL. */
struct net_attachment {
	enum net_section section;
	struct program_number netns_ino; /* a sockmap is of none */
	char *devname;                   /* NULL: of no device */
	struct program_number ifindex;
	/*
	 * XDP: "generic", "driver", "offload". TC: "tcx/ingress", "netkit/peer", "clsact/egress",
	 * or the kind of the qdisc that has the filter. Sockmap: the type of attachment,
	 * "sk_skb_verdict".
	 */
	char *kind;
	char *name;                    /* the program's, whole; NULL: unknown */
	struct program_number id;      /* the program's */
	struct program_number link_id; /* 0: attached without a link */

	/* Of a filter. */
	char *filter_name; /* as tc has it; NULL: none */
	struct program_number chain, prio, protocol, handle, direct_action;
	struct program_number classic; /* 1: classic BPF, which has no program */

	struct program_number pf, hook, flags, priority; /* netfilter; priority is an int64_t */
	struct program_number map_id;                    /* of a sockmap or sockhash */
};

struct net {
	struct net_attachment *all; /* by namespace, section, ifindex; then as they run */
	size_t n;
	struct program_number *netns; /* inodes of all namespaces, by which they are in order */
	size_t n_netns;
	size_t n_unreadable; /* lists that end in what is not mapped, and may have had more */
	/* Qdiscs and filters that hold programs in a layout that is not known. */
	size_t n_unknown;
};

static inline void net_attachment_deinit(struct net_attachment *a)
{
	free(a->devname);
	free(a->kind);
	free(a->name);
	free(a->filter_name);
	*a = (struct net_attachment){0};
}

static inline void net_deinit(struct net *net)
{
	for (size_t i = 0; i < net->n; i++)
		net_attachment_deinit(&net->all[i]);
	free(net->all);
	free(net->netns);
	*net = (struct net){0};
}

#endif
