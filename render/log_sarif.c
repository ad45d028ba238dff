// SPDX-License-Identifier: LGPL-2.1-or-later
/* Problems as a document of SARIF, the Static Analysis Results Interchange Format, 2.1.0. */
#include <stdlib.h>
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/log_format.h"
#include "render/log_problems.h"
#include "util/cleanup.h"

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static const char *const levels[] = {
	[RENDER_PROBLEM_ERROR] = "error",
	[RENDER_PROBLEM_WARNING] = "warning",
	[RENDER_PROBLEM_NOTE] = "note",
};

/* A document under way. Setters remember a failure: see model/json_put.h. */
struct document {
	json_t *rules, *results, *notifications;
	KT_VEC(const char *) ids; /* of the rules */
};

static json_t *message(const char *text)
{
	json_t *object = json_object();

	json_object_set_new(object, "text", kt_json_text(text));
	return object;
}

/* --- places --- */

/* A path as a URI: relative, as the path is, or "file:///...". */
static json_t *uri(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-._~/";
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;

	if (path[0] == '/') {
		kt_buf_appends(&out, "file://");
		while (path[1] == '/')
			path++; /* two would begin the name of a host */
	}
	for (; *path; path++) {
		if (strchr(plain, *path))
			kt_buf_appendc(&out, *path);
		else
			kt_buf_printf(&out, "%%%02X", (unsigned int)(unsigned char)*path);
	}
	return kt_buf_failed(&out) ? NULL : kt_json_text(out.data ? out.data : "");
}

/* source: the line's text, or NULL. */
static json_t *physical_location(const struct render_place *place, const char *source)
{
	json_t *object = json_object(), *artifact = json_object(), *region = json_object();

	json_object_set_new(artifact, "uri", uri(place->file));
	json_object_set_new(region, "startLine", kt_json_u64(place->line));
	if (place->column > 1)
		json_object_set_new(region, "startColumn", kt_json_u64(place->column));
	if (source && !place->in_log)
		json_object_set_new(region, "snippet", message(source));
	json_object_set_new(object, "artifactLocation", artifact);
	json_object_set_new(object, "region", region);
	return object;
}

static json_t *location(const struct render_place *place, const char *source)
{
	json_t *object = json_object();

	if (place->file)
		json_object_set_new(object, "physicalLocation", physical_location(place, source));
	return object;
}

static json_t *problem_location(const struct render_problem *problem)
{
	json_t *object = location(&problem->place, problem->source);
	json_t *program, *programs;

	if (!problem->program)
		return object;
	program = json_object();
	programs = json_array();
	json_object_set_new(program, "name", kt_json_text(problem->program));
	json_object_set_new(program, "kind", json_string("function"));
	json_array_append_new(programs, program);
	json_object_set_new(object, "logicalLocations", programs);
	return object;
}

static json_t *problem_locations(const struct render_problem *problem)
{
	json_t *array = json_array();

	if (problem->place.file || problem->program)
		json_array_append_new(array, problem_location(problem));
	return array;
}

static json_t *note_location(const struct render_problem_note *note)
{
	json_t *object = location(&note->place, NULL);

	json_object_set_new(object, "message", message(note->text));
	return object;
}

static json_t *related_locations(const struct render_problem *problem)
{
	json_t *array = json_array();

	kt_vec_for_each (&problem->notes, note)
		json_array_append_new(array, note_location(note));
	return array;
}

/* --- how the program came to the instruction that failed --- */

static int compare_order(const void *a, const void *b)
{
	const struct render_problem_note *const *x = a, *const *y = b;

	return ((*x)->at > (*y)->at) - ((*x)->at < (*y)->at);
}

static json_t *flow_step(json_t *where)
{
	json_t *object = json_object();

	json_object_set_new(object, "location", where);
	return object;
}

static json_t *wrap_in_array(const char *key, json_t *value)
{
	json_t *object = json_object(), *array = json_array();

	json_object_set_new(object, key, value);
	json_array_append_new(array, object);
	return array;
}

