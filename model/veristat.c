// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/veristat.h"

/* The first is what veristat prints; the others it reads, too, or `ktstr-gdb attach --csv` prints.
 */
static const char *const names[KT_N_VERISTAT_COLUMNS][4] = {
	[KT_VERISTAT_FILE_NAME] = {"file_name", "filename", "file"},
	[KT_VERISTAT_PROG_NAME] = {"prog_name", "progname", "prog", "full_name"},
	[KT_VERISTAT_VERDICT] = {"verdict"},
	[KT_VERISTAT_DURATION] = {"duration", "dur"},
	[KT_VERISTAT_TOTAL_INSNS] = {"total_insns", "insns", "verified_insns"},
	[KT_VERISTAT_TOTAL_STATES] = {"total_states", "states"},
	[KT_VERISTAT_PEAK_STATES] = {"peak_states"},
	[KT_VERISTAT_MAX_STATES_PER_INSN] = {"max_states_per_insn"},
	[KT_VERISTAT_MAX_MARK_READ_LEN] = {"max_mark_read_len", "mark_read"},
	[KT_VERISTAT_PROG_SIZE] = {"prog_size"},
	[KT_VERISTAT_PROG_SIZE_JITED] = {"prog_size_jited"},
	[KT_VERISTAT_STACK_DEPTH] = {"stack_depth", "stack"},
	[KT_VERISTAT_PROG_TYPE] = {"prog_type", "type"},
	[KT_VERISTAT_ATTACH_TYPE] = {"attach_type"},
	[KT_VERISTAT_MEM_PEAK] = {"mem_peak"},
	[KT_VERISTAT_MAX_STACK_DEPTH] = {"max_stack_depth"},
	[KT_VERISTAT_KERNEL] = {"kernel"},
};

const char *kt_veristat_name(enum kt_veristat_column column)
{
	return names[column][0];
}

enum kt_veristat_column kt_veristat_find(struct kt_text name)
{
	for (size_t column = 0; column < KT_N_VERISTAT_COLUMNS; column++)
		for (size_t i = 0; i < sizeof(*names) / sizeof(**names); i++) {
			const char *known = names[column][i];

			if (known && kt_text_equals(name, (struct kt_text){known, strlen(known)}))
				return (enum kt_veristat_column)column;
		}
	return KT_N_VERISTAT_COLUMNS;
}
