// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "model/verifier.h"

static void stats_deinit(struct kt_prog_stats *stats)
{
	free(stats->name);
	free(stats->type);
	free(stats->tag);
}

/* Makes room for one more. The capacity doubles whenever n reaches a power of two. */
static struct kt_prog_stats *grow(struct kt_prog_stats_list *list)
{
	struct kt_prog_stats *all;

	if (list->n & (list->n - 1))
		return list->all;
	all = realloc(list->all, (list->n ? 2 * list->n : 1) * sizeof(*all));
	if (all)
		list->all = all;
	return all;
}

struct kt_error *kt_prog_stats_add(struct kt_prog_stats_list *list,
				   const struct kt_prog_stats *stats)
{
	struct kt_prog_stats copy = *stats, *all;

	copy.name = strdup(stats->name);
	copy.type = stats->type ? strdup(stats->type) : NULL;
	copy.tag = stats->tag ? strdup(stats->tag) : NULL;
	all = grow(list);
	if (!all || !copy.name || (stats->type && !copy.type) || (stats->tag && !copy.tag)) {
		stats_deinit(&copy);
		return kt_error_no_memory();
	}
	list->all[list->n++] = copy;
	return NULL;
}

struct kt_error *kt_prog_stats_add_loaded(struct kt_prog_stats_list *list,
					  const struct programs *programs)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < programs->n && !err; i++) {
		const struct program *p = &programs->all[i];

		err = kt_prog_stats_add(list, &(struct kt_prog_stats){
						      .name = p->full_name ? p->full_name
									   : (char *)p->name,
						      .type = p->type,
						      .tag = (char *)p->tag,
						      .verified_insns = p->verified_insns,
					      });
	}
	return err;
}

void kt_prog_stats_truncate(struct kt_prog_stats_list *list, size_t n)
{
	while (list->n > n)
		stats_deinit(&list->all[--list->n]);
}

void kt_prog_stats_deinit(struct kt_prog_stats_list *list)
{
	kt_prog_stats_truncate(list, 0);
	free(list->all);
	*list = (struct kt_prog_stats_list){0};
}
