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

#include "model/json.h"
#include "model/program_json.h"
#include "render/programs.h"
#include "tests/render/list.h"
#include "util/buf.h"

static char *table(const struct programs *programs, const char *cols_text, size_t width)
{
	char *text;

	assert_null(render_programs_table(programs, cols_text, width, false, &text));
	return text;
}

static char *csv(const struct programs *programs, const char *cols_text)
{
	char *text;

	assert_null(render_programs_csv(programs, cols_text, &text));
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
	struct programs programs = {0};
	char *text;

	(void)state;
	put(&programs, blank(1));
	assert_null(render_programs_table(&programs, "id", 0, true, &text));
	assert_non_null(strstr(text, "\033[1mID"));
	free(text);
	assert_null(render_programs_table(&programs, "id", 0, false, &text));
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
	assert_null(render_programs_sort(&none, "id"));
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

/* A kernel that did not tell where it was linked to. */
static void test_json_no_offset(void **state)
{
	const struct render_guest guest = {
		.release = "6.12", .arch = "x86_64", .kaslr_unknown = true};
	struct programs programs = {0};
	json_t *root = json(&programs, &guest);

	(void)state;
	assert_true(json_is_null(json_object_get(json_object_get(root, "kernel"), "kaslr_offset")));
	json_decref(root);
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
	programs.all[0].metadata = strdup("{\"version\": \"1.2\"}");
	root = json(&programs, &guest);
	assert_string_equal(json_string_value(json_object_get(root, "schema")),
			    "ktstr-gdb.programs.v1");
	assert_int_equal(json_integer_value(json_object_get(root, "pause_us")), 1400);
	kernel = json_object_get(root, "kernel");
	assert_string_equal(json_string_value(json_object_get(kernel, "build_id")), "abcd");
	assert_true(json_integer_value(json_object_get(kernel, "kaslr_offset")) == -2097152);
	p = json_array_get(json_object_get(root, "programs"), 0);
	assert_int_equal(json_object_size(p), 30);
	assert_int_equal(json_integer_value(json_object_get(p, "id")), 7);
	assert_string_equal(json_string_value(json_object_get(p, "full_name")), "load_2");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(p, "metadata"), "version")),
		"1.2");
	assert_int_equal(json_integer_value(json_object_get(p, "verified_insns")), 1396);
	assert_true(json_is_true(json_object_get(p, "jited")));
	assert_true(json_is_true(json_object_get(p, "gpl_compatible")));
	assert_int_equal(json_array_size(json_object_get(p, "map_ids")), 1);
	/* What is not known is null, under every key. */
	p = json_array_get(json_object_get(root, "programs"), 1);
	assert_int_equal(json_object_size(p), 30);
	json_object_foreach(p, key, value)
	{
		if (strcmp(key, "id") == 0)
			assert_true(json_integer_value(value) == UINT32_MAX);
		else if (strcmp(key, "name") && strcmp(key, "short_name") && strcmp(key, "tag"))
			assert_true(json_is_null(value));
	}
	json_decref(root);
	programs_deinit(&programs);
}

