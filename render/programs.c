// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "model/trial_json.h"
#include "render/held.h"
#include "render/ids.h"
#include "render/metadata.h"
#include "render/objects.h"
#include "render/programs.h"
#include "render/run_json.h"

/* As bpftool has it: the kernel's own name may be cut off. */
static struct render_cell get_best_name(const void *row)
{
	const struct program *program = row;
	struct render_cell cell = render_string_cell(program->full_name ? program->full_name
									: program->name);

	cell.object = program;
	return cell;
}

/* Null if the kernel's own name is cut, and the whole one is not known. */
static json_t *json_full_name(const struct render_cell *cell)
{
	return kt_json_text(((const struct program *)cell->object)->full_name);
}

static const struct render_type as_full_name = {
	.compare = render_compare_texts,
	.json = json_full_name,
};

static struct render_cell get_gpl(const void *row)
{
	const struct program *program = row;

	return render_number_cell(program->gpl_known, program->gpl_compatible);
}

static struct render_cell get_map_ids(const void *row)
{
	const struct program *program = row;

	return render_ids_cell(program->map_ids_known, program->map_ids, program->n_map_ids);
}

static struct render_cell get_tags(const void *row)
{
	const struct program *program = row;

	return (struct render_cell){
		.known = program->prog_tags_known,
		.number = program->n_prog_tags,
		.object = program,
	};
}

static void print_tags(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct program *program = cell->object;

	(void)exact;
	for (size_t i = 0; i < program->n_prog_tags; i++)
		kt_buf_printf(out, "%s%s", i ? "," : "", program->prog_tags[i]);
}

static json_t *json_tags(const struct render_cell *cell)
{
	const struct program *program = cell->object;
	json_t *array;

	if (!cell->known)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < program->n_prog_tags; i++)
		json_array_append_new(array, kt_json_text(program->prog_tags[i]));
	return array;
}

static const struct render_type as_tags = {
	.from_largest = true,
	.print = print_tags,
	.json = json_tags,
};

RENDER_HELD_GETTERS(struct program)

/* clang-format off */
#define KNOWN(member) RENDER_KNOWN(struct program, member)
#define CHARS(member) RENDER_CHARS(struct program, member)

