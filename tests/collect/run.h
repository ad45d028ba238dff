/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kt_collect_verifier_output() with a fake QEMU, for each test anew. Include once, after cmocka.h.
 */
#ifndef KT_TESTS_COLLECT_RUN_H
#define KT_TESTS_COLLECT_RUN_H

#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

#include "collect/verifier.h"
#include "tests/collect/fake_stub.h"
#include "util/clock.h"

/* For what comes at once, and for what never does: see collect_to_the_end(). */
#define LONG_MS  60000
#define SHORT_MS 2000

#define PANIC "[    1.500000] Kernel panic - not syncing: X\r\n"

static struct synth s; /* the guest, and what the test knows of its kernel */
static struct kt_collected collected;
static struct kt_error *error;
static size_t fds_before;
static int64_t stub_timeout_ms; /* LONG_MS, unless a test wants another */
static bool watched;            /* the end of the scheduler is to be kept */

static inline size_t count_files(const char *path, const char *prefix)
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
static inline void make_kernel(void)
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

static inline int setup(void **state)
{
	int ret = scratch_setup(state);

	setenv("TMPDIR", scratch, 1);
	setenv("XDG_RUNTIME_DIR", scratch, 1);
	setenv("XDG_CACHE_HOME", scratch, 1);
	make_kernel();
	collected = (struct kt_collected){0};
	error = NULL;
	stub_timeout_ms = LONG_MS;
	watched = false;
	fds_before = count_files("/proc/self/fd", "");
	return ret;
}

static inline int teardown(void **state)
{
	kt_error_destroy(error);
	kt_collected_deinit(&collected);
	synth_deinit(&s);
	return scratch_teardown(state);
}

/* No process, no directory with sockets in it, no file that is still open. */
static inline void check_nothing_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(count_files(scratch, "ktstr-gdb."), 0);
	assert_int_equal(count_files("/proc/self/fd", ""), fds_before);
}

static inline struct kt_error *give_dump(void *arg, const struct sched_event *event,
					 int64_t kaslr_offset, char **ret)
{
	(void)arg;
	(void)event;
	(void)kaslr_offset;
	*ret = strdup("{}");
	return NULL;
}

static inline void count_output(void *arg, int stream, const void *data, size_t len)
{
	(void)stream;
	(void)data;
	*(size_t *)arg += len;
}

/* Collects with a QEMU, for as long; the result is in `collected`, or else in `error`. */
static inline void collect_with(const char *qemu, int64_t timeout_ms, int cancel_fd)
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
		.stub = {.timeout_ms = stub_timeout_ms, .cancel_fd = -1},
		.output = count_output,
		.output_arg = &output,
		.dump = watched ? give_dump : NULL,
	};

	error = kt_collect_verifier_output(&collect, &collected);
	check_nothing_left();
	/* Which is without the marks of what is missing. */
	if (!error && !collected.result.damaged_frames && !collected.result.log_dropped)
		assert_in_range(output, collected.result.scheduler_log_len,
				collected.result.scheduler_log_len + 64);
}

static inline void collect(const char *play, int64_t timeout_ms)
{
	collect_with(fake_qemu(play), timeout_ms, -1);
}

/* What a play has left, so that it can be played again. */
static inline void forget_play(void)
{
	kt_error_destroy(error);
	error = NULL;
	kt_collected_deinit(&collected);
	collected = (struct kt_collected){0};
	unlink(in_scratch("started"));
	unlink(in_scratch("again"));
	unlink(in_scratch("came-to-nothing"));
}

/* Did the play come to its hang before this moment? */
static inline bool hung_by(int64_t ns)
{
	FILE *file = fopen(in_scratch("came-to-nothing"), "re");
	long long when;
	bool found = file && fscanf(file, "%lld", &when) == 1;

	if (file)
		fclose(file);
	return found && when < ns;
}

/*
 * Plays a guest that hangs until the deadline of the run. A busy machine may not have played it
 * that far in SHORT_MS: then nothing is to be learned from it, and it is given more time.
 */
static inline void collect_to_the_end(const char *play)
{
	for (int64_t ms = SHORT_MS;; ms *= 4) {
		int64_t half_ns = kt_deadline_ms(ms / 2);

		collect(play, ms);
		if (ms > 30000 || hung_by(half_ns))
			return;
		forget_play();
	}
}

/* There is a result: the verdict and its sentence. */
static inline void check_verdict(enum kt_verdict verdict, const char *sentence)
{
	struct kt_buf out = KT_BUF_INIT;

	if (error)
		fail_msg("%s", kt_error_message(error));
	kt_verdict_text(&collected.result, &out);
	assert_string_equal(out.data, sentence);
	assert_int_equal(kt_verdict(&collected.result), verdict);
	kt_buf_deinit(&out);
}

static inline void check_log(const char *log)
{
	assert_string_equal(collected.result.scheduler_log, log);
	assert_int_equal(collected.result.scheduler_log_len, strlen(log));
}

static inline void check_console(const char *words)
{
	assert_non_null(collected.result.console);
	if (!strstr(collected.result.console, words))
		fail_msg("no \"%s\" in: %s", words, collected.result.console);
}

/* There is none: why. */
static inline void check_error(enum kt_error_code code, const char *words)
{
	assert_non_null(error);
	if (!strstr(kt_error_message(error), words))
		fail_msg("no \"%s\" in: %s", words, kt_error_message(error));
	assert_int_equal(kt_error_code(error), code);
}

/* clang-format off */
#define PLAY(name) {#name, play_##name}
/* clang-format on */

#define collect_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
