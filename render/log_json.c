// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "logparse/catalog.h"
#include "logparse/last.h"
#include "logparse/source.h"
#include "model/json.h"
#include "model/json_put.h"
#include "render/log_json.h"
#include "util/cleanup.h"

/* jansson remembers nothing: a member that could not be made shows here, and the document fails. */
struct document {
	const struct kt_collapse_options *collapse;
	struct kt_error *err;
};

static void put(struct document *doc, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) && !doc->err)
		doc->err = kt_error_no_memory();
}

static void push(struct document *doc, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) && !doc->err)
		doc->err = kt_error_no_memory();
}

static json_t *text_or_null(struct kt_text text)
{
	return text.len ? kt_json_slice(text) : json_null();
}

static json_t *json_text(const char *text)
{
	return kt_json_slice((struct kt_text){text, strlen(text)});
}

static json_t *number_or_null(bool known, uint64_t number)
{
	return kt_json_number((struct program_number){known, number});
}

static json_t *json_collapsed(struct document *doc, struct kt_text text)
{
	_cleanup_free_ char *collapsed = NULL;
	struct kt_error *err;
	size_t len;

	err = kt_collapse_cycles(text, doc->collapse, &collapsed, &len);
	if (!err)
		return kt_json_slice((struct kt_text){collapsed, len});
	if (doc->err)
		kt_error_destroy(err);
	else
		doc->err = err;
	return json_null();
}

static json_t *json_stack(struct document *doc, const struct kt_verifier_stats *stats)
{
	json_t *array;

	if (!stats->n_stack)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < stats->n_stack; i++)
		push(doc, array, json_integer(stats->stack_depth[i]));
	return array;
}

static json_t *json_stats(struct document *doc, const struct kt_verifier_stats *stats)
{
	static const char *const names[KT_N_STATS] = {
		[KT_STAT_PROCESSED] = "processed_insns",
		[KT_STAT_LIMIT] = "limit",
		[KT_STAT_MAX_STATES_PER_INSN] = "max_states_per_insn",
		[KT_STAT_TOTAL_STATES] = "total_states",
		[KT_STAT_PEAK_STATES] = "peak_states",
		[KT_STAT_MARK_READ] = "mark_read",
		[KT_STAT_TIME] = "verification_time_us",
		[KT_STAT_STACK_MAX] = "stack_max",
	};
	json_t *object = json_object();

	for (size_t i = 0; i < KT_N_STATS; i++)
		put(doc, object, names[i], number_or_null(stats->has[i], stats->value[i]));
	put(doc, object, "stack_depth", json_stack(doc, stats));
	return object;
}

static json_t *json_subprogs(struct document *doc, struct kt_text trace)
{
	struct kt_subprog_stats subprogs[KT_STACK_DEPTHS_MAX];
	size_t n = kt_parse_subprog_stats(trace, subprogs, KT_STACK_DEPTHS_MAX);
	json_t *array;

	if (!n)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *object = json_object();

		put(doc, object, "index", json_integer(subprogs[i].index));
		put(doc, object, "name", kt_json_slice(subprogs[i].name));
		put(doc, object, "kind", kt_json_slice(subprogs[i].kind));
		put(doc, object, "insns_self", number_or_null(true, subprogs[i].insns_self));
		put(doc, object, "insns_total", number_or_null(true, subprogs[i].insns_total));
		put(doc, object, "stack", json_integer(subprogs[i].stack));
		push(doc, array, object);
	}
	return array;
}

static void put_source_ref(struct document *doc, json_t *object, const struct kt_source_ref *ref)
{
	put(doc, object, "file", text_or_null(ref->file));
	put(doc, object, "line", number_or_null(ref->line > 0, ref->line));
	put(doc, object, "text", text_or_null(ref->text));
}

static json_t *json_source_line(struct document *doc, const struct kt_source_line *line)
{
	json_t *object = json_object();

	put_source_ref(doc, object, &line->source);
	put(doc, object, "insns", number_or_null(true, line->insns));
	put(doc, object, "distinct", number_or_null(true, line->distinct));
	put(doc, object, "safe", number_or_null(true, line->safe));
	put(doc, object, "pops", number_or_null(true, line->pops));
	return object;
}

static json_t *json_source(struct document *doc, struct kt_text trace)
{
	struct kt_source_counts counts;
	json_t *array;

	if (!doc->err)
		doc->err = kt_count_source_lines(trace, &counts);
	if (doc->err)
		return json_null();
	array = json_array();
	kt_vec_for_each (&counts.lines, line)
		push(doc, array, json_source_line(doc, line));
	if (counts.unknown.insns || counts.unknown.safe || counts.unknown.pops)
		push(doc, array, json_source_line(doc, &counts.unknown));
	kt_source_counts_deinit(&counts);
	return array;
}

