// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "model/attached.h"

void trampoline_deinit(struct trampoline *trampoline)
{
	free(trampoline->func);
	free(trampoline->module);
	free(trampoline->type);
	free(trampoline->name);
	*trampoline = (struct trampoline){0};
}

void trampolines_deinit(struct trampolines *trampolines)
{
	for (size_t i = 0; i < trampolines->n; i++)
		trampoline_deinit(&trampolines->all[i]);
	free(trampolines->all);
	*trampolines = (struct trampolines){0};
}

void perf_progs_deinit(struct perf_progs *progs)
{
	for (size_t i = 0; i < progs->n; i++)
		free(progs->all[i].name);
	for (size_t i = 0; i < progs->n_events; i++)
		link_deinit(&progs->events[i]);
	free(progs->all);
	free(progs->events);
	*progs = (struct perf_progs){0};
}

void struct_ops_deinit(struct struct_ops *ops)
{
	for (size_t i = 0; i < ops->n_progs; i++) {
		free(ops->progs[i].name);
		free(ops->progs[i].member);
	}
	free(ops->progs);
	free(ops->kernel_struct_ops);
	free(ops->state);
	*ops = (struct struct_ops){0};
}

void struct_ops_list_deinit(struct struct_ops_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		struct_ops_deinit(&list->all[i]);
	free(list->all);
	*list = (struct struct_ops_list){0};
}

/* Sets *ret, which may be set already, to a copy of text, which may be NULL. */
static bool copy(const char *text, char **ret)
{
	if (*ret || !text)
		return true;
	*ret = strdup(text);
	return *ret;
}

static const char *name_of(const struct program *program)
{
	return program->full_name ? program->full_name : program->name;
}

bool trampolines_name(struct trampolines *trampolines, const struct programs *programs)
{
	for (size_t i = 0; i < trampolines->n; i++) {
		struct trampoline *trampoline = &trampolines->all[i];
		const struct program *program =
			trampoline->prog_id.known
				? programs_find(programs, (uint32_t)trampoline->prog_id.value)
				: NULL;

		if (program && (!copy(name_of(program), &trampoline->name) ||
				!copy(program->attach_btf_name, &trampoline->func) ||
				!copy(program->attach_btf_module, &trampoline->module)))
			return false;
	}
	return true;
}

bool perf_progs_name(struct perf_progs *progs, const struct programs *programs)
{
	for (size_t i = 0; i < progs->n; i++) {
		const struct program_number *id = &progs->all[i].event->prog_id;
		const struct program *program = id->known ? programs_find(programs,
									  (uint32_t)id->value)
							  : NULL;

		if (program && !copy(name_of(program), &progs->all[i].name))
			return false;
	}
	return true;
}

bool struct_ops_name(struct struct_ops_list *list, const struct programs *programs)
{
	for (size_t i = 0; i < list->n; i++)
		for (size_t p = 0; p < list->all[i].n_progs; p++) {
			struct struct_ops_prog *prog = &list->all[i].progs[p];
			const struct program *program = programs_find(programs, prog->id);

			if (program && (!copy(name_of(program), &prog->name) ||
					!copy(program->attach_btf_name, &prog->member)))
				return false;
		}
	return true;
}

bool struct_ops_are_sched_ext(const struct struct_ops *ops)
{
	return ops->kernel_struct_ops && (!strcmp(ops->kernel_struct_ops, "sched_ext_ops") ||
					  !strcmp(ops->kernel_struct_ops, "sched_ext_ops_cid"));
}
