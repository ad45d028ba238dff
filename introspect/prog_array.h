/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * struct bpf_prog_array: the programs that run at one place, up to a null pointer. Many places
 * share one, such as bpf_empty_prog_array, which is read once.
 */
#ifndef KT_INTROSPECT_PROG_ARRAY_H
#define KT_INTROSPECT_PROG_ARRAY_H

#include "memory/guest.h"

struct prog_array {
	gaddr_t addr;
	gaddr_t *progs;     /* without those that were detached when there was no memory */
	size_t n, n_items;  /* n_items: with those that were */
	bool over, damaged; /* damaged: there may be more */
};

struct prog_arrays {
	KT_VEC(struct prog_array) v; /* by addr after the read */
};

bool prog_arrays_wants(struct wants *wants);
void prog_arrays_deinit(struct prog_arrays *arrays);

/* A null pointer is no array, and no error. False: no memory. */
bool prog_arrays_add(struct prog_arrays *arrays, gaddr_t addr);

/* Reads all. A kernel whose layout is not known has them damaged. */
struct kt_error *prog_arrays_read(struct prog_arrays *arrays, struct guest *guest);

/* After the read; NULL if none was added at addr. */
const struct prog_array *prog_arrays_find(const struct prog_arrays *arrays, gaddr_t addr);

#endif
