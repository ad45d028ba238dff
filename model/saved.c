// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "logparse/blocks.h"
#include "logparse/stats.h"
#include "model/json.h"
#include "model/saved.h"
#include "model/saved_csv.h"

#define SCHEMA "ktstr-gdb.programs.v1"

static const char *type_name(const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT: return "an object";
	case JSON_ARRAY: return "a list";
	case JSON_STRING: return kt_json_get_text(json) ? "a string" : "a number";
	case JSON_INTEGER: return "a number";
	case JSON_REAL: return "a fraction";
	case JSON_TRUE:
	case JSON_FALSE: return "a boolean";
	default: return "null";
	}
}

static struct kt_error *wrong_type(const char *key, const json_t *json, const char *wanted)
{
	return kt_error_new(KT_ERROR_FORMAT, "\"%s\" is %s, not %s", key, type_name(json), wanted);
}

/* Gets a string of an object; NULL if it is null or absent. */
static struct kt_error *get_string(const json_t *object, const char *key, const char **ret)
{
	const json_t *value = json_object_get(object, key);

	*ret = NULL;
	if (!value || json_is_null(value))
		return NULL;
	*ret = kt_json_get_text(value);
	return *ret ? NULL : wrong_type(key, value, "a string");
}

/* Gets a number of an object; not known if it is null or absent. */
static struct kt_error *get_number(const json_t *object, const char *key,
				   struct program_number *ret)
{
	const json_t *value = json_object_get(object, key);

	*ret = (struct program_number){0};
	if (!value || json_is_null(value))
		return NULL;
	ret->known = kt_json_get_u64(value, &ret->value);
	if (ret->known)
		return NULL;
	if (json_is_integer(value))
		return kt_error_new(KT_ERROR_FORMAT, "\"%s\" is %lld, which is no count", key,
				    (long long)json_integer_value(value));
	return wrong_type(key, value, "a whole number");
}

/* The other numbers, which a document has of programs of objects. */
static struct kt_error *get_numbers(const json_t *object, struct kt_prog_stats *stats)
{
	struct kt_error *err = NULL;

	for (enum kt_trial_number i = KT_TRIAL_INSNS + 1; i < KT_N_TRIAL_NUMBERS && !err; i++)
		err = get_number(object, kt_trial_number_name(i), &stats->more[i]);
	return err;
}

static struct kt_error *read_program(const json_t *program, struct kt_prog_stats_list *list)
{
	const char *name, *full_name, *type, *tag;
	struct kt_prog_stats stats = {0};
	struct kt_error *err;

	err = get_string(program, "name", &name);
	if (!err)
		err = get_string(program, "full_name", &full_name);
	if (!err)
		err = get_string(program, "type", &type);
	if (!err)
		err = get_string(program, "tag", &tag);
	if (!err)
		err = get_number(program, "verified_insns", &stats.verified_insns);
	if (!err)
		err = get_numbers(program, &stats);
	if (err)
		return err;
	if (!name && !full_name)
		return kt_error_new(KT_ERROR_FORMAT, "it has no \"name\"");
	/* kt_prog_stats_add() copies them. */
	stats.name = (char *)(uintptr_t)(full_name ? full_name : name);
	stats.type = (char *)(uintptr_t)type;
	stats.tag = (char *)(uintptr_t)tag;
	return kt_prog_stats_add(list, &stats);
}

/* The instructions processed, as the last verifier log in libbpf's output counts them. */
static struct program_number processed(const char *log)
{
	struct kt_verifier_stats stats = {0};
	struct kt_log_blocks it;
	struct kt_log_block block;

	kt_log_blocks_init(&it, (struct kt_text){log, strlen(log)});
	while (kt_log_blocks_next(&it, &block))
		kt_parse_verifier_stats(block.trace, &stats, NULL, NULL);
	return (struct program_number){stats.has[KT_STAT_PROCESSED],
				       stats.value[KT_STAT_PROCESSED]};
}

/* Appends a program that was not taken. stats.name may be empty: then the object itself was bad. */
static struct kt_error *add_failure(struct kt_prog_stats_list *list, struct kt_prog_stats stats,
				    const char *object, const char *log)
{
	if (object && stats.name && !stats.name[0])
		stats.name = (char *)(uintptr_t)object;
	if (!stats.verified_insns.known && log)
		stats.verified_insns = processed(log);
	stats.failed = true;
	return kt_prog_stats_add(list, &stats);
}

static struct kt_error *read_failure(const json_t *failure, struct kt_prog_stats_list *list)
{
	struct kt_prog_stats stats = {0};
	const char *name, *object, *type, *log;
	struct kt_error *err;

