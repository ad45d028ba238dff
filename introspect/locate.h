/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where in a page table the kernel image is mapped, and the proof that it is the one. */
#ifndef KT_INTROSPECT_LOCATE_H
#define KT_INTROSPECT_LOCATE_H

#include "btf/facts.h"
#include "introspect/pagetable.h"
#include "introspect/view.h"

struct located {
	bool found;
	int64_t kaslr_offset; /* when found */
	bool text_only;       /* the kernel is there, but none of its data */
	bool mapped;          /* something is mapped where kernel images are */
	char banner[256];     /* of the kernel there, when it is another one; else "" */
};

/*
 * Looks through one page table. read, with its source, reads virtual addresses through it. Not
 * finding the kernel is an answer, in *seen, which keeps what earlier tables showed; an error means
 * that the source is of no more use.
 */
struct kt_error *locate_kernel(const struct arch *arch, const struct arch_space *space,
			       struct pagetable *pt, gmem_read_fn *read, void *source,
			       const struct kfacts *facts, struct located *seen);

/* The symbols that help to find it, all optional. */
bool locate_wants(struct wants *wants);

/*
 * Only one place: where the kernel was when it was last seen. Nothing is taken on trust, the
 * proof is the same.
 */
struct kt_error *locate_at(gmem_read_fn *read, void *source, const struct kfacts *facts,
			   int64_t kaslr_offset, struct located *seen);

#endif
