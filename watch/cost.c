// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "watch/cost.h"

/* More loads than this tell no more about the average. */
#define LOADS_MAX 65536
/* A program that is this short keeps no verifier busy: some milliseconds under TCG. */
#define SHORT_INSNS 1000
/* A task that used more than so many times the median between two loads did something else. */
#define OTHER_MAX 8

#define N_TASKS (sizeof(((struct cost *)NULL)->tasks) / sizeof(struct cost_task))

static struct cost_task *find_task(struct cost *cost, gaddr_t task)
{
	for (size_t i = 0; i < N_TASKS && i < cost->n_tasks; i++)
		if (cost->tasks[i].task == task)
			return &cost->tasks[i];
	return NULL;
}

void cost_begin(struct cost *cost, gaddr_t task, struct program_number cpu_ns,
		const struct bpf_load *load, struct cost_load *ret)
{
	struct cost_task *known = find_task(cost, task);
	int64_t verifier_ns = (int64_t)load->verification_time_ns.value, used_ns = -1;

	if (known && cpu_ns.known && cpu_ns.value >= known->cpu_ns)
		used_ns = (int64_t)(cpu_ns.value - known->cpu_ns) - verifier_ns;
	if (!known)
		known = &cost->tasks[cost->n_tasks++ % N_TASKS];
	/* Of a time that could not be read, the next load has to know nothing: it is a first one.
	 */
	*known = cpu_ns.known ? (struct cost_task){task, cpu_ns.value} : (struct cost_task){0};
	*ret = (struct cost_load){
		.verifier_ns = verifier_ns,
		/* It waited in the verifier: the time there is no processor's time. */
		.other_ns = used_ns > 0 ? used_ns : 0,
		.insns = load->verified_insns.value,
		.is_first = used_ns < 0,
	};
}

void cost_end(struct cost *cost, struct cost_load *load, int64_t behind_ns)
{
	if (load->is_first)
		load->other_ns = behind_ns;
	/* Without memory for this one, the average is that of the others. */
	if (cost->loads.len < LOADS_MAX)
		(void)kt_vec_push(&cost->loads, *load);
}

static int by_other(const void *a, const void *b)
{
	const struct cost_load *x = a, *y = b;

	return (x->other_ns > y->other_ns) - (x->other_ns < y->other_ns);
}

/* Those that are short come first. */
static int by_verifier(const void *a, const void *b)
{
	const struct cost_load *x = a, *y = b;
	bool m = x->insns > SHORT_INSNS, n = y->insns > SHORT_INSNS;

	return m != n ? m - n
		      : (x->verifier_ns > y->verifier_ns) - (x->verifier_ns < y->verifier_ns);
}

int64_t cost_of_load(struct cost *cost)
{
	struct cost_load *loads = cost->loads.data;
	size_t n = cost->loads.len, n_short = 0;
	int64_t other_ns, verifier_ns, sum_ns = 0;

	if (!n)
		return 0;
	qsort(loads, n, sizeof(*loads), by_other);
	other_ns = loads[n / 2].other_ns;
	qsort(loads, n, sizeof(*loads), by_verifier);
	while (n_short < n && loads[n_short].insns <= SHORT_INSNS)
		n_short++;
	/* Without a short program, nothing better is known than what the rest of a load takes. */
	verifier_ns = n_short ? loads[n_short / 2].verifier_ns : other_ns;
	kt_vec_for_each (&cost->loads, load) {
		int64_t most_ns = OTHER_MAX * other_ns;

		sum_ns += load->other_ns < most_ns ? load->other_ns : most_ns;
		sum_ns += load->insns <= SHORT_INSNS || load->verifier_ns < verifier_ns
				  ? load->verifier_ns
				  : verifier_ns;
	}
	return sum_ns / (int64_t)n;
}

void cost_deinit(struct cost *cost)
{
	kt_vec_free(&cost->loads);
}
