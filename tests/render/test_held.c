// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "render/objects.h"

#define N_FDS  9
#define N_PINS 7

/* Processes 1 to 8, of which the first one has two descriptors; seven files. */
static struct held_fd fds[N_FDS];
static struct held_pin pins[N_PINS];
static char paths[N_PINS][8];

static struct map held_map(void)
{
	for (uint32_t i = 0; i < N_FDS; i++) {
		fds[i] = (struct held_fd){{HELD_MAP, 7}, i ? i : 1, 3 + i, ""};
		snprintf(fds[i].comm, sizeof(fds[i].comm), "p%u", fds[i].pid);
	}
	for (uint32_t i = 0; i < N_PINS; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/f%u", i);
		pins[i] = (struct held_pin){{HELD_MAP, 7}, paths[i]};
	}
	return (struct map){.id = 7, .held = {true, true, fds, N_FDS, pins, N_PINS}};
}

/* A table has room for six, and says how many more there are; CSV has all. */
static void test_many(void **state)
{
	struct map map = held_map();
	struct maps maps = {&map, 1, 0};
	struct render_grid grid = render_maps_grid(&maps);
	struct kt_buf table = KT_BUF_INIT, csv = KT_BUF_INIT;

	(void)state;
	assert_null(render_grid_select(&grid, "pids,pinned"));
	assert_null(render_grid_table(&grid, 0, false, &table));
	assert_non_null(strstr(table.data, "\np1(1),p2(2),p3(3),p4(4),p5(5),p6(6),+2 "));
	assert_non_null(strstr(table.data, " /f0,/f1,/f2,/f3,/f4,/f5,+1\n"));
	assert_null(render_grid_csv(&grid, &csv));
	kt_buf_appendc(&csv, '\0');
	assert_string_equal(csv.data, "pids,pinned\n\"p1(1),p2(2),p3(3),p4(4),p5(5),p6(6),p7(7),"
				      "p8(8)\",\"/f0,/f1,/f2,/f3,/f4,/f5,/f6\"\n");
	kt_buf_deinit(&table);
	kt_buf_deinit(&csv);
}

static void test_document(void **state)
{
	struct map maps_of[] = {held_map(), {.id = 8}, {.id = 9, .held.fds_known = true}};
	struct maps maps = {maps_of, 3, 0};
	struct render_grid grid = render_maps_grid(&maps);
	json_t *object = json_object(), *first;

	(void)state;
	render_grid_json(&grid, &maps_of[0], object);
	assert_int_equal(json_array_size(json_object_get(object, "pids")), 8);
	assert_int_equal(json_array_size(json_object_get(object, "pinned")), N_PINS);
	first = json_array_get(json_object_get(object, "pids"), 0);
	assert_int_equal(json_integer_value(json_object_get(first, "pid")), 1);
	assert_string_equal(json_string_value(json_object_get(first, "comm")), "p1");
	assert_int_equal(json_array_size(json_object_get(first, "fds")), 2);
	/* Nobody asked; and nobody holds it. */
	render_grid_json(&grid, &maps_of[1], object);
	assert_true(json_is_null(json_object_get(object, "pids")));
	render_grid_json(&grid, &maps_of[2], object);
	assert_true(json_is_array(json_object_get(object, "pids")));
	assert_int_equal(json_array_size(json_object_get(object, "pids")), 0);
	assert_true(json_is_null(json_object_get(object, "pinned")));
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_many),
					   cmocka_unit_test(test_document)};

	return cmocka_run_group_tests_name("render/held", tests, NULL, NULL);
}
