// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <string.h>

#include "model/saved.h"
#include "model/saved_csv.h"
#include "model/veristat.h"
#include "util/buf.h"

static struct kt_saved saved;

static int release(void **state)
{
	(void)state;
	kt_saved_deinit(&saved);
	return 0;
}

static void read_bytes(const char *text, size_t len)
{
	struct kt_error *err;

	kt_saved_deinit(&saved);
	err = kt_saved_read((struct kt_text){text, len}, "a.csv", &saved);
	if (err)
		fail_msg("%s", kt_error_message(err));
}

static void read_text(const char *text)
{
	read_bytes(text, strlen(text));
}

static void refused_bytes(const char *text, size_t len, const char *words)
{
	struct kt_saved untouched = {.passed = true};
	struct kt_error *err = kt_saved_read((struct kt_text){text, len}, "a.csv", &untouched);

	if (!err)
		fail_msg("taken: %.*s", (int)len, text);
	assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
	assert_memory_equal(kt_error_message(err), "a.csv ", 6);
	if (!strstr(kt_error_message(err), words))
		fail_msg("no \"%s\" in: %s", words, kt_error_message(err));
	assert_true(untouched.passed && !untouched.programs.all);
	kt_error_destroy(err);
}

static void refused(const char *text, const char *words)
{
	refused_bytes(text, strlen(text), words);
}

static void check_program(size_t i, const char *name, bool failed, uint64_t insns)
{
	const struct kt_prog_stats *program = &saved.programs.all[i];

	assert_true(i < saved.programs.n);
	assert_string_equal(program->name, name);
	assert_int_equal(program->failed, failed);
	assert_int_equal(program->verified_insns.known, insns != 0);
	assert_int_equal(program->verified_insns.value, insns);
}

/* What veristat of Linux 6.12 prints of two objects of the selftests, and one of 6.18. */
static void test_veristat(void **state)
{
	(void)state;
	read_text(
		"file_name,prog_name,verdict,duration,total_insns,total_states,peak_states,"
		"max_states_per_insn,max_mark_read_len\n"
		"bpf_loop.bpf.o,stack_check,success,1021,245,22,22,2,4\n"
		"verifier_bounds.bpf.o,bounds_checks_after_32bit_truncation_1,failure,231,21,1,1,0,1\n"
		"verifier_btf.bpf.o,never_verified,failure,0,0,0,0,0,0\n");
	assert_int_equal(saved.programs.n, 3);
	check_program(0, "stack_check", false, 245);
	check_program(1, "bounds_checks_after_32bit_truncation_1", true, 21);
	check_program(2, "never_verified", true, 0);
	assert_null(saved.kernel);
	read_text("file_name,prog_name,verdict,duration,total_insns,total_states,peak_states,"
		  "max_states_per_insn,max_mark_read_len,prog_size,prog_size_jited,prog_type,"
		  "attach_type,stack_depth\n"
		  "a.bpf.o,p,success,10,7,0,0,0,0,7,40,sched_cls,unspec,8\n");
	check_program(0, "p", false, 7);
	assert_string_equal(saved.programs.all[0].type, "sched_cls");
}

static void test_any_columns(void **state)
{
	(void)state;
	read_text("insns,what,prog\n7,x,p\n8,y,q");
	check_program(0, "p", false, 7);
	check_program(1, "q", false, 8);
	/* Two names for one column: the first counts. */
	read_text("prog_name,total_insns,verified_insns,prog_name\np,1,2,q\n");
	check_program(0, "p", false, 1);
	/* What attach --csv prints. */
	read_text("id,type,full_name,verified_insns\n3,xdp,a_name_of_more_than_15,9\n");
	check_program(0, "a_name_of_more_than_15", false, 9);
	assert_string_equal(saved.programs.all[0].type, "xdp");
	read_text("prog_name,verdict\n");
	assert_int_equal(saved.programs.n, 0);
}

static void test_without_names(void **state)
{
	(void)state;
	read_text("a.bpf.o,p,success,10,7,1,1,0,0\nb.bpf.o,q,failure,10,9,1,1,0,0\n");
	check_program(0, "p", false, 7);
	check_program(1, "q", true, 9);
	read_text("a.bpf.o,p,failure,10,7,1,1");
	check_program(0, "p", true, 7);
	refused("a.bpf.o,p,success,10,7,1,1,0,0,5\n", "line 1 has 10 columns, not 9");
	refused("a.bpf.o,p,success,10,7\nb.bpf.o,p,success,10\n", "line 2 has 4 columns, not 5");
}