/* In the order of the JSON document. */
static const struct render_column columns[] = {
	{"id", NULL, "ID", &render_as_id, RENDER_U32(struct program, id), .width = 4},
	{"type", NULL, "TYPE", &render_as_text, RENDER_STRING(struct program, type), .width = 10},
	{"name", NULL, "NAME", &render_as_text, RENDER_GET(get_best_name), .flags = RENDER_CUT, .width = 20},
	{"short_name", NULL, "NAME", &render_as_text, CHARS(name), .width = 15},
	{"full_name", NULL, "NAME", &as_full_name, RENDER_GET(get_best_name), .flags = RENDER_CUT, .width = 20},
	{"tag", NULL, "TAG", &render_as_text, CHARS(tag), .width = 16},
	{"verified_insns", "insns", "VERIFIED", &render_as_number, KNOWN(verified_insns), .width = 8},
	{"bytes_xlated", "xlated", "XLATED", &render_as_number, KNOWN(bytes_xlated), .width = 6},
	{"jited", NULL, "JIT", &render_as_yes_no, KNOWN(bytes_jited), .width = 3},
	{"bytes_jited", NULL, "JITED", &render_as_number, KNOWN(bytes_jited), .width = 6},
	{"loaded_at", "loaded", "LOADED", &render_as_time, KNOWN(loaded_at), .width = 19},
	{"uid", NULL, "UID", &render_as_number, KNOWN(uid), .width = 4},
	{"gpl_compatible", "gpl", "GPL", &render_as_yes_no, RENDER_GET(get_gpl), .width = 3},
	{"map_ids", "maps", "MAPS", &render_as_ids, RENDER_GET(get_map_ids), .width = 6},
	{"btf_id", "btf", "BTF", &render_as_number, KNOWN(btf_id), .width = 4},
	{"run_cnt", "runs", "RUNS", &render_as_number, KNOWN(run_cnt), .width = 4},
	{"run_time_ns", "run_time", "RUN NS", &render_as_number, KNOWN(run_time_ns), .width = 6},
	{"bytes_memlock", "memlock", "MEMLOCK", &render_as_number, KNOWN(bytes_memlock), .width = 7},
	{"orphaned", NULL, "ORPHANED", &render_as_yes_no, KNOWN(orphaned), .width = 8},
	{"sleepable", NULL, "SLEEPABLE", &render_as_yes_no, KNOWN(sleepable), .width = 9},
	{"xdp_has_frags", "frags", "FRAGS", &render_as_yes_no, KNOWN(xdp_has_frags), .width = 5},
	{"expected_attach_type", "attach", "ATTACH", &render_as_text, RENDER_STRING(struct program, expected_attach_type), .width = 10},
	{"attach_btf_id", NULL, "TO BTF", &render_as_number, KNOWN(attach_btf_id), .width = 6},
	{"attach_btf_name", "attach_to", "TO", &render_as_text, RENDER_STRING(struct program, attach_btf_name), .width = 10},
	{"attach_btf_module", NULL, "MODULE", &render_as_text, RENDER_STRING(struct program, attach_btf_module), .width = 6},
	{"prog_tags", NULL, "TAGS", &as_tags, RENDER_GET(get_tags), .width = 16},
	{"recursion_misses", "misses", "MISSES", &render_as_number, KNOWN(recursion_misses), .width = 6},
	{"metadata", NULL, "METADATA", &render_as_metadata, RENDER_GET(render_metadata_cell), .flags = RENDER_WRAP},
	{"pids", NULL, "HELD BY", &render_as_pids, RENDER_GET(get_pids), .flags = RENDER_WRAP},
	{"pinned", NULL, "PINNED", &render_as_pinned, RENDER_GET(get_pinned), .flags = RENDER_WRAP},
};
/* clang-format on */

static const char default_columns[] = "id,type,full_name,verified_insns,bytes_xlated,bytes_jited";

struct render_grid render_programs_grid(const struct programs *programs)
{
	return (struct render_grid)RENDER_GRID(columns, programs->all, programs->n);
}

void render_programs_filter(struct programs *programs, const struct render_filter *filter)
{
	struct render_grid grid = render_programs_grid(programs);

	render_objects_filter(&grid, filter);
	while (programs->n > grid.n_rows)
		program_deinit(&programs->all[--programs->n]);
}

struct kt_error *render_programs_sort(struct programs *programs, const char *key)
{
	struct render_grid grid = render_programs_grid(programs);
	struct kt_error *err = render_grid_check_sort(&grid, key);

	if (!err && key)
		err = render_grid_sort(&grid, "id");
	return err ? err : render_grid_sort(&grid, key);
}

static struct kt_error *select_columns(const struct programs *programs, const char *names,
				       struct render_grid *ret)
{
	*ret = render_programs_grid(programs);
	return render_grid_select(ret, names ? names : default_columns);
}

