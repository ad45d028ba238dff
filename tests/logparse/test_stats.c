// SPDX-License-Identifier: LGPL-2.1-or-later
/* The statistics at the end of a log: what real kernels print, and what none should. */
#include <stdio.h>
#include <string.h>

#include "logparse/stats.h"
#include "tests/logparse/logs.h"

#define ABSENT UINT64_MAX

/* In the order of enum kt_stat, then the stack depths as text. */
struct expected {
	const char *log;
	uint64_t value[KT_N_STATS];
	const char *stack;
};

static void check_stats(struct kt_text log, const struct expected *want)
{
	struct kt_verifier_stats got;
	bool any = want->stack[0] != '\0';
	bool found = kt_parse_verifier_stats(log, &got, NULL, NULL);

	for (size_t i = 0; i < KT_N_STATS; i++) {
		assert_int_equal(got.has[i], want->value[i] != ABSENT);
		assert_int_equal(got.value[i], got.has[i] ? want->value[i] : 0);
		any = any || got.has[i];
	}
	assert_int_equal(found, any);
	assert_int_equal(got.stack.len, strlen(want->stack));
	if (got.stack.len)
		assert_memory_equal(got.stack.data, want->stack, got.stack.len);
	else
		assert_int_equal(got.n_stack, 0);
}

/*
 * `processed` is what bpf_prog_info of the loaded program has as verified_insns (bad_*, which
 * were not loaded: read in the log), the other numbers were read by eye.
 */
static const struct expected real[] = {
	{"6.1_fe_subprog.4.log", {1276, 1000000, 3, 27, 27, 26, 3966, ABSENT}, "8+0+0"},
	{"6.1_fx_global.4.log", {136, 1000000, 1, 4, 4, 1, 1202, ABSENT}, "0+0"},
	{"6.12_fe_subprog.4.log", {1276, 1000000, 3, 27, 27, 26, 4966, ABSENT}, "8+0+0"},
	{"6.12_fx_global.4.log", {136, 1000000, 1, 4, 4, 1, 1495, ABSENT}, "0+0"},
	{"6.16_scx_fix.fix_exit.4.log", {5, 1000000, 0, 0, 0, 0, 184, ABSENT}, "0"},
	{"6.18_scx_bad.bad_enqueue.4.log", {132, 1000000, 1, 5, 5, 0, 1464, ABSENT}, "0"},
	{"7.2_fe_subprog.4.log", {1276, 1000000, 3, 27, 27, 0, 12817, 16}, "8+0+0"},
	{"7.2_fx_global.4.log", {136, 1000000, 1, 4, 4, 0, 2627, 0}, "0+0"},
	{"7.3_fe_subprog.4.log", {1276, 1000000, 3, 27, 27, 0, 9967, 16}, ""},
	{"7.3_fx_global.4.log", {136, 1000000, 1, 4, 4, 0, 3360, 0}, ""},
	{"7.3_bad_bounds.4.log", {14, 1000000, 0, 1, 1, 0, 1484, 0}, ""},
	{"6.12_bad_bounds.1.log", {14, 1000000, 0, 1, 1, 1, ABSENT, ABSENT}, ""},
	{"6.12_bad_bounds.stderr", {14, 1000000, 0, 1, 1, 1, ABSENT, ABSENT}, ""},
};

static void test_real_logs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++) {
		struct kt_text log = log_read(real[i].log);

		print_message("# %s\n", real[i].log);
		check_stats(log, &real[i]);
		/* As kt_extract_verifier_log() gives it: without its last newline. */
		while (log.data[log.len - 1] == '\n')
			log.len--;
		check_stats(log, &real[i]);
		free((char *)log.data);
	}
}

static void test_stack_depths(void **state)
{
	struct kt_text log = log_read("7.2_fe_subprog.4.log");
	struct kt_verifier_stats got;

	(void)state;
	assert_true(kt_parse_verifier_stats(log, &got, NULL, NULL));
	assert_int_equal(got.n_stack, 3);
	assert_int_equal(got.stack_depth[0], 8);
	assert_int_equal(got.stack_depth[1], 0);
	assert_int_equal(got.stack_depth[2], 0);
	free((char *)log.data);
	assert_true(kt_parse_verifier_stats(KT_TEXT("stack depth 0+512+64"), &got, NULL, NULL));
	assert_int_equal(got.n_stack, 3);
	assert_int_equal(got.stack_depth[1], 512);
	assert_int_equal(got.stack_depth[2], 64);
}

