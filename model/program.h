/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A BPF program as the guest's kernel has it. Plain data.
 */
#ifndef KT_MODEL_PROGRAM_H
#define KT_MODEL_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "model/holders.h"

/* A number that is not known if this kernel does not have it, or it could not be read. */
struct program_number {
	bool known;
	uint64_t value;
};

struct program {
	uint32_t id;
	char *type;      /* as bpftool names it, "sched_cls"; NULL: unknown */
	char name[16];   /* aux->name, at most 15 characters; "" for none */
	char *full_name; /* from the program's BTF where name may be cut; NULL: unknown */
	char tag[17];    /* 16 hex digits */
	bool gpl_known, gpl_compatible;
	struct program_number verified_insns; /* instructions processed; since Linux 5.16 */
	struct program_number bytes_xlated;
	struct program_number bytes_jited; /* all subprograms together; 0: not jited */
	struct program_number loaded_at;   /* seconds since 1970, by the guest's clock */
	struct program_number uid;
	struct program_number btf_id; /* 0: the program has no BTF */
	struct program_number run_cnt, run_time_ns, recursion_misses; /* over all CPUs */
	struct program_number bytes_memlock; /* as fdinfo has it: whole pages of instructions */
	struct program_number orphaned;      /* 1: it was loaded for a device that is gone */
	struct program_number sleepable, xdp_has_frags;
	/* "cgroup_inet4_connect"; NULL: none, or unknown. */
	char *expected_attach_type;
	/* The type in the BTF of the kernel, a module or a program that it is for; 0: none. */
	struct program_number attach_btf_id;
	struct program_number attach_btf_obj_id; /* the object that has it; 0: none */
	char *attach_btf_name;   /* its name, or a struct_ops' member's; NULL: none, or unknown */
	char *attach_btf_module; /* that has it; NULL: none, or unknown */
	/* Of each subprogram, the main program first; of a program without subprograms its own. */
	char (*prog_tags)[17];
	size_t n_prog_tags;
	bool prog_tags_known;
	uint32_t *map_ids; /* in the program's order */
	size_t n_map_ids;
	bool map_ids_known;
	/*
	 * Its variables "bpf_metadata_NAME", as bpftool has them: a JSON object by NAME, "{}" if it
	 * has none; NULL: unknown, or nobody asked for it.
	 */
	char *metadata;
	struct held held; /* borrowed of a struct holdings */
};

struct programs {
	struct program *all; /* by id */
	size_t n;
	size_t n_unreadable; /* entries of the IDR that could not be read, not in all */
};

/* sched_ext's state. Zeroed if the kernel has no sched_ext, or nobody asked for it. */
struct scx_state {
	bool known;     /* whether `state` is; an unknown ops is "" */
	bool is_number; /* the kernel's types have no name for the state */
	char state[16]; /* as /sys/kernel/sched_ext/state has it: "enabled"; or a number */
	char ops[128];  /* the attached scheduler, as in .../root/ops; "": none, or unknown */
};

static inline int program_compare_id(const void *id, const void *program)
{
	uint32_t a = *(const uint32_t *)id, b = ((const struct program *)program)->id;

	return a < b ? -1 : a > b;
}

/* The program with that ID, or NULL. */
static inline struct program *programs_find(const struct programs *programs, uint32_t id)
{
	if (!programs->n)
		return NULL;
	return (struct program *)bsearch(&id, programs->all, programs->n, sizeof(*programs->all),
					 program_compare_id);
}

/* Frees the strings and arrays of a program, and zeroes it. */
static inline void program_deinit(struct program *program)
{
	free(program->type);
	free(program->full_name);
	free(program->map_ids);
	free(program->expected_attach_type);
	free(program->attach_btf_name);
	free(program->attach_btf_module);
	free(program->metadata);
	free(program->prog_tags);
	*program = (struct program){0};
}

static inline void programs_deinit(struct programs *programs)
{
	for (size_t i = 0; i < programs->n; i++)
		program_deinit(&programs->all[i]);
	free(programs->all);
	*programs = (struct programs){0};
}

#endif
