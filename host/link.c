// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "host/keeper.h"
#include "host/link.h"
#include "model/json.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fdpass.h"
#include "util/survivor.h"

/* After the keeper's own patience with QEMU. */
#define HANG_UP_MS 25000
/* How long to wait for the end of a keeper that has nothing to put right. */
#define END_MS 1000

struct host_link {
	struct rsp_dialer dialer;
	struct host_vm vm;
	pid_t pid;
	int sock;
	json_int_t last_id;
	bool dialed;        /* the keeper has something to put right */
	bool leave_stopped; /* what the user wants of the guest */
	bool gone;          /* the keeper is */
	bool lost;          /* and was before it had put things right */
	struct kt_buf in;
};

/* --- questions to the keeper --- */

static struct kt_error *keeper_is_gone(struct host_link *link)
{
	link->gone = true;
	return kt_error_new(KT_ERROR_CLOSED, "the process that keeps QEMU's monitor is gone");
}

static struct kt_error *receive(struct host_link *link, const struct rsp_patience *patience)
{
	struct pollfd fds[] = {{.fd = patience->cancel_fd, .events = POLLIN},
			       {.fd = link->sock, .events = POLLIN}};
	int left_ms = kt_deadline_left_ms(patience->deadline_ns);
	char bytes[4096];
	ssize_t n = poll(fds, 2, left_ms);

	if (n < 0 && errno != EINTR)
		return kt_error_os(errno, "cannot wait for QEMU's monitor");
	if (n > 0 && fds[0].revents)
		return kt_error_new(KT_ERROR_CANCELLED, "interrupted");
	if (n == 0 && !left_ms)
		return kt_error_new(KT_ERROR_TIMEOUT, "QEMU's monitor does not answer in time");
	if (n <= 0)
		return NULL;
	n = recv(link->sock, bytes, sizeof(bytes), 0);
	if (n == 0 || (n < 0 && errno != EINTR))
		return keeper_is_gone(link);
	if (n > 0)
		kt_buf_append(&link->in, bytes, (size_t)n);
	if (kt_buf_failed(&link->in))
		return kt_error_no_memory();
	return link->in.len > HOST_LINE_MAX ? keeper_is_gone(link) : NULL;
}

/* The next line; *ret is NULL if it is none of the keeper's. */
static struct kt_error *receive_line(struct host_link *link, const struct rsp_patience *patience,
				     json_t **ret)
{
	struct kt_error *err = NULL;
	json_error_t why;
	char *end = NULL;
	size_t len;

	while (!err && !(link->in.len && (end = memchr(link->in.data, '\n', link->in.len))))
		err = receive(link, patience);
	if (err)
		return err;
	len = (size_t)(end - link->in.data);
	*ret = kt_json_load((struct kt_text){link->in.data, len}, 0, &why);
	kt_buf_consume(&link->in, len + 1);
	return NULL;
}

static struct kt_error *error_from_json(const json_t *json)
{
	json_int_t code = json_integer_value(json_object_get(json, "code"));
	json_int_t errnum = json_integer_value(json_object_get(json, "errno"));
	const char *message = json_string_value(json_object_get(json, "message"));
	const char *hint = json_string_value(json_object_get(json, "hint"));

	return kt_error_again((enum kt_error_code)code, (int)errnum,
			      message ? message : "no reason is told", hint);
}

static struct kt_error *send_line(struct host_link *link, json_t *question, int fd)
{
	_cleanup_free_ char *line = NULL;
	struct kt_error *err = kt_json_dump_line(json_incref(question), &line);
	size_t len, sent = 0;

	if (err)
		return err;
	len = strlen(line) + 1;
	line[len - 1] = '\n';
	while (sent < len) {
		ssize_t n = kt_fd_send(link->sock, line + sent, len - sent, sent ? -1 : fd);

		if (n <= 0)
			return keeper_is_gone(link);
		sent += (size_t)n;
	}
	return NULL;
}

/* Takes question. *ret: the reply, which the caller drops. */
static struct kt_error *request(struct host_link *link, json_t *question, int fd,
				const struct rsp_patience *patience, json_t **ret)
{
	json_t *reply = NULL;
	struct kt_error *err;

	if (!question || json_object_set_new(question, "id", json_integer(++link->last_id))) {
		json_decref(question);
		return kt_error_no_memory();
	}
	err = send_line(link, question, fd);
	json_decref(question);
	/* An answer to what was given up before is passed over. */
	while (!err && json_integer_value(json_object_get(reply, "id")) != link->last_id) {
		json_decref(reply);
		reply = NULL;
		err = receive_line(link, patience, &reply);
	}
	if (!err && json_object_get(reply, "error"))
		err = error_from_json(json_object_get(reply, "error"));
	if (err)
		json_decref(reply);
	else
		*ret = reply;
	return err;
}

/* --- the dialer --- */

static struct kt_error *dial(void *context, int theirs, const struct rsp_patience *patience,
			     struct rsp_dialed *ret)
{
	struct host_link *link = context;
	json_t *question = json_pack("{s:s, s:I, s:b, s:b}", "do", "dial", "deadline",
				     (json_int_t)patience->deadline_ns, "leave_stopped",
				     link->leave_stopped, "passes", theirs >= 0);
	json_t *reply;
	struct kt_error *err;

