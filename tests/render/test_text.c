// SPDX-License-Identifier: LGPL-2.1-or-later
/* Lines that are broken at blanks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "render/text.h"

#define EXPECT(line, width, want)                                                                  \
	do {                                                                                       \
		struct kt_buf buf = KT_BUF_INIT;                                                   \
		render_append_wrapped(&buf, line, width, "  ");                                    \
		assert_string_equal(buf.data ? buf.data : "", want);                               \
		kt_buf_deinit(&buf);                                                               \
	} while (0)

static void test_wrapped(void **state)
{
	(void)state;
	EXPECT("", 8, "");
	EXPECT("one two", 7, "one two");
	EXPECT("one two", 6, "one\n  two");
	EXPECT("  one two three", 9, "  one two\n  three");
	EXPECT("one two three four", 11, "one two\n  three\n  four");
	/* A word that is too long stays whole. */
	EXPECT("a longer_than_that b", 6, "a\n  longer_than_that\n  b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_wrapped)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
