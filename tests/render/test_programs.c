// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <locale.h>
#include <string.h>
#include <time.h>

#include "render/programs.h"

static struct program_number known(uint64_t value)
{
	return (struct program_number){true, value};
}

static char *copy(const char *s)
{
	char *p = s ? strdup(s) : NULL;

	assert_true(p || !s);
	return p;
}

/* A program of which everything is known. */
static struct program full(uint32_t id, const char *type, const char *name, const char *full_name,
			   uint64_t insns)
{
	struct program p = {
		.id = id,
		.type = copy(type),
		.full_name = copy(full_name),
		.tag = "0123456789abcdef",
		.gpl_known = true,
		.gpl_compatible = true,
		.verified_insns = known(insns),
		.bytes_xlated = known(416),
		.bytes_jited = known(227),
		.loaded_at = known(1764021342),
		.uid = known(0),
		.btf_id = known(5),
		.run_cnt = known(1),
		.run_time_ns = known(2),
		.recursion_misses = known(3),
		.map_ids_known = true,
	};

	memcpy(p.name, name, strnlen(name, 15));
	return p;
}

/* One of which nothing is known but its ID. */
static struct program blank(uint32_t id)
{
	return (struct program){.id = id};
}

#define MAX 8

struct list {
	struct program all[MAX];
	struct programs programs;
};

static struct programs *put(struct programs *programs, struct program p)
{
	if (!programs->all)
		programs->all = calloc(MAX, sizeof(p));
	assert_non_null(programs->all);
	assert_true(programs->n < MAX);
	programs->all[programs->n++] = p;
	return programs;
}

static char *ids(const struct programs *programs)
{
	static char text[128];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < programs->n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", i ? " " : "",
					programs->all[i].id);
	return text;
}

static struct render_columns columns(const char *text)
{
	struct render_columns cols;
	struct kt_error *err = render_columns_parse(text, &cols);

	if (err)
		fail_msg("%s", kt_error_message(err));
	return cols;
}

static char *table(const struct programs *programs, const char *cols_text, size_t width)
{
	struct render_columns cols = columns(cols_text);
	char *text;

	assert_null(render_programs_table(programs, &cols, width, false, &text));
	return text;
}

static char *csv(const struct programs *programs, const char *cols_text)
{
	struct render_columns cols = columns(cols_text);
	char *text;

	assert_null(render_programs_csv(programs, &cols, &text));
	return text;
}

/* The document, parsed back. */
static json_t *json(const struct programs *programs, const struct render_guest *guest)
{
	json_error_t error;
	json_t *root;
	char *text;

	assert_null(render_programs_json(programs, guest, &text));
	root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		fail_msg("%s: %s", error.text, text);
	free(text);
	return root;
}

static void test_column_names(void **state)
{
	static const char *const pairs[][2] = {
		{"insns", "verified_insns"},
		{"xlated", "bytes_xlated"},
		{"loaded", "loaded_at"},
		{"gpl", "gpl_compatible"},
		{"maps", "map_ids"},
		{"btf", "btf_id"},
		{"runs", "run_cnt"},
		{"run_time", "run_time_ns"},
		{"misses", "recursion_misses"},
		{"short_name", "name"},
	};
	const char *names = render_column_names();
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const struct render_column *a, *b;

		a = render_column_by_name(pairs[i][0], strlen(pairs[i][0]));
		b = render_column_by_name(pairs[i][1], strlen(pairs[i][1]));
		assert_non_null(a);
		assert_ptr_equal(a, b);
	}
	assert_non_null(render_column_by_name("idx", 2));
	assert_null(render_column_by_name("idx", 3));
	assert_null(render_column_by_name("id", 1));
	assert_null(render_column_by_name("", 0));
	assert_null(render_column_by_name("ID", 2));
	/* Every name of the list is one, and none is cut off. */
	for (const char *p = names; *p; n++) {
		size_t len = strcspn(p, ",");

		assert_non_null(render_column_by_name(p, len));
		p += p[len] ? len + 2 : len;
	}
	assert_int_equal(n, 17);
}

static void test_column_lists(void **state)
{
	static const char *const bad[] = {"",         "id,",      ",id",         "id,,name",
					  "id, name", "nonsense", "id,nonsense", "id;name"};
	struct render_columns cols = columns(NULL), before;

	(void)state;
	assert_int_equal(cols.n, 6);
	assert_ptr_equal(cols.all[0], render_column_by_name("id", 2));
	cols = columns("insns,id,insns");
	assert_int_equal(cols.n, 3);
	assert_ptr_equal(cols.all[0], cols.all[2]);
	before = cols;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct kt_error *err = render_columns_parse(bad[i], &cols);

		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
		assert_non_null(strstr(kt_error_message(err), "verified_insns"));
		assert_memory_equal(&cols, &before, sizeof(cols));
		kt_error_destroy(err);
	}
}

