// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vm/sched.h"

static struct vm_sched_results results;

static int release(void **state)
{
	(void)state;
	vm_sched_results_deinit(&results);
	return 0;
}

static bool take(enum vm_event_type type, const char *text)
{
	return vm_sched_take(&results, &(struct vm_event){.type = type, .text = text}, 0);
}

static void take_exit(int status)
{
	const struct vm_event event = {.type = VM_EVENT_SCHED_EXIT, .status = status};

	assert_true(vm_sched_take(&results, &event, 0));
}

static void take_log(const char *text, size_t len, uint64_t bad_frames)
{
	const struct vm_event event = {
		.type = VM_EVENT_SCHED_LOG, .data = (const uint8_t *)text, .len = len};

	assert_true(vm_sched_take(&results, &event, bad_frames));
}

static void test_good_run(void **state)
{
	(void)state;
	assert_true(take(VM_EVENT_ATTACHED, "simple"));
	assert_true(take(VM_EVENT_DISPATCHED, "8 of 8 tasks ran"));
	assert_true(take(VM_EVENT_STOPPING, ""));
	take_exit(2);
	assert_true(results.result.attached && results.result.dispatched && results.stopping);
	assert_false(results.result.died || results.result.not_attached || results.stalled);
	assert_true(results.result.exited && !results.result.exited_early);
	assert_int_equal(results.result.exit_status, 2);
	assert_string_equal(results.result.ops, "simple");
	assert_string_equal(results.result.workload, "8 of 8 tasks ran");
	assert_null(results.result.why_not_attached);
}

static void test_bad_runs(void **state)
{
	(void)state;
	assert_true(take(VM_EVENT_SCHED_DIED, ""));
	assert_true(results.result.died && !results.result.exited);
	assert_true(take(VM_EVENT_NOT_ATTACHED, "too late"));
	assert_true(results.result.not_attached && !results.result.attached);
	assert_string_equal(results.result.why_not_attached, "too late");
	assert_true(take(VM_EVENT_STALLED, "none ran"));
	assert_true(results.stalled && !results.result.dispatched);
	assert_string_equal(results.result.workload, "none ran");
}

/* Without being told to. */
static void test_exited_early(void **state)
{
	(void)state;
	assert_true(take(VM_EVENT_ATTACHED, "simple"));
	take_exit(256);
	assert_true(results.result.exited && results.result.exited_early);
	assert_int_equal(results.result.exit_status, 256);
	/* That it is told to afterwards does not change it. */
	assert_true(take(VM_EVENT_STOPPING, ""));
	assert_true(results.result.exited_early);
}

/* The last word counts, and the one before it is not lost memory. */
static void test_said_twice(void **state)
{
	(void)state;
	assert_true(take(VM_EVENT_ATTACHED, "one"));
	assert_true(take(VM_EVENT_ATTACHED, "two"));
	assert_string_equal(results.result.ops, "two");
	assert_true(take(VM_EVENT_DISPATCHED, "one"));
	assert_true(take(VM_EVENT_STALLED, "two"));
	assert_string_equal(results.result.workload, "two");
	assert_true(take(VM_EVENT_NOT_ATTACHED, "one"));
	assert_true(take(VM_EVENT_NOT_ATTACHED, ""));
	assert_string_equal(results.result.why_not_attached, "");
}

static void test_not_its_own(void **state)
{
	static const enum vm_event_type types[] = {VM_EVENT_INIT_STARTED, VM_EVENT_PAYLOAD_STARTED,
						   VM_EVENT_PROGRAM,      VM_EVENT_OUTPUT,
						   VM_EVENT_READY,        VM_EVENT_EXIT,
						   VM_EVENT_GUEST_DIED,   VM_EVENT_QEMU_EXITED};
	static const struct vm_sched_results none;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		assert_false(take(types[i], "text"));
	assert_memory_equal(&results, &none, sizeof(none));
}

#define HOLE "[... 1 damaged frame from the guest left out here ...]\n"

static void test_log(void **state)
{
	(void)state;
	take_log("one\n", 4, 0);
	take_log("", 0, 0);
	take_log("t\0\xff", 3, 0);
	take_log("wo\n", 3, 0);
	assert_int_equal(results.log.len, 10);
	assert_memory_equal(results.log.data, "one\nt\0\xffwo\n", 10);
	assert_int_equal(results.result.log_dropped, 0);
}

