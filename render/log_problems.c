// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/log_problems.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logparse/last.h"
#include "logparse/trace.h"
#include "render/log_last.h"
#include "render/log_step.h"
#include "render/text.h"
#include "util/cleanup.h"
#include "util/utf8.h"

/* Longer text of a log is cut, in bytes. A register's value is some 200 at most. */
#define MESSAGE_MAX 2000
#define NOTE_MAX    600
#define PROGRAM_MAX 256

/* Linux's PATH_MAX; a longer name is no file. */
#define FILE_MAX 4096

/* Where the finder is. */
struct finder {
	const struct render_log_format_options *options;
	const struct render_log_program *program;
	struct kt_log_last last;

	/* Lines are counted from the place before: the logs of a file come in their order. */
	struct kt_text input;
	const char *counted;
	size_t line;       /* of `counted`, from 1 */
	const char *begin; /* of that line */
};

static void append_text(struct kt_buf *out, struct kt_text text, size_t max)
{
	size_t len = text.len;

	if (len > max) {
		/* Not within a character. */
		for (len = max; len > max - 3 && (text.data[len] & 0xc0) == 0x80; len--)
			;
	}
	render_append_visible_bytes(out, text.data, len, false);
	if (len < text.len)
		kt_buf_appends(out, "...");
}

static struct kt_error *copy_text(struct kt_text text, size_t max, char **ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;

	append_text(&out, text, max);
	return kt_buf_finish(&out, ret);
}

static struct kt_error *copy_string(const char *text, char **ret)
{
	return copy_text((struct kt_text){text, strlen(text)}, MESSAGE_MAX, ret);
}

/* --- places --- */

static void place_deinit(struct render_place *place)
{
	free(place->file);
	*place = (struct render_place){0};
}

static size_t count_newlines(const char *from, const char *to)
{
	size_t n = 0;

	while (from < to && (from = memchr(from, '\n', (size_t)(to - from)))) {
		from++;
		n++;
	}
	return n;
}

static size_t input_line(struct finder *f, const char *at)
{
	const char *from = f->counted <= at ? f->counted : at, *newline;
	size_t n = count_newlines(from, f->counted <= at ? at : f->counted);

	f->line = f->counted <= at ? f->line + n : f->line - n;
	/* All logs may be in one line, whose begin is far. */
	if (n) {
		newline = memrchr(f->input.data, '\n', (size_t)(at - f->input.data));
		f->begin = newline ? newline + 1 : f->input.data;
	}
	f->counted = at;
	return f->line;
}

/* `at` is in the log; if not, the place is the log's first line. */
static struct kt_error *place_in_log(struct finder *f, const char *at, struct render_place *ret)
{
	const struct render_log_program *program = f->program;
	struct kt_text trace = program->log.trace;
	struct render_place place = {.line = 1, .column = 1, .in_log = true};

	if (!at || at < trace.data || at >= trace.data + trace.len)
		at = trace.data;
	if (trace.len) {
		if (program->wrapped)
			at = kt_unwrapped_origin(program->wrapped, (struct kt_text){at, 1}).data;
		place.line = input_line(f, at);
		place.column = (size_t)(at - f->begin) + 1;
	}
	if (program->file.len && !kt_text_equals(program->file, KT_TEXT("-"))) {
		place.file = strndup(program->file.data, program->file.len);
		if (!place.file)
			return kt_error_no_memory();
	}
	*ret = place;
	return NULL;
}

/*
 * Whether a name that a log has can be the name of a file in any format. Text of another kind could
 * be taken for a place of its own: "a.c:1:1: error: x.c".
 */