static void test_json_of_a_loader(void **state)
{
	struct kt_trial failure = {.object = (char *)(uintptr_t)("a.o"),
				   .section = (char *)(uintptr_t)("tc"),
				   .name = (char *)(uintptr_t)("prog"),
				   .errnum = EINVAL,
				   .log = (char *)(uintptr_t)("line 1\n\xff")};
	struct kt_trials trials = {.v = {&failure, 1, 1}};
	struct render_payload payload = {.exited = true, .exit_code = 139, .output = "out"};
	const struct render_guest guest = {
		.release = "6", .arch = "x86_64", .trials = &trials, .payload = &payload};
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

/* All that a column shows of a program is read back: a part's result becomes a table of kernels. */
static void test_read_back(void **state)
{
	const struct render_guest guest = {.release = "6", .arch = "x86_64"};
	struct programs programs = {0}, back;
	json_t *root, *again;

	(void)state;
	put(&programs, full(7, "sched_cls", "short", "short", 1396));
	put(&programs, full(8, "xdp", "a_name_that_is_", "a_name_that_is_long", UINT64_MAX));
	put(&programs, blank(9));
	programs.all[1].gpl_compatible = false;
	programs.all[1].map_ids = calloc(2, sizeof(uint32_t));
	programs.all[1].map_ids[0] = 3;
	programs.all[1].map_ids[1] = UINT32_MAX;
	programs.all[1].n_map_ids = 2;
	programs.all[1].bytes_memlock = known(4096);
	programs.all[1].orphaned = known(0);
	programs.all[1].sleepable = known(1);
	programs.all[0].xdp_has_frags = known(1);
	programs.all[0].expected_attach_type = strdup("cgroup_inet4_connect");
	programs.all[0].attach_btf_id = known(77);
	programs.all[0].attach_btf_name = strdup("bpf_lsm_bpf");
	programs.all[0].metadata = strdup(
		"{\"large\": 18446744073709551615, \"a\": [\"b\", null]}");
	programs.all[0].prog_tags = calloc(2, sizeof(*programs.all->prog_tags));
	strcpy(programs.all[0].prog_tags[0], "0123456789abcdef");
	strcpy(programs.all[0].prog_tags[1], "fedcba9876543210");
	programs.all[0].n_prog_tags = 2;
	programs.all[0].prog_tags_known = true;
	for (size_t i = 0; i < 2; i++) {
		char *text, *other;

		assert_null(render_programs_json(&programs, &guest, &text));
		root = kt_json_load((struct kt_text){text, strlen(text)}, 0, &(json_error_t){0});
		assert_null(kt_programs_read(root, &back));
		json_decref(root);
		assert_null(render_programs_json(&back, &guest, &other));
		assert_string_equal(text, other);
		programs_deinit(&back);
		free(other);
		free(text);
		/* Each number in a place of its own. */
		programs.all[0].bytes_xlated = known(11);
		programs.all[0].bytes_jited = known(12);
		programs.all[0].uid = known(13);
		programs.all[0].btf_id = known(14);
	}
	programs_deinit(&programs);
	/* Anything may be handed over. */
	again = json_loads("{\"programs\": [3, {}, {\"name\": \"x\"}, {\"name\": null, \"id\": 1}, "
			   "{\"name\": \"a name that is much too long\", \"id\": 2, \"tag\": 5, "
			   "\"map_ids\": [1, \"x\"], \"uid\": -1}]}",
			   0, NULL);
	assert_null(kt_programs_read(again, &back));
	assert_int_equal(back.n, 1);
	assert_int_equal(strlen(back.all[0].name), 15);
	assert_false(back.all[0].map_ids_known || back.all[0].uid.known);
	programs_deinit(&back);
	assert_null(kt_programs_read(json_object_get(again, "programs"), &back));
	assert_int_equal(back.n, 0);
	programs_deinit(&back);
	json_decref(again);
}

/* A program of an object that was loaded, and is gone, or whose guest was not read. */
static void test_json_without_memory(void **state)
{
	static const uint32_t other = 5;
	static const struct render_filter filter = {.ids = &other, .n_ids = 1};
	struct kt_trial gone = {.object = copy("a.o"),
				.section = copy("tc"),
				.name = copy("a_program_with_a_long_name"),
				.type = copy("sched_cls"),
				.passed = true,
				.id = 8,
				.log = copy("")};
	struct kt_trials trials = {.v = {&gone, 1, 1}, .cut_off = true};
	struct render_guest guest = {.release = "6", .trials = &trials, .not_read = true};
	struct programs programs = {0};
	json_t *root, *p;

	(void)state;
	gone.number[KT_TRIAL_INSNS] = known(14);
	put(&programs, full(7, "xdp", "here", "here", 1));
	root = json(&programs, &guest);
	assert_true(json_is_null(json_object_get(root, "pause_us")));
	assert_true(json_is_true(json_object_get(root, "cut_off")));
	assert_int_equal(json_array_size(json_object_get(root, "programs")), 2);
	p = json_array_get(json_object_get(root, "programs"), 1);
	assert_int_equal(json_integer_value(json_object_get(p, "id")), 8);
	assert_string_equal(json_string_value(json_object_get(p, "full_name")), gone.name);
	assert_int_equal(json_integer_value(json_object_get(p, "verified_insns")), 14);
	assert_true(json_is_null(json_object_get(p, "tag")));
	assert_true(json_is_null(json_object_get(p, "bytes_xlated")));
	json_decref(root);
	/* --id asks for another. */
	guest.filter = &filter;
	root = json(&programs, &guest);
	assert_int_equal(json_array_size(json_object_get(root, "programs")), 1);
	json_decref(root);
	/* In memory, but not among those that are shown. */
	guest.filter = NULL;
	gone.program = &programs.all[0];
	root = json(&programs, &guest);
	assert_int_equal(json_array_size(json_object_get(root, "programs")), 1);
	json_decref(root);
	programs_deinit(&programs);
	free(gone.object);
	free(gone.section);
	free(gone.name);
	free(gone.type);
	free(gone.log);
}

/* A number of 2^63 or more comes out as itself in each form. */
static void test_large_numbers(void **state)
{
	static const uint64_t values[] = {INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
	const struct render_guest guest = {.release = "6", .arch = "x86_64"};
	struct programs programs = {0};
	char *text;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		put(&programs, full(i, "xdp", "p", "p", 1));
		programs.all[i].run_time_ns = programs.all[i].loaded_at = known(values[i]);
	}
	assert_null(render_programs_json(&programs, &guest, &text));
	assert_non_null(strstr(text, "\"run_time_ns\": 9223372036854775807,"));
	assert_non_null(strstr(text, "\"run_time_ns\": 9223372036854775808,"));
	assert_non_null(strstr(text, "\"run_time_ns\": 18446744073709551615,"));
	free(text);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_width),
		cmocka_unit_test(test_table_color),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_no_offset),
		cmocka_unit_test(test_json_of_a_loader),
		cmocka_unit_test(test_large_numbers),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_json_without_memory),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("render/programs", tests, NULL, NULL);
}
