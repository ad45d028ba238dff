// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as a dump of .rodata for build/bpf/globals.bpf.o, and as an assignment: whatever is
 * written lies in the sections. Wants `make bpf`.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "object/globals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECTION_MAX 4096 /* more than any of its sections has */

static void check(const struct object_globals *globals)
{
	size_t n;
	const struct object_write *all = object_globals_writes(globals, &n);

	for (size_t i = 0; i < n; i++)
		if (!all[i].size || all[i].offset + all[i].size > SECTION_MAX)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_buf missing = KT_BUF_INIT;
	struct object_globals *globals;
	char *text = malloc(size + 1);
	struct kt_error *err;
	size_t before, after;

	/* An assignment may name a file: not here. */
	if (!text || object_globals_open("build/bpf/globals.bpf.o", &globals))
		abort();
	err = object_globals_set_json(globals, (const char *)data, size, &missing);
	object_globals_writes(globals, &before);
	if (err && before)
		abort();
	kt_error_destroy(err);
	memcpy(text, data, size);
	text[size] = '\0';
	if (!strchr(text, '@')) {
		err = object_globals_set(globals, text);
		object_globals_writes(globals, &after);
		if (err && after != before)
			abort();
		kt_error_destroy(err);
	}
	check(globals);
	object_globals_close(globals);
	kt_buf_deinit(&missing);
	free(text);
	return 0;
}
