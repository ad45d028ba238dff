// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "model/json.h"
#include "render/programs.h"
#include "tests/render/stats_list.h"

/* A wait status as wait(2) has it. */
#define EXITED(n) ((n) << 8)

/* A result owns its strings; one that is not given up borrows them. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* The document of a run, parsed back. */
static json_t *document(const struct kt_verifier_vm_result *result)
{
	const struct render_guest guest = {
		.release = "6.12",
		.arch = "x86_64",
		.scheduler = "scx_simple",
		.run = result,
	};
	const struct programs programs = {0};
	json_error_t error;
	json_t *root;
	char *out;

	assert_null(render_programs_json(&programs, &guest, &out));
	root = kt_json_load((struct kt_text){out, strlen(out)}, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		fail_msg("%s: %s", error.text, out);
	free(out);
	return root;
}

/* The value at a path of keys, as text; "null" where it is that, and NULL where it is not there. */
static const char *at(const json_t *root, const char *path)
{
	static char out[512];
	uint64_t number;
	char *copy = strdup(path), *rest = copy;
	const char *key;

	assert_non_null(copy);
	while ((key = strsep(&rest, ".")))
		root = json_object_get(root, key);
	free(copy);
	if (!root)
		return NULL;
	if (kt_json_get_u64(root, &number)) {
		snprintf(out, sizeof(out), "%" PRIu64, number);
		return out;
	}
	switch (json_typeof(root)) {
	case JSON_STRING: return json_string_value(root);
	case JSON_TRUE: return "true";
	case JSON_FALSE: return "false";
	default: return json_is_null(root) ? "null" : "?";
	}
}

struct expected {
	const char *path, *value;
};

static void check(const struct kt_verifier_vm_result *result, const struct expected *expected)
{
	json_t *root = document(result);

	for (; expected->path; expected++) {
		const char *got = at(root, expected->path);

		if (!got)
			fail_msg("no %s", expected->path);
		assert_string_equal(got, expected->value);
	}
	json_decref(root);
}

static void test_passed(void **state)
{
	const struct kt_verifier_vm_result result = {
		.attached = true,
		.ops = text("simple"),
		.dispatched = true,
		.workload = text("8 of 8 tasks ran"),
		.exited = true,
		.end_reported = true,
		.sysfs = {.known = true, .state = "enabled", .ops = "simple"},
		.memory = {.known = true, .state = "enabled", .ops = "simple"},
		.scheduler_log = text("hello\n"),
		.scheduler_log_len = 6,
	};
	static const struct expected expected[] = {
		{"schema", "ktstr-gdb.programs.v1"},
		{"run.scheduler", "scx_simple"},
		{"run.passed", "true"},
		{"run.verdict", "pass"},
		{"run.reason", "pass"},
		{"run.attach", "attached"},
		{"run.ops", "simple"},
		{"run.dispatched", "true"},
		{"run.workload", "8 of 8 tasks ran"},
		{"run.exit_code", "0"},
		{"run.sched_ext.sysfs.state", "enabled"},
		{"run.sched_ext.sysfs.ops", "simple"},
		{"run.sched_ext.memory.state", "enabled"},
		{"run.sched_ext.disagree", "false"},
		{"run.damaged_frames", "0"},
		{"run.skipped_bytes", "0"},
		{"run.log_dropped", "0"},
		{"run.scheduler_log", "hello\n"},
		{0},
	};

	(void)state;
	check(&result, expected);
}

/* Nothing at all is known. */
static void test_blank(void **state)
{
	const struct kt_verifier_vm_result result = {0};
	static const struct expected expected[] = {
		{"run.passed", "false"},
		{"run.verdict", "not_attached"},
		{"run.reason", "not attached: no word from the guest whether it did"},
		{"run.attach", "unconfirmed"},
		{"run.ops", "null"},
		{"run.dispatched", "false"},
		{"run.workload", "null"},
		{"run.exit_code", "null"},
		{"run.sched_ext.sysfs", "null"},
		{"run.sched_ext.memory", "null"},
		{"run.sched_ext.disagree", "false"},
		{"run.scheduler_log", ""},
		{0},
	};
	json_t *root = document(&result);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(root, "failed")), 0);
	assert_true(json_is_array(json_object_get(root, "failed")));
	json_decref(root);
	check(&result, expected);
}

