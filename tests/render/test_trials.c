// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tables of trials: of one kernel, over several, and why programs failed. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/veristat.h"
#include "render/trials.h"

#define CROSS RENDER_TRIAL_CROSS

static char *lit(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* verified_insns; negative: it failed, with that errno. */
static void add(struct kt_trials *trials, const char *object, const char *name, int64_t insns)
{
	struct kt_trial trial = {
		.object = lit(object),
		.section = lit("tc"),
		.name = lit(name),
		.type = lit("sched_cls"),
		.passed = insns >= 0,
		.errnum = insns < 0 ? (int)-insns : 0,
		.log = lit(""),
	};

	if (insns >= 0)
		trial.number[KT_TRIAL_INSNS] = (struct program_number){true, (uint64_t)insns};
	assert_null(kt_trials_add(trials, &trial));
}

static void assert_fits(const char *text, size_t width)
{
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n"), chars = 0;

		for (size_t i = 0; i < len; i++)
			chars += ((unsigned char)p[i] & 0xc0) != 0x80;
		assert_true(chars <= width);
		p += len + (p[len] == '\n');
	}
}

static bool has_line(const char *text, const char *words)
{
	/* Words with any number of blanks between. */
	for (const char *p = text; *p;) {
		const char *at = p, *w = words;
		size_t len = strcspn(p, "\n");

		while (*w && at <= p + len) {
			while (*at == ' ')
				at++;
			while (*w == ' ')
				w++;
			while (*w && *w != ' ' && *w == *at)
				w++, at++;
			if (*w && *w != ' ')
				break;
			if (*at != ' ' && *at != '\n')
				break;
		}
		if (!*w && at >= p + len - strspn(at, " "))
			return true;
		p += len + (p[len] == '\n');
	}
	return false;
}

static struct kt_trials one, two;

static int set_up(void **state)
{
	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	add(&one, "prog.bpf.o", "xdp_count", 412);
	add(&one, "prog.bpf.o", "tc_police", -13);
	add(&one, "other.bpf.o", "same_name", 1);
	add(&one, "other.bpf.o", "same_name", 2);
	add(&two, "prog.bpf.o", "xdp_count", 398);
	add(&two, "prog.bpf.o", "tc_police", 977);
	add(&two, "other.bpf.o", "same_name", 3);
	add(&two, "other.bpf.o", "same_name", 4);
	add(&two, "other.bpf.o", "only_here", 5);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	kt_trials_deinit(&one);
	kt_trials_deinit(&two);
	return 0;
}

static void test_matrix(void **state)
{
	const struct render_kernel_trials kernels[] = {
		{"a", "6.1.0-50-cloud-amd64", &one},
		{"b", "6.12.117+deb13-cloud-amd64", &two},
		{"debian:none", NULL, NULL},
	};
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	assert_null(render_trials_matrix(kernels, 3, &(struct render_trials_options){0}, &out));
	assert_true(has_line(out.data, "FILE PROGRAM 6.1.0-50 6.12.117 debian:none"));
	assert_true(has_line(out.data, "prog.bpf.o xdp_count 412 398 -"));
	assert_true(has_line(out.data, "prog.bpf.o tc_police " CROSS " 977 -"));
	assert_true(has_line(out.data, "other.bpf.o same_name 1 3 -"));
	assert_true(has_line(out.data, "other.bpf.o same_name 2 4 -"));
	assert_true(has_line(out.data, "other.bpf.o only_here - 5 -"));
	assert_fits(out.data, 80);
	kt_buf_deinit(&out);
}

/* What only the memory of a guest tells, in the matrix and in CSV; and why a program failed. */
static void test_memory_columns(void **state)
{
	const struct render_kernel_trials kernels[] = {{"a", "6.1", &one}, {"b", "6.2", &two}};
	struct render_trials_options options = {.columns = "tag,bytes_jited,verdict"};
	struct program program = {.id = 9, .tag = "0123456789abcdef", .bytes_jited = {true, 77}};
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	two.v.data[1].program = &program;
	assert_null(render_trials_matrix(kernels, 2, &options, &out));
	assert_true(has_line(out.data, "prog.bpf.o tc_police " CROSS " 0123456789abcdef"));
	assert_true(has_line(out.data, "prog.bpf.o tc_police " CROSS " 77"));
	assert_true(has_line(out.data, "prog.bpf.o tc_police " CROSS " ok"));
	assert_true(has_line(out.data, "prog.bpf.o xdp_count - -"));
	assert_true(has_line(out.data, "prog.bpf.o xdp_count ok ok"));
	assert_fits(out.data, 80);
	kt_buf_deinit(&out);
	options.columns = "prog_name,tag,bytes_jited";
	assert_null(render_trials_check(&options));
	assert_null(render_trials_csv(kernels, 2, &options, &out));
	assert_non_null(strstr(out.data, "\n6.1,tc_police,,\n"));
	assert_non_null(strstr(out.data, "\n6.2,tc_police,0123456789abcdef,77\n"));
	kt_buf_deinit(&out);
	two.v.data[1].program = NULL;
}

