// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/program_json.h"

#include <stdio.h>
#include <string.h>

#include "model/json.h"

static bool copy(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return *ret || !text;
}

static bool get_u32(const json_t *value, uint32_t *ret)
{
	uint64_t number;

	if (!kt_json_get_u64(value, &number) || number > UINT32_MAX)
		return false;
	*ret = (uint32_t)number;
	return true;
}

static void get_numbers(const json_t *object, struct program *program)
{
	const struct {
		const char *key;
		struct program_number *number;
	} numbers[] = {
		{"verified_insns", &program->verified_insns},
		{"bytes_xlated", &program->bytes_xlated},
		{"bytes_jited", &program->bytes_jited},
		{"loaded_at", &program->loaded_at},
		{"uid", &program->uid},
		{"btf_id", &program->btf_id},
		{"run_cnt", &program->run_cnt},
		{"run_time_ns", &program->run_time_ns},
		{"recursion_misses", &program->recursion_misses},
		{"bytes_memlock", &program->bytes_memlock},
		{"attach_btf_id", &program->attach_btf_id},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		numbers[i].number->known = kt_json_get_u64(json_object_get(object, numbers[i].key),
							   &numbers[i].number->value);
}

static void get_flags(const json_t *object, struct program *program)
{
	const struct {
		const char *key;
		struct program_number *flag;
	} flags[] = {
		{"orphaned", &program->orphaned},
		{"sleepable", &program->sleepable},
		{"xdp_has_frags", &program->xdp_has_frags},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		const json_t *value = json_object_get(object, flags[i].key);

		flags[i].flag->known = json_is_boolean(value);
		flags[i].flag->value = json_is_true(value);
	}
}

/* A list with anything but tags in it is not known. */
static bool get_tags(const json_t *array, struct program *program)
{
	size_t n = json_array_size(array), i;
	const json_t *tag;

	if (!json_is_array(array))
		return true;
	program->prog_tags = calloc(n + 1, sizeof(*program->prog_tags));
	if (!program->prog_tags)
		return false;
	json_array_foreach(array, i, tag)
	{
		const char *text = kt_json_get_text(tag);

		if (!text || strlen(text) >= sizeof(*program->prog_tags))
			return true;
		strcpy(program->prog_tags[i], text);
	}
	program->n_prog_tags = n;
	program->prog_tags_known = true;
	return true;
}

/* A list with anything but ids in it is not known. */
static bool get_map_ids(const json_t *array, struct program *program)
{
	size_t n = json_array_size(array), i;
	const json_t *id;

	if (!json_is_array(array))
		return true;
	program->map_ids = n ? calloc(n, sizeof(*program->map_ids)) : NULL;
	if (n && !program->map_ids)
		return false;
	json_array_foreach(array, i, id)
	{
		if (!get_u32(id, &program->map_ids[i]))
			return true;
	}
	program->n_map_ids = n;
	program->map_ids_known = true;
	return true;
}

static bool get_metadata(const json_t *object, struct program *program)
{
	struct kt_error *err = NULL;

	if (json_is_object(object))
		err = kt_json_dump_line(json_deep_copy(object), &program->metadata);
	kt_error_destroy(err);
	return !err;
}

static bool get_program(const json_t *object, const char *name, struct program *program)
{
	const char *tag = kt_json_get_text(json_object_get(object, "tag"));
	const char *own = kt_json_get_text(json_object_get(object, "short_name"));
	const json_t *gpl = json_object_get(object, "gpl_compatible");

	snprintf(program->name, sizeof(program->name), "%s", own ? own : name);
	snprintf(program->tag, sizeof(program->tag), "%s", tag ? tag : "");
	program->gpl_known = json_is_boolean(gpl);
	program->gpl_compatible = json_is_true(gpl);
	get_numbers(object, program);
	get_flags(object, program);
	return get_map_ids(json_object_get(object, "map_ids"), program) &&
	       get_metadata(json_object_get(object, "metadata"), program) &&
	       get_tags(json_object_get(object, "prog_tags"), program) &&
	       copy(kt_json_get_text(json_object_get(object, "expected_attach_type")),
		    &program->expected_attach_type) &&
	       copy(kt_json_get_text(json_object_get(object, "attach_btf_name")),
		    &program->attach_btf_name) &&
	       copy(kt_json_get_text(json_object_get(object, "attach_btf_module")),
		    &program->attach_btf_module) &&
	       copy(kt_json_get_text(json_object_get(object, "type")), &program->type) &&
	       copy(kt_json_get_text(json_object_get(object, "full_name")), &program->full_name);
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = ((const struct program *)a)->id, y = ((const struct program *)b)->id;

	return x < y ? -1 : x > y;
}

struct kt_error *kt_programs_read(const json_t *root, struct programs *ret)
{
	const json_t *array = json_object_get(root, "programs"), *object;
	struct programs programs = {0};
	size_t i;

	programs.all = calloc(json_array_size(array) + 1, sizeof(*programs.all));
	if (!programs.all)
		return kt_error_no_memory();
	json_array_foreach(array, i, object)
	{
		struct program *program = &programs.all[programs.n];
		const char *name = kt_json_get_text(json_object_get(object, "name"));

		/* One that was not in the guest's memory has only the object's name. */
		if (!name || !get_u32(json_object_get(object, "id"), &program->id))
			continue;
		programs.n++;
		if (!get_program(object, name, program)) {
			programs_deinit(&programs);
			return kt_error_no_memory();
		}
	}
	qsort(programs.all, programs.n, sizeof(*programs.all), compare_ids);
	*ret = programs;
	return NULL;
}