/* The steps as they were executed, the last one is the error; NULL: there are none before it. */
static json_t *code_flows(const struct render_problem *problem)
{
	_cleanup_free_ const struct render_problem_note **steps = NULL;
	json_t *array, *last;
	size_t n = 0;

	if (!problem->notes.len)
		return NULL;
	steps = calloc(problem->notes.len, sizeof(*steps));
	if (!steps) {
		kt_json_put(-1);
		return NULL;
	}
	kt_vec_for_each (&problem->notes, note)
		if (note->about == RENDER_PROBLEM_FLOW && note->at)
			steps[n++] = note;
	if (!n)
		return NULL;
	qsort(steps, n, sizeof(*steps), compare_order);
	array = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, flow_step(note_location(steps[i])));
	last = problem_location(problem);
	json_object_set_new(last, "message", message(problem->message));
	json_array_append_new(array, flow_step(last));
	return wrap_in_array("threadFlows", wrap_in_array("locations", array));
}

/* --- rules --- */

static void append_help(struct kt_buf *out, const struct kt_catalog_entry *entry)
{
	kt_buf_appends(out, "\nWhat to do:");
	for (const char *const *remedy = entry->remedies; *remedy; remedy++)
		kt_buf_printf(out, "\n- %s", *remedy);
	if (entry->since)
		kt_buf_printf(out, "\n%s", entry->since);
}

/* Reason and remedies as they are without a log. */
static struct kt_error *put_help(json_t *rule, const struct kt_catalog_entry *entry)
{
	_cleanup_(kt_buf_deinit) struct kt_buf help = KT_BUF_INIT;
	_cleanup_free_ char *reason = NULL;
	struct kt_error *err = kt_catalog_reason(entry, &reason);

	if (err)
		return err;
	json_object_set_new(rule, "fullDescription", message(reason));
	kt_buf_appends(&help, reason);
	append_help(&help, entry);
	if (kt_buf_failed(&help))
		return kt_error_no_memory();
	json_object_set_new(rule, "help", message(help.data));
	return NULL;
}

static json_t *rule_properties(const struct render_problem *problem)
{
	json_t *object = json_object(), *tags = json_array();

	json_array_append_new(tags, json_string("bpf"));
	if (problem->entry) {
		json_array_append_new(tags, json_string(problem->entry->class));
		json_object_set_new(object, "class", json_string(problem->entry->class));
	}
	json_object_set_new(object, "tags", tags);
	return object;
}

static struct kt_error *add_rule(struct document *doc, const struct render_problem *problem)
{
	json_t *rule = json_object(), *configuration = json_object();

	if (!kt_vec_push(&doc->ids, problem->rule)) {
		json_decref(rule);
		json_decref(configuration);
		return kt_error_no_memory();
	}
	json_object_set_new(rule, "id", json_string(problem->rule));
	json_object_set_new(rule, "shortDescription", message(problem->title));
	json_object_set_new(configuration, "level", json_string(levels[problem->level]));
	json_object_set_new(rule, "defaultConfiguration", configuration);
	json_object_set_new(rule, "properties", rule_properties(problem));
	json_array_append_new(doc->rules, json_incref(rule));
	if (problem->entry) {
		struct kt_error *err = put_help(rule, problem->entry);

		json_decref(rule);
		return err;
	}
	json_decref(rule);
	return NULL;
}

/* The catalogue has some hundred entries, so that there are not more rules. */
static struct kt_error *find_rule(struct document *doc, const struct render_problem *problem,
				  size_t *ret)
{
	for (*ret = 0; *ret < doc->ids.len; ++*ret)
		if (strcmp(doc->ids.data[*ret], problem->rule) == 0)
			return NULL;
	return add_rule(doc, problem);
}

/* --- results --- */

