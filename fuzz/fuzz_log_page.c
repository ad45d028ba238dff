// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as the log of a page: no script in it but its own, and data that its script can rely
 * on.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/log_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_at(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_log_page.c:%d: %s\n", line, what);
	abort();
}

#define check(e) check_at((e), #e, __LINE__)

static json_t *load(const char *page, const char *id)
{
	char tag[100];
	const char *p, *end;
	json_error_t error;
	json_t *root;

	snprintf(tag, sizeof(tag), "<script type=\"application/json\" id=\"%s\">", id);
	p = strstr(page, tag);
	check(p != NULL);
	p += strlen(tag);
	end = strstr(p, "</script>");
	check(end && !memchr(p, '<', (size_t)(end - p)));
	root = json_loadb(p, (size_t)(end - p), JSON_REJECT_DUPLICATES, &error);
	if (!root)
		fprintf(stderr, "%s at %d\n", error.text, error.position);
	check(root != NULL);
	return root;
}

static size_t count_of(const json_t *data, const char *key)
{
	return json_array_size(json_object_get(data, key));
}

static size_t number(const json_t *data, const char *key, size_t i)
{
	json_int_t n = json_integer_value(json_array_get(json_object_get(data, key), i));

	check(n >= 0);
	return (size_t)n;
}

static void check_rows(const json_t *data, size_t rows)
{
	size_t strings = count_of(data, "strings");
	json_int_t at = json_integer_value(json_object_get(data, "at"));

	check(count_of(data, "text") == rows && count_of(data, "behind") == rows);
	for (size_t i = 0; i < rows; i++)
		check(number(data, "text", i) < strings && number(data, "behind", i) < strings);
	check(at >= -1 && at < (json_int_t)rows);
}

static void check_steps(const json_t *data, size_t rows)
{
	size_t n = count_of(data, "steps") / 4, row = 0, changes = 0;

	check(count_of(data, "steps") % 4 == 0);
	for (size_t i = 0; i < n; i++) {
		row += number(data, "steps", 4 * i);
		check(row < rows && (!i || number(data, "steps", 4 * i) > 0));
		check(number(data, "steps", 4 * i + 1) <= i);
		changes += number(data, "steps", 4 * i + 3);
	}
	check(count_of(data, "changes") == 2 * changes);
	for (size_t i = 0; i < changes; i++)
		check(number(data, "changes", 2 * i + 1) < count_of(data, "strings"));
}

/* Loops lie in each other or apart, in the order of their first rows. */
static void check_loops(const json_t *data, size_t rows)
{
	size_t last = 0;

	check(count_of(data, "loops") % 5 == 0);
	for (size_t i = 0; i < count_of(data, "loops"); i += 5) {
		size_t start = number(data, "loops", i), first_end = number(data, "loops", i + 1);
		size_t last_start = number(data, "loops", i + 2),
		       end = number(data, "loops", i + 3);

		check(last <= start && start < first_end && first_end <= last_start);
		check(last_start < end && end <= rows);
		last = start;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct render_log_program program = {
		.file = KT_TEXT("-"),
		.log = {.trace = {(const char *)bytes, size}, .complete = true},
	};
	size_t rows, scripts = 0;
	json_t *data, *index;
	char *page;

	if (kt_format_log_html(&program, 1, &page))
		abort();
	for (const char *p = page; (p = strstr(p, "<script")); p++)
		scripts++;
	check(scripts == 3);
	index = load(page, "index");
	data = load(page, "data0");
	rows = strlen(json_string_value(json_object_get(data, "kinds")));
	check_rows(data, rows);
	check_steps(data, rows);
	check_loops(data, rows);
	json_decref(data);
	json_decref(index);
	free(page);
	return 0;
}
