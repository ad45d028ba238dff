// SPDX-License-Identifier: LGPL-2.1-or-later
/* The file of `sched watch --dump`: what is written is what is read back, and anything may be in
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "render/sched_dump.h"
#include "tests/memory/rng.h"
#include "util/buf.h"

#define NUMBER(n) ((struct program_number){true, (n)})

/* A task waits in a queue of two, a scheduler has a program, a CPU runs another task. */
static void make(struct sched_event *event)
{
	struct sched_dump *dump = calloc(1, sizeof(*dump));
	struct scx_snapshot *snapshot = &dump->snapshot;

	*event = (struct sched_event){.kind = SCHED_EXIT, .is_error = true, .at_ns = 1000000000};
	strcpy(event->ops, "mine");
	event->dump = dump;
	event->exit.kind = NUMBER(1026);
	event->exit.kind_name = strdup("SCX_EXIT_ERROR_STALL");
	event->exit.message = strdup("late[42] failed to run for 2.004s");
	dump->snapshot_known = true;
	dump->cpu = NUMBER(1);
	strcpy(dump->task.comm, "kworker");
	dump->task.pid = NUMBER(7);
	dump->frames = calloc(3, sizeof(*dump->frames));
	dump->n_frames = 3;
	dump->frames[0] = (struct scx_frame){.addr = UINT64_C(0xffffffff81000010),
					     .func = strdup("scx_claim_exit"),
					     .offset = 16};
	dump->frames[1] = (struct scx_frame){.addr = UINT64_C(0xffffffffc0000000),
					     .is_guess = true};
	dump->frames[2] = (struct scx_frame){.addr = UINT64_C(0xffffffffc0100001),
					     .func = strdup("veth_xmit"),
					     .module = strdup("veth"),
					     .offset = 1};
	strcpy(snapshot->state.state, "enabled");
	snapshot->state.known = true;
	snapshot->n_schedulers = 1;
	snapshot->schedulers = calloc(1, sizeof(*snapshot->schedulers));
	snapshot->schedulers[0].ops = strdup("mine");
	snapshot->schedulers[0].is_root = snapshot->schedulers[0].is_attached = true;
	snapshot->schedulers[0].flag_names = strdup("ENQ_LAST|SWITCH_PARTIAL");
	snapshot->schedulers[0].flags = NUMBER(10);
	snapshot->schedulers[0].parent = SCX_NOBODY;
	snapshot->n_queues = 2;
	snapshot->queues = calloc(2, sizeof(*snapshot->queues));
	snapshot->queues[0] = (struct scx_queue){.kind = SCX_QUEUE_LOCAL,
						 .id_known = true,
						 .cpu = NUMBER(1),
						 .scheduler = SCX_NOBODY,
						 .depth = NUMBER(0)};
	snapshot->queues[1] = (struct scx_queue){.kind = SCX_QUEUE_USER,
						 .id = UINT64_MAX,
						 .id_known = true,
						 .depth = NUMBER(1),
						 .is_by_vtime = true};
	snapshot->queues[1].tasks = calloc(1, sizeof(struct scx_task));
	snapshot->queues[1].n_tasks = 1;
	strcpy(snapshot->queues[1].tasks[0].comm, "late");
	snapshot->queues[1].tasks[0].pid = NUMBER(42);
	snapshot->queues[1].tasks[0].waits_ms = NUMBER(2004);
	snapshot->queues[1].tasks[0].slice_ns = NUMBER(UINT64_MAX);
	snapshot->n_cpus = 1;
	snapshot->cpus = calloc(1, sizeof(*snapshot->cpus));
	snapshot->cpus_known = true;
	snapshot->cpus[0] = (struct scx_cpu){.cpu = 1, .online = NUMBER(1), .has_current = true};
	strcpy(snapshot->cpus[0].current.comm, "kworker");
	snapshot->cpus[0].current.pid = NUMBER(7);
	snapshot->cpus[0].current.scheduler = SCX_NOBODY;
}

static char *write_it(void)
{
	static json_t *const none[1];
	struct sched_event event;
	char *text;

	make(&event);
	assert_ptr_equal(render_sched_blamed(&event), &event.dump->snapshot.queues[1].tasks[0]);
	assert_null(render_sched_dump_json(&event, "7.3.4", -4096, none, &text));
	sched_event_deinit(&event);
	return text;
}

