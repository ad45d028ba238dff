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
};

struct maps {
	struct map *all; /* by id */
	size_t n;
	size_t n_unreadable; /* entries of the IDR that could not be read, and are not in `all` */
};

/* Which members are known depends on the type of the link. */
struct link {
	uint32_t id;
	char *type; /* as bpftool names it, "raw_tracepoint"; NULL: unknown */
	struct program_number prog_id;
	char *prog_type;   /* as bpftool names it */
	char *attach_type; /* likewise, "trace_fentry" */
	char *tp_name;     /* of a raw tracepoint */
	char *target_name; /* what an iterator walks */
	struct program_number target_obj_id, target_btf_id;
	struct program_number cgroup_id, netns_ino, ifindex, map_id, func_cnt;
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

static inline void links_deinit(struct links *links)
{
	for (size_t i = 0; i < links->n; i++) {
		struct link *link = &links->all[i];

		free(link->type);
		free(link->prog_type);
		free(link->attach_type);
		free(link->tp_name);
		free(link->target_name);
	}
	free(links->all);
	*links = (struct links){0};
}

#endif
