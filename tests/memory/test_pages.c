// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "memory/pages.h"
#include "tests/memory/textmem.h"

static struct textmem *mem;
static struct pages *pages;

static int setup(void **state)
{
	(void)state;
	mem = textmem_create();
	pages = pages_create((struct gmem){textmem_read_physical, mem});
	return pages ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	pages_destroy(pages);
	textmem_destroy(mem);
	return 0;
}

static struct gmem_read read_at(gaddr_t addr, void *buf, size_t len)
{
	const struct gmem memory = pages_memory(pages);
	struct gmem_read read = {addr, len, buf, false};

	assert_null(memory.read(memory.source, &read, 1));
	return read;
}

/* What lies close is read once, and a piece across pages is whole. */
static void test_neighbours(void **state)
{
	char text[16] = "";

	(void)state;
	textmem_text(mem, "@0x1ff8 \"across pages\" @0x2100 \"here\"");
	assert_false(read_at(0x1ff8, text, 12).fault);
	assert_string_equal(text, "across pages");
	assert_int_equal(mem->reads, 2);
	memset(text, 0, sizeof(text));
	assert_false(read_at(0x2100, text, 4).fault);
	assert_string_equal(text, "here");
	assert_int_equal(mem->reads, 2);
}

static void test_faults(void **state)
{
	char text[16];

	(void)state;
	textmem_text(mem, "@0x1ff8 \"the end.\"");
	assert_false(read_at(0x1ff8, text, 8).fault);
	assert_true(read_at(0x1ff8, text, 9).fault);
	assert_true(read_at(0x2000, text, 1).fault);
	assert_true(read_at(0x2ff0, text, 16).fault);
	assert_int_equal(mem->reads, 2);
	/* The last bytes that have an address, and what would go beyond them. */
	assert_true(read_at(UINT64_MAX - 7, text, 8).fault);
	assert_true(read_at(UINT64_MAX - 7, text, 16).fault);
}

/* When it has all the pages that it keeps, pieces are read by themselves. */
static void test_many(void **state)
{
	uint64_t value;

	(void)state;
	for (gaddr_t i = 1; i <= PAGES_MAX + 100; i++)
		textmem_put_uint(mem, i * 4096, i, 8);
	for (unsigned int pass = 0; pass < 2; pass++)
		for (gaddr_t i = 1; i <= PAGES_MAX + 100; i++) {
			assert_false(read_at(i * 4096, &value, 8).fault);
			assert_int_equal(value, i);
		}
	assert_int_equal(mem->reads, PAGES_MAX + 200);
	assert_int_equal(mem->bytes, PAGES_MAX * 4096 + 200 * 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_neighbours), TEST(test_faults),
					   TEST(test_many)};

	return cmocka_run_group_tests_name("memory/pages", tests, NULL, NULL);
}
