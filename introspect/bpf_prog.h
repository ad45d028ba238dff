/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The BPF programs of a stopped guest: prog_idr, bpf_prog, bpf_prog_aux and what hangs on
 * them. Each value is what BPF_OBJ_GET_INFO_BY_FD would answer (bpf_prog_get_info_by_fd() in
 * kernel/bpf/syscall.c), computed the same way.
 *
 * It takes two steps: bpf_progs_read() reads everything while the guest is stopped, and
 * bpf_progs_finish() computes the values when the guest runs again.
 */
#ifndef KT_INTROSPECT_BPF_PROG_H
#define KT_INTROSPECT_BPF_PROG_H

#include "memory/guest.h"
#include "model/program.h"

/* Everything that reading programs needs to know of a kernel. False: no memory. */
bool bpf_progs_wants(struct wants *wants);

/* KT_ERROR_UNSUPPORTED: these are the facts of a kernel without BPF. Asked before connecting. */
struct kt_error *bpf_progs_check(const struct kfacts *facts);

struct bpf_progs;

/*
 * Reads all programs, in a fixed number of batches however many there are. A program whose
 * reference count is 0 is being freed and is left out, as the kernel's own lookups do.
 */
struct kt_error *bpf_progs_read(struct guest *guest, struct bpf_progs **ret);
void bpf_progs_destroy(struct bpf_progs *progs);

/*
 * The programs at n addresses, which something else than the IDR led to, in a fixed number of
 * batches. Statistics, maps, subprograms, user and time of load are not read. A null pointer is a
 * program that cannot be read.
 */
struct kt_error *bpf_progs_read_at(struct guest *guest, const gaddr_t *addrs, size_t n,
				   struct bpf_progs **ret);

/* Plain data out of what was read. facts: as for the read. The caller owns *ret. */
struct kt_error *bpf_progs_finish(const struct bpf_progs *progs, const struct kfacts *facts,
				  struct programs *ret);

/* The same of bpf_progs_read_at(): program i is that of addrs[i]; its type is NULL if it could not
 * be read. */
struct kt_error *bpf_progs_finish_at(const struct bpf_progs *progs, const struct kfacts *facts,
				     struct programs *ret);

#endif
