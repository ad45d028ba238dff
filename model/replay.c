// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "model/replay.h"

bool kt_replay_is_cut(const struct program *program)
{
	return !program->full_name && strlen(program->name) == sizeof(program->name) - 1;
}

static bool has_name(const struct program *program, const char *name)
{
	if (program->full_name)
		return !strcmp(program->full_name, name);
	return kt_replay_is_cut(program) ? !strncmp(program->name, name, strlen(program->name))
					 : !strcmp(program->name, name);
}

const struct program *kt_replay_find(const struct programs *guest, const struct kt_trial *trial)
{
	for (size_t i = 0; trial->name[0] && i < guest->n; i++)
		if (has_name(&guest->all[i], trial->name))
			return &guest->all[i];
	return NULL;
}

static bool has_trial(const struct kt_trials *trials, const struct kt_trial *trial)
{
	kt_vec_for_each (&trials->v, it)
		if (!strcmp(it->name, trial->name) && !strcmp(it->section, trial->section) &&
		    !strcmp(it->object, trial->object))
			return true;
	return false;
}

static struct kt_error *add(const struct programs *guest, const struct kt_trial *trial,
			    struct kt_trials *ret)
{
	const struct program *program = kt_replay_find(guest, trial);
	struct kt_trial added = {
		.object = trial->object,
		.section = trial->section,
		.name = trial->name,
		.type = trial->type,
		.passed = true,
		.program = program,
	};

	if (!program || has_trial(ret, trial))
		return NULL;
	added.id = program->id;
	added.number[KT_TRIAL_INSNS] = program->verified_insns;
	return kt_trials_add(ret, &added);
}

struct kt_error *kt_replay_guest_trials(const struct programs *guest,
					const struct kt_trials *const *tried, size_t n,
					struct kt_trials *ret)
{
	struct kt_trials trials = {0};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < n && !err; i++) {
		if (!tried[i])
			continue;
		kt_vec_for_each (&tried[i]->v, trial) {
			err = add(guest, trial, &trials);
			if (err)
				break;
		}
	}
	if (err) {
		kt_trials_deinit(&trials);
		return err;
	}
	*ret = trials;
	return NULL;
}

bool kt_replay_is_other_code(const struct programs *guest, const struct kt_trial *trial)
{
	const struct program *program = kt_replay_find(guest, trial);

	return program && trial->program && program->tag[0] && trial->program->tag[0] &&
	       strcmp(program->tag, trial->program->tag) != 0;
}