static bool is_file_name(struct kt_text name)
{
	size_t n;

	if (!name.len || name.len >= FILE_MAX || name.data[0] == ' ' ||
	    name.data[name.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < name.len; i += n) {
		n = kt_utf8_length(name.data + i, name.len - i);
		/* A NUL is one of those, too. */
		if (!n || strchr(":\"\\\x7f", name.data[i]) || (n == 1 && name.data[i] < ' ') ||
		    (n == 2 && name.data[i] == '\xc2' && (unsigned char)name.data[i + 1] < 0xa0))
			return false;
	}
	return true;
}

static struct kt_error *place_in_source(struct finder *f, const struct kt_source_ref *source,
					struct render_place *ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf path = KT_BUF_INIT;
	struct render_place place = {.line = source->line, .column = 1};
	struct kt_error *err = NULL;

	if (f->options->find_source)
		err = f->options->find_source(f->options->arg, source->file, &path);
	if (!err && !path.len)
		kt_buf_append(&path, source->file.data, source->file.len);
	if (!err)
		err = kt_buf_finish(&path, &place.file);
	if (!err)
		*ret = place;
	return err;
}

/* The source line if the log names it, else the log's line at `at`. */
static struct kt_error *find_place(struct finder *f, const struct kt_source_ref *source,
				   const char *at, struct render_place *ret)
{
	if (source && source->line && is_file_name(source->file))
		return place_in_source(f, source, ret);
	return place_in_log(f, at, ret);
}

/*
 * Since Linux 7.3 the log has the column of the instruction that failed:
 *	At:
 *	  bad_bounds @ bad.bpf.c:53:8
 */
static size_t find_column(const struct kt_log_last *last)
{
	const struct kt_source_ref *source = &last->at.source;
	struct kt_text rest = last->explanation, line;
	char number[16];
	size_t column = 0;
	const char *p;

	while (kt_text_next_line(&rest, &line))
		if (kt_text_equals(line, KT_TEXT("At:")))
			break;
	p = kt_text_next_line(&rest, &line) ? memmem(line.data, line.len, " @ ", 3) : NULL;
	if (!p)
		return 1;
	rest = (struct kt_text){p + 3, line.len - (size_t)(p + 3 - line.data)};
	if (!source->file.len || !kt_text_starts_with(rest, source->file))
		return 1;
	rest.data += source->file.len;
	rest.len -= source->file.len;
	snprintf(number, sizeof(number), ":%u:", source->line);
	if (!kt_text_starts_with(rest, (struct kt_text){number, strlen(number)}))
		return 1;
	for (size_t i = strlen(number); i < rest.len; i++) {
		if (rest.data[i] < '0' || rest.data[i] > '9' || column > 99999)
			return 1;
		column = column * 10 + (size_t)(rest.data[i] - '0');
	}
	return column ? column : 1;
}

/* --- notes --- */

static void note_deinit(struct render_problem_note *note)
{
	place_deinit(&note->place);
	free(note->text);
}

/* Takes the content of text. */
static struct kt_error *add_note(struct finder *f, struct render_problem *problem,
				 struct render_problem_note note, struct kt_buf *text,
				 const struct kt_source_ref *source)
{
	struct kt_error *err = find_place(f, source, note.at, &note.place);

	if (!err)
		err = kt_buf_finish(text, &note.text);
	if (!err && !kt_vec_push(&problem->notes, note))
		err = kt_error_no_memory();
	if (err)
		note_deinit(&note);
	return err;
}

/* "insn 8: (7b) *(u64 *)(r0 +0) = r1"; and its source line where the log has no number of it. */
static void append_insn(struct kt_buf *out, const struct kt_last_insn *insn)
{
	kt_buf_printf(out, "insn %u", insn->index);
	if (insn->insn.len) {
		kt_buf_appends(out, ": ");
		append_text(out, insn->insn, NOTE_MAX);
	}
	if (insn->source.text.len && !insn->source.line) {
		kt_buf_appends(out, " ; ");
		append_text(out, insn->source.text, NOTE_MAX);
	}
}

static struct kt_error *add_insn(struct finder *f, struct render_problem *problem)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	const struct kt_last_insn *at = &f->last.at;
	struct render_problem_note note = {
		.about = RENDER_PROBLEM_INSN,
		.at = at->line.len ? at->line.data : f->last.headline.data,
	};

	if (at->index != KT_LINE_NO_INDEX) {
		kt_buf_appends(&text, f->last.outcome == KT_LAST_CUT ? "last seen: " : "");
		append_insn(&text, at);
	} else if (f->last.func.len) {
		kt_buf_appends(&text, "in ");
		append_text(&text, f->last.func, PROGRAM_MAX);
		kt_buf_appends(&text, "(), which is validated by itself");
	} else {
		return NULL;
	}
	return add_note(f, problem, note, &text, NULL);
}

