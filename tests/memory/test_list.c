// SPDX-License-Identifier: LGPL-2.1-or-later
/* Linked lists, well and ill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "memory/list.h"
#include "tests/memory/fake_facts.h"
#include "tests/memory/textmem.h"

/* A thing of 64 bytes: value, node of a list at 16, its children's head at 32. */
static const struct view_field fields[] = {
	{.path = "value"}, {.path = "node.next"}, {.path = "children.next"}};
static const struct view_type thing = VIEW_TYPE("thing", fields);
static const struct list_type plain = {&thing, 1, .node = "node"};
static const struct list_type tree = {&thing, 1, "node", 2, .children_head = "children"};

#define MAX 50

static void facts_init(struct kfacts *facts)
{
	*facts = (struct kfacts){0};
	fake_member(facts, "thing", "value", 0, 8);
	fake_member(facts, "thing", "node", 16, 16);
	fake_member(facts, "thing", "node.next", 16, 8);
	fake_member(facts, "thing", "children", 32, 16);
	fake_member(facts, "thing", "children.next", 32, 8);
}

/* The lists' values as "owner:value ..." in the order in which they were found. */
static void check_lists(struct lists *lists, size_t damaged, const char *wanted)
{
	char got[1024] = "";
	size_t len = 0;

	kt_vec_for_each (&lists->items, item)
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%d:%d", len ? " " : "",
					(int)item->owner,
					(int)view_uint(&lists->view, item->image, 0));
	assert_string_equal(got, wanted);
	assert_int_equal(lists->n_damaged, damaged);
}

/* Two lists: one of list_head at 0x100, one that ends with a null pointer. */
static void check(const char *memory, gaddr_t first, gaddr_t bare, size_t damaged,
		  const char *wanted)
{
	struct textmem *m = textmem_create();
	struct gmem memory_of = {textmem_read_physical, m};
	struct kfacts facts;
	struct lists lists;

	facts_init(&facts);
	textmem_text(m, memory);
	assert_true(lists_init(&lists, &plain, &facts, MAX));
	assert_null(lists_add(&lists, 1, 0x100, first));
	assert_null(lists_add(&lists, 2, 0, bare));
	assert_null(lists_read(&lists, &memory_of));
	check_lists(&lists, damaged, wanted);
	lists_deinit(&lists);
	textmem_destroy(m);
}

static void test_lists(void **state)
{
	(void)state;
	check("", 0x100, 0, 0, "");
	check("@0x1000 7 0 0x2010 0 0 0 @0x2000 8 0 0x100 0 0 0 @0x3000 9 0 0 0 0 0", 0x1010,
	      0x3010, 0, "1:7 2:9 1:8");
}

static void test_damage(void **state)
{
	(void)state;
	/* A list_head never leads to 0. */
	check("@0x1000 7 0 0 0 0 0", 0x1010, 0, 1, "1:7");
	check("", 0, 0, 1, "");
	/* To itself, back into the middle, and from one list into another. */
	check("@0x1000 7 0 0x1010 0 0 0", 0x1010, 0, 1, "1:7");
	check("@0x1000 7 0 0x2010 0 0 0 @0x2000 8 0 0x1010 0 0 0", 0x1010, 0, 1, "1:7 1:8");
	check("@0x1000 7 0 0x100 0 0 0 @0x2000 8 0 0x1010 0 0 0", 0x1010, 0x2010, 1, "1:7 2:8");
	/* To nowhere. */
	check("@0x1000 7 0 0x8000000010 0 0 0", 0x1010, 0x9000000010, 2, "1:7");
}

/* A list with no end in sight. */
static void test_bound(void **state)
{
	struct textmem *m = textmem_create();
	struct gmem memory = {textmem_read_physical, m};
	struct kfacts facts;
	struct lists lists;

	(void)state;
	facts_init(&facts);
	for (unsigned int i = 0; i < 4 * MAX; i++)
		textmem_printf(m, "@%#x %u 0 %#x 0 0 0\n", 0x10000 + 64 * i, i,
			       0x10000 + 64 * (i + 1) + 16);
	assert_true(lists_init(&lists, &plain, &facts, MAX));
	assert_null(lists_add(&lists, 3, 0, 0x10010));
	assert_null(lists_read(&lists, &memory));
	assert_int_equal(lists.items.len, MAX);
	assert_int_equal(lists.n_damaged, 1);
	assert_int_equal(lists.cut.len, 1);
	assert_int_equal(lists.cut.data[0], 3);
	lists_deinit(&lists);
	textmem_destroy(m);
}

/* As many turns as the caller wants, of two lists that would go on. */
static void test_turns(void **state)
{
	struct textmem *m = textmem_create();
	struct gmem memory = {textmem_read_physical, m};
	struct kfacts facts;
	struct lists lists;

	(void)state;
	facts_init(&facts);
	for (unsigned int i = 0; i < 20; i++)
		textmem_printf(m, "@%#x %u 0 %#x 0 0 0\n", 0x10000 + 64 * i, i,
			       0x10000 + 64 * (i + 2) + 16);
	assert_true(lists_init(&lists, &plain, &facts, MAX));
	lists.max_turns = 3;
	assert_null(lists_add(&lists, 0, 0, 0x10010));
	assert_null(lists_add(&lists, 1, 0, 0x10050));
	assert_null(lists_read(&lists, &memory));
	check_lists(&lists, 0, "0:0 1:1 0:2 1:3 0:4 1:5");
	assert_int_equal(lists.n_cut, 2);
	assert_int_equal(lists.cut.len, 2);
	assert_int_equal(lists.cut.data[0], 0);
	assert_int_equal(lists.cut.data[1], 1);
	lists_deinit(&lists);
	textmem_destroy(m);
}

