/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files that a program needs to run on another machine: itself, its interpreter, its shared
 * libraries.
 *
 * Shared libraries are found as ldd finds them: the program's dynamic loader (its PT_INTERP) is run
 * with --list. The program itself is not run.
 */
#ifndef KT_VM_DEPS_H
#define KT_VM_DEPS_H

#include <stdint.h>

#include "util/error.h"
#include "util/vec.h"

/* Absolute paths, each once. */
struct kt_path_list {
	KT_VEC(char *) v;
};

struct kt_deps {
	struct kt_path_list files;    /* the program first */
	struct kt_path_list lib_dirs; /* directories of the shared libraries */
};

/*
 * Finds all that the ELF binary or script at path needs on a guest of ELF machine type machine
 * (EM_X86_64, ...). For a script that is its interpreter, but not the programs that it calls.
 * Errors say what is wrong with the file: it is missing, a directory, not executable, for another
 * machine, or lacks a library. ret is the caller's, to be given to
 * kt_deps_deinit(). KT_ERROR_CANCELLED: cancel_fd (-1: none) is readable.
 */
struct kt_error *kt_deps_find(const char *path, uint16_t machine, int cancel_fd,
			      struct kt_deps *ret);

void kt_deps_deinit(struct kt_deps *deps);

#endif