/* Two of one version keep what tells them apart. */
static void test_names(void **state)
{
	static const struct {
		const char *release, *name;
	} all[] = {
		{"6.12.117+deb13-cloud-amd64", "6.12.117"},
		{"5.14.0-503.el9.x86_64", "5.14.0-503.el9"},
		{"6.8.0-45-generic", "6.8.0-45"},
		{"6.6.0-rc1-custom", "6.6.0-rc1-custom"},
		{"6.9.1", "6.9.1"},
		{"7.0.0-1-amd64", "7.0.0-1-amd64"},
		{"7.0.0-1-cloud-amd64", "7.0.0-1-cloud-amd64"},
		{"5.10.0", "asked 7"},
		{"5.10.0", "asked 8"},
	};
	enum { N = sizeof(all) / sizeof(*all) };
	struct render_kernel_trials kernels[N];
	char asked[N][16];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		snprintf(asked[i], sizeof(asked[i]), "asked %zu", i);
		kernels[i] = (struct render_kernel_trials){asked[i], all[i].release, &one};
	}
	for (size_t i = 0; i < N; i++) {
		struct kt_buf out = KT_BUF_INIT;

		render_kernel_name(kernels, N, i, &out);
		assert_string_equal(out.data, all[i].name);
		kt_buf_deinit(&out);
	}
}

/* Many kernels and few programs: turned around. Many of both: several tables. All values are there.
 */
static void test_many(void **state)
{
	static const size_t counts[] = {2, 30};

	(void)state;
	for (size_t c = 0; c < 2; c++) {
		struct kt_trials trials[20] = {0};
		struct render_kernel_trials kernels[20];
		char releases[20][32];
		struct kt_buf out = KT_BUF_INIT;

		for (size_t k = 0; k < 20; k++) {
			snprintf(releases[k], sizeof(releases[k]), "6.%zu.0-1-amd64", k);
			kernels[k] = (struct render_kernel_trials){"x", releases[k], &trials[k]};
			for (size_t i = 0; i < counts[c]; i++) {
				char name[32];

				snprintf(name, sizeof(name), "program_%zu", i);
				add(&trials[k], "a.bpf.o", name, (int64_t)(10000 + k * 100 + i));
			}
		}
		assert_null(render_trials_matrix(
			kernels, 20, &(struct render_trials_options){.width = 80}, &out));
		assert_fits(out.data, 80);
		for (size_t k = 0; k < 20; k++)
			for (size_t i = 0; i < counts[c]; i++) {
				char number[16];

				snprintf(number, sizeof(number), "%zu", 10000 + k * 100 + i);
				assert_non_null(strstr(out.data, number));
			}
		assert_int_equal(has_line(out.data, "KERNEL program_0 program_1"), counts[c] == 2);
		kt_buf_deinit(&out);
		for (size_t k = 0; k < 20; k++)
			kt_trials_deinit(&trials[k]);
	}
}

/* By veristat's names, and each program is a row, also one that failed. */
static void test_csv(void **state)
{
	const struct render_kernel_trials kernels[] = {{"a", "6.1", &one}, {"b", "6.2", &two}};
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	assert_null(render_trials_csv(kernels, 1, &(struct render_trials_options){0}, &out));
	/* Of a column that it does not know, or a cell that is empty, veristat reads nothing. */
	assert_memory_equal(out.data, KT_VERISTAT_CSV "\n", strlen(KT_VERISTAT_CSV) + 1);
	assert_null(strstr(out.data, ",,"));
	assert_null(strstr(out.data, ",\n"));
	assert_non_null(strstr(out.data, "\nprog.bpf.o,xdp_count,success,"));
	assert_non_null(strstr(out.data, "\nprog.bpf.o,tc_police,failure,"));
	kt_buf_deinit(&out);
	assert_null(render_trials_csv(
		kernels, 2, &(struct render_trials_options){.columns = "prog_name,insns"}, &out));
	assert_non_null(strstr(out.data, "kernel,prog_name,total_insns\n"));
	assert_non_null(strstr(out.data, "\n6.2,tc_police,977\n"));
	kt_buf_deinit(&out);
}

static void test_failures(void **state)
{
	const struct render_kernel_trials kernels[] = {
		{"a", "6.1", &one}, {"b", "6.2", &one}, {"c", "6.3", &two}};
	struct kt_trials none = {0};
	const struct render_kernel_trials empty = {"a", "6.1", &none};
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	assert_null(render_trials_failures(kernels, 3, false, false, &out));
	assert_non_null(strstr(out.data, "tc_police (prog.bpf.o) on 6.1, 6.2: "));
	assert_non_null(strstr(out.data, "\n2 of 13 programs failed to load"));
	kt_buf_deinit(&out);
	/* Some kernels were not tried to the end: which, beside others. */
	two.cut_off = true;
	assert_null(render_trials_failures(kernels, 3, false, false, &out));
	assert_non_null(strstr(out.data, "\n2 of 13 programs failed to load, counted on each of 3 "
					 "kernels, and then the run was cut off (6.3)\n"));
	kt_buf_deinit(&out);
	assert_null(render_trials_failures(kernels + 2, 1, false, false, &out));
	assert_string_equal(out.data,
			    "0 of 5 programs failed to load, and then the run was cut off\n");
	kt_buf_deinit(&out);
	two.cut_off = false;
	assert_null(render_trials_failures(&empty, 1, false, false, &out));
	assert_non_null(strstr(out.data, "nothing was loaded"));
	kt_buf_deinit(&out);
}

