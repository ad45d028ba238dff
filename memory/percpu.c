// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "memory/percpu.h"
#include "util/cursor.h"

bool percpu_wants(struct wants *wants)
{
	return wants_add(wants, KFACTS_SYMBOL, "__per_cpu_offset", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "__cpu_possible_mask", NULL, true) &&
	       wants_add(wants, KFACTS_SIZE, "cpumask", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "rq", "cpu", true) &&
	       wants_add(wants, KFACTS_MEMBER, "rq", "nr_running", true);
}

bool percpu_is_up(const struct kfacts *facts)
{
	struct kfacts_member member;
	gaddr_t addr;

	return !kfacts_symbol(facts, "__per_cpu_offset", &addr) &&
	       kfacts_member(facts, "rq", "nr_running", &member) &&
	       !kfacts_member(facts, "rq", "cpu", &member);
}

struct kt_error *percpu_begin(struct percpu_reader *reader, const struct guest *guest,
			      struct gmem_batch *batch)
{
	uint64_t size;
	gaddr_t addr;

	reader->is_up = percpu_is_up(guest_facts(guest));
	if (reader->is_up || !guest_symbol(guest, "__cpu_possible_mask", &addr) ||
	    !kfacts_size(guest_facts(guest), "cpumask", &size) || !size || size > PERCPU_MASK_MAX)
		return NULL;
	reader->mask_len = (size_t)size;
	reader->mask = calloc(1, reader->mask_len);
	reader->piece = batch->reads.len;
	if (!reader->mask || !gmem_batch_add(batch, addr, reader->mask, reader->mask_len))
		return kt_error_no_memory();
	reader->known = true;
	return NULL;
}

static bool cpu_possible(const struct percpu_reader *reader, const struct guest *guest, size_t cpu)
{
	return percpu_mask_has(reader->mask, reader->mask_len, cpu,
			       kfacts_kernel(guest_facts(guest))->big_endian);
}

struct kt_error *percpu_next(struct percpu_reader *reader, const struct guest *guest,
			     const struct gmem_batch *done, struct gmem_batch *batch)
{
	gaddr_t addr;

	if (!reader->known)
		return NULL;
	reader->known = !gmem_batch_fault(done, reader->piece, reader->piece + 1) &&
			guest_symbol(guest, "__per_cpu_offset", &addr);
	if (!reader->known)
		return NULL;
	for (size_t cpu = 0; cpu < reader->mask_len * 8; cpu++)
		if (cpu_possible(reader, guest, cpu))
			reader->n_cpus = cpu + 1;
	reader->known = reader->n_cpus > 0;
	if (!reader->known)
		return NULL;
	reader->offsets = calloc(reader->n_cpus, 8);
	reader->piece = batch->reads.len;
	if (!reader->offsets || !gmem_batch_add(batch, addr, reader->offsets, reader->n_cpus * 8))
		return kt_error_no_memory();
	return NULL;
}

struct kt_error *percpu_end(struct percpu_reader *reader, const struct guest *guest,
			    const struct gmem_batch *done, struct percpu *ret)
{
	bool big_endian = kfacts_kernel(guest_facts(guest))->big_endian;

	if (reader->is_up)
		return kt_vec_push(&ret->offsets, 0) && kt_vec_push(&ret->cpus, 0)
			       ? NULL
			       : kt_error_no_memory();
	if (!reader->known || gmem_batch_fault(done, reader->piece, reader->piece + 1))
		return NULL;
	for (size_t cpu = 0; cpu < reader->n_cpus; cpu++)
		if (cpu_possible(reader, guest, cpu) &&
		    (!kt_vec_push(&ret->offsets,
				  kt_load_uint(reader->offsets + cpu * 8, 8, big_endian)) ||
		     !kt_vec_push(&ret->cpus, (uint32_t)cpu)))
			return kt_error_no_memory();
	return NULL;
}

void percpu_reader_deinit(struct percpu_reader *reader)
{
	free(reader->mask);
	free(reader->offsets);
}

void percpu_deinit(struct percpu *percpu)
{
	kt_vec_free(&percpu->offsets);
	kt_vec_free(&percpu->cpus);
}
