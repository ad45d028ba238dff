/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client of QEMU's GDB stub: memory, registers, threads, resume.
 *
 * Connecting stops the guest; rsp_client_detach() is what makes it run again, and
 * rsp_client_destroy() does it too if nobody did. A client that vanishes without it
 * leaves the guest stopped for good (QEMU 7.2 to 11.1).
 */
#ifndef KT_GDBRSP_CLIENT_H
#define KT_GDBRSP_CLIENT_H

#include "gdbrsp/target.h"
#include "gdbrsp/types.h"
#include "util/error.h"

/*
 * Connects and gets the stub into a known state, whatever the client before left in it:
 * packet parser, breakpoints, physical-memory mode. Errors: nobody listens (OS), not a
 * GDB stub (PROTOCOL), silence because another debugger is attached (TIMEOUT). After an
 * error the guest runs as before, as far as the stub lets itself be talked to.
 */
struct kt_error *rsp_client_connect(const struct rsp_target *target,
				    const struct rsp_options *options, struct rsp_client **ret);

/* The same on a connected stream socket, which the client owns from here, success or not. */
struct kt_error *rsp_client_from_fd(int fd, const struct rsp_options *options,
				    struct rsp_client **ret);

/* Detaches if that was not done yet, ignoring errors. Accepts NULL. */
void rsp_client_destroy(struct rsp_client *client);

/*
 * Puts the stub's state back, resumes the guest (unless leave_stopped) and waits for the stub's
 * word that it did. Works also after an exchange that was cancelled or timed out.
 */
struct kt_error *rsp_client_detach(struct rsp_client *client);

/* All vCPUs, in the stub's order; at least one. *ret belongs to the client. */
struct kt_error *rsp_client_threads(struct rsp_client *client, const struct rsp_thread **ret,
				    size_t *count_ret);

/* The vCPU whose page table virtual reads go through from now on (`Hg`). */
struct kt_error *rsp_client_select(struct rsp_client *client, const struct rsp_thread *thread);

/*
 * Registers by name, as the target XML names them ("cr3", "efer", "cs", "TTBR1_EL1"), of
 * each of n_threads vCPUs: values[t * n_names + i], undefined after an error. One pipelined
 * batch. A name that the target does not have is KT_ERROR_NOT_FOUND; but one that begins with
 * "?" is 0 then. "SCTLR_EL1|SCTLR" is whichever of these it has, the first first. Registers wider
 * than 64 bits are refused (KT_ERROR_UNSUPPORTED).
 *
 * The values are those of the stop at hand, under KVM as well (gdbrsp/exchange.h).
 *
 * x86-64: when control registers or segment bases are asked for and none of these vCPUs has
 * CR0.PE, CR0.PG and EFER.LMA set, KT_ERROR_NOT_READY; but KT_ERROR_PROTOCOL when the registers
 * of one contradict each other, since waiting does not help then. (The XML names cs_base, ss_base,
 * ds_base and es_base in a comment, and the stub does not have them: who reads comments
 * finds every number from fs_base on wrong. The width of each value is checked as well.)
 */
struct kt_error *rsp_client_registers(struct rsp_client *client, const struct rsp_thread *threads,
				      size_t n_threads, const char *const *names, size_t n_names,
				      uint64_t *values);

/*
 * A command of QEMU's monitor (HMP), such as "info status": what it prints, which the caller frees.
 * Output of the monitor is for people, and differs between versions of QEMU: "unknown command:
 * 'x'" and "Error: ..." are output, too. KT_ERROR_UNSUPPORTED: this stub has no monitor; the
 * client is still good.
 */
struct kt_error *rsp_client_monitor(struct rsp_client *client, const char *command, char **ret);

/*
 * Reads any number of pieces in one pipelined batch. A piece that cannot be read has fault
 * set and is no error; an error means that the connection is of no more use.
 */
struct kt_error *rsp_client_read(struct rsp_client *client, enum rsp_space space,
				 struct rsp_read *reads, size_t count);

/*
 * A hardware breakpoint, set or removed. len: 1 on x86-64, 4 on aarch64. Detach and connect
 * remove all. KT_ERROR_UNSUPPORTED: the accelerator has none (left); the client is still good.
 */
