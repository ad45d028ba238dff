/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Not a public header. What is attached to the cgroups of a guest: plain data. */
#ifndef KT_MODEL_CGROUP_H
#define KT_MODEL_CGROUP_H

#include "model/program.h"

/* A program that is attached to a cgroup, or (effective) that runs for its processes. */
struct cgroup_program {
	/* The cgroup. */
	char *cgroup; /* its directory in the guest's file system; NULL: it is not mounted, or
			 unknown */
	char *path;   /* the same below the root of cgroups: "/a/b"; NULL: unknown */
	struct program_number cgroup_id;
	struct program_number dead; /* 1: it was removed, and something still holds it */

	struct program_number id;
	char *name;        /* whole; NULL: unknown */
	char *type;        /* the program's, as bpftool names it; NULL: unknown */
	char *attach_type; /* as bpftool names it, "cgroup_inet_ingress"; NULL: unknown */
	struct program_number attach_flags; /* BPF_F_ALLOW_*; not of effective programs */
	struct program_number link_id;      /* 0: attached without a link; likewise */
	struct program_number attach_btf_id, attach_btf_obj_id; /* as in struct program */
	char *attach_btf_name;
};

struct cgroups {
	struct cgroup_program *all; /* by path; those of one cgroup by what they are attached to */
	size_t n;
	size_t n_cgroups;    /* of the guest, with and without programs */
	size_t n_unreadable; /* lists that end in what is not mapped, and may have had more */
	bool effective;      /* what runs, and not what is attached */
};

static inline void cgroup_program_deinit(struct cgroup_program *program)
{
	free(program->cgroup);
	free(program->path);
	free(program->name);
	free(program->type);
	free(program->attach_type);
	free(program->attach_btf_name);
	*program = (struct cgroup_program){0};
}

static inline void cgroups_deinit(struct cgroups *cgroups)
{
	for (size_t i = 0; i < cgroups->n; i++)
		cgroup_program_deinit(&cgroups->all[i]);
	free(cgroups->all);
	*cgroups = (struct cgroups){0};
}

#endif
