/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program behind a file descriptor. Internal to watch/. */
#ifndef KT_WATCH_LOADED_H
#define KT_WATCH_LOADED_H

#include "watch/stop.h"

/* False: no memory. */
bool loaded_wants(struct wants *wants);

/*
 * The address of what the file of this descriptor of the task belongs to, for a descriptor that a
 * load has just given. *ret 0: unknown.
 */
struct kt_error *loaded_find(const struct stop *stop, const struct kfacts *facts, gaddr_t task,
			     uint32_t fd, gaddr_t *ret);

#endif