static void test_too_many_columns(void **state)
{
	char text[256] = "id";
	struct render_columns cols;
	struct kt_error *err;

	(void)state;
	for (int i = 1; i < 24; i++)
		strcat(text, ",id");
	assert_int_equal(columns(text).n, 24);
	strcat(text, ",id");
	err = render_columns_parse(text, &cols);
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	kt_error_destroy(err);
}

static void test_table(void **state)
{
	struct programs programs = {0};
	char *text;

	(void)state;
	put(&programs, full(7, "sched_cls", "short", "short", 1396));
	put(&programs, blank(123456));
	put(&programs, full(8, "xdp", "a_name_that_is_", "a_name_that_is_long", 5));
	text = table(&programs, NULL, 0);
	assert_string_equal(text, "    ID TYPE       NAME                 VERIFIED XLATED JITED\n"
				  "     7 sched_cls  short                    1396    416   227\n"
				  "123456 -          -                           -      -     -\n"
				  "     8 xdp        a_name_that_is_long         5    416   227\n");
	free(text);
	text = table(&programs, "tag,jited,gpl,maps,loaded,uid", 0);
	assert_string_equal(text, "TAG              JIT GPL MAPS LOADED              UID\n"
				  "0123456789abcdef yes yes -    2025-11-24 21:55:42   0\n"
				  "-                -   -   -    -                     -\n"
				  "0123456789abcdef yes yes -    2025-11-24 21:55:42   0\n");
	free(text);
	programs_deinit(&programs);
}

/* Only names give way to the terminal's width. */
static void test_table_width(void **state)
{
	struct programs programs = {0};
	char *text;

	(void)state;
	put(&programs,
	    full(1, "tracing", "n", "a_name_of_more_than_forty_characters_in_it", 12345678));
	text = table(&programs, "id,full_name,insns", 40);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 40);
	free(text);
	text = table(&programs, "id,full_name,insns", 40);
	assert_non_null(strstr(text, "12345678"));
	assert_non_null(strstr(text, "a_name_of"));
	assert_null(strstr(text, "characters_in_it"));
	free(text);
	text = table(&programs, "id,full_name,insns", 0);
	assert_non_null(strstr(text, "characters_in_it"));
	free(text);
	programs_deinit(&programs);
}

static void test_table_color(void **state)
{
	struct render_columns cols = columns("id");
	struct programs programs = {0};
	char *text;

	(void)state;
	put(&programs, blank(1));
	assert_null(render_programs_table(&programs, &cols, 0, true, &text));
	assert_non_null(strstr(text, "\033[1mID"));
	free(text);
	assert_null(render_programs_table(&programs, &cols, 0, false, &text));
	assert_null(strchr(text, '\033'));
	free(text);
	programs_deinit(&programs);
}

static void test_nothing(void **state)
{
	static const struct render_filter filter = {0};
	const struct render_guest guest = {.release = "6", .arch = "x86_64"};
	struct programs none = {0};
	char *text;
	json_t *root;

	(void)state;
	render_programs_filter(&none, &filter);
	render_programs_sort(&none, render_column_by_name("id", 2), false);
	text = table(&none, NULL, 80);
	assert_string_equal(text, "");
	free(text);
	text = csv(&none, "id,insns");
	assert_string_equal(text, "id,verified_insns\n");
	free(text);
	root = json(&none, &guest);
	assert_int_equal(json_array_size(json_object_get(root, "programs")), 0);
	assert_true(json_is_array(json_object_get(root, "programs")));
	assert_null(json_object_get(root, "failed"));
	assert_null(json_object_get(root, "payload"));
	json_decref(root);
}

/* Bytes of a hostile guest's names, none of which may reach a terminal as they are. */
static const char hostile[] = "\033[2J\r\x07\x7f\x9b\xc2\x9b"
			      "31m\n";

static void assert_harmless(const char *text)
{
	for (const char *p = text; *p; p++) {
		uint8_t c = (uint8_t)*p;

		if (c != '\n' && c < ' ') /* DEL does nothing */
			fail_msg("control %#x in: %s", c, text);
		if (c >= 0x80 && c <= 0xc2)
			fail_msg("C1 control or stray byte %#x in: %s", c, text);
		if (c > 0xc2) /* the rest of a character */
			p += c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
	}
}

