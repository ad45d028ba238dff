// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/log_step.h"

#include <inttypes.h>

#include "logparse/value.h"

static bool is_call(struct kt_text insn)
{
	return kt_text_starts_with(insn, KT_TEXT("(85)")) ||
	       kt_text_starts_with(insn, KT_TEXT("(8d)"));
}

void render_log_how(const struct kt_last_subject *subject, const struct kt_last_step *step,
		    struct kt_buf *out)
{
	switch (step->how) {
	case KT_LAST_SET:
	case KT_LAST_RESULT: kt_buf_appends(out, "set at "); break;
	case KT_LAST_ALTERED: kt_buf_appends(out, "altered at "); break;
	case KT_LAST_COPIED: kt_buf_printf(out, "copied from R%u at ", step->reg); break;
	case KT_LAST_FILLED: kt_buf_printf(out, "read from fp%d at ", step->slot); break;
	case KT_LAST_SPILLED: kt_buf_printf(out, "stored from R%u at ", step->reg); break;
	case KT_LAST_CLOBBER: kt_buf_appends(out, "lost in the call at "); break;
	case KT_LAST_ARGUMENT: kt_buf_appends(out, "passed by the call at "); break;
	case KT_LAST_RETURNED: kt_buf_appends(out, "returned at "); break;
	case KT_LAST_ACQUIRED: kt_buf_appends(out, "taken at "); break;
	case KT_LAST_LOST:
		kt_buf_appends(out, subject->was.len ? "until " : "a pointer until ");
		kt_buf_appends(out, is_call(step->insn.insn) ? "the call at " : "the store at ");
		break;
	}
}

const char *render_log_origin(const struct kt_last_subject *subject)
{
	const struct kt_last_step *last = subject->n_steps ? &subject->steps[subject->n_steps - 1]
							   : NULL;

	switch (subject->origin) {
	case KT_LAST_ORIGIN_FOUND: return "";
	case KT_LAST_ORIGIN_ENTRY:
		/* Nothing is to be told of the frame pointer. */
		if (last ? last->reg == 10 : subject->number == 10)
			return "";
		return "an argument, as it came in";
	case KT_LAST_ORIGIN_NEVER: return "never set on this path";
	case KT_LAST_ORIGIN_GONE: return "set before what there is of the log";
	}
	return "";
}

void render_log_name(const struct kt_last_subject *s, struct kt_buf *out)
{
	switch (s->kind) {
	case KT_LAST_SUBJECT_REG: kt_buf_printf(out, "R%d", s->number); break;
	case KT_LAST_SUBJECT_SLOT: kt_buf_printf(out, "fp%d", s->number); break;
	case KT_LAST_SUBJECT_REF: kt_buf_printf(out, "reference %d", s->number); break;
	}
	if (s->frame && s->kind != KT_LAST_SUBJECT_REF)
		kt_buf_printf(out, " of frame %u", s->frame);
}

/* "a scalar": what Linux 5.17 and before call "inv". */
static void append_type(const struct kt_last_subject *s, struct kt_buf *out)
{
	if (s->value_from == KT_LAST_FROM_INSN)
		kt_buf_appends(out, " (a scalar)");
	else if (s->value_from == KT_LAST_FROM_MESSAGE && kt_text_equals(s->value, KT_TEXT("inv")))
		kt_buf_appends(out, " (a scalar)");
}

/* ", the size of the access: 0 to 16383" */
static void append_role(const struct kt_last_subject *s, struct kt_buf *out)
{
	uint64_t max;
	int64_t min;

	if (s->role == KT_LAST_ROLE_NONE)
		return;
	if (s->role == KT_LAST_ROLE_OFFSET)
		kt_buf_printf(out, ", which insn %u adds", s->before);
	else
		kt_buf_appends(out, ", the size");
	if (!s->value.len || kt_value_is_const(s->value, &min))
		return;
	if (kt_value_max(s->value, &max) && kt_value_min(s->value, &min) && min >= 0)
		kt_buf_printf(out, ": %" PRId64 " to %" PRIu64, min, max);
	else if (!kt_value_min(s->value, &min) || min < 0)
		kt_buf_appends(out, ": it may be negative");
	else
		kt_buf_appends(out, ": it has no upper bound");
}

void render_log_subject(const struct kt_last_subject *s, struct kt_buf *out)
{
	render_log_name(s, out);
	if (s->value.len) {
		kt_buf_appends(out, s->kind == KT_LAST_SUBJECT_REF || s->frame ? ": " : "=");
		kt_buf_append(out, s->value.data, s->value.len);
		append_type(s, out);
	} else if (s->unreadable) {
		kt_buf_appends(out, " has no value");
	} else if (s->kind == KT_LAST_SUBJECT_REG && s->origin != KT_LAST_ORIGIN_NEVER &&
		   !s->was.len) {
		/* At level 1 Linux 5.10 prints state only after jumps. */
		kt_buf_appends(out, " (the log does not say what it held)");
	}
	append_role(s, out);
	if (s->was.len) {
		kt_buf_appends(out, s->value.len || s->unreadable ? ", was " : " was ");
		kt_buf_append(out, s->was.data, s->was.len);
	}
}
