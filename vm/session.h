/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Boots a guest, lets it load BPF objects or run a program, and gathers its events until it is
 * ready to be read.
 */
#ifndef KT_VM_SESSION_H
#define KT_VM_SESSION_H

#include "util/buf.h"
#include "util/vec.h"
#include "vm/sched.h"
#include "vm/vm.h"

struct vm_program {
	int error;             /* errno of the load, 0: it passed and is held in the guest */
	uint32_t id;           /* the kernel's id for it, 0 when not loaded */
	size_t object;         /* index into vm_load.objects */
	char *section, *name;  /* empty when the object itself is bad */
	char *type;            /* "xdp", as bpftool has it; empty: libbpf knows none */
	enum kt_attach attach; /* of load.attach: what came of it */
	enum kt_test_run ran;
	uint32_t retval;    /* of the run; one that was refused: its errno */
	char *place;        /* what it was attached to, or why it was not; may be empty */
	char *log;          /* NUL-terminated. It failed: libbpf's words, the kernel's log in them;
			     * it passed: the kernel's log, between the same markers */
	size_t log_len;     /* bytes */
	size_t log_dropped; /* bytes left out of the middle of log, which says so too */
};

struct vm_results {
	KT_VEC(struct vm_program) programs; /* in the order of the objects and in them */
	size_t left_out;      /* programs that load.name_globs or load.types did not let through */
	struct kt_buf output; /* of the payload, stdout and stderr as they came */
	uint64_t output_dropped; /* bytes of it that were too many to keep */
	char *ready_reason; /* of a scheduler "STATE OPS", as the guest sees sched_ext; else "", or
			     * of a payload: "settled", "exited", "exited, no programs", "no
			     * programs appeared", "still loading"; NULL when it never got that
			     * far */
	bool exited;        /* the payload has ended: exit_status is its wait status */
	int exit_status;
	struct vm_sched_results sched; /* of a scheduler */
	char *death;     /* if the guest died: its last console line, or a text that says that
			  * there is none; else NULL */
	bool wordless;   /* the guest died without such a line */
	char *console;   /* on failure: the last lines of the guest's console, or NULL */
	unsigned boots;  /* how many guests were started */
	int64_t boot_ns; /* of the last guest: from the start of QEMU to init */
	int64_t load_ns; /* from there to ready */
};

void vm_results_init(struct vm_results *results);
void vm_results_deinit(struct vm_results *results);

struct vm_session_options {
	int64_t timeout_ms; /* for booting and loading; each boot has as long; 0: 120000 */
	unsigned max_boots; /* how many guests to start if they die while they boot; 0: 3 */
	/* Called with the payload's output as it comes (stream 1 or 2); may be NULL. */
	void (*output)(void *arg, int stream, const void *data, size_t len);
	void *output_arg;
	/* Called when the payload is about to start. May be NULL. */
	void (*started)(void *arg, struct vm *vm);
	/* Called when a scheduler has attached, since it may have ended by READY. May be NULL. */
	void (*attached)(void *arg, struct vm *vm);
	void *hook_arg;
};

/*
 * Returns a guest that is ready to be read at vm_gdb_target(). The caller has initialised results,
 * which has what was gathered on failure, too. Errors: those of vm_start() and vm_next_event(), and
 *	CLOSED  the guest died (its last line is in the message). If it dies again in a second try,
 *		what was loaded is the reason
 *	OS      QEMU exited, at start or later; its messages are in the error's
 */
struct kt_error *vm_session_start(const struct vm_config *config, const struct vm_load *load,
				  const struct vm_session_options *options,
				  struct vm_results *results, struct vm **ret);

/*
 * After an error of a guest that was ready, of its stub for example: has the guest ended? Gathers
 * events for a second at most. True: *why_ret is why, as for vm_session_start(), and the caller's.
 */
bool vm_session_has_ended(struct vm *vm, const struct vm_session_options *options,
			  struct vm_results *results, struct kt_error **why_ret);

/*
 * After vm_session_start() of a scheduler: tells the guest that it has been read, and gathers its
 * events until it has powered off. vm stays the caller's. Errors: as for vm_session_start(), with
 * results->console set; results->sched then has what came before.
 */
struct kt_error *vm_session_finish(struct vm *vm, const struct vm_session_options *options,
				   struct vm_results *results);

#endif
