// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The masks of idle CPUs, which the kernel keeps for schedulers without an update_idle of their own
 * (kernel/sched/ext_idle.c). There is one pair of masks, or (since 6.15) one of each NUMA node.
 */
#include <stdlib.h>

#include "introspect/scx_walk.h"
#include "util/cleanup.h"

/* cpumask_var_t is a pointer, or with few CPUs the mask itself. */
enum { IDLE_CPU, IDLE_SMT };
static const struct view_field idle_fields[] = {
	[IDLE_CPU] = {.path = "cpu"},
	[IDLE_SMT] = {.path = "smt"},
};
static const struct view_type idle_view = VIEW_TYPE("scx_idle_cpus", idle_fields); /* 6.15 */

bool scx_idle_wants(struct wants *wants)
{
	return view_wants(&idle_view, wants) &&
	       wants_add(wants, KFACTS_SYMBOL, "scx_idle_global_masks", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, "idle_masks", NULL, true) && /* before 6.15 */
	       wants_add(wants, KFACTS_MEMBER, "scx_rq", "cpus_to_kick", true);
}

/* Where both masks of a pair are: at the pair, or where it points to. */
struct pair {
	gaddr_t addr;
	struct scx_piece cpu, smt;
};

struct layout {
	uint32_t cpu, smt; /* offsets */
	bool is_pointer;
	size_t len; /* bytes of a mask */
};

static bool layout_find(const struct scx_walk *walk, struct layout *ret)
{
	struct kfacts_member cpu, smt;
	uint64_t len;

	if (!kfacts_size(walk->facts, "cpumask", &len) || !len || len > PERCPU_MASK_MAX)
		return false;
	ret->len = (size_t)len;
	if (kfacts_member(walk->facts, "scx_idle_cpus", "cpu", &cpu) &&
	    kfacts_member(walk->facts, "scx_idle_cpus", "smt", &smt)) {
		ret->cpu = cpu.offset;
		ret->smt = smt.offset;
	} else {
		/* A struct without a name, of two such masks. */
		if (!kfacts_member(walk->facts, "scx_rq", "cpus_to_kick", &cpu))
			return false;
		ret->cpu = 0;
		ret->smt = cpu.size;
	}
	ret->is_pointer = cpu.size == SCX_POINTER_SIZE && len != SCX_POINTER_SIZE;
	return true;
}

/* Joins the masks of another node into one. */
static void join(struct scx_piece *to, const struct scx_piece *from)
{
	uint8_t *bytes = to->data ? to->data : to->raw;
	const uint8_t *more = from->data ? from->data : from->raw;

	to->known = to->known && from->known;
	for (size_t i = 0; i < to->len && i < from->len; i++)
		bytes[i] |= more[i];
}

static struct kt_error *read_level(struct scx_walk *walk, struct pair *pairs, size_t n,
				   const struct layout *layout, size_t len)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < n && !err; i++) {
		gaddr_t cpu = pairs[i].addr ? pairs[i].addr + layout->cpu
					    : scx_piece_value(walk, &pairs[i].cpu);
		gaddr_t smt = pairs[i].addr ? pairs[i].addr + layout->smt
					    : scx_piece_value(walk, &pairs[i].smt);

		scx_piece_deinit(&pairs[i].cpu);
		scx_piece_deinit(&pairs[i].smt);
		pairs[i].addr = 0;
		err = scx_piece_begin(&pairs[i].cpu, cpu, len, &batch);
		if (!err)
			err = scx_piece_begin(&pairs[i].smt, smt, len, &batch);
	}
	if (!err && batch.reads.len)
		err = guest_read(walk->guest, &batch);
	for (size_t i = 0; i < n && !err; i++) {
		scx_piece_end(&pairs[i].cpu, &batch);
		scx_piece_end(&pairs[i].smt, &batch);
	}
	return err;
}

static struct kt_error *read_pairs(struct scx_walk *walk, struct pair *pairs, size_t n)
{
	struct kt_error *err = NULL;
	struct layout layout;

	if (!n || !layout_find(walk, &layout))
		return NULL;
	if (layout.is_pointer)
		err = read_level(walk, pairs, n, &layout, SCX_POINTER_SIZE);
	if (!err)
		err = read_level(walk, pairs, n, &layout, layout.len);
	if (err)
		return err;
	for (size_t i = 1; i < n; i++) {
		join(&pairs[0].cpu, &pairs[i].cpu);
		join(&pairs[0].smt, &pairs[i].smt);
	}
	walk->idle = pairs[0].cpu;
	walk->idle_core = pairs[0].smt;
	pairs[0].cpu = pairs[0].smt = (struct scx_piece){0};
	return NULL;
}

/* Fills the addresses of the pairs that are in use. */
static struct kt_error *find_pairs(struct scx_walk *walk, struct pair *pairs, size_t *n_ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_(scx_piece_deinit) struct scx_piece nodes = {0};
	struct kt_error *err;
	gaddr_t addr;

	*n_ret = 0;
	if (!scx_piece_value(walk, &walk->globals[SCX_G_IDLE_PER_NODE])) {
		if (guest_symbol(walk->guest, "scx_idle_global_masks", &addr) ||
		    guest_symbol(walk->guest, "idle_masks", &addr))
			pairs[(*n_ret)++].addr = addr;
		return NULL;
	}
	err = scx_piece_begin(&nodes, scx_piece_value(walk, &walk->globals[SCX_G_IDLE_NODES]),
			      scx_nodes(walk) * SCX_POINTER_SIZE, &batch);
	if (!err && batch.reads.len)
		err = guest_read(walk->guest, &batch);
	if (err)
		return err;
	scx_piece_end(&nodes, &batch);
	/* A node that is not possible has none. */
	for (size_t i = 0; i < scx_nodes(walk); i++)
		if (scx_piece_pointer(walk, &nodes, i))
			pairs[(*n_ret)++].addr = scx_piece_pointer(walk, &nodes, i);
	return NULL;
}

struct kt_error *scx_idle_read(struct scx_walk *walk)
{
	size_t n, max = scx_nodes(walk);
	struct pair *pairs;
	struct kt_error *err;

	/* Nobody keeps them up when this is off. */
	if (!scx_piece_value(walk, &walk->globals[SCX_G_IDLE_ENABLED]))
		return NULL;
	pairs = calloc(max, sizeof(*pairs));
	if (!pairs)
		return kt_error_no_memory();
	err = find_pairs(walk, pairs, &n);
	if (!err)
		err = read_pairs(walk, pairs, n);
	for (size_t i = 0; i < max; i++) {
		scx_piece_deinit(&pairs[i].cpu);
		scx_piece_deinit(&pairs[i].smt);
	}
	free(pairs);
	return err;
}