static void test_read_back(void **state)
{
	char *text = write_it(), *shown;
	const struct scx_snapshot *snapshot;
	struct sched_saved saved;

	(void)state;
	assert_null(sched_saved_read((struct kt_text){text, strlen(text)}, "f", &saved));
	assert_string_equal(saved.release, "7.3.4");
	assert_true(saved.event.is_error);
	assert_int_equal(saved.event.at_ns, 1000000000);
	assert_int_equal(saved.event.exit.kind.value, 1026);
	assert_string_equal(saved.event.exit.message, "late[42] failed to run for 2.004s");
	assert_int_equal(saved.blamed.pid.value, 42);
	assert_int_equal(saved.blamed.waits_ms.value, 2004);
	assert_int_equal(saved.event.dump->n_frames, 3);
	assert_string_equal(saved.event.dump->frames[0].func, "scx_claim_exit");
	assert_true(saved.event.dump->frames[1].is_guess);
	assert_string_equal(saved.event.dump->frames[2].module, "veth");
	assert_true(saved.event.dump->frames[1].addr == UINT64_C(0xffffffffc0000000));
	snapshot = &saved.event.dump->snapshot;
	assert_int_equal(snapshot->n_schedulers, 1);
	assert_string_equal(snapshot->schedulers[0].flag_names, "ENQ_LAST|SWITCH_PARTIAL");
	assert_int_equal(snapshot->n_queues, 2);
	assert_true(snapshot->queues[1].id == UINT64_MAX);
	assert_int_equal(snapshot->queues[1].kind, SCX_QUEUE_USER);
	assert_int_equal(snapshot->queues[1].scheduler, 0);
	assert_true(snapshot->queues[1].is_by_vtime);
	assert_true(snapshot->queues[1].tasks[0].slice_ns.value == UINT64_MAX);
	assert_int_equal(snapshot->cpus[0].queue, 0);
	assert_string_equal(snapshot->cpus[0].current.comm, "kworker");
	assert_null(render_sched_dump_text(&saved, 80, false, &shown));
	assert_non_null(strstr(shown, "to blame: late[42], has waited for 2004 ms\n"));
	assert_non_null(strstr(shown, "\n  scx_claim_exit+0x10\n  ? 0xffffffffc0000000\n"
				      "  veth_xmit+0x1 [veth]\n"));
	free(shown);
	sched_saved_deinit(&saved);
	free(text);
}

/* What is saved of the end itself is shown, and the day. */
static void test_end(void **state)
{
	static json_t *const none[1];
	struct sched_event event;
	struct sched_saved saved;
	char *text, *shown;

	(void)state;
	make(&event);
	event.at_ns = INT64_C(1000000000) * (86400 * 366 + 43200); /* noon */
	event.exit.is_complete = true;
	event.exit.code = NUMBER((uint64_t)-7);
	event.exit.reason = strdup("runnable task stall");
	event.exit.frames = calloc(1, sizeof(*event.exit.frames));
	event.exit.frames[0].addr = UINT64_C(0xffffffff81000040);
	event.exit.frames[0].func = strdup("check_rq_for_timeouts");
	event.exit.frames[0].offset = 0x20;
	event.exit.n_frames = 1;
	event.exit.dump = strdup("CPU states\n\033[2J");
	assert_null(render_sched_dump_json(&event, "7.3.4", 0, none, &text));
	sched_event_deinit(&event);
	assert_null(sched_saved_read((struct kt_text){text, strlen(text)}, "f", &saved));
	assert_null(render_sched_dump_text(&saved, 80, false, &shown));
	assert_non_null(strstr(shown, "Linux 7.3.4, on 1971-01-02\n"));
	assert_non_null(strstr(shown, "SCX_EXIT_ERROR_STALL (runnable task stall), code -7"));
	assert_non_null(strstr(shown, "\n    check_rq_for_timeouts+0x20\n"));
	assert_non_null(strstr(shown, "CPU states\n\\x1b[2J\n"));
	free(shown);
	sched_saved_deinit(&saved);
	free(text);
}

/* Numbers of variables are shown as they are in the file. */
static void test_variables(void **state)
{
	static const char file[] = "{\"schema\": \"ktstr-gdb.sched-dump.v1\", \"sections\": [{"
				   "\"name\": \"mine.bss\", \"variables\": {\".bss\": ["
				   "{\"most\": 18446744073709551615}, {\"real\": 0.1},"
				   "{\"both\": [9223372036854775808, -1]}]}}]}";
	struct sched_saved saved;
	char *shown;

	(void)state;
	assert_null(sched_saved_read((struct kt_text){file, strlen(file)}, "f", &saved));
	assert_null(render_sched_dump_text(&saved, 80, false, &shown));
	assert_non_null(strstr(shown, "\n  most = 18446744073709551615\n"));
	assert_non_null(strstr(shown, "\n  real = 0.1\n"));
	assert_non_null(strstr(shown, "\n  both = [9223372036854775808, -1]\n"));
	free(shown);
	sched_saved_deinit(&saved);
}

