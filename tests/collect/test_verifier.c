// SPDX-License-Identifier: LGPL-2.1-or-later
/* How a guest and its QEMU can fail, and what of its words is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "tests/collect/run.h"
#include "util/cleanup.h"

/* How often QEMU was started. */
static size_t starts(void)
{
	FILE *file = fopen(in_scratch("started"), "re");
	size_t n = 0;

	while (file && n < 100 && fscanf(file, "%*s") != EOF)
		n++;
	if (file)
		fclose(file);
	return n;
}

/* Found before anything is booted, or looked for. */
static void test_no_sched_ext(void **state)
{
	(void)state;
	s.facts.n = 0;
	collect("hang", LONG_MS);
	check_error(KT_ERROR_UNSUPPORTED, "this kernel has no sched_ext");
	assert_non_null(kt_error_hint_text(error));
	assert_int_equal(starts(), 0);
	assert_null(collected.result.console);
}

static void play_hang(void)
{
	fake_hang();
}

/* Before the scheduler runs, a guest that does not come up is no verdict on it. */
static void test_hang(void **state)
{
	(void)state;
	collect_to_the_end("hang");
	check_error(KT_ERROR_TIMEOUT, "the guest did not come up in time");
	check_console("Linux version 6.12");
	assert_int_equal(starts(), 1);
}

static void play_hang_started(void)
{
	fake_start();
	fake_log("loading\n");
	fake_hang();
}

static void test_hang_started(void **state)
{
	(void)state;
	collect_to_the_end("hang_started");
	check_verdict(KT_VERDICT_TIMED_OUT, "timed out before the scheduler attached");
	check_log("loading\n");
	check_console("Linux version 6.12");
	assert_true(collected.boot_ns > 0);
}

static void play_hang_attached(void)
{
	fake_start();
	fake_phase(KT_PHASE_SCHED_ATTACHED, "simple");
	fake_hang();
}

static void test_hang_attached(void **state)
{
	(void)state;
	collect_to_the_end("hang_attached");
	check_verdict(KT_VERDICT_TIMED_OUT, "timed out after the scheduler attached");
	assert_string_equal(collected.result.ops, "simple");
	check_log("");
}

static void play_panic(void)
{
	fake_start();
	fake_log("loaded\n");
	fake_phase(KT_PHASE_SCHED_ATTACHED, "simple");
	fake_say(PANIC "[    1.6] ---[ end Kernel panic ]---\r\n");
}

static void test_panic(void **state)
{
	(void)state;
	collect("panic", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic - not syncing: X");
	check_console("end Kernel panic");
	check_log("loaded\n");
	assert_true(collected.result.attached);
	assert_int_equal(starts(), 1);
}

static void play_reset(void)
{
	fake_start();
}

static void test_reset(void **state)
{
	(void)state;
	collect("reset", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED,
		      "the guest crashed: it reset without a word on its console");
}

static void play_panic_early(void)
{
	fake_say(PANIC);
}

/* That is none of the scheduler's doing, and so may go better the next time. */
static void test_panic_early(void **state)
{
	(void)state;
	collect("panic_early", LONG_MS);
	check_error(KT_ERROR_CLOSED,
		    "the guest died while it booted: Kernel panic - not syncing: X");
	check_console("Kernel panic");
	assert_int_equal(starts(), 3);
}

static void play_panic_once(void)
{
	if (access(in_scratch("again"), F_OK)) {
		scratch_file("again", "", 0600);
		fake_say(PANIC);
		return;
	}
	play_hang_started();
}

static void test_panic_once(void **state)
{
	(void)state;
	collect_to_the_end("panic_once");
	check_verdict(KT_VERDICT_TIMED_OUT, "timed out before the scheduler attached");
	check_log("loading\n");
	assert_int_equal(starts(), 2);
}

static void play_killed(void)
{
	fake_start();
	fake_phase(KT_PHASE_SCHED_ATTACHED, "simple");
	fake_say("[    1.4] the last line\n");
	kill(getpid(), SIGKILL);
	fake_hang();
}

/* QEMU itself is gone: that says nothing of the guest. */
static void test_killed(void **state)
{
	(void)state;
	collect("killed", LONG_MS);
	check_error(KT_ERROR_OS, "QEMU was killed by signal 9");
	check_console("the last line");
}

static void play_words(void)
{
	fprintf(stderr, "qemu-system-x86_64: warning: not this\nqemu-system-x86_64: but that\n");
	_exit(1);
}

static void test_words(void **state)
{
	(void)state;
	collect("words", LONG_MS);
	check_error(KT_ERROR_OS,
		    "QEMU exited with status 1 before the guest was up: qemu-system-x86_64: but");
	assert_int_equal(starts(), 1);
}

static void test_no_qemu(void **state)
{
	(void)state;
	collect_with(in_scratch("none"), LONG_MS, -1);
	check_error(KT_ERROR_OS, "cannot start ");
	assert_non_null(kt_error_hint_text(error));
}

/* Ctrl-C, which the guest does not hear of. */
static void test_cancelled(void **state)
{
	_cleanup_close_ int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC); /* always readable */

	(void)state;
	fds_before++;
	collect_with(fake_qemu("hang_attached"), LONG_MS, fd);
	check_error(KT_ERROR_CANCELLED, "cancelled");
}

