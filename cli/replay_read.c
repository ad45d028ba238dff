// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The part of replay that reads the guest: which programs, their constants, and whether these are
 * those of the object. A process of its own, since whoever reads a guest is behind a fence, and
 * whoever boots one is not.
 */
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/replay.h"
#include "cli/show.h"
#include "introspect/typed.h"
#include "model/json.h"
#include "model/json_put.h"
#include "model/replay.h"
#include "object/match.h"
#include "render/map_dump.h"
#include "util/cleanup.h"
#include "util/io.h"

#define OBJECTS                                                                                    \
	(INSPECT_PROGRAMS | INSPECT_MAPS | INSPECT_STRUCT_OPS | INSPECT_SCX | INSPECT_MAP_DUMP)

struct reading {
	struct cli_replay *replay;
	struct object_globals *object; /* NULL: none was given */
	struct cli_session session;
	struct programs programs; /* those that were chosen; they go back to the session */
	struct scx_state scx;
	struct inspect_timing timing; /* of the first stop, in which programs were read */
	KT_VEC(struct map) maps;      /* their maps of constants; without types */
	json_t *sections, *constants;
	size_t n_constants;
};

static void reading_deinit(struct reading *r)
{
	object_globals_close(r->object);
	programs_deinit(&r->programs);
	cli_session_deinit(&r->session);
	kt_vec_free(&r->maps);
	json_decref(r->sections);
	json_decref(r->constants);
}

/* --- which programs --- */

#define CHOOSE "--id, --name, --type and --tag choose programs; `ktstr-gdb attach` lists them"

static bool is_loaded(const struct struct_ops *ops)
{
	return struct_ops_are_sched_ext(ops) && ops->state && strcmp(ops->state, "init") != 0 &&
	       strcmp(ops->state, "tobefree") != 0 && ops->progs_known;
}

/* Of several that are loaded the one that the kernel names; NULL: there is none, or they are alike.
 */
static const struct struct_ops *find_scheduler(const struct inspection *in, size_t *n_ret)
{
	const struct struct_ops *found = NULL, *named = NULL;
	size_t n = 0, n_named = 0;

	for (size_t i = 0; i < in->struct_ops.n; i++) {
		const struct struct_ops *ops = &in->struct_ops.all[i];

		if (!is_loaded(ops))
			continue;
		n++;
		found = ops;
		if (in->scx.ops[0] && !strncmp(in->scx.ops, ops->name, sizeof(ops->name) - 1)) {
			n_named++;
			named = ops;
		}
	}
	*n_ret = n;
	return n == 1 ? found : n_named == 1 ? named : NULL;
}

static struct kt_error *no_scheduler(const struct scx_state *scx, size_t n)
{
	if (n)
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
						  "the guest has %zu struct_ops for sched_ext, and "
						  "which is the scheduler is not known",
						  n),
				     CHOOSE);
	if (!scx->known)
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
						  "the guest's kernel has no sched_ext, so no "
						  "scheduler is loaded"),
				     CHOOSE);
	return kt_error_hint(
		kt_error_new(KT_ERROR_NOT_FOUND,
			     "no sched_ext scheduler is loaded in the guest: sched_ext "
			     "is %.20s",
			     scx->state),
		CHOOSE);
}

static bool is_rodata(const struct map *map)
{
	return map->type && !strcmp(map->type, "array") && strstr(map->name, ".rodata") &&
	       map->flags.known && map->flags.value & BPF_F_RDONLY_PROG;
}

static const struct map *find_map(const struct maps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->n; i++)
		if (maps->all[i].id == id)
			return &maps->all[i];
	return NULL;
}

static bool uses(const struct program *program, uint32_t map)
{
	for (size_t i = 0; i < program->n_map_ids; i++)
		if (program->map_ids[i] == map)
			return true;
	return false;
}

static bool has_map(const struct reading *r, uint32_t id)
{
	kt_vec_for_each (&r->maps, map)
		if (map->id == id)
			return true;
	return false;
}

