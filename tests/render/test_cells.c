// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <inttypes.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>

#include "model/cells_index.h"
#include "render/cells.h"
#include "render/cells_diff.h"
#include "render/html.h"
#include "tests/render/cells.h"

static char *counts(const struct cells *cells, const struct kt_cells_options *options)
{
	struct kt_cell_records records = records_of(cells);
	char *text;

	assert_null(kt_render_instruction_count_tables(&records, options, &text));
	return text;
}

static char *results(const struct cells *cells, const struct kt_cells_options *options)
{
	struct kt_cell_records records = records_of(cells);
	char *text;

	assert_null(kt_render_result_table(&records, options, &text));
	return text;
}

static void assert_text(char *text, const char *wanted)
{
	assert_string_equal(text, wanted);
	free(text);
}

/* --- order --- */

static void test_order(void **state)
{
	static const char *const kernels[] = {"",         "6.9-rc1",  "6.9",       "6.12",
					      "6.16-rc1", "6.16-rc2", "6.16-rc10", "6.16",
					      "6.16-foo", "6.16.1",   "07",        "7",
					      "7.0",      "debian"};
	static const char *const topologies[] = {"2cpu-b", "4cpu-1llc", "4cpu-2llc", "2numa-16cpu",
						 "16cpu",  "128cpu",    "cpu",       "other"};

	(void)state;
	for (size_t i = 0; i < sizeof(kernels) / sizeof(*kernels); i++)
		for (size_t j = 0; j < sizeof(kernels) / sizeof(*kernels); j++) {
			int cmp = cells_compare_names(kernels[i], kernels[j]);

			assert_int_equal((cmp > 0) - (cmp < 0), (i > j) - (i < j));
		}
	for (size_t i = 0; i < sizeof(topologies) / sizeof(*topologies); i++)
		for (size_t j = 0; j < sizeof(topologies) / sizeof(*topologies); j++) {
			int cmp = cells_compare_topologies(topologies[i], topologies[j]);

			assert_int_equal((cmp > 0) - (cmp < 0), (i > j) - (i < j));
		}
}

/* Whatever the names: sorting needs an order, and only equal ones are equal. */
static void test_order_is_one(void **state)
{
	static const char alphabet[] = "019.-rcpu~a";
	char names[40][8];
	uint64_t seed = 12345;

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		size_t n = next_random(&seed) % 7;

		for (size_t k = 0; k < n; k++)
			names[i][k] = alphabet[next_random(&seed) % (sizeof(alphabet) - 1)];
		names[i][n] = '\0';
	}
	for (size_t i = 0; i < 40; i++)
		for (size_t j = 0; j < 40; j++) {
			int ij = cells_compare_topologies(names[i], names[j]);

			assert_int_equal(ij == 0, strcmp(names[i], names[j]) == 0);
			assert_int_equal(ij > 0, cells_compare_topologies(names[j], names[i]) < 0);
			for (size_t k = 0; k < 40; k++)
				if (ij <= 0 && cells_compare_topologies(names[j], names[k]) <= 0)
					assert_true(cells_compare_topologies(names[i], names[k]) <=
						    0);
		}
}

