// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vm/event.h"

static struct kt_buf text;

static int release(void **state)
{
	(void)state;
	kt_buf_deinit(&text);
	text = (struct kt_buf)KT_BUF_INIT;
	return 0;
}

/* The payload is of its own length, so that a byte read behind it is noticed; *ret points there. */
static bool read_frame(uint32_t type, const void *payload, size_t len, struct vm_event *ret)
{
	static uint8_t *copy;
	const struct kt_frame frame = {type, copy = realloc(copy, len ? len : 1), len};

	assert_non_null(copy);
	if (len)
		memcpy(copy, payload, len);
	return vm_event_from_frame(&frame, &text, ret);
}

static void read_known(uint32_t type, const void *payload, size_t len, struct vm_event *ret)
{
	assert_true(read_frame(type, payload, len, ret));
}

/* Nobody knows it, and *ret is untouched. */
static void unknown(uint32_t type, const void *payload, size_t len)
{
	struct vm_event event, before;

	memset(&event, 0x67, sizeof(event));
	before = event;
	assert_false(read_frame(type, payload, len, &event));
	assert_memory_equal(&event, &before, sizeof(event));
}

/* The numbers as the specification has them, and those that came later. */
static void test_phases(void **state)
{
	static const struct {
		uint8_t phase;
		enum vm_event_type type;
	} truth[] = {
		{1, VM_EVENT_INIT_STARTED}, {2, VM_EVENT_PAYLOAD_STARTED}, {3, VM_EVENT_SCHED_DIED},
		{4, VM_EVENT_NOT_ATTACHED}, {5, VM_EVENT_ATTACHED},        {6, VM_EVENT_DISPATCHED},
		{16, VM_EVENT_READY},       {17, VM_EVENT_STALLED},        {18, VM_EVENT_STOPPING},
		{19, VM_EVENT_WAITING},     {20, VM_EVENT_TOO_SLOW},
	};
	const size_t n = sizeof(truth) / sizeof(*truth);

	(void)state;
	for (unsigned phase = 0; phase < 256; phase++) {
		const uint8_t payload[] = {(uint8_t)phase, 'w', 'h', 'y'};
		struct vm_event event;
		size_t i = 0;

		while (i < n && truth[i].phase != phase)
			i++;
		if (i == n) {
			unknown(0x4c494645, payload, sizeof(payload));
			unknown(0x4c494645, payload, 1);
			continue;
		}
		read_known(0x4c494645, payload, sizeof(payload), &event);
		assert_int_equal(event.type, truth[i].type);
		assert_string_equal(event.text, "why");
		read_known(0x4c494645, payload, 1, &event);
		assert_int_equal(event.type, truth[i].type);
		assert_string_equal(event.text, "");
	}
	unknown(0x4c494645, "", 0);
}

/* A text is a string of one line, whatever the guest puts there. */
static void test_hostile_text(void **state)
{
	struct vm_event event;

	(void)state;
	read_known(KT_FRAME_LIFECYCLE, "\4%s\xff\0more", 9, &event);
	assert_string_equal(event.text, "%s\xff?more");
	assert_int_equal(text.len, 8);
	read_known(KT_FRAME_LIFECYCLE, "\4a\nb: PASS\033[2J\177c", 16, &event);
	assert_string_equal(event.text, "a?b: PASS?[2J?c");
}

static void test_exit(void **state)
{
	static const struct {
		uint32_t frame;
		enum vm_event_type type;
	} truth[] = {{0x45584954, VM_EVENT_EXIT}, {0x53434458, VM_EVENT_SCHED_EXIT}};
	struct vm_event event;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		read_known(truth[i].frame, "\0\3\0\0", 4, &event);
		assert_int_equal(event.type, truth[i].type);
		assert_int_equal(event.status, 0x300);
		read_known(truth[i].frame, "\xff\xff\xff\xff", 4, &event);
		assert_int_equal(event.status, -1);
		unknown(truth[i].frame, "", 0);
		unknown(truth[i].frame, "\0\0\0", 3);
		unknown(truth[i].frame, "\0\0\0\0\0", 5);
	}
}

