// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "model/json.h"
#include "render/objects.h"

#define N 4

static struct program_number known(uint64_t value)
{
	return (struct program_number){true, value};
}

static char hash[] = "hash", array[] = "array";

/* The last one's type and numbers are not known. */
static struct map rows[N];
static struct maps maps = {.all = rows, .n = N};

static int setup(void **state)
{
	static const struct map all[N] = {
		{.id = 3, .type = hash, .name = "one", .bytes_key = {true, 8}, .frozen = {true, 1}},
		{.id = 7, .type = array, .name = "two", .bytes_key = {true, 4}},
		{.id = 9, .type = hash, .name = "three", .bytes_key = {true, UINT32_MAX}},
		{.id = 12, .name = "four\033[2J"},
	};

	(void)state;
	memcpy(rows, all, sizeof(rows));
	rows[1].flags = known(UINT64_MAX);
	return 0;
}

static void test_filter_keeps_every_row(void **state)
{
	struct render_grid grid = render_maps_grid(&maps);
	const char *types[] = {"hash"}, *globs[] = {"t*"};
	uint32_t seen = 0;

	(void)state;
	render_objects_filter(&grid, &(struct render_filter){.types = types, .n_types = 1});
	assert_int_equal(grid.n_rows, 2);
	assert_int_equal(rows[0].id, 3);
	assert_int_equal(rows[1].id, 9);
	for (size_t i = 0; i < N; i++)
		seen += rows[i].id;
	assert_int_equal(seen, 3 + 7 + 9 + 12);
	render_objects_filter(&grid, &(struct render_filter){.globs = globs, .n_globs = 1});
	assert_int_equal(grid.n_rows, 1);
	assert_string_equal(rows[0].name, "three");
}

static void test_filter_by_id(void **state)
{
	struct render_grid grid = render_maps_grid(&maps);
	const uint32_t ids[] = {12, 7, 99};

	(void)state;
	render_objects_filter(&grid, &(struct render_filter){.ids = ids, .n_ids = 3});
	assert_int_equal(grid.n_rows, 2);
	assert_int_equal(rows[0].id, 7);
	assert_int_equal(rows[1].id, 12);
}

static void test_select(void **state)
{
	struct render_grid grid = render_maps_grid(&maps);
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err;

	(void)state;
	assert_null(render_grid_select(&grid, "name,id,key_size"));
	assert_null(render_grid_csv(&grid, &out));
	assert_string_equal(out.data, "name,id,bytes_key\none,3,8\ntwo,7,4\nthree,9,4294967295\n"
				      "four\\x1b[2J,12,\n");
	kt_buf_deinit(&out);
	grid = render_maps_grid(&maps);
	err = render_grid_select(&grid, "id,nope");
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	assert_non_null(strstr(kt_error_message(err), "no column \"nope\"; there are id, type"));
	kt_error_destroy(err);
	err = render_grid_select(&grid, "id,");
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	kt_error_destroy(err);
}

static void test_json(void **state)
{
	struct render_grid grid = render_maps_grid(&maps);
	const struct render_guest guest = {.release = "6.1", .arch = "x86_64", .pause_us = 5};
	json_t *root, *all;
	json_error_t why;
	char *text;

	(void)state;
	assert_null(render_objects_json(&grid, "maps", &guest, &text));
	assert_non_null(strstr(text, "\"flags\": 18446744073709551615,"));
	root = kt_json_load((struct kt_text){text, strlen(text)}, JSON_REJECT_DUPLICATES, &why);
	free(text);
	assert_string_equal(json_string_value(json_object_get(root, "schema")),
			    "ktstr-gdb.maps.v1");
	all = json_object_get(root, "maps");
	assert_int_equal(json_array_size(all), N);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 0), "bytes_key")),
			 8);
	assert_true(json_is_null(json_object_get(json_array_get(all, 3), "type")));
	json_decref(root);
}

/* The width of the widest line of a table. */
static size_t widest(const char *text)
{
	size_t ret = 0;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		ret = strcspn(text, "\n") > ret ? strcspn(text, "\n") : ret;
	return ret;
}

