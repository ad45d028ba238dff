/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A whole type out of BTF, for people. Internal to btf/. */
#ifndef KT_BTF_TYPES_LAYOUT_H
#define KT_BTF_TYPES_LAYOUT_H

#include "btf/types.h"

/* types_describe() of BTF, see there. */
struct kt_error *types_layout_find(const struct btf *btf, const char *name, const char *path,
				   struct types_layout *ret);

#endif
