// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "logparse/catalog.h"
#include "logparse/last.h"
#include "logparse/logs.h"
#include "model/load_class.h"
#include "model/trial.h"
#include "util/cleanup.h"

const char *kt_trial_number_name(enum kt_trial_number number)
{
	static const char *const names[KT_N_TRIAL_NUMBERS] = {
		[KT_TRIAL_INSNS] = "verified_insns",
		[KT_TRIAL_TOTAL_STATES] = "total_states",
		[KT_TRIAL_PEAK_STATES] = "peak_states",
		[KT_TRIAL_MAX_STATES_PER_INSN] = "max_states_per_insn",
		[KT_TRIAL_MARK_READ] = "mark_read",
		[KT_TRIAL_STACK] = "stack_depth",
		[KT_TRIAL_TIME_US] = "verification_time_us",
		[KT_TRIAL_LOG_BYTES] = "log_bytes",
	};

	return names[number];
}

static void trial_deinit(struct kt_trial *trial)
{
	free(trial->object);
	free(trial->section);
	free(trial->name);
	free(trial->type);
	free(trial->log);
	free(trial->place);
	free(trial->class);
	free(trial->message);
	free(trial->file);
	free(trial->source);
	*trial = (struct kt_trial){0};
}

static bool copy(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return *ret || !text;
}

static struct kt_error *copy_text(struct kt_text text, char **ret)
{
	*ret = text.len ? strndup(text.data, text.len) : NULL;
	return *ret || !text.len ? NULL : kt_error_no_memory();
}

/* --- numbers --- */

static void set(struct kt_trial *trial, enum kt_trial_number number, uint64_t value)
{
	if (!trial->number[number].known)
		trial->number[number] = (struct program_number){true, value};
}

static void count(struct kt_trial *trial, const struct kt_log_block *block)
{
	static const struct {
		enum kt_stat stat;
		enum kt_trial_number number;
	} taken[] = {
		{KT_STAT_PROCESSED, KT_TRIAL_INSNS},
		{KT_STAT_TOTAL_STATES, KT_TRIAL_TOTAL_STATES},
		{KT_STAT_PEAK_STATES, KT_TRIAL_PEAK_STATES},
		{KT_STAT_MAX_STATES_PER_INSN, KT_TRIAL_MAX_STATES_PER_INSN},
		{KT_STAT_MARK_READ, KT_TRIAL_MARK_READ},
		{KT_STAT_TIME, KT_TRIAL_TIME_US},
	};
	struct kt_verifier_stats stats;
	uint64_t stack = 0;

	if (!kt_parse_verifier_stats(block->trace, &stats, NULL, NULL))
		return;
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		if (stats.has[taken[i].stat])
			set(trial, taken[i].number, stats.value[taken[i].stat]);
	for (size_t i = 0; i < stats.n_stack; i++)
		stack += stats.stack_depth[i];
	if (stats.n_stack)
		set(trial, KT_TRIAL_STACK, stack);
	set(trial, KT_TRIAL_LOG_BYTES, block->trace.len + trial->log_dropped);
}

/* --- why it failed --- */

static struct kt_error *explain(struct kt_trial *trial, const struct kt_log_block *block)
{
	_cleanup_free_ struct kt_log_last *last = malloc(sizeof(*last));
	_cleanup_(kt_catalog_why_deinit) struct kt_catalog_why why = {0};
	struct kt_error *err = last ? kt_log_find_last_of(block, last) : kt_error_no_memory();

	if (err || last->outcome != KT_LAST_FAILED || !last->headline.len)
		return err;
	if (!trial->class)
		err = kt_catalog_explain(last, &why);
	if (!err && !trial->class)
		err = copy_text(why.class, &trial->class);
	if (!err && !trial->message)
		err = copy_text(last->headline, &trial->message);
	if (!err)
		err = copy_text(last->at.source.file, &trial->file);
	if (!err)
		err = copy_text(last->at.source.text, &trial->source);
	trial->line = trial->file ? last->at.source.line : 0;
	trial->insn = last->at.index == KT_LINE_NO_INDEX ? -1 : (int64_t)last->at.index;
	return err;
}

/*
 * What is no matter of the verifier: libbpf says it, and the errno. It may still be the verifier
 * that stumbles over what the kernel lacks, in a place that its log tells.
 */
static struct kt_error *classify(struct kt_trial *trial, struct kt_text words)
{
	struct kt_text headline = {0};
	enum kt_load_class class = kt_load_classify(trial->errnum, words, &headline);

	if (class == KT_LOAD_UNKNOWN || class == KT_LOAD_REJECTED)
		return NULL;
	trial->class = strdup(kt_load_class_name(class));
	return trial->class ? copy_text(headline, &trial->message) : kt_error_no_memory();
}

/* Libbpf may try more than once: the last log has the numbers, the last that failed says why. */
static struct kt_error *read_logs(struct kt_trial *trial)
{
	_cleanup_(kt_logs_deinit) struct kt_logs logs = {0};
	struct kt_error *err = kt_logs_find((struct kt_text){trial->log, strlen(trial->log)}, NULL,
					    &logs);
	struct kt_log_outcome outcome;
	bool counted = false, explained = trial->passed;

