// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "render/diff.h"
#include "tests/render/stats_list.h"

static struct kt_prog_stats_list a, b;
static struct kt_diff_rows rows;

static void compare_lists(void)
{
	rows = rows_of(&a, &b);
}

static int release(void **state)
{
	(void)state;
	kt_diff_rows_deinit(&rows);
	kt_prog_stats_deinit(&a);
	kt_prog_stats_deinit(&b);
	return 0;
}

static void check_row(size_t i, const char *name, enum kt_diff_status status)
{
	assert_true(i < rows.n);
	assert_string_equal(rows.all[i].name, name);
	assert_string_equal(kt_diff_status_name(rows.all[i].status), kt_diff_status_name(status));
	assert_int_equal(rows.all[i].has_delta,
			 status == KT_DIFF_CHANGED || status == KT_DIFF_UNCHANGED);
}

static void check_delta(size_t i, const char *name, int64_t delta, double pct)
{
	check_row(i, name, delta ? KT_DIFF_CHANGED : KT_DIFF_UNCHANGED);
	assert_true(rows.all[i].delta == delta);
	assert_true(rows.all[i].delta_pct == pct);
}

/* A's order, then what only B has. Positive: B costs more. */
static void test_delta(void **state)
{
	(void)state;
	pass(&a, "same", 100);
	pass(&a, "more", 100);
	pass(&a, "less", 200);
	pass(&a, "zero", 0);
	pass(&a, "from_zero", 0);
	pass(&a, "to_zero", 5);
	pass(&a, "gone", 7);
	pass(&b, "new2", 3);
	pass(&b, "from_zero", 1);
	pass(&b, "zero", 0);
	pass(&b, "to_zero", 0);
	pass(&b, "less", 150);
	pass(&b, "more", 112);
	pass(&b, "same", 100);
	pass(&b, "new1", 0);
	compare_lists();
	assert_int_equal(rows.n, 9);
	check_delta(0, "same", 0, 0);
	check_delta(1, "more", 12, 12);
	check_delta(2, "less", -50, -25);
	check_delta(3, "zero", 0, 0);
	check_delta(4, "from_zero", 1, INFINITY);
	check_delta(5, "to_zero", -5, -100);
	check_row(6, "gone", KT_DIFF_REMOVED);
	check_row(7, "new2", KT_DIFF_ADDED);
	check_row(8, "new1", KT_DIFF_ADDED);
	assert_false(rows.all[6].b.known);
	assert_false(rows.all[7].a.known);
	assert_true(rows.all[7].b.known);
}

/* Nobody knows what it cost: that is not 0, and no change by so much. */
static void test_unknown(void **state)
{
	(void)state;
	pass(&a, "both", UNKNOWN);
	pass(&a, "a", UNKNOWN);
	pass(&a, "b", 5);
	pass(&b, "both", UNKNOWN);
	pass(&b, "a", 5);
	pass(&b, "b", UNKNOWN);
	compare_lists();
	for (size_t i = 0; i < 3; i++)
		check_row(i, a.all[i].name, KT_DIFF_UNKNOWN);
}

static void test_failed(void **state)
{
	(void)state;
	pass(&a, "breaks", 5);
	failing(&a, "mended", 1000001);
	failing(&a, "hopeless", 9);
	failing(&a, "gone", 9);
	failing(&b, "breaks", 5); /* the same number is no matter */
	failing(&b, "new", UNKNOWN);
	pass(&b, "mended", 7);
	failing(&b, "hopeless", 9);
	compare_lists();
	assert_int_equal(rows.n, 5);
	check_row(0, "breaks", KT_DIFF_FAILED);
	check_row(1, "mended", KT_DIFF_FIXED);
	check_row(2, "hopeless", KT_DIFF_FAILED_IN_BOTH);
	check_row(3, "gone", KT_DIFF_REMOVED);
	check_row(4, "new", KT_DIFF_ADDED);
	assert_string_equal(rows.all[0].type, "xdp"); /* as it was known once */
	assert_string_equal(rows.all[1].type, "xdp");
	assert_true(rows.all[4].b_failed);
}

