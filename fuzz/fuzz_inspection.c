// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as what the fenced child hands back. It has read a hostile guest, so it may be the
 * guest's by then. What is taken has to be as good as what inspect_guest() gives: it is packed
 * again, and is the same; and it can be shown.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "introspect/inspect_apart.h"
#include "render/programs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_at(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_inspection.c:%d: %s\n", line, what);
	abort();
}

#define check(e) check_at((e), #e, __LINE__)

/* The one difference that there may be: any byte but 0 says that a number is known. */
static void check_again(const struct inspection *inspection, size_t size)
{
	struct kt_buf first = KT_BUF_INIT, second = KT_BUF_INIT;
	struct inspection again;

	inspection_pack(inspection, &first);
	check(first.len == size);
	check(!inspection_unpack(first.data, first.len, &again));
	inspection_pack(&again, &second);
	check(second.len == first.len && !memcmp(first.data, second.data, first.len));
	/* Nothing may be missing, and nothing may follow. */
	inspection_deinit(&again);
	for (size_t cut = 1; cut <= first.len; cut += 1 + first.len / 16) {
		struct kt_error *err = inspection_unpack(first.data, first.len - cut, &again);

		check(err && kt_error_code(err) == KT_ERROR_PROTOCOL);
		kt_error_destroy(err);
	}
	kt_buf_deinit(&first);
	kt_buf_deinit(&second);
}

static void show(struct programs *programs)
{
	const struct render_guest guest = {.release = "6", .arch = "x86_64"};
	const char *columns = "id,type,name,full_name,tag,insns,jited,loaded,maps";
	char *text;

	check(!render_programs_sort(programs, "full_name"));
	check(!render_programs_table(programs, columns, 80, false, &text));
	for (const char *p = text; *p; p++)
		check(*p == '\n' || (unsigned char)*p >= ' ');
	free(text);
	check(!render_programs_csv(programs, columns, &text));
	free(text);
	check(!render_programs_json(programs, &guest, &text));
	for (const char *p = text; *p; p++)
		check(*p == '\n' || (unsigned char)*p >= ' ');
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inspection inspection;
	struct kt_error *err = inspection_unpack(data, size, &inspection);

	if (err) {
		check(kt_error_code(err) == KT_ERROR_PROTOCOL);
		kt_error_destroy(err);
		return 0;
	}
	check_again(&inspection, size);
	show(&inspection.programs);
	inspection_deinit(&inspection);
	return 0;
}
