// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "render/log_last.h"
#include "render/verifier_output.h"
#include "tests/render/logs.h"
#include "tests/render/stats_list.h"

/* A wait status as wait(2) has it. */
#define EXITED(n) ((n) << 8)

#define BEGIN(name)       "libbpf: prog '" name "': -- BEGIN PROG LOAD LOG --\n"
#define END               "-- END PROG LOAD LOG --\n"
#define BLOCK(name, text) BEGIN(name) text END

/* A result owns its strings; one that is not given up borrows them. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static struct kt_verifier_vm_result passed(void)
{
	return (struct kt_verifier_vm_result){
		.attached = true,
		.ops = text("simple"),
		.dispatched = true,
		.workload = text("8 of 8 tasks ran"),
		.exited = true,
		.end_reported = true,
		.scheduler_log = text(""),
	};
}

static void set_log(struct kt_verifier_vm_result *result, const char *log, size_t len)
{
	result->scheduler_log = text(log);
	result->scheduler_log_len = len;
}

/* What it says of a result, until the next one. */
static const struct kt_buf *format_as(const char *label, const struct kt_verifier_vm_result *result,
				      bool raw)
{
	static struct kt_buf out;
	struct kt_error *err;

	kt_buf_deinit(&out);
	out = (struct kt_buf)KT_BUF_INIT;
	err = kt_format_verifier_output(label, result, raw, &out);
	if (err)
		fail_msg("%s", kt_error_message(err));
	return &out;
}

static const char *format(const struct kt_verifier_vm_result *result)
{
	return format_as("simple, Linux 6.12", result, false)->data;
}

#define HEAD                                                                                       \
	"simple, Linux 6.12: PASS\n"                                                               \
	"  attached: sched_ext is enabled with simple\n"                                           \
	"  dispatched: 8 of 8 tasks ran\n"

static void test_passed(void **state)
{
	struct kt_verifier_vm_result result = passed();

	(void)state;
	assert_string_equal(format(&result), HEAD);
	result.ops = NULL;
	assert_string_equal(format(&result), "simple, Linux 6.12: PASS\n  attached\n"
					     "  dispatched: 8 of 8 tasks ran\n");
	result.ops = text("");
	result.workload = NULL;
	assert_string_equal(format(&result), "simple, Linux 6.12: PASS\n  attached\n");
}

/* The text goes behind what was there. */
static void test_appends(void **state)
{
	struct kt_verifier_vm_result result = passed();
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	kt_buf_appends(&out, "before\n");
	assert_null(kt_format_verifier_output("simple, Linux 6.12", &result, false, &out));
	assert_string_equal(out.data, "before\n" HEAD);
	kt_buf_deinit(&out);
}

static void test_verdict_first(void **state)
{
	struct kt_verifier_vm_result result = {.died = true, .exited = true, .exited_early = true};

	(void)state;
	result.exit_status = EXITED(1);
	assert_string_equal(format(&result),
			    "simple, Linux 6.12: FAIL, not attached: the scheduler ended before "
			    "it attached, exit status 1\n"
			    "  died before it attached\n");
	result = (struct kt_verifier_vm_result){.not_attached = true,
						.why_not_attached = text("too late")};
	assert_string_equal(format(&result), "simple, Linux 6.12: FAIL, not attached: too late\n"
					     "  not attached\n");
	result = (struct kt_verifier_vm_result){.timed_out = true};
	assert_string_equal(format(&result), "simple, Linux 6.12: FAIL, timed out before the "
					     "scheduler attached\n  unconfirmed\n");
	result = passed();
	result.dispatched = false;
	assert_string_equal(format(&result),
			    "simple, Linux 6.12: FAIL, attached, but the workload made no "
			    "progress: 8 of 8 tasks ran\n"
			    "  attached: sched_ext is enabled with simple\n"
			    "  not dispatched: 8 of 8 tasks ran\n");
}

static void test_end(void **state)
{
	struct kt_verifier_vm_result result = passed();

	(void)state;
	result.exit_status = EXITED(2);
	assert_string_equal(format(&result), HEAD "  when told to end: exit status 2\n");
	result.exit_status = SIGTERM;
	assert_string_equal(format(&result), HEAD "  when told to end: signal 15 (Terminated)\n");
	result.exit_status = SIGKILL;
	assert_string_equal(format(&result), HEAD "  did not end when told to, and was killed\n");
	/* Nobody told it to: the verdict has that. */
	result.exited_early = true;
	assert_null(strstr(format(&result), "told"));
}