static void exit_code_is(int wait_status, const char *code)
{
	const struct kt_verifier_vm_result result = {.exited = true, .exit_status = wait_status};
	const struct expected expected[] = {{"run.exit_code", code}, {0}};

	check(&result, expected);
}

static void test_exit_code(void **state)
{
	(void)state;
	exit_code_is(0, "0");
	exit_code_is(EXITED(3), "3");
	exit_code_is(EXITED(255), "255");
	exit_code_is(SIGKILL, "137");
	exit_code_is(SIGSEGV | 0x80, "139");
}

static void test_disagreement(void **state)
{
	const struct kt_verifier_vm_result result = {
		.sysfs = {.known = true, .state = "enabled", .ops = "simple"},
		.memory = {.known = true, .state = "disabled"},
	};
	static const struct expected expected[] = {
		{"run.sched_ext.memory.state", "disabled"},
		{"run.sched_ext.memory.ops", "null"},
		{"run.sched_ext.disagree", "true"},
		{0},
	};

	(void)state;
	check(&result, expected);
}

/* Counts beyond jansson's integers, and bytes that JSON has no string for. */
static void test_hostile(void **state)
{
	static const char log[] = "a\0b\xff\033[31m";
	const struct kt_verifier_vm_result result = {
		.attached = true,
		.ops = text("\xff\"\\"),
		.workload = text("%s\n"),
		.damaged_frames = UINT64_MAX,
		.skipped_bytes = UINT64_MAX,
		.log_dropped = UINT64_MAX,
		.sysfs = {.known = true, .state = "\xc0", .ops = "\x80"},
		.scheduler_log = text(log),
		.scheduler_log_len = sizeof(log) - 1,
	};
	static const struct expected expected[] = {
		{"run.ops", "\xef\xbf\xbd\"\\"},
		{"run.workload", "%s\n"},
		{"run.damaged_frames", "18446744073709551615"},
		{"run.skipped_bytes", "18446744073709551615"},
		{"run.log_dropped", "18446744073709551615"},
		{"run.sched_ext.sysfs.state", "\xef\xbf\xbd"},
		{"run.sched_ext.sysfs.ops", "\xef\xbf\xbd"},
		{"run.scheduler_log", "a\xef\xbf\xbd"
				      "b\xef\xbf\xbd\033[31m"},
		{0},
	};

	(void)state;
	check(&result, expected);
}

/* Only those that failed are in "failed"; the others are among the programs. */
static void test_failed(void **state)
{
	struct kt_verifier_vm_result result = {0};
	json_t *root, *failed;

	(void)state;
	pass(&result.stats, "good", 5);
	failing(&result.stats, "bad\xff", 7);
	failing(&result.stats, "worse", UNKNOWN);
	root = document(&result);
	failed = json_object_get(root, "failed");
	assert_int_equal(json_array_size(failed), 2);
	assert_string_equal(at(json_array_get(failed, 0), "name"), "bad\xef\xbf\xbd");
	assert_string_equal(at(json_array_get(failed, 0), "verified_insns"), "7");
	assert_string_equal(at(json_array_get(failed, 1), "name"), "worse");
	assert_string_equal(at(json_array_get(failed, 1), "verified_insns"), "null");
	json_decref(root);
	kt_prog_stats_deinit(&result.stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passed),    cmocka_unit_test(test_blank),
		cmocka_unit_test(test_exit_code), cmocka_unit_test(test_disagreement),
		cmocka_unit_test(test_hostile),   cmocka_unit_test(test_failed),
	};

	return cmocka_run_group_tests_name("render/run_json", tests, NULL, NULL);
}
