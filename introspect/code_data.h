/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Data of the kernel that no list of symbols has (kallsyms without CONFIG_KALLSYMS_ALL), found in
 * the code that uses it: kallsyms has all functions. What two of them point to may be it; who asks
 * has to prove by what lies there that it is.
 */
#ifndef KT_INTROSPECT_CODE_DATA_H
#define KT_INTROSPECT_CODE_DATA_H

#include "memory/guest.h"

#define CODE_DATA_USERS 8

struct code_data {
	const char *symbol;
	const char *users[CODE_DATA_USERS]; /* functions that use it, as far as a kernel has them */
};

/* False: no memory. */
bool code_data_wants(const struct code_data *data, struct wants *wants);

/* Can the code tell? Two of the functions are known, and what this architecture's code looks like.
 */
bool code_data_known(const struct code_data *data, const struct kfacts *facts);

struct code_places {
	KT_VEC(gaddr_t) v; /* run-time addresses, each once */
};
void code_places_deinit(struct code_places *places);

/* The addresses that two or more of the functions point to; one batch. */
struct kt_error *code_data_places(const struct code_data *data, struct guest *guest,
				  struct code_places *ret);

#endif
