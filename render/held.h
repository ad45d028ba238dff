/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The columns "pids" and "pinned", which all lists of BPF objects have, as bpftool names them.
 * Internal to render/.
 */
#ifndef KT_RENDER_HELD_H
#define KT_RENDER_HELD_H

#include "model/holders.h"
#include "render/grid.h"

/*
 * "systemd(1),bpftrace(312)", and ",+9" for those that a table has no room for. In JSON an array of
 * objects with pid, comm, fds.
 */
extern const struct render_type render_as_pids;
extern const struct render_type render_as_pinned; /* paths */

struct render_cell render_pids_cell(const struct held *held);
struct render_cell render_pinned_cell(const struct held *held);

/* The functions for RENDER_GET() of a row that has a member `held`. */
#define RENDER_HELD_GETTERS(row_type)                                                              \
	static struct render_cell get_pids(const void *row)                                        \
	{                                                                                          \
		return render_pids_cell(&((const row_type *)row)->held);                           \
	}                                                                                          \
	static struct render_cell get_pinned(const void *row)                                      \
	{                                                                                          \
		return render_pinned_cell(&((const row_type *)row)->held);                         \
	}

#endif