static struct kt_error *add_maps(struct reading *r, const struct program *program)
{
	const struct maps *maps = &r->session.inspection.maps;

	for (size_t i = 0; i < program->n_map_ids; i++) {
		const struct map *map = find_map(maps, program->map_ids[i]);
		struct map copy;

		if (!map || !is_rodata(map) || has_map(r, map->id))
			continue;
		copy = *map;
		copy.type = NULL;
		if (!kt_vec_push(&r->maps, copy))
			return kt_error_no_memory();
	}
	return NULL;
}

/* The scheduler's ops, and the programs that have their constants, and so are of their object. */
static struct kt_error *choose_scheduler(struct reading *r, bool *chosen)
{
	const struct inspection *in = &r->session.inspection;
	const struct programs *programs = &in->programs;
	struct kt_error *err = NULL;
	size_t n = 0;
	const struct struct_ops *ops = find_scheduler(in, &n);

	if (!ops || !in->scx.known || strcmp(in->scx.state, "enabled") != 0)
		return no_scheduler(&in->scx, ops ? 0 : n);
	for (size_t i = 0; i < ops->n_progs && !err; i++) {
		const struct program *program = programs_find(programs, ops->progs[i].id);

		if (!program)
			continue;
		chosen[program - programs->all] = true;
		err = add_maps(r, program);
	}
	for (size_t i = 0; i < programs->n; i++)
		kt_vec_for_each (&r->maps, map)
			chosen[i] |= uses(&programs->all[i], map->id);
	return err;
}

static bool has_tag(const struct cli_replay *replay, const struct program *program)
{
	bool ret = !replay->tags.len;

	kt_vec_for_each (&replay->tags, tag)
		ret |= !strcmp(*tag, program->tag);
	return ret;
}

static bool filters(const struct cli_replay *replay)
{
	return replay->output.filter.ids.len || replay->output.filter.globs.len ||
	       replay->output.filter.types.len || replay->tags.len;
}

/* Takes the programs that were chosen, and finds their maps. */
static struct kt_error *choose(struct reading *r)
{
	struct programs *all = &r->session.inspection.programs;
	_cleanup_free_ bool *chosen = calloc(all->n + 1, sizeof(*chosen));
	const struct render_filter filter = cli_filter(&r->replay->output);
	struct kt_error *err = NULL;
	size_t kept = 0;

	if (!chosen)
		return kt_error_no_memory();
	if (filters(r->replay)) {
		render_programs_filter(all, &filter);
		for (size_t i = 0; i < all->n; i++)
			chosen[i] = has_tag(r->replay, &all->all[i]);
	} else {
		err = choose_scheduler(r, chosen);
	}
	for (size_t i = 0; i < all->n && !err; i++) {
		struct program program = all->all[i];

		if (!chosen[i])
			continue;
		err = add_maps(r, &program);
		all->all[i] = all->all[kept];
		all->all[kept++] = program;
	}
	if (err)
		return err;
	if (!kept)
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
						  "none of the guest's BPF programs is chosen"),
				     "`ktstr-gdb attach` lists them, with the columns id, name, "
				     "type and tag");
	while (all->n > kept)
		program_deinit(&all->all[--all->n]);
	r->programs = *all;
	*all = (struct programs){0};
	return NULL;
}

/* --- their constants --- */

static json_t *value_json(const void *types, const uint8_t *data)
{
	return typed_value_json(types, data);
}

static struct kt_error *read_map(struct reading *r, uint32_t id, struct map_dump *ret)
{
	const struct map_dump_order order = {.id = id, .large = true};
	const struct inspect_options what = {.objects = INSPECT_MAP_DUMP, .map = &order};
	struct kt_error *err;

	inspection_deinit(&r->session.inspection);
	err = cli_session_read(&r->session, &what);
	if (err)
		return err;
	*ret = r->session.inspection.dump;
	r->session.inspection.dump = (struct map_dump){0};
	return NULL;
}