/* Two files of one name have folders, so that a person can tell what failed where. */
static void test_one_name(void **state)
{
	static const char log[] =
		"libbpf: prog 'p': BPF program load failed: -EACCES\n"
		"libbpf: prog 'p': -- BEGIN PROG LOAD LOG --\n"
		"; return *p; @ a.bpf.c:7\n"
		"3: (79) r0 = *(u64 *)(r0 +0)\n"
		"R0 invalid mem access 'map_value_or_null'\n"
		"processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 0 "
		"peak_states 0 mark_read 0\n"
		"-- END PROG LOAD LOG --\n";
	struct kt_trial trial = {.section = lit("tc"), .name = lit("p"), .errnum = 13};
	struct kt_trials trials = {0}, alone = {0};
	const struct render_kernel_trials kernel = {"a", "6.1", &trials},
					  other = {"a", "6.1", &alone};
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	trial.log = lit(log);
	trial.object = lit("a.bpf.o");
	assert_null(kt_trials_add(&alone, &trial));
	trial.object = lit("old/a.bpf.o");
	assert_null(kt_trials_add(&trials, &trial));
	trial.object = lit("new/a.bpf.o");
	assert_null(kt_trials_add(&trials, &trial));
	assert_null(render_trials_failures(&kernel, 1, false, false, &out));
	assert_non_null(strstr(out.data, "p (old/a.bpf.o): a.bpf.c:7: R0 invalid mem access"));
	assert_non_null(strstr(out.data, "p (new/a.bpf.o): a.bpf.c:7: R0 invalid mem access"));
	kt_buf_deinit(&out);
	assert_null(render_trials_failures(&other, 1, false, false, &out));
	assert_memory_equal(out.data, "p: a.bpf.c:7: R0 invalid",
			    strlen("p: a.bpf.c:7: R0 invalid"));
	kt_buf_deinit(&out);
	kt_trials_deinit(&trials);
	kt_trials_deinit(&alone);
}

static void test_wrong_columns(void **state)
{
	static const struct render_trials_options wrong[] = {
		{.columns = "none"}, {.sort = "none"}, {.columns = "id,,id"}};
	enum kt_trial_number number;
	struct kt_error *err;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		err = render_trials_check(&wrong[i]);
		assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
		kt_error_destroy(err);
	}
	for (size_t i = 0; i < 3; i++) {
		static const char *const no_matrix[] = {"none", "insns,prog_name", "kernel"};

		err = render_matrix_check(no_matrix[i]);
		assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
		kt_error_destroy(err);
		err = render_trials_number(no_matrix[i], &number);
		assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
		kt_error_destroy(err);
	}
	assert_null(render_matrix_check("insns,tag,verdict"));
	assert_null(render_trials_number("log_size", &number));
	assert_int_equal(number, KT_TRIAL_LOG_BYTES);
	err = render_trials_number("tag", &number);
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	kt_error_destroy(err);
}

/* A name may be anything. */
static void test_hostile(void **state)
{
	struct kt_trials trials = {0};
	const struct render_kernel_trials kernels[] = {{"a", "\033[2J+", &trials},
						       {"b", "-", &trials}};
	const struct render_trials_options options = {.width = 80};

	(void)state;
	add(&trials, "\033[31m.o", "a\nb\r\033[2J", -22);
	add(&trials, "", "", 1);
	for (size_t n = 1; n <= 2; n++) {
		struct kt_buf out = KT_BUF_INIT;

		assert_null(render_trials_table(kernels, &options, &out));
		assert_null(render_trials_matrix(kernels, n, &options, &out));
		assert_null(render_trials_csv(kernels, n, &options, &out));
		assert_null(render_trials_failures(kernels, 1, n == 1, false, &out));
		assert_null(memchr(out.data, '\033', out.len));
		assert_null(memchr(out.data, '\r', out.len));
		kt_buf_deinit(&out);
	}
	kt_trials_deinit(&trials);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),   cmocka_unit_test(test_names),
		cmocka_unit_test(test_many),     cmocka_unit_test(test_csv),
		cmocka_unit_test(test_failures), cmocka_unit_test(test_wrong_columns),
		cmocka_unit_test(test_hostile),  cmocka_unit_test(test_memory_columns),
		cmocka_unit_test(test_one_name),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
