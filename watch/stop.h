/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stop at hand: which vCPU stopped and where, reading memory through it, and getting it to run
 * on. Internal to watch/.
 */
#ifndef KT_WATCH_STOP_H
#define KT_WATCH_STOP_H

#include "memory/source.h"
#include "memory/view.h"
#include "watch/arch.h"

struct stop {
	struct rsp_client *client;
	const struct watch_arch *arch;
	struct source source;
	bool big_endian;
	bool no_percpu; /* built without SMP: WATCH_CURRENT is 0 */
	const char *names[WATCH_REGISTERS];

	/* Of this stop: */
	struct rsp_stop told; /* by the stub */
	int64_t since_ns;     /* in kt_now_ns() time */
	uint64_t registers[WATCH_REGISTERS];
	uint8_t code[WATCH_CODE_LEN]; /* at the program counter */
	bool code_known;
	struct rsp_write writes[WATCH_WRITES]; /* to do when it runs on */
	size_t n_writes;

	int64_t stood_ns; /* how long all stops together took that are over */
};

/* The guest's own time when it stopped, from some moment on: it stands still while the guest does.
 */
static inline int64_t stop_guest_ns(const struct stop *stop)
{
	return stop->since_ns - stop->stood_ns;
}

/* False: no memory. */
bool stop_wants(struct wants *wants);

/* client and facts stay the caller's; the guest is stopped. */
void stop_init(struct stop *stop, struct rsp_client *client, const struct watch_arch *arch,
	       const struct kfacts *facts);

/* Waits for the next stop, as rsp_client_wait(). */
struct kt_error *stop_wait(struct stop *stop, int64_t wait_ms);

/* Stops the guest, as rsp_client_interrupt(). A breakpoint may come first. */
struct kt_error *stop_interrupt(struct stop *stop);

/* Fetches the registers of the vCPU that stopped; memory is read through its page table then. */
struct kt_error *stop_registers(struct stop *stop);

struct gmem stop_memory(const struct stop *stop);

/* The same, and the memory of the process whose system call that vCPU is in. */
struct gmem stop_loader_memory(struct stop *stop);

/* Reads the batch, and empties it. *complete: nothing was unreadable. */
struct kt_error *stop_read(struct stop *stop, struct gmem_batch *batch, bool *complete);

/*
 * The same, and in the same round trip the code at the program counter: ftrace may have patched it
 * since the breakpoint was set. *complete does not tell of the code.
 */
struct kt_error *stop_read_with_code(struct stop *stop, struct gmem_batch *batch, bool *complete);

/* Gets the vCPU past the breakpoint that it stands on: it would stop there again at once. */
struct kt_error *stop_pass(struct stop *stop);

/* Lets the guest run. */
struct kt_error *stop_resume(struct stop *stop);

#endif
