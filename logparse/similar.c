// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/similar.h"

#include "logparse/loop.h"
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
	bool source; /* the place is a source line, of which there are many copies */
};

struct search {
	const struct log_list *list;
	size_t *shown; /* sum of nodes[0..i).shown */
	size_t *lines;
	size_t *novel; /* how many of nodes[0..i) execute something for the first time */
	size_t *pop;   /* the first node from i on that is a pop; n: none */
	enum log_likeness likeness;
	struct log_runs *ret;
};

static void search_deinit(struct search *s)
{
	free(s->shown);
	free(s->lines);
	free(s->novel);
	free(s->pop);
}

/* A set of keys: the places that were executed so far. */
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

/* Adds the key. True if it is new. Without memory nothing is new. */
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
	if (s->likeness >= LOG_ANYTHING && !(leaf->flags & NODE_TEXT))
		return false;
	return seen_add(seen, leaf->key ? leaf->key : leaf->shape);
}

/* A loop executes what its first iteration does. */
static bool loop_is_novel(const struct search *s, struct seen *seen, const struct log_run *run)
{
	struct log_scan scan;
	struct log_node node;
	bool novel = false;

	log_scan_init(&scan, (struct kt_text){run->start, (size_t)(run->first_end - run->start)},
		      false);
	while (log_scan_next(&scan, &node))
		novel |= leaf_is_novel(s, seen, &node);
	return novel;
}

/* s has list, likeness and ret already. */
static struct kt_error *search_init(struct search *s)
{
	const struct log_node *nodes = s->list->nodes;
	size_t n = s->list->n;
	struct seen seen = {0};

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
		const struct log_loop *loop = list_loop(s->list, i);
		bool novel = loop ? loop_is_novel(s, &seen, &loop->run)
				  : leaf_is_novel(s, &seen, &nodes[i]);

		s->shown[i + 1] = s->shown[i] + nodes[i].shown;
		s->lines[i + 1] = s->lines[i] + nodes[i].lines;
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
	return node < s->list->n ? s->list->nodes[node].start : s->list->end;
}

/* The nodes from..to as one iteration. */
static struct log_run one_iteration(const struct search *s, size_t from, size_t to)
{
	return run_of_one(start_of(s, from), start_of(s, to), s->lines[to] - s->lines[from]);
}

/* Iterations at the ends of a loop that may be parts of equal ones. */
#define PARTS 2

/*
 * Whether a loop has only equal iterations, but for a part of one at each end. Then it is shown as
 * equal.
 */
static bool is_equal_at_core(const struct log_loop *loop)
{
	struct log_run core = loop->core;

	if (loop->in_core < 3 || loop->run.count - loop->in_core > PARTS)
		return false;
	if (!loop->run.unlike)
		return true;
	log_widen(&core, loop->run.start, loop->run.end, core.first_lines);
	if (core.start != loop->run.start) /* the source line of the instruction fallen into */
		core.start = log_line_before(core.start, loop->run.start);
	return core.start == loop->run.start && core.end == loop->run.end;
}

/* The visits to one place. The last iteration ends where the next branch is taken up. */
struct visits {
	const struct visit *v;
	size_t n, hi;
};

static size_t visit_end(const struct search *s, const struct visits *visits, size_t i)
{
	size_t node = visits->v[i].node, pop;

	if (i + 1 < visits->n)
		return visits->v[i + 1].node;
	if (s->list->nodes[node].loop)
		return node + 1;
	pop = s->pop[node + 1];
	return pop < visits->hi ? pop : visits->hi;
}

/* The nodes from a visit to the next: one iteration, or a loop's iterations. */
static struct log_run visit_run(const struct search *s, size_t node, size_t to,
				struct log_loop *split)
{
	const struct log_loop *loop = list_loop(s->list, node);
	size_t behind = s->lines[to] - s->lines[node + 1];
	struct log_run run;

