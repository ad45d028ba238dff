// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/similar.h"

#include "logparse/scan.h"
#include "util/cleanup.h"

#define MAX_DEPTH 48

/* The keys of all pops together, and of all steps of a causal path. */
#define ANY_BRANCH 1
#define ANY_STEP   2

#define WORTH 5 /* lines that a cut has to save */

/* A place in the program, and a node that begins there. */
struct visit {
	uint64_t key;
	size_t node;
};

struct search {
	const struct log_node *nodes;
	size_t n;
	const char *end;
	size_t *shown; /* sum of nodes[0..i).shown */
	size_t *lines;
	size_t *novel; /* how many of nodes[0..i) execute something for the first time */
	size_t *pop;   /* the first node from i on that is a pop; n: none */
	enum log_likeness likeness;
	struct log_repeats *ret;
};

static void search_deinit(struct search *s)
{
	free(s->shown);
	free(s->lines);
	free(s->novel);
	free(s->pop);
}

/* What was executed so far: a set of keys. */
struct seen {
	uint64_t *slot;
	size_t mask, len;
};

static bool seen_grow(struct seen *seen)
{
	struct seen bigger = {.mask = seen->mask ? seen->mask * 2 + 1 : 1023};

	bigger.slot = calloc(bigger.mask + 1, sizeof(*bigger.slot));
	if (!bigger.slot)
		return false;
	for (size_t i = 0; seen->slot && i <= seen->mask; i++) {
		size_t at = seen->slot[i] & bigger.mask;

		if (!seen->slot[i])
			continue;
		while (bigger.slot[at])
			at = (at + 1) & bigger.mask;
		bigger.slot[at] = seen->slot[i];
	}
	bigger.len = seen->len;
	free(seen->slot);
	*seen = bigger;
	return true;
}

/* Whether the key is new; it is not from then on. Without memory nothing is new. */
static bool seen_add(struct seen *seen, uint64_t key)
{
	size_t at;

	if (!key || (seen->len * 2 >= seen->mask && !seen_grow(seen)))
		return false;
	for (at = key & seen->mask; seen->slot[at]; at = (at + 1) & seen->mask)
		if (seen->slot[at] == key)
			return false;
	seen->slot[at] = key;
	seen->len++;
	return true;
}

static bool leaf_is_novel(const struct search *s, struct seen *seen, const struct log_node *leaf)
{
	if (s->likeness >= LOG_ANY_BRANCH && leaf->flags & (NODE_POP | NODE_STEP))
		return false;
	if (s->likeness >= LOG_ANYTHING && leaf->key)
		return false;
	return seen_add(seen, leaf->key ? leaf->key : leaf->shape);
}

/* A loop executes what its first iteration does. */
static bool loop_is_novel(const struct search *s, struct seen *seen, const struct log_node *loop)
{
	struct log_scan scan;
	struct log_node node;
	bool novel = false;

	log_scan_init(&scan,
		      (struct kt_text){loop->start, (size_t)(loop->first_end - loop->start)});
	while (log_scan_next(&scan, &node))
		novel |= leaf_is_novel(s, seen, &node);
	return novel;
}

/* s has nodes, n, end, likeness and ret already. */
static struct kt_error *search_init(struct search *s)
{
	const struct log_node *nodes = s->nodes;
	struct seen seen = {0};
	size_t n = s->n;

	s->shown = malloc((n + 1) * sizeof(size_t));
	s->lines = malloc((n + 1) * sizeof(size_t));
	s->novel = malloc((n + 1) * sizeof(size_t));
	s->pop = malloc((n + 1) * sizeof(size_t));
	if (!s->shown || !s->lines || !s->novel || !s->pop) {
		search_deinit(s);
		return kt_error_no_memory();
	}
	s->shown[0] = s->lines[0] = s->novel[0] = 0;
	for (size_t i = 0; i < n; i++) {
		const struct log_node *node = &nodes[i];
		bool novel = node->count ? loop_is_novel(s, &seen, node)
					 : leaf_is_novel(s, &seen, node);

		s->shown[i + 1] = s->shown[i] + node->shown;
		s->lines[i + 1] = s->lines[i] + node->lines;
		s->novel[i + 1] = s->novel[i] + novel;
	}
	s->pop[n] = n;
	for (size_t i = n; i-- > 0;)
		s->pop[i] = nodes[i].flags & NODE_POP ? i : s->pop[i + 1];
	free(seen.slot);
	return NULL;
}

static const char *start_of(const struct search *s, size_t node)
{
	return node < s->n ? s->nodes[node].start : s->end;
}