static void test_release_length(void **state)
{
	static const struct {
		const char *release, *wanted;
	} cases[] = {
		/* Debian */
		{"6.1.0-50-amd64", "6.1.0-50"},
		{"6.12.117+deb13-amd64", "6.12.117"},
		{"6.12.117+deb13-cloud-amd64", "6.12.117"},
		{"7.2.3-amd64", "7.2.3"},
		/* Ubuntu */
		{"6.8.0-45-generic", "6.8.0-45"},
		/* CentOS Stream, Fedora */
		{"5.14.0-503.el9.x86_64", "5.14.0-503.el9"},
		{"6.16.3-200.fc42.x86_64", "6.16.3-200.fc42"},
		/* Arch Linux */
		{"6.16.1-arch1-1", "6.16.1-arch1-1"},
		{"7.3.0-rc2", "7.3.0-rc2"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(cells_release_length(cases[i].release), strlen(cases[i].wanted));
}

/* Schedulers as the file has them, kernels by what they are, under the names that were asked for.
 */
static void test_order_of_sweep(void **state)
{
	static const char *const names[] = {"trixie", "sid", "bookworm", "6.18-mine"};
	static const char *const releases[] = {"6.12.117+deb13-amd64", "7.2.3-amd64",
					       "6.1.0-50-amd64", "6.18.2"};
	struct cells cells = {0};
	uint64_t seed = 7;

	(void)state;
	for (unsigned s = 0; s < 3; s++)
		for (int k = 0; k < 4; k++) {
			struct kt_cell_record *r = add_cell(&cells,
							    s == 0   ? "zeta"
							    : s == 1 ? "beta"
								     : "alpha",
							    names[k], "4cpu", PASS);

			r->place = s + 1;
			r->release = copy(releases[k]);
			add_stat(r, "p", 10 + k, false);
		}
	add_cell(&cells, "alpha", "6.9", "4cpu", SKIP); /* never ran: by its name */
	add_cell(&cells, "unplaced", "sid", "4cpu", FAIL);
	for (int i = 0; i < 10; i++) {
		char *text = counts(&cells, NULL);

		assert_memory_equal(text, "zeta\n", 5);
		assert_non_null(strstr(text, "bookworm (6.1.0-50) 12\ntrixie (6.12.117)   10\n"
					     "6.18-mine (6.18.2)  13\nsid (7.2.3)         11\n"
					     "\nbeta\n"));
		assert_true(strstr(text, "beta\n") < strstr(text, "alpha\n"));
		free(text);
		text = results(&cells, &(struct kt_cells_options){.by_kernel = true});
		assert_non_null(strstr(text, "TOPOLOGY bookworm (6.1.0-50) 6.9 trixie (6.12.117) "
					     "6.18-mine (6.18.2) sid (7.2.3)\n"));
		free(text);
		text = results(&cells, NULL);
		assert_memory_equal(text, "TOPOLOGY zeta beta alpha unplaced\n", 34);
		free(text);
		shuffle(&cells, &seed);
	}
	cells_free(&cells);
}

/* --- tables --- */

/* Of the words of the specification, all at once. */
static void make_sweep(struct cells *cells)
{
	struct kt_cell_record *r;

	r = add_cell(cells, "scx_b", "6.16", "8cpu", PASS);
	add_stat(r, "b_run", 90, false);
	add_stat(r, "b_init", 1200, false);
	r = add_cell(cells, "scx_b", "6.16", "4cpu", PASS);
	add_stat(r, "b_init", 1000, false);
	r = add_cell(cells, "scx_b", "6.9", "4cpu", FAIL); /* it ran, and gave no stats */
	r->reason = copy("timed out after attach");
	r = add_cell(cells, "scx_b", "6.9", "8cpu", PASS);
	add_stat(r, "b_init", 77, true);               /* the verifier gave up there */
	add_cell(cells, "scx_b", "7.0", "4cpu", SKIP); /* no row */
	r = add_cell(cells, "scx_a", "6.9", "8cpu", FAIL);
	add_stat(r, "a_init", 5, false);
	add_cell(cells, "scx_a", "6.16", "8cpu", FAIL);
	add_cell(cells, "scx_a", "6.16", "4cpu", SKIP);
	add_cell(cells, "scx_skipped", "6.16", "4cpu", SKIP); /* no table */
}

static void test_counts(void **state)
{
	struct cells cells = {0};

	(void)state;
	make_sweep(&cells);
	assert_text(counts(&cells, NULL), "scx_a\n"
					  "KERNEL a_init\n"
					  "6.9         5\n"
					  "6.16        -\n"
					  "\n"
					  "scx_b\n"
					  "KERNEL     b_init b_run\n"
					  "6.9             -     -\n"
					  "6.16   1000..1200    90\n");
	assert_text(counts(&cells, &(struct kt_cells_options){.transpose = true}),
		    "scx_a\n"
		    "KERNEL 6.9 6.16\n"
		    "a_init   5    -\n"
		    "\n"
		    "scx_b\n"
		    "KERNEL 6.9       6.16\n"
		    "b_init   - 1000..1200\n"
		    "b_run    -         90\n");
	/* 23 columns are what the second one needs, and 21 what it does the other way. */
	assert_text(counts(&cells, &(struct kt_cells_options){.width = 22}),
		    "scx_a\n"
		    "KERNEL a_init\n"
		    "6.9         5\n"
		    "6.16        -\n"
		    "\n"
		    "scx_b\n"
		    "KERNEL 6.9       6.16\n"
		    "b_init   - 1000..1200\n"
		    "b_run    -         90\n");
	/* Where neither way fits, the narrower one: 13 columns of 15, and 21 of 23. */
	assert_text(counts(&cells, &(struct kt_cells_options){.width = 1}),
		    "scx_a\n"
		    "KERNEL a_init\n"
		    "6.9         5\n"
		    "6.16        -\n"
		    "\n"
		    "scx_b\n"
		    "KERNEL 6.9       6.16\n"
		    "b_init   - 1000..1200\n"
		    "b_run    -         90\n");
	cells_free(&cells);
}

/* What records have beside verified_insns, in tables of their own; none where no record has it. */
static void test_more_numbers(void **state)
{
	const struct kt_cells_options options = {
		.numbers = 1u << KT_TRIAL_INSNS | 1u << KT_TRIAL_PEAK_STATES | 1u << KT_TRIAL_STACK,
	};
	struct cells cells = {0};
	struct kt_cell_record *r;

	(void)state;
	r = add_cell(&cells, "s", "6.9", "4cpu", PASS);
	add_stat(r, "p", 100, false);
	r->stats.all[0].more[KT_TRIAL_PEAK_STATES] = (struct program_number){true, 7};
	r = add_cell(&cells, "s", "6.9", "8cpu", PASS);
	add_stat(r, "p", 100, false);
	r->stats.all[0].more[KT_TRIAL_PEAK_STATES] = (struct program_number){true, 9};
	assert_text(counts(&cells, &options), "s\n"
					      "KERNEL   p\n"
					      "6.9    100\n"
					      "\n"
					      "s: peak_states\n"
					      "KERNEL    p\n"
					      "6.9    7..9\n");
	assert_text(counts(&cells, NULL), "s\n"
					  "KERNEL   p\n"
					  "6.9    100\n");
	cells_free(&cells);
}

static void test_namesakes(void **state)
{
	struct kt_cell_record *r;
	struct cells cells = {0};

	(void)state;
	r = add_cell(&cells, "s", "1", "t", PASS);
	add_stat(r, "p", 1, false);
	add_stat(r, "q", 2, false);
	add_stat(r, "p", 3, false);
	r = add_cell(&cells, "s", "1", "u", PASS);
	add_stat(r, "p", 4, false);
	add_stat(r, "", 5, false);
	assert_text(counts(&cells, NULL), "s\n"
					  "KERNEL (no name)    p p#2 q\n"
					  "1              5 1..4   3 2\n");
	cells_free(&cells);
}

#define TALLY                                                                                      \
	"\n"                                                                                       \
	"9 cells: 3 passed, 3 failed, 3 skipped\n"                                                 \
	"\n"                                                                                       \
	"Failed:\n"                                                                                \
	"  scx_a / 6.9 / 8cpu\n"                                                                   \
	"  scx_a / 6.16 / 8cpu\n"                                                                  \
	"  scx_b / 6.9 / 4cpu: timed out after attach\n"

static void test_results(void **state)
{
	struct cells cells = {0};

	(void)state;
	make_sweep(&cells);
	assert_text(results(&cells, NULL), "TOPOLOGY scx_a scx_b scx_skipped\n"
					   "4cpu     -     ✗ 1/2 -\n"
					   "8cpu     ✗     ✓     -\n" TALLY);
	assert_text(results(&cells, &(struct kt_cells_options){.transpose = true}),
		    "TOPOLOGY    4cpu  8cpu\n"
		    "scx_a       -     ✗\n"
		    "scx_b       ✗ 1/2 ✓\n"
		    "scx_skipped -     -\n" TALLY);
	assert_text(results(&cells, &(struct kt_cells_options){.by_kernel = true}),
		    "scx_a\n"
		    "TOPOLOGY 6.9 6.16 7.0\n"
		    "4cpu     -   -    -\n"
		    "8cpu     ✗   ✗    -\n"
		    "\n"
		    "scx_b\n"
		    "TOPOLOGY 6.9 6.16 7.0\n"
		    "4cpu     ✗   ✓    -\n"
		    "8cpu     ✓   ✓    -\n"
		    "\n"
		    "scx_skipped\n"
		    "TOPOLOGY 6.9 6.16 7.0\n"
		    "4cpu     -   -    -\n"
		    "8cpu     -   -    -\n" TALLY);
	setlocale(LC_CTYPE, "C");
	assert_text(results(&cells, NULL), "TOPOLOGY scx_a scx_b    scx_skipped\n"
					   "4cpu     -     FAIL 1/2 -\n"
					   "8cpu     FAIL  ok       -\n" TALLY);
	setlocale(LC_CTYPE, "C.UTF-8");
	cells_free(&cells);
}

static void test_nothing(void **state)
{
	struct cells cells = {0};
	struct kt_cell_records none = {0};
	char *text;

	(void)state;
	assert_text(counts(&cells, NULL), "");
	assert_text(results(&cells, NULL), "");
	assert_null(kt_format_cells_markdown(&none, NULL, NULL, &text));
	assert_text(text, "");
}

/* A copied file: the cell counts once, and its failure is not hidden. */
static void test_duplicates(void **state)
{
	struct cells cells = {0};

	(void)state;
	add_cell(&cells, "s", "k", "t", SKIP);
	add_cell(&cells, "s", "k", "t", PASS);
	add_cell(&cells, "s", "k", "t", FAIL)->started = 1;
	add_cell(&cells, "s", "k", "t", FAIL)->started = 2;
	cells.v.data[3].reason = copy("the latest");
	assert_text(results(&cells, NULL), "TOPOLOGY s\n"
					   "t        ✗\n"
					   "\n"
					   "1 cell: 0 passed, 1 failed, 0 skipped\n"
					   "\n"
					   "Failed:\n"
					   "  s / k / t: the latest\n");
	cells_free(&cells);
}

/* Nothing that a name or a reason holds gets to a terminal. */
static void test_hostile(void **state)
{
	struct kt_cell_record *r;
	struct cells cells = {0};
	char *text;

	(void)state;
	r = add_cell(&cells, "\033[31m\n", "\xff", "\xc2\x9b", FAIL);
	r->reason = copy("a\nb\033");
	add_stat(r, "\033]0;x\007", 1, false);
	text = counts(&cells, NULL);
	assert_null(strpbrk(text, "\033\007\xff\x9b"));
	free(text);
	text = results(&cells, &(struct kt_cells_options){.by_kernel = true});
	assert_null(strpbrk(text, "\033\xff\x9b"));
	assert_non_null(strstr(text, "  \\x1b[31m\\x0a / \\xff / \\xc2\\x9b: a\\x0ab\\x1b\n"));
	free(text);
	cells_free(&cells);
}

/* --- against a naive computation --- */

#define N_S 3
#define N_K 4
#define N_T 5
#define N_P 3

static const char *const s_names[N_S] = {"sa", "sb", "sc"};
static const char *const k_names[N_K] = {"5.1", "5.9", "5.10", "6.0"};
static const char *const t_names[N_T] = {"1cpu", "2cpu-a", "2cpu-b", "10cpu", "x"};
static const char *const p_names[N_P] = {"pa", "pb", "pc"};

static void make_random(struct cells *cells, uint64_t *seed)
{
	for (int s = 0; s < N_S; s++)
		for (int k = 0; k < N_K; k++)
			for (int t = 0; t < N_T; t++) {
				struct kt_cell_record *r;

				if (next_random(seed) % 5 == 0)
					continue;
				r = add_cell(cells, s_names[s], k_names[k], t_names[t],
					     (int)(next_random(seed) % 3));
				for (int p = 0; p < N_P; p++)
					if (next_random(seed) % 4)
						add_stat(r, p_names[p],
							 (int64_t)(next_random(seed) % 3) + 7,
							 next_random(seed) % 6 == 0);
			}
}

/* The word in a row of a table whose columns are separated by blanks; row 0 is the head. */
static void word_at(const char *table, size_t row, size_t column, char *ret)
{
	while (row--)
		table = strchr(table, '\n') + 1;
	for (;;) {
		table += strspn(table, " ");
		if (!column--)
			break;
		table += strcspn(table, " \n");
	}
	sprintf(ret, "%.*s", (int)strcspn(table, " \n"), table);
}

static void naive_range(const struct cells *cells, int s, int k, int p, char *ret)
{
	uint64_t lo = UINT64_MAX, hi = 0;
	bool any = false;

	kt_vec_for_each (&cells->v, r) {
		if (r->skipped || strcmp(r->scheduler, s_names[s]) || strcmp(r->kernel, k_names[k]))
			continue;
		for (size_t i = 0; i < r->stats.n; i++) {
			uint64_t n = r->stats.all[i].verified_insns.value;

			if (r->stats.all[i].failed || strcmp(r->stats.all[i].name, p_names[p]))
				continue;
			any = true;
			lo = n < lo ? n : lo;
			hi = n > hi ? n : hi;
		}
	}
	if (!any)
		strcpy(ret, "-");
	else if (lo == hi)
		sprintf(ret, "%" PRIu64, lo);
	else
		sprintf(ret, "%" PRIu64 "..%" PRIu64, lo, hi);
}

static bool kernel_ran(const struct cells *cells, int s, int k)
{
	kt_vec_for_each (&cells->v, r)
		if (!r->skipped && !strcmp(r->scheduler, s_names[s]) &&
		    !strcmp(r->kernel, k_names[k]))
			return true;
	return false;
}

static void check_counts(const struct cells *cells, const char *text)
{
	char found[64], wanted[64];

	for (int s = 0; s < N_S; s++) {
		char title[16];
		const char *table;
		size_t row = 0;

		sprintf(title, "%s\nKERNEL", s_names[s]);
		table = strstr(text, title);
		assert_non_null(table);
		table += strlen(s_names[s]) + 1;
		for (int k = 0; k < N_K; k++) {
			if (!kernel_ran(cells, s, k))
				continue;
			word_at(table, ++row, 0, found);
			assert_string_equal(found, k_names[k]);
			for (int p = 0; p < N_P; p++) {
				word_at(table, row, (size_t)p + 1, found);
				naive_range(cells, s, k, p, wanted);
				assert_string_equal(found, wanted);
			}
		}
	}
}

static void naive_result(const struct cells *cells, int s, int t, char *ret)
{
	int passed = 0, ran = 0;

	kt_vec_for_each (&cells->v, r) {
		if (r->skipped || strcmp(r->scheduler, s_names[s]) ||
		    strcmp(r->topology, t_names[t]))
			continue;
		ran++;
		passed += r->passed;
	}
	if (!ran)
		strcpy(ret, "-");
	else if (passed == ran)
		strcpy(ret, "✓");
	else if (!passed)
		strcpy(ret, "✗");
	else
		sprintf(ret, "✗_%d/%d", passed, ran);
}

/* "✗ 2/3" is one word. */
static void check_results(const struct cells *cells, char *text)
{
	char found[64], wanted[64];

	for (char *p = strstr(text, "✗ "); p; p = strstr(p + 1, "✗ "))
		if (p[4] >= '0' && p[4] <= '9')
			p[3] = '_';
	for (int t = 0; t < N_T; t++) {
		word_at(text, (size_t)t + 1, 0, found);
		assert_string_equal(found, t_names[t]);
		for (int s = 0; s < N_S; s++) {
			word_at(text, (size_t)t + 1, (size_t)s + 1, found);
			naive_result(cells, s, t, wanted);
			assert_string_equal(found, wanted);
		}
	}
}

static void test_naive(void **state)
{
	uint64_t seed = 88172645463325252u;

	(void)state;
	for (int i = 0; i < 60; i++) {
		struct kt_cell_records records;
		struct cells cells = {0};
		char *text;

		make_random(&cells, &seed);
		records = records_of(&cells);
		assert_null(kt_render_instruction_count_tables(&records, NULL, &text));
		check_counts(&cells, text);
		free(text);
		assert_null(kt_render_result_table(&records, NULL, &text));
		check_results(&cells, text);
		free(text);
		cells_free(&cells);
	}
}

/* --- the same bytes, in every form --- */

typedef struct kt_error *(*format_fn)(const struct kt_cell_records *records, char **ret);

static struct kt_error *format_counts(const struct kt_cell_records *records, char **ret)
{
	return kt_render_instruction_count_tables(records, NULL, ret);
}

static struct kt_error *format_results(const struct kt_cell_records *records, char **ret)
{
	return kt_render_result_table(records, NULL, ret);
}

static struct kt_error *format_markdown(const struct kt_cell_records *records, char **ret)
{
	return kt_format_cells_markdown(records, NULL, NULL, ret);
}

static struct kt_error *format_diff(const struct kt_cell_records *records, char **ret)
{
	struct kt_cell_records a = {records->all, records->n / 2};
	struct kt_cells_diff diff;
	struct kt_error *err = kt_build_cells_diff(&a, &a, &diff);

	if (!err)
		err = kt_format_cells_diff_json(&diff, records, ret);
	kt_cells_diff_deinit(&diff);
	return err;
}

static const format_fn formats[] = {
	format_counts,        format_results,      format_markdown,
	kt_format_cells_json, kt_format_cells_csv, kt_format_cells_junit,
};

static void test_order_of_files(void **state)
{
	uint64_t seed = 4711;
	struct cells cells = {0};

	(void)state;
	make_random(&cells, &seed);
	make_random(&cells, &seed); /* with duplicates */
	for (size_t f = 0; f < sizeof(formats) / sizeof(*formats); f++) {
		struct kt_cell_records records = records_of(&cells);
		char *first, *text;

		assert_null(formats[f](&records, &first));
		for (int i = 0; i < 20; i++) {
			shuffle(&cells, &seed);
			assert_null(formats[f](&records, &text));
			assert_text(text, first);
		}
		free(first);
	}
	cells_free(&cells);
}

/* --- other forms --- */

static void test_json(void **state)
{
	struct cells cells = {0};
	struct kt_cell_records records;
	json_t *root, *first;
	char *text;

	(void)state;
	make_sweep(&cells);
	records = records_of(&cells);
	assert_null(kt_format_cells_json(&records, &text));
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "schema")),
			    "ktstr-gdb.report.v1");
	assert_int_equal(json_array_size(json_object_get(root, "cells")), 9);
	assert_int_equal(json_array_size(json_object_get(root, "failed")), 3);
	assert_int_equal(json_array_size(json_object_get(root, "instructions")), 3);
	first = json_array_get(json_object_get(root, "instructions"), 1);
	assert_string_equal(json_string_value(json_object_get(first, "program")), "b_init");
	assert_int_equal(json_integer_value(json_object_get(first, "lo")), 1000);
	assert_int_equal(json_integer_value(json_object_get(first, "hi")), 1200);
	json_decref(root);
	free(text);
	cells_free(&cells);
}