	err = get_string(failure, "name", &name);
	if (!err)
		err = get_string(failure, "object", &object);
	if (!err)
		err = get_string(failure, "type", &type);
	if (!err)
		err = get_string(failure, "log", &log);
	if (!err)
		err = get_number(failure, "verified_insns", &stats.verified_insns);
	if (!err)
		err = get_numbers(failure, &stats);
	if (err)
		return err;
	/* Whoever loaded it did not say what it is called: nothing to compare it by. */
	if (!object && json_is_null(json_object_get(failure, "name")))
		return NULL;
	if (!name || (!name[0] && !object))
		return kt_error_new(KT_ERROR_FORMAT, "it has neither a \"name\" nor an \"object\"");
	stats.name = (char *)(uintptr_t)name;
	stats.type = (char *)(uintptr_t)type;
	return add_failure(list, stats, object, log);
}

static struct kt_error *read_list(const json_t *root, const char *key,
				  struct kt_error *(*read)(const json_t *,
							   struct kt_prog_stats_list *),
				  struct kt_prog_stats_list *ret)
{
	const json_t *array = json_object_get(root, key), *element;
	struct kt_error *err = NULL;
	size_t i;

	if (!json_is_array(array))
		return wrong_type(key, array, "a list");
	json_array_foreach(array, i, element)
	{
		if (!json_is_object(element))
			err = kt_error_new(KT_ERROR_FORMAT, "it is %s, not an object",
					   type_name(element));
		else
			err = read(element, ret);
		if (err)
			return kt_error_wrap(err, "%s[%zu]", key, i);
	}
	return NULL;
}

static struct kt_error *read_lists(const json_t *root, struct kt_saved *saved)
{
	struct kt_error *err = read_list(root, "programs", read_program, &saved->programs);
	const json_t *failed = json_object_get(root, "failed");

	if (err || !failed || json_is_null(failed))
		return err;
	return read_list(root, "failed", read_failure, &saved->programs);
}

static struct kt_error *keep(const char *string, char **ret)
{
	*ret = string ? strdup(string) : NULL;
	return string && !*ret ? kt_error_no_memory() : NULL;
}

static const char *lenient_string(const json_t *object, const char *key)
{
	const char *string = kt_json_get_text(json_object_get(object, key));

	return string && string[0] ? string : NULL;
}

/* Reads the keys around the programs. */
static struct kt_error *read_around(const json_t *root, struct kt_saved *saved)
{
	const json_t *kernel = json_object_get(root, "kernel"), *run = json_object_get(root, "run");
	const json_t *passed = json_object_get(run, "passed");
	const char *release = NULL, *words;
	struct kt_error *err;

	if (kernel && !json_is_object(kernel) && !json_is_null(kernel))
		return wrong_type("kernel", kernel, "an object");
	err = get_string(kernel, "release", &release);
	if (err)
		return kt_error_wrap(err, "kernel");
	if (!release)
		release = lenient_string(run, "kernel");
	err = keep(release, &saved->kernel);
	if (!err)
		err = keep(lenient_string(run, "scheduler"), &saved->scheduler);
	/* The sentence says more than the one word for scripts. */
	words = lenient_string(run, "reason");
	if (!err)
		err = keep(words ? words : lenient_string(run, "verdict"), &saved->verdict);
	saved->passed_known = json_is_boolean(passed);
	saved->passed = json_is_true(passed);
	return err;
}

static struct kt_error *no_result(struct kt_error *err)
{
	return kt_error_hint(err, "`ktstr-gdb collect ... --save FILE` makes one, and so does "
				  "`veristat -o csv`");
}

static struct kt_error *check_schema(const json_t *root, const char *name)
{
	const char *schema = kt_json_get_text(json_object_get(root, "schema"));

	if (!schema)
		return no_result(kt_error_new(
			KT_ERROR_FORMAT, "%s is not a result of ktstr-gdb: no \"schema\"", name));
	if (!strcmp(schema, "ktstr-gdb.kernels.v1"))
		return kt_error_hint(
			kt_error_new(KT_ERROR_FORMAT,
				     "%s is a result of several kernels, and what can be "
				     "compared is one of a single kernel",
				     name),
			"jq '.runs[0].result' takes one out; `ktstr-gdb diff OBJECT... "
			"--kernel A --kernel B` compares two");
	if (strcmp(schema, SCHEMA) != 0)
		return no_result(kt_error_new(KT_ERROR_FORMAT,
					      "%s is a \"%.64s\"; what can be compared is a "
					      "\"" SCHEMA "\"",
					      name, schema));
	if (!json_object_get(root, "programs"))
		return kt_error_new(KT_ERROR_FORMAT, "%s is damaged: it has no \"programs\"", name);
	return NULL;
}

