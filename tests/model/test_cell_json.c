// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/cell_json.h"
#include "tests/render/cells.h"

#define DECODE(text, ret) kt_cell_record_decode((struct kt_text){text, strlen(text)}, ret)

static void assert_same(const struct kt_cell_record *a, const struct kt_cell_record *b)
{
	assert_string_equal(a->scheduler, b->scheduler);
	assert_string_equal(a->kernel, b->kernel);
	assert_string_equal(a->topology, b->topology);
	assert_int_equal(a->passed, b->passed);
	assert_int_equal(a->skipped, b->skipped);
	assert_string_equal(a->verdict ? a->verdict : "-", b->verdict ? b->verdict : "-");
	assert_string_equal(a->reason ? a->reason : "-", b->reason ? b->reason : "-");
	assert_string_equal(a->release ? a->release : "-", b->release ? b->release : "-");
	assert_string_equal(a->log ? a->log : "-", b->log ? b->log : "-");
	assert_string_equal(a->dump ? a->dump : "-", b->dump ? b->dump : "-");
	assert_string_equal(a->no_dump ? a->no_dump : "-", b->no_dump ? b->no_dump : "-");
	assert_string_equal(a->workload ? a->workload : "-", b->workload ? b->workload : "-");
	assert_int_equal(a->started, b->started);
	assert_int_equal(a->attempts, b->attempts);
	assert_true(a->duration_s == b->duration_s);
	assert_int_equal(a->stats.n, b->stats.n);
	for (size_t i = 0; i < a->stats.n; i++) {
		const struct kt_prog_stats *p = &a->stats.all[i], *q = &b->stats.all[i];

		assert_string_equal(p->name, q->name);
		assert_string_equal(p->type ? p->type : "-", q->type ? q->type : "-");
		assert_int_equal(p->verified_insns.known, q->verified_insns.known);
		assert_int_equal(p->verified_insns.value, q->verified_insns.value);
		assert_int_equal(p->failed, q->failed);
	}
}

static struct kt_cell_record *full_record(struct cells *cells)
{
	struct kt_cell_record *record = add_cell(cells, "scx_a", "6.12", "4cpu-1llc-nosmt", FAIL);

	record->verdict = copy("sched_exited");
	record->reason = copy("it \"exited\":\n\001 \xc3\xa9");
	record->release = copy("6.12.57+deb13");
	record->log = copy("a.log");
	record->dump = copy("a.dump");
	record->no_dump = copy("the stub is silent");
	record->workload = copy("/a b/bench -n 4");
	record->started = 1790000000;
	record->duration_s = 12.625;
	record->attempts = 3;
	add_stat(record, "a_init", 120, false);
	add_stat(record, "a_init", INT64_MAX, false);
	add_stat(record, "", -1, true);
	record->stats.all[0].type = copy("struct_ops");
	return record;
}

static void test_round_trip(void **state)
{
	struct kt_cell_record read;
	struct cells cells = {0};
	char *text;

	(void)state;
	full_record(&cells);
	add_cell(&cells, "s", "k", "t", PASS);
	add_cell(&cells, "s", "k", "t", SKIP);
	kt_vec_for_each (&cells.v, it) {
		assert_null(kt_cell_record_encode(it, &text));
		assert_null(DECODE(text, &read));
		assert_same(it, &read);
		assert_int_equal(text[strlen(text) - 1], '}');
		kt_cell_record_deinit(&read);
		free(text);
	}
	cells_free(&cells);
}

/* The kernel's own counters are never that large, but a record is a file that may hold anything. */
static void test_large_number(void **state)
{
	struct kt_cell_record read;
	struct cells cells = {0};
	struct kt_cell_record *record = full_record(&cells);
	char *text;

	(void)state;
	record->stats.all[1].verified_insns.value = UINT64_MAX;
	assert_null(kt_cell_record_encode(record, &text));
	assert_non_null(strstr(text, "\"verified_insns\": 18446744073709551615"));
	assert_null(DECODE(text, &read));
	assert_true(read.stats.all[1].verified_insns.value == UINT64_MAX);
	kt_cell_record_deinit(&read);
	free(text);
	cells_free(&cells);
}

/* However much of it got to the disk, it is the record or none. */
static void test_cut_anywhere(void **state)
{
	struct kt_cell_record read;
	struct cells cells = {0};
	char *text;

	(void)state;
	assert_null(kt_cell_record_encode(full_record(&cells), &text));
	for (size_t len = 0; len < strlen(text); len++) {
		struct kt_error *err = kt_cell_record_decode((struct kt_text){text, len}, &read);

		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
		kt_error_destroy(err);
	}
	free(text);
	cells_free(&cells);
}