static void test_programs(void **state)
{
	struct kt_verifier_vm_result result = passed();

	(void)state;
	pass(&result.stats, "enqueue", 1396);
	pass(&result.stats, "unknown", UNKNOWN);
	pass(&result.stats, "", 0);
	pass(&result.stats, "a_name_of_exactly_forty_characters_in_it", 1);
	pass(&result.stats, "a_name_of_more_than_forty_characters_in_it_", 2);
	pass(&result.stats, "%s\033[31m\xff", INT64_MAX);
	failing(&result.stats, "dispatch", 5);
	failing(&result.stats, "init", UNKNOWN);
	assert_string_equal(format(&result), HEAD
			    "  enqueue                                  verified_insns=1396\n"
			    "  unknown                                  verified_insns=-\n"
			    "                                           verified_insns=0\n"
			    "  a_name_of_exactly_forty_characters_in_it verified_insns=1\n"
			    "  a_name_of_more_than_forty_characters_in_it_ verified_insns=2\n"
			    "  %s\033[31m\xff                                 "
			    "verified_insns=9223372036854775807\n"
			    "  dispatch                                 verified_insns=5 FAILED\n"
			    "  init                                     verified_insns=- FAILED\n");
	result.stats.all[0].verified_insns.value = UINT64_MAX;
	assert_non_null(strstr(format(&result), "verified_insns=18446744073709551615\n"));
	kt_prog_stats_deinit(&result.stats);
}

#define PROCESSED "processed 136 insns (limit 1000000) max_states_per_insn 1 total_states 9 "

/* Only what is known of it, in this order; nothing known: no line. */
static void test_stats(void **state)
{
	static const struct {
		const char *log, *line;
	} truth[] = {
		{PASSED, "  processed=136  states=8/9  time=477us  stack=8+0\n"},
		{PROCESSED "peak_states 8 mark_read 3\n", "  processed=136  states=8/9\n"},
		{PROCESSED "\n", "  processed=136\n"},
		{"verification time 477 usec\n", "  time=477us\n"},
		{"stack depth 8+0+16\n", "  stack=8+0+16\n"},
		{"stack depth 8+0+16 max 24\n", "  stack=8+0+16\n"},
		{"stack depth max 16\n", "  stack=16\n"},
		{"stack depth 8\nverification time 3 usec\n", "  time=3us  stack=8\n"},
		/* The last of each kind. */
		{"verification time 1 usec\n" PASSED,
		 "  processed=136  states=8/9  time=477us  stack=8+0\n"},
		/* There is something, but nothing that the line is about. */
		{"processed many insns (limit 1000000)\n", ""},
		{"hello\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(truth) / sizeof(*truth); i++) {
		struct kt_verifier_vm_result result = passed();
		struct kt_buf expected = KT_BUF_INIT;

		set_log(&result, truth[i].log, strlen(truth[i].log));
		kt_buf_printf(&expected, HEAD "%s\n%s", truth[i].line, truth[i].log);
		assert_string_equal(format(&result), expected.data);
		kt_buf_deinit(&expected);
	}
}

static void put_iteration(struct kt_buf *log, int i)
{
	kt_buf_printf(log,
		      "; for (int i = 0; i < 100; i++) @ x.bpf.c:%d\n"
		      "3: (07) r1 += 1                       ; R1=%d\n"
		      "4: (bf) r2 = r1                       ; R1=%d R2=%d\n"
		      "5: (0f) r3 += r2                      ; R2=%d R3=%d\n"
		      "6: (55) if r1 != 0x64 goto pc-4       ; R1=%d\n",
		      7, i, i, i, i, i * i, i);
}

#define BEFORE "scx: %n\0starting \xff\xfe\r\n"
#define AFTER  "\xc3(\0 done, no newline"

/* The log of a loop, with bytes around it that are no text. */
static void put_loop(struct kt_buf *log)
{
	kt_buf_append(log, BEFORE, sizeof(BEFORE) - 1);
	kt_buf_appends(log, BEGIN("loop") "0: R1=ctx() R10=fp0\n");
	for (int i = 0; i < 100; i++)
		put_iteration(log, i);
	kt_buf_appends(log, "7: (95) exit\n" PASSED END);
	kt_buf_append(log, AFTER, sizeof(AFTER) - 1);
}

static bool has(const struct kt_buf *out, const void *bytes, size_t len)
{
	return memmem(out->data, out->len, bytes, len);
}

static bool ends_with(const struct kt_buf *out, const void *bytes, size_t len)
{
	return out->len >= len && !memcmp(out->data + out->len - len, bytes, len);
}

static void test_collapsed(void **state)
{
	struct kt_verifier_vm_result result = passed();
	struct kt_buf log = KT_BUF_INIT;
	const struct kt_buf *out;

	(void)state;
	put_loop(&log);
	set_log(&result, log.data, log.len);
	out = format_as("x", &result, false);
	assert_true(out->len < log.len / 2);
	assert_true(has(out, "--- 100x of the following ", 26));
	/* What is outside of the block is there, byte for byte, and so is what frames it. */
	assert_true(has(out, "stack=8+0\n\n" BEFORE BEGIN("loop"),
			sizeof("stack=8+0\n\n" BEFORE BEGIN("loop")) - 1));
	assert_true(ends_with(out, "7: (95) exit\n" PASSED END AFTER "\n",
			      sizeof("7: (95) exit\n" PASSED END AFTER "\n") - 1));
	kt_buf_deinit(&log);
}

static void test_raw(void **state)
{
	struct kt_verifier_vm_result result = passed();
	struct kt_buf log = KT_BUF_INIT;
	const struct kt_buf *out;

	(void)state;
	put_loop(&log);
	kt_buf_appends(&log, "\n" BLOCK("bad", FAILED));
	set_log(&result, log.data, log.len);
	out = format_as("x", &result, true);
	assert_true(ends_with(out, log.data, log.len));
	/* Nothing before it but the head, the statistics and an empty line. */
	assert_memory_equal(out->data + out->len - log.len - 2, "\n\n", 2);
	assert_false(memmem(out->data, out->len - log.len, "R1 invalid mem access", 21));
	kt_buf_deinit(&log);
}

static void test_newline(void **state)
{
	static const char *const logs[] = {"one", "one\n", "\n"};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct kt_verifier_vm_result result = passed();
		const char *log = logs[i / 2];
		char expected[256];

		set_log(&result, log, strlen(log));
		snprintf(expected, sizeof(expected), HEAD "\n%s%s", log, i < 2 ? "\n" : "");
		assert_string_equal(format_as("simple, Linux 6.12", &result, i % 2)->data,
				    expected);
	}
}

