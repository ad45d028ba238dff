// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <string.h>

#include "model/verdict.h"

/* A wait status as wait(2) has it. */
#define EXITED(n) ((n) << 8)

/* The evidence as bits, so that all of its combinations can be counted through. */
enum {
	TIMED_OUT = 1,
	CRASH = 2,
	DIED = 4,
	NOT_ATTACHED = 8,
	ATTACHED = 16,
	DISPATCHED = 32,
	EXITED_EARLY = 64,
	END_REPORTED = 128,
	HOST_TOO_SLOW = 256,
	N_COMBINATIONS = 512,
};

/* A result owns its strings; one that is not given up borrows them. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static struct kt_verifier_vm_result evidence(unsigned bits)
{
	return (struct kt_verifier_vm_result){
		.timed_out = bits & TIMED_OUT,
		.crash = bits & CRASH ? text("Kernel panic - not syncing: X") : NULL,
		.died = bits & DIED,
		.not_attached = bits & NOT_ATTACHED,
		.attached = bits & ATTACHED,
		.dispatched = bits & DISPATCHED,
		.exited = bits & EXITED_EARLY,
		.exited_early = bits & EXITED_EARLY,
		.end_reported = bits & END_REPORTED,
		.host_too_slow = bits & HOST_TOO_SLOW,
	};
}

/* The specification's lists: the first whose bits are all there, and none of the others. */
struct rule {
	unsigned all, none;
	int is;
};

static const struct rule attach_rules[] = {
	{DIED, 0, KT_ATTACH_DIED},
	{NOT_ATTACHED, 0, KT_ATTACH_NOT_ATTACHED},
	{ATTACHED, 0, KT_ATTACH_ATTACHED},
	{0, 0, KT_ATTACH_UNCONFIRMED},
};

static const struct rule verdict_rules[] = {
	{TIMED_OUT, 0, KT_VERDICT_TIMED_OUT},
	{CRASH, 0, KT_VERDICT_GUEST_CRASHED},
	/* Only one that is attached can exit during the workload. */
	{ATTACHED | EXITED_EARLY, DIED | NOT_ATTACHED, KT_VERDICT_SCHED_EXITED},
	{DIED, 0, KT_VERDICT_NOT_ATTACHED},
	{NOT_ATTACHED, 0, KT_VERDICT_NOT_ATTACHED},
	{0, ATTACHED, KT_VERDICT_NOT_ATTACHED},
	{ATTACHED | HOST_TOO_SLOW, DISPATCHED, KT_VERDICT_HOST_TOO_SLOW},
	{ATTACHED, DISPATCHED, KT_VERDICT_NO_PROGRESS},
	{0, END_REPORTED, KT_VERDICT_NO_END},
	{0, 0, KT_VERDICT_PASS},
};

static int first_that_applies(const struct rule *rules, unsigned bits)
{
	while ((bits & rules->all) != rules->all || bits & rules->none)
		rules++;
	return rules->is;
}

static void test_truth_table(void **state)
{
	unsigned seen = 0, passes = 0;

	(void)state;
	for (unsigned bits = 0; bits < N_COMBINATIONS; bits++) {
		struct kt_verifier_vm_result result = evidence(bits);

		assert_int_equal(kt_attach_outcome(&result),
				 first_that_applies(attach_rules, bits));
		assert_int_equal(kt_verdict(&result), first_that_applies(verdict_rules, bits));
		seen |= 1u << kt_verdict(&result);
		passes += kt_verdict(&result) == KT_VERDICT_PASS;
	}
	assert_int_equal(seen, (1u << (KT_VERDICT_PASS + 1)) - 1);
	/* All three that are good and none that is bad, however slow the host is. */
	assert_int_equal(passes, 2);
}

static void test_names(void **state)
{
	static const char *const attach[] = {"died", "not attached", "attached", "unconfirmed"};
	static const char *const verdict[] = {"timed_out",    "guest_crashed", "scheduler_exited",
					      "not_attached", "host_too_slow", "no_progress",
					      "no_end",       "pass"};

	(void)state;
	for (int i = 0; i <= KT_ATTACH_UNCONFIRMED; i++)
		assert_string_equal(kt_attach_outcome_name((enum kt_attach_outcome)i), attach[i]);
	for (int i = 0; i <= KT_VERDICT_PASS; i++)
		assert_string_equal(kt_verdict_name((enum kt_verdict)i), verdict[i]);
}

static void says(const struct kt_verifier_vm_result *result, const char *expected)
{
	struct kt_buf out = KT_BUF_INIT;

	kt_buf_appends(&out, "");
	kt_verdict_text(result, &out);
	assert_false(out.failed);
	assert_string_equal(out.data, expected);
	kt_buf_deinit(&out);
}

