// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "watch/arch.h"

static const struct watch_arch *const archs[] = {
	&watch_x86_64,
	&watch_aarch64,
	&watch_riscv64,
	&watch_s390x,
};

const struct watch_arch *watch_arch_at(size_t i)
{
	return i < sizeof(archs) / sizeof(archs[0]) ? archs[i] : NULL;
}

const struct watch_arch *watch_arch_by_name(const char *name)
{
	const struct watch_arch *arch;

	for (size_t i = 0; (arch = watch_arch_at(i)); i++)
		if (!strcmp(arch->name, name))
			return arch;
	return NULL;
}