static void test_hostile_names(void **state)
{
	static const char *const locales[] = {"C", "C.UTF-8"};
	struct programs programs = {0};
	const struct render_guest guest = {.release = hostile, .arch = "x86_64"};

	(void)state;
	put(&programs, full(1, hostile, hostile, hostile, 1));
	put(&programs, full(2, "xdp", hostile, NULL, 1));
	for (size_t i = 0; i < 2; i++) {
		char *text;

		assert_non_null(setlocale(LC_ALL, locales[i]));
		text = table(&programs, "id,type,name,full_name", 0);
		assert_harmless(text);
		/* A line break in a name makes no line of the table. */
		assert_int_equal(text[strlen(text) - 1], '\n');
		for (int line = 0; line < 2; line++)
			*strchr(text, '\n') = '.';
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		free(text);
		text = table(&programs, "id,type,name,full_name", 60);
		assert_harmless(text);
		free(text);
		text = csv(&programs, "id,type,name,full_name");
		assert_harmless(text);
		free(text);
		assert_null(render_programs_json(&programs, &guest, &text));
		assert_harmless(text);
		free(text);
	}
	setlocale(LC_ALL, "C");
	programs_deinit(&programs);
}

static void test_hostile_failures(void **state)
{
	const struct render_failure failures[] = {
		{hostile, hostile, hostile, 22, "a log\n\twith \xe2\x86\x92 tabs\n"},
		{"o", "s", "n", 0, hostile},
		{"o", "s", "n", 99999, ""},
	};
	char *text;

	(void)state;
	assert_null(render_failures_text(failures, 3, false, &text));
	assert_non_null(strstr(text, "a log\n\twith \xe2\x86\x92 tabs\n\nFAILED o: n (s)"));
	for (char *p = text; *p; p++)
		if (*p == '\t')
			*p = ' ';
	assert_harmless(text);
	free(text);
	assert_null(render_failures_text(failures, 0, false, &text));
	assert_string_equal(text, "");
	free(text);
	assert_null(render_failures_text(failures, 1, true, &text));
	assert_memory_equal(text, "\033[1;31mFAILED\033[0m ", 18);
	free(text);
}

/* One record of RFC 4180, into fields; returns where the next begins. */
static const char *parse_record(const char *p, char fields[][64], size_t *n)
{
	*n = 0;
	for (;;) {
		char *out = fields[(*n)++];

		if (*p == '"') {
			for (p++; *p && (*p != '"' || p[1] == '"'); p++) {
				p += *p == '"';
				*out++ = *p;
			}
			assert_int_equal(*p, '"');
			p++;
		} else {
			while (*p && !strchr(",\n", *p)) {
				assert_true(*p != '"' && *p != '\r');
				*out++ = *p++;
			}
		}
		*out = '\0';
		if (*p++ == '\n')
			return p;
		assert_int_equal(p[-1], ',');
	}
}

static void test_csv(void **state)
{
	static const char *const names[] = {"plain", "a,b", "say \"x\"", "\"", ",", " sp "};
	struct programs programs = {0};
	char fields[24][64], *text;
	const char *p;
	size_t n;

	(void)state;
	for (uint32_t i = 0; i < 6; i++)
		put(&programs, full(i, "xdp", names[i], names[i], UINT64_MAX - i));
	put(&programs, blank(6));
	programs.all[0].map_ids = calloc(2, sizeof(uint32_t));
	programs.all[0].map_ids[0] = 3;
	programs.all[0].map_ids[1] = UINT32_MAX;
	programs.all[0].n_map_ids = 2;
	text = csv(&programs, "id,full_name,insns,loaded,maps,jited");
	p = parse_record(text, fields, &n);
	assert_int_equal(n, 6);
	assert_string_equal(fields[2], "verified_insns");
	for (uint32_t i = 0; i < 6; i++) {
		char number[24];

		p = parse_record(p, fields, &n);
		assert_int_equal(n, 6);
		assert_string_equal(fields[1], names[i]);
		snprintf(number, sizeof(number), "%llu", (unsigned long long)UINT64_MAX - i);
		assert_string_equal(fields[2], number);
		assert_string_equal(fields[3], "1764021342");
		assert_string_equal(fields[4], i ? "" : "3,4294967295");
		assert_string_equal(fields[5], "yes");
	}
	p = parse_record(p, fields, &n);
	assert_int_equal(n, 6);
	assert_string_equal(fields[0], "6");
	for (size_t i = 1; i < 6; i++)
		assert_string_equal(fields[i], "");
	assert_string_equal(p, "");
	free(text);
	programs_deinit(&programs);
}

