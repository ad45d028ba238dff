// SPDX-License-Identifier: LGPL-2.1-or-later
#include "many.h"

#define PROGRAM(n, bad)                                                                            \
	SEC("kprobe/do_init_module") int kprobe_##n(void *ctx)                                     \
	{                                                                                          \
		return ways(bpf_get_current_pid_tgid(), n + 5, bad);                               \
	}
MANY;
