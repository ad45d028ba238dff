// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/last.h"

#include <ctype.h>

#include "logparse/gap.h"
#include "logparse/last_path.h"
#include "logparse/last_subject.h"
#include "logparse/last_verdict.h"
#include "logparse/loader.h"
#include "logparse/op.h"
#include "logparse/state.h"
#include "util/cleanup.h"

/* Where kt_log_find_outcome() begins to look, in bytes from the end. */
#define OUTCOME_TAIL 16384

/* Where a stretch of the path begins. */
struct mark {
	size_t offset;
	size_t line;
	size_t insns; /* executed before it */
};

struct finder {
	struct kt_text log;
	struct kt_path path;
	struct kt_path_sources sources;
	struct kt_log_last out;

	size_t insns;       /* executed */
	struct mark start;  /* of the (sub)program */
	struct mark branch; /* of what was executed since the last branch; else equal to start */
	size_t end_line;    /* of the line behind the trace */
	size_t end;         /* of the last event of the trace; an offset, as those below */
	size_t source;      /* of a source line that nothing was executed behind, + 1 */
	size_t note;        /* of notes that nothing but text has come behind, + 1 */
	size_t error, error_end; /* the first + 1 */
	size_t more, more_end;   /* of what is said behind the explanation; likewise */
	size_t stats, stats_end;
	enum kt_event_kind last; /* of the trace */
	uint32_t glued;          /* the instruction that the error is glued to, or NO_INDEX */
	struct kt_gap gap;       /* behind the last event of the trace */
	bool traced;             /* there is a trace */
	bool started;            /* ... and more of it than a table */
	bool processed;          /* "processed ...", which ends a log */
	bool outcome_only;       /* no path is kept */
	const struct kt_log_block *block; /* the log with what was said around it; or NULL */
	struct kt_last_insn quoted;       /* the instruction that failed, as the loader quotes it */
};

static void finder_deinit(struct finder *f)
{
	kt_path_deinit(&f->path);
	kt_vec_free(&f->sources.by_index);
}

static size_t offset_of(const struct finder *f, struct kt_text text)
{
	return (size_t)(text.data - f->log.data);
}

static struct kt_text slice(const struct finder *f, size_t begin, size_t end)
{
	return (struct kt_text){f->log.data + begin, end - begin};
}

static void trim_lines(struct kt_text *text)
{
	while (text->len && memchr(" \t\r\n", text->data[text->len - 1], 4))
		text->len--;
}

/* Forgets what was read: it was an earlier log, and another one begins behind its statistics. */
static void begin_again(struct finder *f, const struct kt_event *ev)
{
	kt_path_restart(&f->path, false, false);
	f->sources.since = offset_of(f, ev->text);
	f->insns = f->source = f->error = f->more = f->stats = 0;
	f->traced = f->started = f->processed = false;
	f->gap = (struct kt_gap)KT_GAP_INIT;
	f->out = (struct kt_log_last){0};
}

static struct mark mark_at(const struct finder *f, const struct kt_event *ev)
{
	return (struct mark){offset_of(f, ev->text), ev->line, f->insns};
}

/*
 * The first event of a trace. The beginning of a log is instruction 0, a table before it, or
 * a global function.
 */
static void begin_trace(struct finder *f, const struct kt_event *ev)
{
	bool entry = ev->kind == KT_EVENT_TABLE || ev->kind == KT_EVENT_SUBPROG;

	if (ev->kind == KT_EVENT_INSN || ev->kind == KT_EVENT_STATE)
		entry = !ev->index;
	f->traced = true;
	f->out.cut_front = !entry;
	kt_path_restart(&f->path, entry, false);
}

/* "Validating glob_bad() func#1..." */
static void begin_subprog(struct finder *f, const struct kt_event *ev)
{
	static const size_t prefix = 11; /* "Validating " */
	const char *name = ev->text.data + prefix, *paren;

	paren = memchr(name, '(', ev->text.len - prefix);
	f->out.func = (struct kt_text){name, paren ? (size_t)(paren - name) : 0};
	f->out.path_branched = false;
	f->start = f->branch = mark_at(f, ev);
	kt_path_restart(&f->path, true, true);
}

static void begin_branch(struct finder *f, const struct kt_event *ev, uint32_t from, uint32_t to)
{
	f->branch = mark_at(f, ev);
	f->out.path_branched = true;
	f->out.path_from = from;
	f->out.path_to = to;
}

