// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "logparse/last.h"
#include "logparse/stats.h"
#include "model/load.h"

struct program_number kt_bpf_load_accepted(const struct bpf_load *load)
{
	struct kt_log_outcome outcome;

	if (!bpf_load_failed(load))
		return (struct program_number){load->error.known, 1};
	if (!load->log)
		return (struct program_number){0};
	kt_log_find_outcome((struct kt_text){load->log, load->log_len}, &outcome);
	return (struct program_number){
		outcome.outcome == KT_LAST_PASSED || outcome.outcome == KT_LAST_FAILED,
		outcome.outcome == KT_LAST_PASSED,
	};
}

static void take_stat(const struct kt_verifier_stats *stats, enum kt_stat stat, uint64_t unit,
		      struct program_number *ret)
{
	if (!ret->known && stats->has[stat] && stats->value[stat] <= UINT64_MAX / unit)
		*ret = (struct program_number){true, stats->value[stat] * unit};
}

bool kt_bpf_load_take_stats(struct bpf_load *load)
{
	struct kt_verifier_stats stats;

	if (!load->log)
		return true;
	kt_parse_verifier_stats((struct kt_text){load->log, load->log_len}, &stats, NULL, NULL);
	take_stat(&stats, KT_STAT_PROCESSED, 1, &load->verified_insns);
	take_stat(&stats, KT_STAT_TOTAL_STATES, 1, &load->total_states);
	take_stat(&stats, KT_STAT_PEAK_STATES, 1, &load->peak_states);
	take_stat(&stats, KT_STAT_MAX_STATES_PER_INSN, 1, &load->max_states_per_insn);
	take_stat(&stats, KT_STAT_MARK_READ, 1, &load->mark_read);
	take_stat(&stats, KT_STAT_TIME, 1000, &load->verification_time_ns);
	take_stat(&stats, KT_STAT_STACK_MAX, 1, &load->stack_max);
	if (!stats.n_stack || load->stack_depth)
		return true;
	load->stack_depth = malloc(sizeof(stats.stack_depth));
	if (!load->stack_depth)
		return false;
	memcpy(load->stack_depth, stats.stack_depth, sizeof(stats.stack_depth));
	load->n_stack_depth = stats.n_stack;
	return true;
}
