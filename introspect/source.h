/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a stopped guest is read from: QEMU's GDB stub, or a fixture in the tests. Nothing
 * above this interface knows which.
 */
#ifndef KT_INTROSPECT_SOURCE_H
#define KT_INTROSPECT_SOURCE_H

#include "introspect/memory.h"

struct rsp_client;

struct source {
	void *context;
	/*
	 * Registers of all vCPUs: (*values_ret)[cpu * n_names + i], which the caller frees.
	 * At least one vCPU.
	 */
	struct kt_error *(*registers)(void *context, const char *const *names, size_t n_names,
				      uint64_t **values_ret, size_t *n_cpus_ret);
	/* The vCPU whose page table read_virtual goes through from now on. */
	struct kt_error *(*select)(void *context, size_t cpu);
	gmem_read_fn *read_virtual;  /* its source argument is context */
	gmem_read_fn *read_physical; /* likewise; NULL: this source cannot */
};

/* The stub as a source. The client stays the caller's and must outlive it. */
struct source source_from_stub(struct rsp_client *client);

#endif