/* As ktstr itself writes them. */
static void test_plain(void **state)
{
	struct kt_cell_record read;

	(void)state;
	assert_null(DECODE("{\"scheduler\": \"s\", \"kernel\": \"6.9\", \"topology\": \"t\", "
			   "\"passed\": true, \"stats\": [{\"name\": \"p\", "
			   "\"verified_insns\": 7, \"new\": {}}], \"later\": [1]}\n",
			   &read));
	assert_true(read.passed);
	assert_false(read.skipped);
	assert_int_equal(read.stats.n, 1);
	assert_int_equal(read.stats.all[0].verified_insns.value, 7);
	assert_null(read.reason);
	kt_cell_record_deinit(&read);
}

#define NAMES "\"scheduler\": \"s\", \"kernel\": \"k\", \"topology\": \"t\", "

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "empty"},
		{"[]", "not an object"},
		{"{}", "no \"scheduler\", which is a string"},
		{"{\"scheduler\": 1}", "\"scheduler\" is not a string"},
		{"{\"scheduler\": \"\"}", "neither empty"},
		{"{\"scheduler\": \"a/b\"}", "neither empty"},
		{"{\"scheduler\": \"a\\u0000b\"}", "not JSON"},
		{"{" NAMES "\"stats\": []}", "no \"passed\""},
		{"{" NAMES "\"passed\": null, \"stats\": []}", "\"passed\" is not true or false"},
		{"{" NAMES "\"passed\": 1, \"stats\": []}", "\"passed\" is not true or false"},
		{"{" NAMES "\"passed\": false, \"passed\": true, \"stats\": []}", "duplicate"},
		{"{" NAMES "\"passed\": true}", "no \"stats\""},
		{"{" NAMES "\"passed\": true, \"stats\": {}}", "\"stats\" is not a list"},
		{"{" NAMES "\"passed\": true, \"stats\": [1]}", "stats[0]: not an object"},
		{"{" NAMES "\"passed\": true, \"stats\": [{}]}", "stats[0]: no \"name\""},
		{"{" NAMES "\"passed\": true, \"stats\": [{\"name\": \"p\", \"verified_insns\": "
		 "-1}]}",
		 "\"verified_insns\" is not a count"},
		{"{" NAMES "\"passed\": true, \"stats\": [{\"name\": \"p\", \"verified_insns\": "
		 "1.5}]}",
		 "\"verified_insns\" is not a count"},
		{"{" NAMES "\"passed\": true, \"skipped\": \"no\", \"stats\": []}", "\"skipped\""},
		{"{" NAMES "\"passed\": true, \"stats\": [], \"reason\": 3}", "\"reason\""},
		{"{" NAMES "\"passed\": true, \"stats\": [], \"duration_s\": -1}",
		 "\"duration_s\""},
		{"{" NAMES "\"passed\": true, \"stats\": [], \"attempts\": 99999999999}",
		 "\"attempts\""},
		{"{" NAMES "\"passed\": true, \"stats\": []} x", "not JSON, or not whole"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kt_cell_record read;
		struct kt_error *err = DECODE(cases[i].text, &read);

		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
		if (!strstr(kt_error_message(err), cases[i].why))
			print_error("%s: %s\n", cases[i].text, kt_error_message(err));
		assert_non_null(strstr(kt_error_message(err), cases[i].why));
		kt_error_destroy(err);
	}
}

static void test_deep_and_long(void **state)
{
	size_t len = KT_CELL_RECORD_MAX + 1;
	char *text = malloc(len);
	struct kt_cell_record read;
	struct kt_error *err;

	(void)state;
	memset(text, '[', len);
	err = kt_cell_record_decode((struct kt_text){text, 1 << 20}, &read);
	assert_non_null(err);
	kt_error_destroy(err);
	err = kt_cell_record_decode((struct kt_text){text, len}, &read);
	assert_non_null(strstr(kt_error_message(err), "larger than 4 MiB"));
	kt_error_destroy(err);
	free(text);
}

/* What would not be read back is not written. */
static void test_bad_names(void **state)
{
	struct cells cells = {0};
	struct kt_error *err;
	char *text;

	(void)state;
	add_cell(&cells, "", "k", "t", PASS);
	add_cell(&cells, "s", "k/l", "t", PASS);
	add_cell(&cells, "s", "k", NULL, PASS);
	kt_vec_for_each (&cells.v, it) {
		err = kt_cell_record_encode(it, &text);
		assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
		kt_error_destroy(err);
	}
	cells_free(&cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_large_number),
		cmocka_unit_test(test_cut_anywhere), cmocka_unit_test(test_plain),
		cmocka_unit_test(test_refused),      cmocka_unit_test(test_deep_and_long),
		cmocka_unit_test(test_bad_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
