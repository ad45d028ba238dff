/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The initramfs of a guest: our init, its orders, and what it is to load or run.
 *
 *	/init              build/ktstr-init
 *	/ktstr/base        the orders of the guest, see vm/guest/guest.h
 *	/ktstr/modules/N-NAME.ko, where the kernel has virtio's console as a module
 * and what it is to do, which the guest may get later, too:
 *	/ktstr/orders
 *	/ktstr/objects/N-NAME
 *	the payload, its interpreter and libraries, at the paths they have here
 *
 * Deterministic: the same input gives the same bytes.
 */
#ifndef KT_VM_INITRAMFS_H
#define KT_VM_INITRAMFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "vm/machine.h"
#include "vm/workload.h"

/* Bytes of an object's global data, instead of those that it has. */
struct vm_set {
	size_t object;       /* index into vm_load.objects */
	const char *section; /* ".rodata" */
	uint64_t offset;     /* bytes, in it */
	const void *data;
	const void *mask; /* which bits of them; NULL: all */
	size_t size;      /* bytes */
};

/* What the guest does: it loads objects, or (if run is set) runs a program. */
struct vm_load {
	const char *const *objects; /* paths of BPF object files */
	size_t num_objects;
	/* Which of their programs: fnmatch(3) of the name, names of types; none given: all. */
	const char *const *name_globs, *const *types;
	size_t num_name_globs, num_types;
	/* Programs that are loaded as sleepable ones: fnmatch(3) of the name. */
	const char *const *sleepable_globs;
	size_t num_sleepable_globs;
	const struct vm_set *sets; /* in this order */
	size_t num_sets;
	bool attach;             /* each program that is loaded is attached once, and run */
	unsigned log_level;      /* of each load, as bpf(2) has it: 1, 2; statistics always come */
	const char *run;         /* path of a program: an ELF binary or a script */
	const char *const *args; /* its arguments, without argv[0] */
	size_t num_args;
	const char *const *files; /* files that it reads: the guest has them at the same paths */
	size_t num_files;
	bool scheduler;     /* the program is one, and is run as vm/guest/sched.c says */
	unsigned attach_ms; /* guest time that it gets to attach, beside loading; 0: 15000 */
	const struct vm_workload *workload; /* what it is given to schedule; NULL: mixed */
	unsigned workload_ms;    /* guest time that the workload gets to make progress; 0: 5000 */
	const char *release;     /* of the kernel, which its modules have to be of; NULL: any */
	const char *modules_dir; /* the kernel's modules, for a virtio console; NULL: none */
	bool modules_asked;      /* an error of the modules is an error; else it does without */
	unsigned settle_ms; /* guest time without a new program that means "all loaded"; 0: 700 */
	unsigned max_ms;    /* guest time that the program gets to load its programs; 0: 15000 until
			       the first is there, or in the verifier, and 240000 in all */
};

/* What goes in; the pointers belong to the caller. */
struct vm_initramfs {
	const void *init; /* the init's ELF image */
	size_t init_size;
	const struct vm_machine *machine;
	const struct vm_load *load;
	int cancel_fd; /* readable: KT_ERROR_CANCELLED; -1: none */
};

/*
 * Writes the archive (cpio, "newc") to a new file at path. What is wrong with an object
 * file or a program is found here, before a guest is booted: it is missing, a directory,
 * not readable, lacks a library. Whether an object is one, the guest's libbpf says.
 */
struct kt_error *vm_initramfs_write(const struct vm_initramfs *initramfs, const char *path);

/*
 * The same in two archives, which one behind the other are an initramfs, too. A guest with only the
 * first waits for the second. The first is the same for all work.
 */
struct kt_error *vm_initramfs_write_base(const struct vm_initramfs *initramfs, const char *path);
struct kt_error *vm_initramfs_write_work(const struct vm_initramfs *initramfs, const char *path);

#endif
