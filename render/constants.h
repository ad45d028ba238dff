/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Constants of a BPF object that a guest has with other values. Internal to render/ and cli/. */
#ifndef KT_RENDER_CONSTANTS_H
#define KT_RENDER_CONSTANTS_H

#include "render/grid.h"

struct render_constant {
	const char *name;
	char *object, *guest; /* the value in the object, and in the guest, as JSON */
};

struct render_grid render_constants_grid(struct render_constant *constants, size_t n);

#endif