static struct kt_error *check_dump(const struct map_dump *dump, const struct typed *typed)
{
	if (dump->n != 1 || !dump->done || dump->n_values != 1 || dump->states[0] != MAP_THERE)
		return kt_error_new(KT_ERROR_FORMAT, "map %" PRIu32 " (%s) cannot be read whole",
				    dump->map.id, dump->map.name);
	if (!typed || !typed_section(typed))
		return kt_error_hint(
			kt_error_new(KT_ERROR_UNSUPPORTED,
				     "map %" PRIu32 " (%s) has no types (BTF): its constants have "
				     "no names",
				     dump->map.id, dump->map.name),
			"clang -g gives an object types, and libbpf gives them to the kernel");
	return NULL;
}

/* Whether a variable has another value than in the object; no: the object's bytes are not known. */
static bool is_changed(const struct map_dump *dump, const uint8_t *own, uint32_t offset,
		       uint32_t size)
{
	return own && offset <= dump->value_len && size <= dump->value_len - offset &&
	       memcmp(own + offset, dump->values + offset, size) != 0;
}

/* The value of variable i, in what typed_value_json() makes of a section. Borrowed. */
static json_t *nth_value(const json_t *value, const char *section, uint32_t i, const char *name)
{
	return json_object_get(json_array_get(json_object_get(value, section), i), name);
}

static json_t *copy_value(const json_t *value, const char *section, uint32_t i, const char *name)
{
	json_t *found = nth_value(value, section, i, name);

	return found ? json_incref(found) : json_null();
}

static json_t *hex_text(const uint8_t *data, size_t len)
{
	struct kt_buf text = KT_BUF_INIT;
	json_t *ret;

	for (size_t i = 0; i < len; i++)
		kt_buf_printf(&text, "%02x", data[i]);
	ret = kt_buf_failed(&text) ? NULL : kt_json_text(text.data ? text.data : "");
	kt_buf_deinit(&text);
	return ret;
}

static void add_constants(struct reading *r, const struct map_dump *dump, const struct typed *typed,
			  const uint8_t *own)
{
	json_t *there = typed_value_json(typed, dump->values);
	json_t *here = typed_value_json(typed, own);
	const char *section = typed_section(typed), *name;
	uint32_t offset, size;

	for (uint32_t i = 0; typed_variable(typed, i, &name, &offset, &size); i++) {
		json_t *constant;

		r->n_constants++;
		if (!is_changed(dump, own, offset, size))
			continue;
		constant = json_object();
		json_object_set_new(constant, "name", kt_json_text(name));
		json_object_set_new(constant, "section", kt_json_text(section));
		json_object_set_new(constant, "offset", json_integer(offset));
		json_object_set_new(constant, "hex", hex_text(dump->values + offset, size));
		json_object_set_new(constant, "object", copy_value(here, section, i, name));
		json_object_set_new(constant, "guest", copy_value(there, section, i, name));
		json_array_append_new(r->constants, constant);
	}
	json_decref(there);
	json_decref(here);
}

static struct kt_error *match(struct reading *r, const struct map_dump *dump,
			      const struct typed *typed)
{
	KT_VEC(struct object_loaded_var) vars = {0};
	struct object_loaded loaded = {
		.name = typed_section(typed), .data = dump->values, .len = dump->value_len};
	struct kt_error *err = NULL;
	const char *name;
	uint32_t offset, size;
	size_t len;

	for (uint32_t i = 0; typed_variable(typed, i, &name, &offset, &size) && !err; i++)
		if (!kt_vec_push(&vars, (struct object_loaded_var){name, offset, size}))
			err = kt_error_no_memory();
	loaded.vars = vars.data;
	loaded.n_vars = vars.len;
	if (!err)
		err = object_match(r->object, &loaded);
	if (err && kt_error_code(err) == KT_ERROR_MISMATCH)
		err = kt_error_hint(kt_error_wrap(err, "%s", r->replay->object),
				    "give the object in the version that was loaded there; "
				    "--save-rodata FILE without --object, then `collect --rodata "
				    "FILE`, sets by name what both have");
	if (!err)
		add_constants(r, dump, typed, object_section_data(r->object, loaded.name, &len));
	kt_vec_free(&vars);
	return err;
}