static void put_damaged(void)
{
	fake_log("one\n");
	fake_damaged_frame(KT_FRAME_SCHED_LOG, "two\n", 4, KT_FRAME_HEADER);
	fake_log("three\n");
	fake_log("the end of which");
	fake_damaged_frame(KT_FRAME_SCHED_LOG, " is missing\n", 12, 8);
	fake_damaged_frame(KT_FRAME_SCHED_LOG, "four\n", 5, KT_FRAME_HEADER + 3);
	fake_log("five\n");
	fake_log(SCHED_OUTPUT_END "\n");
}

#define DAMAGED                                                                                    \
	"one\n[... 1 damaged frame from the guest left out here ...]\n"                            \
	"three\nthe end of which\n[... 2 damaged frames from the guest left out here ...]\nfive\n"

static void play_damaged(void)
{
	fake_start();
	put_damaged();
	fake_say(PANIC);
}

static void test_damaged(void **state)
{
	(void)state;
	collect("damaged", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic - not syncing: X");
	check_log(DAMAGED);
	assert_int_equal(collected.result.damaged_frames, 3);
	assert_int_equal(collected.result.skipped_bytes, 0);
}

static void play_damaged_type(void)
{
	fake_start();
	fake_log("one\n");
	fake_damaged_frame(KT_FRAME_SCHED_LOG, "two\n", 4, 0);
	fake_log("three\n");
	fake_say(PANIC);
}

/* The CRC does not cover the type: what has become of a frame then is one that nobody knows. */
static void test_damaged_type(void **state)
{
	(void)state;
	collect("damaged_type", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic - not syncing: X");
	check_log("one\n[... 1 damaged frame from the guest left out here ...]\nthree\n");
	assert_int_equal(collected.result.damaged_frames, 1);
}

static void play_damaged_start(void)
{
	fake_phase(KT_PHASE_INIT_STARTED, "");
	fake_damaged_frame(KT_FRAME_LIFECYCLE, "\2", 1, KT_FRAME_HEADER);
	fake_log(SCHED_OUTPUT_START "\n");
	fake_log("loading\n");
	fake_say(PANIC);
}

/* Who speaks has been started, whether or not that was heard. */
static void test_damaged_start(void **state)
{
	(void)state;
	collect("damaged_start", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic - not syncing: X");
	check_log("[... 1 damaged frame from the guest left out here ...]\nloading\n");
	assert_int_equal(collected.result.damaged_frames, 1);
}

static void play_no_start(void)
{
	fake_phase(KT_PHASE_INIT_STARTED, "");
	fake_log("[1] loading\n" SCHED_OUTPUT_START);
	fake_log("\n" SCHED_OUTPUT_END "\n" SCHED_OUTPUT_END "\n");
	fake_say(PANIC);
}

/* Only what init put around it goes. */
static void test_no_start(void **state)
{
	(void)state;
	collect("no_start", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic - not syncing: X");
	check_log("[1] loading\n" SCHED_OUTPUT_START "\n" SCHED_OUTPUT_END "\n");
}

static void play_cut_off(void)
{
	struct kt_buf frame = KT_BUF_INIT;

	fake_start();
	fake_log("one\n");
	kt_frame_encode(&frame, KT_FRAME_SCHED_LOG, "two\n", 4);
	fake_put(fake.fd, frame.data, frame.len - 2);
	fake_say(PANIC);
}

/* It died while it spoke. */
static void test_cut_off(void **state)
{
	(void)state;
	collect("cut_off", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic - not syncing: X");
	check_log("one\n");
	assert_int_equal(collected.result.damaged_frames, 1);
}

static void play_exit_early(void)
{
	fake_start();
	fake_log("Error: gone\n");
	fake_phase(KT_PHASE_SCHED_ATTACHED, "simple");
	fake_exit_frame(KT_FRAME_SCHED_EXIT, 0x300);
	fake_say(PANIC);
}

static void test_exit_early(void **state)
{
	(void)state;
	collect("exit_early", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic - not syncing: X");
	assert_true(collected.result.exited && collected.result.exited_early);
	assert_int_equal(collected.result.exit_status, 0x300);
	assert_false(collected.result.end_reported);
	/* But for the crash, that is the verdict. */
	free(kt_take_ptr(collected.result.crash));
	check_verdict(KT_VERDICT_SCHED_EXITED,
		      "the scheduler exited during the workload: exit status 3");
}

#define LOAD_LOG                                                                                   \
	"libbpf: prog 'enqueue': -- BEGIN PROG LOAD LOG --\n0: R1=ctx() R10=fp0\nR1 !read_ok\n"    \
	"processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 "    \
	"mark_read 0\n-- END PROG LOAD LOG --\n"

static void play_died(void)
{
	fake_start();
	fake_log(LOAD_LOG);
	fake_phase(KT_PHASE_SCHED_DIED, "");
	fake_exit_frame(KT_FRAME_SCHED_EXIT, 0x100);
	fake_log("\n" SCHED_OUTPUT_END "\n");
	fake_say(PANIC);
}

/* What its log says of the programs is told, whatever else became of the run. */
static void test_died(void **state)
{
	(void)state;
	collect("died", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic - not syncing: X");
	check_log(LOAD_LOG "\n");
	assert_int_equal(collected.result.stats.n, 1);
	assert_string_equal(collected.result.stats.all[0].name, "enqueue");
	assert_int_equal(collected.result.stats.all[0].verified_insns.value, 7);
	free(kt_take_ptr(collected.result.crash));
	check_verdict(KT_VERDICT_NOT_ATTACHED,
		      "not attached: the scheduler ended before it attached, exit status 1; the "
		      "verifier rejected enqueue: R1 !read_ok");
}

static void play_serial(void)
{
	close(fake.fd);
	fake.fd = fake_connect(fake.frames);
	play_damaged();
}

/* A kernel without virtio's console. */
static void test_serial(void **state)
{
	(void)state;
	collect("serial", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic - not syncing: X");
	check_log(DAMAGED);
	assert_int_equal(collected.result.damaged_frames, 3);
}

/* Nothing in it looks like a header: there are no capital letters. */
static void put_garbage(int fd, size_t len)
{
	char garbage[4096];

	srand(1);
	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)(rand() % 256 | 0x20);
	for (size_t done = 0; done < len; done += sizeof(garbage))
		fake_put(fd, garbage, sizeof(garbage));
}

static void play_garbage(void)
{
	int serial = fake_connect(fake.frames);

	put_garbage(serial, 1 << 20);
	put_garbage(fake.fd, 1 << 20);
	fake_start();
	put_garbage(serial, 4096);
	fake_log("one\n");
	put_garbage(fake.fd, 4096);
	fake_log("two\n");
	fake_say(PANIC);
}

static void test_garbage(void **state)
{
	(void)state;
	collect("garbage", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic - not syncing: X");
	check_log("one\ntwo\n");
	assert_int_equal(collected.result.skipped_bytes, (1 << 20) + 4096);
	assert_int_equal(collected.result.damaged_frames, 0);
}

static void play_only_garbage(void)
{
	put_garbage(fake_connect(fake.frames), 1 << 20);
	put_garbage(fake.fd, 1 << 20);
	fake_hang();
}

static void test_only_garbage(void **state)
{
	(void)state;
	collect_to_the_end("only_garbage");
	check_error(KT_ERROR_TIMEOUT, "the guest did not come up in time");
}

#define FLOOD_FRAMES 64

static void fill_flood(char *payload, int i)
{
	for (size_t j = 0; j < KT_FRAME_MAX; j++)
		payload[j] = (char)('a' + ((size_t)i * 7 + j / 80) % 26);
	payload[KT_FRAME_MAX - 1] = '\n';
}

static void play_flood(void)
{
	char *payload = malloc(KT_FRAME_MAX);

	fake_check(payload, "no memory");
	fake_start();
	for (int i = 0; i < FLOOD_FRAMES; i++) {
		fill_flood(payload, i);
		fake_frame(KT_FRAME_SCHED_LOG, payload, KT_FRAME_MAX);
	}
	free(payload);
	fake_log(SCHED_OUTPUT_END "\n");
	fake_say(PANIC);
}

/* 64 MB at once, of which nothing is lost. */
static void test_flood(void **state)
{
	char *payload = malloc(KT_FRAME_MAX);

	(void)state;
	assert_non_null(payload);
	collect("flood", LONG_MS);
	check_verdict(KT_VERDICT_GUEST_CRASHED, "the guest crashed: Kernel panic - not syncing: X");
	assert_int_equal(collected.result.scheduler_log_len, (size_t)FLOOD_FRAMES * KT_FRAME_MAX);
	for (int i = 0; i < FLOOD_FRAMES; i++) {
		fill_flood(payload, i);
		assert_true(!memcmp(collected.result.scheduler_log + (size_t)i * KT_FRAME_MAX,
				    payload, KT_FRAME_MAX));
	}
	assert_int_equal(collected.result.damaged_frames + collected.result.log_dropped, 0);
	free(payload);
}

static void play_endless(void)
{
	fake_start();
	fake_log("again\n");
	fake_comes_to_nothing();
	for (;;)
		fake_log("again\n");
}

/* Who never stops to speak runs into the limit, too. */
static void test_endless(void **state)
{
	(void)state;
	collect_to_the_end("endless");
	check_verdict(KT_VERDICT_TIMED_OUT, "timed out before the scheduler attached");
}

static const struct fake_play plays[] = {
	PLAY(hang),          PLAY(hang_started),
	PLAY(hang_attached), PLAY(panic),
	PLAY(reset),         PLAY(panic_early),
	PLAY(panic_once),    PLAY(killed),
	PLAY(words),         PLAY(damaged),
	PLAY(damaged_type),  PLAY(damaged_start),
	PLAY(no_start),      PLAY(cut_off),
	PLAY(exit_early),    PLAY(died),
	PLAY(serial),        PLAY(garbage),
	PLAY(only_garbage),  PLAY(flood),
	PLAY(endless),       {0},
};

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		collect_test(test_no_sched_ext),  collect_test(test_hang),
		collect_test(test_hang_started),  collect_test(test_hang_attached),
		collect_test(test_panic),         collect_test(test_reset),
		collect_test(test_panic_early),   collect_test(test_panic_once),
		collect_test(test_killed),        collect_test(test_words),
		collect_test(test_no_qemu),       collect_test(test_cancelled),
		collect_test(test_damaged),       collect_test(test_damaged_type),
		collect_test(test_damaged_start), collect_test(test_no_start),
		collect_test(test_cut_off),       collect_test(test_exit_early),
		collect_test(test_died),          collect_test(test_serial),
		collect_test(test_garbage),       collect_test(test_only_garbage),
		collect_test(test_flood),         collect_test(test_endless),
	};

	if (argc > 2 && !strcmp(argv[1], FAKE_OPTION))
		return fake_main(argc, argv, plays);
	return cmocka_run_group_tests_name("collect/verifier", tests, NULL, NULL);
}
