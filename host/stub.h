/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A GDB stub for a guest that has none, through QEMU's monitor: what QEMU says of itself and its
 * guest, a stub on one end of a socket pair, and its end. Nothing listens meanwhile, and
 * afterwards QEMU is as it was.
 *
 * A stub that is there already is found by the label of its character device: "gdb", which is
 * QEMU's own for -s, `-gdb ADDRESS` and `gdbserver ADDRESS`; what `-gdb chardev:ID` says in the
 * command line; or a label with "gdb" in it.
 */
#ifndef KT_HOST_STUB_H
#define KT_HOST_STUB_H

#include "host/monitor.h"

/* What QEMU says of itself and its guest. */
struct host_vm {
	bool runs;      /* the guest's CPUs do */
	char state[32]; /* QEMU's word, such as "running" or "paused" */
	pid_t pid;      /* of QEMU; 0: not known */
	char *address;  /* of a stub that is there and idle, as a TARGET; NULL: there is none */
	bool started;   /* that stub was started by us, and has to be ended */
};

void host_vm_deinit(struct host_vm *vm);

/* A stub of a guest. The monitor is borrowed. */
struct host_stub {
	struct host_monitor *monitor;
	char label[48];   /* of the character device that we make */
	char *gdb_label;  /* of `-gdb chardev:ID`; NULL: not known */
	bool there;       /* our stub is, or may be, in QEMU */
	char private[64]; /* a directory of ours with a stub's socket; "": there is none */
};

/* The caller sets the monitor, and gdb_label if it knows one. */
void host_stub_init(struct host_stub *stub, struct host_monitor *monitor);

/*
 * What there is. KT_ERROR_UNSUPPORTED: the guest cannot be read: it is confidential.
 * KT_ERROR_NOT_READY: it is being migrated. KT_ERROR_CLOSED: somebody else uses the stub.
 */
struct kt_error *host_stub_look(struct host_stub *stub, struct host_vm *ret);

/*
 * Behind host_stub_look_again(): starts a stub on `theirs`, one end of a connected stream socket,
 * which stays the caller's. If the guest runs, it stops at *stopped_ns_ret, in kt_now_ns() time, or
 * up to a millisecond later. After an error QEMU is as before.
 */
struct kt_error *host_stub_dial(struct host_stub *stub, int theirs, int64_t *stopped_ns_ret);

/*
 * Starts a stub that listens, for a monitor that cannot pass descriptors: on a socket in a private
 * directory if QEMU can make one there, else on a port of 127.0.0.1. *address_ret is the caller's.
 */
struct kt_error *host_stub_listen(struct host_stub *stub, char **address_ret);

/* *idle_ret: no client is connected any more to our stub, or if there is none, to the one there. */
struct kt_error *host_stub_is_idle(struct host_stub *stub, bool *idle_ret);

/* Ends our stub, if there is one: afterwards its character device is gone. */
struct kt_error *host_stub_end(struct host_stub *stub);

/* Whether the guest's CPUs run, and QEMU's word for its state; nothing else of *ret is touched. */
struct kt_error *host_stub_state(struct host_stub *stub, struct host_vm *ret);

/* Before a client connects: the state, and that nobody uses the stub meanwhile. */
struct kt_error *host_stub_look_again(struct host_stub *stub, struct host_vm *vm);

/* Lets a guest run that stands still because its stub's client vanished. */
struct kt_error *host_stub_continue(struct host_stub *stub);

#endif