static void test_csv(void **state)
{
	struct cells cells = {0};
	struct kt_cell_records records;
	char *text;

	(void)state;
	add_stat(add_cell(&cells, "a,\"b\"", "k", "t", PASS), "p", 7, false);
	cells.v.data[0].duration_s = 1.5;
	cells.v.data[0].attempts = 2;
	add_cell(&cells, "c", "k", "t", FAIL)->reason = copy("no, it did not");
	records = records_of(&cells);
	assert_null(kt_format_cells_csv(&records, &text));
	assert_text(text, "scheduler,kernel,topology,result,verdict,reason,release,duration_s,"
			  "attempts,program,type,verified_insns,load,total_states,"
			  "peak_states,max_states_per_insn,mark_read,stack_depth,"
			  "verification_time_us,log_bytes\n"
			  "\"a,\"\"b\"\"\",k,t,passed,,,,1.5,2,p,,7,loaded,,,,,,,\n"
			  "c,k,t,failed,,\"no, it did not\",,,,,,,,,,,,,,\n");
	cells_free(&cells);
}

static void test_junit(void **state)
{
	struct cells cells = {0};
	struct kt_cell_records records;
	char *text;

	(void)state;
	add_cell(&cells, "s", "k", "t<&\">", PASS)->duration_s = 2.25;
	add_cell(&cells, "s", "k", "u", FAIL)->reason = copy("a\nb\001\xef\xbf\xbf");
	add_cell(&cells, "s", "l", "u", SKIP)->reason = copy("no CPUs");
	records = records_of(&cells);
	assert_null(kt_format_cells_junit(&records, &text));
	assert_text(
		text,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"verifier\" tests=\"3\" failures=\"1\" errors=\"0\" "
		"skipped=\"1\" time=\"2.250\">\n"
		"  <testsuite name=\"s\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" "
		"time=\"2.250\">\n"
		"    <testcase classname=\"verifier.s\" name=\"verifier/s/k/t&lt;&amp;&quot;&gt;\" "
		"time=\"2.250\"/>\n"
		"    <testcase classname=\"verifier.s\" name=\"verifier/s/k/u\" time=\"0.000\">\n"
		"      <failure message=\"a\\x0ab\\x01\\uffff\" type=\"failed\"/>\n"
		"    </testcase>\n"
		"    <testcase classname=\"verifier.s\" name=\"verifier/s/l/u\" time=\"0.000\">\n"
		"      <skipped message=\"no CPUs\"/>\n"
		"    </testcase>\n"
		"  </testsuite>\n"
		"</testsuites>\n");
	cells_free(&cells);
}

