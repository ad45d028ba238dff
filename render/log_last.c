// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/log_last.h"

#include <errno.h>
#include <inttypes.h>

#include "logparse/last.h"
#include "logparse/state.h"
#include "logparse/trace.h"
#include "logparse/value.h"
#include "render/explain.h"
#include "render/log_path.h"
#include "render/log_step.h"
#include "render/log_why.h"
#include "util/cleanup.h"

/* Lines of the path that are shown: fewer if the kernel explains the error itself. */
#define PATH_LINES           24
#define PATH_LINES_EXPLAINED 8
/* The same for all that was executed, and how many of them are from its beginning. */
#define PATH_LINES_ALL  40
#define PATH_HEAD_LINES 12
/* How much is shown of a text that is no log. */
#define OTHER_LINES 6
#define OTHER_BYTES 2000

static void append(struct kt_buf *out, struct kt_text text)
{
	kt_buf_append(out, text.data, text.len);
}

/* Indents each line of text but blank ones. */
static void append_lines(struct kt_buf *out, const char *indent, struct kt_text text)
{
	struct kt_text line;

	while (kt_text_next_line(&text, &line)) {
		if (line.len)
			kt_buf_appends(out, indent);
		append(out, line);
		kt_buf_appendc(out, '\n');
	}
}

/* "; *v = 1; @ bad.bpf.c:42", as the verifier prints it; nothing if no line is known. */
static void append_source(struct kt_buf *out, const char *indent,
			  const struct kt_source_ref *source)
{
	if (!source->text.len && !source->line)
		return;
	kt_buf_appends(out, indent);
	kt_buf_appends(out, "; ");
	append(out, source->text);
	if (source->line) {
		kt_buf_appends(out, source->text.len ? " @ " : "@ ");
		append(out, source->file);
		kt_buf_printf(out, ":%u", source->line);
	}
	kt_buf_appendc(out, '\n');
}

/* "insn 8: (7b) *(u64 *)(r0 +0) = r1" and its source line. */
static void append_insn(struct kt_buf *out, const char *indent, const struct kt_last_insn *insn)
{
	kt_buf_printf(out, "insn %u", insn->index);
	if (insn->insn.len) {
		kt_buf_appends(out, ": ");
		append(out, insn->insn);
	}
	kt_buf_appendc(out, '\n');
	append_source(out, indent, &insn->source);
}

/* "(0f) r3 += r4": the register after the operator, 4. -1: there is none, or it is the target. */
static int operand_of(struct kt_text insn)
{
	const char *p = insn.len ? memmem(insn.data, insn.len, "= ", 2) : NULL;
	size_t len = p ? (size_t)(insn.data + insn.len - p) : 0;

	/* A load has "*(" there, and a negation "-". */
	if (len < 4 || len > 5 || (p[2] != 'r' && p[2] != 'w'))
		return -1;
	if (insn.len > 5 + len && memcmp(insn.data + 6, p + 3, len - 3) == 0 &&
	    insn.data[6 + len - 3] == ' ')
		return -1;
	return len == 4 ? p[3] - '0' : (p[3] - '0') * 10 + p[4] - '0';
}

/*
 * When something was added to an address, its value matters, too: "R4=scalar(umax=31)". The log
 * has it after the instruction; precision tracking may stand between them.
 */
static void append_operand(struct kt_buf *out, const struct kt_last_insn *insn, const char *end)
{
	int operand = operand_of(insn->insn);
	struct kt_state_item item;
	struct kt_trace trace;
	struct kt_event ev;

	if (operand < 0 || operand >= 10 || insn->line.data >= end)
		return;
	kt_trace_init(&trace, (struct kt_text){insn->line.data, (size_t)(end - insn->line.data)});
	for (unsigned int i = 0; i < 3 && kt_trace_next(&trace, &ev); i++) {
		if (i && ev.kind == KT_EVENT_INSN)
			return;
		if (!kt_state_find(ev.state, KT_PLACE_REG, operand, &item))
			continue;
		kt_buf_printf(out, "      R%d=", operand);
		append(out, item.value);
		kt_buf_appendc(out, '\n');
		return;
	}
}

static bool same_source(const struct kt_source_ref *a, const struct kt_source_ref *b)
{
	return a->line == b->line && kt_text_equals(a->text, b->text);
}