/* Whatever is and is not known of the reasons: a sentence, on one line. */
static void test_every_sentence(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < N_COMBINATIONS; bits++) {
		struct kt_verifier_vm_result result = evidence(bits);
		struct kt_buf out = KT_BUF_INIT;

		kt_verdict_text(&result, &out);
		assert_true(out.len > 0);
		assert_null(strchr(out.data, '\n'));
		assert_null(strstr(out.data, "(null)"));
		kt_buf_deinit(&out);
	}
}

static void test_timed_out(void **state)
{
	struct kt_verifier_vm_result result = evidence(TIMED_OUT);

	(void)state;
	says(&result, "timed out before the scheduler attached");
	result = evidence(TIMED_OUT | ATTACHED | DISPATCHED);
	says(&result, "timed out after the scheduler attached");
	result = evidence(TIMED_OUT | ATTACHED | DIED);
	says(&result, "timed out before the scheduler attached");
}

static void test_crashed(void **state)
{
	struct kt_verifier_vm_result result = evidence(CRASH | ATTACHED | DISPATCHED);

	(void)state;
	says(&result, "the guest crashed: Kernel panic - not syncing: X");
}

#define SCX(words) "sched_ext: BPF scheduler \"simple\" " words

static void test_exited(void **state)
{
	struct kt_verifier_vm_result result = evidence(ATTACHED | EXITED_EARLY);

	(void)state;
	says(&result, "the scheduler exited during the workload: exit status 0");
	result.exit_status = SIGSEGV;
	says(&result, "the scheduler exited during the workload: signal 11 (Segmentation fault)");
	result.exit_status = EXITED(3);
	result.kernel_words = text(SCX("disabled (runnable task stall)"));
	says(&result, "the scheduler exited during the workload: exit status 3; the kernel says: "
		      "sched_ext: BPF scheduler \"simple\" disabled (runnable task stall)");
	/* What is no reason. */
	result.kernel_words = text(SCX("enabled"));
	says(&result, "the scheduler exited during the workload: exit status 3");
	result.kernel_words = text(SCX("disabled (unregistered from user space)"));
	says(&result, "the scheduler exited during the workload: exit status 3");
}

static void set_log(struct kt_verifier_vm_result *result, const char *log, size_t len)
{
	result->scheduler_log = text(log);
	result->scheduler_log_len = len;
}

#define BEGIN(name) "libbpf: prog '" name "': -- BEGIN PROG LOAD LOG --\n"
#define END         "-- END PROG LOAD LOG --\n"
#define STATS(n)                                                                                   \
	"processed " n " insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states "  \
	"0 mark_read 0\n"
#define BAD(name, error, n)                                                                        \
	BEGIN(name) "0: R1=ctx() R10=fp0\n0: (79) r0 = *(u64 *)(r1 +0)\n" error "\n" STATS(n) END
#define GOOD(name, n) BEGIN(name) "0: R1=ctx() R10=fp0\n0: (b7) r0 = 0\n1: (95) exit\n" STATS(n) END

static void test_not_attached(void **state)
{
	static const char log[] = GOOD("init", "2") BAD("first", "R1 !read_ok", "5")
		BAD("second", "invalid access to x", "7") GOOD("exit", "9") "Error: cannot load\n";
	static const char nameless[] = "-- BEGIN PROG LOAD LOG --\n0: (b7) r0 = r9\nR9 !read_ok\n"
				       "processed 1 insns (limit 1)\n" END;
	struct kt_verifier_vm_result result = evidence(0);

	(void)state;
	says(&result, "not attached: no word from the guest whether it did");
	result = evidence(DIED | ATTACHED);
	says(&result, "not attached: the scheduler ended before it attached");
	result.exited = true;
	result.exit_status = EXITED(1);
	says(&result, "not attached: the scheduler ended before it attached, exit status 1");
	set_log(&result, log, sizeof(log) - 1);
	says(&result, "not attached: the scheduler ended before it attached, exit status 1; the "
		      "verifier rejected second: invalid access to x");
	result = evidence(NOT_ATTACHED);
	says(&result, "not attached: ");
	result.why_not_attached = text("there is no /sys/kernel/sched_ext in the guest");
	says(&result, "not attached: there is no /sys/kernel/sched_ext in the guest");
	set_log(&result, nameless, sizeof(nameless) - 1);
	says(&result, "not attached: there is no /sys/kernel/sched_ext in the guest; the verifier "
		      "rejected a program: R9 !read_ok");
	/* One that was taken explains nothing. */
	set_log(&result, GOOD("init", "2"), sizeof(GOOD("init", "2")) - 1);
	says(&result, "not attached: there is no /sys/kernel/sched_ext in the guest");
}

