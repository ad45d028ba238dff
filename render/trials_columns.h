/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns of trials: those of a load by us, and of programs. Internal to the tool. */
#ifndef KT_RENDER_TRIALS_COLUMNS_H
#define KT_RENDER_TRIALS_COLUMNS_H

#include "model/trial.h"
#include "render/grid.h"

/* The row of a table. */
struct trials_row {
	const struct kt_trial *trial;
	const char *kernel; /* NULL: there is only one */
};

struct trials_columns {
	KT_VEC(struct render_column) v;
};

/* Those that trials have and programs of a guest have not; there are no rows. */
struct render_grid trials_columns_own(void);

/* For trials_columns_deinit(), after an error, too. KT_ERROR_NO_MEMORY. */
struct kt_error *trials_columns_init(struct trials_columns *ret);
void trials_columns_deinit(struct trials_columns *columns);

/* No cell of CSV is empty then: veristat reads none, and has 0 for what it does not know. */
void trials_columns_fill(struct trials_columns *columns);

/* Whether it says which program, and which kernel, a row is of. */
bool trials_column_names_row(const struct render_column *column);

/* Whether a program that failed has a value there; in others it may, but that is of no load. */
bool trials_column_tells_failure(const struct render_column *column);

/* Whether it has a number that is counted in a load, and which. */
bool trials_column_number(const struct render_column *column, enum kt_trial_number *ret);

/* The name of a table that shows only this column. */
const char *trials_column_title(const struct render_column *column);

#endif
