// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as a saved result. A result that can be read is compared with itself: nothing differs.
 * Then with an empty one: everything is gone.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/saved.h"
#include "render/diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_at(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_saved.c:%d: %s\n", line, what);
	abort();
}

#define check(e) check_at((e), #e, __LINE__)

static struct kt_diff_rows compare(const struct kt_saved *a, const struct kt_saved *b)
{
	struct kt_diff_rows rows;
	struct kt_b_map *map;

	check(!kt_build_b_map(&b->programs, &map));
	check(!kt_build_diff_rows(&a->programs, map, &rows));
	kt_b_map_destroy(map);
	return rows;
}

static void format(const struct kt_saved *a, const struct kt_diff_rows *rows)
{
	const struct kt_diff_options options = {.width = 80, .color = false};
	char *text;

	check(!kt_format_diff_rows(a->kernel, a->scheduler, rows, &options, &text));
	for (const char *p = text; *p; p++)
		check(*p == '\n' || (unsigned char)*p >= ' ');
	free(text);
	check(!kt_format_diff_csv(rows, &text));
	free(text);
	check(!kt_format_diff_json(&(struct kt_diff_side){a->kernel, a},
				   &(struct kt_diff_side){a->verdict, a}, rows, &text));
	free(text);
}

static void check_rows(const struct kt_saved *a)
{
	const struct kt_saved nothing = {0};
	struct kt_diff_rows rows = compare(a, a);

	check(rows.n == a->programs.n);
	for (size_t i = 0; i < rows.n; i++) {
		enum kt_diff_status status = rows.all[i].status;

		check(status == KT_DIFF_UNCHANGED || status == KT_DIFF_UNKNOWN ||
		      status == KT_DIFF_FAILED_IN_BOTH);
		check(rows.all[i].delta == 0);
	}
	format(a, &rows);
	kt_diff_rows_deinit(&rows);
	rows = compare(a, &nothing);
	check(rows.n == a->programs.n);
	for (size_t i = 0; i < rows.n; i++)
		check(rows.all[i].status == KT_DIFF_REMOVED);
	kt_diff_rows_deinit(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_saved saved;
	struct kt_error *err = kt_saved_read((struct kt_text){(const char *)data, size}, "f",
					     &saved);

	if (err) {
		check(strncmp(kt_error_message(err), "f ", 2) == 0);
		kt_error_destroy(err);
		return 0;
	}
	check_rows(&saved);
	kt_saved_deinit(&saved);
	return 0;
}
