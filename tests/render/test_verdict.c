// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a run comes to: the order of the verdicts, and what stands in the sentence. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <string.h>

#include "render/verdict.h"
#include "util/buf.h"
#include "util/cleanup.h"

static char text[1000];

/* The sentence, which is one line. */
static const char *say(const struct kt_verifier_vm_result *result)
{
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;

	kt_verdict_text(result, &out);
	assert_non_null(out.data);
	assert_null(strchr(out.data, '\n'));
	snprintf(text, sizeof(text), "%s", out.data);
	return text;
}

static void assert_said(const struct kt_verifier_vm_result *result, enum kt_verdict verdict,
			const char *words)
{
	assert_int_equal(kt_verdict(result), verdict);
	assert_string_equal(say(result), words);
}

/* Everything that can be wrong at once; what comes first is taken away, one after the other. */
static void test_precedence(void **state)
{
	struct kt_verifier_vm_result r = {
		.timed_out = true,
		.crash = (char *)(uintptr_t) "Kernel panic",
		.attached = true,
		.exited = true,
		.exited_early = true,
		.exit_status = 3 << 8,
	};

	(void)state;
	assert_said(&r, KT_VERDICT_TIMED_OUT, "timed out after the scheduler attached");
	r.timed_out = false;
	assert_said(&r, KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic");
	r.crash = NULL;
	assert_said(&r, KT_VERDICT_SCHED_EXITED,
		    "the scheduler exited during the workload: exit status 3");
	r.exit_status = SIGKILL;
	assert_said(&r, KT_VERDICT_SCHED_EXITED,
		    "the scheduler exited during the workload: signal 9 (Killed)");
	r.exited_early = false;
	assert_said(&r, KT_VERDICT_NO_PROGRESS, "attached, but the workload made no progress");
	r.dispatched = true;
	assert_said(&r, KT_VERDICT_NO_END, "the guest did not report its end");
	r.end_reported = true;
	assert_said(&r, KT_VERDICT_PASS, "pass");
}

/* Only positive evidence counts, and no word is no evidence. */
static void test_attached(void **state)
{
	struct kt_verifier_vm_result r = {.dispatched = true, .end_reported = true};

	(void)state;
	assert_int_equal(kt_attach_outcome(&r), KT_ATTACH_UNCONFIRMED);
	assert_said(&r, KT_VERDICT_NOT_ATTACHED,
		    "not attached: no word from the guest whether it did");
	r.attached = true;
	assert_int_equal(kt_attach_outcome(&r), KT_ATTACH_ATTACHED);
	r.not_attached = true;
	assert_int_equal(kt_attach_outcome(&r), KT_ATTACH_NOT_ATTACHED);
	assert_said(&r, KT_VERDICT_NOT_ATTACHED, "not attached: ");
	r.died = true;
	assert_int_equal(kt_attach_outcome(&r), KT_ATTACH_DIED);
	assert_said(&r, KT_VERDICT_NOT_ATTACHED,
		    "not attached: the scheduler ended before it attached");
	r.timed_out = true;
	assert_said(&r, KT_VERDICT_TIMED_OUT, "timed out before the scheduler attached");
}

static void test_kernel_words(void **state)
{
	static const struct {
		const char *words;
		bool said;
	} cases[] = {
		{"sched_ext: BPF scheduler \"simple\" enabled", false},
		{"sched_ext: BPF scheduler \"simple\" disabled (unregistered from user space)",
		 false},
		{"sched_ext: BPF scheduler \"simple\" disabled (runnable task stall)", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kt_verifier_vm_result r = {
			.attached = true,
			.kernel_words = (char *)(uintptr_t)cases[i].words,
		};

		assert_int_equal(!!strstr(say(&r), "the kernel says: sched_ext"), cases[i].said);
	}
}

static void test_disagreement(void **state)
{
	struct kt_verifier_vm_result r = {
		.sysfs = {.known = true, .state = "enabled", .ops = "simple"},
		.memory = {.known = true, .state = "enabled", .ops = "simple"},
	};

	(void)state;
	assert_false(kt_sched_ext_disagrees(&r));
	strcpy(r.memory.state, "disabled");
	assert_true(kt_sched_ext_disagrees(&r));
	r.memory.known = false;
	assert_false(kt_sched_ext_disagrees(&r));
	r.memory.known = true;
	/* The kernel's types have no name for it: not known to be another. */
	strcpy(r.memory.state, "1");
	r.memory.is_number = true;
	assert_false(kt_sched_ext_disagrees(&r));
	strcpy(r.memory.ops, "other");
	assert_true(kt_sched_ext_disagrees(&r));
}

#define BLOCK(name, insns)                                                                         \
	"libbpf: prog '" name "': -- BEGIN PROG LOAD LOG --\n"                                     \
	"0: (b7) r0 = 0\ninfinite loop detected at insn 1\n"                                       \
	"processed " insns " insns (limit 1000000) max_states_per_insn 0 total_states 1 "          \
	"peak_states 1 mark_read 0\n-- END PROG LOAD LOG --\n"

/* libbpf may load a program more than once: the last log counts. */
static void test_failed_from_log(void **state)
{
	static const char log[] = BLOCK("a", "5") BLOCK("b", "7") BLOCK("a", "6");
	struct kt_prog_stats_list list = {0};

	(void)state;
	assert_null(kt_prog_stats_add(&list, &(struct kt_prog_stats){.name = (char[]){"a"}}));
	assert_null(kt_failed_from_log((struct kt_text){log, sizeof(log) - 1}, &list));
	assert_int_equal(list.n, 3);
	assert_false(list.all[0].failed); /* one that is loaded is another */
	assert_string_equal(list.all[1].name, "a");
	assert_true(list.all[1].failed && list.all[1].verified_insns.value == 6);
	assert_string_equal(list.all[2].name, "b");
	kt_prog_stats_deinit(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),      cmocka_unit_test(test_attached),
		cmocka_unit_test(test_kernel_words),    cmocka_unit_test(test_disagreement),
		cmocka_unit_test(test_failed_from_log),
	};

	return cmocka_run_group_tests_name("render/verdict", tests, NULL, NULL);
}