/*
 * At level 1 a branch that is taken up resets the log to its jump, which removes source lines. The
 * verifier does not print a removed line again if the next instruction has the same one. Then the
 * source line is unknown, unless the instruction had one before.
 */
static bool on_source(struct finder *f, const struct kt_event *ev)
{
	if (f->source) {
		if (!kt_path_sources_add(&f->sources, ev->index, f->source - 1))
			return false;
		f->path.no_source = false;
	} else if (f->path.no_source) {
		f->path.no_source = !kt_path_has_source(&f->sources, ev->index);
	}
	f->source = ev->behind.len ? offset_of(f, ev->behind) + 1 : 0;
	return true;
}

static bool on_insn(struct finder *f, const struct kt_event *ev)
{
	if (!on_source(f, ev))
		return false;
	/* At level 1, only the next line tells where the jump of a branch that is taken up goes. */
	if (f->out.path_branched && f->out.path_to == KT_LINE_NO_INDEX)
		f->out.path_to = ev->index;
	f->insns++;
	if (ev->resumed)
		begin_branch(f, ev, ev->index, KT_LINE_NO_INDEX);
	return true;
}

static bool add_to_path(struct finder *f, const struct kt_event *ev)
{
	if (!kt_path_add(&f->path, ev))
		return false;
	f->path.no_source |= ev->resumed;
	if (f->path.implied)
		begin_branch(f, ev, f->path.from, ev->index);
	return true;
}

/* The path begins anew behind a gap. */
static void skip_gap(struct finder *f, const struct kt_event *ev)
{
	kt_path_restart(&f->path, false, false);
	f->start = f->branch = mark_at(f, ev);
	f->out.path_branched = false;
	f->out.gap = true;
	f->gap.elided = false;
}

/* An event of the trace: text before it was no error, since the verifier went on. */
static bool on_trace(struct finder *f, const struct kt_event *ev)
{
	if (f->processed)
		begin_again(f, ev);
	if (f->traced && kt_gap_before(&f->gap, ev))
		skip_gap(f, ev);
	kt_gap_add(&f->gap, ev);
	if (!f->traced)
		begin_trace(f, ev);
	if (!f->started && ev->kind != KT_EVENT_TABLE) {
		f->started = true;
		f->start = f->branch = mark_at(f, ev);
	}
	f->note = f->error = f->more = f->stats = 0;
	f->glued = ev->message.len ? ev->index : KT_LINE_NO_INDEX;
	f->out.explanation = (struct kt_text){0};
	f->end = offset_of(f, ev->text) + ev->text.len;
	f->end_line = ev->line + ev->n_lines;
	f->last = ev->kind;
	if (ev->kind == KT_EVENT_SUBPROG)
		begin_subprog(f, ev);
	else if (ev->kind == KT_EVENT_POP)
		begin_branch(f, ev, ev->from, ev->index);
	else if (!f->outcome_only && ev->kind == KT_EVENT_INSN && !on_insn(f, ev))
		return false;
	if (!f->outcome_only && !add_to_path(f, ev))
		return false;
	if (ev->message.len) {
		f->error = offset_of(f, ev->message) + 1;
		f->error_end = offset_of(f, ev->message) + ev->message.len;
	}
	return true;
}

static bool is_blank(struct kt_text text)
{
	trim_lines(&text);
	return !text.len;
}

static void on_text(struct finder *f, const struct kt_event *ev)
{
	size_t begin = offset_of(f, ev->text), end = begin + ev->text.len;

	/* A state that goes on in a line of its own, or lines that somebody left out. */
	kt_gap_add(&f->gap, ev);
	if (f->processed || is_blank(ev->text) || log_is_fragment(ev->text) ||
	    log_is_elision(ev->text))
		return;
	if (f->error && f->out.explanation.len) {
		if (!f->more)
			f->more = begin + 1;
		f->more_end = end;
		return;
	}
	/* The reason is a note anywhere else: "Global function f() doesn't return scalar. ..." */
	if (!f->error && f->note &&
	    kt_text_starts_with(ev->text, KT_TEXT("Caller passes invalid ")))
		f->error = f->note;
	if (!f->error)
		f->error = begin + 1;
	f->error_end = end;
}

