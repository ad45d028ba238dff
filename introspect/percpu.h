/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Per-CPU memory of a stopped guest: where each possible CPU's copy lies. */
#ifndef KT_INTROSPECT_PERCPU_H
#define KT_INTROSPECT_PERCPU_H

#include "introspect/guest.h"

struct percpu {
	KT_VEC(uint64_t) offsets; /* of each possible CPU: pointer + offset is its copy */
};

/*
 * Reading goes in two batches, which others may share: the mask of possible CPUs, then
 * their offsets. begin adds the first, next takes it and adds the second, end takes that.
 */
struct percpu_reader {
	uint8_t *mask;
	size_t mask_len;
	uint8_t *offsets; /* __per_cpu_offset[0 .. n_cpus) */
	size_t n_cpus;
	bool known; /* this kernel has what it takes */
};

bool percpu_wants(struct wants *wants);
struct kt_error *percpu_begin(struct percpu_reader *reader, const struct guest *guest,
			      struct gmem_batch *batch);
struct kt_error *percpu_next(struct percpu_reader *reader, const struct guest *guest,
			     struct gmem_batch *batch);
struct kt_error *percpu_end(struct percpu_reader *reader, const struct guest *guest,
			    struct percpu *ret);
void percpu_reader_deinit(struct percpu_reader *reader);
void percpu_deinit(struct percpu *percpu);

#endif