	*split = (struct log_loop){0};
	if (!loop)
		return one_iteration(s, node, to);
	*split = *loop;
	loop_split(split);
	run = split->run;
	run.end = start_of(s, to);
	run.lines += behind;
	run.last_lines += behind;
	return run;
}

/* A run of visits that is being put together. */
struct taking {
	struct log_run run;
	size_t whole, first_shown, last_shown;
	struct log_loop core; /* the loop in it with the longest part of equal iterations */
	size_t core_visit;
};

static void take_visit(const struct search *s, const struct visits *visits, size_t i, bool first,
		       struct taking *t)
{
	size_t node = visits->v[i].node, to = visit_end(s, visits, i);
	struct log_loop loop;
	struct log_run run = visit_run(s, node, to, &loop);
	size_t shown = s->shown[to] - s->shown[node];

	if (first)
		t->run = run;
	else
		run_append(&t->run, &run);
	t->run.unlike = true;
	t->whole += shown;
	if (s->list->nodes[node].loop)
		shown -= s->list->nodes[node].shown / 2;
	if (first)
		t->first_shown = shown;
	t->last_shown = shown;
	if (loop.in_core > t->core.in_core) {
		t->core = loop;
		t->core_visit = i;
	}
}

/* The very last iteration is shown, so it may have new nodes: the error, say. */
static bool goes_on(const struct search *s, const struct visits *visits, size_t i)
{
	return i + 1 == visits->n ||
	       s->novel[visit_end(s, visits, i)] == s->novel[visits->v[i].node];
}

/*
 * Makes one repeat of the visits from i on that bring nothing new. Returns the visit behind it.
 * ret->count is 0 if these visits should not become a repeat here. *cost is the length of the
 * output in lines.
 */
static size_t take_run(const struct search *s, const struct visits *visits, size_t i,
		       struct log_run *ret, size_t *cost)
{
	struct taking t = {0};
	size_t end = i, shown;

	do
		take_visit(s, visits, end, end == i, &t);
	while (++end < visits->n && goes_on(s, visits, end));
	*ret = t.run;
	*cost = t.whole;
	if (t.core.in_core && t.run.count - t.core.in_core <= PARTS && is_equal_at_core(&t.core)) {
		end = t.core_visit == i ? i + 1 : t.core_visit;
		ret->count = 0;
		*cost = s->shown[visit_end(s, visits, end - 1)] - s->shown[visits->v[i].node];
		return end;
	}
	if (end == i + 1 && s->list->nodes[visits->v[i].node].loop)
		ret->count = 0;
	shown = t.first_shown + t.last_shown + 3;
	if (ret->count >= 3 && shown < t.whole)
		*cost = shown;
	return end;
}

