// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as a verifier log, read line by line and as a walk. Events are slices of the log, and
 * together they are the log.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logparse/last.h"
#include "logparse/line.h"
#include "logparse/op.h"
#include "logparse/stats.h"
#include "logparse/trace.h"
#include "logparse/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_at(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_log_line.c:%d: %s\n", line, what);
	abort();
}

#define check(e) check_at((e), #e, __LINE__)

static void check_within(struct kt_text part, struct kt_text whole)
{
	check(!part.len || (part.data >= whole.data && part.len <= whole.len &&
			    (size_t)(part.data - whole.data) <= whole.len - part.len));
}

static void check_line(struct kt_text line)
{
	struct kt_buf once = KT_BUF_INIT, twice = KT_BUF_INIT;
	struct kt_line read;

	kt_line_read(line, &read);
	check(read.index_len <= line.len && read.fixed_len <= line.len);
	check(read.index_len <= read.fixed_len || read.kind == KT_LINE_PRECISION);
	kt_normalize_verifier_line(line, &once);
	/* A damaged line of precision tracking may have a part twice. */
	check(once.len <= 2 * line.len + 16);
	kt_normalize_verifier_line((struct kt_text){once.data, once.len}, &twice);
	check(twice.len <= 2 * once.len + 16);
	kt_buf_deinit(&once);
	kt_buf_deinit(&twice);
}

/* The line as an instruction, and as a register's value. */
static void check_words(struct kt_text line)
{
	uint64_t max;
	int64_t n;
	struct kt_op op;

	kt_op_read(line, &op);
	check_within(op.value, line);
	check_within(op.name, line);
	check(op.dst == KT_OP_NO_REG || op.dst <= 10);
	check(op.src == KT_OP_NO_REG || op.src <= 10);
	check(op.base == KT_OP_NO_REG || (op.base <= 10 && op.size <= 8));
	check_within(kt_value_type(line), line);
	if (kt_value_is_const(line, &n))
		check(kt_value_rank(line) == KT_VALUE_SCALAR && kt_value_max(line, &max) &&
		      max == (uint64_t)n);
	kt_value_min(line, &n);
	kt_value_ref(line);
	kt_value_id(line);
}

static void check_lines(struct kt_text log)
{
	struct kt_text rest = log, line;

	while (kt_text_next_line(&rest, &line)) {
		/* Of the exact size, so that ASan guards its end. */
		char *copy = malloc(line.len ? line.len : 1);

		check(copy != NULL);
		memcpy(copy, line.data, line.len);
		check_line((struct kt_text){copy, line.len});
		check_words((struct kt_text){copy, line.len});
		free(copy);
	}
}

/* The events are the log, byte for byte, and their lines are counted right. */
static void check_trace(struct kt_text log)
{
	const char *pos = log.data;
	struct kt_trace trace;
	struct kt_event event;
	size_t line = 1;

	kt_trace_init(&trace, log);
	while (kt_trace_next(&trace, &event)) {
		struct kt_text rest = event.text, one;

		check(event.text.len > 0 && event.text.data == pos && event.line == line);
		for (size_t i = 0; i < event.n_lines; i++)
			check(kt_text_next_line(&rest, &one));
		check(!rest.len);
		check_within(event.insn, event.text);
		check_within(event.state, event.text);
		check_within(event.message, event.text);
		check_within(event.source.text, log);
		check_within(event.source.file, log);
		pos += event.text.len;
		line += event.n_lines;
	}
	check(pos == log.data + log.len);
}

static void check_last_insn(const struct kt_last_insn *insn, struct kt_text log)
{
	check_within(insn->insn, log);
	check_within(insn->line, log);
	check_within(insn->source.text, log);
}

static void check_step(const struct kt_last_step *step, struct kt_text log)
{
	check_last_insn(&step->insn, log);
	check_within(step->value, log);
	check(step->times > 0);
}

static void check_last(struct kt_text log)
{
	struct kt_log_last last;

	check(!kt_log_find_last(log, &last));
	check_within(last.error, log);
	check_within(last.headline, log);
	check_within(last.explanation, log);
	check_within(last.error_more, log);
	check_within(last.path, log);
	check_within(last.stats, log);
	check_last_insn(&last.at, log);
	check(last.n_subjects <= KT_LAST_MAX_SUBJECTS);
	for (size_t i = 0; i < last.n_subjects; i++) {
		const struct kt_last_subject *subject = &last.subjects[i];

		check_within(subject->value, log);
		check_within(subject->was, log);
		check(subject->n_steps <= KT_LAST_MAX_STEPS);
		for (size_t k = 0; k < subject->n_steps; k++)
			check_step(&subject->steps[k], log);
	}
}

static void check_stats(struct kt_text log)
{
	struct kt_verifier_stats stats;

	kt_parse_verifier_stats(log, &stats, NULL, NULL);
	check_within(stats.stack, log);
	check(stats.n_stack <= KT_STACK_DEPTHS_MAX);
	for (size_t i = 0; i < KT_N_STATS; i++)
		check(stats.has[i] || !stats.value[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_text log = {(const char *)data, size};

	check_lines(log);
	check_trace(log);
	check_last(log);
	check_stats(log);
	return 0;
}