static void on_stats(struct finder *f, const struct kt_event *ev)
{
	if (!f->stats)
		f->stats = offset_of(f, ev->text) + 1;
	f->stats_end = offset_of(f, ev->text) + ev->text.len;
	f->processed |= kt_text_starts_with(ev->text, KT_TEXT("processed "));
}

static bool on_event(struct finder *f, const struct kt_event *ev)
{
	switch (ev->kind) {
	case KT_EVENT_TEXT: on_text(f, ev); return true;
	case KT_EVENT_NOTE:
		if (!f->note)
			f->note = offset_of(f, ev->text) + 1;
		return true;
	case KT_EVENT_SOURCE: f->source = offset_of(f, ev->text) + 1; return true;
	case KT_EVENT_EXPLANATION:
		f->out.explanation = ev->text;
		trim_lines(&f->out.explanation);
		return true;
	case KT_EVENT_STATS: on_stats(f, ev); return true;
	case KT_EVENT_INSN:
	case KT_EVENT_STATE:
	case KT_EVENT_POP:
	case KT_EVENT_PRUNED:
	case KT_EVENT_PRECISION:
	case KT_EVENT_CALL:
	case KT_EVENT_RETURN:
	case KT_EVENT_SUBPROG:
	case KT_EVENT_TABLE: return on_trace(f, ev);
	}
	return true;
}

static bool contains(struct kt_text text, const char *what)
{
	return kt_path_find(text, what);
}

/*
 *	BPF program is too large. Processed 1000001 insn
 *	The sequence of 8193 jumps is too complex.
 *	infinite loop detected at insn 36
 *	combined stack size of 2 calls is 736. Too large
 *	the call stack of 9 frames is too deep !	(a call instruction's has no "!")
 *	tail_calls are not allowed when call stack of previous frames is 288 bytes. Too large
 *	unreachable insn 2; back-edge from insn 4 to 2; jump out of range from insn 4 to -22014
 * The first three are found while instructions are executed, the last ones before that, and
 * the others when all is done; then "safe" or an exit is the last word of the trace.
 */
static enum kt_last_class classify(const struct finder *f, struct kt_text line)
{
	if (contains(line, "BPF program is too large") ||
	    (contains(line, "jumps") && contains(line, "too complex")))
		return KT_LAST_BUDGET;
	if (contains(line, "infinite loop detected"))
		return KT_LAST_LOOP;
	if (contains(line, "combined stack size") || contains(line, "frames is too deep !") ||
	    contains(line, "tail_calls are not allowed when"))
		return KT_LAST_PROGRAM;
	if (!f->insns)
		return kt_last_number_behind(line, "insn ") != KT_LINE_NO_INDEX ? KT_LAST_FLOW
										: KT_LAST_PROGRAM;
	return f->last == KT_EVENT_PRUNED ? KT_LAST_PROGRAM : KT_LAST_INSN;
}

/* The state that "cur state: R0=scalar() R10=fp0" tells (since 6.7), or nothing. */
static struct kt_text current_state(struct kt_text error)
{
	static const struct kt_text prefix = KT_TEXT("cur state: ");
	struct kt_text line;

	while (kt_text_next_line(&error, &line))
		if (kt_text_starts_with(line, prefix))
			return (struct kt_text){line.data + prefix.len, line.len - prefix.len};
	return (struct kt_text){0};
}

/*
 * An endless loop is found before the instruction is printed, and so is a branch that leads
 * right to it; at level 1 the log was taken back to its jump then:
 *	from 10 to 46: safe
 *	; total++; @ branch.bpf.c:46
 *	infinite loop detected at insn 13
 *
 *	17: (a6) if w1 < 0xa goto pc+1 infinite loop detected at insn 19
 */
static void resume_loop(struct finder *f, uint32_t to)
{
	struct kt_log_last *out = &f->out;
	uint32_t from = f->glued;

	if (f->path.over)
		from = kt_path_resume(&f->path, to, current_state(out->error));
	if (from != KT_LINE_NO_INDEX) {
		out->path_branched = true;
		out->path_from = from;
		f->branch = (struct mark){f->end, f->end_line, f->insns};
	}
	if (out->path_branched && (from != KT_LINE_NO_INDEX || out->path_to == KT_LINE_NO_INDEX))
		out->path_to = to;
}

