// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/node.h"

#include "logparse/scan.h"

/* More nodes in an iteration than this are not looked through. */
#define MAX_ROOT 4096

/* The iteration from `start` on: whether its n nodes are n / root times the same, by shape. */
static bool repeats_every(struct kt_text iteration, size_t n, size_t root, uint64_t *body)
{
	struct log_scan a, b;
	struct log_node na, nb;
	uint64_t hash = 0;

	log_scan_init(&a, iteration);
	log_scan_init(&b, iteration);
	for (size_t i = 0; i < root; i++) {
		if (!log_scan_next(&b, &nb))
			return false;
		hash = hash * NODE_BASE + nb.shape;
	}
	for (size_t i = root; i < n; i++)
		if (!log_scan_next(&a, &na) || !log_scan_next(&b, &nb) || na.shape != nb.shape)
			return false;
	*body = hash;
	return true;
}

void node_find_root(struct log_node *loop)
{
	struct kt_text iteration = {loop->start, (size_t)(loop->first_end - loop->start)};
	size_t n = loop->body_len;

	if (!loop->count || loop->flags & NODE_MULTIPLE)
		return;
	loop->body = loop->body_shape;
	if (loop->flags & NODE_NESTED || n > MAX_ROOT)
		return;
	for (size_t root = 1; root <= n / 2; root++) {
		if (n % root || !repeats_every(iteration, n, root, &loop->body_shape))
			continue;
		loop->body = loop->body_shape;
		loop->body_len = (uint32_t)root;
		loop->shape = node_mix(loop->body, NODE_LOOP);
		loop->flags |= NODE_MULTIPLE;
		return;
	}
}

/* What the pieces of one of the loop's iterations are like. */
struct pieces {
	size_t n, first, last, min, max; /* lines of each */
	const char *first_end, *last_start;
};

static void cut_iteration(struct kt_text iteration, size_t root, struct pieces *ret)
{
	struct log_scan scan;
	struct log_node node;
	size_t nodes = 0, lines = 0;
	const char *start = iteration.data;

	*ret = (struct pieces){.min = SIZE_MAX};
	log_scan_init(&scan, iteration);
	while (log_scan_next(&scan, &node)) {
		if (!nodes)
			start = node.start;
		lines += node.lines;
		if (++nodes < root)
			continue;
		if (!ret->n++) {
			ret->first = lines;
			ret->first_end = node.end;
		}
		ret->last = lines;
		ret->last_start = start;
		ret->min = lines < ret->min ? lines : ret->min;
		ret->max = lines > ret->max ? lines : ret->max;
		nodes = lines = 0;
	}
}

void node_split(struct log_node *loop)
{
	size_t last_len;
	struct pieces a, z;

	if (!(loop->flags & NODE_MULTIPLE))
		return;
	last_len = (size_t)(loop->end - loop->last_start);
	cut_iteration((struct kt_text){loop->start, (size_t)(loop->first_end - loop->start)},
		      loop->body_len, &a);
	cut_iteration((struct kt_text){loop->last_start, last_len}, loop->body_len, &z);
	loop->count *= a.n;
	loop->first_end = a.first_end;
	loop->first_lines = a.first;
	loop->last_start = z.last_start;
	loop->last_lines = z.last;
	loop->min = a.min < z.min ? a.min : z.min;
	loop->max = a.max > z.max ? a.max : z.max;
	loop->flags = (uint8_t)((loop->flags & ~NODE_MULTIPLE) | NODE_UNLIKE);
}
