// SPDX-License-Identifier: LGPL-2.1-or-later
/* A load's line and its JSON: what is known is there, what is not is absent, never 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "render/load.h"

static const struct program_number unknown;

static struct program_number known(uint64_t value)
{
	return (struct program_number){true, value};
}

static struct bpf_load make_load(void)
{
	static uint32_t depths[] = {16, 0, 64};

	return (struct bpf_load){
		.at_ns = INT64_C(1764034468123456789),
		.by_known = true,
		.comm = "loader",
		.pid = 4711,
		.name = "prog",
		.full_name = (char *)"program_with_a_long_name",
		.type = (char *)"sched_cls",
		.error = known(22),
		.verified_insns = known(1396),
		.total_states = known(31),
		.peak_states = known(30),
		.max_states_per_insn = known(4),
		.mark_read = unknown,
		.verification_time_ns = known(1234567),
		.stack_depth = depths,
		.n_stack_depth = 3,
		.log_level = known(4),
		.log_bytes = known(0),
		.pause_ns = 456789,
	};
}

static json_t *as_json(const struct bpf_load *load, const char *last)
{
	json_error_t json_err;
	json_t *root;
	char *text;

	assert_null(render_load_json(load, last, &text));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one line */
	root = json_loads(text, 0, &json_err);
	assert_non_null(root);
	free(text);
	return root;
}

/* A guest's counters are whatever its memory has. */
static void test_json_large(void **state)
{
	struct bpf_load load = {.total_states = known(UINT64_MAX),
				.peak_states = known((uint64_t)INT64_MAX + 1)};
	const struct bpf_load_progress progress = {.verified_insns = known(UINT64_MAX)};
	char *text;

	(void)state;
	assert_null(render_load_json(&load, NULL, &text));
	assert_non_null(strstr(text, "\"total_states\": 18446744073709551615,"));
	assert_non_null(strstr(text, "\"peak_states\": 9223372036854775808,"));
	free(text);
	assert_null(render_load_progress_json(&progress, &text));
	assert_non_null(strstr(text, "\"verified_insns\": 18446744073709551615,"));
	free(text);
}