/* The source line is left out where it is that of the error or of the step before. */
static void append_step_insn(struct kt_buf *out, const struct kt_log_last *last,
			     const struct kt_last_subject *s, size_t i)
{
	struct kt_last_insn insn = s->steps[i].insn;

	if (same_source(&insn.source, &last->at.source) ||
	    (i && same_source(&insn.source, &s->steps[i - 1].insn.source)))
		insn.source = (struct kt_source_ref){0};
	append_insn(out, "      ", &insn);
}

/* Is what the step adds a subject itself? */
static bool is_explained(const struct kt_log_last *last, const struct kt_last_step *step)
{
	for (size_t i = 0; i < last->n_subjects; i++)
		if (last->subjects[i].role == KT_LAST_ROLE_OFFSET &&
		    last->subjects[i].before == step->insn.index)
			return true;
	return false;
}

static void append_step(struct kt_buf *out, const struct kt_log_last *last,
			const struct kt_last_subject *s, size_t i)
{
	const struct kt_last_step *step = &s->steps[i];
	int64_t min;

	if (s->left_out && i + 1 == s->n_steps)
		kt_buf_printf(out, "    ... %zu steps are left out ...\n", s->left_out);
	kt_buf_appends(out, "    ");
	render_log_how(s, step, out);
	append_step_insn(out, last, s, i);
	if ((step->how == KT_LAST_SET || step->how == KT_LAST_ALTERED) && !is_explained(last, step))
		append_operand(out, &step->insn, last->path.data + last->path.len);
	if (step->unbounds)
		kt_buf_appends(out, kt_value_min(step->value, &min) && min >= 0
					    ? "      which leaves it without an upper bound\n"
					    : "      which may make it negative\n");
	if (step->times > 1)
		kt_buf_printf(out, "      %" PRIu32 " times on this path\n", step->times);
}

static void append_subject(struct kt_buf *out, const struct kt_log_last *last,
			   const struct kt_last_subject *s)
{
	const char *origin = render_log_origin(s);

	kt_buf_appends(out, "  ");
	render_log_subject(s, out);
	kt_buf_appendc(out, '\n');
	for (size_t i = 0; i < s->n_steps; i++)
		append_step(out, last, s, i);
	if (*origin)
		kt_buf_printf(out, "    %s\n", origin);
}

/* After these outcomes the lines are from any path. */
static bool shows_all(const struct kt_log_last *last)
{
	return last->outcome == KT_LAST_CUT || last->class == KT_LAST_BUDGET ||
	       last->class == KT_LAST_UNSAID;
}

static void append_path_title(struct kt_buf *out, const struct kt_log_last *last)
{
	const char *plural = last->path_insns == 1 ? "" : "s";
	bool all = shows_all(last);

	kt_buf_appends(out, all ? "  executed since " : "  path since ");
	if (last->path_loops) {
		kt_buf_printf(out, "insn %u was executed before", last->at.index);
	} else if (last->path_branched) {
		kt_buf_printf(out, "the branch from %u", last->path_from);
		if (last->path_to != KT_LINE_NO_INDEX)
			kt_buf_printf(out, " to %u", last->path_to);
	} else if (last->func.len) {
		append(out, last->func);
		kt_buf_appends(out, "() was entered");
	} else {
		kt_buf_appends(out, last->gap         ? "the lines that are missing"
				    : last->cut_front ? "the log begins"
						      : "the start");
	}
	kt_buf_printf(out, " (%zu instruction%s", last->path_insns, plural);
	if (last->path_before)
		kt_buf_printf(out, "; %zu before it", last->path_before);
	kt_buf_appends(out, "):\n");
}

static struct kt_error *append_path(struct kt_buf *out, const struct kt_log_last *last)
{
	bool all = shows_all(last);
	size_t max = PATH_LINES;

	if (!last->path.len && !last->path_branched)
		return NULL;
	append_path_title(out, last);
	if (all)
		max = PATH_LINES_ALL;
	else if (last->explanation.len)
		max = PATH_LINES_EXPLAINED;
	return render_log_path(last->path, all ? PATH_HEAD_LINES : 0, max, out);
}

