/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest in stock QEMU: started from qemu-configs/, heard through frames on a virtio
 * port or its second serial port, reachable for a debugger on a private Unix socket.
 *
 * Nothing of it outlives the tool, however that ends (vm/guard.h), unless vm_keep() was
 * called. A `struct vm` is used from the thread that started it, which has to stay alive.
 */
#ifndef KT_VM_VM_H
#define KT_VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"
#include "vm/frame.h"
#include "vm/initramfs.h"
#include "vm/machine.h"
#include "vm/topology.h"

struct vm;

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
	bool keep;     /* vm_keep() may be called: the kernel does not kill QEMU with its parent */
	int cancel_fd; /* readable: KT_ERROR_CANCELLED; -1: none */
	/* Called with what is being done, for a progress line; may be NULL. */
	void (*progress)(void *arg, const char *stage);
	void *progress_arg;
};

enum vm_event_type {
	VM_EVENT_INIT_STARTED,
	VM_EVENT_PAYLOAD_STARTED,
	VM_EVENT_PROGRAM, /* program: an object's program was loaded or not */
	VM_EVENT_OUTPUT,  /* stream, data, len: what the payload wrote */
	VM_EVENT_READY,   /* text: why; all is loaded and held */
	VM_EVENT_EXIT,    /* status: the payload's wait status; of a scheduler's run, its end */

	/* From a scheduler's run; see enum kt_phase for the texts. */
	VM_EVENT_SCHED_LOG,    /* data, len: the next bytes of its log */
	VM_EVENT_SCHED_DIED,   /* it ended before it attached */
	VM_EVENT_NOT_ATTACHED, /* text: why */
	VM_EVENT_ATTACHED,     /* text: the name of its ops */
	VM_EVENT_DISPATCHED,   /* text: what the workload did */
	VM_EVENT_STALLED,      /* text: what it did, and why that is not enough */
	VM_EVENT_STOPPING,     /* it is told to end */
	VM_EVENT_SCHED_EXIT,   /* status: its wait status */

	/* The last event. text: the console's line that says why, of len bytes; len 0: none does.
	 */
	VM_EVENT_GUEST_DIED,
	VM_EVENT_QEMU_EXITED, /* status, text: QEMU's messages. The last event. */
};

struct vm_event {
	enum vm_event_type type;
	int stream; /* 1 or 2 */
	int status; /* a wait status, see waitpid(2) */
	const char *text;
	const uint8_t *data;
	size_t len;
	struct {
		int error;                  /* errno of the load, 0: it passed and is held */
		uint32_t id;                /* the kernel's id for it, 0 when not loaded */
		size_t object;              /* index into vm_load.objects */
		const char *section, *name; /* empty when the object itself is bad */
		const char *log; /* libbpf's words, log_len bytes, empty when it passed */
		size_t log_len;
		size_t log_dropped; /* bytes left out of the middle of log, which says so too */
	} program;
};

/*
 * Writes the initramfs and starts QEMU, both for the architecture of the kernel image. Returns as
 * soon as QEMU runs; vm_next_event() tells what happens in the guest. Errors: those of
 * vm_kernel_recognise(), vm_objects_check(), vm_machine_init() and vm_initramfs_write(); OS with
 * ENOENT and a hint: there is no QEMU; UNSUPPORTED: this host or that architecture cannot have the
 * topology (vm_next_event() may say so, too, when it goes from KVM to TCG).
 */
struct kt_error *vm_start(const struct vm_config *config, const struct vm_load *load,
			  struct vm **ret);

/* Kills QEMU, removes the private directory. Accepts NULL. */
void vm_destroy(struct vm *vm);

/*
 * Waits for the next event until deadline_ns (kt_now_ns() time). Pointers in it are good until the
 * next call. Errors: TIMEOUT; CANCELLED; NOT_READY: the guest hangs under the accelerator that the
 * config names. If it names none, a guest that hangs under KVM is started again with TCG, once, and
 * vm_qemu_remember_kvm_hangs() saves the next runs the wait.
 */
struct kt_error *vm_next_event(struct vm *vm, int64_t deadline_ns, struct vm_event *ret);

/* Sends a command to the guest's init (vm/frame.h). Errors: those of vm_channel_send(). */
struct kt_error *vm_send_command(struct vm *vm, enum kt_command command);

/* How much was damaged on the way from the guest: frames, and bytes between frames. */
void vm_damage(const struct vm *vm, uint64_t *bad_frames_ret, uint64_t *skipped_bytes_ret);

/* The stub, as "unix:PATH" or "HOST:PORT"; belongs to vm. Listens once INIT_STARTED came. */
const char *vm_gdb_target(const struct vm *vm);

const struct vm_config *vm_config(const struct vm *vm);
const char *vm_accel(const struct vm *vm);
const char *vm_dir(const struct vm *vm);
pid_t vm_pid(const struct vm *vm);

/* The last line of the console that begins with prefix, without its time stamp; caller frees. */
char *vm_console_line(const struct vm *vm, const char *prefix);

/*
 * The last lines of the guest's console, or what there is of them, which the caller frees;
 * control characters are replaced. NULL without memory.
 */
char *vm_console_tail(const struct vm *vm, unsigned lines);

/*
 * Lets QEMU run on after the tool ends. The user ends it by killing vm_pid(), and the guard then
 * removes its directory. Needs config.keep. vm_destroy() only frees memory afterwards.
 */
struct kt_error *vm_keep(struct vm *vm);

#endif
