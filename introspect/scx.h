/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sched_ext of a stopped guest: what /sys/kernel/sched_ext/state and .../root/ops say in it
 * (scx_attr_state_show() and scx_attr_ops_show() in kernel/sched/ext.c).
 *
 *	            state                       name
 *	to 6.15     scx_ops_enable_state_var    scx_ops.name
 *	from 6.16   scx_enable_state_var        scx_root->ops.name
 *
 * In 7.x a scheduler can have others below it, for cgroups: scx_root is the one that sysfs
 * calls "root". There, too, ops is in a union with ops_cid, where name has the same place
 * (scx_init() checks that when the kernel is built).
 */
#ifndef KT_INTROSPECT_SCX_H
#define KT_INTROSPECT_SCX_H

#include "memory/guest.h"
#include "model/program.h"

/* Everything that reading the state needs to know of a kernel. False: no memory. */
bool scx_wants(struct wants *wants);

/* False: these are the facts of a kernel without sched_ext (CONFIG_SCHED_CLASS_EXT). */
bool scx_supported(const struct kfacts *facts);

/*
 * Reads the state, in two batches at most. What this kernel does not have or what is not
 * mapped is unknown in *ret, and no error: an error means that the guest cannot be read any
 * more, or that there is no memory.
 */
struct kt_error *scx_read(struct guest *guest, struct scx_state *ret);

#endif
