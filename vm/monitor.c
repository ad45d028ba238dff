// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "model/json.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fdpass.h"
#include "vm/monitor.h"

/* What is asked for here has short answers. */
#define LINE_MAX_LEN (256u << 10)

struct kt_error *vm_monitor_listen(struct vm_monitor *monitor, const char *dir)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	vm_monitor_close(monitor);
	/* vm/guard.c made sure that it fits. */
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/monitor.sock", dir);
	unlink(addr.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1))
		return kt_error_os(errno, "cannot listen on %s", addr.sun_path);
	monitor->listen_fd = kt_take_fd(&fd);
	return NULL;
}

void vm_monitor_close(struct vm_monitor *monitor)
{
	if (monitor->listen_fd >= 0)
		close(monitor->listen_fd);
	if (monitor->fd >= 0)
		close(monitor->fd);
	monitor->listen_fd = monitor->fd = -1;
	kt_buf_deinit(&monitor->in);
	monitor->in = (struct kt_buf)KT_BUF_INIT;
	monitor->owed = 0;
}

static struct kt_error *wait_for(const struct vm_monitor *monitor, int fd)
{
	struct pollfd fds[] = {{fd, POLLIN, 0}, {monitor->cancel_fd, POLLIN, 0}};

	for (;;) {
		int left_ms = kt_deadline_left_ms(monitor->deadline_ns);
		int n = poll(fds, 2, left_ms);

		if (n < 0 && errno != EINTR)
			return kt_error_os(errno, "poll");
		if (n > 0 && fds[1].revents)
			return kt_error_new(KT_ERROR_CANCELLED, "cancelled");
		if (n > 0)
			return NULL;
		if (!left_ms)
			return kt_error_new(KT_ERROR_TIMEOUT, "QEMU's monitor does not answer");
	}
}

static struct kt_error *gone(void)
{
	return kt_error_new(KT_ERROR_CLOSED, "QEMU closed its monitor");
}

static struct kt_error *receive(struct vm_monitor *monitor)
{
	struct kt_error *err = wait_for(monitor, monitor->fd);
	char bytes[4096];
	ssize_t n;

	if (err)
		return err;
	n = recv(monitor->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return gone();
	if (n > 0)
		kt_buf_append(&monitor->in, bytes, (size_t)n);
	return monitor->in.failed ? kt_error_no_memory() : NULL;
}

/* QEMU writes each object on a line of its own. */
static struct kt_error *next_object(struct vm_monitor *monitor, json_t **ret)
{
	struct kt_error *err = NULL;
	json_error_t why;
	const char *end = NULL;

	while (!err) {
		end = monitor->in.len ? memchr(monitor->in.data, '\n', monitor->in.len) : NULL;
		if (end)
			break;
		if (monitor->in.len > LINE_MAX_LEN)
			return kt_error_new(KT_ERROR_PROTOCOL,
					    "QEMU's monitor says a line of more "
					    "than %u bytes",
					    LINE_MAX_LEN);
		err = receive(monitor);
	}
	if (err)
		return err;
	*ret = kt_json_load((struct kt_text){monitor->in.data, (size_t)(end - monitor->in.data)}, 0,
			    &why);
	kt_buf_consume(&monitor->in, (size_t)(end - monitor->in.data) + 1);
	return *ret ? NULL
		    : kt_error_new(KT_ERROR_PROTOCOL, "QEMU's monitor says what is no JSON: %.100s",
				   why.text);
}

/* {"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian ..."}, */
static void take_version(struct vm_monitor *monitor, const json_t *greeting)
{
	const json_t *version = json_object_get(json_object_get(greeting, "QMP"), "version");
	const json_t *qemu = json_object_get(version, "qemu");
	const char *package = json_string_value(json_object_get(version, "package"));

	snprintf(monitor->version, sizeof(monitor->version), "%d.%d.%d %.40s",
		 (int)json_integer_value(json_object_get(qemu, "major")),
		 (int)json_integer_value(json_object_get(qemu, "minor")),
		 (int)json_integer_value(json_object_get(qemu, "micro")), package ? package : "");
}

struct kt_error *vm_monitor_begin(struct vm_monitor *monitor)
{
	struct kt_error *err = wait_for(monitor, monitor->listen_fd);
	json_t *greeting;

	if (err)
		return err;
	monitor->fd = accept4(monitor->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (monitor->fd < 0)
		return kt_error_os(errno, "cannot accept QEMU's monitor");
	close(monitor->listen_fd);
	monitor->listen_fd = -1;
	err = next_object(monitor, &greeting);
	if (err)
		return err;
	take_version(monitor, greeting);
	json_decref(greeting);
	return vm_monitor_send(monitor, "qmp_capabilities", NULL, -1);
}

static struct kt_error *send_line(struct vm_monitor *monitor, const char *line, int fd)
{
	size_t len = strlen(line);

	while (len) {
		/* The descriptor goes along with the first byte. */
		ssize_t n = kt_fd_send(monitor->fd, line, len, fd);

		if (n < 0)
			return gone();
		line += n;
		len -= (size_t)n;
		fd = -1;
	}
	return NULL;
}

static struct kt_error *send_command(struct vm_monitor *monitor, const char *command,
				     json_t *arguments, int fd)
{
	json_t *object = json_pack("{s:s, s:o*}", "execute", command, "arguments", arguments);
	_cleanup_free_ char *line = NULL;
	struct kt_error *err;

	if (!object)
		return kt_error_no_memory();
	err = kt_json_dump_line(object, &line);
	if (!err)
		err = send_line(monitor, line, fd);
	return err ? err : send_line(monitor, "\n", -1);
}

/* The next answer, whatever events come before it. */
static struct kt_error *take_answer(struct vm_monitor *monitor, json_t **ret)
{
	struct kt_error *err = NULL;

	while (!err) {
		json_t *object = NULL, *answer;
		const char *why;

		err = next_object(monitor, &object);
		if (err)
			break;
		answer = json_object_get(object, "return");
		why = json_string_value(json_object_get(json_object_get(object, "error"), "desc"));
		if (answer && ret)
			*ret = json_incref(answer);
		if (why)
			err = kt_error_new(KT_ERROR_UNSUPPORTED, "QEMU refuses: %.200s", why);
		json_decref(object);
		if (answer || why)
			return err;
		/* Events without end must not keep us from looking at the clock. */
		if (!kt_deadline_left_ms(monitor->deadline_ns))
			err = kt_error_new(KT_ERROR_TIMEOUT, "QEMU's monitor does not answer");
	}
	return err;
}

struct kt_error *vm_monitor_send(struct vm_monitor *monitor, const char *command, json_t *arguments,
				 int fd)
{
	monitor->owed++;
	return send_command(monitor, command, arguments, fd);
}

struct kt_error *vm_monitor_settle(struct vm_monitor *monitor)
{
	struct kt_error *err = NULL;

	for (; !err && monitor->owed; monitor->owed--)
		err = take_answer(monitor, NULL);
	return err;
}

struct kt_error *vm_monitor_run(struct vm_monitor *monitor, const char *command, json_t *arguments,
				int fd, json_t **ret)
{
	struct kt_error *err = send_command(monitor, command, arguments, fd);

	if (!err)
		err = vm_monitor_settle(monitor);
	return err ? err : take_answer(monitor, ret);
}