static json_t *json_insn(struct document *doc, const struct kt_last_insn *at)
{
	json_t *object = json_object();
	json_t *source = json_object();

	put_source_ref(doc, source, &at->source);
	put(doc, object, "index", number_or_null(at->index != KT_LINE_NO_INDEX, at->index));
	put(doc, object, "frame", json_integer(at->frame));
	put(doc, object, "insn", text_or_null(at->insn));
	put(doc, object, "source", source);
	return object;
}

static json_t *json_step(struct document *doc, const struct kt_last_step *step)
{
	static const char *const hows[] = {
		[KT_LAST_SET] = "set",           [KT_LAST_ALTERED] = "altered",
		[KT_LAST_COPIED] = "copied",     [KT_LAST_FILLED] = "filled",
		[KT_LAST_SPILLED] = "spilled",   [KT_LAST_RESULT] = "result",
		[KT_LAST_CLOBBER] = "clobbered", [KT_LAST_ARGUMENT] = "argument",
		[KT_LAST_RETURNED] = "returned", [KT_LAST_ACQUIRED] = "acquired",
		[KT_LAST_LOST] = "lost",
	};
	bool goes_on = kt_last_goes_on(step), filled = step->how == KT_LAST_FILLED;
	json_t *object = json_object();

	put(doc, object, "how", json_string(hows[step->how]));
	put(doc, object, "of_reg", number_or_null(goes_on && !filled, step->reg));
	put(doc, object, "of_slot", filled ? json_integer(step->slot) : json_null());
	put(doc, object, "of_frame", number_or_null(goes_on, step->frame));
	put(doc, object, "value", text_or_null(step->value));
	put(doc, object, "times", json_integer(step->times));
	put(doc, object, "unbounds", json_boolean(step->unbounds));
	put(doc, object, "at", json_insn(doc, &step->insn));
	return object;
}

static json_t *json_role(enum kt_last_role role)
{
	switch (role) {
	case KT_LAST_ROLE_SIZE: return json_string("size");
	case KT_LAST_ROLE_OFFSET: return json_string("offset");
	default: return json_null();
	}
}

static json_t *json_subject(struct document *doc, const struct kt_last_subject *subject)
{
	static const char *const kinds[] = {
		[KT_LAST_SUBJECT_REG] = "reg",
		[KT_LAST_SUBJECT_SLOT] = "slot",
		[KT_LAST_SUBJECT_REF] = "ref",
	};
	static const char *const origins[] = {
		[KT_LAST_ORIGIN_FOUND] = "found",
		[KT_LAST_ORIGIN_ENTRY] = "entry",
		[KT_LAST_ORIGIN_NEVER] = "never",
		[KT_LAST_ORIGIN_GONE] = "gone",
	};
	static const char *const from[] = {
		[KT_LAST_FROM_STATE] = "state",
		[KT_LAST_FROM_INSN] = "insn",
		[KT_LAST_FROM_MESSAGE] = "message",
	};
	json_t *object = json_object(), *steps = json_array();

	for (size_t i = 0; i < subject->n_steps; i++)
		push(doc, steps, json_step(doc, &subject->steps[i]));
	put(doc, object, "kind", json_string(kinds[subject->kind]));
	put(doc, object, "role", json_role(subject->role));
	put(doc, object, "number", json_integer(subject->number));
	put(doc, object, "frame", json_integer(subject->frame));
	put(doc, object, "before",
	    number_or_null(subject->before != KT_LINE_NO_INDEX, subject->before));
	put(doc, object, "named", json_boolean(subject->named));
	put(doc, object, "value", text_or_null(subject->value));
	put(doc, object, "value_from",
	    subject->value.len ? json_string(from[subject->value_from]) : json_null());
	put(doc, object, "unreadable", json_boolean(subject->unreadable));
	put(doc, object, "was", text_or_null(subject->was));
	put(doc, object, "origin", json_string(origins[subject->origin]));
	put(doc, object, "steps", steps);
	put(doc, object, "steps_left_out", number_or_null(true, subject->left_out));
	return object;
}

static json_t *json_path(struct document *doc, const struct kt_log_last *last)
{
	json_t *object;

	if (!last->path.len)
		return json_null();
	object = json_object();
	put(doc, object, "loop", json_boolean(last->path_loops));
	put(doc, object, "from", number_or_null(last->path_branched, last->path_from));
	put(doc, object, "to", number_or_null(last->path_branched, last->path_to));
	put(doc, object, "log_line", number_or_null(true, last->path_line));
	put(doc, object, "insns", number_or_null(true, last->path_insns));
	put(doc, object, "insns_before", number_or_null(true, last->path_before));
	put(doc, object, "function", text_or_null(last->func));
	put(doc, object, "collapsed", json_collapsed(doc, last->path));
	return object;
}

