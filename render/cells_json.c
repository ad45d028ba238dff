// SPDX-License-Identifier: LGPL-2.1-or-later
/* Cells as the document "ktstr-gdb.report.v1". */
#include <math.h>
#include <string.h>

#include "model/cells_counts.h"
#include "model/json.h"
#include "model/json_put.h"
#include "render/cells.h"
#include "render/cells_json.h"
#include "util/cleanup.h"

static json_t *json_stats(const struct kt_prog_stats_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->n; i++) {
		const struct kt_prog_stats *stats = &list->all[i];
		json_t *object = json_object();

		json_object_set_new(object, "name", kt_json_text(stats->name));
		json_object_set_new(object, "type", kt_json_text(stats->type));
		json_object_set_new(object, "verified_insns",
				    kt_json_number(stats->verified_insns));
		for (int k = KT_TRIAL_INSNS + 1; k < KT_N_TRIAL_NUMBERS; k++)
			json_object_set_new(object, kt_trial_number_name((enum kt_trial_number)k),
					    kt_json_number(stats->more[k]));
		json_object_set_new(object, "failed", json_boolean(stats->failed));
		json_array_append_new(array, object);
	}
	return array;
}

json_t *cells_json_name(const struct kt_cell_record *record)
{
	json_t *object = json_object();

	json_object_set_new(object, "scheduler", kt_json_text(record->scheduler));
	json_object_set_new(object, "kernel", kt_json_text(record->kernel));
	json_object_set_new(object, "topology", kt_json_text(record->topology));
	return object;
}

static json_t *json_cell(const struct cells_cell *cell)
{
	const struct kt_cell_record *record = cell->record;
	json_t *object = cells_json_name(record);

	json_object_set_new(object, "passed", json_boolean(cell->state == CELLS_PASSED));
	json_object_set_new(object, "skipped", json_boolean(cell->state == CELLS_SKIPPED));
	json_object_set_new(object, "verdict", kt_json_text(record->verdict));
	json_object_set_new(object, "reason", kt_json_text(record->reason));
	json_object_set_new(object, "release", kt_json_text(record->release));
	json_object_set_new(object, "log", kt_json_text(record->log));
	json_object_set_new(object, "dump", kt_json_text(record->dump));
	json_object_set_new(object, "no_dump", kt_json_text(record->no_dump));
	json_object_set_new(object, "workload", kt_json_text(record->workload));
	json_object_set_new(object, "started",
			    record->started ? json_integer(record->started) : json_null());
	json_object_set_new(object, "duration_s",
			    record->duration_s > 0 && isfinite(record->duration_s)
				    ? json_real(record->duration_s)
				    : json_null());
	json_object_set_new(object, "attempts",
			    record->attempts ? json_integer(record->attempts) : json_null());
	json_object_set_new(object, "stats", json_stats(&record->stats));
	return object;
}

static json_t *json_names(const struct cells_names *names)
{
	json_t *array = json_array();

	for (size_t i = 0; i < names->n; i++)
		json_array_append_new(array, kt_json_text(names->all[i]));
	return array;
}

static json_t *json_tally(const struct cells_index *index)
{
	json_t *object = json_object();

	json_object_set_new(object, "cells", kt_json_u64(index->n));
	json_object_set_new(object, "passed", kt_json_u64(index->passed));
	json_object_set_new(object, "failed", kt_json_u64(index->failed));
	json_object_set_new(object, "skipped", kt_json_u64(index->skipped));
	return object;
}

static json_t *json_range(const struct cells_index *index, size_t scheduler,
			  const struct cells_counts *counts, size_t kernel, size_t program)
{
	const struct cells_range *range = cells_counts_at(counts, kernel, program);
	const struct cells_program *p = &counts->programs[program];
	json_t *object = json_object();

	json_object_set_new(object, "scheduler", kt_json_text(index->schedulers.all[scheduler]));
	json_object_set_new(object, "kernel",
			    kt_json_text(index->kernels.all[counts->kernels[kernel]]));
	json_object_set_new(object, "program", kt_json_text(p->name));
	json_object_set_new(object, "nth", kt_json_u64(p->nth + 1));
	json_object_set_new(object, "lo", kt_json_u64(range->lo));
	json_object_set_new(object, "hi", kt_json_u64(range->hi));
	json_object_set_new(object, "topologies", kt_json_u64(range->n));
	return object;
}

/* The instruction count tables, without what is not known. */
static struct kt_error *json_counts(const struct cells_index *index, json_t *array)
{
	for (size_t s = 0; s < index->schedulers.n; s++) {
		_cleanup_(cells_counts_deinit) struct cells_counts counts = {0};
		struct kt_error *err = cells_counts_init(index, s, KT_TRIAL_INSNS, &counts);

		if (err)
			return err;
		for (size_t k = 0; k < counts.n_kernels; k++)
			for (size_t p = 0; p < counts.n_programs; p++)
				if (cells_counts_at(&counts, k, p)->n)
					json_array_append_new(array,
							      json_range(index, s, &counts, k, p));
	}
	return NULL;
}

struct kt_error *cells_json(const struct cells_index *index, json_t **ret)
{
	json_t *root = json_object(), *cells = json_array(), *failing = json_array();
	json_t *counts = json_array();
	struct kt_error *err = json_counts(index, counts);

	for (size_t i = 0; i < index->n; i++) {
		const struct kt_cell_record *record = index->cells[i].record;
		json_t *name;

		json_array_append_new(cells, json_cell(&index->cells[i]));
		if (index->cells[i].state != CELLS_FAILED)
			continue;
		name = cells_json_name(record);
		json_object_set_new(name, "reason", kt_json_text(record->reason));
		json_array_append_new(failing, name);
	}
	json_object_set_new(root, "schema", json_string("ktstr-gdb.report.v1"));
	json_object_set_new(root, "tally", json_tally(index));
	json_object_set_new(root, "schedulers", json_names(&index->schedulers));
	json_object_set_new(root, "kernels", json_names(&index->kernels));
	json_object_set_new(root, "topologies", json_names(&index->topologies));
	json_object_set_new(root, "instructions", counts);
	json_object_set_new(root, "failed", failing);
	json_object_set_new(root, "cells", cells);
	if (err || !root) {
		json_decref(root);
		return err ? err : kt_error_no_memory();
	}
	*ret = root;
	return NULL;
}

struct kt_error *kt_format_cells_json(const struct kt_cell_records *records, char **ret)
{
	_cleanup_(cells_index_deinit) struct cells_index index = {0};
	struct kt_error *err = cells_index_init(records, &index);
	json_t *root;

	if (!err)
		err = cells_json(&index, &root);
	return err ? err : kt_json_dump(root, ret);
}
