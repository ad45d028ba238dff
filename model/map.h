/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BPF maps and links as the guest's kernel has them. Plain data, as in model/program.h. */
#ifndef KT_MODEL_MAP_H
#define KT_MODEL_MAP_H

#include "model/program.h"

struct map {
	uint32_t id;
	char *type;    /* as bpftool names it, "percpu_hash"; NULL: unknown */
	char name[16]; /* at most 15 characters; "" for none */
	struct program_number flags, bytes_key, bytes_value, max_entries;
	struct program_number frozen; /* 1: user space may no longer write */
	struct program_number btf_id; /* 0: the map has no BTF */
	struct program_number bytes_memlock;
	struct held held; /* borrowed, as a program's */
};

struct maps {
	struct map *all; /* by id */
	size_t n;
	size_t n_unreadable; /* entries of the IDR that could not be read, and are not in `all` */
};

/* A function that a kprobe_multi or uprobe_multi link is attached to. */
struct link_func {
	struct program_number addr;                   /* kprobe_multi: in this boot */
	struct program_number offset, ref_ctr_offset; /* uprobe_multi: bytes in the file */
	struct program_number cookie;
	char *func;   /* kprobe_multi: the function; NULL: unknown */
	char *module; /* that it is in; NULL: the kernel's own, or unknown */
};

/* Which members are known depends on the type of the link. All texts may be NULL. */
struct link {
	uint32_t id;
	char *type; /* as bpftool names it, "raw_tracepoint"; NULL: unknown */
	struct program_number prog_id;
	char *prog_type;   /* as bpftool names it */
	char *attach_type; /* likewise, "trace_fentry" */
	char *tp_name;     /* of a raw tracepoint */
	char *target_name; /* what an iterator walks */
	struct program_number target_obj_id, target_btf_id;
	struct program_number cgroup_id, netns_ino, map_id;
	struct program_number ifindex; /* 0: the device is gone */
	char *devname;
	char *order; /* how a cgroup's iterator walks: "self_only" */
	struct program_number tid, pid;
	struct program_number cookie;
	char *perf_type; /* of a perf_event: kprobe, kretprobe, uprobe, uretprobe, tracepoint, event
			  */
	struct program_number retprobe; /* 1: it runs when the function returns */
	struct program_number addr;     /* of a kprobe, in this boot */
	char *func;                     /* of a kprobe; "": it was given by its address */
	struct program_number offset;   /* of a kprobe in func, of a uprobe in file; bytes */
	char *file;                     /* of a uprobe */
	struct program_number ref_ctr_offset;
	struct program_number missed; /* how often a kprobe did not run */
	char *tracepoint;
	struct program_number event_type, event_config; /* perf_event_attr's type and config */
	char *event_type_name, *event_config_name;      /* as perf names them; NULL: it does not */
	char *path;                                     /* of a uprobe_multi */
	struct program_number func_cnt;
	struct link_func *funcs; /* kprobe_multi: by addr, else in the link's order */
	size_t n_funcs;
	bool funcs_known;
	struct program_number pf, hook, prio, flags; /* netfilter; prio is an int64_t */
	struct held held;                            /* borrowed, as a program's */
};

struct links {
	struct link *all; /* by id */
	size_t n;
	size_t n_unreadable;
};

static inline void maps_deinit(struct maps *maps)
{
	for (size_t i = 0; i < maps->n; i++)
		free(maps->all[i].type);
	free(maps->all);
	*maps = (struct maps){0};
}

/* Frees the strings and arrays of a link, and zeroes it. */
static inline void link_deinit(struct link *link)
{
	char *const texts[] = {
		link->type,
		link->prog_type,
		link->attach_type,
		link->tp_name,
		link->devname,
		link->target_name,
		link->order,
		link->perf_type,
		link->func,
		link->file,
		link->tracepoint,
		link->path,
		link->event_type_name,
		link->event_config_name,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	for (size_t i = 0; i < link->n_funcs; i++)
		free(link->funcs[i].func), free(link->funcs[i].module);
	free(link->funcs);
	*link = (struct link){0};
}

static inline void links_deinit(struct links *links)
{
	for (size_t i = 0; i < links->n; i++)
		link_deinit(&links->all[i]);
	free(links->all);
	*links = (struct links){0};
}

#endif