static json_int_t get(const json_t *root, const char *key)
{
	json_t *value = json_object_get(root, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

/* An offset is there or null, never 0 for one that nobody knows; a release likewise. */
static void test_begin(void **state)
{
	static const int64_t offsets[] = {0, 0x2a600000, -4096};

	(void)state;
	for (size_t i = 0; i <= sizeof(offsets) / sizeof(*offsets); i++) {
		bool none = i == sizeof(offsets) / sizeof(*offsets);
		json_error_t json_err;
		json_t *root;
		char *text;

		assert_null(render_load_begin_json(none ? "" : "6.99", none ? NULL : &offsets[i],
						   true, false, &text));
		root = json_loads(text, 0, &json_err);
		assert_non_null(root);
		free(text);
		if (none) {
			assert_true(json_is_null(json_object_get(root, "kaslr_offset")));
			assert_true(json_is_null(json_object_get(root, "release")));
		} else {
			assert_int_equal(get(root, "kaslr_offset"), offsets[i]);
		}
		json_decref(root);
	}
}

static void test_json(void **state)
{
	struct bpf_load load = make_load();
	json_t *root = as_json(&load, NULL), *stack = json_object_get(root, "stack_depth");

	(void)state;
	assert_int_equal(get(root, "errno"), 22);
	assert_int_equal(get(root, "verified_insns"), 1396);
	assert_int_equal(get(root, "total_states"), 31);
	assert_int_equal(get(root, "peak_states"), 30);
	assert_int_equal(get(root, "max_states_per_insn"), 4);
	assert_int_equal(get(root, "verification_time_ns"), 1234567);
	assert_int_equal(get(root, "log_bytes"), 0);
	assert_int_equal(get(root, "pid"), 4711);
	assert_int_equal(get(root, "pause_us"), 456);
	assert_true(json_is_null(json_object_get(root, "mark_read")));
	assert_true(json_is_null(json_object_get(root, "stack_max")));
	assert_int_equal(json_array_size(stack), 3);
	assert_int_equal(json_integer_value(json_array_get(stack, 2)), 64);
	assert_string_equal(json_string_value(json_object_get(root, "time")),
			    "2025-11-25T01:34:28.123Z");
	assert_null(json_object_get(root, "last"));
	json_decref(root);
}

/* A load that never got to the verifier has a result, and no 0 where nothing is known. */
static void test_json_early(void **state)
{
	static const char *const nulls[] = {"comm",         "pid",         "name",
					    "type",         "full_name",   "verified_insns",
					    "total_states", "stack_depth", "log_bytes"};
	const struct bpf_load load = {.error = known(7)};
	json_t *root = as_json(&load, "why");

	(void)state;
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		assert_true(json_is_null(json_object_get(root, nulls[i])));
	assert_int_equal(get(root, "errno"), 7);
	assert_string_equal(json_string_value(json_object_get(root, "last")), "why");
	json_decref(root);
}

/* Where a word of the head ends, the number below it ends. */
static void check_under(const char *line, const char *word, const char *value)
{
	char *head, *at;
	size_t end;

	assert_null(render_load_head(0, &head));
	at = strstr(head, word);
	assert_non_null(at);
	end = (size_t)(at - head) + strlen(word);
	free(head);
	assert_true(strlen(line) > end);
	if (memcmp(line + end - strlen(value), value, strlen(value)) != 0)
		fail_msg("not '%s' under %s in: %s", value, word, line);
	assert_int_equal(line[end], ' ');
}

static void test_line(void **state)
{
	struct bpf_load load = make_load();
	char *line;

	(void)state;
	assert_null(render_load_line(&load, 0, false, &line));
	check_under(line, "PID", " 4711");
	check_under(line, "INSNS", " 1396");
	check_under(line, "STATES", " 31");
	check_under(line, "PEAK", " 30");
	check_under(line, "MAX", " 4");
	check_under(line, "READ", " -");
	check_under(line, "DURATION", " 1234 us");
	check_under(line, "LOG", " 0");
	assert_non_null(strstr(line, " EINVAL "));
	assert_non_null(strstr(line, " 16+0+64 "));
	assert_non_null(strstr(line, " program_with_a_long_name\n"));
	free(line);
	assert_null(render_load_line(&load, 0, true, &line));
	assert_non_null(strstr(line, "\033[31mEINVAL"));
	free(line);
}

/* One of three bytes says that something was cut. */
static size_t count_characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

/* On a terminal no line is longer than it, however long the values, and the heads stay above them.
 */
static void test_width(void **state)
{
	struct bpf_load load = make_load();
	static const size_t widths[] = {60, 80, 90, 100, 110, 120, 132, 140, 150, 160, 200};

	(void)state;
	load.full_name =
		(char *)"a_program_with_a_name_that_is_longer_than_most_lines_are_wide_and_goes_on_"
			"like_that_for_a_hundred_and_more_characters_to_see_that_it_is_cut_there";
	load.type = (char *)"cgroup_sock_addr_and_more";
	/* The largest values that a kernel has. */
	load.verified_insns.value = load.total_states.value = load.peak_states.value = 1000000;
	load.log_bytes.value = UINT32_MAX >> 2;
	load.pid = 4194304;
	strcpy(load.comm, "fifteen_letters");
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		char *head, *line, *at;

		assert_null(render_load_head(widths[i], &head));
		assert_null(render_load_line(&load, widths[i], false, &line));
		assert_true(strlen(head) <= widths[i] + 1);
		assert_true(count_characters(line) <= widths[i] + 1);
		at = strstr(head, "INSNS");
		assert_non_null(at);
		assert_non_null(strstr(line, " 1000000 "));
		assert_non_null(strstr(head, "NAME"));
		free(head);
		free(line);
	}
}

/* What a guest calls itself does not move our cursor. */
static void test_hostile_names(void **state)
{
	struct bpf_load load = make_load();
	char *line;

	(void)state;
	strcpy(load.comm, "\033[2J\n");
	load.full_name = (char *)"a\nb\x9b";
	assert_null(render_load_line(&load, 0, false, &line));
	assert_null(strchr(line, '\033'));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_non_null(strstr(line, "\\x1b[2J"));
	free(line);
}

static void test_errno(void **state)
{
	char buf[24];

	(void)state;
	assert_string_equal(render_errno(0, buf, sizeof(buf)), "ok");
	assert_string_equal(render_errno(28, buf, sizeof(buf)), "ENOSPC");
	assert_string_equal(render_errno(524, buf, sizeof(buf)), "ENOTSUPP");
	assert_string_equal(render_errno(4000, buf, sizeof(buf)), "4000");
	assert_string_equal(render_errno(UINT64_MAX, buf, sizeof(buf)), "18446744073709551615");
}

/* A first sample knows no rates; the name that is not cut is shown where it is known. */
static void test_progress(void **state)
{
	struct bpf_load_progress progress = {
		.comm = "lo\033ader",
		.pid = 4711,
		.name = "program_with_a_",
		.since_ns = 1500000000,
		.insn_idx = known(17),
		.verified_insns = known(1396),
		.total_states = known(31),
	};
	char *text;

	(void)state;
	assert_null(render_load_progress_line(&progress, &text));
	assert_string_equal(text, "  ... 1.5 s in the verifier: program_with_a_ of "
				  "lo\\x1bader[4711]: 1396 insns, 31 states, at insn 17\n");
	free(text);
	progress.full_name = (char *)"program_with_a_long_name";
	progress.insns_rate = known(200);
	progress.states_rate = known(0);
	progress.file = (char *)"a.bpf.c";
	progress.line = 12;
	progress.source = (char *)"return 0;";
	assert_null(render_load_progress_line(&progress, &text));
	assert_string_equal(text, "  ... 1.5 s in the verifier: program_with_a_long_name of "
				  "lo\\x1bader[4711]: 1396 insns (+200/s), 31 states (+0/s), "
				  "at insn 17 in a.bpf.c:12: return 0;\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begin),         cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_large),    cmocka_unit_test(test_json_early),
		cmocka_unit_test(test_line),          cmocka_unit_test(test_width),
		cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_errno),
		cmocka_unit_test(test_progress),
	};

	return cmocka_run_group_tests_name("render/load", tests, NULL, NULL);
}