/* The loop: the instructions since the same one was executed before. */
static void mark_loop(struct finder *f, uint32_t index)
{
	struct mark mark = {.line = f->end_line, .insns = f->insns};
	struct kt_trace trace;
	struct kt_event ev;

	if (!kt_path_find_last(&f->path, index, &mark.offset)) {
		/* The instruction was executed before the log begins, which was cut off. */
		f->branch = f->start;
		f->out.path_branched = false;
		return;
	}
	kt_trace_init(&trace, slice(f, mark.offset, f->end));
	while (kt_trace_next(&trace, &ev)) {
		mark.line -= ev.n_lines;
		mark.insns -= ev.kind == KT_EVENT_INSN && mark.insns;
	}
	f->branch = mark;
	f->out.path_loops = true;
	f->out.path_branched = false;
}

static void find_loop(struct finder *f)
{
	struct kt_last_insn *at = &f->out.at;
	struct kt_text source = f->log, line;

	at->index = kt_last_number_behind(f->out.headline, "at insn ");
	resume_loop(f, at->index);
	kt_path_last(&f->path, &f->sources, at->index, at);
	mark_loop(f, at->index);
	/* The instruction is the next to be executed, and its source line is printed already. */
	if (!f->source)
		return;
	source.data += f->source - 1;
	source.len -= f->source - 1;
	if (kt_text_next_line(&source, &line))
		kt_source_ref_read(line, &at->source);
}

/*
 * When lines are missing before the error: is it of the last instruction that is there? It is if it
 * accesses memory by a register that the error names.
 */
static bool may_be_of(const struct kt_last_insn *insn, struct kt_text error)
{
	const char *p, *end = error.data + error.len;
	struct kt_op op;

	kt_op_read(insn->insn, &op);
	if (op.base == KT_OP_NO_REG)
		return false;
	for (; (p = kt_path_find(error, "R"));
	     error = (struct kt_text){p + 1, (size_t)(end - p - 1)}) {
		if (kt_last_number_behind((struct kt_text){p, (size_t)(end - p)}, "R") == op.base)
			return true;
	}
	return false;
}

static void find_at(struct finder *f)
{
	struct kt_log_last *out = &f->out;

	out->at = (struct kt_last_insn){.index = KT_LINE_NO_INDEX};
	switch (out->class) {
	case KT_LAST_PROGRAM:
	case KT_LAST_UNSAID: return;
	case KT_LAST_FLOW: out->at.index = kt_last_number_behind(out->headline, "insn "); return;
	case KT_LAST_INSN:
	case KT_LAST_BUDGET:
		kt_path_last(&f->path, &f->sources, KT_LINE_NO_INDEX, &out->at);
		return;
	case KT_LAST_LOOP: find_loop(f); return;
	}
}

static void find_path(struct finder *f)
{
	struct kt_log_last *out = &f->out;
	bool all = out->outcome == KT_LAST_CUT || out->class == KT_LAST_BUDGET ||
		   out->class == KT_LAST_UNSAID;
	const struct mark *mark = all ? &f->start : &f->branch;

	if (!f->insns || out->class == KT_LAST_PROGRAM)
		return;
	out->path = slice(f, mark->offset, f->end);
	out->path_line = mark->line;
	out->path_insns = f->insns - mark->insns;
	if (all) {
		out->path_branched = false;
		return;
	}
	if (f->path.n_insns > out->path_insns)
		out->path_before = f->path.n_insns - out->path_insns;
}

/*
 * A log that ends without statistics may end in the middle of a line, which then is nothing
 * that the verifier complains of: "6: (0", "; asm vola", "frame1: R".
 */
static bool is_fragment(const struct finder *f, struct kt_text text)
{
	char c = text.data[0];

	if (text.data[text.len - 1] == '\n' || text.data + text.len < f->log.data + f->log.len)
		return false;
	return isdigit((unsigned char)c) || c == ';' || c == ' ' ||
	       (f->traced && !contains(text, " "));
}

static void set_error(struct finder *f)
{
	struct kt_text error = {0};

	if (f->error)
		error = slice(f, f->error - 1, f->error_end);
	if (f->error && !f->processed && is_fragment(f, error))
		error.len = 0;
	trim_lines(&error);
	f->out.error = error;
	f->out.headline = kt_last_headline(error);
	if (f->more) {
		f->out.error_more = slice(f, f->more - 1, f->more_end);
		trim_lines(&f->out.error_more);
	}
}

