// SPDX-License-Identifier: LGPL-2.1-or-later
/* Registers, stack slots and references in a state text, as 5.10 to 7.3 print them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "logparse/state.h"
#include "tests/logparse/errors.h"
#include "tests/memory/rng.h"

static struct kt_text text_of(const char *s)
{
	return (struct kt_text){s, strlen(s)};
}

/* All items as "R0|_w|scalar() fp-8||mmmm????". */
static const char *items_of(const char *state)
{
	static char out[1000];
	struct kt_state_items it;
	struct kt_state_item item;
	size_t n = 0;

	kt_state_items_init(&it, text_of(state));
	out[0] = '\0';
	while (kt_state_items_next(&it, &item))
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%.*s|%.*s|%.*s", n ? " " : "",
				      (int)item.name.len, item.name.data, (int)item.live.len,
				      item.live.data, (int)item.value.len, item.value.data);
	return out;
}

static void test_items(void **state)
{
	(void)state;
	/* 5.10 */
	assert_string_equal(items_of(" R0_w=invP(id=0,umax_value=7,var_off=(0x0; 0x7)) R1=inv1 "
				     "R10=fp0 fp-8_w=mmmm????"),
			    "R0|_w|invP(id=0,umax_value=7,var_off=(0x0; 0x7)) R1||inv1 "
			    "R10||fp0 fp-8|_w|mmmm????");
	/* 6.1 */
	assert_string_equal(items_of("frame1: R1_rw=Pscalar(umax=3,var_off=(0x0; 0x3)) R10=fp0"),
			    "R1|_rw|Pscalar(umax=3,var_off=(0x0; 0x3)) R10||fp0");
	assert_string_equal(
		items_of("R0_w=alloc_mem_or_null(id=2,ref_obj_id=2,off=0,imm=0) refs=2"),
		"R0|_w|alloc_mem_or_null(id=2,ref_obj_id=2,off=0,imm=0) refs||2");
	/* 7.3 */
	assert_string_equal(
		items_of(
			"frame1: R2=fp[0]-8 fp-16=iter_num(id=1,state=active,depth=0) refs=1,4 cb"),
		"R2||fp[0]-8 fp-16||iter_num(id=1,state=active,depth=0) refs||1,4 cb||cb");
	/* Cut off in the middle, CRLF, words that are none. */
	assert_string_equal(items_of("R1=scalar(umax=3,var_of"), "R1||scalar(umax=3,var_of");
	assert_string_equal(items_of("R1=3\r\n"), "R1||3");
	assert_string_equal(items_of("what R1=3 = R=4 Rx=5 fp=6 R1x=7 R99999999999=8 fp-24=0"),
			    "R1||3 fp-24||0");
	assert_string_equal(items_of(""), "");
}

static void test_frame(void **state)
{
	static const struct {
		const char *text;
		uint32_t frame;
	} cases[] = {
		{"frame1: R1=0", 1}, {" frame12: R1=0", 12}, {"R1=0", 0},
		{"frame: R1=0", 0},  {"frame1 R1=0", 0},     {"", 0},
	};
	struct kt_state_items it;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kt_state_items_init(&it, text_of(cases[i].text));
		assert_int_equal(it.frame, cases[i].frame);
	}
}

static void test_find(void **state)
{
	struct kt_text text = text_of("R1_w=1 R10=fp0 fp-8=mmmm0000 fp-16=ctx() refs=2,3");
	struct kt_state_item item;

	(void)state;
	assert_true(kt_state_find(text, KT_PLACE_REG, 1, &item));
	assert_text(item.value, "1");
	assert_true(kt_state_find(text, KT_PLACE_REG, 10, &item));
	assert_text(item.value, "fp0");
	assert_false(kt_state_find(text, KT_PLACE_REG, 0, &item));
	/* The bytes -8 to -1 are in the slot fp-8. */
	for (int32_t byte = -1; byte >= -16; byte--) {
		assert_true(kt_state_find(text, KT_PLACE_SLOT, byte, &item));
		assert_text(item.name, byte >= -8 ? "fp-8" : "fp-16");
	}
	assert_false(kt_state_find(text, KT_PLACE_SLOT, -17, &item));
	assert_true(kt_state_find(text, KT_PLACE_REFS, 0, &item));
	assert_text(item.value, "2,3");
}

static void test_is(void **state)
{
	static const char *const yes[] = {"R0=1", " R0_w=inv1 R10=fp0", "fp-8=mmmm????", "refs=2",
					  "cb",   "frame1: R0=1",       "frame1:"};
	static const char *const no[] = {"",        "Return value", "R1 !read_ok",
					 "r1 = 0",  "R0 R1=2",      "for (;;) {",
					 "frame 1", "safe",         "R6 invalid mem access 'inv'"};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(kt_state_is(text_of(yes[i])));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(kt_state_is(text_of(no[i])));
}

/* Any bytes: the items stay within the text and come to an end. */
static void test_any_bytes(void **state)
{
	static const char alphabet[] = "R0123fpframe-:=()_, \0;\r\n";
	uint64_t seed = 3;

	(void)state;
	for (int run = 0; run < 3000; run++) {
		size_t len = rng_next(&seed) % 40, n = 0;
		char bytes[40];
		struct kt_state_items it;
		struct kt_state_item item;
		struct kt_text text;

		for (size_t i = 0; i < len; i++)
			bytes[i] = alphabet[rng_next(&seed) % sizeof(alphabet)];
		text = copy_text(bytes, len);
		kt_state_items_init(&it, text);
		while (kt_state_items_next(&it, &item)) {
			assert_true(item.name.data >= text.data);
			assert_true(item.value.data + item.value.len <= text.data + text.len);
			assert_true(++n <= len);
		}
		free((char *)text.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),     cmocka_unit_test(test_frame),
		cmocka_unit_test(test_find),      cmocka_unit_test(test_is),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