/* Beyond what the kernel counts to; nothing wraps around. */
static void test_extremes(void **state)
{
	struct kt_prog_stats huge = {.name = (char *)(uintptr_t) "p", .verified_insns.known = true};

	(void)state;
	assert_null(kt_prog_stats_add(&a, &huge));
	huge.verified_insns.value = UINT64_MAX;
	assert_null(kt_prog_stats_add(&b, &huge));
	compare_lists();
	assert_int_equal(rows.all[0].status, KT_DIFF_CHANGED);
	assert_false(rows.all[0].has_delta);
	release(NULL);
	pass(&a, "p", INT64_MAX);
	pass(&b, "p", 0);
	compare_lists();
	check_delta(0, "p", -INT64_MAX, -100);
}

static uint64_t b_of(size_t i)
{
	assert_true(rows.all[i].b.known);
	return rows.all[i].b.value;
}

/* Two of one name: those that have type and tag in common, then the type, then by order. */
static void test_namesakes(void **state)
{
	(void)state;
	add(&a, "p", "xdp", "t1", 1, false);
	add(&a, "p", "xdp", "t2", 2, false);
	add(&a, "p", "tracing", "t3", 3, false);
	add(&a, "p", "lsm", "t4", 4, false);
	add(&b, "p", "kprobe", "t9", 40, false);
	add(&b, "p", "tracing", "t8", 30, false);
	add(&b, "p", "xdp", "t7", 10, false);
	add(&b, "p", "xdp", "t2", 20, false);
	add(&b, "p", "xdp", "t6", 50, false);
	compare_lists();
	assert_int_equal(rows.n, 5);
	assert_int_equal(b_of(0), 10);
	assert_int_equal(b_of(1), 20);
	assert_int_equal(b_of(2), 30);
	assert_int_equal(b_of(3), 40);
	assert_int_equal(b_of(4), 50);
	assert_int_equal(rows.all[4].status, KT_DIFF_ADDED);
}

/* --- against a second implementation, which looks at every pair --- */

static bool same(const char *x, const char *y)
{
	return (!x && !y) || (x && y && strcmp(x, y) == 0);
}

static bool alike(const struct kt_prog_stats *x, const struct kt_prog_stats *y, int round)
{
	return strcmp(x->name, y->name) == 0 && (round > 1 || same(x->type, y->type)) &&
	       (round > 0 || same(x->tag, y->tag));
}

#define SOME 24

static void check_naively(void)
{
	size_t of_a[SOME], row = 0;
	bool taken[SOME] = {0};

	memset(of_a, 0xff, sizeof(of_a));
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < a.n; i++)
			for (size_t j = 0; j < b.n && of_a[i] == SIZE_MAX; j++)
				if (!taken[j] && alike(&a.all[i], &b.all[j], round)) {
					taken[j] = true;
					of_a[i] = j;
				}
	for (size_t i = 0; i < a.n; i++, row++) {
		assert_ptr_equal(rows.all[row].name, a.all[i].name);
		if (of_a[i] == SIZE_MAX)
			assert_int_equal(rows.all[row].status, KT_DIFF_REMOVED);
		else /* each has a number of its own */
			assert_int_equal(rows.all[row].b.value,
					 b.all[of_a[i]].verified_insns.value);
	}
	for (size_t j = 0; j < b.n; j++)
		if (!taken[j]) {
			assert_ptr_equal(rows.all[row].name, b.all[j].name);
			assert_int_equal(rows.all[row++].b.value, b.all[j].verified_insns.value);
		}
	assert_int_equal(rows.n, row);
}