	if (!err && !trial->passed)
		err = classify(trial, (struct kt_text){trial->log, strlen(trial->log)});

	for (size_t i = logs.v.len; i && !err; i--) {
		const struct kt_log_block *block = &logs.v.data[i - 1];

		if (block->btf)
			continue;
		if (!counted)
			count(trial, block);
		counted = true;
		kt_log_find_outcome_of(block, &outcome);
		if (!explained && !err && outcome.outcome == KT_LAST_FAILED) {
			err = explain(trial, block);
			explained = trial->message;
		}
	}
	return err;
}

struct kt_error *kt_trial_set_line(struct kt_trial *trial, const char *file, uint32_t line)
{
	char *copied = strdup(file);

	if (!copied)
		return kt_error_no_memory();
	free(trial->file);
	trial->file = copied;
	trial->line = line;
	return NULL;
}

struct kt_error *kt_trials_add(struct kt_trials *trials, const struct kt_trial *from)
{
	struct kt_trial trial = *from;
	struct kt_error *err;
	bool ok;

	trial.class = trial.message = trial.file = trial.source = NULL;
	trial.line = 0;
	trial.insn = -1;
	/* All of them, so that none is left that is not ours. */
	ok = copy(from->object, &trial.object);
	ok &= copy(from->section, &trial.section);
	ok &= copy(from->name, &trial.name);
	ok &= copy(from->type, &trial.type);
	ok &= copy(from->place, &trial.place);
	ok &= copy(from->log ? from->log : "", &trial.log);
	err = ok ? NULL : kt_error_no_memory();
	if (!err)
		err = read_logs(&trial);
	if (!err && !kt_vec_push(&trials->v, trial))
		err = kt_error_no_memory();
	if (err)
		trial_deinit(&trial);
	return err;
}

/* The log of a loader that is not libbpf's may not be the kernel's byte for byte. */
static struct kt_error *read_block(struct kt_trial *trial, const struct kt_log_block *block)
{
	struct kt_error *err = classify(trial, block->loader.said);

	count(trial, block);
	if (!block->marked || !block->complete)
		trial->number[KT_TRIAL_LOG_BYTES].known = false;
	return err ? err : explain(trial, block);
}

struct kt_error *kt_trials_add_log(struct kt_trials *trials, const struct kt_log_block *block)
{
	struct kt_trial trial = {
		.object = strdup(""),
		.section = strdup(""),
		.name = strndup(block->program.data ? block->program.data : "", block->program.len),
		.errnum = block->loader.error,
		.insn = -1,
		.log = strndup(block->trace.data, block->trace.len),
	};
	bool ok = trial.object && trial.section && trial.name && trial.log;
	struct kt_error *err = ok ? read_block(&trial, block) : kt_error_no_memory();

	if (!err && !kt_vec_push(&trials->v, trial))
		err = kt_error_no_memory();
	if (err)
		trial_deinit(&trial);
	return err;
}

static struct kt_error *set_full_name(struct program *program, const char *name)
{
	char *copied;

	/* The kernel keeps the first 15 characters. Another name is another program. */
	if (strncmp(program->name, name, sizeof(program->name) - 1) != 0)
		return NULL;
	copied = strdup(name);
	if (!copied)
		return kt_error_no_memory();
	free(program->full_name);
	program->full_name = copied;
	return NULL;
}

struct kt_error *kt_trials_join(struct kt_trials *trials, struct programs *programs)
{
	struct kt_error *err = NULL;

	kt_vec_for_each (&trials->v, trial) {
		struct program *program;

		if (!trial->passed || !trial->id)
			continue;
		program = programs_find(programs, trial->id);
		trial->program = program;
		if (program && program->verified_insns.known)
			trial->number[KT_TRIAL_INSNS] = program->verified_insns;
		if (program && !err)
			err = set_full_name(program, trial->name);
	}
	return err;
}

size_t kt_trials_failed(const struct kt_trials *trials)
{
	size_t n = 0;

	kt_vec_for_each (&trials->v, trial)
		n += !trial->passed;
	return n;
}

bool kt_trial_is_refused(const struct kt_trial *trial)
{
	return trial->passed &&
	       (trial->attach == KT_ATTACH_REFUSED || trial->ran == KT_TEST_RUN_REFUSED);
}

size_t kt_trials_refused(const struct kt_trials *trials)
{
	size_t n = 0;

	kt_vec_for_each (&trials->v, trial)
		n += kt_trial_is_refused(trial);
	return n;
}

const char *kt_attach_name(enum kt_attach attach)
{
	static const char *const names[KT_N_ATTACH] = {
		[KT_ATTACH_DONE] = "attached",
		[KT_ATTACH_REFUSED] = "refused",
		[KT_ATTACH_NO_PLACE] = "no place",
	};

	return names[attach];
}

void kt_trials_deinit(struct kt_trials *trials)
{
	kt_vec_for_each (&trials->v, trial)
		trial_deinit(trial);
	kt_vec_free(&trials->v);
}