static void put_log(void *arg, const struct kt_cell_record *record, struct kt_buf *out)
{
	(void)arg;
	kt_buf_printf(out, "log of %s\n\n</pre><script>\n", record->scheduler);
}

static void test_markdown(void **state)
{
	struct cells cells = {0};
	struct kt_cell_records records;
	char *text;

	(void)state;
	add_stat(add_cell(&cells, "scx_a", "6.9", "t|*x*", PASS), "p", 7, false);
	add_cell(&cells, "scx_a", "6.9", "u", FAIL)->reason = copy("see @me, #1: <b>");
	records = records_of(&cells);
	assert_null(kt_format_cells_markdown(&records, put_log, NULL, &text));
	assert_text(text, "## ❌ 1 passed, 1 failed, 0 skipped\n"
			  "\n"
			  "| topology | scx_a |\n"
			  "|---|:---:|\n"
			  "| t&#124;&#42;x&#42; | ✅ |\n"
			  "| u | ❌ |\n"
			  "\n"
			  "<details><summary>❌ scx_a / 6.9 / u</summary>\n"
			  "\n"
			  "see &#64;me, &#35;1: &lt;b&gt;\n"
			  "\n"
			  "\n"
			  "<pre>\n"
			  "log of scx_a\n"
			  "\n"
			  "&lt;/pre&gt;&lt;script&gt;\n"
			  "</pre>\n"
			  "\n"
			  "</details>\n"
			  "\n"
			  "### verified_insns\n"
			  "\n"
			  "<details><summary>scx_a</summary>\n"
			  "\n"
			  "| kernel | p |\n"
			  "|---|---:|\n"
			  "| 6.9 | 7 |\n"
			  "\n"
			  "</details>\n"
			  "\n");
	cells_free(&cells);
}

