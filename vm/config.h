/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest is started with. */
#ifndef KT_VM_CONFIG_H
#define KT_VM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "vm/machine.h"
#include "vm/topology.h"

/* Zeroed, with kernel and cancel_fd set, it is a good default. Strings stay the caller's. */
struct vm_config {
	const char *kernel; /* the image for QEMU's -kernel, or a packed one */
	/* vm_start() sets it, by the image. Elsewhere NULL means x86_64. */
	const struct vm_machine *machine;
	const char *qemu;    /* NULL: qemu-system-ARCH of the machine */
	const char *accel;   /* NULL: kvm where it runs this guest, else tcg */
	const char *cpu;     /* NULL: "max", for TCG without the features that QEMU gets wrong */
	unsigned memory_mib; /* 0: 1024 */
	unsigned smp;        /* 0: 2 */
	/*
	 * CPUs, caches, nodes, and memory unless memory_mib is given. smp has to be 0, or the same
	 * number. Without a cpu, it is one on which the guest sees them. NULL: smp CPUs. For
	 * x86_64.
	 */
	const struct vm_topology *topology;
	const char *append;           /* more kernel parameters, or NULL */
	const char *const *qemu_args; /* more arguments for QEMU */
	size_t num_qemu_args;
	const char *gdb; /* where the stub listens, as in util/stub_address.h, without a host on
			  * 127.0.0.1; NULL: a socket in the private directory. QEMU has only
			  * one stub. */
	/*
	 * The tool's cache. A guest that is booted is kept in it as a snapshot, before it gets its
	 * work, and the next one of its kind is restored from that. NULL: neither.
	 */
	const char *cache_dir;
	bool keep;     /* vm_keep() may be called: the kernel does not kill QEMU with its parent */
	int cancel_fd; /* readable: KT_ERROR_CANCELLED; -1: none */
	/* Called with what is being done, for a progress line; may be NULL. */
	void (*progress)(void *arg, const char *stage);
	void *progress_arg;
};

#endif