/*
 * A loop's node as a repeat; a leaf that opens an iteration up to node `to`, as one of one.
 * alone: it is not to be joined with others.
 */
static struct log_repeat repeat_of(const struct search *s, size_t node, size_t to, bool alone)
{
	struct log_node split = s->nodes[node];
	const struct log_node *n = &split;
	size_t behind = s->lines[to] - s->lines[node + 1];
	struct log_repeat r = {
		.start = n->start,
		.end = start_of(s, to),
		.count = 1,
		.lines = n->lines + behind,
		.unlike = n->flags & NODE_UNLIKE,
	};

	if (!alone)
		node_split(&split);
	if (n->count < 2) {
		r.first_end = r.end;
		r.last_start = r.start;
		r.first_lines = r.last_lines = r.min = r.max = r.lines;
		return r;
	}
	r.count = n->count;
	r.first_end = n->first_end;
	r.last_start = n->last_start;
	r.first_lines = n->first_lines;
	r.last_lines = n->last_lines + behind;
	r.min = n->min;
	r.max = n->max > r.last_lines ? n->max : r.last_lines;
	r.unlike |= behind > 0;
	return r;
}

/* Two neighbours become one. */
static void append(struct log_repeat *r, const struct log_repeat *next)
{
	r->end = next->end;
	r->last_start = next->last_start;
	r->last_lines = next->last_lines;
	r->count += next->count;
	r->lines += next->lines;
	r->min = next->min < r->min ? next->min : r->min;
	r->max = next->max > r->max ? next->max : r->max;
	r->unlike = true;
}

/* The visits to one place. The last iteration ends where the next branch is taken up. */
struct visits {
	const struct visit *v;
	size_t n, hi;
};

static size_t visit_end(const struct search *s, const struct visits *visits, size_t i)
{
	size_t pop;

	if (i + 1 < visits->n)
		return visits->v[i + 1].node;
	pop = s->pop[visits->v[i].node + 1];
	return pop < visits->hi ? pop : visits->hi;
}

/*
 * The run of visits from i on that bring nothing new, as one repeat. Returns the visit
 * behind it. *cost is the lines that will be left.
 */
static size_t take_run(const struct search *s, const struct visits *visits, size_t i,
		       struct log_repeat *ret, size_t *cost)
{
	size_t first = visits->v[i].node, to = visit_end(s, visits, i), last_shown;
	size_t whole = s->shown[to] - s->shown[first], first_shown;

	*ret = repeat_of(s, first, to, false);
	first_shown = last_shown = s->nodes[first].count ? s->nodes[first].shown / 2 : whole;
	for (i++; i < visits->n; i++) {
		size_t at = visits->v[i].node, end = visit_end(s, visits, i);
		struct log_repeat next;

		if (s->novel[end] != s->novel[at])
			break;
		next = repeat_of(s, at, end, false);
		append(ret, &next);
		last_shown = s->shown[end] - s->shown[at];
		whole += last_shown;
		if (s->nodes[at].count)
			last_shown -= s->nodes[at].shown / 2;
	}
	*cost = ret->count >= 3 && first_shown + last_shown + 3 < whole
			? first_shown + last_shown + 3
			: whole;
	return i;
}

/* What would be left of nodes lo..hi if they were cut at these visits. */
static size_t cost_of(const struct search *s, const struct visits *visits, size_t lo)
{
	size_t cost = s->shown[visits->v[0].node] - s->shown[lo], run;
	struct log_repeat r;

	for (size_t i = 0; i < visits->n;) {
		i = take_run(s, visits, i, &r, &run);
		cost += run;
	}
	return cost + s->shown[visits->hi] - s->shown[visit_end(s, visits, visits->n - 1)];
}