/* What `log --last` says of a trace. */
static void put_last(struct kt_buf *out, const char *name, const char *trace)
{
	kt_buf_appendc(out, '\n');
	assert_null(render_log_last((struct kt_text){trace, strlen(trace)},
				    (struct kt_text){name, strlen(name)}, out));
}

static size_t count(const char *haystack, const char *needle)
{
	size_t n = 0;

	while ((haystack = strstr(haystack, needle))) {
		haystack += strlen(needle);
		n++;
	}
	return n;
}

/* What led to a failure stands between the statistics and the log. */
static void test_failure(void **state)
{
	static const char log[] = "hello\n" BLOCK("good", PASSED) BLOCK("bad", FAILED) "bye\n";
	struct kt_verifier_vm_result result = {.died = true};
	struct kt_buf expected = KT_BUF_INIT;

	(void)state;
	set_log(&result, log, sizeof(log) - 1);
	failing(&result.stats, "bad", 3);
	kt_buf_appends(&expected,
		       "x: FAIL, not attached: the scheduler ended before it attached; the "
		       "verifier rejected bad: R1 invalid mem access 'scalar'\n"
		       "  died before it attached\n"
		       "  bad                                      verified_insns=3 FAILED\n"
		       "  processed=3  states=1/1  time=477us  stack=8+0\n");
	put_last(&expected, "bad", FAILED);
	kt_buf_printf(&expected, "\n%s", log);
	assert_string_equal(format_as("x", &result, false)->data, expected.data);
	assert_int_equal(count(expected.data, "; return *p; @ bad.bpf.c:9"), 3);
	kt_buf_deinit(&expected);
	kt_prog_stats_deinit(&result.stats);
}

#define FAILED_TOO                                                                                 \
	"0: R1=ctx() R10=fp0\n"                                                                    \
	"0: (b7) r1 = 0                        ; R1_w=0\n"                                         \
	"1: (61) r0 = *(u32 *)(r1 +0)\n"                                                           \
	"R1 is another failure\n"                                                                  \
	"processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 "    \
	"mark_read 0\n"

