// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "model/sched.h"

static bool copy(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return !text || *ret;
}

static bool name_op(struct scx_op *op, const struct program *program)
{
	const char *name = program->full_name ? program->full_name : program->name;

	op->verified_insns = program->verified_insns;
	op->run_cnt = program->run_cnt;
	op->run_time_ns = program->run_time_ns;
	return copy(program->attach_btf_name, &op->name) &&
	       copy(name[0] ? name : NULL, &op->prog_name);
}

bool scx_name_programs(struct scx_snapshot *snapshot, const struct programs *programs)
{
	for (size_t i = 0; i < snapshot->n_schedulers; i++) {
		const struct scx_scheduler *scheduler = &snapshot->schedulers[i];

		for (size_t k = 0; k < scheduler->n_ops; k++) {
			struct scx_op *op = &scheduler->all_ops[k];
			const struct program *program =
				op->prog_id.known
					? programs_find(programs, (uint32_t)op->prog_id.value)
					: NULL;

			if (program && !op->name && !op->prog_name && !name_op(op, program))
				return false;
		}
	}
	return true;
}
