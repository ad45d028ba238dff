/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values at the end of chains of pointers that begin at a link. Tables say which; all chains of all
 * links are followed at once, one round trip for each pointer of the longest.
 *
 *	{"XDP", LINK_AT(ifindex), .hops = {HOP("bpf_xdp_link", "dev"), ...}},
 */
#ifndef KT_INTROSPECT_BPF_LINK_CHAIN_H
#define KT_INTROSPECT_BPF_LINK_CHAIN_H

#include "memory/cstring.h"
#include "memory/guest.h"
#include "model/map.h"

/* A link, and what it takes to work out some of its members. */
struct link_values {
	struct link link;
	struct program_number trampoline_key;
	struct program_number iter_map, iter_cgroup, iter_order, iter_task_type, iter_task_pid;
	struct program_number defrag_hook;
	/* Of a perf event: its program's type, its trace_event_call, and the class's reg. */
	struct program_number prog_type, call, reg;
	struct program_number pmu;      /* of a perf event that has no link */
	struct program_number has_prog; /* of a perf event by itself, or a raw tracepoint */
	struct program_number missed_returns;
	struct program_number flags; /* of kprobe_multi, uprobe_multi */
	struct program_number addrs, cookies, uprobes, path_mnt, path_dentry;
};

#define LINK_AT(member)  .at = offsetof(struct link_values, link.member)
#define VALUE_AT(member) .at = offsetof(struct link_values, member)

enum link_hop_how {
	HOP_READ,  /* a pointer, or, as the last hop, the value */
	HOP_FIRST, /* of a list_head its first entry; an empty list ends the chain */
	HOP_IN,    /* the address of the member itself */
	HOP_UP,    /* from the address of the member to its structure */
};

struct link_hop {
	const char *type, *path;
	enum link_hop_how how;
};

/* clang-format off */
#define HOP(type_name, member) {.type = (type_name), .path = (member)} /* HOP_READ */
/* clang-format on */

enum link_value {
	VALUE_NUMBER,      /* a struct program_number */
	VALUE_IS_SET,      /* likewise: 1, unless what is there is 0 */
	VALUE_SIGNED,      /* likewise: an int of the kernel as an int64_t */
	VALUE_TEXT,        /* a char *: the last hop gives a string's address */
	VALUE_STRING,      /* likewise; no string is "" */
	VALUE_ATTACH_TYPE, /* likewise: as bpftool names it */
	VALUE_PROG_TYPE,
};

#define LINK_HOPS 10

/* If several rows are for one value, the first one counts that this kernel has. */
struct link_row {
	const char *link; /* the type of link, without BPF_LINK_TYPE_; NULL: all */
	size_t at;        /* LINK_AT(), VALUE_AT() */
	enum link_value value;
	bool or_zero; /* a null pointer on the way makes it 0, as the kernel has it */
	struct link_hop hops[LINK_HOPS];
};

struct link_rows {
	const struct link_row *rows;
	size_t n;
};

/* clang-format off */
#define LINK_ROWS(table) {(table), sizeof(table) / sizeof((table)[0])}
/* clang-format on */

bool link_rows_want(const struct link_rows *rows, struct wants *wants);

/* How one kernel lays out what a table needs. The table must outlive it. */
struct link_layout {
	const struct link_rows *rows;
	struct kfacts_member (*members)[LINK_HOPS]; /* of each row */
	bool *has;                                  /* the row's members, all of them */
	bool big_endian;
};

/* *ret is for link_layout_deinit() after an error, too. */
struct kt_error *link_layout_init(struct link_layout *ret, const struct link_rows *rows,
				  const struct kfacts *facts);
void link_layout_deinit(struct link_layout *layout);

struct link_chain;
struct link_chains {
	KT_VEC(struct link_chain) v;
	struct cstring *texts;
	size_t n_texts;
};

void link_chains_deinit(struct link_chains *chains);

/*
 * Adds a chain for each row of that type of link; they begin at start. The layout must outlive the
 * chains. False: no memory.
 */
bool link_chains_begin(struct link_chains *chains, const struct link_layout *layout,
		       const char *type, size_t link, gaddr_t start);

/* Follows all chains, and reads their strings. */
struct kt_error *link_chains_read(struct link_chains *chains, struct guest *guest);

/* Sets the values that were read, of link i in values[i]: the numbers alone, which is quick, ... */
void link_chains_take_numbers(const struct link_chains *chains, struct link_values *values);

/* ... and the texts. */
struct kt_error *link_chains_take_texts(const struct link_chains *chains,
					const struct kfacts *facts, struct link_values *values);

#endif
