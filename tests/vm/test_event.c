// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a guest says, and what of it gets any further. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "vm/event.h"

static struct kt_buf text;

static bool take(uint32_t type, const char *payload, size_t len, struct vm_event *ret)
{
	struct kt_frame frame = {type, (const uint8_t *)payload, len};

	return vm_event_from_frame(&frame, &text, ret);
}

static void test_a_reason_is_one_line(void **state)
{
	struct vm_event event;

	(void)state;
	assert_true(take(KT_FRAME_LIFECYCLE, "\4a\nb: PASS\033[2J\177c", 16, &event));
	assert_int_equal(event.type, VM_EVENT_NOT_ATTACHED);
	assert_string_equal(event.text, "a?b: PASS?[2J?c");
	assert_true(take(KT_FRAME_LIFECYCLE, "\5", 1, &event));
	assert_int_equal(event.type, VM_EVENT_ATTACHED);
	assert_string_equal(event.text, "");
}

static void test_what_is_none(void **state)
{
	struct vm_event event = {.type = VM_EVENT_READY};

	(void)state;
	assert_false(take(KT_FRAME_LIFECYCLE, "", 0, &event));
	assert_false(take(KT_FRAME_LIFECYCLE, "\377x", 2, &event));
	assert_false(take(KT_FRAME_EXIT, "\1\2\3", 3, &event));
	assert_false(take(KT_FRAME_SCHED_EXIT, "", 0, &event));
	assert_false(take(KT_FRAME_OUTPUT, "", 0, &event));
	assert_false(take(KT_FRAME_PROG, "x", 1, &event));
	assert_false(take(KT_FRAME_COMMAND, "\1", 1, &event));
	assert_int_equal(event.type, VM_EVENT_READY);
}

static int release(void **state)
{
	(void)state;
	kt_buf_deinit(&text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_reason_is_one_line),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests_name("vm/event", tests, NULL, release);
}
