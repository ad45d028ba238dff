/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Not a public header. What runs BPF programs in the guest's kernel, from its side: plain data. */
#ifndef KT_MODEL_ATTACHED_H
#define KT_MODEL_ATTACHED_H

#include "model/map.h"

/* A program that a trampoline calls: a bpf_trampoline stands in front of a function, or around it.
 */
struct trampoline {
	/* The function: of the kernel, or of a program, or a hook of an LSM. NULL: unknown. */
	char *func;
	char *module;               /* that the function is in; NULL: none, or unknown */
	struct program_number addr; /* where it begins, in this boot */
	char *type;                 /* "fentry", "fexit", "modify_return", "replace" */
	/* Not known also of the kernel's own program that runs the LSM programs of cgroups; 0: it
	 * has none, which is so of no other one. */
	struct program_number prog_id;
	char *name; /* the program's; NULL: unknown */
	struct program_number link_id, cookie;
	/* The object (BTF or program) and the type in it that the function is, as links have them.
	 */
	struct program_number target_obj_id, target_btf_id;
};

struct trampolines {
	struct trampoline *all; /* by function, and in the order in which its programs run */
	size_t n;
	size_t n_unreadable; /* trampolines or programs of them that could not be read */
};

/* Frees the strings of a trampoline, and zeroes it. */
void trampoline_deinit(struct trampoline *trampoline);
void trampolines_deinit(struct trampolines *trampolines);

/* A descriptor at which a program runs: of a perf event, or of a link to a raw tracepoint. */
struct perf_prog {
	uint32_t pid, fd; /* by the initial PID namespace */
	char comm[16];    /* of the process's first thread, at most 15 characters */
	/*
	 * What such a link has: prog_id, addr, func, offset, file, tracepoint, event_type,
	 * event_config; and perf_type, "raw_tracepoint" besides. func is NULL, and not "", of what
	 * was given by its address.
	 */
	const struct link *event;
	char *name; /* the program's; NULL: unknown */
};

struct perf_progs {
	struct perf_prog *all; /* by pid and fd */
	size_t n;
	struct link *events; /* which `all` has pointers to */
	size_t n_events;
	size_t n_unreadable; /* tables of descriptors, events or links that could not be read */
};

void perf_progs_deinit(struct perf_progs *progs);

/* A program behind a member of a struct_ops. */
struct struct_ops_prog {
	uint32_t id;
	char *name;   /* the program's; NULL: unknown */
	char *member; /* "init"; NULL: unknown */
};

/* A struct_ops: a map with one value, the kernel's struct of functions. */
struct struct_ops {
	uint32_t id;             /* the map's */
	char name[16];           /* the map's, at most 15 characters */
	char *kernel_struct_ops; /* the kernel's struct, "tcp_congestion_ops"; NULL: unknown */
	char *state;             /* "init", "inuse", "tobefree", "ready"; NULL: unknown */
	struct struct_ops_prog *progs; /* in the order of the members */
	size_t n_progs;
	bool progs_known;
	uint64_t data; /* where the kernel has its copy of the struct, for walkers; 0: unknown */
};

struct struct_ops_list {
	struct struct_ops *all; /* by id */
	size_t n;
	size_t n_unreadable;
};

void struct_ops_deinit(struct struct_ops *ops);
void struct_ops_list_deinit(struct struct_ops_list *list);

/*
 * Names what is attached after the programs of the same stop: a trampoline's name, and its function
 * where the kernel's symbols did not tell it; the programs' names of perf events; names and members
 * of those of struct_ops. False: no memory.
 */
bool trampolines_name(struct trampolines *trampolines, const struct programs *programs);
bool perf_progs_name(struct perf_progs *progs, const struct programs *programs);
bool struct_ops_name(struct struct_ops_list *list, const struct programs *programs);

/* A scheduler's: sched_ext_ops, or since 7.x sched_ext_ops_cid. */
bool struct_ops_are_sched_ext(const struct struct_ops *ops);

#endif
