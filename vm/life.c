// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vm/life.h"

#define SECOND INT64_C(1000000000)
/* CPU time of QEMU: a guest that hangs mostly spins, and a busy host gives it less CPU time. */
#define SILENT_CPU_NS (10 * SECOND)
/* Wall-clock time, for a guest that hangs without using CPU time. */
#define SILENT_NS (60 * SECOND)
/* On an idle machine QEMU starts faster than this (0.04 to 0.1 s, 7.2 to 11.1). */
#define STARTUP_NS (SECOND / 10)

void vm_life_begin(struct vm_life *life, int64_t now_ns)
{
	*life = (struct vm_life){.started_ns = now_ns, .since_ns = now_ns};
}

/* How many times slower than a fast host this one is; at least 1. */
static double slowness(const struct vm_life *life)
{
	return life->startup_ns > STARTUP_NS ? (double)life->startup_ns / STARTUP_NS : 1;
}

bool vm_life_is_over(struct vm_life *life, const struct vm_life_sign *sign)
{
	if (sign->connected && !life->startup_ns)
		life->startup_ns = sign->now_ns - life->started_ns;
	if (sign->console != life->console) {
		life->console = sign->console;
		life->since_ns = sign->now_ns;
		life->since_cpu_ns = sign->cpu_ns;
	}
	return (double)(sign->cpu_ns - life->since_cpu_ns) >= SILENT_CPU_NS * slowness(life) ||
	       (double)(sign->now_ns - life->since_ns) >= SILENT_NS * slowness(life);
}