/* The end of a text that is no verifier log: the loader may have said what is wrong. */
static void append_other(struct kt_buf *out, struct kt_text text)
{
	size_t begin, n = 0;

	while (text.len && memchr(" \t\r\n", text.data[text.len - 1], 4))
		text.len--;
	if (!text.len || memchr(text.data, '\0', text.len))
		return;
	for (begin = text.len; begin; begin--) {
		n += text.data[begin - 1] == '\n';
		if (n == OTHER_LINES || text.len - begin == OTHER_BYTES)
			break;
	}
	kt_buf_printf(out, "  There is other text, which %s:\n", begin ? "ends so" : "is this");
	append_lines(out, "    ", (struct kt_text){text.data + begin, text.len - begin});
}

/*
 * Why a log ends early. Since 6.4 the kernel keeps the end of a log that does not fit, and before
 * that its beginning.
 */
static void append_cut(struct kt_buf *out, const struct kt_log_last *last)
{
	if (last->age == KT_LAST_BEFORE_6_4 && !last->cut_front)
		kt_buf_appends(out, "  It was cut off, which a kernel before 6.4 does when the "
				    "buffer is too small:\n"
				    "  give it a larger one, or load at log level 1.\n");
	else
		kt_buf_appends(out, "  Whatever printed it or passed it on cut it off: get the "
				    "whole log from the loader.\n");
	if (last->age == KT_LAST_AGE_UNKNOWN && !last->cut_front)
		kt_buf_appends(out, "  Linux up to 6.3 does so, too, when the buffer is too "
				    "small.\n");
}

static bool is_over_limit(const struct kt_log_last *last)
{
	const struct kt_verifier_stats *stats = &last->stat_values;

	return stats->has[KT_STAT_PROCESSED] && stats->has[KT_STAT_LIMIT] &&
	       stats->value[KT_STAT_PROCESSED] > stats->value[KT_STAT_LIMIT];
}

/* The log has a trace, and no end. */
static bool is_cut(const struct kt_log_last *last)
{
	return last->cut_end && last->at.index != KT_LINE_NO_INDEX;
}

void render_log_verdict(const struct kt_log_last *last, struct kt_buf *out)
{
	const char *name = kt_loader_errno_name(last->loader.error);

	kt_buf_appends(out, "the load failed");
	if (name)
		kt_buf_printf(out, " with %s (%d)", name, last->loader.error);
	else if (last->loader.error)
		kt_buf_printf(out, " with error %d", last->loader.error);
	if (is_over_limit(last))
		kt_buf_printf(out,
			      ": the program is too large for the verifier, which stopped after "
			      "%" PRIu64 " instructions",
			      last->stat_values.value[KT_STAT_PROCESSED]);
	else if (is_cut(last))
		kt_buf_appends(out, ", and the log ends before the error");
	else if (!last->stats.len)
		kt_buf_appends(out, ", and there is no verifier log");
	else
		kt_buf_appends(out, ", and the verifier gave no reason");
}

const char *render_log_loaders_reason(const struct kt_log_last *last)
{
	const struct kt_verifier_stats *stats = &last->stat_values;

	if (last->class != KT_LAST_UNSAID || is_cut(last) || is_over_limit(last))
		return NULL;
	if (!last->stats.len)
		return "A verifier log may say more. libbpf prints it as a warning, cilium/ebpf with "
		       "%+v,\nbpftool with -d.";
	if (!stats->has[KT_STAT_PROCESSED] || !stats->value[KT_STAT_PROCESSED])
		return "It failed before the verifier looked at an instruction.";
	switch (last->loader.error) {
	case ENOSPC:
		return "The verifier accepted the program. Its log did not fit into the loader's "
		       "buffer:\ngive it a larger one, or load at a lower log level.";
	case KT_ERRNO_NOTSUPP:
		return "The verifier accepted the program. The JIT compiler, or what the program "
		       "attaches to,\nrefused it.";
	default:
		return "The verifier accepted the program. What failed came after it, or before "
		       "its log.";
	}
}

static void append_unsaid(struct kt_buf *out, const struct kt_log_last *last)
{
	const char *reason = render_log_loaders_reason(last);

	if (last->loader.said.len)
		append_lines(out, "  The loader says: ", last->loader.said);
	if (is_over_limit(last))
		return;
	if (is_cut(last))
		append_cut(out, last);
	else if (reason)
		append_lines(out, "  ", (struct kt_text){reason, strlen(reason)});
}

