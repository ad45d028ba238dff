/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machines that guests run on: one for each architecture, chosen by the kernel image. */
#ifndef KT_VM_MACHINE_H
#define KT_VM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct vm_machine {
	const char *arch; /* as `uname -m` has it */
	const char *qemu; /* its program; NULL: qemu-system-ARCH */
	uint16_t elf;     /* EM_* */
	bool big_endian;
	const char *package;    /* where Debian has that QEMU */
	const char *console;    /* of the kernel's parameter console= */
	const char *frames_tty; /* where init's frames go without virtio; NULL: nowhere */
	const char *bus_module; /* virtio's transport, where it is a module */
	const char *tcg_cpu;    /* -cpu under TCG */
	const char *other_cpu;  /* -cpu under any other accelerator; NULL: "max" */
	bool serial;            /* the console is on QEMU's first -serial, not in the config */
	bool serial_frames;     /* and frames_tty on its second one */
	const unsigned char *config, *config_end; /* qemu-configs/ARCH.cfg */
};

/* x86_64, for which there are the presets of vm/topology.h, and whose init is in the tool. */
extern const struct vm_machine *const vm_machine_x86_64;

/* The machine of that name, or of that ELF machine (EM_*) and byte order; NULL: there is none. */
const struct vm_machine *vm_machine_by_arch(const char *arch);
const struct vm_machine *vm_machine_by_elf(uint16_t elf, bool big_endian);

/*
 * The init for the guests of a machine. x86_64's is inside the tool, and *file_ret is NULL. The
 * others are files ktstr-init-ARCH, beside the tool, one folder above it or in
 * ../libexec/ktstr-gdb; *file_ret has the bytes then, and the caller frees it. KT_ERROR_NOT_FOUND:
 * there is no such file; the hint says how to build it.
 */
struct kt_error *vm_machine_init(const struct vm_machine *machine, const void **data_ret,
				 size_t *size_ret, void **file_ret);

/* Whether this machine's own processor is of that architecture, as KVM needs. */
bool vm_machine_is_host(const struct vm_machine *machine);

#endif
