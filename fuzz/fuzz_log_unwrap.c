// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as what somebody pasted: taken out of its wrappings, and the logs in it found. Each
 * piece of the text inside comes from a part of the input, the parts are the input in order, and
 * the logs do not overlap.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logparse/last.h"
#include "logparse/logs.h"
#include "logparse/unwrap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_at(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_log_unwrap.c:%d: %s\n", line, what);
	abort();
}

#define check(e) check_at((e), #e, __LINE__)

static bool is_within(struct kt_text part, struct kt_text whole)
{
	return !part.len || (part.data >= whole.data && part.len <= whole.len &&
			     (size_t)(part.data - whole.data) <= whole.len - part.len);
}

static void check_last(const struct kt_log_block *log, struct kt_text text)
{
	struct kt_log_outcome outcome;
	struct kt_log_last last;

	check(!kt_log_find_last_of(log, &last));
	kt_log_find_outcome_of(log, &outcome);
	check(is_within(last.headline, text));
	check(is_within(last.error, text));
	check(is_within(last.at.insn, text));
	check(is_within(last.path, text));
	check(is_within(outcome.headline, text));
	check((last.outcome == KT_LAST_FAILED) == (outcome.outcome == KT_LAST_FAILED) ||
	      log->trace.len > 16000); /* of a long log only its end is read for the outcome */
}

static void check_logs(struct kt_text text, struct kt_text input, const struct kt_unwrapped *u)
{
	struct kt_text name, said, before = {text.data, 0};
	struct kt_logs logs;

	check(!kt_logs_find(text, u, &logs));
	kt_vec_for_each (&logs.v, log) {
		check(is_within(log->trace, text));
		check(log->trace.data >= before.data + before.len);
		name = log->program;
		said = log->loader.said;
		check(is_within(name, text) || is_within(name, input));
		check(is_within(said, text) || is_within(said, input));
		check_last(log, text);
		before = log->trace;
	}
	kt_logs_deinit(&logs);
}

/* What is inside, collapsed and put into its wrappings again. */
static void check_rewrapped(struct kt_text inner, struct kt_text input,
			    const struct kt_unwrapped *u)
{
	struct kt_buf out = KT_BUF_INIT;
	struct kt_rewrap rewrap;

	kt_rewrap_init(&rewrap, u, kt_sink_append, &out);
	check(!kt_collapse_cycles_to(inner, NULL, kt_rewrap_put, &rewrap));
	check(!kt_rewrap_end(&rewrap));
	kt_buf_deinit(&out);
	/* Line by line it is the input. */
	kt_rewrap_init(&rewrap, u, kt_sink_append, &out);
	check(!kt_rewrap_put(&rewrap, inner));
	check(!kt_rewrap_end(&rewrap));
	check(out.len == input.len && memcmp(out.data, input.data, input.len) == 0);
	kt_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_text input = {(const char *)data, size}, text = input, origin;
	struct kt_unwrapped *u = NULL;

	check(!kt_unwrap(input, &u));
	if (u) {
		text = kt_unwrapped_text(u);
		origin = kt_unwrapped_origin(u, text);
		check(!text.len || (origin.data == input.data && origin.len == input.len));
		if (text.len)
			check_rewrapped(text, input, u);
	}
	check_logs(text, input, u);
	kt_unwrapped_destroy(u);
	return 0;
}