static void find_outcome(struct finder *f)
{
	const struct kt_last_facts facts = {.traced = f->traced, .processed = f->processed};
	struct kt_log_last *out = &f->out;

	set_error(f);
	out->cut_end = !f->processed;
	if (f->stats) {
		out->stats = slice(f, f->stats - 1, f->stats_end);
		trim_lines(&out->stats);
		kt_parse_verifier_stats(out->stats, &out->stat_values, NULL, NULL);
	}
	kt_last_decide(&facts, f->block, out, &f->quoted);
}

static void conclude(struct finder *f)
{
	struct kt_log_last *out = &f->out;
	bool said = false;

	find_outcome(f);
	out->at.index = KT_LINE_NO_INDEX;
	if (out->outcome == KT_LAST_FAILED) {
		said = out->error.len;
		out->class = said ? classify(f, out->headline) : KT_LAST_UNSAID;
	}
	if (said) {
		find_at(f);
		if (f->gap.elided && out->class == KT_LAST_INSN &&
		    !may_be_of(&out->at, out->error)) {
			out->at = (struct kt_last_insn){.index = KT_LINE_NO_INDEX};
			out->gap = true;
			out->path_branched = false;
			return;
		}
		if (f->quoted.insn.len)
			out->at = f->quoted;
		else if (out->class == KT_LAST_INSN)
			kt_last_find_subjects(&f->path, &f->sources, out);
		find_path(f);
	} else if (out->cut_end && out->outcome != KT_LAST_EMPTY) {
		out->age = kt_last_age(f->log);
		kt_path_last(&f->path, &f->sources, KT_LINE_NO_INDEX, &out->at);
		find_path(f);
	}
}

static struct kt_error *find_last(struct kt_text log, const struct kt_log_block *block,
				  struct kt_log_last *ret)
{
	_cleanup_(finder_deinit) struct finder f = {
		.log = log,
		.sources.log = log,
		.glued = KT_LINE_NO_INDEX,
		.gap = KT_GAP_INIT,
		.block = block,
	};
	struct kt_trace trace;
	struct kt_event ev;

	kt_path_init(&f.path, log);
	kt_trace_init(&trace, log);
	while (kt_trace_next(&trace, &ev))
		if (!on_event(&f, &ev))
			return kt_error_no_memory();
	conclude(&f);
	*ret = f.out;
	return NULL;
}

struct kt_error *kt_log_find_last(struct kt_text log, struct kt_log_last *ret)
{
	return find_last(log, NULL, ret);
}

struct kt_error *kt_log_find_last_of(const struct kt_log_block *block, struct kt_log_last *ret)
{
	return find_last(block->trace, block, ret);
}

/* The lines of the log that begin in its last len bytes. */
static struct kt_text tail_of(struct kt_text log, size_t len)
{
	struct kt_text tail = log, line;

	if (len >= log.len)
		return log;
	tail.data += log.len - len;
	tail.len = len;
	if (tail.data[-1] != '\n')
		kt_text_next_line(&tail, &line);
	return tail;
}

/* An error's text is behind the trace, so a tail that has some of the trace has all of the text. */
static void find_outcome_in(struct kt_text log, const struct kt_log_block *block,
			    struct kt_log_outcome *ret)
{
	size_t len = OUTCOME_TAIL;
	struct kt_trace trace;
	struct kt_event ev;
	struct finder f;

	do {
		f = (struct finder){.log = tail_of(log, len),
				    .outcome_only = true,
				    .block = block,
				    .gap = KT_GAP_INIT};
		kt_trace_init(&trace, f.log);
		while (kt_trace_next(&trace, &ev))
			on_event(&f, &ev);
		len = len > log.len / 4 ? log.len : len * 4;
	} while (!f.traced && f.log.len < log.len);
	find_outcome(&f);
	*ret = (struct kt_log_outcome){
		.outcome = f.out.outcome,
		.headline = f.out.headline,
		.stats = f.out.stat_values,
	};
}

void kt_log_find_outcome(struct kt_text log, struct kt_log_outcome *ret)
{
	find_outcome_in(log, NULL, ret);
}

void kt_log_find_outcome_of(const struct kt_log_block *block, struct kt_log_outcome *ret)
{
	find_outcome_in(block->trace, block, ret);
}
