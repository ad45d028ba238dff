// SPDX-License-Identifier: LGPL-2.1-or-later
/* One table of columns gives a table, CSV, JSON and lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <locale.h>
#include <math.h>

#include "model/json.h"
#include "render/grid.h"

struct row {
	uint32_t id;
	const char *name;
	struct program_number size;
	uint64_t tenths;
	int64_t delta;
	double percent;
};

static struct render_cell get_delta(const void *row)
{
	int64_t delta = ((const struct row *)row)->delta;

	return (struct render_cell){
		.known = true,
		.number = (uint64_t)delta,
		.tone = delta > 0 ? RENDER_TONE_BAD : RENDER_TONE_PLAIN,
	};
}

static struct render_cell get_percent(const void *row)
{
	return (struct render_cell){.known = true, .real = ((const struct row *)row)->percent};
}

static struct render_cell get_range(const void *row)
{
	const struct row *r = row;

	return (struct render_cell){.known = r->size.known, .number = r->id, .second = r->tenths};
}

/* clang-format off */
static const struct render_column columns[] = {
	{"id", NULL, "ID", &render_as_id, RENDER_U32(struct row, id), .width = 4},
	{"name", "n", "NAME", &render_as_text, RENDER_STRING(struct row, name), .width = 6},
	{"size", NULL, "SIZE", &render_as_hex, RENDER_KNOWN(struct row, size), .width = 6},
	{"big", NULL, "BIG", &render_as_yes_no, RENDER_KNOWN(struct row, size)},
	{"tenths", NULL, "%", &render_as_tenths, RENDER_U64(struct row, tenths)},
	{"delta", NULL, "DELTA", &render_as_signed, RENDER_GET(get_delta), .width = 5},
	{"pct", NULL, "PCT", &render_as_percent, RENDER_GET(get_percent)},
	{"range", NULL, "RANGE", &render_as_range, RENDER_GET(get_range)},
	{"key", NULL, "KEY", &render_as_number, RENDER_U64(struct row, tenths), .flags = RENDER_ONLY_TO_SORT},
};
/* clang-format on */

static struct row rows[] = {
	{3, "one", {true, 0}, 125, -5, -0.04},
	{12, NULL, {false, 0}, 12, 0, 0},
	{1, "t\033wo", {true, 255}, 1, 7, INFINITY},
};

static struct render_grid grid(void)
{
	return (struct render_grid)RENDER_GRID(columns, rows, 3);
}

static void assert_text(struct kt_buf *out, const char *wanted)
{
	assert_false(kt_buf_failed(out));
	assert_string_equal(out->data, wanted);
	kt_buf_deinit(out);
}

static void test_table(void **state)
{
	struct render_grid all = grid();
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	assert_null(render_grid_table(&all, 0, false, &out));
	assert_text(&out, "  ID NAME      SIZE BIG    % DELTA   PCT  RANGE\n"
			  "   3 one        0x0 no  12.5    -5 -0.0% 3..125\n"
			  "  12 -            - -    1.2     0  0.0%      -\n"
			  "   1 t\\x1bwo   0xff yes  0.1    +7 +inf%      1\n");
}

/* Lines break behind words, and within one that is longer than the column; nothing forges a line.
 */
