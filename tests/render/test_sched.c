// SPDX-License-Identifier: LGPL-2.1-or-later
/* The state of sched_ext as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "render/sched.h"

#define KNOWN(n)                                                                                   \
	{                                                                                          \
		.known = true, .value = (n)                                                        \
	}

static char *render(const struct scx_snapshot *snapshot, size_t width)
{
	char *text;

	assert_null(render_sched_text(snapshot, width, false, &text));
	for (const char *line = text; *line && width; line = strchr(line, '\n') + 1)
		if (strcspn(line, "\n") > width)
			fail_msg("%zu columns: %.*s", strcspn(line, "\n"), (int)strcspn(line, "\n"),
				 line);
	return text;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* 252 CPUs: two run a task each, one is offline, those with an odd number wait for a core. */
static void test_many_cpus(void **state)
{
	struct scx_cpu cpus[252] = {0};
	struct scx_queue queues[252] = {0};
	struct scx_snapshot all = {.state = {.known = true, .state = "enabled"},
				   .cpus = cpus,
				   .n_cpus = 252,
				   .cpus_known = true,
				   .queues = queues,
				   .n_queues = 252};
	static char online[] = "ONLINE";
	char *text;

	(void)state;
	for (uint32_t i = 0; i < 252; i++) {
		cpus[i] = (struct scx_cpu){.cpu = i,
					   .online = KNOWN(i != 7),
					   .nr_running = KNOWN(0),
					   .flag_names = online,
					   .idle = KNOWN(1),
					   .idle_core = KNOWN(1),
					   .has_current = true,
					   .current = {.pid = KNOWN(0), .comm = "swapper/9"},
					   .queue = i};
		queues[i] = (struct scx_queue){
			.cpu = KNOWN(i), .depth = KNOWN(0), .scheduler = SCX_NOBODY};
	}
	for (uint32_t i = 3; i <= 4; i++)
		cpus[i].current = (struct scx_task){.pid = KNOWN(100 + i), .comm = "stress"};
	text = render(&all, 80);
	assert_true(count_lines(text) < 12);
	assert_non_null(strstr(text, "0-2,5-6,8-251"));
	assert_non_null(strstr(text, "offline"));
	assert_non_null(strstr(text, "empty queues: 252 local"));
	free(text);
	/* Every second one is busy: two rows, of which each names 126 CPUs. */
	for (uint32_t i = 1; i < 252; i += 2)
		cpus[i].idle.value = cpus[i].idle_core.value = 0;
	text = render(&all, 80);
	assert_non_null(strstr(text, "126"));
	assert_non_null(strstr(text, "249,251"));
	free(text);
}

static void test_queues(void **state)
{
	struct scx_task tasks[] = {
		{.pid = KNOWN(12),
		 .comm = "one",
		 .waits_ms = KNOWN(1204),
		 .weight = KNOWN(100),
		 .slice_ns = KNOWN(UINT64_MAX),
		 .vtime = KNOWN(5)},
		{.comm = ""},
	};
	struct scx_queue queues[] = {
		{.kind = SCX_QUEUE_LOCAL,
		 .cpu = KNOWN(3),
		 .depth = KNOWN(0),
		 .is_torn = true,
		 .scheduler = SCX_NOBODY},
		{.kind = SCX_QUEUE_GLOBAL, .node = KNOWN(0), .depth = KNOWN(0)},
		{.kind = SCX_QUEUE_GLOBAL, .node = KNOWN(1), .depth = KNOWN(1)},
		{.kind = SCX_QUEUE_GLOBAL, .depth = KNOWN(1)},
		{.kind = SCX_QUEUE_USER,
		 .id = UINT64_MAX,
		 .depth = KNOWN(2),
		 .tasks = tasks,
		 .n_tasks = 2,
		 .is_uneven = true,
		 .is_by_vtime = true},
	};
	struct scx_scheduler scheduler = {.ops = (char *)"evil\033[31m",
					  .is_root = true,
					  .is_attached = true,
					  .parent = SCX_NOBODY,
					  .flag_names = (char *)"g\033h",
					  .exit = {.kind = KNOWN(1024),
						   .kind_name = (char *)"i\033j",
						   .reason = (char *)"a\033b",
						   .message = (char *)"c\033d",
						   .dump = (char *)"e\033f\n"}};
	struct scx_snapshot all = {.state = {.known = true, .state = "k\033l"},
				   .schedulers = &scheduler,
				   .n_schedulers = 1,
				   .queues = queues,
				   .n_queues = sizeof(queues) / sizeof(queues[0])};
	char *text = render(&all, 80);

	(void)state;
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "local 3"));
	assert_non_null(strstr(text, "torn"));
	assert_non_null(strstr(text, "user 0xffffffffffffffff"));
	assert_non_null(strstr(text, "uneven"));
	assert_non_null(strstr(text, "1204"));
	assert_non_null(strstr(text, "inf"));
	assert_non_null(strstr(text, "empty queues: 1 global"));
	assert_non_null(strstr(text, "exit: kind 1024 i\\x1bj (a\\x1bb)"));
	assert_non_null(strstr(text, ", flags g\\x1bh"));
	assert_non_null(strstr(text, "sched_ext is k\\x1bl,"));
	assert_non_null(strstr(text, "global node 1 "));
	assert_non_null(strstr(text, "global - "));
	free(text);
}

static void test_nothing(void **state)
{
	const struct scx_snapshot all = {0};
	char *text = render(&all, 80);

	(void)state;
	assert_string_equal(text, "sched_ext is -, enable_seq -, hotplug_seq -, nr_rejected -\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_cpus),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
