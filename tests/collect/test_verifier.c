// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

#include "collect/verifier.h"
#include "tests/collect/fake_stub.h"
#include "util/cleanup.h"

/* For what comes at once, and for what never does; both are more than a busy machine needs. */
#define LONG_MS  60000
#define SHORT_MS 2000

#define PANIC "[    1.500000] Kernel panic - not syncing: X\r\n"

static struct synth s; /* the guest, and what the test knows of its kernel */
static struct kt_collected collected;
static struct kt_error *error;
static size_t fds_before;

static size_t count_files(const char *path, const char *prefix)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += !strncmp(entry->d_name, prefix, strlen(prefix));
	closedir(dir);
	return n;
}

/* Where sched_ext is in the image, as since 6.16. */
#define SCX_STATE_AT 0x0a04010
#define SCX_ROOT_AT  0x0a05008
#define SCX_NAME_AT  344

/* A kernel with two programs, and sched_ext enabled with "simple". */
static void make_kernel(void)
{
	gaddr_t sched;

	synth_init(&s, SYNTH_KASLR);
	synth_cpu(&s);
	fake_symbol(&s.facts, "scx_enable_state_var", SYNTH_TEXT + SCX_STATE_AT);
	fake_symbol(&s.facts, "scx_root", SYNTH_TEXT + SCX_ROOT_AT);
	fake_member(&s.facts, "scx_sched", "ops.name", SCX_NAME_AT, 128);
	fake_enum(&s.facts, "scx_enable_state", "SCX_ENABLED", 1);
	fake_enum(&s.facts, "scx_enable_state", "SCX_DISABLED", 3);
	sched = synth_alloc(&s, 1024);
	textmem_put(s.mem, sched + SCX_NAME_AT, "simple", 6);
	textmem_put_uint(s.mem, SYNTH_IMAGE + SCX_ROOT_AT, synth_va(sched), 8);
	textmem_put_uint(s.mem, SYNTH_IMAGE + SCX_STATE_AT, 1, 4);
	synth_prog(&s, 5);
	synth_prog(&s, 6);
}

/* The scheduler is gone, and with it its programs. */
static void take_away(void)
{
	textmem_put_uint(s.mem, SYNTH_IMAGE + SCX_STATE_AT, 3, 4);
	textmem_put(s.mem, s.leaf + 40, NULL, 512);
}

static int setup(void **state)
{
	int ret = scratch_setup(state);

	setenv("TMPDIR", scratch, 1);
	setenv("XDG_RUNTIME_DIR", scratch, 1);
	setenv("XDG_CACHE_HOME", scratch, 1);
	make_kernel();
	collected = (struct kt_collected){0};
	error = NULL;
	fds_before = count_files("/proc/self/fd", "");
	return ret;
}

static int teardown(void **state)
{
	kt_error_destroy(error);
	kt_collected_deinit(&collected);
	synth_deinit(&s);
	return scratch_teardown(state);
}

/* No process, no directory with sockets in it, no file that is still open. */
static void check_nothing_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(count_files(scratch, "ktstr-gdb."), 0);
	assert_int_equal(count_files("/proc/self/fd", ""), fds_before);
}

static void count_output(void *arg, int stream, const void *data, size_t len)
{
	(void)stream;
	(void)data;
	*(size_t *)arg += len;
}

/* Collects with a QEMU, for as long; the result is in `collected`, or else in `error`. */
static void collect_with(const char *qemu, int64_t timeout_ms, int cancel_fd)
{
	const struct vm_config vm = {
		.kernel = scratch_file("vmlinuz", "a kernel", 0600),
		.qemu = qemu,
		.accel = "tcg",
		.cancel_fd = cancel_fd,
	};
	const struct vm_load load = {
		.run = scratch_file("scx_simple", "#!/bin/sh\n", 0755),
		.scheduler = true,
	};
	size_t output = 0;
	const struct kt_collect collect = {
		.vm = &vm,
		.load = &load,
		.facts = &s.facts,
		.timeout_ms = timeout_ms,
		.stub = {.timeout_ms = 1000, .cancel_fd = -1},
		.output = count_output,
		.output_arg = &output,
	};

	error = kt_collect_verifier_output(&collect, &collected);
	check_nothing_left();
	/* Which is without the marks of what is missing. */
	if (!error && !collected.result.damaged_frames && !collected.result.log_dropped)
		assert_in_range(output, collected.result.scheduler_log_len,
				collected.result.scheduler_log_len + 64);
}

