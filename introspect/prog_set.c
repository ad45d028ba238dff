// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "introspect/prog_set.h"

static int compare(const void *a, const void *b)
{
	gaddr_t x = *(const gaddr_t *)a, y = *(const gaddr_t *)b;

	return (x > y) - (x < y);
}

void prog_set_deinit(struct prog_set *set)
{
	free(set->addrs);
	bpf_progs_destroy(set->read);
	programs_deinit(&set->programs);
	*set = (struct prog_set){0};
}

struct kt_error *prog_set_read(struct prog_set *set, struct guest *guest, gaddr_t *addrs, size_t n)
{
	set->addrs = addrs;
	qsort(addrs, n, sizeof(*addrs), compare);
	for (size_t i = 0; i < n; i++)
		if (addrs[i] && (!set->n || addrs[i] != addrs[set->n - 1]))
			addrs[set->n++] = addrs[i];
	return bpf_progs_read_at(guest, addrs, set->n, &set->read);
}

struct kt_error *prog_set_finish(struct prog_set *set, const struct kfacts *facts)
{
	return bpf_progs_finish_at(set->read, facts, &set->programs);
}

const struct program *prog_set_find(const struct prog_set *set, gaddr_t addr)
{
	const gaddr_t *found = set->n ? bsearch(&addr, set->addrs, set->n, sizeof(*set->addrs),
						compare)
				      : NULL;
	const struct program *program = found ? &set->programs.all[found - set->addrs] : NULL;

	return program && program->type ? program : NULL;
}
