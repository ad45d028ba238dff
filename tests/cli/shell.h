/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the tool as a shell or a terminal does: pipes, scratch files, any bytes. */
#ifndef KT_TESTS_CLI_SHELL_H
#define KT_TESTS_CLI_SHELL_H

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "tests/cli/tool.h"
#include "util/buf.h"
#include "util/clock.h"

/*
 * Scratch files are in $D, the tool is $T. Each test begins with an empty $D. `"$UNTIL" EVENT`
 * waits for something that happens to its own stdin or stdout: shell_until().
 */
static char dir[] = "/tmp/ktstr-log-XXXXXX";

struct result {
	int status; /* exit status, or 128 + signal */
	struct kt_buf out, err;
};

static struct result result;

static inline void slurp(FILE *file, struct kt_buf *buf)
{
	char piece[65536];
	size_t n;

	rewind(file);
	buf->len = 0;
	while ((n = fread(piece, 1, sizeof(piece), file)))
		kt_buf_append(buf, piece, n);
	kt_buf_append(buf, "", 0); /* never NULL */
	assert_false(kt_buf_failed(buf));
	fclose(file);
}

static inline int wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline void exec_shell(const char *command)
{
	signal(SIGPIPE, SIG_DFL);
	alarm(60);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(126);
}

/* Runs a shell command; static storage, one at a time. */
static inline const struct result *sh(const char *command)
{
	FILE *out = tmpfile(), *err = tmpfile();
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		dup2(fileno(out), 1);
		dup2(fileno(err), 2);
		exec_shell(command);
	}
	result.status = wait_for(pid);
	slurp(out, &result.out);
	slurp(err, &result.err);
	return &result;
}

/*
 * The same in a terminal of its own. What the terminal gets is result.out; typed (may be NULL)
 * goes in when that has `when` in it.
 */
static inline const struct result *tty(const char *command, const char *typed, const char *when)
{
	struct termios plain = {0};
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	char piece[65536];
	ssize_t n;
	pid_t pid;
	int fd;

	/* c_lflag 0 but for signals: no echo; c_oflag 0: bytes arrive as they were written. */
	plain.c_cflag = CS8 | CREAD;
	plain.c_lflag = ISIG;
	plain.c_cc[VINTR] = 3;
	pid = forkpty(&fd, NULL, &plain, &size);
	assert_true(pid >= 0);
	if (!pid)
		exec_shell(command);
	result.out.len = 0;
	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		kt_buf_append(&result.out, piece, (size_t)n);
		if (typed && strstr(result.out.data, when)) {
			assert_int_equal(write(fd, typed, strlen(typed)), strlen(typed));
			typed = NULL;
		}
	}
	kt_buf_append(&result.out, "", 0);
	result.status = wait_for(pid);
	close(fd);
	return &result;
}

static inline void put_file(const char *name, const void *data, size_t len)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline void assert_out(const struct result *r, const void *data, size_t len)
{
	if (r->status || (len < 999 && (r->out.len != len || memcmp(r->out.data, data, len))))
		print_error("exit %d: %s, %s\n", r->status, r->out.data,
			    r->err.data ? r->err.data : "");
	assert_int_equal(r->status, 0);
	assert_int_equal(r->out.len, len);
	assert_memory_equal(r->out.data, data, len);
}

#define assert_out_text(r, text) assert_out((r), text, sizeof(text) - 1)

static inline bool contains(const struct kt_buf *buf, const char *what, size_t len)
{
	return memmem(buf->data, buf->len, what, len) != NULL;
}

#define HAS(buf, text) contains(&(buf), text, sizeof(text) - 1)

/* A failure that is told in one line with these words. */
static inline void assert_told(const struct result *r, int status, const char *words)
{
	if (r->status != status || !strstr(r->err.data, words))
		print_error("wanted %d, '%s'; got %d, %s", status, words, r->status, r->err.data);
	assert_int_equal(r->status, status);
	assert_memory_equal(r->err.data, "ktstr-gdb: ", 11);
	assert_non_null(strstr(r->err.data, words));
	assert_ptr_equal(strchr(r->err.data, '\n'), r->err.data + r->err.len - 1);
}

/* Loops of six lines, `count` times: what any reader of such logs would collapse. */
static inline void append_loop(struct kt_buf *buf, int count)
{
	for (int i = 0; i < count; i++)
		kt_buf_printf(buf,
			      "; sum += i; @ loop.bpf.c:7\n"
			      "3: (0f) r1 += r2                      ; R1_w=%d R2_w=%d\n"
			      "; i++; @ loop.bpf.c:8\n"
			      "4: (07) r2 += 1                       ; R2_w=%d\n"
			      "; if (i < n) @ loop.bpf.c:6\n"
			      "5: (ad) if r2 < r3 goto pc-3          ; R2_w=%d R3_w=90\n",
			      i * 7, i, i + 1, i + 1);
}

#define STATS                                                                                      \
	"processed 99 insns (limit 1000000) max_states_per_insn 1 total_states 3 "                 \
	"peak_states 3 mark_read 1\n"

static inline int empty_dir(void **state)
{
	(void)state;
	return sh("rm -rf \"$D\"/*")->status;
}

/*
 * drained: who reads our stdout has taken all that was in the pipe
 * closed:  nobody has our stdout open for reading any more
 * full:    who writes to our stdin can do so no longer, but for what a page has room for
 */
static inline bool shell_has_happened(const char *event)
{
	struct pollfd out = {.fd = 1};
	int n = 0, size = fcntl(0, F_GETPIPE_SZ);

	if (!strcmp(event, "drained"))
		return !ioctl(1, FIONREAD, &n) && !n;
	if (!strcmp(event, "closed"))
		return poll(&out, 1, 0) > 0 && out.revents & POLLERR;
	return !strcmp(event, "full") && size > 0 && !ioctl(0, FIONREAD, &n) && n > size - 8192;
}

/* The main() of a test binary as $UNTIL. It gives up when the shell's alarm is due, too. */
static inline int shell_until(const char *event)
{
	int64_t deadline = kt_deadline_ms(60000);

	while (!shell_has_happened(event))
		if (!kt_deadline_left_ms(deadline) || usleep(1000))
			return 1;
	return 0;
}

static inline void shell_begin(void)
{
	char self[256] = "";

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	setenv("UNTIL", self, 1);
	assert_non_null(mkdtemp(dir));
	setenv("D", dir, 1);
	setenv("T", tool_path(), 1);
	unsetenv("NO_COLOR");
	unsetenv("KTSTR_GDB_PAGER");
}

static inline void shell_end(void)
{
	sh("rm -rf \"$D\"");
	kt_buf_deinit(&result.out);
	kt_buf_deinit(&result.err);
}

#endif
