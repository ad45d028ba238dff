/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a BPF program points to: its maps, its subprograms, its owner, its run statistics. All in
 * three batches: refs_begin() adds to the first, refs_follow() takes that and adds to the second,
 * refs_end() takes the second.
 */
#ifndef KT_INTROSPECT_BPF_PROG_REFS_H
#define KT_INTROSPECT_BPF_PROG_REFS_H

#include "introspect/bpf_prog_one.h"
#include "memory/percpu.h"

/* An array of pointers, and one view's image of what each leads to. */
struct pointees {
	size_t n;
	bool known; /* so far, everything could be read */
	uint8_t *pointers;
	uint8_t *images;
	size_t first, end; /* the pieces of what is read now */
};

/* Of one program. */
struct refs {
	struct pointees maps, funcs;
	struct object user;
	struct object stats; /* an image a CPU */
};

/* How one kernel lays them out, and what they may cost all programs together. */
struct refs_views {
	struct view map, func, user, stats;
	bool has_map, has_user, has_stats;
	struct percpu percpu; /* the caller's; without CPUs there are no statistics */
	size_t pieces_left;   /* what does not fit in stays unknown */
};

/* False: no memory. */
bool refs_wants(struct wants *wants);
void refs_views_init(struct refs_views *views, const struct kfacts *facts);

/* prog's aux is known. */
struct kt_error *refs_begin(struct refs_views *views, const struct prog_views *progs,
			    const struct prog *prog, struct refs *refs, struct gmem_batch *batch);
struct kt_error *refs_follow(const struct refs_views *views, struct refs *refs,
			     const struct gmem_batch *done, struct gmem_batch *batch);
void refs_end(struct refs *refs, const struct gmem_batch *done);

/* Fills what *ret says of them. */
struct kt_error *refs_finish(const struct refs_views *views, const struct prog_views *progs,
			     const struct prog *prog, const struct refs *refs, struct program *ret);
void refs_deinit(struct refs *refs);

#endif
