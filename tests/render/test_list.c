// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which programs and columns are shown, and in what order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "tests/render/list.h"

static void test_column_names(void **state)
{
	static const char *const pairs[][2] = {
		{"insns", "verified_insns"},
		{"xlated", "bytes_xlated"},
		{"loaded", "loaded_at"},
		{"gpl", "gpl_compatible"},
		{"maps", "map_ids"},
		{"btf", "btf_id"},
		{"runs", "run_cnt"},
		{"run_time", "run_time_ns"},
		{"misses", "recursion_misses"},
	};
	const struct render_grid all = columns(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const struct render_column *a, *b;

		a = column(pairs[i][0], strlen(pairs[i][0]));
		b = column(pairs[i][1], strlen(pairs[i][1]));
		assert_non_null(a);
		assert_ptr_equal(a, b);
	}
	assert_non_null(column("idx", 2));
	assert_null(column("idx", 3));
	assert_null(column("id", 1));
	assert_null(column("", 0));
	assert_null(column("ID", 2));
	for (size_t i = 0; i < all.n_columns; i++)
		assert_ptr_equal(column(all.columns[i].name, strlen(all.columns[i].name)),
				 &all.columns[i]);
	assert_int_equal(all.n_columns, 30);
}

static void test_column_lists(void **state)
{
	static const char *const bad[] = {"",         "id,",      ",id",         "id,,name",
					  "id, name", "nonsense", "id,nonsense", "id;name"};
	struct render_grid cols = columns("insns,id,insns"), before;

	(void)state;
	assert_int_equal(cols.n_selected, 3);
	assert_ptr_equal(cols.selected[0], cols.selected[2]);
	assert_ptr_equal(cols.selected[1], column("id", 2));
	before = cols;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct kt_error *err = render_grid_select(&cols, bad[i]);

		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
		assert_non_null(strstr(kt_error_message(err), "verified_insns"));
		assert_memory_equal(&cols, &before, sizeof(cols));
		kt_error_destroy(err);
	}
}

static void test_too_many_columns(void **state)
{
	char text[256] = "id";
	struct render_grid cols = columns(NULL);
	struct kt_error *err;

	(void)state;
	for (int i = 1; i < RENDER_SELECTED_MAX; i++)
		strcat(text, ",id");
	assert_int_equal(columns(text).n_selected, RENDER_SELECTED_MAX);
	strcat(text, ",id");
	err = render_grid_select(&cols, text);
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	kt_error_destroy(err);
}

static struct programs five(void)
{
	struct programs p = {0};

	put(&p, full(4, "xdp", "beta", "beta", 10));
	put(&p, full(2, "sched_cls", "alpha", "alpha", 30));
	put(&p, blank(9));
	put(&p, full(3, "xdp", "gamma_is_long__", "gamma_is_long__long", 10));
	put(&p, blank(1));
	return p;
}

static void check_order(const char *name, bool reversed, const char *wanted)
{
	struct programs p = five();
	char key[32];

	snprintf(key, sizeof(key), "%s%s", reversed ? "-" : "", name);
	assert_null(render_programs_sort(&p, key));
	assert_string_equal(ids(&p), wanted);
	programs_deinit(&p);
}

static void test_sort(void **state)
{
	(void)state;
	check_order("id", false, "1 2 3 4 9");
	check_order("id", true, "9 4 3 2 1");
	check_order("insns", false, "2 3 4 1 9"); /* ties by id, unknown last */
	check_order("insns", true, "3 4 2 1 9");
	check_order("type", false, "2 3 4 1 9");
	check_order("type", true, "3 4 2 1 9");
	check_order("gpl", false, "2 3 4 1 9");
	check_order("maps", true, "2 3 4 1 9");
	check_order("uid", true, "2 3 4 1 9");
}

static void test_sort_by_name(void **state)
{
	struct programs p = {0};

	(void)state;
	put(&p, full(3, "xdp", "b", "b", 1));
	put(&p, full(2, "xdp", "c", NULL, 1)); /* the short name is what there is */
	put(&p, full(1, "xdp", "a", "a", 1));
	assert_null(render_programs_sort(&p, "full_name"));
	assert_string_equal(ids(&p), "1 3 2");
	assert_null(render_programs_sort(&p, "-full_name"));
	assert_string_equal(ids(&p), "2 3 1");
	programs_deinit(&p);
}