/* libbpf loads some twice: of one program the last try counts, as it does in the list. */
static void test_failures(void **state)
{
	static const char log[] = BLOCK("a", FAILED) BLOCK("b", FAILED) BLOCK("a", FAILED_TOO)
		BLOCK("", FAILED) BLOCK("", FAILED_TOO);
	struct kt_verifier_vm_result result = {.died = true};
	struct kt_buf expected = KT_BUF_INIT;

	(void)state;
	set_log(&result, log, sizeof(log) - 1);
	kt_buf_appends(&expected, "  processed=2  states=1/1\n");
	put_last(&expected, "a", FAILED_TOO);
	put_last(&expected, "b", FAILED);
	/* Those without a name are each its own. */
	put_last(&expected, "", FAILED);
	put_last(&expected, "", FAILED_TOO);
	kt_buf_printf(&expected, "\n%s", log);
	assert_non_null(strstr(format_as("x", &result, false)->data, expected.data));
	kt_buf_deinit(&expected);
}

/* As many failures as one likes: time is that of reading them, and what is said is bounded. */
static void test_many_failures(void **state)
{
	struct kt_verifier_vm_result result = {.died = true};
	struct kt_buf log = KT_BUF_INIT;

	(void)state;
	for (int i = 0; i < 20000; i++)
		kt_buf_printf(&log,
			      "libbpf: prog 'p%d': -- BEGIN PROG LOAD LOG --\nR1 !read_ok\n" END,
			      i);
	set_log(&result, log.data, log.len);
	assert_in_range(format_as("x", &result, false)->len, log.len, 2 * log.len);
	kt_buf_deinit(&log);
}

static void test_damage(void **state)
{
	struct kt_verifier_vm_result result = passed();

	(void)state;
	result.damaged_frames = 3;
	assert_string_equal(format(&result),
			    HEAD "  DAMAGED: 3 frames from the guest, and 0 bytes between frames: "
				 "some of what it said is missing\n");
	result.damaged_frames = 0;
	result.skipped_bytes = UINT64_MAX;
	assert_non_null(strstr(format(&result), "DAMAGED: 0 frames from the guest, and "
						"18446744073709551615 bytes between frames"));
}

static void test_dropped(void **state)
{
	static const char end[] = "\none\n[... 12345678901 bytes more were too many to keep ...]\n";
	struct kt_verifier_vm_result result = passed();

	(void)state;
	result.log_dropped = UINT64_C(12345678901);
	for (int raw = 0; raw < 2; raw++) {
		set_log(&result, "one", 3);
		assert_true(ends_with(format_as("x", &result, raw), end, sizeof(end) - 1));
	}
}

static void test_disagreement(void **state)
{
	struct kt_verifier_vm_result result = passed();

	(void)state;
	result.sysfs = (struct scx_state){.known = true, .state = "enabled", .ops = "simple"};
	result.memory = result.sysfs;
	assert_string_equal(format(&result), HEAD);
	result.memory = (struct scx_state){.known = true, .state = "disabled"};
	assert_string_equal(format(&result),
			    HEAD "  DISAGREEMENT: the guest says that sched_ext is \"enabled\" "
				 "with simple, its memory has \"disabled\"\n");
	result.memory.known = false;
	assert_string_equal(format(&result), HEAD);
}

static void test_hostile_label(void **state)
{
	struct kt_verifier_vm_result result = passed();

	(void)state;
	assert_memory_equal(format_as("%s%n\xff", &result, false)->data, "%s%n\xff: PASS\n", 12);
	assert_memory_equal(format_as("", &result, false)->data, ": PASS\n", 7);
}

/* Every byte in a log that is none of libbpf's. */
static void test_any_bytes(void **state)
{
	struct kt_verifier_vm_result result = passed();
	char log[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(log); i++)
		log[i] = (char)(i * 7 + i / 256);
	log[sizeof(log) - 1] = '\n';
	set_log(&result, log, sizeof(log));
	for (int raw = 0; raw < 2; raw++)
		assert_true(ends_with(format_as("x", &result, raw), log, sizeof(log)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passed),        cmocka_unit_test(test_appends),
		cmocka_unit_test(test_verdict_first), cmocka_unit_test(test_end),
		cmocka_unit_test(test_programs),      cmocka_unit_test(test_stats),
		cmocka_unit_test(test_collapsed),     cmocka_unit_test(test_raw),
		cmocka_unit_test(test_newline),       cmocka_unit_test(test_failure),
		cmocka_unit_test(test_failures),      cmocka_unit_test(test_many_failures),
		cmocka_unit_test(test_damage),        cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_disagreement),  cmocka_unit_test(test_hostile_label),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests_name("render/verifier_output", tests, NULL, NULL);
}
