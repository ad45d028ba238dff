/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel that facts are of, and by what a guest is known to run it. Internal to btf/. */
#ifndef KT_BTF_FACTS_KERNEL_H
#define KT_BTF_FACTS_KERNEL_H

#include "btf/kfacts.h"
#include "btf/symbols.h"
#include "image/image.h"

/* How many symbols facts_kernel_wants() adds. */
#define FACTS_KERNEL_WANTS 10

void facts_kernel_wants(struct symbols *syms);

/*
 * Fills all but where types and symbols came from. image may be NULL: then from symbols alone.
 * shift is what the image's addresses differ by from those of syms. After an error, too, *ret is
 * for facts_kernel_deinit().
 */
struct kt_error *facts_kernel_read(struct image *image, const struct symbols *syms, gaddr_t shift,
				   struct kfacts_kernel *ret);
void facts_kernel_deinit(struct kfacts_kernel *kernel);

#endif
