/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sweep is declared in a file, with schedulers, kernels and topologies. Its cells are all
 * combinations that the limits of the schedulers allow.
 *
 *	schedulers = (
 *		{ name = "mine"; scheduler = "./scx_mine"; args = ["-v"]; cpus = [1, 64]; },
 *		{ name = "probes"; objects = ["probes.bpf.o"];
 *		  sets = ( { name = "n1"; set = ["nr_nodes=1"]; },
 *			   { name = "n24"; set = ["nr_nodes=24"]; rodata = "map.json"; } ); }
 *	);
 *	kernels = ( "debian:trixie-backports/6.18", { name = "next"; image = "./vmlinuz"; } );
 *	topologies = ( "4cpu-1llc-nosmt", "9cpu-3llc-nosmt" );
 *	timeout = 120; retries = 1; workload = "pipe";
 *
 * The format is libconfig's, which every distribution has: there is no TOML library for C in
 * Debian, and a format of our own would need a parser of our own.
 */
#ifndef KT_SWEEP_PLAN_H
#define KT_SWEEP_PLAN_H

#include "util/error.h"
#include "util/vec.h"
#include "vm/topology.h"

struct sweep_range {
	unsigned min, max; /* inclusive; max 0: no limit */
};

struct sweep_strings {
	KT_VEC(char *) v;
};

/*
 * A workload is what vm_workload_parse() takes, with the path of a command absolute.
 *
 * A scheduler to run, or BPF objects to load. Paths are absolute. An entry with sets is a scheduler
 * for each of them, "NAME+SET".
 */
struct sweep_scheduler {
	char *name;
	size_t entry_len; /* of name: what the entry is called, without "+SET" */
	char *scheduler;  /* the binary; NULL: `objects` are loaded */
	struct sweep_strings args, files, objects;
	struct sweep_range cpus, llcs, numa_nodes; /* on which topologies it can run */
	struct sweep_strings set;                  /* "VAR=VALUE", "VAR=@FILE", or "@FILE" */
	char *rodata;                              /* a file; NULL: none */
	char *workload;                            /* for a binary; NULL: that of the plan */
	unsigned line;                             /* of the entry, or of its set */
};

/* Whether name is the scheduler's, or that of its entry. */
bool sweep_scheduler_is(const struct sweep_scheduler *scheduler, const char *name);

struct sweep_kernel {
	char *name;
	char *image; /* an absolute path, or what kt_fetch_parse() takes: "debian:SUITE" */
};

struct sweep_plan {
	char *path; /* of the file, absolute */
	KT_VEC(struct sweep_scheduler) schedulers;
	KT_VEC(struct sweep_kernel) kernels;
	KT_VEC(const struct vm_topology *) topologies;
	unsigned timeout_s; /* for each try of a cell; 0: not given */
	unsigned retries;
	char *accel, *append, *workload; /* NULL: not given */
};

/*
 * Reads the file and checks all of it: names are unique and have no "/", topologies are presets,
 * settings are known. It does not check that schedulers and kernels exist, nor variables of sets.
 * Errors: KT_ERROR_OS; KT_ERROR_FORMAT, with the file, the line, and what is expected there.
 * sweep_plan_deinit() frees *ret.
 */
struct kt_error *sweep_plan_read(const char *path, struct sweep_plan *ret);
void sweep_plan_deinit(struct sweep_plan *plan);

struct sweep_cell {
	char *name; /* "verifier/SCHEDULER/KERNEL/TOPOLOGY" */
	const struct sweep_scheduler *scheduler;
	const struct sweep_kernel *kernel;
	const struct vm_topology *topology;
};

struct sweep_cells {
	KT_VEC(struct sweep_cell) v;
	size_t n_rejected; /* combinations that a scheduler's limits rule out */
};

/*
 * Lists cells in the order of the file: those whose name matches one of n globs (fnmatch(3), with
 * or without "verifier/"; n 0: all), of one scheduler (sweep_scheduler_is(); NULL: of all). plan
 * has to outlive *ret. sweep_cells_deinit() frees *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *sweep_plan_cells(const struct sweep_plan *plan, const char *const *globs, size_t n,
				  const char *scheduler, struct sweep_cells *ret);
void sweep_cells_deinit(struct sweep_cells *cells);

#endif