static void append_headline(struct kt_buf *out, const struct kt_log_last *last,
			    struct kt_text program)
{
	append(out, program);
	if (program.len)
		kt_buf_appends(out, ": ");
	switch (last->outcome) {
	case KT_LAST_PASSED: kt_buf_appends(out, "nothing failed\n"); break;
	case KT_LAST_EMPTY: kt_buf_appends(out, "there is no verifier log\n"); break;
	case KT_LAST_CUT:
		kt_buf_appends(out, "the log ends before the error, if there was one\n");
		append_cut(out, last);
		break;
	case KT_LAST_FAILED:
		if (last->class == KT_LAST_UNSAID)
			render_log_verdict(last, out);
		else
			append(out, last->headline);
		kt_buf_appendc(out, '\n');
		break;
	}
	if (last->class == KT_LAST_UNSAID)
		append_unsaid(out, last);
	if (last->loader.left_out)
		kt_buf_printf(out,
			      "  The loader left out %" PRIu32 " line%s of the log. cilium/ebpf "
			      "prints all of it with %%+v.\n",
			      last->loader.left_out, last->loader.left_out == 1 ? "" : "s");
}

/* The message without its first line. */
static void append_message(struct kt_buf *out, const struct kt_log_last *last)
{
	struct kt_text rest = last->error, line;

	while (kt_text_next_line(&rest, &line))
		if (line.data > last->headline.data)
			append_lines(out, "  ", line);
	append_lines(out, "  ", last->error_more);
}

static struct kt_error *append_failure(struct kt_buf *out, const struct kt_log_last *last)
{
	struct kt_error *err;

	append_message(out, last);
	if (last->at.index != KT_LINE_NO_INDEX) {
		kt_buf_appends(out, shows_all(last) && last->class != KT_LAST_BUDGET
					    ? "  last seen: "
					    : "  at ");
		append_insn(out, "    ", &last->at);
	} else if (last->func.len) {
		kt_buf_appends(out, "  in ");
		append(out, last->func);
		kt_buf_appends(out, "(), which is validated by itself\n");
	}
	for (size_t i = 0; i < last->n_subjects; i++)
		append_subject(out, last, &last->subjects[i]);
	err = append_path(out, last);
	if (err)
		return err;
	if (last->explanation.len) {
		kt_buf_appendc(out, '\n');
		render_log_why(last->explanation, out);
		kt_buf_appendc(out, '\n');
	}
	return render_explain_log(last, out);
}

static struct kt_error *render(const struct kt_log_last *last, struct kt_text trace,
			       struct kt_text program, struct kt_buf *out)
{
	struct kt_error *err = NULL;

	append_headline(out, last, program);
	if (last->outcome == KT_LAST_FAILED || last->outcome == KT_LAST_CUT)
		err = append_failure(out, last);
	if (last->outcome == KT_LAST_EMPTY)
		append_other(out, trace);
	if (last->cut_front)
		kt_buf_appends(out, "  (the log lacks its beginning)\n");
	append_lines(out, "  ", last->stats);
	if (last->outcome == KT_LAST_FAILED && last->class == KT_LAST_BUDGET)
		kt_buf_appends(out, "  (--source shows which lines they were spent on)\n");
	return err;
}

static struct kt_text name_of(const struct kt_log_block *log)
{
	static const struct kt_text btf = KT_TEXT("BTF");

	return log->btf && !log->program.len ? btf : log->program;
}

struct kt_error *render_log_last_of(const struct kt_log_block *log, struct kt_buf *out)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	struct kt_log_last last;
	struct kt_error *err = kt_log_find_last_of(log, &last);

	if (!err)
		err = render(&last, log->trace, name_of(log), &text);
	if (err)
		return err;
	if (kt_buf_failed(&text))
		return kt_error_no_memory();
	kt_buf_append(out, text.data, text.len);
	return NULL;
}

struct kt_error *render_log_last(struct kt_text trace, struct kt_text program, struct kt_buf *out)
{
	const struct kt_log_block log = {.program = program, .trace = trace, .complete = true};

	return render_log_last_of(&log, out);
}