/* The length of the output if nodes lo..hi were cut at these visits. */
static size_t cost_of(const struct search *s, const struct visits *visits, size_t lo)
{
	size_t cost = s->shown[visits->v[0].node] - s->shown[lo], run;
	struct log_run r;

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

/* The source line that the node begins with, as a key; 0 when it has none. */
static uint64_t source_key(const struct log_node *node)
{
	struct kt_text rest = {node->start, (size_t)(node->end - node->start)}, line;
	struct kt_line l;

	while (kt_text_next_line(&rest, &line)) {
		kt_line_read(line, &l);
		if (l.kind == KT_LINE_SOURCE)
			return log_line_token(line, &l);
		if (l.kind != KT_LINE_BLANK)
			break;
	}
	return 0;
}

/* All visits to places in nodes lo..hi, place by place. */
static struct visit *visits_in(const struct search *s, size_t lo, size_t hi, size_t *ret_n)
{
	struct visit *v = malloc(3 * (hi - lo) * sizeof(*v) + 1);
	size_t n = 0;

	if (!v)
		return NULL;
	for (size_t i = lo; i < hi; i++) {
		const struct log_node *node = &s->list->nodes[i];
		uint64_t source = s->likeness >= LOG_NO_NUMBERS ? source_key(node) : 0;

		if (node->key)
			v[n++] = (struct visit){node->key, i, false};
		if (source)
			v[n++] = (struct visit){source, i, true};
		if (s->likeness >= LOG_ANY_BRANCH && node->flags & (NODE_POP | NODE_STEP))
			v[n++] = (struct visit){node->flags & NODE_POP ? ANY_BRANCH : ANY_STEP, i,
						false};
	}
	qsort(v, n, sizeof(*v), by_key);
	*ret_n = n;
	return v;
}

/*
 * The place to cut nodes lo..hi at, so that the output is shortest. Only places that the walk jumps
 * to or takes up count, and the latter count more.
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
			const struct log_node *node = &s->list->nodes[v[end].node];
			const struct log_loop *loop = list_loop(s->list, v[end].node);

			flags |= node->flags;
			count += loop ? loop->run.count : 1;
		}
		if (count < 3 || v[i].key == banned ||
		    !(v[i].source || flags & (NODE_POP | NODE_LEADER)))
			continue;
		here = (struct visits){v + i, end - i, hi};
		cost = cost_of(s, &here, lo);
		/* Prefer a branch that is taken up: people look for it. */
		if (!(flags & NODE_POP) && s->likeness == LOG_ALIKE)
			cost += cost / 2;
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
	const struct log_node *nodes = s->list->nodes;
	size_t to = node + 1;

	if (to >= hi || !nodes[to].key || nodes[to].key != nodes[node].key)
		return to;
	while (to < hi && s->novel[to + 1] == s->novel[to] && !(nodes[to].flags & NODE_POP))
		to++;
	return to;
}

static bool add_run(const struct search *s, const struct log_run *run)
{
	return kt_vec_push(&s->ret->v, *run);
}

/* The part of a loop before or behind its core, searched for repeats if it has loops in it. */
static bool add_around(const struct search *s, const struct log_loop *loop, const char *from,
		       const char *to)
{
	struct log_run run;

	if (from >= to || !loop->nested)
		return true;
	run = run_of_one(from, to,
			 kt_text_count_lines((struct kt_text){from, (size_t)(to - from)}));
	return add_run(s, &run);
}

static struct kt_error *add_loops(const struct search *s, size_t lo, size_t hi)
{
	for (size_t i = lo, to; i < hi; i = to) {
		const struct log_loop *loop = list_loop(s->list, i);
		struct log_run run, leaving;
		bool ok = true;

		to = i + 1;
		if (!loop)
			continue;
		run = loop->run;
		if (is_equal_at_core(loop)) {
			ok = add_around(s, loop, run.start, loop->core.start) &&
			     add_run(s, &loop->core) &&
			     add_around(s, loop, loop->core.end, run.end);
		} else {
			if (run.unlike)
				to = end_of_leaving(s, i, hi);
			if (to > i + 1) {
				leaving = one_iteration(s, i + 1, to);
				run_append(&run, &leaving);
			}
			ok = add_run(s, &run);
		}
		if (!ok)
			return kt_error_no_memory();
	}
	return NULL;
}

static struct kt_error *divide(const struct search *s, size_t lo, size_t hi, uint64_t banned,
			       int depth);

/*
 * Cuts nodes lo..hi at the visits. The nodes before, between and behind them are divided in turn.
 */
static struct kt_error *cut(const struct search *s, const struct visits *visits, size_t lo,
			    int depth)
{
	uint64_t key = visits->v[0].key;
	struct kt_error *err = NULL;
	struct log_run r;
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

struct kt_error *log_find_repeats(const struct log_list *list, enum log_likeness likeness,
				  struct log_runs *ret)
{
	struct search s = {.list = list, .likeness = likeness, .ret = ret};
	struct kt_error *err;

	err = search_init(&s);
	if (err)
		return err;
	err = divide(&s, 0, list->n, 0, 0);
	search_deinit(&s);
	return err;
}
