// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/io.h"

static char dir[] = "/tmp/ktstr-test.XXXXXX";

static int setup(void **state)
{
	umask(022);
	strcpy(strrchr(dir, '.'), ".XXXXXX");
	*state = mkdtemp(dir);
	return *state ? chdir(dir) : -1;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return chdir("/") || system(command);
}

static void put(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

static void assert_content(const char *path, const char *text)
{
	struct kt_buf buf = KT_BUF_INIT;

	assert_null(kt_read_file(path, 1 << 20, &buf));
	assert_string_equal(buf.data, text);
	assert_int_equal(buf.len, strlen(text));
	kt_buf_deinit(&buf);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void refused(struct kt_error *err, enum kt_error_code code, const char *message)
{
	assert_non_null(err);
	assert_string_equal(kt_error_message(err), message);
	assert_int_equal(kt_error_code(err), code);
	kt_error_destroy(err);
}

/* --- writing --- */

#define LONG_LEN ((size_t)1 << 20)

static char nth(size_t i)
{
	return (char)(i * 7 + i / 251);
}

/* The status is 0 if it is all there. */
static pid_t start_reader(const int *fds)
{
	pid_t pid = fork();
	char chunk[4096];
	size_t done = 0;
	ssize_t n;

	if (pid)
		return pid;
	close(fds[1]);
	while ((n = read(fds[0], chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < n; i++, done++)
			if (chunk[i] != nth(done))
				_exit(1);
		if (done % (16 * sizeof(chunk)) == 0)
			usleep(1000);
	}
	_exit(done != LONG_LEN);
}

static volatile sig_atomic_t interruptions;

static void on_alarm(int sig)
{
	(void)sig;
	interruptions++;
}

/* Into a pipe that is full most of the time, by a process that signals interrupt. */
static void test_write_all(void **state)
{
	const struct itimerval often = {{0, 500}, {0, 500}}, never = {0};
	struct sigaction action = {.sa_handler = on_alarm};
	char *data = malloc(LONG_LEN);
	int fds[2], status;
	pid_t reader;

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < LONG_LEN; i++)
		data[i] = nth(i);
	assert_int_equal(pipe(fds), 0);
	reader = start_reader(fds);
	close(fds[0]);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_null(kt_write_all(fds[1], data, LONG_LEN));
	setitimer(ITIMER_REAL, &never, NULL);
	close(fds[1]);
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
	assert_true(interruptions > 0);
	free(data);
}

static void test_write_errors(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	refused(kt_write_all(fd, "x", 1), KT_ERROR_OS, "cannot write it: No space left on device");
	assert_null(kt_write_all(fd, "", 0));
	close(fd);
}

static void test_replace(void **state)
{
	struct stat before, after;

	(void)state;
	umask(077);
	assert_null(kt_replace_file("a", "old", 3, 0644, false));
	assert_content("a", "old");
	assert_int_equal(mode_of("a"), 0644);
	assert_int_equal(stat("a", &before), 0);
	assert_null(kt_replace_file("./a", "new", 3, 0600, true));
	assert_content("a", "new");
	assert_int_equal(mode_of("a"), 0600);
	assert_int_equal(stat("a", &after), 0);
	assert_true(before.st_ino != after.st_ino);
	unlink("a");
	/* Nothing else is left. */
	assert_int_equal(rmdir(dir), 0);
}

/* The longest name that a file can have. */
static void test_replace_long_name(void **state)
{
	char name[256];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_null(kt_replace_file(name, "x", 1, 0644, false));
	assert_content(name, "x");
}

static void test_replace_errors(void **state)
{
	(void)state;
	refused(kt_replace_file("none/a", "x", 1, 0644, false), KT_ERROR_OS,
		"cannot create a file in its directory: No such file or directory");
	assert_int_equal(mkdir("a", 0755), 0);
	kt_error_destroy(kt_replace_file("a", "x", 1, 0644, false));
	assert_int_equal(rmdir("a"), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* --- reading --- */

static void test_limits(void **state)
{
	struct kt_buf buf = KT_BUF_INIT;
	char *data = calloc(1, (1 << 20) + 1);
	int fd;

	(void)state;
	assert_non_null(data);
	put("f", data, 70000);
	assert_null(kt_read_file("f", 70000, &buf));
	assert_int_equal(buf.len, 70000);
	kt_buf_deinit(&buf);
	refused(kt_read_file("f", 69999, &buf), KT_ERROR_FORMAT, "f: it has more than 69999 bytes");
	put("f", data, (1 << 20) + 1);
	refused(kt_read_file("f", 1 << 20, &buf), KT_ERROR_FORMAT, "f: it has more than 1 MiB");
	assert_null(buf.data);
	/* Where the descriptor is, is of no consequence. */
	put("f", "0123456789", 10);
	fd = open("f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	assert_null(kt_read_all(fd, 10, &buf));
	assert_string_equal(buf.data, "0123456789");
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
	close(fd);
	kt_buf_deinit(&buf);
	put("f", "", 0);
	assert_content("f", "");
	free(data);
}

/* stat(2) has 0 bytes for it. */
static void test_proc(void **state)
{
	struct kt_buf buf = KT_BUF_INIT;

	(void)state;
	assert_null(kt_read_file("/proc/self/status", 1 << 20, &buf));
	assert_non_null(strstr(buf.data, "\nPid:"));
	kt_buf_deinit(&buf);
	refused(kt_read_file("/proc/self/status", 10, &buf), KT_ERROR_FORMAT,
		"/proc/self/status: it has more than 10 bytes");
}

static void test_read_at(void **state)
{
	char text[8] = "";
	size_t n;
	int fd;

	(void)state;
	put("f", "0123456789", 10);
	assert_null(kt_open_file(AT_FDCWD, "f", 0, &fd, NULL));
	assert_null(kt_read_at(fd, text, 4, 3, &n));
	assert_int_equal(n, 4);
	assert_string_equal(text, "3456");
	assert_null(kt_read_at(fd, text, 4, 8, &n));
	assert_int_equal(n, 2);
	assert_null(kt_read_at(fd, text, 4, 100, &n));
	assert_int_equal(n, 0);
	close(fd);
}

static void test_not_files(void **state)
{
	struct kt_buf buf = KT_BUF_INIT;
	off_t size = 0;
	int fd = -1, dir_fd;

	(void)state;
	refused(kt_read_file("f", 10, &buf), KT_ERROR_NOT_FOUND, "f: no such file");
	refused(kt_read_file(".", 10, &buf), KT_ERROR_UNSUPPORTED, ".: not a regular file");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	refused(kt_read_file("fifo", 10, &buf), KT_ERROR_UNSUPPORTED, "fifo: not a regular file");
	put("f", "0123456789", 10);
	assert_int_equal(symlink("f", "link"), 0);
	assert_content("link", "0123456789");
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	refused(kt_open_file(dir_fd, "link", O_NOFOLLOW, &fd, &size), KT_ERROR_UNSUPPORTED,
		"a symbolic link");
	assert_int_equal(fd, -1);
	assert_null(kt_open_file(dir_fd, "f", O_NOFOLLOW, &fd, &size));
	assert_int_equal(size, 10);
	close(fd);
	close(dir_fd);
}

/* --- directories --- */

static void test_mkdir_p(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s//a/b/c/", dir);
	assert_null(kt_mkdir_p(path, 0700));
	assert_int_equal(mode_of("a"), 0700);
	assert_int_equal(mode_of("a/b"), 0700);
	assert_int_equal(mode_of("a/b/c"), 0700);
	/* What is there stays as it is. */
	assert_null(kt_mkdir_p("a/b/d", 0755));
	assert_int_equal(mode_of("a/b"), 0700);
	assert_int_equal(mode_of("a/b/d"), 0755);
	assert_null(kt_mkdir_p("a", 0755));
	assert_null(kt_mkdir_p("/", 0755));
	put("a/f", "", 0);
	refused(kt_mkdir_p("a/f", 0755), KT_ERROR_OS,
		"cannot make the directory a/f: Not a directory");
	refused(kt_mkdir_p("a/f/g", 0755), KT_ERROR_OS,
		"cannot make the directory a/f: Not a directory");
	refused(kt_mkdir_p("", 0755), KT_ERROR_OS,
		"cannot make the directory : No such file or directory");
}

static void assert_cache_dir(const char *xdg, const char *home, const char *expected)
{
	char *path;

	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	if (xdg)
		setenv("XDG_CACHE_HOME", xdg, 1);
	if (home)
		setenv("HOME", home, 1);
	path = kt_cache_dir();
	if (expected)
		assert_string_equal(path, expected);
	else
		assert_null(path);
	free(path);
}

static void test_cache_dir(void **state)
{
	(void)state;
	assert_cache_dir("/x", "/h", "/x/ktstr-gdb");
	assert_cache_dir(NULL, "/h", "/h/.cache/ktstr-gdb");
	assert_cache_dir("", "/h", "/h/.cache/ktstr-gdb");
	assert_cache_dir("relative", "/h", "/h/.cache/ktstr-gdb");
	assert_cache_dir(NULL, "relative", NULL);
	assert_cache_dir(NULL, NULL, NULL);
}

int main(void)
{
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		scratch_test(test_write_all),      scratch_test(test_write_errors),
		scratch_test(test_replace),        scratch_test(test_replace_long_name),
		scratch_test(test_replace_errors), scratch_test(test_limits),
		scratch_test(test_proc),           scratch_test(test_read_at),
		scratch_test(test_not_files),      scratch_test(test_mkdir_p),
		scratch_test(test_cache_dir),
	};

	return cmocka_run_group_tests_name("util/io", tests, NULL, NULL);
}
