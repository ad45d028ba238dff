/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The logs of real kernels that the tests of logparse/ have beside them. */
#ifndef KT_TESTS_LOGPARSE_LOGS_H
#define KT_TESTS_LOGPARSE_LOGS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "logparse/text.h"

/* Reads tests/logparse/logs/NAME; the caller frees the data. Tests run in the top folder. */
static inline struct kt_text log_read(const char *name)
{
	enum { MAX = 1 << 20 };
	char path[256], *data = malloc(MAX);
	struct kt_text text;
	FILE *file;

	snprintf(path, sizeof(path), "tests/logparse/logs/%s", name);
	file = fopen(path, "rb");
	assert_non_null(file);
	assert_non_null(data);
	text.data = data;
	text.len = fread(data, 1, MAX, file);
	assert_true(text.len > 0 && text.len < MAX);
	fclose(file);
	/* Its own length, so that ASan sees a read behind its end. */
	text.data = data = realloc(data, text.len);
	assert_non_null(data);
	return text;
}

#endif
