// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/trials_columns.h"

#include <string.h>

#include "render/objects.h"
#include "render/text.h"

static const struct kt_trial *trial_of(const void *row)
{
	return ((const struct trials_row *)row)->trial;
}

static struct render_cell get_object(const void *row)
{
	return render_string_cell(trial_of(row)->object);
}

/* An object that is bad has no programs. */
static struct render_cell get_name(const void *row)
{
	const char *name = trial_of(row)->name;

	return render_string_cell(name[0] ? name : NULL);
}

static struct render_cell get_section(const void *row)
{
	const char *section = trial_of(row)->section;

	return render_string_cell(section[0] ? section : NULL);
}

static struct render_cell get_type(const void *row)
{
	return render_string_cell(trial_of(row)->type);
}

static struct render_cell get_class(const void *row)
{
	return render_string_cell(trial_of(row)->class);
}

static struct render_cell get_message(const void *row)
{
	return render_string_cell(trial_of(row)->message);
}

static struct render_cell get_verdict(const void *row)
{
	bool passed = trial_of(row)->passed;

	return (struct render_cell){
		.known = true,
		.number = passed,
		.tone = passed ? RENDER_TONE_GOOD : RENDER_TONE_BAD,
	};
}

static void print_verdict(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	if (exact)
		kt_buf_appends(out, cell->number ? "success" : "failure");
	else
		kt_buf_appends(out, cell->number ? "ok" : RENDER_TRIAL_CROSS);
}

static struct render_cell get_attach(const void *row)
{
	const struct kt_trial *trial = trial_of(row);
	struct render_cell cell = render_string_cell(kt_attach_name(trial->attach));

	cell.tone = trial->attach == KT_ATTACH_REFUSED ? RENDER_TONE_BAD : RENDER_TONE_PLAIN;
	return cell;
}

static struct render_cell get_place(const void *row)
{
	return render_string_cell(trial_of(row)->place);
}

static struct render_cell get_retval(const void *row)
{
	const struct kt_trial *trial = trial_of(row);

	return render_number_cell(trial->ran == KT_TEST_RUN_DONE, trial->retval);
}

static const struct render_type as_verdict = {.print = print_verdict};

static struct render_cell get_number(const void *row, size_t n)
{
	struct program_number number = trial_of(row)->number[n];

	return render_number_cell(number.known, number.value);
}

static struct render_cell get_id(const void *row)
{
	return render_number_cell(trial_of(row)->id, trial_of(row)->id);
}

static struct render_cell get_bytes(struct program_number number)
{
	return render_number_cell(number.known, number.value);
}

static struct render_cell get_xlated(const void *row)
{
	const struct program *program = trial_of(row)->program;

	struct program_number insns = program ? program->bytes_xlated : (struct program_number){0};

	insns.value /= 8;
	return get_bytes(insns);
}

static struct render_cell get_jited(const void *row)
{
	const struct program *program = trial_of(row)->program;

	return program ? get_bytes(program->bytes_jited) : (struct render_cell){0};
}

/* clang-format off */
#define NUMBER(which) RENDER_GET_NTH(get_number, which)

/*
 * Names are veristat's where it has one, so that it reads our CSV. What `attach` calls it is a name,
 * too.
 */
static const struct render_column own_columns[] = {
	{"kernel", NULL, "KERNEL", &render_as_text, RENDER_STRING(struct trials_row, kernel), .width = 10},
	{"file_name", "file", "FILE", &render_as_text, RENDER_GET(get_object), .flags = RENDER_CUT, .width = 10},
	{"prog_name", "full_name", "PROGRAM", &render_as_text, RENDER_GET(get_name), .flags = RENDER_CUT, .width = 16},
	{"section", NULL, "SECTION", &render_as_text, RENDER_GET(get_section), .flags = RENDER_CUT, .width = 10},
	{"prog_type", "type", "TYPE", &render_as_text, RENDER_GET(get_type), .width = 10},
	{"verdict", NULL, "LOADS", &as_verdict, RENDER_GET(get_verdict), .width = 5},
	{"attach", NULL, "ATTACH", &render_as_text, RENDER_GET(get_attach), .width = 6},
	{"attach_place", "place", "PLACE", &render_as_text, RENDER_GET(get_place), .flags = RENDER_CUT, .width = 10},
	{"run_retval", "retval", "RETVAL", &render_as_number, RENDER_GET(get_retval), .width = 6},
	{"class", NULL, "CLASS", &render_as_text, RENDER_GET(get_class), .width = 10},
	{"message", "error", "ERROR", &render_as_text, RENDER_GET(get_message), .flags = RENDER_CUT, .width = 20},
	{"duration", "verification_time_us", "TIME US", &render_as_number, NUMBER(KT_TRIAL_TIME_US), .width = 7},
	{"total_insns", "insns", "INSNS", &render_as_number, NUMBER(KT_TRIAL_INSNS), .width = 7},
	{"verified_insns", NULL, "INSNS", &render_as_number, NUMBER(KT_TRIAL_INSNS), .width = 7},
	{"total_states", "states", "STATES", &render_as_number, NUMBER(KT_TRIAL_TOTAL_STATES), .width = 6},
	{"peak_states", "peak", "PEAK", &render_as_number, NUMBER(KT_TRIAL_PEAK_STATES), .width = 5},
	{"max_states_per_insn", "max_states", "MAX/INSN", &render_as_number, NUMBER(KT_TRIAL_MAX_STATES_PER_INSN), .width = 8},
	{"max_mark_read_len", "mark_read", "MARK", &render_as_number, NUMBER(KT_TRIAL_MARK_READ), .width = 4},
	{"stack_depth", "stack", "STACK", &render_as_number, NUMBER(KT_TRIAL_STACK), .width = 5},
	{"log_bytes", "log_size", "LOG", &render_as_number, NUMBER(KT_TRIAL_LOG_BYTES), .width = 6},
	{"prog_size", NULL, "XLATED", &render_as_number, RENDER_GET(get_xlated), .width = 6},
	{"prog_size_jited", NULL, "JITED", &render_as_number, RENDER_GET(get_jited), .width = 6},
	{"id", NULL, "ID", &render_as_id, RENDER_GET(get_id), .width = 4},
};
/* clang-format on */

