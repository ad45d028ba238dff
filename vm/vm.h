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
#include "vm/config.h"
#include "vm/event.h"
#include "vm/frame.h"
#include "vm/initramfs.h"

struct vm;

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
 * vm_remember_kvm_hangs() saves the next runs the wait.
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

/* Whether it comes from a snapshot (config.cache_dir), and was not booted. */
bool vm_was_restored(const struct vm *vm);
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
