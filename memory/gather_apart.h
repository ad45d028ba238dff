/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel gathered in a process of its own, behind a fence, for who has to start programs. */
#ifndef KT_MEMORY_GATHER_APART_H
#define KT_MEMORY_GATHER_APART_H

#include "gdbrsp/client.h"
#include "memory/gather.h"

/*
 * As gather_kernel() and record_write(), in a child (util/apart.h) that can open no file, start no
 * program and use no network but the target's port: it searches a hostile guest's memory, and this
 * process takes only bytes from it. *fd_ret, a file in memory that the caller closes, has what the
 * child says is the kernel's record (btf/record.h). It may be anything: kfacts_load_apart() looks.
 * *stats_ret is the child's word, too.
 *
 * Nothing is kept of a try that fails, and no kernel of a cache is recognised.
 * The errors are gather_kernel()'s, record_write()'s and kt_apart()'s.
 */
struct kt_error *gather_kernel_apart(const struct rsp_target *target,
				     const struct rsp_options *options,
				     struct gather_stats *stats_ret, int *fd_ret);

#endif
