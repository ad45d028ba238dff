// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/trial_json.h"

#include <string.h>

#include "model/json.h"
#include "model/json_put.h"

static void put_numbers(const struct kt_trial *trial, json_t *object)
{
	for (enum kt_trial_number i = 0; i < KT_N_TRIAL_NUMBERS; i++)
		json_object_set_new(object, kt_trial_number_name(i),
				    kt_json_number(trial->number[i]));
}

static void put_failure(const struct kt_trial *trial, json_t *object)
{
	bool named = trial->name[0] || trial->object[0];

	json_object_set_new(object, "name", named ? kt_json_text(trial->name) : json_null());
	json_object_set_new(object, "type", kt_json_text(trial->type));
	json_object_set_new(object, "errno",
			    trial->errnum ? json_integer(trial->errnum) : json_null());
	json_object_set_new(object, "class", kt_json_text(trial->class));
	json_object_set_new(object, "message", kt_json_text(trial->message));
	json_object_set_new(object, "file", kt_json_text(trial->file));
	json_object_set_new(object, "line", trial->line ? json_integer(trial->line) : json_null());
}

static void put_attach(const struct kt_trial *trial, json_t *object)
{
	bool ran = trial->ran == KT_TEST_RUN_DONE, refused = trial->ran == KT_TEST_RUN_REFUSED;

	json_object_set_new(object, "attach", kt_json_text(kt_attach_name(trial->attach)));
	json_object_set_new(object, "attach_place", kt_json_text(trial->place));
	json_object_set_new(object, "run_retval", ran ? kt_json_u64(trial->retval) : json_null());
	json_object_set_new(object, "run_errno",
			    refused ? kt_json_u64(trial->retval) : json_null());
}

void kt_trial_put(const struct kt_trial *trial, size_t order, json_t *object)
{
	json_object_set_new(object, "order", json_integer((json_int_t)order));
	json_object_set_new(object, "object", kt_json_text(trial->object));
	json_object_set_new(object, "section", kt_json_text(trial->section));
	if (trial->passed) {
		json_object_set_new(object, "name", kt_json_text(trial->name));
		json_object_set_new(object, "full_name", kt_json_text(trial->name));
	} else {
		put_failure(trial, object);
	}
	put_numbers(trial, object);
	if (trial->passed)
		put_attach(trial, object);
	json_object_set_new(object, "log", kt_json_text(trial->log));
	json_object_set_new(object, "log_dropped", kt_json_u64(trial->log_dropped));
}

void kt_trial_put_log(const struct kt_trial *trial, json_t *object)
{
	put_failure(trial, object);
	put_numbers(trial, object);
	json_object_set_new(object, "log", kt_json_text(trial->log));
}

/* --- reading --- */

struct ordered {
	uint64_t order;
	struct kt_trial trial; /* borrows from the document */
};

struct reader {
	KT_VEC(struct ordered) v;
};

/* A string that borrows from the document; NULL: there is none. */
static char *string(const json_t *object, const char *key)
{
	return (char *)(uintptr_t)kt_json_get_text(json_object_get(object, key));
}

static uint64_t number(const json_t *object, const char *key)
{
	uint64_t value = 0;

	return kt_json_get_u64(json_object_get(object, key), &value) ? value : 0;
}

static void get_attach(const json_t *object, struct kt_trial *trial)
{
	const char *name = string(object, "attach");
	uint64_t value;

	for (enum kt_attach i = KT_ATTACH_DONE; name && i < KT_N_ATTACH; i++)
		if (!strcmp(name, kt_attach_name(i)))
			trial->attach = i;
	trial->place = string(object, "attach_place");
	if (kt_json_get_u64(json_object_get(object, "run_retval"), &value)) {
		trial->ran = KT_TEST_RUN_DONE;
		trial->retval = (uint32_t)value;
	} else if (kt_json_get_u64(json_object_get(object, "run_errno"), &value)) {
		trial->ran = KT_TEST_RUN_REFUSED;
		trial->retval = (uint32_t)value;
	}
}

static struct kt_error *read_one(struct reader *reader, const json_t *object, bool passed)
{
	struct ordered one = {
		.order = number(object, "order"),
		.trial =
			{
				.object = string(object, "object"),
				.section = string(object, "section"),
				.name = string(object, passed ? "full_name" : "name"),
				.type = string(object, "type"),
				.passed = passed,
				.errnum = (int)number(object, "errno"),
				.id = (uint32_t)number(object, "id"),
				.log = string(object, "log"),
				.log_dropped = number(object, "log_dropped"),
			},
	};

	get_attach(object, &one.trial);
	if (!one.trial.object) /* of no object */
		return NULL;
	if (!one.trial.section || !one.trial.name)
		return kt_error_new(KT_ERROR_FORMAT, "a program of %.64s has no name or section",
				    one.trial.object);
	for (enum kt_trial_number i = 0; i < KT_N_TRIAL_NUMBERS; i++)
		one.trial.number[i].known = kt_json_get_u64(
			json_object_get(object, kt_trial_number_name(i)),
			&one.trial.number[i].value);
	return kt_vec_push(&reader->v, one) ? NULL : kt_error_no_memory();
}

static struct kt_error *read_list(struct reader *reader, const json_t *array, bool passed)
{
	struct kt_error *err = NULL;
	const json_t *object;
	size_t i;

	json_array_foreach(array, i, object)
	{
		err = read_one(reader, object, passed);
		if (err)
			break;
	}
	return err;
}

static int compare_order(const void *a, const void *b)
{
	uint64_t x = ((const struct ordered *)a)->order, y = ((const struct ordered *)b)->order;

	return x < y ? -1 : x > y;
}

struct kt_error *kt_trials_read(const json_t *root, struct kt_trials *ret)
{
	struct reader reader = {0};
	struct kt_trials trials = {0};
	struct kt_error *err = read_list(&reader, json_object_get(root, "programs"), true);

	if (!err)
		err = read_list(&reader, json_object_get(root, "failed"), false);
	if (!err && reader.v.len)
		qsort(reader.v.data, reader.v.len, sizeof(*reader.v.data), compare_order);
	for (size_t i = 0; i < reader.v.len && !err; i++)
		err = kt_trials_add(&trials, &reader.v.data[i].trial);
	kt_vec_free(&reader.v);
	trials.left_out = number(root, "left_out");
	trials.cut_off = json_is_true(json_object_get(root, "cut_off"));
	if (err)
		kt_trials_deinit(&trials);
	else
		*ret = trials;
	return err;
}
