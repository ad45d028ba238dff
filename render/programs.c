// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fnmatch.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "logparse/blocks.h"
#include "model/json.h"
#include "model/json_put.h"
#include "render/objects.h"
#include "render/programs.h"
#include "render/run_json.h"
#include "render/text.h"
#include "util/buf.h"
#include "util/cleanup.h"

enum kind {
	KIND_ID,
	KIND_NUMBER, /* struct program_number */
	KIND_TIME,   /* likewise, seconds since 1970 */
	KIND_TEXT,   /* char * */
	KIND_CHARS,  /* char[] */
	KIND_NAME,   /* the full name, else the short one */
	KIND_GPL,
	KIND_JITED,
	KIND_MAPS,
};

struct render_column {
	const char *name;  /* the JSON key */
	const char *alias; /* may be NULL */
	const char *head;  /* in the table */
	enum kind kind;
	size_t offset; /* in struct program */
	double width;  /* the hint of libsmartcols */
};

#define AT(member) offsetof(struct program, member)

/* In the order of the JSON document. */
static const struct render_column columns[] = {
	{"id", NULL, "ID", KIND_ID, AT(id), 4},
	{"type", NULL, "TYPE", KIND_TEXT, AT(type), 10},
	{"name", "short_name", "NAME", KIND_CHARS, AT(name), 15},
	{"full_name", NULL, "NAME", KIND_NAME, AT(full_name), 20},
	{"tag", NULL, "TAG", KIND_CHARS, AT(tag), 16},
	{"verified_insns", "insns", "VERIFIED", KIND_NUMBER, AT(verified_insns), 8},
	{"bytes_xlated", "xlated", "XLATED", KIND_NUMBER, AT(bytes_xlated), 6},
	{"jited", NULL, "JIT", KIND_JITED, AT(bytes_jited), 3},
	{"bytes_jited", NULL, "JITED", KIND_NUMBER, AT(bytes_jited), 6},
	{"loaded_at", "loaded", "LOADED", KIND_TIME, AT(loaded_at), 19},
	{"uid", NULL, "UID", KIND_NUMBER, AT(uid), 4},
	{"gpl_compatible", "gpl", "GPL", KIND_GPL, AT(gpl_compatible), 3},
	{"map_ids", "maps", "MAPS", KIND_MAPS, AT(map_ids), 6},
	{"btf_id", "btf", "BTF", KIND_NUMBER, AT(btf_id), 4},
	{"run_cnt", "runs", "RUNS", KIND_NUMBER, AT(run_cnt), 4},
	{"run_time_ns", "run_time", "RUN NS", KIND_NUMBER, AT(run_time_ns), 6},
	{"recursion_misses", "misses", "MISSES", KIND_NUMBER, AT(recursion_misses), 6},
};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const char default_columns[] = "id,type,full_name,verified_insns,bytes_xlated,bytes_jited";

static bool name_is(const char *name, const char *text, size_t len)
{
	return name && strlen(name) == len && memcmp(name, text, len) == 0;
}

const struct render_column *render_column_by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < N_COLUMNS; i++)
		if (name_is(columns[i].name, name, len) || name_is(columns[i].alias, name, len))
			return &columns[i];
	return NULL;
}

const char *render_column_names(void)
{
	static char names[512];
	size_t len = 0;

	for (size_t i = 0; i < N_COLUMNS && len < sizeof(names); i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
					columns[i].name);
	return names;
}

struct kt_error *render_columns_parse(const char *text, struct render_columns *ret)
{
	struct render_columns out = {0};
	const char *p = text ? text : default_columns;

	for (;;) {
		size_t len = strcspn(p, ",");
		const struct render_column *column = render_column_by_name(p, len);

		if (!column)
			return kt_error_new(KT_ERROR_USAGE, "no column \"%.*s\"; there are %s",
					    (int)len, p, render_column_names());
		if (out.n == sizeof(out.all) / sizeof(out.all[0]))
			return kt_error_new(KT_ERROR_USAGE, "too many columns");
		out.all[out.n++] = column;
		if (!p[len])
			break;
		p += len + 1;
	}
	*ret = out;
	return NULL;
}

static const char *best_name(const struct program *program)
{
	return program->full_name ? program->full_name : program->name;
}

