// SPDX-License-Identifier: LGPL-2.1-or-later
#include <math.h>
#include <string.h>

#include "model/cell_json.h"
#include "model/json.h"
#include "model/json_put.h"
#include "util/buf.h"
#include "util/cleanup.h"

bool kt_cell_name_ok(const char *name)
{
	return name && name[0] && !strchr(name, '/');
}

/* --- to JSON --- */

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text)
		json_object_set_new(object, key, kt_json_text(text));
}

static json_t *json_stats(const struct kt_prog_stats_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->n; i++) {
		const struct kt_prog_stats *stats = &list->all[i];
		json_t *object = json_object();

		json_object_set_new(object, "name", kt_json_text(stats->name));
		json_object_set_new(object, "verified_insns",
				    kt_json_number(stats->verified_insns));
		for (int k = KT_TRIAL_INSNS + 1; k < KT_N_TRIAL_NUMBERS; k++)
			if (stats->more[k].known)
				json_object_set_new(object,
						    kt_trial_number_name((enum kt_trial_number)k),
						    kt_json_number(stats->more[k]));
		set_text(object, "type", stats->type);
		set_text(object, "tag", stats->tag);
		if (stats->failed)
			json_object_set_new(object, "failed", json_true());
		json_array_append_new(array, object);
	}
	return array;
}

/* Optional keys are left out where they are not known. */
static void set_optional(json_t *object, const struct kt_cell_record *record)
{
	set_text(object, "verdict", record->verdict);
	set_text(object, "reason", record->reason);
	set_text(object, "release", record->release);
	set_text(object, "log", record->log);
	set_text(object, "dump", record->dump);
	set_text(object, "no_dump", record->no_dump);
	set_text(object, "workload", record->workload);
	set_text(object, "last", record->last);
	set_text(object, "file", record->file);
	set_text(object, "host", record->host);
	set_text(object, "version", record->version);
	if (record->place)
		json_object_set_new(object, "place", json_integer(record->place));
	if (record->started)
		json_object_set_new(object, "started", json_integer(record->started));
	if (record->duration_s > 0 && isfinite(record->duration_s))
		json_object_set_new(object, "duration_s", json_real(record->duration_s));
	if (record->attempts)
		json_object_set_new(object, "attempts", json_integer(record->attempts));
}

static struct kt_error *check_name(const char *key, const char *name)
{
	if (kt_cell_name_ok(name))
		return NULL;
	return kt_error_new(KT_ERROR_FORMAT,
			    "\"%s\" is \"%.64s\", and a name is neither empty nor has a \"/\"", key,
			    name ? name : "");
}

struct kt_error *kt_cell_record_encode(const struct kt_cell_record *record, char **ret)
{
	struct kt_error *err = check_name("scheduler", record->scheduler);
	json_t *object;

	if (!err)
		err = check_name("kernel", record->kernel);
	if (!err)
		err = check_name("topology", record->topology);
	if (err)
		return err;
	object = json_object();
	set_text(object, "scheduler", record->scheduler);
	set_text(object, "kernel", record->kernel);
	set_text(object, "topology", record->topology);
	json_object_set_new(object, "passed", json_boolean(record->passed && !record->skipped));
	json_object_set_new(object, "skipped", json_boolean(record->skipped));
	json_object_set_new(object, "stats", json_stats(&record->stats));
	set_optional(object, record);
	/* One line: a sweep may read thousands of these. */
	return kt_json_dump_line(object, ret);
}

/* --- from JSON --- */

static struct kt_error *wrong(const char *key, const json_t *value, const char *wanted)
{
	return kt_error_new(KT_ERROR_FORMAT, value ? "\"%s\" is not %s" : "no \"%s\", which is %s",
			    key, wanted);
}

static struct kt_error *keep(const char *string, char **ret)
{
	*ret = strdup(string);
	return *ret ? NULL : kt_error_no_memory();
}

static struct kt_error *get_name(const json_t *root, const char *key, char **ret)
{
	const json_t *value = json_object_get(root, key);
	const char *text = kt_json_get_text(value);
	struct kt_error *err;

	if (!text)
		return wrong(key, value, "a string");
	err = check_name(key, text);
	return err ? err : keep(text, ret);
}

/* Gets an optional string; NULL if it is null or absent. */
static struct kt_error *get_text(const json_t *root, const char *key, char **ret)
{
	const json_t *value = json_object_get(root, key);
	const char *text = kt_json_get_text(value);

	if (!value || json_is_null(value))
		return NULL;
	return text ? keep(text, ret) : wrong(key, value, "a string");
}

static struct kt_error *get_bool(const json_t *root, const char *key, bool required, bool *ret)
{
	const json_t *value = json_object_get(root, key);

	if (!required && (!value || json_is_null(value)))
		return NULL;
	if (!json_is_boolean(value))
		return wrong(key, value, "true or false");
	*ret = json_is_true(value);
	return NULL;
}

/* Gets an optional count of at most max; not known if it is null or absent. */
static struct kt_error *get_count(const json_t *root, const char *key, uint64_t max,
				  struct program_number *ret)
{
	const json_t *value = json_object_get(root, key);
	uint64_t count;

	if (!value || json_is_null(value))
		return NULL;
	if (!kt_json_get_u64(value, &count) || count > max)
		return wrong(key, value, "a count");
	*ret = (struct program_number){true, count};
	return NULL;
}