/* --- against a baseline --- */

static void make_pair(struct cells *a, struct cells *b)
{
	static const struct {
		const char *topology;
		int a, b;
	} rows[] = {
		{"broke", PASS, FAIL}, {"fixed", FAIL, PASS}, {"new", -1, FAIL},
		{"gone", PASS, -1},    {"fails", FAIL, FAIL}, {"same", PASS, PASS},
		{"off", PASS, SKIP},   {"on", SKIP, PASS},    {"never", SKIP, -1},
		{"too", PASS, PASS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].a >= 0)
			add_cell(a, "s", "k", rows[i].topology, rows[i].a);
		if (rows[i].b >= 0)
			add_cell(b, "s", "k", rows[i].topology, rows[i].b)->reason = copy(
				rows[i].b == PASS ? NULL : "why");
	}
	kt_vec_for_each (&a->v, r) {
		bool same = strcmp(r->topology, "same") == 0, too = strcmp(r->topology, "too") == 0;

		/* "fixed" and "broke" have numbers as well, which are not compared. */
		add_stat(r, "p", same ? 100 : too ? 120 : 5, false);
		add_stat(r, "q", 7, false);
		add_stat(r, "zero", 0, false);
	}
	kt_vec_for_each (&b->v, r) {
		bool same = strcmp(r->topology, "same") == 0;

		add_stat(r, "q", 7, false);
		add_stat(r, "p", same ? 90 : 180, false);
		add_stat(r, "zero", same ? 1 : 0, false);
	}
}

