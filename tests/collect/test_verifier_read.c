// SPDX-License-Identifier: LGPL-2.1-or-later
/* A guest that is ready: read through its stub, or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "tests/collect/run.h"

/* The scheduler is gone, and with it its programs. */
static void take_away(void)
{
	textmem_put_uint(s.mem, SYNTH_IMAGE + SCX_STATE_AT, 3, 4);
	textmem_put(s.mem, s.leaf + 40, NULL, 512);
}

static void put_ready(void)
{
	fake_start();
	fake_phase(KT_PHASE_SCHED_ATTACHED, "simple");
	fake_phase(KT_PHASE_WORKLOAD_DISPATCHED, "8 of 8 tasks ran");
	fake_phase(KT_PHASE_READY, "enabled simple");
}

static void play_no_stub(void)
{
	put_ready();
	fake_phase(KT_PHASE_READY, "said twice");
	fake_hang();
}

/* It cannot be read: then there is no result. */
static void test_no_stub(void **state)
{
	(void)state;
	collect("no_stub", LONG_MS);
	check_error(KT_ERROR_OS, "cannot connect");
	check_console("Linux version 6.12");
}

/* Whoever comes is sent away. */
static void play_rude_stub(void)
{
	int fd = fake_stub_listen(), client;

	put_ready();
	while ((client = accept(fd, NULL, NULL)) >= 0)
		close(client);
}

/* That is no crash of the guest, which goes on. */
static void test_rude_stub(void **state)
{
	(void)state;
	collect("rude_stub", LONG_MS);
	check_error(KT_ERROR_CLOSED, "the GDB stub closed the connection");
	check_console("Linux version 6.12");
	assert_null(collected.result.crash);
}

static void play_deaf_stub(void)
{
	fake_stub_listen();
	put_ready();
	fake_hang();
}

/* Nor is that the time of the run, which is not up. */
static void test_deaf_stub(void **state)
{
	(void)state;
	stub_timeout_ms = 1000;
	collect("deaf_stub", LONG_MS);
	check_error(KT_ERROR_TIMEOUT, "stub");
	assert_false(collected.result.timed_out);
}

static void play_panic_ready(void)
{
	put_ready();
	fake_say(PANIC);
}