/* Two maps of one section are of two objects. */
static struct kt_error *check_section(const struct reading *r, const struct map_dump *dump,
				      const char *name)
{
	size_t i;
	json_t *section;

	json_array_foreach(r->sections, i, section)
	{
		const char *before = kt_json_get_text(json_object_get(section, "section"));

		if (!before || strcmp(before, name) != 0)
			continue;
		return kt_error_hint(
			kt_error_new(
				KT_ERROR_USAGE,
				"the programs have several maps of %.80s, so they are of "
				"several objects: map %lld (%.80s) and map %" PRIu32 " (%s)",
				name,
				(long long)json_integer_value(json_object_get(section, "map_id")),
				kt_json_get_text(json_object_get(section, "map_name")),
				dump->map.id, dump->map.name),
			"choose those of one object: --id, --name, --type, --tag");
	}
	return NULL;
}

static struct kt_error *add_section(struct reading *r, const struct map_dump *dump,
				    const struct typed *typed)
{
	const struct render_types types = {.context = typed, .value_json = value_json};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = render_map_dump_json(dump, &types, &text);
	json_t *section;
	json_error_t why;

	if (err)
		return err;
	section = json_object();
	json_object_set_new(section, "section", kt_json_text(typed_section(typed)));
	json_object_set_new(section, "map_id", json_integer(dump->map.id));
	json_object_set_new(section, "map_name", kt_json_text(dump->map.name));
	json_object_set_new(section, "bytes_value", kt_json_u64(dump->value_len));
	json_object_set_new(section, "dump",
			    kt_json_load((struct kt_text){text, strlen(text)}, 0, &why));
	json_array_append_new(r->sections, section);
	return NULL;
}

static struct kt_error *read_constants_of(struct reading *r, uint32_t id)
{
	_cleanup_(map_dump_deinit) struct map_dump dump = {0};
	struct typed *typed = NULL;
	struct kt_error *err = read_map(r, id, &dump);

	if (!err)
		err = typed_create(&dump, &typed);
	if (!err)
		err = check_dump(&dump, typed);
	if (!err)
		err = check_section(r, &dump, typed_section(typed));
	if (!err && r->object)
		err = match(r, &dump, typed);
	if (!err)
		err = add_section(r, &dump, typed);
	typed_destroy(typed);
	return err;
}

/* libbpf makes maps of strings' sections, too (.rodata.str1.1), which have no variables. */
static bool has_variables(const struct map *map)
{
	return strncmp(map->name, ".rodata.str", strlen(".rodata.str")) != 0 &&
	       strncmp(map->name, ".rodata.cst", strlen(".rodata.cst")) != 0;
}

static struct kt_error *read_constants(struct reading *r)
{
	struct kt_error *err = NULL;

	kt_vec_for_each (&r->maps, map)
		if (!err && has_variables(map))
			err = read_constants_of(r, map->id);
	/* What an object without constants costs can be compared, too. */
	if (err || r->object || json_array_size(r->sections))
		return err;
	return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
					  "the programs have no constants: none of their maps is a "
					  ".rodata"),
			     "`ktstr-gdb maps` lists the maps");
}

/* --- the object --- */

static const char *full_name(const struct program *program)
{
	return program->full_name ? program->full_name : program->name;
}