static void test_no_progress(void **state)
{
	struct kt_verifier_vm_result result = evidence(ATTACHED | END_REPORTED);

	(void)state;
	says(&result, "attached, but the workload made no progress");
	result.workload = text("2 of 8 tasks ran");
	says(&result, "attached, but the workload made no progress: 2 of 8 tasks ran");
	result.kernel_words = text(SCX("disabled (runtime error)"));
	says(&result, "attached, but the workload made no progress: 2 of 8 tasks ran; the kernel "
		      "says: sched_ext: BPF scheduler \"simple\" disabled (runtime error)");
}

static void test_host_too_slow(void **state)
{
	struct kt_verifier_vm_result result = evidence(ATTACHED | END_REPORTED | HOST_TOO_SLOW);

	(void)state;
	result.workload = text("52 of 64 tasks ran");
	says(&result, "no result, the host is too slow for this topology: 52 of 64 tasks ran");
	assert_true(kt_verdict_is_unknown(kt_verdict(&result)));
	result.exited = result.exited_early = true;
	assert_int_equal(kt_verdict(&result), KT_VERDICT_SCHED_EXITED);
	for (int i = 0; i <= KT_VERDICT_PASS; i++)
		assert_int_equal(kt_verdict_is_unknown((enum kt_verdict)i),
				 i == KT_VERDICT_HOST_TOO_SLOW);
}

static void test_the_rest(void **state)
{
	struct kt_verifier_vm_result result = evidence(ATTACHED | DISPATCHED);

	(void)state;
	says(&result, "the guest did not report its end");
	result = evidence(ATTACHED | DISPATCHED | END_REPORTED);
	says(&result, "pass");
	/* How it ended when it was told to does not count. */
	result.exited = true;
	result.exit_status = SIGKILL;
	says(&result, "pass");
}

/* No format of ours, and all bytes as they are. */
static void test_hostile_strings(void **state)
{
	static const char hostile[] = "%s%n%5000000d\033[31m\xff\xc0 \"\\";
	struct kt_verifier_vm_result result = evidence(CRASH);

	(void)state;
	result.crash = text(hostile);
	says(&result, "the guest crashed: %s%n%5000000d\033[31m\xff\xc0 \"\\");
	result = evidence(NOT_ATTACHED);
	result.why_not_attached = text(hostile);
	says(&result, "not attached: %s%n%5000000d\033[31m\xff\xc0 \"\\");
	result = evidence(ATTACHED);
	result.workload = result.kernel_words = text(hostile);
	says(&result, "attached, but the workload made no progress: %s%n%5000000d\033[31m\xff\xc0 "
		      "\"\\; the kernel says: %s%n%5000000d\033[31m\xff\xc0 \"\\");
	result = evidence(DIED);
	set_log(&result, BAD("%s%n\xff", "%n\033[31m", "1"),
		sizeof(BAD("%s%n\xff", "%n\033[31m", "1")) - 1);
	says(&result, "not attached: the scheduler ended before it attached; the verifier rejected "
		      "%s%n\xff: %n\033[31m");
}

static void status_is(int wait_status, const char *expected)
{
	struct kt_buf out = KT_BUF_INIT;

	kt_append_wait_status(&out, wait_status);
	assert_string_equal(out.data, expected);
	kt_buf_deinit(&out);
}

static void test_wait_status(void **state)
{
	(void)state;
	status_is(0, "exit status 0");
	status_is(EXITED(255), "exit status 255");
	status_is(SIGKILL, "signal 9 (Killed)");
	status_is(SIGABRT | 0x80, "signal 6 (Aborted)"); /* with a core */
}

/* What a wait status that was made up says does not matter, as long as it says something. */
static void test_any_wait_status(void **state)
{
	(void)state;
	for (int status = -1; status < 0x10000; status++) {
		struct kt_buf out = KT_BUF_INIT;

		kt_append_wait_status(&out, status);
		assert_non_null(out.data);
		kt_buf_deinit(&out);
	}
}

static void failed_is(const struct kt_prog_stats_list *list, size_t i, const char *name,
		      int64_t insns)
{
	assert_true(i < list->n);
	assert_string_equal(list->all[i].name, name);
	assert_true(list->all[i].failed);
	assert_null(list->all[i].type);
	assert_null(list->all[i].tag);
	assert_int_equal(list->all[i].verified_insns.known, insns >= 0);
	if (insns >= 0)
		assert_int_equal(list->all[i].verified_insns.value, insns);
}

