/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the per-CPU memory of each possible CPU of a stopped guest is. */
#ifndef KT_MEMORY_PERCPU_H
#define KT_MEMORY_PERCPU_H

#include "memory/guest.h"

#define PERCPU_MASK_MAX 1024 /* bytes of a cpumask: CONFIG_NR_CPUS is 8192 with MAXSMP */

/*
 * Whether a mask of len bytes has the CPU. It is an array of unsigned long: on big endian the bytes
 * of each are swapped.
 */
static inline bool percpu_mask_has(const uint8_t *mask, size_t len, size_t cpu, bool big_endian)
{
	size_t byte = big_endian ? cpu / 8 ^ 7 : cpu / 8;

	return byte < len && mask[byte] >> (cpu % 8) & 1;
}

/*
 * Whether the kernel was built without CONFIG_SMP: per-CPU memory is memory like any other then, of
 * CPU 0, and nothing is added to its address. Told by struct rq, which has a member cpu only with
 * SMP up to 6.16; a later kernel is never taken for one.
 */
bool percpu_is_up(const struct kfacts *facts);

struct percpu {
	KT_VEC(uint64_t) offsets; /* of each possible CPU: pointer + offset is its copy */
	KT_VEC(uint32_t) cpus;    /* their numbers */
};

/*
 * Reading goes in two batches, which others share: the mask of possible CPUs, then their
 * offsets. begin adds to the first, next takes that and adds to the second, end takes it.
 */
struct percpu_reader {
	bool known; /* so far, everything was there */
	bool is_up;
	uint8_t *mask;
	size_t mask_len;
	uint8_t *offsets; /* __per_cpu_offset[0 .. n_cpus) */
	size_t n_cpus;
	size_t piece; /* of the batch under way */
};

bool percpu_wants(struct wants *wants);
struct kt_error *percpu_begin(struct percpu_reader *reader, const struct guest *guest,
			      struct gmem_batch *batch);
struct kt_error *percpu_next(struct percpu_reader *reader, const struct guest *guest,
			     const struct gmem_batch *done, struct gmem_batch *batch);

/* *ret has no CPUs where the kernel's are not known; that is no error. */
struct kt_error *percpu_end(struct percpu_reader *reader, const struct guest *guest,
			    const struct gmem_batch *done, struct percpu *ret);
void percpu_reader_deinit(struct percpu_reader *reader);
void percpu_deinit(struct percpu *percpu);

#endif