static struct kt_error *check_size(struct kt_text text, const char *name)
{
	if (!text.len)
		return no_result(kt_error_new(KT_ERROR_FORMAT, "%s is empty", name));
	if (text.len > KT_SAVED_MAX)
		return no_result(kt_error_new(KT_ERROR_FORMAT,
					      "%s is larger than %zu MiB, which no result is", name,
					      KT_SAVED_MAX >> 20));
	return NULL;
}

/* Parses a document, which the caller releases. */
static struct kt_error *parse(struct kt_text text, const char *name, json_t **ret)
{
	json_error_t why;
	json_t *root;

	root = kt_json_load(text, 0, &why);
	if (!root && json_error_code(&why) == json_error_out_of_memory)
		return kt_error_no_memory();
	if (!root)
		return no_result(kt_error_new(KT_ERROR_FORMAT,
					      "%s is not JSON, or not whole: line %d, column %d: "
					      "%s",
					      name, why.line, why.column, why.text));
	*ret = root;
	return NULL;
}

static struct kt_error *read_json(struct kt_text text, const char *name, struct kt_saved *ret)
{
	json_auto_t *root = NULL;
	struct kt_saved saved = {0};
	struct kt_error *err = parse(text, name, &root);

	if (!err)
		err = check_schema(root, name);
	if (err)
		return err;
	err = read_around(root, &saved);
	if (!err)
		err = read_lists(root, &saved);
	if (err) {
		kt_saved_deinit(&saved);
		return kt_error_wrap(err, "%s is damaged", name);
	}
	*ret = saved;
	return NULL;
}

static struct kt_error *read_csv(struct kt_text text, const char *name, struct kt_saved *ret)
{
	struct kt_saved saved = {0};
	struct kt_error *err = kt_saved_read_csv(text, &saved.programs, &saved.kernel);

	if (err) {
		kt_saved_deinit(&saved);
		return kt_error_wrap(err, "%s is damaged", name);
	}
	*ret = saved;
	return NULL;
}

struct kt_error *kt_saved_read(struct kt_text text, const char *name, struct kt_saved *ret)
{
	struct kt_error *err = check_size(text, name);

	if (err)
		return err;
	return kt_saved_is_csv(text) ? read_csv(text, name, ret) : read_json(text, name, ret);
}

/* --- without a file --- */

struct kt_error *kt_saved_add_trial(struct kt_saved *saved, const struct kt_trial *trial)
{
	struct kt_prog_stats stats = {
		.name = trial->name[0] ? trial->name : trial->object,
		.type = trial->type,
		.verified_insns = trial->number[KT_TRIAL_INSNS],
		.failed = !trial->passed,
	};

	for (enum kt_trial_number i = KT_TRIAL_INSNS + 1; i < KT_N_TRIAL_NUMBERS; i++)
		stats.more[i] = trial->number[i];
	return stats.name[0] ? kt_prog_stats_add(&saved->programs, &stats) : NULL;
}

struct kt_error *kt_saved_set_run(struct kt_saved *saved, const char *scheduler,
				  const struct kt_verifier_vm_result *run)
{
	struct kt_buf sentence = KT_BUF_INIT;
	struct kt_error *err = keep(scheduler, &saved->scheduler);

	kt_verdict_text(run, &sentence);
	if (!err)
		err = kt_buf_finish(&sentence, &saved->verdict);
	kt_buf_deinit(&sentence);
	saved->passed_known = true;
	saved->passed = kt_verdict(run) == KT_VERDICT_PASS;
	for (size_t i = 0; i < run->stats.n && !err; i++)
		if (run->stats.all[i].failed)
			err = kt_prog_stats_add(&saved->programs, &run->stats.all[i]);
	return err;
}

void kt_saved_choose(struct kt_saved *saved, enum kt_trial_number number)
{
	for (size_t i = 0; i < saved->programs.n && number != KT_TRIAL_INSNS; i++)
		saved->programs.all[i].verified_insns = saved->programs.all[i].more[number];
}

void kt_saved_deinit(struct kt_saved *saved)
{
	free(saved->kernel);
	free(saved->scheduler);
	free(saved->verdict);
	kt_prog_stats_deinit(&saved->programs);
	*saved = (struct kt_saved){0};
}
