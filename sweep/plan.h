/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sweep, declared in a file: schedulers, kernels, topologies. Its cells are all combinations that
 * the schedulers' own limits allow.
 *
 *	schedulers = (
 *		{ name = "mine"; scheduler = "./scx_mine"; args = ["-v"]; cpus = [1, 64]; },
 *		{ name = "probes"; objects = ["probes.bpf.o"]; }
 *	);
 *	kernels = ( "debian:trixie-backports/6.18", { name = "next"; image = "./vmlinuz"; } );
 *	topologies = ( "4cpu-1llc-nosmt", "9cpu-3llc-nosmt" );
 *	timeout = 120; retries = 1;
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
	unsigned min, max; /* both count; max 0: no limit */
};

struct sweep_strings {
	KT_VEC(char *) v;
};

/* What is loaded: a scheduler that is run, or BPF objects. Paths are absolute. */
struct sweep_scheduler {
	char *name;
	char *scheduler; /* NULL: objects */
	struct sweep_strings args, files, objects;
	struct sweep_range cpus, llcs, numa_nodes; /* on which topologies it can run */
};

struct sweep_kernel {
	char *name;
	char *image; /* an absolute path, or "debian:SUITE", "debian:SUITE/SERIES" */
};

struct sweep_plan {
	KT_VEC(struct sweep_scheduler) schedulers;
	KT_VEC(struct sweep_kernel) kernels;
	KT_VEC(const struct vm_topology *) topologies;
	unsigned timeout_s; /* of a try of a cell; 0: not said */
	unsigned retries;
	char *accel, *append; /* NULL: not said */
};

/*
 * Reads the file. Everything in it is checked: names have no "/" and are given once, topologies are
 * presets, settings are known ones. Errors: OS; FORMAT, with the file, the line, and what is
 * expected there. sweep_plan_deinit() frees *ret.
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
 * The cells whose name matches glob (fnmatch(3); with or without "verifier/"; NULL: all), of one
 * scheduler (NULL: of all), in the order of the file. plan has to outlive *ret.
 */
struct kt_error *sweep_plan_cells(const struct sweep_plan *plan, const char *glob,
				  const char *scheduler, struct sweep_cells *ret);
void sweep_cells_deinit(struct sweep_cells *cells);

#endif
