/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a scheduler is given to schedule, by name; vm/guest/workload_kinds.c has what each does. */
#ifndef KT_VM_WORKLOAD_H
#define KT_VM_WORKLOAD_H

#include "util/error.h"
#include "util/vec.h"

#define VM_WORKLOAD_DEFAULT "mixed"

/* All zeros: the workload that is run when nobody says which. */
struct vm_workload {
	const char *kind;    /* "pipe", or "command"; NULL: the default */
	KT_VEC(char *) argv; /* of a command: its path and arguments */
};

/*
 * "pipe", the name of a kind; or a command, whose path has a "/": "./bench -n 4". Blanks are
 * between its arguments. KT_ERROR_USAGE, with the kinds that there are, and one that is near it.
 * For vm_workload_deinit().
 */
struct kt_error *vm_workload_parse(const char *text, struct vm_workload *ret);
void vm_workload_deinit(struct vm_workload *workload);

/*
 * The same text with the command's path absolute, from dir on; dir NULL: from here on. The caller
 * frees *ret. Errors: those of vm_workload_parse().
 */
struct kt_error *vm_workload_absolute(const char *text, const char *dir, char **ret);

#endif
