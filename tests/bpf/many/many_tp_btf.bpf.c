// SPDX-License-Identifier: LGPL-2.1-or-later
#include "many.h"

#define PROGRAM(n, bad)                                                                            \
	SEC("tp_btf/sched_switch") int tp_btf_##n(void *ctx)                                       \
	{                                                                                          \
		return look(bpf_get_current_task_btf(), n + 11, bad);                              \
	}
MANY;