static json_t *result_message(const struct render_problem *problem)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;

	if (problem->program)
		kt_buf_printf(&text, "%s: ", problem->program);
	kt_buf_appends(&text, problem->message);
	if (problem->reason)
		kt_buf_printf(&text, "\nReason: %s", problem->reason);
	for (size_t i = 0; i < KT_CATALOG_MAX_REMEDIES && problem->remedies[i]; i++)
		kt_buf_printf(&text, "\nWhat to do: %s", problem->remedies[i]);
	return kt_buf_failed(&text) ? NULL : message(text.data);
}

static json_t *result_properties(const struct render_problem *problem)
{
	json_t *object = json_object();

	json_object_set_new(object, "program", kt_json_text(problem->program));
	json_object_set_new(object, "class", kt_json_text(problem->class));
	json_object_set_new(object, "insn",
			    problem->has_insn ? kt_json_u64(problem->insn) : json_null());
	return object;
}

static struct kt_error *add_result(struct document *doc, const struct render_problem *problem)
{
	json_t *result, *flows;
	size_t rule;
	struct kt_error *err = find_rule(doc, problem, &rule);

	if (err)
		return err;
	result = json_object();
	json_object_set_new(result, "ruleId", json_string(problem->rule));
	json_object_set_new(result, "ruleIndex", kt_json_u64(rule));
	json_object_set_new(result, "level", json_string(levels[problem->level]));
	json_object_set_new(result, "message", result_message(problem));
	json_object_set_new(result, "locations", problem_locations(problem));
	json_object_set_new(result, "relatedLocations", related_locations(problem));
	flows = code_flows(problem);
	if (flows)
		json_object_set_new(result, "codeFlows", flows);
	json_object_set_new(result, "properties", result_properties(problem));
	json_array_append_new(doc->results, result);
	return NULL;
}

/* That there is no log says nothing about a program: it is no result. */
static void add_notification(struct document *doc, const struct render_problem *problem)
{
	json_t *object = json_object();

	json_object_set_new(object, "level", json_string(levels[problem->level]));
	json_object_set_new(object, "message", message(problem->message));
	if (problem->place.file)
		json_object_set_new(object, "locations", problem_locations(problem));
	json_array_append_new(doc->notifications, object);
}

/* Takes all of doc. */
static json_t *make_root(struct document *doc, bool successful)
{
	json_t *root = json_object(), *run = json_object(), *tool = json_object();
	json_t *driver = json_object(), *invocation = json_object();
	json_t *runs = json_array(), *invocations = json_array();

	json_object_set_new(driver, "name", json_string("ktstr-gdb"));
	json_object_set_new(driver, "version", json_string(KTSTR_VERSION));
	json_object_set_new(driver, "rules", doc->rules);
	json_object_set_new(tool, "driver", driver);
	json_object_set_new(invocation, "executionSuccessful", json_boolean(successful));
	json_object_set_new(invocation, "toolExecutionNotifications", doc->notifications);
	json_array_append_new(invocations, invocation);
	json_object_set_new(run, "tool", tool);
	json_object_set_new(run, "invocations", invocations);
	json_object_set_new(run, "results", doc->results);
	json_array_append_new(runs, run);
	json_object_set_new(root, "$schema", json_string(SCHEMA));
	json_object_set_new(root, "version", json_string("2.1.0"));
	json_object_set_new(root, "runs", runs);
	return root;
}

struct kt_error *render_log_sarif(const struct render_log_program *programs, size_t n,
				  const struct render_log_format_options *options, char **ret)
{
	_cleanup_(render_problems_deinit) struct render_problems problems = {0};
	struct kt_error *err = render_problems_find(programs, n, options, &problems);
	struct document doc = {json_array(), json_array(), json_array(), {0}};
	json_t *root;

	kt_vec_for_each (&problems.list, problem) {
		if (problem->level == RENDER_PROBLEM_NOTE)
			add_notification(&doc, problem);
		else if (!err)
			err = add_result(&doc, problem);
	}
	kt_vec_free(&doc.ids);
	root = make_root(&doc, !options || !options->incomplete);
	if (!err)
		return kt_json_dump(root, ret);
	json_decref(root);
	kt_json_lost();
	return err;
}