static void append_subject(struct kt_buf *out, const struct kt_last_subject *s)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;

	render_log_subject(s, &text);
	append_text(out, (struct kt_text){text.data, text.len}, NOTE_MAX);
	out->failed |= kt_buf_failed(&text);
}

/* The subject, or of what it is a copy: what steps from i on are about. */
static void append_what(struct kt_buf *out, const struct kt_last_subject *s, size_t i)
{
	const struct kt_last_step *step;

	if (!i) {
		append_subject(out, s);
		return;
	}
	while (i && !kt_last_goes_on(&s->steps[i - 1]))
		i--;
	if (!i) {
		render_log_name(s, out);
		return;
	}
	step = &s->steps[i - 1];
	if (step->how == KT_LAST_FILLED)
		kt_buf_printf(out, "fp%d", step->slot);
	else
		kt_buf_printf(out, "R%u", step->reg);
	if (step->frame)
		kt_buf_printf(out, " of frame %u", step->frame);
}

static struct kt_error *add_subject(struct finder *f, struct render_problem *problem,
				    const struct kt_last_subject *s)
{
	const char *origin = render_log_origin(s);
	struct kt_error *err = NULL;

	for (size_t i = 0; i < s->n_steps && !err; i++) {
		_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
		const struct kt_last_insn *insn = &s->steps[i].insn;
		struct render_problem_note note = {
			.about = RENDER_PROBLEM_FLOW,
			.at = insn->line.len ? insn->line.data : NULL,
		};

		append_what(&text, s, i);
		kt_buf_appends(&text, ", ");
		render_log_how(s, &s->steps[i], &text);
		append_insn(&text, insn);
		err = add_note(f, problem, note, &text, &insn->source);
	}
	if (!err && (*origin || (!s->n_steps && s->value.len))) {
		_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
		struct render_problem_note note = {
			.about = RENDER_PROBLEM_STATE,
			.at = f->last.at.line.len ? f->last.at.line.data : f->last.headline.data,
		};

		append_what(&text, s, s->n_steps);
		kt_buf_appends(&text, *origin ? ", " : "");
		kt_buf_appends(&text, origin);
		err = add_note(f, problem, note, &text, &f->last.at.source);
	}
	return err;
}

/* The branch that the path begins with; its instruction is somewhere before. */
static struct kt_error *add_branch(struct finder *f, struct render_problem *problem)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	const struct kt_log_last *last = &f->last;
	struct render_problem_note note = {.about = RENDER_PROBLEM_FLOW, .at = last->path.data};
	struct kt_text before = f->program->log.trace;
	struct kt_source_ref source = {0};
	struct kt_trace trace;
	struct kt_event ev;

	if (!last->path_branched || last->path_loops)
		return NULL;
	if (last->path.data >= before.data && last->path.data <= before.data + before.len)
		before.len = (size_t)(last->path.data - before.data);
	kt_trace_init(&trace, before);
	while (kt_trace_next(&trace, &ev)) {
		if (ev.kind == KT_EVENT_INSN && ev.index == last->path_from) {
			source = ev.source;
			note.at = ev.text.data;
		}
	}
	kt_buf_printf(&text, "the path since the branch from %u", last->path_from);
	if (last->path_to != KT_LINE_NO_INDEX)
		kt_buf_printf(&text, " to %u", last->path_to);
	kt_buf_printf(&text, ", %zu instruction%s", last->path_insns,
		      last->path_insns == 1 ? "" : "s");
	return add_note(f, problem, note, &text, &source);
}

/* What the loader said around the log, and what it did not print of it. */
static struct kt_error *add_loader(struct finder *f, struct render_problem *problem)
{
	const struct kt_loader_words *words = &f->last.loader;
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	struct render_problem_note note = {.about = RENDER_PROBLEM_STATE};

