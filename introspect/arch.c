// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "introspect/arch.h"

static const struct arch *const archs[] = {
	&arch_x86_64,
};

const struct arch *arch_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++)
		if (strcmp(archs[i]->name, name) == 0)
			return archs[i];
	return NULL;
}
