// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as a log for the collapser. The checker of the tests proves its output, with precision
 * tracking and without, and once more on that output.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "logparse/collapse.h"
#include "tests/lib/unmark.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* The caller frees it. */
static struct kt_text collapse(struct kt_text in, bool keep_precision)
{
	struct kt_collapse_options options = {.keep_precision = keep_precision};
	struct kt_text out = {0};
	struct unmark u;
	char *text = NULL;

	check(!kt_collapse_cycles(in, &options, &text, &out.len), "an error");
	out.data = text;
	check(text[out.len] == 0, "no NUL at the end");
	check(unmark_check(in, out, &u), u.problem);
	check(!keep_precision || !u.by_precision, "precision tracking was to be kept");
	unmark_deinit(&u);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_text in = {(const char *)data, size}, out, again;

	free((void *)collapse(in, true).data);
	out = collapse(in, false);
	again = collapse(out, false);
	free((void *)again.data);
	free((void *)out.data);
	return 0;
}