static uint32_t random_below(uint32_t n)
{
	static uint64_t seed = 88172645463325252u;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

static void fill(struct kt_prog_stats_list *list)
{
	static const char *const names[] = {"p", "q", "", "pq"}, *const types[] = {"x", "y", NULL},
				 *const tags[] = {"1", "2", "3", NULL};

	for (uint32_t n = random_below(SOME + 1), i = 0; i < n; i++)
		add(list, names[random_below(4)], types[random_below(3)], tags[random_below(4)], i,
		    random_below(8) == 0);
}

static void test_naively(void **state)
{
	(void)state;
	for (int i = 0; i < 3000; i++) {
		fill(&a);
		fill(&b);
		compare_lists();
		check_naively();
		release(NULL);
	}
}

/* If this were quadratic it would not end while somebody looks. */
static void test_many(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < 300000; i++) {
		snprintf(name, sizeof(name), "p%d", i % 3 ? 0 : (i + 150000) % 300000);
		add(&a, name, i % 2 ? "xdp" : "lsm", NULL, i, false);
		add(&b, name, "xdp", NULL, i, false);
	}
	compare_lists();
	assert_int_equal(rows.n, 300000);
	assert_null(kt_diff_rows_sort(&rows, "delta"));
	assert_true(rows.all[0].delta >= rows.all[1].delta);
}

/* --- what is shown --- */

static void check_text(const char *label_a, const char *label_b, const char *wanted)
{
	char *text;

	assert_null(kt_format_verifier_diff(label_a, &a, label_b, &b, NULL, &text));
	assert_string_equal(text, wanted);
	free(text);
}

static void fill_some(void)
{
	pass(&a, "grows", 1000);
	pass(&a, "shrinks", 3000);
	pass(&a, "stays", 5);
	pass(&a, "from_zero", 0);
	pass(&a, "breaks", 26);
	failing(&a, "mended", 1000001);
	failing(&a, "hopeless", UNKNOWN);
	pass(&a, "old_kernel", UNKNOWN);
	pass(&a, "gone", 12);
	pass(&b, "grows", 1125);
	pass(&b, "shrinks", 2999);
	pass(&b, "stays", 5);
	pass(&b, "from_zero", 2);
	failing(&b, "breaks", 9);
	pass(&b, "mended", 7);
	failing(&b, "hopeless", UNKNOWN);
	pass(&b, "old_kernel", 4);
	pass(&b, "new", 0);
	failing(&b, "new_and_bad", UNKNOWN);
}

static void test_table(void **state)
{
	(void)state;
	check_text("x", "y", "");
	fill_some();
	check_text("6.12", "7.0",
		   "PROGRAM        6.12  7.0          DELTA      %\n"
		   "grows          1000 1125           +125 +12.5%\n"
		   "shrinks        3000 2999             -1  -0.0%\n"
		   "stays             5    5              0   0.0%\n"
		   "from_zero         0    2             +2  +inf%\n"
		   "breaks           26    9         failed      -\n"
		   "mended      1000001    7          fixed      -\n"
		   "hopeless          -    - failed in both      -\n"
		   "old_kernel        -    4              -      -\n"
		   "gone             12    -        removed      -\n"
		   "new               -    0          added      -\n"
		   "new_and_bad       -    -  added, failed      -\n"
		   "FAILED in B, passed in A: breaks (xdp)\n");
}

/* Types are shown where they are needed. */
static void test_namesakes_shown(void **state)
{
	(void)state;
	add(&a, "p", "xdp", NULL, 1, false);
	add(&b, "p", "xdp", NULL, 1, false);
	check_text("x", "y",
		   "PROGRAM x y DELTA    %\n"
		   "p       1 1     0 0.0%\n");
	add(&b, "p", "lsm", NULL, 2, false);
	check_text("x", "y",
		   "PROGRAM TYPE x y DELTA    %\n"
		   "p       xdp  1 1     0 0.0%\n"
		   "p       lsm  - 2 added    -\n");
}

static void test_labels(void **state)
{
	(void)state;
	pass(&a, "p", 1);
	pass(&b, "p", 1);
	check_text("x", "x",
		   "PROGRAM x (A) x (B) DELTA    %\n"
		   "p           1     1     0 0.0%\n");
	check_text("", NULL,
		   "PROGRAM A B DELTA    %\n"
		   "p       1 1     0 0.0%\n");
	check_text("0123456789012345678901234567890123456789",
		   "0123456789012345678901234567890123456789X",
		   "PROGRAM 0123456789012345678901234567890123456789 "
		   "01234567890123456789012345678901234567.. DELTA    %\n"
		   "p                                              1 "
		   "                                       1     0 0.0%\n");
	check_text("\033[31m", "\n",
		   "PROGRAM \\x1b[31m \\x0a DELTA    %\n"
		   "p              1    1     0 0.0%\n");
}