#define N_OWN (sizeof(own_columns) / sizeof(*own_columns))

/* --- columns of programs, as the kernel has them --- */

/* A column of programs by its place among these. */
static struct render_cell get_of_program(const void *row, size_t n)
{
	const struct programs none = {0};
	const struct program *program = trial_of(row)->program;

	return program ? render_cell_of(&render_programs_grid(&none).columns[n], program)
		       : (struct render_cell){0};
}

struct render_grid trials_columns_own(void)
{
	return (struct render_grid)RENDER_GRID(own_columns, (struct trials_row *)NULL, 0);
}

static bool is_own(const char *name)
{
	const struct render_grid own = trials_columns_own();

	return render_grid_find(&own, name, strlen(name));
}

/* Those of a guest that runs by now: in one that is booted for objects, its init holds all. */
static bool is_holder(const char *name)
{
	return !strcmp(name, "pids") || !strcmp(name, "pinned");
}

struct kt_error *trials_columns_init(struct trials_columns *ret)
{
	const struct programs none = {0};
	const struct render_grid programs = render_programs_grid(&none);

	for (size_t i = 0; i < N_OWN; i++)
		if (!kt_vec_push(&ret->v, own_columns[i]))
			return kt_error_no_memory();
	for (size_t i = 0; i < programs.n_columns; i++) {
		struct render_column column = programs.columns[i];

		if (is_own(column.name) || is_holder(column.name))
			continue;
		column.source = RENDER_FROM_GET_NTH;
		column.get_nth = get_of_program;
		column.at = i;
		if (!kt_vec_push(&ret->v, column))
			return kt_error_no_memory();
	}
	return NULL;
}

void trials_columns_deinit(struct trials_columns *columns)
{
	kt_vec_free(&columns->v);
}

/* --- what a column is about --- */

bool trials_column_names_row(const struct render_column *column)
{
	return column->source == RENDER_FROM_STRING || column->get == get_object ||
	       column->get == get_name;
}

bool trials_column_tells_failure(const struct render_column *column)
{
	return column->get == get_verdict || column->get == get_class ||
	       column->get == get_message || column->get == get_type || column->get == get_section;
}

bool trials_column_number(const struct render_column *column, enum kt_trial_number *ret)
{
	if (column->get_nth != get_number)
		return false;
	*ret = (enum kt_trial_number)column->at;
	return true;
}

const char *trials_column_title(const struct render_column *column)
{
	enum kt_trial_number number;

	return trials_column_number(column, &number) ? kt_trial_number_name(number) : column->name;
}

/* --- for veristat --- */

/* veristat reads no cell that is empty, and has 0 itself for a number that it does not know. */
static struct render_cell get_number_or_0(const void *row, size_t n)
{
	struct render_cell cell = get_number(row, n);

	return cell.known ? cell : render_number_cell(true, 0);
}

static struct render_cell get_name_or_dash(const void *row)
{
	const char *name = trial_of(row)->name;

	return render_string_cell(name[0] ? name : "-");
}

void trials_columns_fill(struct trials_columns *columns)
{
	kt_vec_for_each (&columns->v, column) {
		if (column->source == RENDER_FROM_GET_NTH && column->get_nth == get_number)
			column->get_nth = get_number_or_0;
		else if (column->source == RENDER_FROM_GET && column->get == get_name)
			column->get = get_name_or_dash;
	}
}