	link->dialed = true;
	err = request(link, question, theirs, patience, &reply);
	if (err)
		return err;
	ret->stopped_ns = json_integer_value(json_object_get(reply, "stopped_ns"));
	ret->was_paused = !json_is_true(json_object_get(reply, "runs"));
	link->dialer.paused = ret->was_paused;
	json_decref(reply);
	return NULL;
}

static void hang_up(void *context, bool settled)
{
	struct host_link *link = context;
	/* Without cancel_fd: Ctrl-C may be why it ends. */
	const struct rsp_patience patience = {kt_deadline_ms(HANG_UP_MS), -1};
	json_t *reply = NULL;
	struct kt_error *err = request(link,
				       json_pack("{s:s, s:b}", "do", "hang-up", "settled", settled),
				       -1, &patience, &reply);

	/* The keeper tries once more at its end, and its spare if it is gone. */
	link->dialed = err != NULL;
	link->lost |= link->gone;
	kt_error_destroy(err);
	json_decref(reply);
}

/* --- the link --- */

static void copy_text(char *to, size_t size, const json_t *json)
{
	const char *text = json_string_value(json);

	snprintf(to, size, "%s", text ? text : "");
}

static struct kt_error *vm_from_json(const json_t *json, struct host_vm *vm)
{
	const char *address = json_string_value(json_object_get(json, "address"));

	vm->runs = json_is_true(json_object_get(json, "runs"));
	vm->started = json_is_true(json_object_get(json, "started"));
	vm->pid = (pid_t)json_integer_value(json_object_get(json, "pid"));
	copy_text(vm->state, sizeof(vm->state), json_object_get(json, "state"));
	vm->address = address ? strdup(address) : NULL;
	return address && !vm->address ? kt_error_no_memory() : NULL;
}

static struct kt_error *open_target(struct host_link *link, const struct rsp_patience *patience)
{
	json_t *question = json_pack("{s:s, s:I}", "do", "open", "deadline",
				     (json_int_t)patience->deadline_ns);
	/* The keeper's error says more than that nothing comes. */
	const struct rsp_patience longer = {patience->deadline_ns + INT64_C(1000000000),
					    patience->cancel_fd};
	json_t *reply;
	struct kt_error *err = request(link, question, -1, &longer, &reply);

	if (err)
		return err;
	err = vm_from_json(json_object_get(reply, "vm"), &link->vm);
	link->dialer.paused = !link->vm.runs;
	link->dialed = link->vm.started;
	json_decref(reply);
	return err;
}

/* The keeper works in /. */
static struct kt_error *start_keeper(const struct host_target *target, struct kt_survivor *ret)
{
	_cleanup_free_ char *cwd = NULL, *path = NULL;
	struct host_target absolute = *target;

	if (target->address.path && *target->address.path != '/') {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return kt_error_os(errno, "cannot tell the current directory");
		if (asprintf(&path, "%s/%s", cwd, target->address.path) < 0)
			return kt_error_no_memory();
		absolute.address.path = path;
	}
	return kt_survivor_start("ktstr-keeper", host_keeper_run, &absolute, ret);
}

struct kt_error *host_link_open(const struct host_target *target,
				const struct rsp_patience *patience, struct host_link **ret)
{
	struct host_link *link = calloc(1, sizeof(*link));
	struct kt_survivor keeper;
	struct kt_error *err;

	if (!link)
		return kt_error_no_memory();
	err = start_keeper(target, &keeper);
	if (err) {
		free(link);
		return err;
	}
	link->pid = keeper.pid;
	link->sock = keeper.sock;
	link->dialer = (struct rsp_dialer){.dial = dial, .hang_up = hang_up, .context = link};
	err = open_target(link, patience);
	if (err) {
		host_link_close(link);
		return kt_error_wrap(err, "cannot attach to %s", target->text);
	}
	*ret = link;
	return NULL;
}

void host_link_close(struct host_link *link)
{
	struct pollfd pfd = {.events = POLLIN};
	int64_t deadline;

	if (!link)
		return;
	close(link->sock); /* which ends the keeper */
	deadline = kt_deadline_ms(link->dialed ? HANG_UP_MS : END_MS);
	pfd.fd = pidfd_open(link->pid, 0);
	while (poll(&pfd, 1, kt_deadline_left_ms(deadline)) < 0 && errno == EINTR)
		;
	if (pfd.fd >= 0)
		close(pfd.fd);
	waitpid(link->pid, NULL, WNOHANG);
	host_vm_deinit(&link->vm);
	kt_buf_deinit(&link->in);
	free(link);
}

bool host_link_is_lost(const struct host_link *link)
{
	return link && link->lost;
}

void host_link_set_leave_stopped(struct host_link *link, bool leave_stopped)
{
	link->leave_stopped = leave_stopped;
}

const struct host_vm *host_link_vm(const struct host_link *link)
{
	return &link->vm;
}

const struct rsp_dialer *host_link_dialer(const struct host_link *link)
{
	return &link->dialer;
}
