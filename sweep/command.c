// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/command.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define OUTPUT_MAX  (64u << 20)
#define MESSAGE_MAX 300

struct kt_error *sweep_start(const char *const *argv, int log_fd, struct kt_process *ret)
{
	return kt_process_start(argv, log_fd, false, NULL, NULL, ret);
}

struct kt_error *sweep_read_fd(int fd, char **ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf buf = KT_BUF_INIT;
	char chunk[65536];
	ssize_t n;

	kt_buf_appends(&buf, "");
	while (buf.len < OUTPUT_MAX && (n = pread(fd, chunk, sizeof(chunk), (off_t)buf.len)) != 0) {
		if (n < 0 && errno != EINTR)
			return kt_error_os(errno, "cannot read what a program wrote");
		if (n > 0)
			kt_buf_append(&buf, chunk, (size_t)n);
		if (kt_buf_failed(&buf))
			break;
	}
	return kt_buf_finish(&buf, ret);
}

const char *sweep_last_line(char *text)
{
	size_t len = strlen(text);
	char *line;

	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	if (strlen(line) > MESSAGE_MAX)
		line[MESSAGE_MAX] = '\0';
	return line;
}

void sweep_quote(struct kt_buf *buf, const char *word)
{
	kt_buf_appendc(buf, '\'');
	for (const char *c = word; *c; c++) {
		if (*c == '\'')
			kt_buf_appends(buf, "'\\''");
		else
			kt_buf_appendc(buf, *c);
	}
	kt_buf_appendc(buf, '\'');
}

static struct kt_error *wait_for(struct kt_process *process, const char *name, unsigned timeout_s,
				 int cancel_fd, int *status)
{
	struct pollfd pollfds[] = {{process->pidfd, POLLIN, 0}, {cancel_fd, POLLIN, 0}};
	int64_t deadline = kt_deadline_ms((int64_t)timeout_s * 1000);

	while (kt_deadline_left_ms(deadline)) {
		int n = poll(pollfds, 2, kt_deadline_left_ms(deadline));

		if (kt_process_ended(process, status))
			return NULL;
		if (n > 0 && pollfds[1].revents)
			return kt_error_new(KT_ERROR_CANCELLED, "cancelled");
	}
	return kt_error_new(KT_ERROR_TIMEOUT, "%s does not answer", name);
}

struct kt_error *sweep_command(const char *const *argv, unsigned timeout_s, int cancel_fd,
			       char **ret)
{
	_cleanup_close_ int fd = memfd_create("output", MFD_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	struct kt_process process;
	struct kt_error *err;
	int status = 0;

	if (fd < 0)
		return kt_error_os(errno, "cannot run %s", argv[0]);
	err = sweep_start(argv, fd, &process);
	if (err)
		return err;
	err = wait_for(&process, argv[0], timeout_s, cancel_fd, &status);
	if (err)
		kt_process_kill(&process);
	else
		err = sweep_read_fd(fd, &text);
	if (err)
		return err;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return kt_error_new(KT_ERROR_PROTOCOL, "%s", sweep_last_line(text));
	*ret = kt_take_ptr(text);
	return NULL;
}
