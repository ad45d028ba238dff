// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "tests/introspect/walk.h"

static void check_full_name(const char *wanted)
{
	struct programs all = programs();
	struct program q = only(&all);

	if (wanted)
		assert_string_equal(q.full_name, wanted);
	else
		assert_null(q.full_name);
	programs_deinit(&all);
}

#define LONG_NAME "tracepoint_of_a_rather_long_name"

static void test_full_name(void **state)
{
	struct synth_prog p = synth_prog(&s, 7);

	(void)state;
	synth_btf(&s, &p, LONG_NAME);
	check_full_name(LONG_NAME);
}

/* A program of several: its func_info is the func_idx-th; types count from start_id. */
static void test_full_name_by_index(void **state)
{
	struct synth_prog p = synth_prog(&s, 7);
	gaddr_t info;

	(void)state;
	synth_btf(&s, &p, LONG_NAME);
	info = synth_alloc(&s, 16);
	textmem_printf(s.mem, "@%#llx 0/4 1/4 3/4 1002/4", (unsigned long long)info);
	synth_set(&s, "bpf_prog_aux", "func_info", p.aux, synth_va(info));
	synth_set(&s, "bpf_prog_aux", "func_info_cnt", p.aux, 2);
	synth_set(&s, "bpf_prog_aux", "func_idx", p.aux, 1);
	synth_set(&s, "btf", "start_id", p.btf, 1000);
	check_full_name(LONG_NAME);
}

/* Fifteen characters are either the name, or its start: only the BTF can tell. */
static void test_full_name_of_fifteen(void **state)
{
	struct synth_prog p = synth_prog(&s, 7);

	(void)state;
	synth_btf(&s, &p, "exactly_fifteen");
	check_full_name("exactly_fifteen");
}

static void test_full_name_without_btf(void **state)
{
	struct synth_prog p = synth_prog(&s, 7);

	(void)state;
	textmem_put(s.mem, p.aux + 520, "exactly_fifteen", 15);
	check_full_name("exactly_fifteen");
}

/* Each breaks one link of the chain from the program to its name; the name is then unknown. */
static void test_full_name_broken(void **state)
{
	static const struct {
		const char *type, *path;
		uint64_t value;
	} breaks[] = {
		{"bpf_prog_aux", "func_idx", 1},
		{"bpf_prog_aux", "func_idx", UINT32_MAX},
		{"bpf_prog_aux", "func_info_cnt", 0},
		{"bpf_prog_aux", "func_info", NOWHERE},
		{"bpf_prog_aux", "btf", NOWHERE},
		{"bpf_prog_aux", "btf", 0},
		{"bpf_func_info", "type_id", 3},
		{"bpf_func_info", "type_id", UINT32_MAX},
		{"btf", "start_id", 3},
		{"btf", "nr_types", 2},
		{"btf", "types", NOWHERE},
		{"btf", "types", 0},
		{"btf", "strings", NOWHERE},
		{"btf", "hdr.str_len", 5},
		{"btf", "hdr.str_len", 0},
		{"btf_type", "name_off", 0},
		{"btf_type", "name_off", 1000},
		{"btf_type", "name_off", UINT32_MAX},
		{"btf", "hdr.str_len", 5 + sizeof(LONG_NAME) - 1}, /* its NUL is left out */
		{"btf_type", "name_off", 4},                       /* an empty string */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		struct synth_prog p;
		gaddr_t at;

		synth_deinit(&s);
		synth_init(&s, 0);
		p = synth_prog(&s, 7);
		synth_btf(&s, &p, LONG_NAME);
		at = strcmp(breaks[i].type, "bpf_prog_aux") == 0    ? p.aux
		     : strcmp(breaks[i].type, "bpf_func_info") == 0 ? p.func_info
		     : strcmp(breaks[i].type, "btf") == 0           ? p.btf
								    : p.type;
		synth_set(&s, breaks[i].type, breaks[i].path, at, breaks[i].value);
		check_full_name(NULL);
	}
}

/* 511 characters are the longest name of a function; what goes on is none. */
static void test_longest_names(void **state)
{
	char name[513];

	(void)state;
	for (size_t len = 510; len <= 512; len++) {
		struct synth_prog p;

		synth_deinit(&s);
		synth_init(&s, 0);
		p = synth_prog(&s, 7);
		memset(name, 'n', len);
		name[len] = '\0';
		synth_btf(&s, &p, name);
		check_full_name(len < 512 ? name : NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_full_name),
		TEST(test_full_name_by_index),
		TEST(test_full_name_of_fifteen),
		TEST(test_full_name_without_btf),
		TEST(test_full_name_broken),
		TEST(test_longest_names),
	};

	return cmocka_run_group_tests_name("bpf_prog_name", tests, NULL, NULL);
}
