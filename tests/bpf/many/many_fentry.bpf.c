// SPDX-License-Identifier: LGPL-2.1-or-later
#include "many.h"

#define PROGRAM(n, bad)                                                                            \
	SEC("fentry/do_init_module") int fentry_##n(void *ctx)                                     \
	{                                                                                          \
		return look(bpf_get_current_task_btf(), n, bad);                                   \
	}
MANY;