static void test_diff(void **state)
{
	struct cells a = {0}, b = {0};
	struct kt_cell_records records_a, records_b;
	struct kt_cells_diff diff;
	char *text;

	(void)state;
	make_pair(&a, &b);
	records_a = records_of(&a);
	records_b = records_of(&b);
	assert_null(kt_build_cells_diff(&records_a, &records_b, &diff));
	assert_null(kt_format_cells_diff(&diff, NULL, &text));
	assert_text(text, "Passed in the baseline, fails now:\n"
			  "  s / k / broke: why\n"
			  "\n"
			  "Failed in the baseline, passes now:\n"
			  "  s / k / fixed\n"
			  "\n"
			  "New, or skipped in the baseline:\n"
			  "  s / k / new: why\n"
			  "  s / k / on: passed\n"
			  "\n"
			  "Gone, or skipped now:\n"
			  "  s / k / gone\n"
			  "  s / k / off: why\n"
			  "\n"
			  "SCHEDULER KERNEL PROGRAM BASELINE     NOW DELTA      %\n"
			  "s         k      p       100..120 90..180   +60 +50.0%\n"
			  "s         k      zero           0    0..1    +1  +inf%\n"
			  "\n"
			  "1 broken, 1 fixed, 2 new, 2 gone, 1 still failing, 3 unchanged; "
			  "verified_insns of 2 programs changed\n");
	assert_null(kt_format_cells_diff_json(&diff, &records_b, &text));
	assert_non_null(strstr(text, "\"change\": \"broken\""));
	free(text);
	kt_cells_diff_deinit(&diff);

	assert_null(kt_build_cells_diff(&records_a, &records_a, &diff));
	assert_null(kt_format_cells_diff(&diff, NULL, &text));
	assert_text(text, "0 broken, 0 fixed, 0 new, 0 gone, 2 still failing, 7 unchanged; "
			  "verified_insns of 0 programs changed\n");
	kt_cells_diff_deinit(&diff);
	cells_free(&a);
	cells_free(&b);
}

