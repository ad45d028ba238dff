// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/cell_record.h"

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
	*record = (struct kt_cell_record){0};
}

void kt_cell_records_deinit(struct kt_cell_records *records)
{
	for (size_t i = 0; i < records->n; i++)
		kt_cell_record_deinit(&records->all[i]);
	free(records->all);
	*records = (struct kt_cell_records){0};
}
