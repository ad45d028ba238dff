// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/loop.h"

#include "logparse/scan.h"

/* More nodes in an iteration than this are not looked through. */
#define MAX_ROOT 4096

/* Whether an iteration's n nodes are n / root times the same, by shape. */
static bool repeats_every(struct kt_text iteration, size_t n, size_t root, uint64_t *shapes)
{
	struct log_scan a, b;
	struct log_node na, nb;
	uint64_t hash = 0;

	log_scan_init(&a, iteration, false);
	log_scan_init(&b, iteration, false);
	for (size_t i = 0; i < root; i++) {
		if (!log_scan_next(&b, &nb))
			return false;
		hash = hash * NODE_BASE + nb.shape;
	}
	for (size_t i = root; i < n; i++)
		if (!log_scan_next(&a, &na) || !log_scan_next(&b, &nb) || na.shape != nb.shape)
			return false;
	*shapes = hash;
	return true;
}

void loop_find_root(struct log_loop *loop)
{
	const struct log_run *run = &loop->run;
	struct kt_text iteration = {run->start, (size_t)(run->first_end - run->start)};
	size_t n = loop->body_len;

	if (loop->multiple)
		return;
	loop->body = loop->shapes;
	if (loop->nested || loop->run.unlike || n > MAX_ROOT)
		return;
	for (size_t root = 1; root <= n / 2; root++) {
		if (n % root || !repeats_every(iteration, n, root, &loop->shapes))
			continue;
		loop->body = loop->shapes;
		loop->body_len = (uint32_t)root;
		loop->multiple = true;
		return;
	}
}

/* One of the loop's iterations as a run of its own. */
static struct log_run cut_iteration(const char *start, const char *end, size_t root)
{
	struct log_scan scan;
	struct log_node node;
	size_t nodes = 0, lines = 0;
	struct log_run run = {0}, one;
	const char *from = start;

	log_scan_init(&scan, (struct kt_text){start, (size_t)(end - start)}, false);
	while (log_scan_next(&scan, &node)) {
		if (!nodes)
			from = node.start;
		lines += node.lines;
		if (++nodes < root)
			continue;
		one = run_of_one(from, node.end, lines);
		if (run.count)
			run_append(&run, &one);
		else
			run = one;
		nodes = lines = 0;
	}
	return run;
}

void loop_split(struct log_loop *loop)
{
	struct log_run *run = &loop->run, first, last;

	if (!loop->multiple)
		return;
	loop->multiple = false;
	first = cut_iteration(run->start, run->first_end, loop->body_len);
	last = cut_iteration(run->last_start, run->end, loop->body_len);
	if (first.count != last.count || !first.count)
		return;
	loop->in_core *= first.count;
	first.count *= run->count - 1; /* all but the last are like the first */
	first.lines = run->lines - last.lines;
	run_append(&first, &last);
	first.unlike = true;
	*run = first;
}