struct kt_error *rsp_client_breakpoint(struct rsp_client *client, gaddr_t addr, size_t len,
				       bool set);

/*
 * The same of a write to one of the len bytes at addr: 1, 2, 4 or 8, and addr is a multiple of it.
 * The stop comes behind the instruction that wrote (QEMU's TCG, and KVM on x86; atomic ones, too),
 * so the guest may run on at once.
 */
struct kt_error *rsp_client_watchpoint(struct rsp_client *client, gaddr_t addr, size_t len,
				       bool set);

/*
 * Lets the guest run, and does not wait for anything. First, in the same flight, the registers
 * of `thread` are written that `writes` says (n_writes 0: none, and thread may be NULL). What
 * may follow: wait, interrupt, detach. Running time counts in pause_ns, which knows nothing of
 * this.
 *
 * A vCPU that stands on a breakpoint stops there again at once: move it on by a write, or
 * remove the breakpoint, step that vCPU, set it again. So do others that had come there when
 * one stopped the guest. QEMU may also stop the guest once more for a breakpoint that was
 * already told of.
 */
struct kt_error *rsp_client_resume(struct rsp_client *client, const struct rsp_thread *thread,
				   const struct rsp_write *writes, size_t n_writes);

/*
 * Waits for the guest to stop by itself, at most wait_ns: 0 for the options' timeout, -1 for
 * ever. KT_ERROR_TIMEOUT and KT_ERROR_CANCELLED: it still runs, nothing is lost, and this may be
 * called again. KT_ERROR_CLOSED: QEMU ended.
 */
struct kt_error *rsp_client_wait(struct rsp_client *client, int64_t wait_ns, struct rsp_stop *ret);

/*
 * This process was stopped by a signal, and the guardian let the guest go (gdbrsp/guardian.h). Then
 * a call failed with KT_ERROR_CLOSED though QEMU and the guest are well.
 */
bool rsp_client_was_let_go(const struct rsp_client *client);

/* The guest was resumed, and no stop of it is known. */
bool rsp_client_runs(const struct rsp_client *client);

/*
 * Stops a guest that runs. *ret tells why it stopped: 2 it was this; 5 a breakpoint came first.
 * The cancel_fd does not count here.
 */
struct kt_error *rsp_client_interrupt(struct rsp_client *client, struct rsp_stop *ret);

/*
 * A short stop, all in one flight: stops a guest that runs, reads, and lets it run again. QEMU has
 * all of it at once, and needs no more of this process. So the guest does not wait for it, however
 * busy this host is, as long as the replies fit into the socket: RSP_GLANCE_MAX bytes do.
 *
 * *stopped_ns_ret: when the stub's word of the stop came, in kt_now_ns() time. A piece that cannot
 * be read has fault set. If the guest had stopped by itself before, it runs afterwards, too: ask
 * rsp_client_wait() ahead. After an error only detach is left. The cancel_fd does not count here.
 */
#define RSP_GLANCE_MAX (64 * 1024)
struct kt_error *rsp_client_glance(struct rsp_client *client, enum rsp_space space,
				   struct rsp_read *reads, size_t count, int64_t *stopped_ns_ret);

/*
 * From now on only rsp_client_wait() looks at the options' cancel_fd, which this returns (-1:
 * none). Work while the guest is stopped is short, and is not cut off.
 */
int rsp_client_cancel_only_waits(struct rsp_client *client);

/* One instruction of one vCPU; the others stay stopped. */
struct kt_error *rsp_client_step(struct rsp_client *client, const struct rsp_thread *thread,
				 struct rsp_stop *ret);

/* Changes what detach and destroy will do. */
void rsp_client_set_leave_stopped(struct rsp_client *client, bool leave_stopped);

/* What they will do. A guest that a dialer knows to have been paused is left so. */
bool rsp_client_leaves_stopped(const struct rsp_client *client);

/* QEMU's physical-memory mode is there. */
bool rsp_client_has_physical(const struct rsp_client *client);

/* The guest ran when we connected, or QEMU does not tell (up to 8.0 it does). */
bool rsp_client_was_running(const struct rsp_client *client);

const struct rsp_stats *rsp_client_stats(const struct rsp_client *client);

#endif