static void test_json(void **state)
{
	const struct render_guest guest = {.release = "6.12.107+deb13-amd64",
					   .arch = "x86_64",
					   .build_id = "abcd",
					   .kaslr_offset = -2097152,
					   .pause_us = 1400};
	struct programs programs = {0};
	json_t *root, *kernel, *p;
	const char *key;
	json_t *value;

	(void)state;
	put(&programs, full(7, "sched_cls", "load_2", "load_2", 1396));
	put(&programs, blank(UINT32_MAX));
	programs.all[0].map_ids = calloc(1, sizeof(uint32_t));
	programs.all[0].map_ids[0] = 3;
	programs.all[0].n_map_ids = 1;
	root = json(&programs, &guest);
	assert_string_equal(json_string_value(json_object_get(root, "schema")),
			    "ktstr-gdb.programs.v1");
	assert_int_equal(json_integer_value(json_object_get(root, "pause_us")), 1400);
	kernel = json_object_get(root, "kernel");
	assert_string_equal(json_string_value(json_object_get(kernel, "build_id")), "abcd");
	assert_true(json_integer_value(json_object_get(kernel, "kaslr_offset")) == -2097152);
	p = json_array_get(json_object_get(root, "programs"), 0);
	assert_int_equal(json_object_size(p), 17);
	assert_int_equal(json_integer_value(json_object_get(p, "id")), 7);
	assert_string_equal(json_string_value(json_object_get(p, "full_name")), "load_2");
	assert_int_equal(json_integer_value(json_object_get(p, "verified_insns")), 1396);
	assert_true(json_is_true(json_object_get(p, "jited")));
	assert_true(json_is_true(json_object_get(p, "gpl_compatible")));
	assert_int_equal(json_array_size(json_object_get(p, "map_ids")), 1);
	/* What is not known is null, under every key. */
	p = json_array_get(json_object_get(root, "programs"), 1);
	assert_int_equal(json_object_size(p), 17);
	json_object_foreach(p, key, value)
	{
		if (strcmp(key, "id") == 0)
			assert_true(json_integer_value(value) == UINT32_MAX);
		else if (strcmp(key, "name") && strcmp(key, "tag"))
			assert_true(json_is_null(value));
	}
	json_decref(root);
	programs_deinit(&programs);
}

static void test_json_of_a_loader(void **state)
{
	const struct render_failure failure = {"a.o", "tc", "prog", EINVAL, "line 1\n\xff"};
	struct render_payload payload = {.exited = true, .exit_code = 139, .output = "out"};
	const struct render_guest guest = {.release = "6",
					   .arch = "x86_64",
					   .failures = &failure,
					   .n_failures = 1,
					   .payload = &payload};
	struct programs none = {0};
	json_t *root = json(&none, &guest), *f;

	(void)state;
	assert_true(json_is_null(json_object_get(json_object_get(root, "kernel"), "build_id")));
	f = json_array_get(json_object_get(root, "failed"), 0);
	assert_int_equal(json_integer_value(json_object_get(f, "errno")), EINVAL);
	assert_string_equal(json_string_value(json_object_get(f, "log")), "line 1\n\xef\xbf\xbd");
	f = json_object_get(root, "payload");
	assert_int_equal(json_integer_value(json_object_get(f, "exit_code")), 139);
	json_decref(root);
	payload.exited = false;
	root = json(&none, &guest);
	f = json_object_get(root, "payload");
	assert_true(json_is_null(json_object_get(f, "exit_code")));
	assert_true(json_is_false(json_object_get(f, "exited")));
	json_decref(root);
}

/* JSON's integers end at 2^63 here: what is larger is null, and never negative. */
static void test_large_numbers(void **state)
{
	static const uint64_t values[] = {INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
	const struct render_guest guest = {.release = "6", .arch = "x86_64"};
	struct programs programs = {0};
	json_t *root;
	char *text;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		put(&programs, full(i, "xdp", "p", "p", 1));
		programs.all[i].run_time_ns = programs.all[i].loaded_at = known(values[i]);
	}
	root = json(&programs, &guest);
	for (size_t i = 0; i < 3; i++) {
		json_t *p = json_array_get(json_object_get(root, "programs"), i);
		json_t *ns = json_object_get(p, "run_time_ns");

		if (i == 0)
			assert_true(json_integer_value(ns) == INT64_MAX);
		else
			assert_true(json_is_null(ns));
	}
	json_decref(root);
	text = table(&programs, "run_time", 0);
	assert_string_equal(text, "              RUN NS\n 9223372036854775807\n"
				  " 9223372036854775808\n18446744073709551615\n");
	free(text);
	text = csv(&programs, "run_time");
	assert_non_null(strstr(text, "18446744073709551615"));
	free(text);
	text = table(&programs, "loaded", 0); /* no such year: the number itself */
	assert_non_null(strstr(text, "18446744073709551615"));
	assert_null(strstr(text, "1969"));
	free(text);
	programs_deinit(&programs);
}