/* What is hostile comes out as something to look at, and once only. */
static void test_control_characters(void **state)
{
	(void)state;
	pass(&a, "\033[2J\n", 1);
	failing(&b, "\033[2J\n", 1);
	check_text("x", "y",
		   "PROGRAM     x y  DELTA %\n"
		   "\\x1b[2J\\x0a 1 1 failed -\n"
		   "FAILED in B, passed in A: \\x1b[2J\\x0a (xdp)\n");
}

static void test_color(void **state)
{
	const struct kt_diff_options options = {.color = true};
	char *text;

	(void)state;
	fill_some();
	compare_lists();
	assert_null(kt_format_diff_rows("x", "y", &rows, &options, &text));
	assert_non_null(strstr(text, "\033[31m          +125\033[0m \033[31m+12.5%\033[0m"));
	assert_non_null(strstr(text, "\033[32m            -1\033[0m"));
	assert_non_null(strstr(text, "\033[31m        failed\033[0m"));
	assert_non_null(strstr(text, "\033[32m         fixed\033[0m"));
	assert_non_null(strstr(text, "\033[1mPROGRAM"));
	assert_non_null(strstr(text, "5    5              0   0.0%\n"));
	free(text);
}

static void check_order(const char *sort, const char *wanted)
{
	char got[256] = "";

	kt_diff_rows_deinit(&rows);
	compare_lists();
	assert_null(kt_diff_rows_sort(&rows, sort));
	for (size_t i = 0; i < rows.n; i++) {
		strcat(got, i ? " " : "");
		strcat(got, rows.all[i].name);
	}
	assert_string_equal(got, wanted);
}

static void test_sort(void **state)
{
	struct kt_error *err;

	(void)state;
	pass(&a, "c", 100);
	pass(&a, "a", 1000);
	pass(&a, "gone", 5);
	pass(&a, "b", 0);
	pass(&b, "a", 900);
	pass(&b, "b", 1);
	pass(&b, "c", 105);
	check_order(NULL, "c a gone b");
	check_order("name", "a b c gone");
	check_order("-name", "gone c b a");
	check_order("a", "a c gone b");
	check_order("b", "a c b gone");
	check_order("delta", "c b a gone");
	check_order("-delta", "a b c gone");
	check_order("delta_pct", "b c a gone");
	check_order("|delta|", "a c b gone");
	check_order("abs_delta_pct", "b a c gone");
	check_order("status", "c a b gone");
	assert_null(kt_diff_rows_check_sort(NULL));
	assert_null(kt_diff_rows_check_sort("-|delta_pct|"));
	err = kt_diff_rows_check_sort("-nope");
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	assert_non_null(strstr(kt_error_message(err), "\"nope\""));
	assert_non_null(strstr(kt_error_message(err), "delta_pct, status, abs_delta"));
	kt_error_destroy(err);
}

static void test_csv(void **state)
{
	char *text;

	(void)state;
	fill_some();
	pass(&b, "q\"u,o\nte", 1);
	compare_lists();
	assert_null(kt_format_diff_csv(&rows, &text));
	assert_string_equal(text, "name,type,a,b,delta,delta_pct,status\n"
				  "grows,xdp,1000,1125,125,12.5,changed\n"
				  "shrinks,xdp,3000,2999,-1,-0.0333333333333,changed\n"
				  "stays,xdp,5,5,0,0,unchanged\n"
				  "from_zero,xdp,0,2,2,inf,changed\n"
				  "breaks,xdp,26,9,,,failed\n"
				  "mended,xdp,1000001,7,,,fixed\n"
				  "hopeless,,,,,,failed-in-both\n"
				  "old_kernel,xdp,,4,,,unknown\n"
				  "gone,xdp,12,,,,removed\n"
				  "new,xdp,,0,,,added\n"
				  "new_and_bad,,,,,,added\n"
				  "\"q\"\"u,o\\x0ate\",xdp,,1,,,added\n");
	free(text);
}

/* --- JSON --- */

