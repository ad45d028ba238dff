// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "model/cell_record.h"
#include "model/verdict.h"

bool kt_cell_is_unknown(const struct kt_cell_record *record)
{
	const char *verdict = record->verdict;

	if (!verdict || record->passed || record->skipped)
		return false;
	return !strcmp(verdict, "error") ||
	       !strcmp(verdict, kt_verdict_name(KT_VERDICT_HOST_TOO_SLOW));
}

void kt_cell_record_deinit(struct kt_cell_record *record)
{
	free(record->scheduler);
	free(record->kernel);
	free(record->topology);
	kt_prog_stats_deinit(&record->stats);
	free(record->verdict);
	free(record->reason);
	free(record->release);
	free(record->log);
	free(record->dump);
	free(record->no_dump);
	free(record->workload);
	free(record->last);
	free(record->file);
	free(record->host);
	free(record->version);
	*record = (struct kt_cell_record){0};
}

void kt_cell_records_deinit(struct kt_cell_records *records)
{
	for (size_t i = 0; i < records->n; i++)
		kt_cell_record_deinit(&records->all[i]);
	free(records->all);
	*records = (struct kt_cell_records){0};
}