/* From both ends: lists with an odd and an even number of objects, and with one. */
static void test_both(void **state)
{
	static const struct view_field both_fields[] = {
		{.path = "value"}, {.path = "node.next"}, {.path = "node.prev"}};
	static const struct view_type both_view = VIEW_TYPE("thing", both_fields);
	static const struct list_type both = {&both_view, 1, .node = "node", .prev = 2};
	struct textmem *m = textmem_create();
	struct gmem memory = {textmem_read_physical, m};
	struct kfacts facts;
	struct lists lists;
	char got[128] = "";

	(void)state;
	facts_init(&facts);
	fake_member(&facts, "thing", "node.prev", 24, 8);
	textmem_text(m,
		     "@0x1000 1 0 0x1110 0x100 @0x1100 2 0 0x1210 0x1010 @0x1200 3 0 0x100 0x1110"
		     "@0x2000 4 0 0x2110 0x200 @0x2100 5 0 0x200 0x2010 @0x3000 6 0 0x300 0x300");
	assert_true(lists_init(&lists, &both, &facts, MAX));
	assert_null(lists_add_both(&lists, 1, 0x100, 0x1010, 0x1210));
	assert_null(lists_add_both(&lists, 2, 0x200, 0x2010, 0x2110));
	assert_null(lists_add_both(&lists, 3, 0x300, 0x3010, 0x3010));
	assert_null(lists_add_both(&lists, 4, 0x400, 0x400, 0x400));
	m->calls = 0;
	assert_null(lists_read(&lists, &memory));
	assert_int_equal(m->calls, 2);
	kt_vec_for_each (&lists.items, item)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%d:%d%s ", (int)item->owner,
			 (int)view_uint(&lists.view, item->image, 0), item->is_back ? "<" : "");
	assert_string_equal(got, "1:1 1:3< 2:4 2:5< 3:6 1:2 ");
	assert_int_equal(lists.n_damaged, 0);
	lists_deinit(&lists);
	textmem_destroy(m);
}

/* Lists whose last pointer is odd: that of an empty one, too. */
static void test_nulls(void **state)
{
	static const struct list_type nulls = {&thing, 1, .node = "node", .is_nulls = true};
	struct textmem *m = textmem_create();
	struct gmem memory = {textmem_read_physical, m};
	struct kfacts facts;
	struct lists lists;

	(void)state;
	facts_init(&facts);
	textmem_text(m, "@0x1000 7 0 0x2010 0 0 0 @0x2000 8 0 0x101 0 0 0");
	assert_true(lists_init(&lists, &nulls, &facts, MAX));
	assert_null(lists_add(&lists, 1, 0, 0x1010));
	assert_null(lists_add(&lists, 2, 0, 0x201));
	assert_null(lists_add(&lists, 3, 0, 0));
	assert_null(lists_read(&lists, &memory));
	check_lists(&lists, 0, "1:7 1:8");
	lists_deinit(&lists);
	textmem_destroy(m);
}

static void check_tree(const char *memory, size_t damaged, const char *wanted)
{
	struct textmem *m = textmem_create();
	struct gmem memory_of = {textmem_read_physical, m};
	struct kfacts facts;
	struct lists lists;

	facts_init(&facts);
	textmem_text(m, memory);
	assert_true(lists_init(&lists, &tree, &facts, MAX));
	assert_null(lists_add_root(&lists, 0x1000));
	assert_null(lists_read(&lists, &memory_of));
	check_lists(&lists, damaged, wanted);
	lists_deinit(&lists);
	textmem_destroy(m);
}

static void test_tree(void **state)
{
	(void)state;
	/* A root with two children, of which the first has one. */
	check_tree("@0x1000 1 0 0 0 0x2010 0"
		   "@0x2000 2 0 0x3010 0 0x4010 0 @0x3000 3 0 0x1020 0 0x3020 0"
		   "@0x4000 4 0 0x2020 0 0x4020 0",
		   0, "-1:1 0:2 1:4 0:3");
	/* A child that is its own grandparent. */
	check_tree("@0x1000 1 0 0 0 0x2010 0 @0x2000 2 0 0x1020 0 0x1010 0", 1, "-1:1 0:2");
	check_tree("", 1, "");
}

static void test_absent(void **state)
{
	struct kfacts facts;
	struct lists lists;

	(void)state;
	facts_init(&facts);
	fake_drop(&facts, KFACTS_MEMBER, "thing", "node");
	assert_false(lists_init(&lists, &plain, &facts, MAX));
	lists_deinit(&lists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists), cmocka_unit_test(test_damage),
		cmocka_unit_test(test_bound), cmocka_unit_test(test_turns),
		cmocka_unit_test(test_nulls), cmocka_unit_test(test_both),
		cmocka_unit_test(test_tree),  cmocka_unit_test(test_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