static void test_wrapped(void **state)
{
	/* clang-format off */
	static const struct render_column two[] = {
		{"id", NULL, "ID", &render_as_id, RENDER_U32(struct row, id)},
		{"name", NULL, "WHERE", &render_as_text, RENDER_STRING(struct row, name), .flags = RENDER_WRAP},
	};
	/* clang-format on */
	static struct row here[] = {
		{.id = 1, .name = "program 12, link 3 of a map"},
		{.id = 2, .name = "systemd(1),bpftrace(312),a_longer_word_than_that(3)"},
		{.id = 3, .name = "no\nline\\ of \xc3\xa4\xc3\xb6\xc3\xbc, its own"},
	};
	struct render_grid wrapped = RENDER_GRID(two, here, 3);
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
	assert_null(render_grid_table(&wrapped, 20, false, &out));
	assert_text(&out, "ID WHERE\n"
			  " 1 program 12, link\n"
			  "   3 of a map\n"
			  " 2 systemd(1),\n"
			  "   bpftrace(312),\n"
			  "   a_longer_word_tha\n"
			  "   n_that(3)\n"
			  " 3 no\\x0aline\\ of\n"
			  "   \xc3\xa4\xc3\xb6\xc3\xbc, its own\n");
	setlocale(LC_ALL, "C");
	wrapped.rows = &here[2];
	wrapped.n_rows = 1;
	assert_null(render_grid_table(&wrapped, 20, false, &out));
	assert_text(&out, "ID WHERE\n"
			  " 3 no\\x0aline\\ of\n"
			  "   \\xc3\\xa4\\xc3\\xb6\\\n"
			  "   xc3\\xbc, its own\n");
}

static void test_csv(void **state)
{
	struct render_grid some = grid();
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	assert_null(render_grid_csv(&some, &out));
	assert_text(&out, "id,name,size,big,tenths,delta,pct,range\n"
			  "3,one,0,no,12.5,-5,-0.04,3..125\n"
			  "12,,,,1.2,0,0,\n"
			  "1,t\\x1bwo,255,yes,0.1,7,inf,1\n");
	assert_null(render_grid_select(&some, "n,key"));
	assert_null(render_grid_csv(&some, &out));
	assert_text(&out, "name,key\none,125\n,12\nt\\x1bwo,1\n");
}

/* A type without JSON is in no document, and neither is what is only to sort by. */
static void test_json(void **state)
{
	struct render_grid all = grid();
	json_t *object = json_object();

	(void)state;
	render_grid_json(&all, &rows[2], object);
	assert_int_equal(json_object_size(object), 6);
	assert_int_equal(json_integer_value(json_object_get(object, "size")), 255);
	assert_true(json_is_true(json_object_get(object, "big")));
	assert_int_equal(json_integer_value(json_object_get(object, "delta")), 7);
	assert_true(json_is_null(json_object_get(object, "pct"))); /* JSON has no infinity */
	render_grid_json(&all, &rows[1], object);
	assert_true(json_is_null(json_object_get(object, "name")));
	assert_true(json_is_null(json_object_get(object, "size")));
	assert_true(json_is_null(json_object_get(object, "big")));
	json_decref(object);
}

static void check_order(const char *sort, const char *wanted)
{
	struct row copy[3];
	struct render_grid all = RENDER_GRID(columns, copy, 3);
	char got[32] = "";

	memcpy(copy, rows, sizeof(copy));
	assert_null(render_grid_sort(&all, sort));
	for (size_t i = 0; i < 3; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), " %u", copy[i].id);
	assert_string_equal(got, wanted);
}

static void test_sort(void **state)
{
	struct render_grid all = grid();
	struct kt_error *err;

	(void)state;
	check_order("id", " 1 3 12");
	check_order("-id", " 12 3 1");
	check_order("name", " 3 1 12"); /* what is not known comes last */
	check_order("-n", " 1 3 12");
	check_order("size", " 1 3 12");
	check_order("-size", " 3 1 12");
	check_order("delta", " 1 12 3");
	check_order("pct", " 1 12 3");
	check_order("key", " 3 12 1");
	check_order(NULL, " 3 12 1");
	err = render_grid_check_sort(&all, "-nope");
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	assert_string_equal(kt_error_message(err), "no column \"nope\"; there are id, name, size, "
						   "big, tenths, delta, pct, range, key");
	kt_error_destroy(err);
}