static struct kt_error *read_stats(const json_t *json, struct kt_prog_stats_list *list)
{
	const char *name = kt_json_get_text(json_object_get(json, "name"));
	struct kt_prog_stats stats = {0};
	struct kt_error *err;

	if (!json_is_object(json))
		return kt_error_new(KT_ERROR_FORMAT, "not an object");
	if (!name)
		return wrong("name", json_object_get(json, "name"), "a string");
	err = get_count(json, "verified_insns", UINT64_MAX, &stats.verified_insns);
	for (int k = KT_TRIAL_INSNS + 1; k < KT_N_TRIAL_NUMBERS && !err; k++)
		err = get_count(json, kt_trial_number_name((enum kt_trial_number)k), UINT64_MAX,
				&stats.more[k]);
	if (!err)
		err = get_bool(json, "failed", false, &stats.failed);
	if (err)
		return err;
	/* kt_prog_stats_add() copies them. */
	stats.name = (char *)(uintptr_t)name;
	stats.type = (char *)(uintptr_t)kt_json_get_text(json_object_get(json, "type"));
	stats.tag = (char *)(uintptr_t)kt_json_get_text(json_object_get(json, "tag"));
	return kt_prog_stats_add(list, &stats);
}

static struct kt_error *read_list(const json_t *root, struct kt_prog_stats_list *ret)
{
	const json_t *array = json_object_get(root, "stats"), *element;
	size_t i;

	if (!json_is_array(array))
		return wrong("stats", array, "a list");
	if (json_array_size(array) > KT_CELL_STATS_MAX)
		return kt_error_new(KT_ERROR_FORMAT, "%zu programs, which no scheduler has",
				    json_array_size(array));
	json_array_foreach(array, i, element)
	{
		struct kt_error *err = read_stats(element, ret);

		if (err)
			return kt_error_wrap(err, "stats[%zu]", i);
	}
	return NULL;
}

static struct kt_error *read_numbers(const json_t *root, struct kt_cell_record *record)
{
	struct program_number started = {0}, attempts = {0}, place = {0};
	const json_t *duration = json_object_get(root, "duration_s");
	struct kt_error *err = get_count(root, "started", INT64_MAX, &started);

	if (!err)
		err = get_count(root, "attempts", INT32_MAX, &attempts);
	if (!err)
		err = get_count(root, "place", INT32_MAX, &place);
	if (!err && duration && !json_is_null(duration) &&
	    (!json_is_number(duration) || json_number_value(duration) < 0))
		err = wrong("duration_s", duration, "a number of seconds");
	if (err)
		return err;
	record->started = (int64_t)started.value;
	record->attempts = (unsigned)attempts.value;
	record->place = (unsigned)place.value;
	record->duration_s = json_number_value(duration);
	return NULL;
}

static struct kt_error *read_record(const json_t *root, struct kt_cell_record *record)
{
	struct kt_error *err = get_name(root, "scheduler", &record->scheduler);

	if (!err)
		err = get_name(root, "kernel", &record->kernel);
	if (!err)
		err = get_name(root, "topology", &record->topology);
	if (!err)
		err = get_bool(root, "passed", true, &record->passed);
	if (!err)
		err = get_bool(root, "skipped", false, &record->skipped);
	if (!err)
		err = read_list(root, &record->stats);
	if (!err)
		err = get_text(root, "verdict", &record->verdict);
	if (!err)
		err = get_text(root, "reason", &record->reason);
	if (!err)
		err = get_text(root, "release", &record->release);
	if (!err)
		err = get_text(root, "log", &record->log);
	if (!err)
		err = get_text(root, "dump", &record->dump);
	if (!err)
		err = get_text(root, "no_dump", &record->no_dump);
	if (!err)
		err = get_text(root, "workload", &record->workload);
	if (!err)
		err = get_text(root, "last", &record->last);
	if (!err)
		err = get_text(root, "file", &record->file);
	if (!err)
		err = get_text(root, "host", &record->host);
	if (!err)
		err = get_text(root, "version", &record->version);
	return err ? err : read_numbers(root, record);
}

struct kt_error *kt_cell_record_decode(struct kt_text text, struct kt_cell_record *ret)
{
	struct kt_cell_record record = {0};
	json_auto_t *root = NULL;
	struct kt_error *err;
	json_error_t why;

	if (!text.len)
		return kt_error_new(KT_ERROR_FORMAT, "empty");
	if (text.len > KT_CELL_RECORD_MAX)
		return kt_error_new(KT_ERROR_FORMAT, "larger than %zu MiB, which no record is",
				    KT_CELL_RECORD_MAX >> 20);
	root = kt_json_load(text, JSON_REJECT_DUPLICATES, &why);
	if (!root && json_error_code(&why) == json_error_out_of_memory)
		return kt_error_no_memory();
	if (!root)
		return kt_error_new(KT_ERROR_FORMAT,
				    "not JSON, or not whole: line %d, column %d: %s", why.line,
				    why.column, why.text);
	if (!json_is_object(root))
		return kt_error_new(KT_ERROR_FORMAT, "not an object");
	err = read_record(root, &record);
	if (err) {
		kt_cell_record_deinit(&record);
		return err;
	}
	*ret = record;
	return NULL;
}