	if (f->last.class == KT_LAST_UNSAID && words->said.len) {
		kt_buf_appends(&text, "the loader says: ");
		append_text(&text, words->said, NOTE_MAX);
	}
	if (words->left_out)
		kt_buf_printf(&text, "%sthe loader left out %" PRIu32 " line%s of the log",
			      text.len ? "; " : "", words->left_out,
			      words->left_out == 1 ? "" : "s");
	return text.len ? add_note(f, problem, note, &text, NULL) : NULL;
}

/* --- a problem --- */

static void problem_deinit(struct render_problem *problem)
{
	free(problem->program);
	free(problem->class);
	free(problem->message);
	place_deinit(&problem->place);
	free(problem->source);
	kt_vec_for_each (&problem->notes, note)
		note_deinit(note);
	kt_vec_free(&problem->notes);
	free(problem->reason);
	for (size_t i = 0; i < KT_CATALOG_MAX_REMEDIES; i++)
		free(problem->remedies[i]);
}

void render_problems_deinit(struct render_problems *problems)
{
	kt_vec_for_each (&problems->list, problem)
		problem_deinit(problem);
	kt_vec_free(&problems->list);
}

/* The headline, and the other lines of the message. */
static struct kt_error *set_message(struct finder *f, struct render_problem *problem)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	struct kt_text rest = f->last.error, line;

	if (f->last.class == KT_LAST_UNSAID)
		render_log_verdict(&f->last, &text);
	append_text(&text, f->last.headline, MESSAGE_MAX);
	while (kt_text_next_line(&rest, &line) && text.len < MESSAGE_MAX) {
		if (line.data <= f->last.headline.data || !line.len)
			continue;
		kt_buf_appendc(&text, '\n');
		append_text(&text, line, MESSAGE_MAX);
	}
	return kt_buf_finish(&text, &problem->message);
}

/* Rules of what the catalogue does not know. */
static void set_own_rule(struct render_problem *problem, enum kt_last_class class)
{
	static const struct {
		const char *id, *title;
	} rules[] = {
		[KT_LAST_INSN] = {"instruction", "The verifier rejects an instruction"},
		[KT_LAST_BUDGET] = {"budget", "The program is too complex for the verifier"},
		[KT_LAST_LOOP] = {"loop", "The verifier sees no end of a loop"},
		[KT_LAST_PROGRAM] = {"program", "The verifier rejects the program"},
		[KT_LAST_FLOW] = {"flow", "The verifier rejects the control flow"},
		[KT_LAST_UNSAID] = {"load-failed", "The load failed, and the log has no reason"},
	};

	problem->rule = rules[class].id;
	problem->title = rules[class].title;
}

/* The log has no error, so that the catalogue has nothing on it. */
static struct kt_error *set_loaders_reason(struct finder *f, struct render_problem *problem)
{
	const char *reason = render_log_loaders_reason(&f->last);
	char *newline;

	if (!reason)
		return NULL;
	problem->reason = strdup(reason);
	if (!problem->reason)
		return kt_error_no_memory();
	newline = strchr(problem->reason, '\n');
	if (newline)
		*newline = ' ';
	return NULL;
}

static struct kt_error *set_why(struct finder *f, struct render_problem *problem)
{
	_cleanup_(kt_catalog_why_deinit) struct kt_catalog_why why = {0};
	struct kt_error *err;
	size_t n = 0;

	if (f->last.class == KT_LAST_UNSAID)
		return set_loaders_reason(f, problem);
	err = kt_catalog_explain(&f->last, &why);
	if (err)
		return err;
	problem->entry = why.entry;
	if (why.entry) {
		problem->rule = why.entry->id;
		problem->title = why.entry->title;
	}
	if (why.class.len)
		err = copy_text(why.class, PROGRAM_MAX, &problem->class);
	if (!err && why.reason)
		err = copy_string(why.reason, &problem->reason);
	for (; !err && n < KT_CATALOG_MAX_REMEDIES && n < why.n_remedies; n++)
		err = copy_string(why.remedies[n], &problem->remedies[n]);
	return err;
}

static struct kt_error *set_failure(struct finder *f, struct render_problem *problem)
{
	const struct kt_log_last *last = &f->last;
	struct kt_error *err;

