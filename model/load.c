// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/load.h"
#include "logparse/last.h"

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