#define failed_from(log, list) kt_failed_from_log(KT_TEXT(log), list)

static void test_failed(void **state)
{
	struct kt_prog_stats_list list = {0};

	(void)state;
	assert_null(failed_from("", &list));
	assert_null(failed_from("nothing of that kind\n", &list));
	assert_null(kt_failed_from_log((struct kt_text){0}, &list));
	assert_int_equal(list.n, 0);
	/* Two tries of one, of which the last counts, and between them another. */
	assert_null(failed_from("words\n" BAD("a", "R1 !read_ok", "5") GOOD("fine", "2")
					BAD("b", "R2 !read_ok", "6") BAD("a", "R3 !read_ok", "7"),
				&list));
	assert_int_equal(list.n, 2);
	failed_is(&list, 0, "a", 7);
	failed_is(&list, 1, "b", 6);
	/* What was in the list before is not of this log. */
	assert_null(failed_from(BAD("b", "R2 !read_ok", "9"), &list));
	assert_int_equal(list.n, 3);
	failed_is(&list, 1, "b", 6);
	failed_is(&list, 2, "b", 9);
	/* One that was loaded after all did not fail. */
	assert_null(kt_prog_stats_add(&list, &(struct kt_prog_stats){.name = text("c")}));
	assert_null(failed_from(BAD("c", "R2 !read_ok", "9") BAD("d", "R2 !read_ok", "3"), &list));
	assert_int_equal(list.n, 5);
	failed_is(&list, 4, "d", 3);
	kt_prog_stats_deinit(&list);
}

static void test_failed_odd(void **state)
{
	struct kt_prog_stats_list list = {0};

	(void)state;
	/* The statistics are missing, or no number; a program has no name. */
	assert_null(failed_from(BEGIN("a") "0: (79) r0 = *(u64 *)(r1 +0)\nR1 !read_ok\n"
					   "processed many insns (limit 1000000)\n" END,
				&list));
	assert_null(failed_from("-- BEGIN PROG LOAD LOG --\nR1 !read_ok\n" STATS("1") END, &list));
	/* A name and the beginning of it; bytes that are no text. */
	assert_null(failed_from(BAD("ab", "x y", "1") BAD("abc", "x y", "2"), &list));
	assert_null(failed_from(BAD("%n\xff", "\xff\xfe", "3"), &list));
	for (size_t i = 0; i < list.n; i++)
		assert_true(list.all[i].name[0]);
	failed_is(&list, list.n - 3, "ab", 1);
	failed_is(&list, list.n - 2, "abc", 2);
	failed_is(&list, list.n - 1, "%n\xff", 3);
	kt_prog_stats_deinit(&list);
}

/* As many programs as one likes to name: some of them, in no time. */
static void test_failed_many(void **state)
{
	struct kt_prog_stats_list list = {0};
	struct kt_buf log = KT_BUF_INIT;

	(void)state;
	for (int i = 0; i < 20000; i++)
		kt_buf_printf(&log,
			      "libbpf: prog 'p%d': -- BEGIN PROG LOAD LOG --\nR1 !read_ok\n" STATS(
				      "1") END,
			      i);
	assert_null(kt_failed_from_log((struct kt_text){log.data, log.len}, &list));
	assert_in_range(list.n, 100, 10000);
	failed_is(&list, 99, "p99", 1);
	kt_prog_stats_deinit(&list);
	kt_buf_deinit(&log);
}

/* NULL: there is no such file. The caller frees. */
static char *slurp(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	struct kt_buf text = KT_BUF_INIT;
	char chunk[65536];
	size_t n;

	if (!file)
		return NULL;
	kt_buf_appends(&text, "");
	while ((n = fread(chunk, 1, sizeof(chunk), file)))
		kt_buf_append(&text, chunk, n);
	fclose(file);
	*len = text.len;
	return kt_buf_steal(&text);
}

/* With no more than string functions: the count in the last line that begins with "processed". */
static int64_t grep_processed(const char *log)
{
	int64_t found = -1;

	for (const char *at = log; (at = strstr(at, "processed ")); at++)
		if (at == log || at[-1] == '\n')
			sscanf(at, "processed %ld insns", &found);
	return found;
}

/* Likewise: the name in libbpf's first line of a log. */
static bool grep_name(const char *log, char name[128])
{
	const char *at = strstr(log, ": -- BEGIN PROG LOAD LOG --");

	while (at && at > log && at[-1] != '\n')
		at--;
	return at && sscanf(at, "libbpf: prog '%127[^']'", name) == 1;
}