static bool matches(const struct program *program, const struct render_filter *filter)
{
	bool type = !filter->n_types, glob = !filter->n_globs, id = !filter->n_ids;

	for (size_t i = 0; i < filter->n_types && !type; i++)
		type = program->type && strcmp(program->type, filter->types[i]) == 0;
	for (size_t i = 0; i < filter->n_globs && !glob; i++)
		glob = fnmatch(filter->globs[i], best_name(program), 0) == 0 ||
		       fnmatch(filter->globs[i], program->name, 0) == 0;
	for (size_t i = 0; i < filter->n_ids && !id; i++)
		id = program->id == filter->ids[i];
	return type && glob && id;
}

void render_programs_filter(struct programs *programs, const struct render_filter *filter)
{
	size_t kept = 0;

	/* Swapping keeps every program in the array, until those behind the kept are freed. */
	for (size_t i = 0; i < programs->n; i++) {
		struct program p = programs->all[i];

		if (!matches(&p, filter))
			continue;
		programs->all[i] = programs->all[kept];
		programs->all[kept++] = p;
	}
	while (programs->n > kept)
		program_deinit(&programs->all[--programs->n]);
}

static const void *field(const struct program *program, const struct render_column *column)
{
	return (const char *)program + column->offset;
}

/* The text of a cell; NULL: unknown. */
static const char *text_of(const struct program *program, const struct render_column *column)
{
	switch (column->kind) {
	case KIND_NAME: return best_name(program);
	case KIND_TEXT: return *(char *const *)field(program, column);
	case KIND_CHARS: return field(program, column);
	default: return NULL;
	}
}

/* The number of a cell, for sorting. */
static struct program_number number_of(const struct program *program,
				       const struct render_column *column)
{
	switch (column->kind) {
	case KIND_ID: return (struct program_number){true, program->id};
	case KIND_NUMBER:
	case KIND_TIME:
	case KIND_JITED: return *(const struct program_number *)field(program, column);
	case KIND_GPL: return (struct program_number){program->gpl_known, program->gpl_compatible};
	case KIND_MAPS: return (struct program_number){program->map_ids_known, program->n_map_ids};
	default: return (struct program_number){0};
	}
}

struct order {
	const struct render_column *column;
	bool reversed;
};

static int compare(const void *a, const void *b, void *arg)
{
	const struct program *x = a, *y = b;
	const struct order *order = arg;
	struct program_number m = number_of(x, order->column), n = number_of(y, order->column);
	const char *s = text_of(x, order->column), *t = text_of(y, order->column);
	int cmp = 0;

	if (m.known != n.known || !s != !t)
		return m.known != n.known ? n.known - m.known : !s - !t;
	if (s)
		cmp = strcmp(s, t);
	else
		cmp = (m.value < n.value) - (m.value > n.value);
	if (order->column->kind == KIND_ID)
		cmp = -cmp;
	if (order->reversed)
		cmp = -cmp;
	return cmp ? cmp : (x->id > y->id) - (x->id < y->id);
}

void render_programs_sort(struct programs *programs, const struct render_column *column,
			  bool reversed)
{
	struct order order = {column, reversed};

	if (programs->n)
		qsort_r(programs->all, programs->n, sizeof(*programs->all), compare, &order);
}

static void append_maps(struct kt_buf *buf, const struct program *program)
{
	for (size_t i = 0; i < program->n_map_ids; i++)
		kt_buf_printf(buf, "%s%u", i ? "," : "", program->map_ids[i]);
}

/* A cell for people, or (exact) for programs; nothing is appended for an unknown value. */
static void append_cell(struct kt_buf *buf, const struct program *program,
			const struct render_column *column, bool exact)
{
	struct program_number number = number_of(program, column);
	const char *text = text_of(program, column);
	time_t when = (time_t)number.value;
	struct tm tm;
	char stamp[32];

	if (text && exact) /* libsmartcols does this for a table's */
		render_append_visible(buf, text, false);
	else if (text)
		kt_buf_appends(buf, text);
	if (!number.known)
		return;
	if (column->kind == KIND_GPL)
		kt_buf_appends(buf, number.value ? "yes" : "no");
	else if (column->kind == KIND_JITED)
		kt_buf_appends(buf, number.value ? "yes" : "no");
	else if (column->kind == KIND_MAPS)
		append_maps(buf, program);
	else if (column->kind == KIND_TIME && !exact && when >= 0 && localtime_r(&when, &tm) &&
		 strftime(stamp, sizeof(stamp), "%F %T", &tm))
		kt_buf_appends(buf, stamp);
	else
		kt_buf_printf(buf, "%" PRIu64, number.value);
}