static json_t *document(const struct kt_saved *x, const struct kt_saved *y)
{
	json_t *root;
	char *text;

	assert_null(kt_format_diff_json(&(struct kt_diff_side){"la", x},
					&(struct kt_diff_side){"lb", y}, &rows, &text));
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	free(text);
	return root;
}

static void test_json(void **state)
{
	struct kt_saved x = {.kernel = (char *)(uintptr_t) "6.12", .passed_known = true};
	struct kt_saved y = {.verdict = (char *)(uintptr_t) "no\xff"};
	const char *name, *status, *type, *label, *kernel, *verdict;
	json_int_t from, to, delta, total_a, total_b, total;
	json_t *root, *row;
	double pct;
	int passed;

	(void)state;
	fill_some();
	compare_lists();
	root = document(&x, &y);
	assert_int_equal(json_array_size(json_object_get(root, "rows")), rows.n);
	assert_int_equal(json_unpack(root, "{s:{s:s,s:s,s:n,s:n,s:b},s:{s:s,s:n,s:s,s:n}}", "a",
				     "label", &label, "kernel", &kernel, "scheduler", "verdict",
				     "passed", &passed, "b", "label", &label, "kernel", "verdict",
				     &verdict, "passed"),
			 0);
	assert_string_equal(kernel, "6.12");
	assert_string_equal(label, "lb");
	assert_string_equal(verdict, "no\xef\xbf\xbd");
	assert_false(passed);
	assert_int_equal(json_unpack(root, "{s:s,s:{s:I,s:I,s:I},s:[{s:s,s:s}!]}", "schema", &name,
				     "totals", "a", &total_a, "b", &total_b, "delta", &total,
				     "regressions", "name", &status, "type", &type),
			 0);
	assert_string_equal(name, "ktstr-gdb.diff.v1");
	assert_string_equal(status, "breaks");
	assert_int_equal(total_a, 1000 + 3000 + 5 + 0);
	assert_int_equal(total_b, 1125 + 2999 + 5 + 2);
	assert_int_equal(total, total_b - total_a);
	row = json_array_get(json_object_get(root, "rows"), 0);
	assert_int_equal(json_unpack(row, "{s:s,s:s,s:I,s:I,s:I,s:f,s:s}", "name", &name, "type",
				     &type, "a", &from, "b", &to, "delta", &delta, "delta_pct",
				     &pct, "status", &status),
			 0);
	assert_int_equal(delta, 125);
	assert_true(pct == 12.5);
	assert_string_equal(status, "changed");
	row = json_array_get(json_object_get(root, "rows"), 3); /* from 0 */
	assert_int_equal(json_unpack(row, "{s:I,s:n}", "delta", &delta, "delta_pct"), 0);
	for (size_t i = 0; i < rows.n; i++) {
		row = json_array_get(json_object_get(root, "rows"), i);
		assert_true(json_is_boolean(json_object_get(row, "b_failed")));
		assert_int_equal(json_is_true(json_object_get(row, "b_failed")),
				 rows.all[i].b_failed);
	}
	row = json_array_get(json_object_get(root, "rows"), 10); /* only in B */
	assert_int_equal(json_unpack(row, "{s:n,s:n,s:n}", "a", "delta", "delta_pct"), 0);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_delta, release),
		cmocka_unit_test_teardown(test_unknown, release),
		cmocka_unit_test_teardown(test_failed, release),
		cmocka_unit_test_teardown(test_extremes, release),
		cmocka_unit_test_teardown(test_namesakes, release),
		cmocka_unit_test_teardown(test_naively, release),
		cmocka_unit_test_teardown(test_many, release),
		cmocka_unit_test_teardown(test_table, release),
		cmocka_unit_test_teardown(test_namesakes_shown, release),
		cmocka_unit_test_teardown(test_labels, release),
		cmocka_unit_test_teardown(test_control_characters, release),
		cmocka_unit_test_teardown(test_color, release),
		cmocka_unit_test_teardown(test_sort, release),
		cmocka_unit_test_teardown(test_csv, release),
		cmocka_unit_test_teardown(test_json, release),
	};

	return cmocka_run_group_tests_name("render/diff", tests, NULL, NULL);
}