/* fails: 1, or 0 of one that passed. */
static void check_real(const char *path, const char *log, size_t len, size_t fails)
{
	struct kt_prog_stats_list list = {0};
	char name[128];

	assert_true(grep_name(log, name));
	assert_null(kt_failed_from_log((struct kt_text){log, len}, &list));
	if (list.n != fails)
		fail_msg("%s: %zu failed", path, list.n);
	if (fails)
		failed_is(&list, 0, name, grep_processed(log));
	kt_prog_stats_deinit(&list);
}

static void test_real_output(void **state)
{
	static const char path[] = "tests/logparse/logs/6.12_bad_bounds.stderr";
	size_t len;
	char *log = slurp(path, &len);

	(void)state;
	assert_non_null(log);
	check_real(path, log, len, 1);
	free(log);
}

/* Each as libbpf would have printed it. */
static void test_real_errors(void **state)
{
	static const char folder[] = "tests/logparse/errors";
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t n = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct kt_buf out = KT_BUF_INIT;
		char path[512], *log;
		size_t len;

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (!strstr(entry->d_name, ".log"))
			continue;
		log = slurp(path, &len);
		assert_non_null(log);
		kt_buf_printf(&out, "libbpf: prog '%s': -- BEGIN PROG LOAD LOG --\n",
			      entry->d_name);
		kt_buf_append(&out, log, len);
		kt_buf_appends(&out, END);
		/* That one 7.3 lets pass. */
		check_real(path, out.data, out.len, !strstr(path, "bad_stackread"));
		kt_buf_deinit(&out);
		free(log);
		n++;
	}
	closedir(dir);
	assert_in_range(n, 20, 1000);
}

static struct scx_state scx(const char *name, const char *ops)
{
	struct scx_state state = {.known = name};

	snprintf(state.state, sizeof(state.state), "%s", name ? name : "");
	snprintf(state.ops, sizeof(state.ops), "%s", ops);
	return state;
}

static void test_disagrees(void **state)
{
	static const struct {
		const char *a, *a_ops, *b, *b_ops;
		bool disagree;
	} truth[] = {
		{"enabled", "simple", "enabled", "simple", false},
		{"disabled", "", "disabled", "", false},
		{"enabled", "simple", "disabled", "", true},
		{"enabled", "simple", "enabled", "simpler", true},
		{"enabled", "simple", "enabled", "", true},
		{"enabled", "simple", "enabling", "simple", true},
		/* Who was not asked says nothing. */
		{NULL, "", "enabled", "simple", false},
		{"enabled", "simple", NULL, "", false},
		{NULL, "", NULL, "", false},
		{NULL, "a", NULL, "b", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(truth) / sizeof(*truth); i++) {
		struct kt_verifier_vm_result result = {
			.sysfs = scx(truth[i].a, truth[i].a_ops),
			.memory = scx(truth[i].b, truth[i].b_ops),
		};

		assert_int_equal(kt_sched_ext_disagrees(&result), truth[i].disagree);
	}
}

static void test_deinit(void **state)
{
	struct kt_verifier_vm_result result = {
		.crash = strdup("a"),
		.why_not_attached = strdup("b"),
		.ops = strdup("c"),
		.workload = strdup("d"),
		.kernel_words = strdup("e"),
		.scheduler_log = strdup("f"),
		.console = strdup("g"),
	};

	(void)state;
	assert_null(failed_from(BAD("a", "R1 !read_ok", "5"), &result.stats));
	kt_verifier_vm_result_deinit(&result);
	assert_null(result.crash);
	assert_null(result.stats.all);
	kt_verifier_vm_result_deinit(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truth_table),     cmocka_unit_test(test_names),
		cmocka_unit_test(test_every_sentence),  cmocka_unit_test(test_timed_out),
		cmocka_unit_test(test_crashed),         cmocka_unit_test(test_exited),
		cmocka_unit_test(test_not_attached),    cmocka_unit_test(test_no_progress),
		cmocka_unit_test(test_host_too_slow),   cmocka_unit_test(test_the_rest),
		cmocka_unit_test(test_hostile_strings), cmocka_unit_test(test_wait_status),
		cmocka_unit_test(test_any_wait_status), cmocka_unit_test(test_failed),
		cmocka_unit_test(test_failed_odd),      cmocka_unit_test(test_failed_many),
		cmocka_unit_test(test_real_output),     cmocka_unit_test(test_real_errors),
		cmocka_unit_test(test_disagrees),       cmocka_unit_test(test_deinit),
	};

	return cmocka_run_group_tests_name("render/verdict", tests, NULL, NULL);
}