/* Names tell what tags do not: the kernel's tags are of code that is relocated for that kernel. */
static struct kt_error *check_programs(const struct reading *r)
{
	for (size_t i = 0; i < r->programs.n && r->object; i++) {
		const char *name = full_name(&r->programs.all[i]);

		if (!name[0] || kt_replay_is_cut(&r->programs.all[i]) ||
		    object_has_function(r->object, name))
			continue;
		return kt_error_hint(
			kt_error_new(KT_ERROR_MISMATCH,
				     "%s has no program %.80s, which the guest has (id %" PRIu32
				     ")",
				     r->replay->object, name, r->programs.all[i].id),
			"give the object that was loaded in the guest, in the version that it has "
			"there, or choose programs of this one: --id, --name, --tag");
	}
	return NULL;
}

/* --- all of it --- */

static struct kt_error *make_document(struct reading *r, char **ret)
{
	const struct cli_result result = {.session = &r->session,
					  .inspection = &r->session.inspection};
	_cleanup_free_ char *text = NULL;
	json_t *root, *scx;
	json_error_t why;
	struct kt_error *err;

	inspection_deinit(&r->session.inspection);
	r->session.inspection.programs = r->programs;
	r->session.inspection.timing = r->timing;
	r->programs = (struct programs){0};
	err = cli_render_json(&result, &text);
	if (err)
		return err;
	root = json_object();
	json_object_set_new(root, "schema", json_string("ktstr-gdb.replay.v1"));
	json_object_set_new(root, "object",
			    r->object ? kt_json_text(r->replay->object) : json_null());
	json_object_set_new(root, "guest",
			    kt_json_load((struct kt_text){text, strlen(text)}, 0, &why));
	scx = r->scx.known ? json_object() : json_null();
	if (r->scx.known) {
		json_object_set_new(scx, "state", kt_json_text(r->scx.state));
		json_object_set_new(scx, "ops",
				    r->scx.ops[0] ? kt_json_text(r->scx.ops) : json_null());
	}
	json_object_set_new(root, "sched_ext", scx);
	json_object_set_new(root, "rodata", kt_take_ptr(r->sections));
	json_object_set_new(root, "n_constants",
			    r->object ? json_integer((json_int_t)r->n_constants) : json_null());
	json_object_set_new(root, "constants", r->object ? kt_take_ptr(r->constants) : json_null());
	return kt_json_dump(root, ret);
}

static struct kt_error *read_guest(struct reading *r)
{
	static const struct cli_type_enum types = {
		.name = "bpf_prog_type", .prefix = "BPF_PROG_TYPE_", .what = "program"};
	const struct inspect_options what = {.objects = OBJECTS | INSPECT_AVAILABLE,
					     .not_read = INSPECT_MAP_DUMP};
	struct kt_error *err = cli_session_read(&r->session, &what);

	if (!err)
		err = inspect_check(INSPECT_PROGRAMS | INSPECT_MAPS | INSPECT_MAP_DUMP,
				    r->session.facts);
	if (err)
		return err;
	r->scx = r->session.inspection.scx;
	r->timing = r->session.inspection.timing;
	err = cli_check_types(r->session.facts, &r->replay->output, &types);
	if (!err)
		err = choose(r);
	if (!err)
		err = check_programs(r);
	return err ? err : read_constants(r);
}

int cli_replay_read(struct cli_replay *replay, int fd)
{
	_cleanup_(reading_deinit) struct reading r = {
		.replay = replay, .sections = json_array(), .constants = json_array()};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = NULL;

	/* Before the fence. */
	if (replay->object)
		err = object_globals_open(replay->object, &r.object);
	if (!err)
		err = cli_session_open(&r.session, &replay->guest, replay->target, NULL);
	if (!err)
		err = read_guest(&r);
	if (!err)
		err = make_document(&r, &text);
	if (!err)
		err = kt_write_all(fd, text, strlen(text));
	cli_progress(NULL);
	if (!err && replay->output.timing)
		cli_print_timing(&(struct cli_result){.session = &r.session,
						      .inspection = &r.session.inspection});
	return err ? cli_fail(err) : CLI_DONE;
}