static struct programs five(void)
{
	struct programs p = {0};

	put(&p, full(4, "xdp", "beta", "beta", 10));
	put(&p, full(2, "sched_cls", "alpha", "alpha", 30));
	put(&p, blank(9));
	put(&p, full(3, "xdp", "gamma_is_long__", "gamma_is_long__long", 10));
	put(&p, blank(1));
	return p;
}

static void check_order(const char *column, bool reversed, const char *wanted)
{
	struct programs p = five();

	render_programs_sort(&p, render_column_by_name(column, strlen(column)), reversed);
	assert_string_equal(ids(&p), wanted);
	programs_deinit(&p);
}

static void test_sort(void **state)
{
	(void)state;
	check_order("id", false, "1 2 3 4 9");
	check_order("id", true, "9 4 3 2 1");
	check_order("insns", false, "2 3 4 1 9"); /* ties by id, unknown last */
	check_order("insns", true, "3 4 2 1 9");
	check_order("type", false, "2 3 4 1 9");
	check_order("type", true, "3 4 2 1 9");
	check_order("gpl", false, "2 3 4 1 9");
	check_order("maps", true, "2 3 4 1 9");
	check_order("uid", true, "2 3 4 1 9");
}

static void test_sort_by_name(void **state)
{
	struct programs p = {0};

	(void)state;
	put(&p, full(3, "xdp", "b", "b", 1));
	put(&p, full(2, "xdp", "c", NULL, 1)); /* the short name is what there is */
	put(&p, full(1, "xdp", "a", "a", 1));
	render_programs_sort(&p, render_column_by_name("full_name", 9), false);
	assert_string_equal(ids(&p), "1 3 2");
	render_programs_sort(&p, render_column_by_name("full_name", 9), true);
	assert_string_equal(ids(&p), "2 3 1");
	programs_deinit(&p);
}

static void test_sort_large(void **state)
{
	struct programs p = {0};

	(void)state;
	put(&p, full(1, "xdp", "p", "p", 1));
	put(&p, full(2, "xdp", "p", "p", UINT64_MAX));
	put(&p, full(3, "xdp", "p", "p", (uint64_t)1 << 63));
	put(&p, full(4, "xdp", "p", "p", 0));
	render_programs_sort(&p, render_column_by_name("insns", 5), false);
	assert_string_equal(ids(&p), "2 3 1 4");
	programs_deinit(&p);
}

static void check_filter(struct render_filter filter, const char *wanted)
{
	struct programs p = five();

	render_programs_filter(&p, &filter);
	assert_string_equal(ids(&p), wanted);
	programs_deinit(&p);
}

static void test_filter(void **state)
{
	static const char *const xdp[] = {"xdp"}, *const both[] = {"sched_cls", "xdp"};
	static const char *const globs[] = {"*_long", "bet?"}, *const cut[] = {"gamma_is_long__"};
	static const char *const none[] = {"XDP"}, *const any[] = {"*"}, *const empty[] = {""};
	static const uint32_t some[] = {9, 3, 77};

	(void)state;
	check_filter((struct render_filter){0}, "4 2 9 3 1");
	check_filter((struct render_filter){.types = xdp, .n_types = 1}, "4 3");
	check_filter((struct render_filter){.types = both, .n_types = 2}, "4 2 3");
	check_filter((struct render_filter){.types = none, .n_types = 1}, "");
	check_filter((struct render_filter){.globs = globs, .n_globs = 2}, "4 3");
	check_filter((struct render_filter){.globs = cut, .n_globs = 1}, "3");
	check_filter((struct render_filter){.globs = any, .n_globs = 1}, "4 2 9 3 1");
	check_filter((struct render_filter){.globs = empty, .n_globs = 1}, "9 1");
	check_filter((struct render_filter){.ids = some, .n_ids = 3}, "9 3");
	check_filter((struct render_filter){.types = xdp, .n_types = 1, .ids = some, .n_ids = 3},
		     "3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_column_names),
		cmocka_unit_test(test_column_lists),
		cmocka_unit_test(test_too_many_columns),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_width),
		cmocka_unit_test(test_table_color),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_hostile_failures),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_of_a_loader),
		cmocka_unit_test(test_large_numbers),
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_sort_by_name),
		cmocka_unit_test(test_sort_large),
		cmocka_unit_test(test_filter),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("render/programs", tests, NULL, NULL);
}