/* The kernel's message names nobody who is there; or a part of a longer name. */
static void test_not_blamed(void **state)
{
	static const char *const messages[] = {"non-existent DSQ 0xdead", "late[421] failed",
					       "late [42] failed", ""};
	struct sched_event event;

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		make(&event);
		free(event.exit.message);
		event.exit.message = strdup(messages[i]);
		assert_null(render_sched_blamed(&event));
		sched_event_deinit(&event);
	}
}

/* A file with n elements of a kind. */
static struct kt_error *read_many(const char *before, const char *one, size_t n, const char *after)
{
	struct sched_saved saved;
	struct kt_buf buf = KT_BUF_INIT;
	struct kt_error *err;

	kt_buf_printf(&buf, "{\"schema\": \"%s\", %s[", SCHED_SAVED_SCHEMA, before);
	for (size_t i = 0; i < n; i++)
		kt_buf_printf(&buf, "%s%s", i ? "," : "", one);
	kt_buf_printf(&buf, "]%s}", after);
	err = sched_saved_read((struct kt_text){buf.data, buf.len}, "f", &saved);
	kt_buf_deinit(&buf);
	if (!err)
		sched_saved_deinit(&saved);
	return err;
}

/* As many as a guest's dump can have are read; more are not. */
static void test_too_many(void **state)
{
	static const struct {
		const char *before, *one, *after;
		size_t max;
		const char *what;
	} kinds[] = {
		{"\"stack\": ", "{}", "", 64, "frames"},
		{"\"exit\": {\"backtrace\": ", "{}", "}", 64, "frames"},
		{"\"sched\": {\"schedulers\": ", "{}", "}", 100, "schedulers"},
		{"\"sched\": {\"cpus\": ", "{}", "}", 8192, "CPUs"},
		{"\"sched\": {\"queues\": ", "{}", "}", 20000, "queues"},
		{"\"sched\": {\"queues\": [{\"tasks\": [{}, {}]}, {\"tasks\": ", "{}", "}]}", 19998,
		 "tasks"},
		{"\"sched\": {\"schedulers\": [{\"events\": ", "{}", "}]}", 1024, "events"},
		{"\"sched\": {\"schedulers\": [{\"programs\": ", "{}", "}]}", 1024, "programs"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct kt_error *err = read_many(kinds[i].before, kinds[i].one, kinds[i].max,
						 kinds[i].after);

		assert_null(err);
		err = read_many(kinds[i].before, kinds[i].one, kinds[i].max + 1, kinds[i].after);
		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
		assert_non_null(strstr(kt_error_message(err), kinds[i].what));
		kt_error_destroy(err);
	}
}

/* Any value in any place: it is no such file, or it is read and shown. */
static void test_hostile(void **state)
{
	static const char *const values[] = {
		"null",          "[]", "{}", "-1", "\"\\u001b[2J\"", "99999999999999999999", "true",
		"[null,{},[],7]"};
	char *text = write_it(), *shown;
	size_t len = strlen(text), n_read = 0;
	uint64_t rng = 1;

	(void)state;
	for (size_t round = 0; round < 3000; round++) {
		size_t at = rng_below(&rng, len), cut;
		const char *value = values[rng_below(&rng, 8)];
		struct sched_saved saved;
		struct kt_error *err;
		char *broken;

		/* A value behind a colon becomes another one. */
		while (at < len && text[at] != ':')
			at++;
		cut = at < len ? strcspn(text + at + 1, ",}]\n") : 0;
		if (at >= len)
			continue;
		assert_true(asprintf(&broken, "%.*s:%s%s", (int)at, text, value,
				     text + at + 1 + cut) > 0);
		err = sched_saved_read((struct kt_text){broken, strlen(broken)}, "f", &saved);
		free(broken);
		if (err) {
			assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
			kt_error_destroy(err);
			continue;
		}
		n_read++;
		err = render_sched_dump_text(&saved, 80, false, &shown);
		assert_null(err);
		assert_null(strchr(shown, '\033'));
		free(shown);
		sched_saved_deinit(&saved);
	}
	assert_true(n_read > 1000);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_back), cmocka_unit_test(test_end),
		cmocka_unit_test(test_variables), cmocka_unit_test(test_not_blamed),
		cmocka_unit_test(test_too_many),  cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
