// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as a file with logs, whose errors go to an editor or a CI service: each line of the
 * output begins with a place or a command of ours, and has no control character; lines of the file
 * are lines that it has; SARIF is JSON.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logparse/logs.h"
#include "render/log_format.h"
#include "util/utf8.h"

/* With a backslash it is none that a log can name. */
#define FILE_NAME "my\\.log"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_at(bool good, const char *what, int line)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_log_formats.c:%d: %s\n", line, what);
	abort();
}

#define check(e) check_at((e), #e, __LINE__)

/* The programs of a text, one after the other. */
struct programs {
	KT_VEC(struct render_log_program) v;
};

typedef struct kt_error *render_fn(const struct render_log_program *programs, size_t n,
				   const struct render_log_format_options *options, char **ret);

static char *rendered(const struct programs *programs, render_fn *fn)
{
	char *text = NULL;

	check(!fn(programs->v.data, programs->v.len, NULL, &text));
	for (const char *p = text; *p;) {
		size_t len = kt_utf8_length(p, strlen(p) < 4 ? strlen(p) : 4);

		check(len > 0);
		check((unsigned char)*p >= ' ' || *p == '\n');
		check(*p != 0x7f);
		p += len;
	}
	return text;
}

/* "FILE:LINE:COLUMN: LEVEL: ", where the file has no colon. */
static void check_gcc_line(struct kt_text line, size_t n_lines)
{
	char head[64] = "", level[16] = "";
	const char *colon = memchr(line.data, ':', line.len);
	size_t number, column, len;

	check(colon && colon > line.data);
	check(!memchr(line.data, '"', line.len));
	len = line.len - (size_t)(colon - line.data);
	memcpy(head, colon, len < sizeof(head) - 1 ? len : sizeof(head) - 1);
	check(sscanf(head, ":%zu:%zu: %15[a-z]: ", &number, &column, level) == 3);
	check(number >= 1 && column >= 1);
	check(!strcmp(level, "error") || !strcmp(level, "warning") || !strcmp(level, "note"));
	if (kt_text_starts_with(line, KT_TEXT(FILE_NAME ":")))
		check(number <= n_lines || number == 1);
}

static void check_gcc(const struct programs *programs, struct kt_text input)
{
	char *text = rendered(programs, render_log_gcc);
	struct kt_text rest = {text, strlen(text)}, line;
	size_t n_lines = kt_text_count_lines(input);

	while (kt_text_next_line(&rest, &line))
		check_gcc_line(line, n_lines);
	free(text);
}

static void check_github(const struct programs *programs)
{
	char *text = rendered(programs, render_log_github);
	struct kt_text rest = {text, strlen(text)}, line;

	while (kt_text_next_line(&rest, &line))
		check(kt_text_starts_with(line, KT_TEXT("::error ")) ||
		      kt_text_starts_with(line, KT_TEXT("::warning ")) ||
		      kt_text_starts_with(line, KT_TEXT("::notice ")));
	free(text);
}

static void check_sarif(const struct programs *programs)
{
	char *text = rendered(programs, render_log_sarif);
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	check(root != NULL);
	json_decref(root);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_text input = {(const char *)data, size}, text = input;
	struct programs programs = {0};
	struct kt_unwrapped *u = NULL;
	struct kt_logs logs;

	check(!kt_unwrap(input, &u));
	if (u)
		text = kt_unwrapped_text(u);
	check(!kt_logs_find(text, u, &logs));
	kt_vec_for_each (&logs.v, log) {
		struct render_log_program program = {
			.file = KT_TEXT(FILE_NAME),
			.log = *log,
			.input = input,
			.wrapped = u,
		};

		check(kt_vec_push(&programs.v, program));
	}
	check_gcc(&programs, input);
	check_github(&programs);
	check_sarif(&programs);
	kt_vec_free(&programs.v);
	kt_logs_deinit(&logs);
	kt_unwrapped_destroy(u);
	return 0;
}
