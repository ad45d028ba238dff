/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a scheduler in a guest: boots, reads the guest from outside while the scheduler is attached,
 * and follows it to its end. This is the only room that knows both how guests are run (vm/) and how
 * they are read (introspect/).
 */
#ifndef KT_COLLECT_VERIFIER_H
#define KT_COLLECT_VERIFIER_H

#include "introspect/inspect.h"
#include "model/sched_event.h"
#include "model/verdict.h"
#include "vm/session.h"

struct kt_collect {
	const struct vm_config *vm;
	const struct vm_load *load; /* its `scheduler` is set */
	const struct kfacts *facts; /* of the kernel; enough for INSPECT_PROGRAMS and INSPECT_SCX */
	int64_t timeout_ms; /* for the whole run, anew after each guest that dies booting; 0: 300000
			     */
	struct rsp_options stub; /* how the guest is read */
	/* Called with the scheduler's output as it comes; may be NULL. */
	void (*output)(void *arg, int stream, const void *data, size_t len);
	void *output_arg;
	/*
	 * Makes a document of a scheduler's end that was watched, as render/sched_dump.h does.
	 * Called in a child that can open no file (collect/watcher.h). NULL: ends are not watched.
	 * For facts that suffice for INSPECT_LOADS and INSPECT_SCHED_EVENTS.
	 */
	struct kt_error *(*dump)(void *arg, const struct sched_event *event, int64_t kaslr_offset,
				 char **ret);
	void *dump_arg;
};

struct kt_collected {
	struct kt_verifier_vm_result result;
	struct inspection
		inspection;       /* from the last time that the guest was read; zeroed: never */
	int64_t boot_ns, load_ns; /* from the start to init, and from there to ready */
	/*
	 * What the guest was like when the scheduler began to end, as sched_saved_read() takes it:
	 * of the first end that was a failure, or else of the last one. NULL: there is none, and
	 * no_dump says why, if ends were watched.
	 */
	char *dump, *no_dump;
};

/*
 * Boots, runs, reads, and tears down. A scheduler that fails is a result, not an error. Errors are
 * what prevented a result: KT_ERROR_UNSUPPORTED if the kernel has no sched_ext, which is found out
 * before the boot; those of vm/session.h while the guest boots or when QEMU ends; those of
 * introspect/inspect.h. The caller zeroes *ret before, and gives it to kt_collected_deinit()
 * afterwards. Also after an error it has result.console.
 */
struct kt_error *kt_collect_verifier_output(const struct kt_collect *collect,
					    struct kt_collected *ret);
void kt_collected_deinit(struct kt_collected *collected);

#endif
