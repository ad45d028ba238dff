// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "memory/arch.h"

static const struct arch *const archs[] = {
	&arch_x86_64, &arch_aarch64, &arch_riscv64, &arch_s390x, &arch_ppc64le, &arch_loongarch64,
};

const struct arch *arch_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++)
		if (strcmp(archs[i]->name, name) == 0)
			return archs[i];
	return NULL;
}

const struct arch *arch_at(size_t i)
{
	return i < sizeof(archs) / sizeof(archs[0]) ? archs[i] : NULL;
}
