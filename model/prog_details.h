/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not a public header. What `prog show ID` has besides the values of struct program: what the
 * program calls, its subprograms, its maps by name. Pure functions over what one stop read.
 */
#ifndef KT_MODEL_PROG_DETAILS_H
#define KT_MODEL_PROG_DETAILS_H

#include "model/insns.h"
#include "model/map.h"
#include "util/error.h"

/* The functions of the kernel that it calls, by name, none twice. */
struct prog_calls {
	char **names; /* a function that has no name by its address, "0xffffffff81234560" */
	size_t n;
};

struct prog_function {
	struct program_number at;          /* the number of its first instruction */
	const char *proto;                 /* borrowed; NULL: unknown */
	const char *tag;                   /* borrowed; NULL: unknown */
	struct program_number stack_depth; /* bytes, of its own frame */
};

struct prog_used_map {
	uint32_t id;
	const struct map *map; /* borrowed; NULL: the IDR does not list it */
};

struct prog_details {
	const struct program *program; /* borrowed */
	struct prog_calls helpers, kfuncs;
	struct prog_function *functions; /* the main program first */
	size_t n_functions;
	struct prog_used_map *maps; /* in the program's order */
	size_t n_maps;
	bool maps_known;
};

/*
 * insns are those of the program. *ret borrows from all three, which must outlive it; it is for
 * prog_details_deinit() after an error, too. KT_ERROR_NO_MEMORY.
 */
struct kt_error *prog_details_init(struct prog_details *ret, const struct program *program,
				   const struct insns *insns, const struct maps *maps);
void prog_details_deinit(struct prog_details *details);

#endif