static int by_key(const void *a, const void *b)
{
	const struct visit *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* All visits to places in nodes lo..hi, place by place. */
static struct visit *visits_in(const struct search *s, size_t lo, size_t hi, size_t *ret_n)
{
	struct visit *v = malloc(2 * (hi - lo) * sizeof(*v) + 1);
	size_t n = 0;

	if (!v)
		return NULL;
	for (size_t i = lo; i < hi; i++) {
		if (s->nodes[i].key)
			v[n++] = (struct visit){s->nodes[i].key, i};
		if (s->likeness >= LOG_ANY_BRANCH && s->nodes[i].flags & (NODE_POP | NODE_STEP))
			v[n++] = (struct visit){
				s->nodes[i].flags & NODE_POP ? ANY_BRANCH : ANY_STEP, i};
	}
	qsort(v, n, sizeof(*v), by_key);
	*ret_n = n;
	return v;
}

/*
 * The place at which to cut nodes lo..hi so that the least is left. Only places that the
 * walk jumps to or takes up count, and the latter more.
 */
static struct visits best_place(const struct search *s, const struct visit *v, size_t n, size_t lo,
				size_t hi, uint64_t banned)
{
	size_t best = s->shown[hi] - s->shown[lo] - WORTH;
	struct visits ret = {.hi = hi};

	for (size_t i = 0, end; i < n; i = end) {
		size_t count = 0, cost;
		uint8_t flags = 0;
		struct visits here;

		for (end = i; end < n && v[end].key == v[i].key; end++) {
			const struct log_node *node = &s->nodes[v[end].node];

			flags |= node->flags;
			count += node->count ? node->count : 1;
		}
		if (count < 3 || v[i].key == banned || !(flags & (NODE_POP | NODE_LEADER)))
			continue;
		here = (struct visits){v + i, end - i, hi};
		cost = cost_of(s, &here, lo);
		if (!(flags & NODE_POP))
			cost += cost / 8 + 2;
		if (cost < best) {
			best = cost;
			ret = here;
		}
	}
	return ret;
}

/*
 * The iteration in which a loop is left is not whole: it begins where all begin, and ends
 * where something is executed that never was before. Where it does, behind the loop's node.
 */
static size_t end_of_leaving(const struct search *s, size_t node, size_t hi)
{
	size_t to = node + 1;

	if (!(s->nodes[node].flags & NODE_UNLIKE) || to >= hi || !s->nodes[to].key ||
	    s->nodes[to].key != s->nodes[node].key)
		return to;
	while (to < hi && s->novel[to + 1] == s->novel[to] && !(s->nodes[to].flags & NODE_POP))
		to++;
	return to;
}

static struct kt_error *add_loops(const struct search *s, size_t lo, size_t hi)
{
	for (size_t i = lo, to; i < hi; i = to) {
		struct log_repeat r, leaving;

		to = i + 1;
		if (s->nodes[i].count < 2)
			continue;
		r = repeat_of(s, i, to, true);
		to = end_of_leaving(s, i, hi);
		if (to > i + 1) {
			leaving = (struct log_repeat){
				.start = start_of(s, i + 1),
				.last_start = start_of(s, i + 1),
				.end = start_of(s, to),
				.count = 1,
				.lines = s->lines[to] - s->lines[i + 1],
			};
			leaving.last_lines = leaving.min = leaving.max = leaving.lines;
			append(&r, &leaving);
		}
		if (!kt_vec_push(&s->ret->v, r))
			return kt_error_no_memory();
	}
	return NULL;
}

static struct kt_error *divide(const struct search *s, size_t lo, size_t hi, uint64_t banned,
			       int depth);

/* Cuts nodes lo..hi at the visits; what lies before, between and behind is divided in turn. */
static struct kt_error *cut(const struct search *s, const struct visits *visits, size_t lo,
			    int depth)
{
	uint64_t key = visits->v[0].key;
	struct kt_error *err = NULL;
	struct log_repeat r;
	size_t pending = lo, cost;

	for (size_t i = 0, next; !err && i < visits->n; i = next) {
		size_t first = visits->v[i].node, end;

		next = take_run(s, visits, i, &r, &cost);
		if (r.count < 3)
			continue;
		end = visit_end(s, visits, next - 1);
		err = divide(s, pending, first, key, depth + 1);
		if (!err && !kt_vec_push(&s->ret->v, r))
			err = kt_error_no_memory();
		pending = end;
	}
	return err ? err : divide(s, pending, visits->hi, key, depth + 1);
}

static struct kt_error *divide(const struct search *s, size_t lo, size_t hi, uint64_t banned,
			       int depth)
{
	_cleanup_free_ struct visit *v = NULL;
	struct visits best;
	size_t n;

	if (hi - lo < 3 || s->shown[hi] - s->shown[lo] < 12 || depth > MAX_DEPTH)
		return add_loops(s, lo, hi);
	v = visits_in(s, lo, hi, &n);
	if (!v)
		return kt_error_no_memory();
	best = best_place(s, v, n, lo, hi, banned);
	if (!best.n)
		return add_loops(s, lo, hi);
	return cut(s, &best, lo, depth);
}

struct kt_error *log_find_repeats(const struct log_node *nodes, size_t n, const char *end,
				  enum log_likeness likeness, struct log_repeats *ret)
{
	struct search s = {
		.nodes = nodes,
		.n = n,
		.end = end,
		.likeness = likeness,
		.ret = ret,
	};
	struct kt_error *err;

	err = search_init(&s);
	if (err)
		return err;
	err = divide(&s, 0, n, 0, 0);
	search_deinit(&s);
	return err;
}