/* It died just before it could be read: that is why it could not. */
static void test_panic_ready(void **state)
{
	(void)state;
	collect("panic_ready", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic - not syncing: X");
	check_console("Kernel panic");
}

static void play_killed_ready(void)
{
	put_ready();
	kill(getpid(), SIGKILL);
	fake_hang();
}

static void test_killed_ready(void **state)
{
	(void)state;
	collect("killed_ready", LONG_MS);
	check_error(KT_ERROR_OS, "QEMU was killed by signal 9");
}

/* Until the host says so. */
static void await(enum kt_command command)
{
	struct kt_frame_decoder decoder;
	struct kt_frame frame;
	char chunk[64];

	kt_frame_decoder_init(&decoder);
	while (!kt_frame_decoder_next(&decoder, &frame)) {
		ssize_t n = read(fake.fd, chunk, sizeof(chunk));

		fake_check(n > 0 && kt_frame_decoder_push(&decoder, chunk, (size_t)n),
			   "the host hung up");
	}
	fake_check(frame.type == KT_FRAME_COMMAND && frame.len == 1 && frame.payload[0] == command,
		   "another command");
	kt_frame_decoder_deinit(&decoder);
}

/* Starts, attaches, and is read the first time; the stub's socket. */
static int put_attached(void)
{
	int stub = fake_stub_listen();

	make_kernel();
	fake_start();
	fake_log("hello\n");
	fake_phase(KT_PHASE_SCHED_ATTACHED, "simple");
	fake_stub_serve(stub, &s);
	return stub;
}

/* Is read the second time. */
static void put_read(int stub, const char *sysfs)
{
	fake_phase(KT_PHASE_READY, sysfs);
	fake_stub_serve(stub, &s);
	await(KT_COMMAND_GO_ON);
}

/* Of one that has told of its end before: GONE. */
#define GONE (-1)

static void put_end(int status)
{
	fake_phase(KT_PHASE_STOPPING, "");
	fake_log("bye\n");
	fake_log(SCHED_OUTPUT_END "\n");
	if (status != GONE)
		fake_exit_frame(KT_FRAME_SCHED_EXIT, status);
	fake_exit_frame(KT_FRAME_EXIT, 0);
	await(KT_COMMAND_BYE);
}

static void play_pass(void)
{
	int stub = put_attached();

	fake_phase(KT_PHASE_WORKLOAD_DISPATCHED, "8 of 8 tasks ran");
	put_read(stub, "enabled simple");
	put_end(0);
}

static void check_programs(void)
{
	const struct kt_prog_stats *stats = collected.result.stats.all;

	assert_int_equal(collected.result.stats.n, 2);
	assert_int_equal(collected.inspection.programs.n, 2);
	assert_string_equal(stats[0].name, "prog_5");
	assert_string_equal(stats[0].type, "sched_cls");
	assert_int_equal(stats[0].verified_insns.value, 1005);
	assert_string_equal(stats[1].name, "prog_6");
	assert_int_equal(stats[1].verified_insns.value, 1006);
	assert_false(stats[1].failed);
}

/* All of it: read twice, told to go on, and ended in an orderly way. */
static void test_pass(void **state)
{
	const struct kt_verifier_vm_result *result = &collected.result;

	(void)state;
	collect("pass", LONG_MS);
	check_verdict(KT_VERDICT_PASS, "pass");
	check_programs();
	check_log("hello\nbye\n");
	assert_string_equal(result->sysfs.state, "enabled");
	assert_string_equal(result->sysfs.ops, "simple");
	assert_string_equal(result->memory.state, "enabled");
	assert_string_equal(result->memory.ops, "simple");
	assert_false(kt_sched_ext_disagrees(result));
	assert_true(result->exited && !result->exited_early && result->end_reported);
	assert_string_equal(result->workload, "8 of 8 tasks ran");
	assert_null(result->console);
	assert_null(result->kernel_words);
	assert_int_equal(result->damaged_frames + result->skipped_bytes, 0);
	assert_true(collected.load_ns > 0);
	assert_int_equal(collected.inspection.kaslr_offset, SYNTH_KASLR);
}

/* --- its end was to be kept, and cannot be: the verdict is none the worse --- */

/* From when it starts on; serve: what becomes of the one that would watch. */
static void play_watched(void (*serve)(int stub))
{
	int stub = fake_stub_listen();

	make_kernel();
	fake_start();
	serve(stub);
	fake_log("hello\n");
	fake_phase(KT_PHASE_SCHED_ATTACHED, "simple");
	fake_stub_serve(stub, &s);
	fake_phase(KT_PHASE_WORKLOAD_DISPATCHED, "8 of 8 tasks ran");
	put_read(stub, "enabled simple");
	put_end(0);
}

static void serve_one(int stub)
{
	fake_stub_serve(stub, &s);
}

static void play_lacks(void)
{
	play_watched(serve_one);
}

static void hang_up(int stub)
{
	close(accept(stub, NULL, NULL));
}

static void play_hangs_up(void)
{
	play_watched(hang_up);
}

/* It hears, and says nothing; until nobody is there. */
static void stay_silent(int stub)
{
	int fd = accept(stub, NULL, NULL);
	char chunk[64];

	while (read(fd, chunk, sizeof(chunk)) > 0)
		;
	close(fd);
}

static void play_silent(void)
{
	play_watched(stay_silent);
}

static void check_unwatched(const char *play, const char *why)
{
	watched = true;
	collect(play, LONG_MS);
	check_verdict(KT_VERDICT_PASS, "pass");
	check_programs();
	check_log("hello\nbye\n");
	assert_null(collected.dump);
	assert_non_null(collected.no_dump);
	if (!strstr(collected.no_dump, why))
		fail_msg("%s", collected.no_dump);
}

static void test_unwatched(void **state)
{
	(void)state;
	check_unwatched("lacks", "exit_kind.counter");
	forget_play();
	check_unwatched("hangs_up", "closed the connection");
	forget_play();
	stub_timeout_ms = 500;
	check_unwatched("silent", "stub");
}

/* Who did not ask gets no reason. */
static void test_not_asked(void **state)
{
	(void)state;
	collect("pass", LONG_MS);
	assert_null(collected.dump);
	assert_null(collected.no_dump);
}

static void play_disagree(void)
{
	int stub = put_attached();

	fake_phase(KT_PHASE_WORKLOAD_DISPATCHED, "8 of 8 tasks ran");
	put_read(stub, "enabled other");
	put_end(0x200);
}

static void test_disagree(void **state)
{
	(void)state;
	collect("disagree", LONG_MS);
	check_verdict(KT_VERDICT_PASS, "pass");
	assert_true(kt_sched_ext_disagrees(&collected.result));
	assert_int_equal(collected.result.exit_status, 0x200);
}

static void play_gone(void)
{
	int stub = put_attached();

	fake_exit_frame(KT_FRAME_SCHED_EXIT, 0x300);
	take_away();
	fake_say("[    2.0] sched_ext: BPF scheduler \"simple\" disabled (runtime error)\n");
	put_read(stub, "disabled ");
	put_end(GONE);
}

/* What it had loaded is known from when it had attached. */
static void test_gone(void **state)
{
	(void)state;
	collect("gone", LONG_MS);
	check_programs();
	assert_string_equal(collected.result.memory.state, "disabled");
	assert_string_equal(collected.result.sysfs.state, "disabled");
	assert_string_equal(collected.result.sysfs.ops, "");
	assert_false(kt_sched_ext_disagrees(&collected.result));
	check_verdict(KT_VERDICT_SCHED_EXITED,
		      "the scheduler exited during the workload: exit status 3; the kernel says: "
		      "sched_ext: BPF scheduler \"simple\" disabled (runtime error)");
}

static void play_stalled(void)
{
	int stub = put_attached();

	fake_phase(KT_PHASE_WORKLOAD_STALLED, "2 of 8 tasks ran");
	put_read(stub, "-");
	put_end(9);
}

static void test_stalled(void **state)
{
	(void)state;
	collect("stalled", LONG_MS);
	check_verdict(KT_VERDICT_NO_PROGRESS,
		      "attached, but the workload made no progress: 2 of 8 tasks ran");
	check_programs();
	assert_false(collected.result.sysfs.known);
	assert_true(collected.result.end_reported);
}

static void play_no_end(void)
{
	int stub = put_attached();

	fake_phase(KT_PHASE_WORKLOAD_DISPATCHED, "8 of 8 tasks ran");
	put_read(stub, "enabled simple");
	fake_hang();
}

/* It was read, and then did not end. */
static void test_no_end(void **state)
{
	(void)state;
	collect_to_the_end("no_end");
	check_verdict(KT_VERDICT_TIMED_OUT, "timed out after the scheduler attached");
	check_programs();
	check_log("hello\n");
	assert_true(collected.result.dispatched && !collected.result.end_reported);
}

static const struct fake_play plays[] = {
	PLAY(no_stub),      PLAY(rude_stub),
	PLAY(deaf_stub),    PLAY(panic_ready),
	PLAY(killed_ready), PLAY(pass),
	PLAY(disagree),     PLAY(gone),
	PLAY(stalled),      PLAY(no_end),
	PLAY(lacks),        PLAY(hangs_up),
	PLAY(silent),       {0},
};

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		collect_test(test_no_stub),      collect_test(test_rude_stub),
		collect_test(test_deaf_stub),    collect_test(test_panic_ready),
		collect_test(test_killed_ready), collect_test(test_pass),
		collect_test(test_disagree),     collect_test(test_gone),
		collect_test(test_stalled),      collect_test(test_no_end),
		collect_test(test_unwatched),    collect_test(test_not_asked),
	};

	if (argc > 2 && !strcmp(argv[1], FAKE_OPTION))
		return fake_main(argc, argv, plays);
	return cmocka_run_group_tests_name("collect/verifier_read", tests, NULL, NULL);
}
