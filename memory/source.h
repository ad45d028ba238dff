/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stopped guest to read from: QEMU's GDB stub, or a fixture in the tests. The code that uses it
 * does not know which.
 */
#ifndef KT_MEMORY_SOURCE_H
#define KT_MEMORY_SOURCE_H

#include "memory/memory.h"

struct rsp_client;

struct source {
	void *context;
	/*
	 * Registers of the vCPUs [first, end), fewer where there are fewer:
	 * (*values_ret)[i * n_names + name], which the caller frees. *n_cpus_ret: all vCPUs.
	 */
	struct kt_error *(*registers)(void *context, size_t first, size_t end,
				      const char *const *names, size_t n_names,
				      uint64_t **values_ret, size_t *n_cpus_ret);
	/* From now on, read_virtual goes through the page table of this vCPU. */
	struct kt_error *(*select)(void *context, size_t cpu);
	gmem_read_fn *read_virtual;  /* its source argument is context */
	gmem_read_fn *read_physical; /* likewise; NULL: this source cannot */
	/* A command of QEMU's monitor, as rsp_client_monitor(); NULL: this source has none. */
	struct kt_error *(*monitor)(void *context, const char *command, char **ret);
};

/*
 * Explains why a guest's kernel was not found, if the guest is a confidential one (SEV, TDX, Secure
 * Execution, CCA): nobody outside may read its registers or its memory. Takes err, and returns it
 * or, for such a guest, a KT_ERROR_UNSUPPORTED. Accepts NULL.
 */
struct kt_error *source_explain(const struct source *source, struct kt_error *err);

/*
 * Pieces of physical memory in a short stop of a guest that runs (rsp_client_glance()), at most
 * RSP_GLANCE_MAX bytes, so that the guest waits for nobody.
 */
struct kt_error *source_glance(struct rsp_client *client, struct gmem_read *reads, size_t count,
			       int64_t *stopped_ns_ret);

/* The stub as a source. The client stays the caller's and must outlive it. */
struct source source_from_stub(struct rsp_client *client);

#endif