static void test_subprograms(void **state)
{
	static const struct {
		const char *name, *kind;
		uint64_t self, total;
		uint32_t stack;
	} want[] = {
		{"fe_subprog", "main", 37, 1276, 8},
		{"sub_outer", "static", 141, 1239, 0},
		{"sub_sum", "static", 1098, 1098, 0},
	};
	struct kt_text log = log_read("7.3_fe_subprog.4.log");
	struct kt_subprog_stats got[4];

	(void)state;
	assert_int_equal(kt_parse_subprog_stats(log, got, 4), 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(got[i].index, i);
		assert_int_equal(got[i].name.len, strlen(want[i].name));
		assert_memory_equal(got[i].name.data, want[i].name, got[i].name.len);
		assert_int_equal(got[i].kind.len, strlen(want[i].kind));
		assert_memory_equal(got[i].kind.data, want[i].kind, got[i].kind.len);
		assert_int_equal(got[i].insns_self, want[i].self);
		assert_int_equal(got[i].insns_total, want[i].total);
		assert_int_equal(got[i].stack, want[i].stack);
	}
	got[2].index = 77;
	assert_int_equal(kt_parse_subprog_stats(log, got, 2), 2);
	assert_int_equal(got[2].index, 77);
	free((char *)log.data);

	log = log_read("7.2_fe_subprog.4.log");
	assert_int_equal(kt_parse_subprog_stats(log, got, 4), 0);
	free((char *)log.data);
	assert_int_equal(kt_parse_subprog_stats((struct kt_text){NULL, 0}, got, 4), 0);
	/* Without the numbers it is another line, such as 7.2's "subprog#0: analyzing". */
	assert_int_equal(kt_parse_subprog_stats(KT_TEXT("subprog 0 (f) main insns_self\n"
							"processed 1 insns\n"),
						got, 4),
			 0);
}

#define PROCESSED(n)                                                                               \
	"processed " n " insns (limit 1000000) max_states_per_insn 1 total_states 9 "              \
	"peak_states 8 mark_read 3\n"

static void check(const char *log, const struct expected *want)
{
	check_stats((struct kt_text){log, strlen(log)}, want);
}

/* Each kind by itself: an earlier one counts when no later one is there. */
static void test_last_of_each_kind(void **state)
{
	static const struct expected all = {NULL, {7, 1000000, 1, 9, 8, 3, 12, ABSENT}, "8+16"};

	(void)state;
	check("verification time 11 usec\nstack depth 4\n" PROCESSED("6") "verification time 12 "
									  "usec\nstack depth "
									  "8+16\n" PROCESSED("7"),
	      &all);
	check("stack depth 8+16\n; int x;\nverification time 12 usec\n" PROCESSED(
		      "6") "-- END --\n" PROCESSED("7") "libbpf: failed to load object\n",
	      &all);
	check("verification time 12 usec\r\nstack depth 8+16\r\nprocessed 7 insns (limit 1000000) "
	      "max_states_per_insn 1 total_states 9 peak_states 8 mark_read 3\r\n",
	      &all);
}

static void test_absent(void **state)
{
	static const struct expected nothing = {
		NULL, {ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT}, ""};
	static const struct expected short_line = {
		NULL, {7, 131072, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT}, ""};
	static const struct expected more = {
		NULL, {7, 5, ABSENT, ABSENT, 2, ABSENT, ABSENT, ABSENT}, ""};

	(void)state;
	check_stats((struct kt_text){NULL, 0}, &nothing);
	check("\n", &nothing);
	check("\n\n\n", &nothing);
	check("0: R1=ctx() R10=fp0\nlast\n", &nothing);
	/* Not at the start of a line: a program's source, or a person's note. */
	check("; stack depth 8\n # " PROCESSED("7") "\tverification time 1 usec\n", &nothing);
	/* A line that was cut off: who knows how the number went on? */
	check("processed 12", &nothing);
	check("verification time 12", &nothing);
	/* Older or newer than any that was seen. */
	check("processed 7 insns (limit 131072), stack depth 8\n", &short_line);
	check("processed 7 insns (limit 5) new_states 4 peak_states 2 more\n", &more);
}

struct warnings {
	size_t n;
	char what[8][80];
	struct kt_text line;
};

static void warned(void *arg, struct kt_text line, const char *what)
{
	struct warnings *w = arg;

	assert_true(w->n < 8);
	snprintf(w->what[w->n++], sizeof(w->what[0]), "%s", what);
	w->line = line;
}

