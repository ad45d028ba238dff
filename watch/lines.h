/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The source lines of a program, out of its line records and its BTF. Internal to watch/. */
#ifndef KT_WATCH_LINES_H
#define KT_WATCH_LINES_H

#include "memory/guest.h"
#include "model/load.h"

/* How one kernel lays them out. */
struct lines_views {
	struct view aux, btf;
	bool known; /* false: no lines are read */
	bool big_endian;
};

/* Of one program. All zero: it has none. */
struct lines {
	uint8_t *records; /* n of struct bpf_line_info */
	size_t n;
	gaddr_t strings; /* of its BTF, still in the guest */
	uint64_t strings_len;
};

/* False: no memory. */
bool lines_wants(struct wants *wants);
void lines_views_init(struct lines_views *views, const struct kfacts *facts);

/* Reads those of the program whose bpf_prog_aux is at aux. That some are unreadable is no error. */
struct kt_error *lines_read(const struct lines_views *views, struct guest *guest, gaddr_t aux,
			    struct lines *ret);
void lines_deinit(struct lines *lines);

/* The file, the line and its text, for out's insn_idx; unknown ones stay as they are. */
struct kt_error *lines_find(const struct lines_views *views, struct guest *guest,
			    const struct lines *lines, struct bpf_load_progress *out);

#endif
