/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where in a page table the kernel image is mapped, and the proof that it is the one. */
#ifndef KT_MEMORY_LOCATE_H
#define KT_MEMORY_LOCATE_H

#include "btf/facts.h"
#include "memory/pagetable.h"
#include "memory/view.h"

struct located {
	bool found;
	int64_t kaslr_offset; /* when found */
	bool text_only;       /* the kernel is there, but none of its data */
	bool crashed;         /* it is there, but has left the guest to its crash kernel */
	bool mapped;          /* something is mapped where kernel images are */
	char banner[256];     /* of the kernel there, when it is another one; else "" */
};

/*
 * Looks through one page table; memory reads virtual addresses through it. That the kernel is not
 * found is an answer, in *seen, which keeps what earlier tables showed. An error means that the
 * guest cannot be read any more.
 */
struct kt_error *locate_kernel(struct pagetable *pt, const struct gmem *memory,
			       const struct kfacts *facts, struct located *seen);

/*
 * Tries only one place, where the kernel was when it was last seen. The proof is the same as
 * everywhere.
 */
struct kt_error *locate_at(const struct gmem *memory, const struct kfacts *facts,
			   int64_t kaslr_offset, struct located *seen);

/* The symbols that help to find it, all optional. */
bool locate_wants(struct wants *wants);

#endif
