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
	 * Registers of the vCPUs [first, end), fewer where there are fewer:
	 * (*values_ret)[i * n_names + name], which the caller frees. *n_cpus_ret: all vCPUs.
	 */
	struct kt_error *(*registers)(void *context, size_t first, size_t end,
				      const char *const *names, size_t n_names,
				      uint64_t **values_ret, size_t *n_cpus_ret);
	/* The vCPU whose page table read_virtual goes through from now on. */
	struct kt_error *(*select)(void *context, size_t cpu);
	gmem_read_fn *read_virtual;  /* its source argument is context */
	gmem_read_fn *read_physical; /* likewise; NULL: this source cannot */
	/* A command of QEMU's monitor, as rsp_client_monitor(); NULL: this source has none. */
	struct kt_error *(*monitor)(void *context, const char *command, char **ret);
};

/*
 * Why a guest's kernel was not found, once more: for a confidential guest (SEV, TDX, Secure
 * Execution, CCA) the reason is that nobody outside may read its registers or its memory. Takes
 * err, and gives it back, or the error that says so (KT_ERROR_UNSUPPORTED). Accepts NULL.
 */
struct kt_error *source_explain(const struct source *source, struct kt_error *err);

/* The stub as a source. The client stays the caller's and must outlive it. */
struct source source_from_stub(struct rsp_client *client);

#endif