/* As in bpftool: a name that the kernel cut is whole, and the kernel's own beside it. */
static void test_whole_names(void **state)
{
	static const char *const short_glob[] = {"gamma_is_long__"}, *const end_glob[] = {"*_end"};
	const struct render_filter cut = {.globs = short_glob, .n_globs = 1};
	const struct render_filter whole = {.globs = end_glob, .n_globs = 1};
	const struct render_guest guest = {.release = "6"};
	struct programs p = {0};
	json_t *root, *one;
	char *text;

	(void)state;
	put(&p, full(1, "xdp", "gamma_is_long__", "gamma_is_long___end", 1));
	put(&p, full(2, "xdp", "gamma_is_long__", NULL, 1));
	put(&p, full(3, "xdp", "other", "other", 1));
	render_programs_filter(&p, &cut);
	assert_string_equal(ids(&p), "1 2");
	assert_null(render_programs_csv(&p, "name,short_name", &text));
	assert_non_null(strstr(text, "\ngamma_is_long___end,gamma_is_long__\n"));
	assert_non_null(strstr(text, "\ngamma_is_long__,gamma_is_long__\n"));
	free(text);
	render_programs_filter(&p, &whole);
	assert_string_equal(ids(&p), "1");
	assert_null(render_programs_json(&p, &guest, &text));
	root = json_loads(text, 0, NULL);
	one = json_array_get(json_object_get(root, "programs"), 0);
	assert_string_equal(json_string_value(json_object_get(one, "name")), "gamma_is_long___end");
	assert_string_equal(json_string_value(json_object_get(one, "short_name")),
			    "gamma_is_long__");
	json_decref(root);
	free(text);
	programs_deinit(&p);
}

static void test_sort_large(void **state)
{
	struct programs p = {0};

	(void)state;
	put(&p, full(1, "xdp", "p", "p", 1));
	put(&p, full(2, "xdp", "p", "p", UINT64_MAX));
	put(&p, full(3, "xdp", "p", "p", (uint64_t)1 << 63));
	put(&p, full(4, "xdp", "p", "p", 0));
	assert_null(render_programs_sort(&p, "insns"));
	assert_string_equal(ids(&p), "2 3 1 4");
	programs_deinit(&p);
}

static void check_filter(struct render_filter filter, const char *wanted)
{
	struct programs p = five();

	render_programs_filter(&p, &filter);
	assert_string_equal(ids(&p), wanted);
	programs_deinit(&p);
}

static void test_filter(void **state)
{
	static const char *const xdp[] = {"xdp"}, *const both[] = {"sched_cls", "xdp"};
	static const char *const globs[] = {"*_long", "bet?"}, *const cut[] = {"gamma_is_long__"};
	static const char *const none[] = {"XDP"}, *const any[] = {"*"}, *const empty[] = {""};
	static const uint32_t some[] = {9, 3, 77};

	(void)state;
	check_filter((struct render_filter){0}, "4 2 9 3 1");
	check_filter((struct render_filter){.types = xdp, .n_types = 1}, "4 3");
	check_filter((struct render_filter){.types = both, .n_types = 2}, "4 2 3");
	check_filter((struct render_filter){.types = none, .n_types = 1}, "");
	check_filter((struct render_filter){.globs = globs, .n_globs = 2}, "4 3");
	check_filter((struct render_filter){.globs = cut, .n_globs = 1}, "3");
	check_filter((struct render_filter){.globs = any, .n_globs = 1}, "4 2 9 3 1");
	check_filter((struct render_filter){.globs = empty, .n_globs = 1}, "9 1");
	check_filter((struct render_filter){.ids = some, .n_ids = 3}, "9 3");
	check_filter((struct render_filter){.types = xdp, .n_types = 1, .ids = some, .n_ids = 3},
		     "3");
}

/* A tag is compared whole; a program whose tag is not known has none. */
static void test_filter_by_tag(void **state)
{
	static const char *const tags[] = {"0123456789abcdef", "00"};
	const struct render_filter filter = {.tags = tags, .n_tags = 2};
	struct programs p = five();

	(void)state;
	for (size_t i = 0; i < p.n; i++)
		snprintf(p.all[i].tag, sizeof(p.all[i].tag), "%s",
			 p.all[i].id == 2 || p.all[i].id == 3 ? tags[0] : "fedcba9876543210");
	render_programs_filter(&p, &filter);
	assert_string_equal(ids(&p), "2 3");
	programs_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_by_tag), cmocka_unit_test(test_column_names),
		cmocka_unit_test(test_column_lists),  cmocka_unit_test(test_too_many_columns),
		cmocka_unit_test(test_sort),          cmocka_unit_test(test_sort_by_name),
		cmocka_unit_test(test_whole_names),   cmocka_unit_test(test_sort_large),
		cmocka_unit_test(test_filter),
	};

	return cmocka_run_group_tests_name("render/list", tests, NULL, NULL);
}
