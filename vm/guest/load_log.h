/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libbpf and the kernel say of a load. In the child that loads a program. */
#ifndef KT_VM_GUEST_LOAD_LOG_H
#define KT_VM_GUEST_LOAD_LOG_H

#include <bpf/libbpf.h>

#include "util/buf.h"

/*
 * Room for the kernel's log, as much as kernels before 5.2 take. libbpf's own buffer would double,
 * with one more verification each time, until everything fits: minutes under TCG, and 100 MB for
 * what is cut anyway.
 */
#define LOG_BUF ((16u << 20) - 1)

/* Bits of a log's level, which the UAPI keeps to itself. */
#define LOG_TRACE 3 /* either bit: the instructions */
#define LOG_STATS 4 /* since 5.2 */

/* libbpf's messages go to load_log from now on. */
void load_log_init(void);

/* Since load_log_init(), or since it was taken. */
extern struct kt_buf load_log;

/* Takes what is in load_log. */
struct kt_buf load_log_take(void);

/* Appends the kernel's log, a string, as libbpf would print it. False: it is empty. */
bool load_log_kernel(const struct bpf_program *prog, const char *log);

/* Leaves lines out of the middle of a big log, and puts a line there that says so; how many bytes.
 */
uint32_t load_log_bound(struct kt_buf *log);

#endif