struct kt_error *render_programs_table(const struct programs *programs, const char *names,
				       size_t width, bool color, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	struct render_grid grid;
	struct kt_error *err = select_columns(programs, names, &grid);

	if (!err)
		err = render_grid_table(&grid, width, color, &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}

struct kt_error *render_programs_csv(const struct programs *programs, const char *names, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	struct render_grid grid;
	struct kt_error *err = select_columns(programs, names, &grid);

	if (!err)
		err = render_grid_csv(&grid, &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}

/* The object of the program with that id; NULL: it is not shown. */
static json_t *find_object(const struct programs *programs, json_t *array, uint32_t id)
{
	for (size_t i = 0; i < programs->n; i++)
		if (programs->all[i].id == id)
			return json_array_get(array, i);
	return NULL;
}

static bool chooses(const struct render_filter *filter, uint32_t id)
{
	for (size_t i = 0; filter && i < filter->n_ids; i++)
		if (filter->ids[i] == id)
			return true;
	return !filter || !filter->n_ids;
}

/*
 * A program that was loaded, and is not in the guest's memory, or that was not read: what only the
 * memory tells is null.
 */
static json_t *add_object(const struct render_grid *grid, const struct kt_trial *trial,
			  json_t *array)
{
	json_t *object = json_object();

	for (size_t i = 0; i < grid->n_columns; i++)
		if (grid->columns[i].type->json && !(grid->columns[i].flags & RENDER_NOT_IN_JSON))
			json_object_set_new(object, grid->columns[i].name, json_null());
	json_object_set_new(object, "id", trial->id ? kt_json_u64(trial->id) : json_null());
	json_object_set_new(object, "type", kt_json_text(trial->type));
	json_array_append_new(array, object);
	return object;
}

/* The object of a trial that passed; NULL: the filter does not let it through. */
static json_t *object_of(const struct programs *programs, const struct render_guest *guest,
			 const struct kt_trial *trial, json_t *array)
{
	const struct render_grid grid = render_programs_grid(programs);
	json_t *object = trial->id ? find_object(programs, array, trial->id) : NULL;

	if (object || trial->program || !chooses(guest->filter, trial->id))
		return object;
	return add_object(&grid, trial, array);
}

/* What the trials that passed know is added to their programs. The others are an array. */
static json_t *put_trials(const struct programs *programs, const struct render_guest *guest,
			  json_t *array)
{
	const struct kt_trials *trials = guest->trials;
	json_t *failed = json_array();

	for (size_t i = 0; i < trials->v.len; i++) {
		const struct kt_trial *trial = &trials->v.data[i];
		json_t *object = trial->passed ? object_of(programs, guest, trial, array)
					       : json_object();

		if (object)
			kt_trial_put(trial, i, object);
		if (!trial->passed)
			json_array_append_new(failed, object);
	}
	return failed;
}

static json_t *json_payload(const struct render_payload *payload)
{
	json_t *object = json_object();

	json_object_set_new(object, "passed", json_boolean(!payload->reason));
	json_object_set_new(object, "reason",
			    payload->reason ? kt_json_text(payload->reason) : json_null());
	json_object_set_new(object, "exited", json_boolean(payload->exited));
	json_object_set_new(object, "exit_code",
			    payload->exited ? json_integer(payload->exit_code) : json_null());
	json_object_set_new(object, "output", kt_json_text(payload->output));
	return object;
}

static json_t *json_rejected(const struct kt_trials *rejected)
{
	json_t *array = json_array();

	for (size_t i = 0; i < rejected->v.len; i++) {
		json_t *object = json_object();

		kt_trial_put_log(&rejected->v.data[i], object);
		json_array_append_new(array, object);
	}
	return array;
}

struct kt_error *render_programs_json(const struct programs *programs,
				      const struct render_guest *guest, char **ret)
{
	const struct render_grid grid = render_programs_grid(programs);
	json_t *root = render_objects_document(&grid, "programs", guest);

	if (guest->trials) {
		json_object_set_new(root, "failed",
				    put_trials(programs, guest, json_object_get(root, "programs")));
		json_object_set_new(root, "cut_off", json_boolean(guest->trials->cut_off));
		json_object_set_new(root, "left_out", kt_json_u64(guest->trials->left_out));
	}
	if (guest->payload)
		json_object_set_new(root, "payload", json_payload(guest->payload));
	if (guest->payload && guest->payload->rejected)
		json_object_set_new(root, "failed", json_rejected(guest->payload->rejected));
	if (guest->run) {
		json_t *failed = json_array();

		render_run_json_failed(guest->run, failed);
		json_object_set_new(root, "failed", failed);
		json_object_set_new(root, "run", render_run_json(guest->scheduler, guest->run));
	}
	return kt_json_dump(root, ret);
}