/* What changes one way changes back the other way. */
static void test_diff_mirrors(void **state)
{
	uint64_t seed = 99;

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct cells a = {0}, b = {0};
		struct kt_cell_records ra, rb;
		struct kt_cells_diff ab, ba;

		make_random(&a, &seed);
		make_random(&b, &seed);
		ra = records_of(&a);
		rb = records_of(&b);
		assert_null(kt_build_cells_diff(&ra, &rb, &ab));
		assert_null(kt_build_cells_diff(&rb, &ra, &ba));
		assert_int_equal(ab.n_cells, ba.n_cells);
		assert_int_equal(ab.counts[KT_CELL_BROKEN], ba.counts[KT_CELL_FIXED]);
		assert_int_equal(ab.counts[KT_CELL_NEW], ba.counts[KT_CELL_GONE]);
		assert_int_equal(ab.counts[KT_CELL_UNCHANGED], ba.counts[KT_CELL_UNCHANGED]);
		assert_int_equal(ab.n_insns, ba.n_insns);
		for (size_t k = 0; k < ab.n_insns; k++) {
			assert_string_equal(ab.insns[k].program, ba.insns[k].program);
			assert_int_equal(ab.insns[k].delta, -ba.insns[k].delta);
			assert_int_equal(ab.insns[k].topologies, ba.insns[k].topologies);
		}
		kt_cells_diff_deinit(&ab);
		kt_cells_diff_deinit(&ba);
		cells_free(&a);
		cells_free(&b);
	}
}

