// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/constants.h"

/* clang-format off */
static const struct render_column columns[] = {
	{"constant", NULL, "CONSTANT", &render_as_text, RENDER_STRING(struct render_constant, name), .flags = RENDER_ALWAYS},
	{"object", NULL, "OBJECT", &render_as_text, RENDER_STRING(struct render_constant, object),
	 .flags = RENDER_ALWAYS | RENDER_CUT, .width = 8, .longest = 60},
	{"guest", NULL, "GUEST", &render_as_text, RENDER_STRING(struct render_constant, guest),
	 .flags = RENDER_ALWAYS | RENDER_CUT, .width = 8, .longest = 60},
};
/* clang-format on */

struct render_grid render_constants_grid(struct render_constant *constants, size_t n)
{
	return (struct render_grid)RENDER_GRID(columns, constants, n);
}