static char xdp[] = "xdp", perf_event[] = "perf_event", device[] = "eth0", uprobe[] = "uprobe";
static char prog_type[] = "raw_tracepoint_writable", attach_type[] = "cgroup_inet_sock_release";
static char file[] = "/usr/lib/x86_64-linux-gnu/libabigail-with-a-name-that-is-not-short.so.6.0.1";

/* A table has no column of which nothing is known. */
static void test_links_table(void **state)
{
	struct link row = {.id = 1, .type = xdp, .ifindex = {true, 2}, .devname = device};
	struct links links = {.all = &row, .n = 1};
	struct render_grid grid = render_links_grid(&links);
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	assert_null(render_grid_table(&grid, 0, false, &out));
	assert_string_equal(out.data, "ID TYPE ATTACHED TO\n 1 xdp  eth0 ifindex 2\n");
	kt_buf_deinit(&out);
}

/* --help says in which order columns go; nothing of the last one is lost. */
static void test_links_table_fits(void **state)
{
	struct link row = {
		.id = 1,
		.type = perf_event,
		.prog_id = {true, 4294967295},
		.prog_type = prog_type,
		.attach_type = attach_type,
		.cookie = {true, UINT64_MAX},
		.missed = {true, UINT32_MAX},
		.perf_type = uprobe,
		.file = file,
		.offset = {true, 0x1234},
	};
	static const char *const heads[] = {"PROG TYPE", "COOKIE", "MISSED", "ATTACH TYPE"};
	struct links links = {.all = &row, .n = 1};
	struct render_grid grid = render_links_grid(&links);
	size_t left = 0;

	(void)state;
	for (size_t width = 250; width >= 40; width--) {
		struct kt_buf out = KT_BUF_INIT;

		assert_null(render_grid_table(&grid, width, false, &out));
		assert_true(widest(out.data) <= width);
		for (size_t i = 0; i < 4; i++)
			if (i < left)
				assert_null(strstr(out.data, heads[i]));
			else if (!strstr(out.data, heads[i]))
				left++;
		assert_non_null(strstr(out.data, "ATTACHED TO"));
		kt_buf_deinit(&out);
	}
	assert_int_equal(left, 4);
}

/* Who names columns gets them. */
static void test_selected_stay(void **state)
{
	struct link row = {.id = 1, .type = perf_event, .file = file, .prog_type = prog_type};
	struct links links = {.all = &row, .n = 1};
	struct render_grid grid = render_links_grid(&links);
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	assert_null(render_grid_select(&grid, "prog_type,file"));
	assert_null(render_grid_table(&grid, 40, false, &out));
	assert_non_null(strstr(out.data, prog_type));
	assert_non_null(strstr(out.data, file));
	kt_buf_deinit(&out);
}

/* A name where perf has one, else the number. */
static void test_event_names(void **state)
{
	static char software[] = "software";
	struct link both[] = {
		{.id = 1,
		 .event_type = {true, 1},
		 .event_config = {true, 99},
		 .event_type_name = software},
		{.id = 2, .cookie = {true, UINT64_MAX}, .prio = {true, (uint64_t)-5}},
	};
	struct links links = {.all = both, .n = 2};
	struct render_grid grid = render_links_grid(&links);
	const struct render_guest guest = {.release = "7.3"};
	char *text;

	(void)state;
	assert_null(render_objects_json(&grid, "links", &guest, &text));
	assert_non_null(strstr(text, "\"event_type\": \"software\""));
	assert_non_null(strstr(text, "\"event_config\": 99"));
	assert_non_null(strstr(text, "\"cookie\": 18446744073709551615"));
	assert_non_null(strstr(text, "\"prio\": -5"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_filter_keeps_every_row, setup),
		cmocka_unit_test_setup(test_filter_by_id, setup),
		cmocka_unit_test_setup(test_select, setup),
		cmocka_unit_test_setup(test_json, setup),
		cmocka_unit_test(test_links_table),
		cmocka_unit_test(test_links_table_fits),
		cmocka_unit_test(test_selected_stay),
		cmocka_unit_test(test_event_names),
	};

	return cmocka_run_group_tests_name("objects", tests, NULL, NULL);
}
