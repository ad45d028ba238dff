/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --set and --rodata: values for the global variables of the objects that are loaded. */
#ifndef KT_CLI_GLOBALS_H
#define KT_CLI_GLOBALS_H

#include "object/globals.h"
#include "util/vec.h"
#include "vm/initramfs.h"

/* What is asked for. Strings stay the caller's, but for where. All zeros at first. */
struct cli_globals_options {
	KT_VEC(const char *) sets;   /* "VAR=VALUE", or "@FILE" with one a line */
	KT_VEC(const char *) rodata; /* files, as `bpftool map dump -j` prints them */
	char *where; /* in which file they are, "FILE:LINE"; NULL: they are options */
};

void cli_globals_options_deinit(struct cli_globals_options *options);

/* sets: for vm_load.sets; they refer to objects. All zeros at first. */
struct cli_globals {
	KT_VEC(struct object_globals *) objects;
	KT_VEC(struct vm_set) sets;
};

/*
 * Looks at each object, and works out what is put into it; the files of rodata come first, so that
 * sets count. An assignment is for every object that has the variable. A note is printed of
 * variables of rodata that no object has. Errors: those of object_globals_set(), and a variable
 * that is in no object, which name the option or where it is. After an error *ret is for
 * cli_globals_deinit(), too.
 */
struct kt_error *cli_globals_load(const struct cli_globals_options *options,
				  const char *const *objects, size_t n, struct cli_globals *ret);
void cli_globals_deinit(struct cli_globals *globals);

#endif