static json_t *json_last(struct document *doc, const struct kt_log_last *last)
{
	static const char *const classes[] = {
		[KT_LAST_INSN] = "insn", [KT_LAST_BUDGET] = "budget",
		[KT_LAST_LOOP] = "loop", [KT_LAST_PROGRAM] = "program",
		[KT_LAST_FLOW] = "flow", [KT_LAST_UNSAID] = "unsaid",
	};
	json_t *object, *subjects;

	if (last->outcome != KT_LAST_FAILED)
		return json_null();
	object = json_object();
	subjects = json_array();
	for (size_t i = 0; i < last->n_subjects; i++)
		push(doc, subjects, json_subject(doc, &last->subjects[i]));
	put(doc, object, "class", json_string(classes[last->class]));
	put(doc, object, "error", text_or_null(last->error));
	put(doc, object, "explanation", text_or_null(last->explanation));
	put(doc, object, "at", json_insn(doc, &last->at));
	put(doc, object, "gap", json_boolean(last->gap));
	put(doc, object, "subjects", subjects);
	put(doc, object, "path", json_path(doc, last));
	return object;
}

static json_t *json_verdict(enum kt_last_outcome outcome)
{
	switch (outcome) {
	case KT_LAST_PASSED: return json_string("passed");
	case KT_LAST_FAILED: return json_string("failed");
	case KT_LAST_CUT: return json_string("cut");
	default: return json_null();
	}
}

/* What the loader says of the load, which the log does not have. */
static json_t *json_loader(struct document *doc, const struct kt_loader_words *loader)
{
	json_t *object = json_object();
	const char *name = kt_loader_errno_name(loader->error);

	put(doc, object, "failed", json_boolean(loader->failed));
	put(doc, object, "errno", number_or_null(loader->error > 0, (uint64_t)loader->error));
	put(doc, object, "errno_name", name ? json_string(name) : json_null());
	put(doc, object, "said", text_or_null(loader->said));
	put(doc, object, "lines_left_out", json_integer(loader->left_out));
	return object;
}

/* Why it failed, and what to do. */
static void put_why(struct document *doc, json_t *object, const struct kt_log_last *last)
{
	_cleanup_(kt_catalog_why_deinit) struct kt_catalog_why why = {0};
	json_t *remedies = json_array();

	if (!doc->err)
		doc->err = kt_catalog_explain(last, &why);
	for (size_t i = 0; i < why.n_remedies; i++)
		push(doc, remedies, json_text(why.remedies[i]));
	put(doc, object, "id", why.entry ? json_string(why.entry->id) : json_null());
	put(doc, object, "class", text_or_null(why.class));
	put(doc, object, "reason", why.reason ? json_text(why.reason) : json_null());
	put(doc, object, "remedy", remedies);
}

static json_t *json_program(struct document *doc, const struct render_log_program *program)
{
	struct kt_log_last last = {0};
	json_t *object = json_object();

	if (!doc->err)
		doc->err = kt_log_find_last_of(&program->log, &last);
	if (doc->err)
		return object;
	put(doc, object, "file", kt_json_slice(program->file));
	put(doc, object, "program", text_or_null(program->log.program));
	put(doc, object, "kind", json_string(program->log.btf ? "btf" : "program"));
	put(doc, object, "complete", json_boolean(program->log.complete));
	put(doc, object, "verdict", json_verdict(last.outcome));
	put(doc, object, "error", text_or_null(last.headline));
	put_why(doc, object, &last);
	put(doc, object, "loader", json_loader(doc, &program->log.loader));
	put(doc, object, "stats", json_stats(doc, &last.stat_values));
	put(doc, object, "subprograms", json_subprogs(doc, program->log.trace));
	put(doc, object, "lines", number_or_null(true, kt_text_count_lines(program->log.trace)));
	put(doc, object, "bytes", number_or_null(true, program->log.trace.len));
	put(doc, object, "cut_front", json_boolean(last.cut_front));
	put(doc, object, "cut_end", json_boolean(last.cut_end));
	put(doc, object, "last", json_last(doc, &last));
	put(doc, object, "source", json_source(doc, program->log.trace));
	put(doc, object, "collapsed", json_collapsed(doc, program->log.trace));
	return object;
}

struct kt_error *render_log_json(const struct render_log_program *programs, size_t n,
				 const struct kt_collapse_options *collapse, char **ret)
{
	json_t *root = json_object(), *array = json_array();
	struct document doc = {.collapse = collapse};

	put(&doc, root, "schema", json_string("ktstr-gdb.log.v1"));
	for (size_t i = 0; i < n && !doc.err; i++)
		push(&doc, array, json_program(&doc, &programs[i]));
	put(&doc, root, "programs", array);
	if (!doc.err)
		return kt_json_dump(root, ret);
	json_decref(root);
	return doc.err;
}