/* Few records can have names for more cells than there is memory for. */
static void test_too_large(void **state)
{
	static const struct kt_cells_options by_kernel = {.by_kernel = true};
	struct cells cells = {0};
	struct kt_cell_records records;
	struct kt_error *err;
	char *text, name[16];

	(void)state;
	for (int i = 0; i < 2100; i++) {
		sprintf(name, "%d", i);
		add_cell(&cells, name, name, name, PASS);
	}
	records = records_of(&cells);
	err = kt_render_result_table(&records, NULL, &text);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	kt_error_destroy(err);
	err = kt_render_result_table(&records, &by_kernel, &text);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	kt_error_destroy(err);
	err = kt_format_cells_markdown(&records, NULL, NULL, &text);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	kt_error_destroy(err);
	err = kt_format_cells_html(&records, NULL, &text);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	assert_string_equal(kt_error_message(err), "a grid of 2100 schedulers, 2100 kernels and "
						   "2100 topologies is too large to show");
	kt_error_destroy(err);
	assert_null(kt_format_cells_csv(&records, &text));
	free(text);
	cells_free(&cells);
}

static void test_odd_names(void **state)
{
	uint64_t seed = 7;
	struct cells cells = {0};
	struct kt_cell_records records;
	char *text;

	(void)state;
	for (int i = 0; i < 60; i++) {
		char s[64], k[64], t[64];
		struct kt_cell_record *r;

		put_random_text(s, sizeof(s), &seed);
		put_random_text(k, sizeof(k), &seed);
		put_random_text(t, sizeof(t), &seed);
		r = add_cell(&cells, s, k, t, (int)(next_random(&seed) % 3));
		r->reason = copy(k);
		add_stat(r, t, 3, false);
	}
	records = records_of(&cells);
	for (size_t f = 0; f < sizeof(formats) / sizeof(*formats); f++) {
		assert_null(formats[f](&records, &text));
		assert_null(strpbrk(text, "\033\xff"));
		free(text);
	}
	assert_null(format_diff(&records, &text));
	free(text);
	cells_free(&cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_order_is_one),
		cmocka_unit_test(test_release_length),
		cmocka_unit_test(test_more_numbers),
		cmocka_unit_test(test_order_of_sweep),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_namesakes),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_naive),
		cmocka_unit_test(test_order_of_files),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_junit),
		cmocka_unit_test(test_markdown),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_diff_mirrors),
		cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_too_large),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