static void collect(const char *play, int64_t timeout_ms)
{
	collect_with(fake_qemu(play), timeout_ms, -1);
}

/* There is a result: the verdict and its sentence. */
static void check_verdict(enum kt_verdict verdict, const char *sentence)
{
	struct kt_buf out = KT_BUF_INIT;

	if (error)
		fail_msg("%s", kt_error_message(error));
	kt_verdict_text(&collected.result, &out);
	assert_string_equal(out.data, sentence);
	assert_int_equal(kt_verdict(&collected.result), verdict);
	kt_buf_deinit(&out);
}

static void check_log(const char *log)
{
	assert_string_equal(collected.result.scheduler_log, log);
	assert_int_equal(collected.result.scheduler_log_len, strlen(log));
}

static void check_console(const char *words)
{
	assert_non_null(collected.result.console);
	if (!strstr(collected.result.console, words))
		fail_msg("no \"%s\" in: %s", words, collected.result.console);
}

/* There is none: why. */
static void check_error(enum kt_error_code code, const char *words)
{
	assert_non_null(error);
	if (!strstr(kt_error_message(error), words))
		fail_msg("no \"%s\" in: %s", words, kt_error_message(error));
	assert_int_equal(kt_error_code(error), code);
}

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
	collect("hang", SHORT_MS);
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
	collect("hang_started", SHORT_MS);
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
	collect("hang_attached", SHORT_MS);
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
	collect("panic_once", SHORT_MS);
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
	collect("only_garbage", SHORT_MS);
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
	for (;;)
		fake_log("again\n");
}

/* Who never stops to speak runs into the limit, too. */
static void test_endless(void **state)
{
	(void)state;
	collect("endless", SHORT_MS);
	check_verdict(KT_VERDICT_TIMED_OUT, "timed out before the scheduler attached");
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
	collect("no_end", SHORT_MS);
	check_verdict(KT_VERDICT_TIMED_OUT, "timed out after the scheduler attached");
	check_programs();
	check_log("hello\n");
	assert_true(collected.result.dispatched && !collected.result.end_reported);
}

/* clang-format off */
#define PLAY(name) {#name, play_##name}
/* clang-format on */

static const struct fake_play plays[] = {
	PLAY(hang),     PLAY(hang_started), PLAY(hang_attached), PLAY(panic),
	PLAY(reset),    PLAY(panic_early),  PLAY(panic_once),    PLAY(killed),
	PLAY(words),    PLAY(damaged),      PLAY(damaged_type),  PLAY(damaged_start),
	PLAY(cut_off),  PLAY(exit_early),   PLAY(died),          PLAY(serial),
	PLAY(garbage),  PLAY(only_garbage), PLAY(flood),         PLAY(endless),
	PLAY(no_stub),  PLAY(rude_stub),    PLAY(deaf_stub),     PLAY(panic_ready),
	PLAY(no_start), PLAY(killed_ready), PLAY(pass),          PLAY(disagree),
	PLAY(gone),     PLAY(stalled),      PLAY(no_end),        {0},
};

int main(int argc, char **argv)
{
#define collect_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
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
		collect_test(test_no_stub),       collect_test(test_rude_stub),
		collect_test(test_deaf_stub),     collect_test(test_panic_ready),
		collect_test(test_killed_ready),  collect_test(test_pass),
		collect_test(test_disagree),      collect_test(test_gone),
		collect_test(test_stalled),       collect_test(test_no_end),
	};

	if (argc > 2 && !strcmp(argv[1], FAKE_OPTION))
		return fake_main(argc, argv, plays);
	return cmocka_run_group_tests_name("collect/verifier", tests, NULL, NULL);
}