/* The bad number is told of and left out; the others of its line are there. */
static void test_malformed(void **state)
{
	static const struct {
		const char *log, *what;
		enum kt_stat stat;
	} cases[] = {
		{PROCESSED("18446744073709551616"), "processed: larger than 64 bits",
		 KT_STAT_PROCESSED},
		{PROCESSED("many"), "processed: not a number", KT_STAT_PROCESSED},
		{PROCESSED("-5"), "processed: not a number", KT_STAT_PROCESSED},
		{PROCESSED("0x10"), "processed: not a number", KT_STAT_PROCESSED},
		{"processed 1 insns (limit 99999999999999999999999999)",
		 "limit: larger than 64 bits", KT_STAT_LIMIT},
		{"processed 1 insns (limit )", "limit: not a number", KT_STAT_LIMIT},
		{"processed 1 insns (limit 5) total_states", "total_states: not a number",
		 KT_STAT_TOTAL_STATES},
		{"verification time 1e3 usec", "verification time: not a number", KT_STAT_TIME},
		{"stack depth 8 max 1x", "stack depth max: not a number", KT_STAT_STACK_MAX},
	};
	struct kt_verifier_stats got;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kt_text log = {cases[i].log, strlen(cases[i].log)};
		struct warnings w = {0};

		kt_parse_verifier_stats(log, &got, warned, &w);
		assert_int_equal(w.n, 1);
		assert_string_equal(w.what[0], cases[i].what);
		assert_ptr_equal(w.line.data, log.data);
		assert_false(got.has[cases[i].stat]);
		assert_int_equal(got.value[cases[i].stat], 0);
		kt_parse_verifier_stats(log, &got, NULL, NULL);
		assert_false(got.has[cases[i].stat]);
	}
	kt_parse_verifier_stats(KT_TEXT(PROCESSED("many")), &got, NULL, NULL);
	assert_int_equal(got.value[KT_STAT_TOTAL_STATES], 9);
	assert_int_equal(got.value[KT_STAT_MARK_READ], 3);
	kt_parse_verifier_stats(KT_TEXT(PROCESSED("18446744073709551615")), &got, NULL, NULL);
	assert_true(got.has[KT_STAT_PROCESSED]);
	assert_true(got.value[KT_STAT_PROCESSED] == UINT64_MAX);
	/* The last line counts, also when it is bad. */
	kt_parse_verifier_stats(KT_TEXT(PROCESSED("1") PROCESSED("many")), &got, NULL, NULL);
	assert_false(got.has[KT_STAT_PROCESSED]);
}

static void test_malformed_stack(void **state)
{
	static const char *const bad[] = {"8+", "+8", "8++8", "8+x", "", "4294967296", "8,8"};
	struct kt_verifier_stats got;
	char log[2048] = "stack depth 1";
	struct warnings w;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char line[64];

		snprintf(line, sizeof(line), "stack depth %s\n", bad[i]);
		w.n = 0;
		assert_false(kt_parse_verifier_stats((struct kt_text){line, strlen(line)}, &got,
						     warned, &w));
		assert_int_equal(w.n, 1);
		assert_int_equal(got.n_stack, 0);
		assert_int_equal(got.stack_depth[0], 0);
	}
	/* As many as a program can have, then one more. */
	for (size_t i = 1; i < KT_STACK_DEPTHS_MAX; i++)
		strcat(log, "+1");
	assert_true(kt_parse_verifier_stats((struct kt_text){log, strlen(log)}, &got, NULL, NULL));
	assert_int_equal(got.n_stack, KT_STACK_DEPTHS_MAX);
	assert_int_equal(got.stack_depth[KT_STACK_DEPTHS_MAX - 1], 1);
	strcat(log, "+1");
	assert_false(kt_parse_verifier_stats((struct kt_text){log, strlen(log)}, &got, NULL, NULL));
}

/* Any prefix, any flipped byte of a real log: no crash, and no number out of thin air. */
static void test_hostile(void **state)
{
	struct kt_text log = log_read("7.2_fx_global.4.log");
	struct kt_verifier_stats got;
	struct kt_subprog_stats subprogs[4];

	(void)state;
	for (size_t len = 0; len <= log.len; len++) {
		/* A copy of its own length, so that ASan sees a read behind its end. */
		char *copy = malloc(len + !len);

		memcpy(copy, log.data, len);
		kt_parse_verifier_stats((struct kt_text){copy, len}, &got, NULL, NULL);
		if (got.has[KT_STAT_PROCESSED])
			assert_int_equal(got.value[KT_STAT_PROCESSED], 136);
		if (got.has[KT_STAT_TIME])
			assert_int_equal(got.value[KT_STAT_TIME], 2627);
		for (size_t i = 0; i < len; i++) {
			char was = copy[i];

			copy[i] = "\0\n+ )\xff"[i % 6];
			kt_parse_verifier_stats((struct kt_text){copy, len}, &got, NULL, NULL);
			kt_parse_subprog_stats((struct kt_text){copy, len}, subprogs, 4);
			copy[i] = was;
		}
		free(copy);
	}
	free((char *)log.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_logs),       cmocka_unit_test(test_stack_depths),
		cmocka_unit_test(test_subprograms),     cmocka_unit_test(test_last_of_each_kind),
		cmocka_unit_test(test_absent),          cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_malformed_stack), cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
