/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The presets of qemu-configs/topologies/: NUMA nodes, last-level caches, cores and threads, as
 * the guest's kernel has them in /sys. Each cache is a socket (docs/notes.md says why).
 */
#ifndef KT_VM_TOPOLOGY_H
#define KT_VM_TOPOLOGY_H

#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

struct vm_topology {
	const char *name;
	unsigned numa_nodes, llcs, cores_per_llc, threads_per_core;
	unsigned memory_mib; /* of the guest, split evenly between its nodes */
	unsigned cpus;       /* the product of llcs, cores and threads */
};

/* All presets, in spec order; of static storage, like all that is returned here. */
const struct vm_topology *vm_topologies(size_t *n_ret);

/* NULL: there is none of that name. */
const struct vm_topology *vm_topology_by_name(const char *name);

/* The highest APIC id: numbers of cores and threads are rounded up to powers of two in it. */
unsigned vm_topology_max_apic_id(const struct vm_topology *topology);

/* The -cpu for QEMU with which the guest sees the caches. accel: kvm or tcg. */
const char *vm_topology_cpu(const char *accel);

/*
 * Appends the preset's lines for -readconfig. memory_mib, unless it is 0, takes the place of the
 * preset's memory, rounded down to a multiple of the nodes. Check kt_buf_failed(out).
 */
void vm_topology_write(const struct vm_topology *topology, unsigned memory_mib, struct kt_buf *out);

/* The limits of a host. */
struct vm_topology_limits {
	const char *accel;      /* kvm or tcg, with or without options */
	uint64_t memory_mib;    /* of the host; 0: not known */
	unsigned max_cpus;      /* of the accelerator; 0: not known */
	unsigned max_apic_id;   /* likewise */
	unsigned qemu_max_cpus; /* of QEMU's machine */
};

/* Those of this host; accel as in struct vm_config. Takes microseconds, and starts nothing. */
void vm_topology_limits(const char *accel, struct vm_topology_limits *ret);

/*
 * Checks, before anything is booted, that a guest can have the topology within these limits.
 * KT_ERROR_UNSUPPORTED, with the reason: it cannot; a sweep skips it, and that is no failure.
 * memory_mib is as in vm_topology_write().
 */
struct kt_error *vm_topology_check(const struct vm_topology *topology, unsigned memory_mib,
				   const struct vm_topology_limits *limits);

#endif