/* Where something is missing, a line says so: on a line of its own, and once. */
static void test_hole(void **state)
{
	(void)state;
	take_log("one\n", 4, 0);
	take_log("three\n", 6, 1);
	take_log("four\n", 5, 1);
	take_log("12: (b7) r", 10, 1);
	take_log("0\n", 2, 4);
	take_log("end\n", 4, 4);
	assert_string_equal(results.log.data,
			    "one\n" HOLE "three\nfour\n12: (b7) r\n"
			    "[... 3 damaged frames from the guest left out here ...]\n0\nend\n");
}

static void test_hole_first(void **state)
{
	(void)state;
	take_log("two\n", 4, 1);
	assert_string_equal(results.log.data, HOLE "two\n");
}

/* The guest went on on another channel, where nothing was damaged yet. */
static void test_fewer_than_before(void **state)
{
	(void)state;
	take_log("one\n", 4, 5);
	take_log("two\n", 4, 0);
	take_log("three\n", 6, 1);
	assert_string_equal(results.log.data + results.log.len - sizeof(HOLE "three\n") - 3,
			    "two\n" HOLE "three\n");
}

/* A log that is n bytes long already, most of which nobody has written. */
static void fill_log(size_t n)
{
	results.log.cap = VM_SCHED_LOG_MAX + 4096;
	results.log.data = malloc(results.log.cap);
	assert_non_null(results.log.data);
	results.log.len = n;
	results.log.data[n - 1] = '\n';
}

static void test_limit(void **state)
{
	(void)state;
	fill_log(VM_SCHED_LOG_MAX - 4);
	take_log("12345", 5, 0);
	assert_int_equal(results.log.len, VM_SCHED_LOG_MAX - 4);
	assert_int_equal(results.result.log_dropped, 5);
	/* Behind what was dropped nothing is kept, though it would fit. */
	take_log("123", 3, 0);
	take_log("1", 1, 1);
	assert_int_equal(results.log.len, VM_SCHED_LOG_MAX - 4);
	assert_int_equal(results.result.log_dropped, 9);
	assert_false(results.log.failed);
}

static void test_just_fits(void **state)
{
	(void)state;
	fill_log(VM_SCHED_LOG_MAX - 4);
	take_log("1234", 4, 0);
	assert_int_equal(results.log.len, VM_SCHED_LOG_MAX);
	assert_memory_equal(results.log.data + VM_SCHED_LOG_MAX - 4, "1234", 5);
	take_log("", 0, 0);
	assert_int_equal(results.result.log_dropped, 0);
	take_log("5", 1, 0);
	assert_int_equal(results.result.log_dropped, 1);
}

/* What else it says is heard all the same. */
static void test_others_at_limit(void **state)
{
	(void)state;
	fill_log(VM_SCHED_LOG_MAX);
	take_log("1", 1, 0);
	assert_true(take(VM_EVENT_ATTACHED, "simple"));
	take_exit(0);
	assert_true(results.result.attached && results.result.exited_early);
}

static void test_deinit(void **state)
{
	static const struct vm_sched_results none;

	(void)state;
	take(VM_EVENT_ATTACHED, "simple");
	take_log("one", 3, 2);
	vm_sched_results_deinit(&results);
	assert_memory_equal(&results, &none, sizeof(none));
}

int main(void)
{
#define sched_test(f) cmocka_unit_test_teardown(f, release)
	const struct CMUnitTest tests[] = {
		sched_test(test_good_run),
		sched_test(test_bad_runs),
		sched_test(test_exited_early),
		sched_test(test_said_twice),
		sched_test(test_not_its_own),
		sched_test(test_log),
		sched_test(test_hole),
		sched_test(test_hole_first),
		sched_test(test_fewer_than_before),
		sched_test(test_limit),
		sched_test(test_just_fits),
		sched_test(test_others_at_limit),
		sched_test(test_deinit),
	};

	return cmocka_run_group_tests_name("vm/sched", tests, NULL, NULL);
}
