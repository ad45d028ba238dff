/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program was loaded as: flags, what it may be attached to, its size in memory. Without
 * reads of its own, but for the name of what it is attached to and that name's BTF: attrs_begin()
 * adds both to a batch, attrs_end() looks at the batch after it was read.
 */
#ifndef KT_INTROSPECT_BPF_PROG_ATTRS_H
#define KT_INTROSPECT_BPF_PROG_ATTRS_H

#include "introspect/bpf_prog_one.h"

/* Of one program. */
struct attrs {
	char *name;        /* NULL: it has none */
	size_t head;       /* so many bytes are in the first piece, up to the end of a page */
	size_t first, end; /* its pieces of the batch */
	struct object btf; /* that has what it is attached to */
};

/* False: no memory. */
bool attrs_wants(struct wants *wants);

/* prog's aux is known. */
struct kt_error *attrs_begin(const struct prog_views *views, const struct prog *prog,
			     struct attrs *attrs, struct gmem_batch *batch);
void attrs_end(struct attrs *attrs, const struct gmem_batch *done);

/* Fills what *ret says of them; its type is there. */
struct kt_error *attrs_finish(const struct prog_views *views, const struct prog *prog,
			      const struct attrs *attrs, const struct kfacts *facts,
			      struct program *ret);
void attrs_deinit(struct attrs *attrs);

#endif
