/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel modules that a guest needs before it can talk to us, out of a directory as a
 * distribution's package unpacks it: without a modules.dep, which depmod makes on
 * installation. What a module needs is read from its own .modinfo section (MODULE_INFO() in
 * include/linux/moduleparam.h, written by scripts/mod/modpost.c).
 */
#ifndef KT_VM_MODULES_H
#define KT_VM_MODULES_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/vec.h"

struct vm_module {
	char *name;    /* as lsmod has it: with "_", never "-" */
	char *path;    /* of its file */
	uint8_t *data; /* the ELF file, decompressed: what init_module(2) takes */
	size_t size;
};

struct vm_modules {
	KT_VEC(struct vm_module) all; /* each once, behind what it depends on */
	KT_VEC(char *) missing;       /* neither a file nor built in */
};

/*
 * The modules of these names ("-" and "_" are the same), and what they depend on. What
 * dir/modules.builtin lists needs no file. Files are .ko, .ko.gz, .ko.xz or .ko.zst, anywhere
 * below dir; of several for one module, the first by path. Symbolic links to directories are
 * not followed. release, unless NULL, is the kernel's that they are for (`uname -r`).
 *
 * A missing module is not an error; a module in `all` that depends on it will not load. Errors name
 * the file: KT_ERROR_OS, it cannot be read; KT_ERROR_FORMAT, damaged, or no module;
 * KT_ERROR_MISMATCH, of another kernel; KT_ERROR_UNSUPPORTED, more than a guest can need: 256
 * modules, or 64 MB.
 *
 * *ret is the caller's, to be given to vm_modules_deinit().
 */
struct kt_error *vm_modules_find(const char *dir, const char *release, const char *const *names,
				 size_t n, struct vm_modules *ret);
void vm_modules_deinit(struct vm_modules *modules);

/*
 * The directory with the modules of a kernel image, or NULL: beside the image, in modules/
 * (vm/fetch-kernel) or with it (/usr/lib/modules/RELEASE/vmlinuz); or, for boot/vmlinuz-V of an
 * unpacked tree or of /, in lib/modules/RELEASE or usr/lib/modules/RELEASE. release may be
 * NULL. The caller frees it.
 */
char *vm_modules_dir(const char *image, const char *release);

#endif
