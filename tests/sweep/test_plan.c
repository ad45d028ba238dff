// SPDX-License-Identifier: LGPL-2.1-or-later
/* Plans with sets: what they are expanded into, and which mistakes are told at which line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/plan.h"

static char dir[] = "/tmp/test_plan.XXXXXX", path[sizeof(dir) + 16];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/sweep.conf", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

#define REST                                                                                       \
	"kernels = (\"debian:sid\"); topologies = (\"4cpu-1llc-nosmt\", \"9cpu-3llc-nosmt\");\n"

/* Reads a plan with these schedulers, whose first is in line 2. */
static struct kt_error *read_plan(const char *schedulers, struct sweep_plan *ret)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fprintf(file, REST "%s", schedulers) > 0);
	assert_int_equal(fclose(file), 0);
	*ret = (struct sweep_plan){0};
	return sweep_plan_read(path, ret);
}

static void assert_below_dir(const char *text, const char *before, const char *name)
{
	char wanted[256];

	snprintf(wanted, sizeof(wanted), "%s%s/%s", before, dir, name);
	assert_string_equal(text, wanted);
}

static void test_expansion(void **state)
{
	const struct sweep_scheduler *s;
	struct sweep_plan plan;

	(void)state;
	assert_null(read_plan("schedulers = ( { name = \"first\"; objects = [\"/o\"]; },\n"
			      "{ sets = ( { name = \"n1\"; set = [\"nr=1\", \"@presets\"]; },\n"
			      "  { name = \"n24\"; set = [\"a[1] = @list\", \"b=@/list\", "
			      "\"c=\\\"@x\\\"\"];\n"
			      "    rodata = \"map.json\"; }, { name = \"plain\"; } );\n"
			      "  cpus = [1, 4]; objects = [\"p.o\", \"/q.o\"]; name = \"p\"; },\n"
			      "{ scheduler = \"/bin/true\"; } );",
			      &plan));
	assert_int_equal(plan.schedulers.len, 5);
	s = plan.schedulers.data;
	assert_string_equal(s[0].name, "first");
	assert_int_equal(s[0].set.v.len, 0);
	assert_null(s[0].rodata);
	assert_string_equal(s[1].name, "p+n1");
	assert_int_equal(s[1].line, 3);
	assert_int_equal(s[1].set.v.len, 2);
	assert_string_equal(s[1].set.v.data[0], "nr=1");
	assert_below_dir(s[1].set.v.data[1], "@", "presets");
	assert_null(s[1].rodata);
	assert_string_equal(s[2].name, "p+n24");
	assert_int_equal(s[2].line, 4);
	assert_int_equal(s[2].set.v.len, 3);
	assert_below_dir(s[2].set.v.data[0], "a[1] = @", "list");
	assert_string_equal(s[2].set.v.data[1], "b=@/list");
	assert_string_equal(s[2].set.v.data[2], "c=\"@x\"");
	assert_below_dir(s[2].rodata, "", "map.json");
	assert_string_equal(s[3].name, "p+plain");
	assert_int_equal(s[3].set.v.len, 0);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(s[i].objects.v.len, 2);
		assert_below_dir(s[i].objects.v.data[0], "", "p.o");
		assert_string_equal(s[i].objects.v.data[1], "/q.o");
		assert_int_equal(s[i].cpus.max, 4);
	}
	assert_string_equal(s[4].name, "true");
	sweep_plan_deinit(&plan);
}

static void test_cells(void **state)
{
	static const char *const globs[] = {"p+*"};
	struct sweep_cells cells;
	struct sweep_plan plan;

	(void)state;
	assert_null(read_plan("schedulers = ( { name = \"p\"; objects = [\"p.o\"]; cpus = [1, 4];\n"
			      "sets = ( { name = \"a\"; }, { name = \"b\"; } ); },\n"
			      "{ name = \"q\"; objects = [\"q.o\"]; } );",
			      &plan));
	assert_null(sweep_plan_cells(&plan, globs, 1, NULL, &cells));
	assert_int_equal(cells.v.len, 2);
	assert_string_equal(cells.v.data[0].name, "verifier/p+a/sid/4cpu-1llc-nosmt");
	assert_string_equal(cells.v.data[1].name, "verifier/p+b/sid/4cpu-1llc-nosmt");
	sweep_cells_deinit(&cells);
	assert_null(sweep_plan_cells(&plan, NULL, 0, "p+b", &cells));
	assert_int_equal(cells.v.len, 1);
	assert_ptr_equal(cells.v.data[0].scheduler, &plan.schedulers.data[1]);
	sweep_cells_deinit(&cells);
	/* An entry's name is that of all its sets, and of no other entry. */
	assert_null(sweep_plan_cells(&plan, NULL, 0, "p", &cells));
	assert_int_equal(cells.v.len, 2);
	assert_string_equal(cells.v.data[0].name, "verifier/p+a/sid/4cpu-1llc-nosmt");
	assert_string_equal(cells.v.data[1].name, "verifier/p+b/sid/4cpu-1llc-nosmt");
	sweep_cells_deinit(&cells);
	assert_null(sweep_plan_cells(&plan, NULL, 0, "p+", &cells));
	assert_int_equal(cells.v.len, 0);
	sweep_cells_deinit(&cells);
	assert_null(sweep_plan_cells(&plan, NULL, 0, "q", &cells));
	assert_int_equal(cells.v.len, 2);
	assert_string_equal(cells.v.data[0].scheduler->name, "q");
	sweep_cells_deinit(&cells);
	sweep_plan_deinit(&plan);
}

