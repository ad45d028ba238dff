// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <string.h>

#include "model/filter.h"
#include "tests/render/stats_list.h"

static struct kt_filter parsed(const char *text)
{
	struct kt_filter filter;
	struct kt_error *err = kt_filter_parse(text, &filter);

	if (err)
		fail_msg("%s: %s", text, kt_error_message(err));
	return filter;
}

static void refused(const char *text, const char *words)
{
	struct kt_filter filter = {.n = 77};
	struct kt_error *err = kt_filter_parse(text, &filter);
	const char *hint;

	if (!err)
		fail_msg("taken: %s", text);
	hint = kt_error_hint_text(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	if (!strstr(kt_error_message(err), words) && !(hint && strstr(hint, words)))
		fail_msg("%s: no \"%s\" in: %s; %s", text, words, kt_error_message(err), hint);
	assert_int_equal(filter.n, 77);
	kt_error_destroy(err);
}

static void test_refused(void **state)
{
	char text[400];

	(void)state;
	refused("", "is no KEY OPERATOR VALUE");
	refused("   ", "is no KEY OPERATOR VALUE");
	refused("delta", "\"delta\" is no KEY OPERATOR VALUE");
	refused("delta 5", "the operators > >= < <= = !=");
	refused("delta ! 5", "is no KEY OPERATOR VALUE");
	refused("insns>5", "no key \"insns\" in \"insns>5\"");
	refused("insns>5", "the keys are a, b, delta, delta_pct, |delta|");
	refused(">5", "no key \"\"");
	refused("|delta>5", "no key \"|delta\"");
	refused("delta>", "\"\" in \"delta>\" is no number");
	refused("delta=>5", "\">5\" in");
	refused("delta>>5", "\">5\" in");
	refused("delta>5x", "\"5x\" in \"delta>5x\" is no number");
	refused("delta>0x10", "is no number");
	refused("delta>nan", "is no number");
	refused("delta>inf", "is no number");
	refused("delta>1e5", "is no number");
	refused("delta>5,0", "is no number");
	refused("delta>5.", "is no number");
	refused("delta>.5", "is no number");
	refused("delta>5.5.5", "is no number");
	refused("delta>--5", "is no number");
	refused("delta>-", "is no number");
	refused("delta>%", "is no number");
	refused("delta>5%%", "is no number");
	refused("delta>1 2", "is no number");
	refused("delta>1234567890123456", "at most 15 digits");
	refused("status=odd", "no status \"odd\"");
	refused("status=odd", "failed-in-both");
	refused("status>added", "a status is compared with = or !=");
	refused("name<=x", "a name is compared with = or !=");
	refused("name=", "is no pattern");
	refused("delta>5 &&", "is no KEY OPERATOR VALUE");
	refused("&& delta>5", "is no KEY OPERATOR VALUE");
	refused("a>1&&a>1&&a>1&&a>1&&a>1&&a>1&&a>1&&a>1&&a>1", "more than 8 conditions");
	memset(text, '*', sizeof(text) - 1);
	memcpy(text, "name=", 5);
	text[sizeof(text) - 1] = '\0';
	refused(text, "is no pattern for a name");
}

/* 100 to 105, 5 %. */
static const struct kt_diff_row grown = {
	.name = "tcp_connect",
	.type = "tracing",
	.a = {true, 1000},
	.b = {true, 1050},
	.has_delta = true,
	.delta = 50,
	.delta_pct = 5,
	.status = KT_DIFF_CHANGED,
};

static void check(const char *text, const struct kt_diff_row *row, bool wanted)
{
	struct kt_filter filter = parsed(text);

	if (kt_filter_matches(&filter, row) != wanted)
		fail_msg("%s", text);
}

static void test_numbers(void **state)
{
	struct kt_diff_row shrunk = grown;

	(void)state;
	check("delta>49", &grown, true);
	check("delta>50", &grown, false);
	check("delta>=50", &grown, true);
	check("delta>=51", &grown, false);
	check("delta<51", &grown, true);
	check("delta<50", &grown, false);
	check("delta<=50", &grown, true);
	check("delta<=49", &grown, false);
	check("delta=50", &grown, true);
	check("delta==50", &grown, true);
	check("delta=51", &grown, false);
	check("delta!=50", &grown, false);
	check("delta<>50", &grown, false);
	check("delta!=51", &grown, true);
	check("  delta \t >= +50  ", &grown, true);
	check("delta_pct>4.9", &grown, true);
	check("delta_pct>4.99999999%", &grown, true);
	check("delta_pct = 5.0 %", &grown, true);
	check("delta_pct>5", &grown, false);
	check("a=1000", &grown, true);
	check("b>1049.5", &grown, true);
	check("b>1050.5", &grown, false);
	shrunk.delta = -50;
	shrunk.delta_pct = -5;
	check("delta<-49", &shrunk, true);
	check("delta>-49", &shrunk, false);
	check("|delta|=50", &shrunk, true);
	check("abs_delta>=50", &shrunk, true);
	check("|delta_pct| >= 5%", &shrunk, true);
	check("abs_delta_pct>5", &shrunk, false);
	check("delta_pct>0", &shrunk, false);
}

/* A percentage is compared as it was typed: 0.3 % of 1000 is 3. */
static void test_exact(void **state)
{
	struct kt_prog_stats_list a = {0}, b = {0};
	struct kt_diff_rows rows;

	(void)state;
	for (int i = 1; i < 1000; i++) {
		char text[64];

		pass(&a, "p", 1000);
		pass(&b, "p", 1000 + i);
		rows = rows_of(&a, &b);
		snprintf(text, sizeof(text), "delta_pct=%d.%d&&delta_pct>=%d.%d00", i / 10, i % 10,
			 i / 10, i % 10);
		check(text, &rows.all[0], true);
		kt_diff_rows_deinit(&rows);
		kt_prog_stats_deinit(&a);
		kt_prog_stats_deinit(&b);
	}
}

/* What is not known is not more than a number, nor less, nor another. */
static void test_unknown(void **state)
{
	static const char *const keys[] = {"a",         "b",           "delta",  "delta_pct",
					   "abs_delta", "|delta_pct|", "|delta|"};
	static const char *const ops[] = {">", ">=", "<", "<=", "=", "!="};
	const struct kt_diff_row row = {.name = "p", .status = KT_DIFF_UNKNOWN};

	(void)state;
	for (size_t k = 0; k < 7; k++)
		for (size_t o = 0; o < 6; o++) {
			char text[64];

			snprintf(text, sizeof(text), "%s%s0", keys[k], ops[o]);
			check(text, &row, false);
		}
}

static void test_infinite(void **state)
{
	struct kt_diff_row row = grown;

	(void)state;
	row.a.value = 0;
	row.delta_pct = __builtin_inf();
	check("delta_pct>999999999999999", &row, true);
	check("|delta_pct|>=5%", &row, true);
	check("delta_pct<5", &row, false);
	check("delta_pct=5", &row, false);
	check("delta_pct!=5", &row, true);
}

static void test_words(void **state)
{
	(void)state;
	check("status=changed", &grown, true);
	check("status = added", &grown, false);
	check("status!=added", &grown, true);
	check("status<>changed", &grown, false);
	check("name=tcp_*", &grown, true);
	check("name==*_connect", &grown, true);
	check("name = tcp", &grown, false);
	check("name!=tcp_*", &grown, false);
	check("name=tcp_* && delta>10", &grown, true);
	check("name=tcp_* && delta>100", &grown, false);
	check("name=udp_*&&delta>10", &grown, false);
	for (enum kt_diff_status s = 0; s < KT_N_DIFF_STATUS; s++) {
		struct kt_diff_row row = {.name = "p", .status = s};
		char text[64];

		snprintf(text, sizeof(text), "status=%s", kt_diff_status_name(s));
		check(text, &row, true);
		check(text, &grown, s == KT_DIFF_CHANGED);
	}
}

/* All filters have to hold; what got broken stays, whatever they say. */
static void test_rows(void **state)
{
	struct kt_prog_stats_list a = {0}, b = {0};
	struct kt_filter filters[] = {parsed("delta>1"), parsed("name=k*")};
	struct kt_diff_rows rows;

	(void)state;
	pass(&a, "keep", 1);
	pass(&a, "kill", 1);
	pass(&a, "small", 1);
	pass(&a, "broken", 1);
	pass(&a, "keep2", 1);
	pass(&b, "keep", 5);
	pass(&b, "kill", 1);
	pass(&b, "small", 5);
	failing(&b, "broken", 1);
	failing(&b, "new", 1);
	pass(&b, "keep2", 5);
	rows = rows_of(&a, &b);
	kt_diff_rows_filter(&rows, filters, 0);
	assert_int_equal(rows.n, 6);
	kt_diff_rows_filter(&rows, filters, 2);
	assert_int_equal(rows.n, 3);
	assert_string_equal(rows.all[0].name, "keep");
	assert_string_equal(rows.all[1].name, "broken");
	assert_string_equal(rows.all[2].name, "keep2");
	kt_diff_rows_deinit(&rows);
	kt_prog_stats_deinit(&a);
	kt_prog_stats_deinit(&b);
}

/* Whatever is typed is taken or refused; nothing is read that is not there. */
static void test_any_text(void **state)
{
	static const char alphabet[] = "ab|deltp_c<>=!&% 05.-+*sn\xff";
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct kt_filter filter;
		struct kt_error *err;
		char *text = NULL;
		size_t len = seed >> 40 & 15;

		text = calloc(1, len + 1);
		assert_non_null(text);
		for (size_t c = 0; c < len; c++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			text[c] = alphabet[(seed >> 33) % (sizeof(alphabet) - 1)];
		}
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		err = kt_filter_parse(text, &filter);
		if (!err)
			kt_filter_matches(&filter, &grown);
		else
			assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
		kt_error_destroy(err);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),  cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_exact),    cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_infinite), cmocka_unit_test(test_words),
		cmocka_unit_test(test_rows),     cmocka_unit_test(test_any_text),
	};

	return cmocka_run_group_tests_name("render/filter", tests, NULL, NULL);
}