static void test_log(void **state)
{
	struct vm_event event;

	(void)state;
	read_known(0x53434c47, "a\0\xff\n", 4, &event);
	assert_int_equal(event.type, VM_EVENT_SCHED_LOG);
	assert_int_equal(event.len, 4);
	assert_memory_equal(event.data, "a\0\xff\n", 4);
	read_known(0x53434c47, "", 0, &event);
	assert_int_equal(event.len, 0);
}

static void test_output(void **state)
{
	struct vm_event event;

	(void)state;
	read_known(KT_FRAME_OUTPUT, "\2hello", 6, &event);
	assert_int_equal(event.type, VM_EVENT_OUTPUT);
	assert_int_equal(event.stream, 2);
	assert_int_equal(event.len, 5);
	assert_memory_equal(event.data, "hello", 5);
	read_known(KT_FRAME_OUTPUT, "\1", 1, &event);
	assert_int_equal(event.len, 0);
	unknown(KT_FRAME_OUTPUT, "", 0);
}

static void test_program(void **state)
{
	const struct kt_prog_record record = {.error = 13,
					      .id = 7,
					      .object = 2,
					      .section = "tc",
					      .name = "p",
					      .type = "sched_cls",
					      .place = "",
					      .log = "why",
					      .log_len = 3,
					      .log_dropped = 99};
	struct kt_buf payload = KT_BUF_INIT;
	struct vm_event event;

	(void)state;
	kt_prog_record_encode(&payload, &record);
	read_known(KT_FRAME_PROG, payload.data, payload.len, &event);
	assert_int_equal(event.type, VM_EVENT_PROGRAM);
	assert_int_equal(event.program.error, 13);
	assert_int_equal(event.program.id, 7);
	assert_int_equal(event.program.object, 2);
	assert_string_equal(event.program.section, "tc");
	assert_string_equal(event.program.name, "p");
	assert_string_equal(event.program.type, "sched_cls");
	assert_int_equal(event.program.log_len, 3);
	assert_memory_equal(event.program.log, "why", 3);
	assert_int_equal(event.program.log_dropped, 99);
	for (size_t len = 0; len < payload.len - 3; len++)
		unknown(KT_FRAME_PROG, payload.data, len);
	kt_buf_deinit(&payload);
}

static void test_left_out(void **state)
{
	struct vm_event event;

	(void)state;
	read_known(0x4c454654, "\7\1\0\0", 4, &event);
	assert_int_equal(event.type, VM_EVENT_LEFT_OUT);
	assert_int_equal(event.status, 0x107);
	unknown(0x4c454654, "\7\1\0", 3);
}

/* Of a newer guest, of the host itself, and one bit off. */
static void test_unknown_types(void **state)
{
	(void)state;
	unknown(0x41414141, "\1", 1);
	unknown(KT_FRAME_COMMAND, "\1", 1);
	unknown(KT_FRAME_SCHED_LOG ^ 1, "text", 4);
	unknown(0, "", 0);
	unknown(UINT32_MAX, "", 0);
}

static void test_text(void **state)
{
	(void)state;
	assert_string_equal(vm_event_text(&text, "one", 3), "one");
	assert_string_equal(vm_event_text(&text, "other", 2), "ot");
	assert_string_equal(vm_event_text(&text, "", 0), "");
}

int main(void)
{
#define event_test(f) cmocka_unit_test_teardown(f, release)
	const struct CMUnitTest tests[] = {
		event_test(test_phases),   event_test(test_hostile_text),  event_test(test_exit),
		event_test(test_log),      event_test(test_output),        event_test(test_program),
		event_test(test_left_out), event_test(test_unknown_types), event_test(test_text),
	};

	return cmocka_run_group_tests_name("vm/event", tests, NULL, NULL);
}
