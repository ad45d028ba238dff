// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "memory/hlist.h"
#include "tests/memory/fake_facts.h"
#include "tests/memory/textmem.h"

/* struct thing { u32 id; struct hlist_node node; }, with the node at 8. */
enum { THING_ID, THING_NEXT };
static const struct view_field fields[] = {
	[THING_ID] = {.path = "id"},
	[THING_NEXT] = {.path = "node.next"},
};
static const struct view_type type = VIEW_TYPE("thing", fields);

#define LONGEST 4

/* Reads lists; checks that they are "LIST:ID ...", by their places. */
static void check(const char *memory, const gaddr_t *heads, size_t n, size_t damaged,
		  const char *wanted)
{
	struct textmem *m = textmem_create();
	const struct gmem gmem = {textmem_read_physical, m};
	struct kfacts facts = {0};
	struct hlists lists;
	struct kt_error *err;
	char got[512] = "";
	struct view view;
	size_t len = 0;

	fake_member(&facts, "thing", "id", 0, 4);
	fake_member(&facts, "thing", "node.next", 8, 8);
	assert_null(view_init(&view, &type, &facts));
	textmem_text(m, memory);
	err = hlists_read(&gmem,
			  &(struct hlist_layout){
				  .view = &view, .next = THING_NEXT, .node = 8, .longest = LONGEST},
			  heads, n, &lists);
	if (err)
		fail_msg("%s", kt_error_message(err));
	kt_vec_for_each (&lists.v, e)
		if (e->image)
			len += (size_t)snprintf(
				got + len, sizeof(got) - len, "%s%zu:%llu", len ? " " : "", e->list,
				(unsigned long long)view_uint(&view, e->image, THING_ID));
	assert_string_equal(got, wanted);
	assert_int_equal(lists.n_damaged, damaged);
	hlists_deinit(&lists);
	textmem_destroy(m);
}

static void test_lists(void **state)
{
	const gaddr_t heads[] = {0, 0x4008, 0, 0x5008, 0x4048};

	(void)state;
	check("", heads, 1, 0, "");
	check("@0x4000 1 0x4028 @0x4020 2 0x4048 @0x4040 3 0 @0x5000 4 0", heads, 5, 0,
	      "1:1 3:4 4:3 1:2 1:3");
}

static void test_circles(void **state)
{
	const gaddr_t heads[] = {0x4008, 0x5008};

	(void)state;
	check("@0x4000 1 0x4008 @0x5000 4 0", heads, 2, 1, "0:1 1:4");
	check("@0x4000 1 0x4028 @0x4020 2 0x4048 @0x4040 3 0x4028 @0x5000 4 0", heads, 2, 1,
	      "0:1 1:4 0:2 0:3");
}

/* As long as may be, and longer. */
static void test_length(void **state)
{
	const gaddr_t heads[] = {0x4008};

	(void)state;
	check("@0x4000 1 0x4028 @0x4020 2 0x4048 @0x4040 3 0x4068 @0x4060 4 0", heads, 1, 0,
	      "0:1 0:2 0:3 0:4");
	check("@0x4000 1 0x4028 @0x4020 2 0x4048 @0x4040 3 0x4068 @0x4060 4 0x4088 @0x4080 5 0",
	      heads, 1, 1, "0:1 0:2 0:3 0:4");
}

static void test_not_there(void **state)
{
	const gaddr_t heads[] = {0x4008, 0x7fffffff0008, 4};

	(void)state;
	check("@0x4000 1 0x6008", heads, 1, 1, "0:1");
	check("@0x4000 1 0", heads, 3, 2, "0:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_circles),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_not_there),
	};

	return cmocka_run_group_tests_name("memory/hlist", tests, NULL, NULL);
}
