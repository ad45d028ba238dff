/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tells a guest that hangs from one on a slow host. Some KVMs hang guests, for good; a guest that
 * lives prints something at least once a second on a fast host. Internal to vm/.
 */
#ifndef KT_VM_LIFE_H
#define KT_VM_LIFE_H

#include <stdbool.h>
#include <stdint.h>

struct vm_life {
	int64_t started_ns; /* when QEMU was started, in kt_now_ns() time */
	int64_t startup_ns; /* what QEMU took to connect to us; 0: it has not yet */
	/* The time of the last sign of life, and the CPU time that QEMU had used by then. */
	int64_t since_ns, since_cpu_ns;
	uint64_t console; /* the console's size then */
};

/* The state of QEMU at one moment. */
struct vm_life_sign {
	int64_t now_ns, cpu_ns; /* kt_now_ns(); the CPU time of QEMU's process, with its vCPUs' */
	uint64_t console;       /* bytes */
	bool connected;         /* QEMU has connected to our sockets */
};

void vm_life_begin(struct vm_life *life, int64_t now_ns);

/*
 * True: the guest is taken for dead. It has printed nothing while QEMU used 10 s of CPU time, or
 * for a minute. If QEMU took longer than 0.1 s to start, the host is slow, and both limits grow in
 * proportion.
 */
bool vm_life_is_over(struct vm_life *life, const struct vm_life_sign *sign);

#endif
