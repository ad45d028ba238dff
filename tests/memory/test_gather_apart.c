// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A kernel gathered in a process of its own: it is fenced in, and what it hands back is the record
 * of what it found. Linked with --wrap=gather_kernel, so that the test can look around where a
 * guest's memory is read, and with --wrap=kt_apart, so that a child can say anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "memory/gather_apart.h"
#include "tests/btf/fake_memory.h"
#include "util/apart.h"
#include "util/cleanup.h"
#include "util/io.h"

static const struct record_place place = {.kaslr_offset = FM_KASLR};
static const struct gather_stats stats = {
	.stops = 1, .longest_ns = 2, .paused_ns = INT64_MAX, .total_ns = 4, .bytes = UINT64_MAX};
static pid_t own;
static bool fails;
/* What a child that was taken over says. */
static struct {
	bool on;
	const char *data;
	size_t len;
} forged;

/* Shared with the child. */
static struct seen {
	bool here;        /* in the process of the test */
	bool fenced;      /* by seccomp, and for good */
	bool keeps;       /* options that go on with an earlier try, or know kernels */
	bool has_cancel;  /* the descriptor that tells of Ctrl-C is open */
	int file_errno;   /* when a file is opened */
	int socket_errno; /* when a network is asked for */
} * seen;

struct kt_error *__wrap_gather_kernel(const struct gather_stops *stops,
				      const struct gather_options *options, struct gathered *ret);
struct kt_error *__real_kt_apart(const struct kt_apart *apart, struct kt_buf *ret);
struct kt_error *__wrap_kt_apart(const struct kt_apart *apart, struct kt_buf *ret);

static int cancel_fd;

struct kt_error *__wrap_gather_kernel(const struct gather_stops *stops,
				      const struct gather_options *options, struct gathered *ret)
{
	int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	assert_non_null(stops->stop);
	seen->file_errno = file < 0 ? errno : 0;
	seen->socket_errno = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ? errno : 0;
	seen->here = getpid() == own;
	seen->fenced = prctl(PR_GET_SECCOMP) == 2 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	seen->keeps = options->kept || options->n_known;
	seen->has_cancel = fcntl(cancel_fd, F_GETFD) >= 0;
	if (fails)
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_READY, "no kernel yet"), "wait");
	*ret = (struct gathered){.place = place, .stats = stats};
	/* The child ends soon: the memory is nobody's to free. */
	return recover_find(&fm_create(&(struct fm_options){.release = KW_6_4})->memory,
			    &ret->kernel);
}

struct kt_error *__wrap_kt_apart(const struct kt_apart *apart, struct kt_buf *ret)
{
	if (!forged.on)
		return __real_kt_apart(apart, ret);
	kt_buf_append(ret, forged.data, forged.len);
	return NULL;
}

static struct kt_error *gather(struct gather_stats *stats_ret, int *fd_ret)
{
	_cleanup_(rsp_target_deinit) struct rsp_target target = {0};
	const struct rsp_options options = {.timeout_ms = 1000, .cancel_fd = cancel_fd};

	*seen = (struct seen){0};
	assert_null(rsp_target_parse("unix:/nothing/here", &target));
	return gather_kernel_apart(&target, &options, stats_ret, fd_ret);
}

/* What this process makes of the same kernel. */
static void record_here(struct kt_buf *out)
{
	struct fm *m = fm_create(&(struct fm_options){.release = KW_6_4});
	struct recovered kernel;
	int fd;

	assert_null(recover_find(&m->memory, &kernel));
	assert_null(record_write(&kernel, &place, &fd));
	assert_null(kt_read_all(fd, 1 << 20, out));
	recovered_deinit(&kernel);
	close(fd);
	fm_destroy(m);
}

static void test_same(void **state)
{
	struct kt_buf here = KT_BUF_INIT, apart = KT_BUF_INIT;
	struct gather_stats found;
	int fd = -1;

	(void)state;
	fails = false;
	assert_null(gather(&found, &fd));
	assert_memory_equal(&found, &stats, sizeof(stats));
	assert_null(kt_read_all(fd, 1 << 20, &apart));
	record_here(&here);
	assert_int_equal(apart.len, here.len);
	assert_memory_equal(apart.data, here.data, here.len);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	kt_buf_deinit(&here);
	kt_buf_deinit(&apart);
	assert_false(seen->here);
	assert_false(seen->keeps);
	assert_true(seen->fenced);
	assert_true(seen->has_cancel);
	assert_int_not_equal(seen->socket_errno, 0);
	/* Where the kernel has Landlock. */
	if (seen->file_errno)
		assert_int_equal(seen->file_errno, EACCES);
}

/* The child's error, whole; and nothing is given out. */
static void test_error(void **state)
{
	struct gather_stats found = {.stops = 7};
	struct kt_error *err;
	int fd = -2;

	(void)state;
	fails = true;
	err = gather(&found, &fd);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_READY);
	assert_string_equal(kt_error_message(err), "no kernel yet");
	assert_string_equal(kt_error_hint_text(err), "wait");
	assert_int_equal(fd, -2);
	assert_int_equal(found.stops, 7);
	kt_error_destroy(err);
}

/* Less than the numbers, and numbers without a record. More is what a file may be: anything. */
static void test_hostile(void **state)
{
	char bytes[41] = {0};

	(void)state;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		/* Of a size of its own, so that a sanitizer sees what is behind it. */
		char *copy = malloc(len + 1);
		struct gather_stats found;
		struct kt_error *err;
		int fd = -1;

		memcpy(copy, bytes, len);
		forged.on = true;
		forged.data = copy;
		forged.len = len;
		err = gather(&found, &fd);
		forged.on = false;
		free(copy);
		if (len < sizeof(bytes)) {
			assert_int_equal(kt_error_code(err), KT_ERROR_PROTOCOL);
			assert_int_equal(fd, -1);
			kt_error_destroy(err);
		} else {
			assert_null(err);
			assert_int_equal(lseek(fd, 0, SEEK_END), 1);
			close(fd);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_hostile),
	};

	int cancel_pipe[2];

	own = getpid();
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED || pipe2(cancel_pipe, O_CLOEXEC))
		return 1;
	cancel_fd = cancel_pipe[0];
	return cmocka_run_group_tests_name("memory gather apart", tests, NULL, NULL);
}
