/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The QEMU processes of this host, from /proc. Nothing is connected to and nothing is stopped.
 *
 * A process is QEMU by its program file (qemu-system-ARCH, qemu-kvm, kvm; or a dynamic loader that
 * runs one); by its own word for it, argv[0], where the file's name may not be read because the
 * process is another user's. What its command line says is compared with what the kernel says:
 * the accelerator by its open files, sockets by the kernel's lists.
 */
#ifndef KT_HOST_PROCESS_H
#define KT_HOST_PROCESS_H

#include <sys/types.h>

#include "model/vm.h"
#include "util/error.h"

/* Where processes are read. */
struct host_proc {
	const char *root; /* "/proc" */
	uid_t uid;        /* of the user who wants to reach them: geteuid() */
};

/*
 * All VMs. What cannot be read about one stays unknown. KT_ERROR_OS: there is no /proc. The
 * kernel's release is not looked for: kernel is NULL.
 */
struct kt_error *host_vms_read(const struct host_proc *proc, struct vms *ret);

/* One VM. KT_ERROR_NOT_FOUND: there is no such process. KT_ERROR_UNSUPPORTED: it is no QEMU. */
struct kt_error *host_vm_read(const struct host_proc *proc, pid_t pid, struct vm *ret);

/*
 * The TARGET, which the caller frees, that a process's number stands for; it is the best of its
 * ways. Errors: as above; KT_ERROR_UNSUPPORTED, with the reason: there is no way.
 */
struct kt_error *host_vm_target(const struct host_proc *proc, pid_t pid, char **ret);

/*
 * The TARGET, which the caller frees, of a user who gives none: NULL, the usual stub, if something
 * listens on its port (1234), or no VM is seen that can be reached; the VM's if there is one.
 * KT_ERROR_USAGE: there are several; the message lists them. *vm_pid_ret: of that VM, or 0.
 */
struct kt_error *host_vm_default(const struct host_proc *proc, char **ret, uint32_t *vm_pid_ret);

#endif
