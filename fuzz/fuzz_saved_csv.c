// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as a result in CSV. If it can be read, it has no more programs than lines, each with a
 * name; and it is read alike by its shape, if it looks like CSV at all.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/saved.h"
#include "model/saved_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_at(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_saved_csv.c:%d: %s\n", line, what);
	abort();
}

#define check(e) check_at((e), #e, __LINE__)

static size_t count_lines(const uint8_t *data, size_t size)
{
	size_t n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}

static void check_programs(const struct kt_saved *saved)
{
	for (size_t i = 0; i < saved->programs.n; i++) {
		const struct kt_prog_stats *program = &saved->programs.all[i];

		check(program->name && program->name[0]);
		check(program->verified_insns.known == (program->verified_insns.value != 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_text text = {(const char *)data, size};
	struct kt_saved saved = {0}, again;
	struct kt_error *err = kt_saved_read_csv(text, &saved.programs, &saved.kernel);

	if (err) {
		kt_saved_deinit(&saved);
		check(kt_error_message(err)[0]);
		kt_error_destroy(err);
		return 0;
	}
	check(saved.programs.n <= count_lines(data, size));
	check_programs(&saved);
	if (kt_saved_is_csv(text)) {
		check(!kt_saved_read(text, "f", &again));
		check(again.programs.n == saved.programs.n);
		kt_saved_deinit(&again);
	}
	kt_saved_deinit(&saved);
	return 0;
}
