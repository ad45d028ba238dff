/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the walk of the network. Internal to net*.c. */
#ifndef KT_INTROSPECT_NET_IMPL_H
#define KT_INTROSPECT_NET_IMPL_H

#include "introspect/net.h"
#include "introspect/prog_set.h"
#include "memory/cstring.h"
#include "memory/list.h"
#include "memory/object.h"

/* More than any machine has: bounds for a guest that is damaged. */
#define NET_MAX_NAMESPACES  20000
#define NET_MAX_DEVICES     100000
#define NET_MAX_ATTACHMENTS 100000

#define NET_POINTER_SIZE 8 /* 64-bit kernels */

/* The fields of struct net. */
enum { NS_NEXT, NS_INO, NS_DEVICES, NS_RUN_ARRAY, NS_LINKS, NS_IPV4, NS_IPV6 };

/* The fields of struct net_device. */
enum {
	DEV_NEXT,
	DEV_IFINDEX,
	DEV_NAME,
	DEV_XDP_PROG,
	DEV_XDP_STATE,
	DEV_TCX_INGRESS,
	DEV_TCX_EGRESS,
	DEV_QDISC,
	DEV_QDISC_HASH,
	DEV_INGRESS_QUEUE,
	DEV_LINK_OPS,
};

/* What was found at a place. */
struct net_place {
	enum net_section section;
	size_t ns, dev; /* in namespaces, devices; LIST_NOBODY: of none */
	size_t order;   /* among those of its section and device */
	char kind[24];  /* "" or as in struct net_attachment */
	gaddr_t prog;   /* 0: that of the link */
	gaddr_t link;   /* a struct bpf_link; 0: none, unless link_unknown */
	bool link_unknown;
	gaddr_t defrag; /* of netfilter */
	size_t name;    /* of a filter, in names; LIST_NOBODY: it has none */
	struct program_number chain, prio, protocol, handle, direct_action, classic;
	struct program_number pf, hook, flags, priority;
	struct program_number map_id; /* of a sockmap */
	struct object link_read;
};

struct bpf_net {
	struct lists namespaces, devices; /* devices' owners are namespaces */
	KT_VEC(struct net_place) places;
	KT_VEC(struct cstring) names;
	struct view link;
	struct prog_set progs;
	size_t n_damaged, n_unknown;
};

/* Adds a place. KT_ERROR_NO_MEMORY. */
struct kt_error *net_place_add(struct bpf_net *net, const struct net_place *place);

/* Number i of a device's or namespace's array of pointers; 0: it has not so many. */
gaddr_t net_pointer(const struct view *view, const void *image, unsigned int field, size_t i);

/* A part of the walk; each adds its places, for namespaces and devices that were read. */
bool net_tc_wants(struct wants *wants);
struct kt_error *net_tc_read(struct bpf_net *net, struct guest *guest);
bool net_mprog_wants(struct wants *wants);
struct kt_error *net_mprog_read(struct bpf_net *net, struct guest *guest);
bool net_ns_wants(struct wants *wants);
struct kt_error *net_ns_read(struct bpf_net *net, struct guest *guest);
bool net_sockmap_wants(struct wants *wants);
struct kt_error *net_sockmap_read(struct bpf_net *net, struct guest *guest);

#endif