static void test_kernel(void **state)
{
	(void)state;
	read_text("kernel,prog_name,verdict\n6.12,p,success\n6.12,q,failure\n");
	assert_string_equal(saved.kernel, "6.12");
	assert_int_equal(saved.programs.n, 2);
	refused("kernel,prog_name,verdict\n6.1,p,success\n6.12,p,failure\n",
		"line 3 is of another kernel");
}

static void test_quotes(void **state)
{
	(void)state;
	read_text(
		"prog_name,total_insns\n\"a, \"\"b\"\"\nc\",\"7\"\r\n\"\"\"\",8\r\n\r\nd , 9 \r\n");
	check_program(0, "a, \"b\"\nc", false, 7);
	check_program(1, "\"", false, 8);
	check_program(2, "d", false, 9);
	read_text("\xef\xbb\xbfprog_name,\"total_insns\"\np,7\n");
	check_program(0, "p", false, 7);
	refused("prog_name,insns\n\"p,7\n", "line 2: a quoted cell has no end");
	refused("prog_name,insns\n\"p\"x,7\n",
		"line 2: a quoted cell is followed by neither a comma nor a newline");
	/* Lines are counted as an editor does. */
	refused("prog_name,insns\n\"p\n\n\",7\nq,x\n", "line 5: total_insns is \"x\"");
}

static void test_damaged(void **state)
{
	(void)state;
	refused("prog_name,insns\np,7x\n", "line 2: total_insns is \"7x\", not a count");
	refused("prog_name,insns\np,-7\n", "\"-7\", not a count");
	refused("prog_name,insns\np,0x7\n", "\"0x7\", not a count");
	refused("prog_name,insns\np,18446744073709551616\n", "of at most 64 bits");
	refused("prog_name,insns\np,99999999999999999999999999999999999999999999\n", "64 bits");
	read_text("prog_name,insns\np,18446744073709551615\n");
	check_program(0, "p", false, UINT64_MAX);
	refused("prog_name,verdict\np,maybe\n", "\"maybe\", not \"success\" or \"failure\"");
	refused("prog_name,verdict\np\n", "line 2 has 1 columns, not 2");
	refused("prog_name,verdict\np,success,x\n", "line 2 has 3 columns, not 2");
	refused("prog_name,verdict\n,success\n", "line 2 has no program's name");
	refused("prog_name,verdict_a,verdict_b,insns_diff\np,success,success,1\n",
		"comparison of two results");
	refused("a,b\n1,2\n", "is not JSON");
	refused("prog_name\np\n", "is not JSON");
	refused_bytes("prog_name,insns\na\0b,7\n", 22, "it has a NUL");
	refused_bytes("prog_name,insns\np,7\0\n", 21, "not a count");
}

static void test_many_columns(void **state)
{
	struct kt_buf text = KT_BUF_INIT;

	(void)state;
	kt_buf_appends(&text, "prog_name");
	for (int i = 0; i < 100000; i++)
		kt_buf_appends(&text, ",x");
	kt_buf_appends(&text, "\np\n");
	refused(text.data, "line 1: more than 64 columns");
	kt_buf_deinit(&text);
}

/* What collect prints by default is what veristat reads. */
static void test_names(void **state)
{
	struct kt_text rest = KT_TEXT(KT_VERISTAT_CSV);
	struct kt_buf joined = KT_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < KT_N_VERISTAT_CSV; i++)
		kt_buf_printf(&joined, "%s%s", i ? "," : "",
			      kt_veristat_name((enum kt_veristat_column)i));
	assert_string_equal(joined.data, rest.data);
	for (size_t i = 0; i < KT_N_VERISTAT_COLUMNS; i++) {
		const char *name = kt_veristat_name((enum kt_veristat_column)i);

		assert_int_equal(kt_veristat_find((struct kt_text){name, strlen(name)}), i);
	}
	kt_buf_deinit(&joined);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_veristat),      cmocka_unit_test(test_any_columns),
		cmocka_unit_test(test_without_names), cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_quotes),        cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_many_columns),  cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
