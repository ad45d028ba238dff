/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a guest that says nothing is dead, or on a slow host. A KVM that hangs guests hangs them
 * for good; a guest that lives prints something within a second of a quick host's time.
 * Internal to this room.
 */
#ifndef KT_VM_LIFE_H
#define KT_VM_LIFE_H

#include <stdbool.h>
#include <stdint.h>

struct vm_life {
	int64_t started_ns; /* when QEMU was started, in kt_now_ns() time */
	int64_t startup_ns; /* what QEMU took to connect to us; 0: it has not yet */
	/* Of the last sign of life: when it came, and the CPU time that QEMU had used. */
	int64_t since_ns, since_cpu_ns;
	uint64_t console; /* the console's size then */
};

/* What is seen of QEMU at one moment. */
struct vm_life_sign {
	int64_t now_ns, cpu_ns; /* kt_now_ns(); the CPU time of QEMU's process, with its vCPUs' */
	uint64_t console;       /* bytes */
	bool connected;         /* QEMU has connected to our sockets */
};

void vm_life_begin(struct vm_life *life, int64_t now_ns);

/*
 * True: the guest is taken for dead. It has said nothing while QEMU used 10 s of CPU time, or for
 * a minute. Both are longer in proportion on a host on which QEMU itself took more than 0.1 s to
 * start: one that is busy, or emulated.
 */
bool vm_life_is_over(struct vm_life *life, const struct vm_life_sign *sign);

#endif