/* Of the plan, and of a scheduler; the path of a command is the file's, where it is not absolute.
 */
static void test_workloads(void **state)
{
	struct sweep_plan plan;

	(void)state;
	assert_null(
		read_plan("workload = \"pipe\"; schedulers = ( { scheduler = \"a\"; workload = "
			  "\"bench/run -n 4\"; },\n{ scheduler = \"b\"; workload = \"/b -v\"; }, "
			  "{ scheduler = \"c\"; } );",
			  &plan));
	assert_string_equal(plan.workload, "pipe");
	assert_below_dir(plan.schedulers.data[0].workload, "", "bench/run -n 4");
	assert_string_equal(plan.schedulers.data[1].workload, "/b -v");
	assert_null(plan.schedulers.data[2].workload);
	sweep_plan_deinit(&plan);
}

#define OBJECTS "schedulers = ( { name = \"p\"; objects = [\"p.o\"];\nsets = "

static void test_mistakes(void **state)
{
	static const struct {
		const char *schedulers, *wanted;
	} mistakes[] = {
		{OBJECTS "( { name = \"a\"; },\n{ name = \"a\"; } ); } );",
		 ":4: there is a scheduler \"p+a\" already"},
		{"schedulers = ( { name = \"p+a\"; scheduler = \"x\"; }, { name = \"p\";\n"
		 "objects = [\"p.o\"]; sets = ( { name = \"a\"; } ); } );",
		 ":3: there is a scheduler \"p+a\" already"},
		{OBJECTS "(\n{ set = [\"a=1\"]; } ); } );", ":4: a set has a name"},
		{OBJECTS "( { name = \"a/b\"; } ); } );", ":3: the name \"p+a/b\" has a \"/\""},
		{"schedulers = ( { scheduler = \"x\";\nsets = ( { name = \"a\"; } ); } );",
		 ":3: sets are for objects"},
		{"schedulers = ( { name = \"p\";\nsets = ( { name = \"a\"; } ); } );",
		 ":2: either scheduler"},
		{OBJECTS "(); } );", ":3: sets are expected"},
		{OBJECTS "{ name = \"a\"; }; } );", ":3: sets are expected"},
		{OBJECTS "( \"a=1\" ); } );", ":3: a set is expected"},
		{OBJECTS "( { name = \"a\";\nsets = [\"a=1\"]; } ); } );",
		 ":4: \"sets\" is no setting here; there are name, set, rodata"},
		{OBJECTS "( { name = \"a\"; set = \"a=1\"; } ); } );",
		 ":3: a list of strings is expected"},
		{OBJECTS "( { name = \"a\"; set = [1]; } ); } );", ":3: \"VAR=VALUE\" or"},
		{OBJECTS "( { name = \"a\"; set = [\"a\"]; } ); } );", ":3: \"VAR=VALUE\" or"},
		{OBJECTS "( { name = \"a\"; set = [\"=1\"]; } ); } );", ":3: \"VAR=VALUE\" or"},
		{OBJECTS "( { name = \"a\"; set = [\"a=\"]; } ); } );", ":3: \"VAR=VALUE\" or"},
		{OBJECTS "( { name = \"a\"; set = [\"@\"]; } ); } );", ":3: \"VAR=VALUE\" or"},
		{OBJECTS "( { name = \"a\"; set = [\"a=@\"]; } ); } );", ":3: \"VAR=VALUE\" or"},
		{OBJECTS "( { name = \"a\"; rodata = 1; } ); } );", ":3: a path is expected"},
		{"schedulers = ( { scheduler = \"x\";\nworkload = \"pip\"; } );",
		 ":3: there is no workload 'pip'"},
		{"schedulers = ( { objects = [\"x\"]; workload = \"pipe\"; } );",
		 ":2: a workload is for a scheduler"},
		{"schedulers = ( { scheduler = \"x\"; } );\nworkload = 1;",
		 ":3: a string is expected"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		struct sweep_plan plan;
		struct kt_error *err = read_plan(mistakes[i].schedulers, &plan);

		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
		if (!strstr(kt_error_message(err), mistakes[i].wanted))
			fail_msg("\"%s\" has no \"%s\"", kt_error_message(err), mistakes[i].wanted);
		assert_null(strchr(kt_error_message(err), '\n'));
		kt_error_destroy(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expansion),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_workloads),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
