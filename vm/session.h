/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a kernel and what to load to a guest in which it is loaded: boots, gathers what the
 * guest says until it is ready to be looked at.
 */
#ifndef KT_VM_SESSION_H
#define KT_VM_SESSION_H

#include "util/buf.h"
#include "util/vec.h"
#include "vm/sched.h"
#include "vm/vm.h"

struct vm_program {
	int error;            /* errno of the load, 0: it passed and is held in the guest */
	uint32_t id;          /* the kernel's id for it, 0 when not loaded */
	size_t object;        /* index into vm_load.objects */
	char *section, *name; /* empty when the object itself is bad */
	char *log;            /* libbpf's words, NUL-terminated; empty when it passed */
	size_t log_len;       /* bytes */
	size_t log_dropped;   /* bytes left out of the middle of log, which says so too */
};

struct vm_results {
	KT_VEC(struct vm_program) programs; /* in the order of the objects and in them */
	struct kt_buf output;               /* of the payload, stdout and stderr as they came */
	char *ready_reason; /* of a scheduler "STATE OPS", as the guest sees sched_ext; else "", or
			     * of a payload: "settled", "exited", "no programs appeared", "still
			     * loading"; NULL when it never got that far */
	bool exited;        /* the payload has ended: exit_status is its wait status */
	int exit_status;
	struct vm_sched_results sched; /* of a scheduler */
	char *death;     /* of a guest that died: its last word, or that it had none: */
	bool wordless;   /* it was reset, or went down, without one */
	char *console;   /* on failure: the last lines of the guest's console, or NULL */
	unsigned boots;  /* how often a guest was started */
	int64_t boot_ns; /* of the last one: from QEMU's start to init */
	int64_t load_ns; /* from there to ready */
};

void vm_results_init(struct vm_results *results);
void vm_results_deinit(struct vm_results *results);

struct vm_session_options {
	int64_t timeout_ms; /* for booting and loading, each boot anew; 0: 120000 */
	unsigned max_boots; /* how often to boot again a guest that died in booting; 0: 3 */
	/* Called with the payload's output as it comes (stream 1 or 2); may be NULL. */
	void (*output)(void *arg, int stream, const void *data, size_t len);
	void *output_arg;
	/* Called when a scheduler has attached: it may be gone before it is ready. May be NULL. */
	void (*attached)(void *arg, struct vm *vm);
	void *attached_arg;
};

/*
 * Returns a guest that is ready, for vm_gdb_target() to be read. results, which the caller
 * initialised, holds what was gathered also on failure. Errors: those of vm_start() and
 * vm_next_event(), and
 *	CLOSED  the guest died of its own (its last words are in the message): not a fault
 *		of what was loaded unless it happens again, the caller may try once more
 *	OS      QEMU ended of itself, at start or later; its words are in the message
 */
struct kt_error *vm_session_start(const struct vm_config *config, const struct vm_load *load,
				  const struct vm_session_options *options,
				  struct vm_results *results, struct vm **ret);

/*
 * Something failed with a guest that is ready, its stub maybe: has the guest ended, or is it about
 * to? Waits a second at most, in which it gathers what the guest says. True: *why_ret is the error,
 * as above, which the caller owns.
 */
bool vm_session_has_ended(struct vm *vm, const struct vm_session_options *options,
			  struct vm_results *results, struct kt_error **why_ret);

/*
 * Of a scheduler, after vm_session_start(): tells the guest that it was read, and gathers what it
 * says until it has powered off. vm stays the caller's. Errors: as above, with results->console
 * set. What is missing then, results->sched tells.
 */
struct kt_error *vm_session_finish(struct vm *vm, const struct vm_session_options *options,
				   struct vm_results *results);

#endif