static bool is_numeric(const struct render_column *column)
{
	return column->kind == KIND_ID || column->kind == KIND_NUMBER;
}

static void unref_table(struct libscols_table **table)
{
	scols_unref_table(*table);
}

static bool table_add_columns(struct libscols_table *table, const struct render_columns *cols,
			      size_t width, bool color)
{
	for (size_t i = 0; i < cols->n; i++) {
		const struct render_column *c = cols->all[i];
		int flags = is_numeric(c) ? SCOLS_FL_RIGHT : 0;
		struct libscols_column *column;

		if (c->kind == KIND_NAME && width)
			flags |= SCOLS_FL_TRUNC;
		column = scols_table_new_column(table, c->head, c->width, flags);
		if (!column)
			return false;
		if (color)
			scols_cell_set_color(scols_column_get_header(column), "bold");
	}
	return true;
}

static bool table_add_line(struct libscols_table *table, const struct render_columns *cols,
			   const struct program *program)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	for (size_t i = 0; line && i < cols->n; i++) {
		struct kt_buf cell = KT_BUF_INIT;
		char *text;

		append_cell(&cell, program, cols->all[i], false);
		if (!cell.len)
			kt_buf_appendc(&cell, '-');
		text = kt_buf_steal(&cell);
		if (!text || scols_line_refer_data(line, i, text)) {
			free(text);
			return false;
		}
	}
	return line;
}

struct kt_error *render_programs_table(const struct programs *programs,
				       const struct render_columns *cols, size_t width, bool color,
				       char **ret)
{
	_cleanup_(unref_table) struct libscols_table *table = scols_new_table();
	struct kt_buf out = KT_BUF_INIT;
	char *text = NULL;

	if (!table)
		return kt_error_no_memory();
	if (width) {
		scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
		scols_table_set_termwidth(table, width);
	} else {
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	}
	scols_table_enable_colors(table, color);
	if (!table_add_columns(table, cols, width, color))
		return kt_error_no_memory();
	for (size_t i = 0; i < programs->n; i++)
		if (!table_add_line(table, cols, &programs->all[i]))
			return kt_error_no_memory();
	if (programs->n && scols_print_table_to_string(table, &text))
		return kt_error_no_memory();
	kt_buf_appends(&out, text ? text : "");
	free(text);
	if (out.len && out.data[out.len - 1] != '\n') /* libsmartcols leaves the last one out */
		kt_buf_appendc(&out, '\n');
	return kt_buf_finish(&out, ret);
}

struct kt_error *render_programs_csv(const struct programs *programs,
				     const struct render_columns *cols, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;

	for (size_t i = 0; i < cols->n; i++)
		kt_buf_printf(&out, "%s%s", i ? "," : "", cols->all[i]->name);
	kt_buf_appendc(&out, '\n');
	for (size_t p = 0; p < programs->n; p++) {
		for (size_t i = 0; i < cols->n; i++) {
			struct kt_buf cell = KT_BUF_INIT;

			append_cell(&cell, &programs->all[p], cols->all[i], true);
			if (i)
				kt_buf_appendc(&out, ',');
			render_append_csv(&out, cell.len ? cell.data : "");
			out.failed |= cell.failed;
			kt_buf_deinit(&cell);
		}
		kt_buf_appendc(&out, '\n');
	}
	return kt_buf_finish(&out, ret);
}

static json_t *json_maps(const struct program *program)
{
	json_t *array = json_array();

	if (!program->map_ids_known) {
		json_decref(array);
		return json_null();
	}
	for (size_t i = 0; i < program->n_map_ids; i++)
		json_array_append_new(array, json_integer(program->map_ids[i]));
	return array;
}