/* Columns of lines are as wide as they say, whatever is in them. */
static void test_lines(void **state)
{
	struct render_grid some = grid();
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	assert_null(render_grid_select(&some, "id,delta,size,name"));
	render_grid_head(&some, &out);
	render_grid_line(&some, &rows[0], true, &out);
	render_grid_line(&some, &rows[1], true, &out);
	render_grid_line(&some, &rows[2], true, &out);
	assert_text(&out, "  ID DELTA   SIZE NAME\n"
			  "   3    -5    0x0 one\n"
			  "  12     0      - -\n"
			  "   1 \033[31m   +7 \033[m  0xff t\\x1bwo\n");
	assert_null(render_grid_select(&some, "name,id"));
	render_grid_line(&some, &rows[0], false, &out);
	render_grid_line(&some, &rows[2], false, &out);
	assert_text(&out, "one       3\nt\\x1bwo    1\n");
}

/* --- columns made at run time --- */

struct matrix_row {
	const char *name;
	const uint64_t *numbers;
};

static struct render_cell get_number(const void *row, size_t n)
{
	return render_number_cell(true, ((const struct matrix_row *)row)->numbers[n]);
}

static void test_turning(void **state)
{
	static const uint64_t numbers[] = {1, 20, 300, 4, 5, 6};
	static const struct render_column three[] = {
		{.head = "ROW", .type = &render_as_text, RENDER_STRING(struct matrix_row, name)},
		{.head = "FIRST COLUMN", .type = &render_as_number, RENDER_GET_NTH(get_number, 0)},
		{.head = "SECOND COLUMN", .type = &render_as_number, RENDER_GET_NTH(get_number, 1)},
		{.head = "3", .type = &render_as_number, RENDER_GET_NTH(get_number, 2)},
	};
	struct matrix_row two[] = {{"a", numbers}, {"b", numbers + 3}};
	struct render_grid all = RENDER_GRID(three, two, 2);
	const char *straight = "ROW FIRST COLUMN SECOND COLUMN   3\n"
			       "a              1            20 300\n"
			       "b              4             5   6\n";
	const char *turned = "ROW             a b\n"
			     "FIRST COLUMN    1 4\n"
			     "SECOND COLUMN  20 5\n"
			     "3             300 6\n";
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	assert_null(render_grid_turning_table(&all, &(struct render_turning){0}, &out));
	assert_text(&out, straight);
	assert_null(render_grid_turning_table(&all, &(struct render_turning){.width = 34}, &out));
	assert_text(&out, straight);
	assert_null(render_grid_turning_table(&all, &(struct render_turning){.width = 33}, &out));
	assert_text(&out, turned);
	assert_null(
		render_grid_turning_table(&all, &(struct render_turning){.transpose = true}, &out));
	assert_text(&out, turned);
	/* One that is too wide either way stays as it is if it is narrower so. */
	two[0].name = "a name that is so long that it does not fit beside another";
	assert_null(render_grid_turning_table(&all, &(struct render_turning){.width = 10}, &out));
	assert_memory_equal(out.data, "ROW ", 4);
	assert_non_null(strstr(out.data, "\nFIRST COLUMN"));
	kt_buf_deinit(&out);
}

/* A head of more bytes than characters makes no column wider. */
static void test_wide_head(void **state)
{
	struct render_column one[] = {
		{.head = "größe", .type = &render_as_number, RENDER_U64(struct row, tenths)},
		{.head = "N", .type = &render_as_text, RENDER_STRING(struct row, name)},
	};
	struct row row = {.tenths = 1234567, .name = "n"};
	struct render_grid all = RENDER_GRID(one, &row, 1);
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
	row.tenths = 123456;
	assert_null(render_grid_table(&all, 0, false, &out));
	assert_text(&out, " größe N\n123456 n\n");
	setlocale(LC_ALL, "C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),   cmocka_unit_test(test_wrapped),
		cmocka_unit_test(test_csv),     cmocka_unit_test(test_json),
		cmocka_unit_test(test_sort),    cmocka_unit_test(test_lines),
		cmocka_unit_test(test_turning), cmocka_unit_test(test_wide_head),
	};

	return cmocka_run_group_tests_name("render/grid", tests, NULL, NULL);
}
