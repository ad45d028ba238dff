/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A scheduler in a guest of ours: booted, read from outside while it is attached, and its end. The
 * one room that knows both how guests are run (vm/) and how they are read (introspect/).
 */
#ifndef KT_COLLECT_VERIFIER_H
#define KT_COLLECT_VERIFIER_H

#include "introspect/inspect.h"
#include "model/verdict.h"
#include "vm/session.h"

struct kt_collect {
	const struct vm_config *vm;
	const struct vm_load *load; /* its `scheduler` is set */
	const struct kfacts *facts; /* of the kernel, enough for INSPECT_SCX, too */
	int64_t timeout_ms;      /* of the whole run, but a guest that dies while it boots gets it
					anew; 0: 300000 */
	struct rsp_options stub; /* how the guest is read */
	/* The scheduler's output as it comes; may be NULL. */
	void (*output)(void *arg, int stream, const void *data, size_t len);
	void *output_arg;
};

struct kt_collected {
	struct kt_verifier_vm_result result;
	struct inspection inspection; /* of the last time that it was read; zeroed: never */
	int64_t boot_ns, load_ns;     /* to init, and from there to ready */
};

/*
 * Boots, runs, reads, and tears down. What became of the scheduler is the result, whether good or
 * bad; an error is what kept it from being found out: KT_ERROR_UNSUPPORTED, a kernel without
 * sched_ext (found before anything is booted); those of vm/session.h, while the guest boots or when
 * QEMU ends; those of introspect/inspect.h. *ret, which the caller zeroed and gives to
 * kt_collected_deinit(), has result.console also then.
 */
struct kt_error *kt_collect_verifier_output(const struct kt_collect *collect,
					    struct kt_collected *ret);
void kt_collected_deinit(struct kt_collected *collected);

#endif