	set_own_rule(problem, last->class);
	problem->level = RENDER_PROBLEM_ERROR;
	err = set_message(f, problem);
	if (!err)
		err = set_why(f, problem);
	if (!err)
		err = find_place(f, &last->at.source, last->headline.data, &problem->place);
	if (!err && !problem->place.in_log)
		problem->place.column = find_column(last);
	if (!err)
		err = add_insn(f, problem);
	for (size_t i = 0; i < last->n_subjects && !err; i++)
		err = add_subject(f, problem, &last->subjects[i]);
	if (!err)
		err = add_branch(f, problem);
	return err ? err : add_loader(f, problem);
}

static struct kt_error *set_cut(struct finder *f, struct render_problem *problem)
{
	const struct kt_last_insn *at = &f->last.at;
	struct kt_error *err;

	problem->level = RENDER_PROBLEM_WARNING;
	problem->rule = "cut-log";
	problem->title = "The log ends before the verdict";
	err = copy_string("the log ends before the error, if there was one", &problem->message);
	if (!err)
		err = find_place(f, &at->source, at->line.data, &problem->place);
	return err ? err : add_insn(f, problem);
}

static struct kt_error *set_empty(struct finder *f, struct render_problem *problem)
{
	struct kt_error *err;

	problem->level = RENDER_PROBLEM_NOTE;
	problem->rule = "no-log";
	problem->title = "There is no verdict";
	err = copy_string("there is no verifier log", &problem->message);
	return err ? err : find_place(f, NULL, NULL, &problem->place);
}

static struct kt_error *make_problem(struct finder *f, struct render_problem *problem)
{
	const struct kt_last_insn *at = &f->last.at;
	struct kt_error *err = NULL;

	if (f->program->log.program.len)
		err = copy_text(f->program->log.program, PROGRAM_MAX, &problem->program);
	if (err)
		return err;
	if (f->last.outcome == KT_LAST_EMPTY)
		return set_empty(f, problem);
	problem->has_insn = at->index != KT_LINE_NO_INDEX;
	problem->insn = at->index;
	if (at->source.text.len)
		err = copy_text(at->source.text, NOTE_MAX, &problem->source);
	if (err)
		return err;
	return f->last.outcome == KT_LAST_CUT ? set_cut(f, problem) : set_failure(f, problem);
}

static struct kt_error *find_problem(struct finder *f, const struct render_log_program *program,
				     struct render_problems *problems)
{
	struct kt_text input = program->input.data ? program->input : program->log.trace;
	struct render_problem problem = {0};
	struct kt_error *err;

	f->program = program;
	if (f->input.data != input.data || f->input.len != input.len) {
		f->input = input;
		f->counted = f->begin = input.data;
		f->line = 1;
	}
	err = kt_log_find_last_of(&program->log, &f->last);
	if (err || f->last.outcome == KT_LAST_PASSED)
		return err;
	err = make_problem(f, &problem);
	if (!err && !kt_vec_push(&problems->list, problem))
		err = kt_error_no_memory();
	if (err)
		problem_deinit(&problem);
	return err;
}

struct kt_error *render_problems_find(const struct render_log_program *programs, size_t n,
				      const struct render_log_format_options *options,
				      struct render_problems *ret)
{
	static const struct render_log_format_options none = {0};
	struct render_problems problems = {0};
	struct finder f = {.options = options ? options : &none};
	struct kt_error *err = NULL;

	for (size_t i = 0; i < n && !err; i++)
		err = find_problem(&f, &programs[i], &problems);
	if (err)
		render_problems_deinit(&problems);
	else
		*ret = problems;
	return err;
}

struct kt_error *render_problems_text(const struct render_log_program *programs, size_t n,
				      const struct render_log_format_options *options,
				      void (*append)(struct kt_buf *out,
						     const struct render_problem *problem),
				      char **ret)
{
	_cleanup_(render_problems_deinit) struct render_problems problems = {0};
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err = render_problems_find(programs, n, options, &problems);

	if (err)
		return err;
	kt_vec_for_each (&problems.list, problem)
		append(&out, problem);
	return kt_buf_finish(&out, ret);
}
