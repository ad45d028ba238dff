/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a log's error is about, in one line, for tests of logparse/last.h. */
#ifndef KT_TESTS_LOGPARSE_DESCRIBE_H
#define KT_TESTS_LOGPARSE_DESCRIBE_H

#include "logparse/last.h"
#include "util/buf.h"

#define STATS                                                                                      \
	"processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 "    \
	"mark_read 0\n"

static inline struct kt_log_last find(struct kt_text log)
{
	struct kt_log_last last;

	assert_null(kt_log_find_last(log, &last));
	return last;
}

static inline __attribute__((unused)) struct kt_log_last find_in(const char *log)
{
	return find((struct kt_text){log, strlen(log)});
}

/*
 * What a subject is and how it came about, the latest first: "R2=scalar() copied@1:R0 result@0".
 * A call that took its type is "lost@4(pkt(r=0))", an alteration done 3 times "altered@4:R2*3".
 */
static inline const char *describe(const struct kt_last_subject *s)
{
	static const char *const hows[] = {
		[KT_LAST_SET] = "set",           [KT_LAST_COPIED] = "copied",
		[KT_LAST_RESULT] = "result",     [KT_LAST_CLOBBER] = "clobber",
		[KT_LAST_ARGUMENT] = "passed",   [KT_LAST_RETURNED] = "returned",
		[KT_LAST_ACQUIRED] = "acquired", [KT_LAST_ALTERED] = "altered",
		[KT_LAST_FILLED] = "filled",     [KT_LAST_SPILLED] = "spilled",
		[KT_LAST_LOST] = "lost",
	};
	static const char *const origins[] = {
		[KT_LAST_ORIGIN_FOUND] = "",
		[KT_LAST_ORIGIN_ENTRY] = " entry",
		[KT_LAST_ORIGIN_NEVER] = " never",
		[KT_LAST_ORIGIN_GONE] = " gone",
	};
	static const char *const kinds[] = {"R", "fp", "ref "};
	static const char *const roles[] = {"", "size ", "offset "};
	static char text[2000];
	struct kt_buf out = KT_BUF_INIT;

	kt_buf_printf(&out, "%s%s%d=%.*s", roles[s->role], kinds[s->kind], s->number,
		      (int)s->value.len, s->value.data);
	for (size_t i = 0; i < s->n_steps; i++) {
		const struct kt_last_step *step = &s->steps[i];

		kt_buf_printf(&out, " %s@%u", hows[step->how], step->insn.index);
		if (step->how == KT_LAST_COPIED || step->how == KT_LAST_SPILLED ||
		    (step->how == KT_LAST_ALTERED && step->reg != (uint32_t)s->number))
			kt_buf_printf(&out, ":R%u", step->reg);
		if (step->how == KT_LAST_FILLED)
			kt_buf_printf(&out, ":fp%d", step->slot);
		if (step->how == KT_LAST_LOST)
			kt_buf_printf(&out, "(%.*s)", (int)s->was.len, s->was.data);
		if (step->times > 1)
			kt_buf_printf(&out, "*%u", step->times);
		if (step->unbounds)
			kt_buf_appendc(&out, '!');
	}
	snprintf(text, sizeof(text), "%.*s%s", (int)out.len, out.data, origins[s->origin]);
	kt_buf_deinit(&out);
	return text;
}

#endif