/* A program's value of a column. full_name is only what is known to be full. */
static json_t *json_cell(const struct program *program, const struct render_column *column)
{
	struct program_number number = number_of(program, column);
	const char *text = text_of(program, column);

	switch (column->kind) {
	case KIND_MAPS: return json_maps(program);
	case KIND_GPL:
	case KIND_JITED: return number.known ? json_boolean(number.value != 0) : json_null();
	case KIND_NAME: text = program->full_name; break;
	case KIND_TEXT: break;
	case KIND_CHARS: break;
	default: return kt_json_number(number);
	}
	return kt_json_text(text);
}

static json_t *json_program(const struct program *program)
{
	json_t *object = json_object();

	for (size_t i = 0; i < N_COLUMNS; i++)
		json_object_set_new(object, columns[i].name, json_cell(program, &columns[i]));
	return object;
}

static json_t *json_failures(const struct render_guest *guest)
{
	json_t *array = json_array();

	for (size_t i = 0; i < guest->n_failures; i++) {
		const struct render_failure *f = &guest->failures[i];
		json_t *object = json_object();

		json_object_set_new(object, "object", kt_json_text(f->object));
		json_object_set_new(object, "section", kt_json_text(f->section));
		json_object_set_new(object, "name", kt_json_text(f->name));
		json_object_set_new(object, "errno", json_integer(f->errnum));
		json_object_set_new(object, "log", kt_json_text(f->log));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *json_payload(const struct render_payload *payload)
{
	json_t *object = json_object();

	json_object_set_new(object, "exited", json_boolean(payload->exited));
	json_object_set_new(object, "exit_code",
			    payload->exited ? json_integer(payload->exit_code) : json_null());
	json_object_set_new(object, "output", kt_json_text(payload->output));
	return object;
}

struct kt_error *render_programs_json(const struct programs *programs,
				      const struct render_guest *guest, char **ret)
{
	json_t *root = json_object(), *array = json_array();

	json_object_set_new(root, "schema", json_string("ktstr-gdb.programs.v1"));
	json_object_set_new(root, "kernel", render_json_kernel(guest));
	json_object_set_new(root, "pause_us", json_integer(guest->pause_us));
	for (size_t i = 0; i < programs->n; i++)
		json_array_append_new(array, json_program(&programs->all[i]));
	json_object_set_new(root, "programs", array);
	if (guest->failures)
		json_object_set_new(root, "failed", json_failures(guest));
	if (guest->payload)
		json_object_set_new(root, "payload", json_payload(guest->payload));
	if (guest->run) {
		json_t *failed = json_array();

		render_run_json_failed(guest->run, failed);
		json_object_set_new(root, "failed", failed);
		json_object_set_new(root, "run", render_run_json(guest->scheduler, guest->run));
	}
	return kt_json_dump(root, ret);
}

/* What libbpf printed, with the verifier's logs in it collapsed. */
static struct kt_error *append_log(struct kt_buf *out, const char *log)
{
	struct kt_buf text = KT_BUF_INIT;
	struct kt_error *err = kt_collapse_blocks_to((struct kt_text){log, strlen(log)}, NULL,
						     kt_sink_append, &text);

	if (!err && text.len) {
		render_append_visible_bytes(out, text.data, text.len, true);
		if (text.data[text.len - 1] != '\n')
			kt_buf_appendc(out, '\n');
	}
	kt_buf_deinit(&text);
	return err;
}

struct kt_error *render_failures_text(const struct render_failure *failures, size_t n, bool color,
				      char **ret)
{
	const char *red = color ? "\033[1;31m" : "", *off = color ? "\033[0m" : "";
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err = NULL;

	for (size_t i = 0; i < n && !err; i++) {
		const struct render_failure *f = &failures[i];
		const char *errname = strerrorname_np(f->errnum);

		kt_buf_printf(&out, "%s%sFAILED%s ", i ? "\n" : "", red, off);
		render_append_visible(&out, f->object, false);
		/* No name: the object itself is bad. */
		if (f->name[0]) {
			kt_buf_appends(&out, ": ");
			render_append_visible(&out, f->name, false);
			kt_buf_appends(&out, " (");
			render_append_visible(&out, f->section, false);
			kt_buf_appendc(&out, ')');
		}
		kt_buf_printf(&out, ": %s, %s\n", errname ? errname : "?", strerror(f->errnum));
		err = append_log(&out, f->log);
	}
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}
