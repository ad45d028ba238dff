// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/apart.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/cursor.h"
#include "util/io.h"

/* For a child that was told to give up: it may have to let a guest go. */
#define GIVE_UP_MS 5000

/* A message is its length in four bytes, one of these, and then its content. */
enum { HAS_RESULT = 'r', HAS_ERROR = 'e' };
#define HEAD 4

/* An error's message and hint are cut there. */
#define TEXT_MAX 8192

/* --- the child --- */

static bool is_kept(const struct kt_apart *apart, int fd)
{
	for (size_t i = 0; i < apart->n_keep; i++)
		if (apart->keep[i] == fd)
			return true;
	return false;
}

static void close_files(const struct kt_apart *apart, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), top = out;

	for (int fd = 0; fd < 2 && null >= 0; fd++)
		dup2(null, fd);
	for (size_t i = 0; i < apart->n_keep; i++)
		if (apart->keep[i] > top)
			top = apart->keep[i];
	for (int fd = 3; fd < top; fd++)
		if (fd != out && !is_kept(apart, fd))
			close(fd);
	close_range((unsigned int)top + 1, ~0U, 0);
}

static void put_text(struct kt_buf *out, const char *text)
{
	kt_buf_printf(out, "%.*s", TEXT_MAX, text);
	kt_buf_appendc(out, '\0');
}

static void put_error(struct kt_buf *out, const struct kt_error *err)
{
	const char *hint = kt_error_hint_text(err);

	kt_buf_appendc(out, HAS_ERROR);
	kt_buf_append_le(out, kt_error_code(err), 1);
	kt_buf_append_le(out, (uint64_t)kt_error_errno(err), 4);
	put_text(out, kt_error_message(err));
	kt_buf_append_le(out, hint != NULL, 1);
	if (hint)
		put_text(out, hint);
}

/* The error, or else the result. */
static void put_message(struct kt_buf *out, const struct kt_error *err, const struct kt_buf *result)
{
	if (err) {
		put_error(out, err);
		return;
	}
	kt_buf_appendc(out, HAS_RESULT);
	kt_buf_append(out, result->data, result->len);
}

static void send_message(int out, const struct kt_buf *message)
{
	struct kt_buf head = KT_BUF_INIT;
	struct kt_error *err;

	kt_buf_append_le(&head, message->len, HEAD);
	if (head.failed || message->failed)
		return;
	err = kt_write_all(out, head.data, head.len);
	if (!err)
		err = kt_write_all(out, message->data, message->len);
	kt_error_destroy(err);
}

static _Noreturn void be_child(const struct kt_apart *apart, pid_t parent, int out)
{
	struct kt_buf result = KT_BUF_INIT, message = KT_BUF_INIT;
	struct kt_error *err;

	/* The handlers of the parent write to descriptors that are closed here. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	/* Past the C library: a sanitizer takes a lock there, which a thread may hold. */
	syscall(SYS_prctl, PR_SET_NAME, apart->name, 0, 0, 0);
	/* If the parent died before prctl(), no signal will come. */
	if (syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || getppid() != parent)
		_exit(1);
	close_files(apart, out);
	if (apart->serve) {
		apart->serve(apart->arg, out);
		fflush(NULL);
		_exit(0);
	}
	err = apart->work(apart->arg, &result);
	fflush(NULL); /* before the parent knows that this is over, and kills it */
	if (!err && result.failed)
		err = kt_error_no_memory();
	put_message(&message, err, &result);
	send_message(out, &message);
	_exit(0);
}

void kt_apart_answer(int sock, struct kt_error *err, struct kt_buf *result)
{
	struct kt_buf message = KT_BUF_INIT;

	if (!err && result->failed)
		err = kt_error_no_memory();
	put_message(&message, err, result);
	send_message(sock, &message);
	kt_error_destroy(err);
	kt_buf_deinit(&message);
	kt_buf_deinit(result);
}

/* --- the parent --- */

/* The parent's side of a child. */
struct hearing {
	const struct kt_apart *apart;
	int fd;
	int64_t timeout_ms, deadline_ns;
	int cancel_fd;  /* -1: the child was told, or there is none */
	bool at_once;   /* a child that is asked does not know of cancel_fd: it is told later */
	bool cancelled; /* it was told */
	bool ended;     /* it closed its end */
};

static struct kt_error *out_of_time(const struct hearing *h)
{
	if (h->cancelled)
		return kt_error_new(KT_ERROR_CANCELLED, "cancelled");
	return kt_error_new(KT_ERROR_TIMEOUT, "%s has not %s after %lld s", h->apart->what,
			    h->at_once ? "answered" : "ended", (long long)(h->timeout_ms / 1000));
}

static struct kt_error *wait_readable(struct hearing *h)
{
	for (;;) {
		struct pollfd fds[] = {{h->fd, POLLIN, 0}, {h->cancel_fd, POLLIN, 0}};
		int n = poll(fds, 2, kt_deadline_left_ms(h->deadline_ns));

		if (n < 0 && errno != EINTR)
			return kt_error_os(errno, "cannot wait for %s", h->apart->what);
		if (n == 0)
			return out_of_time(h);
		if (n > 0 && fds[0].revents)
			return NULL;
		if (n > 0) {
			h->cancelled = true;
			if (h->at_once)
				return out_of_time(h);
			h->cancel_fd = -1;
			h->deadline_ns = kt_deadline_ms(GIVE_UP_MS);
		}
	}
}

/* Reads until buf has len bytes, or the child has ended. */
static struct kt_error *read_up_to(struct hearing *h, size_t len, struct kt_buf *buf)
{
	char chunk[65536];
	struct kt_error *err;
	ssize_t n;

	while (buf->len < len && !buf->failed && !h->ended) {
		size_t want = len - buf->len;

		err = wait_readable(h);
		if (err)
			return err;
		n = read(h->fd, chunk, want < sizeof(chunk) ? want : sizeof(chunk));
		if (n < 0 && errno != EINTR)
			return kt_error_os(errno, "cannot read from %s", h->apart->what);
		if (n > 0)
			kt_buf_append(buf, chunk, (size_t)n);
		h->ended = n == 0;
	}
	return buf->failed ? kt_error_no_memory() : NULL;
}

static struct kt_error *read_message(struct hearing *h, struct kt_buf *ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf head = KT_BUF_INIT;
	struct kt_error *err = read_up_to(h, HEAD, &head);
	uint64_t len;

	if (err || h->ended)
		return err;
	len = kt_load_uint(head.data, HEAD, false);
	if (!len || len - 1 > h->apart->max)
		return kt_error_new(KT_ERROR_PROTOCOL,
				    "%s has a result of %llu bytes, and at most %zu make sense",
				    h->apart->what, (unsigned long long)len, h->apart->max);
	return read_up_to(h, (size_t)len, ret);
}

/* The error that the child had. */
static struct kt_error *take_error(const struct kt_apart *apart, struct kt_cursor *c)
{
	unsigned int code = kt_cursor_u8(c);
	int errnum = (int)kt_cursor_u32(c);
	const char *message = kt_cursor_string(c);
	const char *hint = kt_cursor_u8(c) ? kt_cursor_string(c) : NULL;

	if (c->failed || code > KT_ERROR_NESTED)
		return kt_error_new(KT_ERROR_PROTOCOL, "%s has an error that makes no sense",
				    apart->what);
	if (code == KT_ERROR_NO_MEMORY)
		return kt_error_no_memory();
	return kt_error_again((enum kt_error_code)code, errnum, message, hint);
}

static struct kt_error *take_message(const struct kt_apart *apart, struct kt_buf *message,
				     struct kt_buf *ret)
{
	struct kt_cursor c = kt_cursor(message->data, message->len, false);

	if (kt_cursor_u8(&c) == HAS_ERROR)
		return take_error(apart, &c);
	kt_buf_consume(message, 1);
	*ret = *message;
	*message = (struct kt_buf)KT_BUF_INIT;
	return NULL;
}

static struct kt_error *ended_early(const struct kt_apart *apart, int wait_status)
{
	int sig = WTERMSIG(wait_status);

	if (WIFSIGNALED(wait_status))
		return kt_error_new(KT_ERROR_CLOSED, "%s was ended by signal %d (%s)", apart->what,
				    sig, strsignal(sig));
	return kt_error_new(KT_ERROR_CLOSED, "%s ended without a result", apart->what);
}

static struct kt_error *hear_child(const struct kt_apart *apart, pid_t pid, int fd,
				   struct kt_buf *ret)
{
	struct hearing h = {.apart = apart,
			    .fd = fd,
			    .timeout_ms = apart->timeout_ms,
			    .deadline_ns = kt_deadline_ms(apart->timeout_ms),
			    .cancel_fd = apart->cancel_fd};
	_cleanup_(kt_buf_deinit) struct kt_buf message = KT_BUF_INIT;
	struct kt_error *err = read_message(&h, &message);
	int status = 0;

	/* It has said all, or has hung up. If it is ending already, this does not change why. */
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!err && h.ended)
		err = ended_early(apart, status);
	return err ? err : take_message(apart, &message, ret);
}

struct kt_error *kt_apart(const struct kt_apart *apart, struct kt_buf *ret)
{
	pid_t self = getpid(), pid;
	struct kt_error *err;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return kt_error_os(errno, "cannot make a pipe to %s", apart->what);
	fflush(NULL); /* or the child would write it, too */
	pid = fork();
	if (!pid)
		be_child(apart, self, fds[1]);
	err = pid < 0 ? kt_error_os(errno, "cannot fork %s", apart->what) : NULL;
	close(fds[1]);
	if (!err)
		err = hear_child(apart, pid, fds[0], ret);
	close(fds[0]);
	return err;
}

/* --- a child that is asked --- */

struct kt_error *kt_apart_start(const struct kt_apart *apart, struct kt_apart_child *ret)
{
	pid_t self = getpid(), pid;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return kt_error_os(errno, "cannot make a socket to %s", apart->what);
	fflush(NULL); /* or the child would write it, too */
	pid = fork();
	if (!pid)
		be_child(apart, self, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return kt_error_os(errno, "cannot fork %s", apart->what);
	}
	*ret = (struct kt_apart_child){apart, pid, fds[0]};
	return NULL;
}

bool kt_apart_ask(const struct kt_apart_child *child, char question)
{
	return send(child->sock, &question, 1, MSG_NOSIGNAL) == 1;
}

struct kt_error *kt_apart_hear(const struct kt_apart_child *child, int64_t timeout_ms,
			       struct kt_buf *ret)
{
	struct hearing h = {.apart = child->apart,
			    .fd = child->sock,
			    .timeout_ms = timeout_ms,
			    .deadline_ns = kt_deadline_ms(timeout_ms),
			    .cancel_fd = child->apart->cancel_fd,
			    .at_once = true};
	_cleanup_(kt_buf_deinit) struct kt_buf message = KT_BUF_INIT;
	struct kt_error *err = read_message(&h, &message);

	if (!err && h.ended)
		err = kt_error_new(KT_ERROR_CLOSED, "%s has ended", child->apart->what);
	return err ? err : take_message(child->apart, &message, ret);
}

void kt_apart_end(struct kt_apart_child *child)
{
	int64_t deadline_ns = kt_deadline_ms(GIVE_UP_MS);
	struct pollfd fd = {child->sock, POLLIN, 0};
	char chunk[65536];
	int left;

	if (!child->apart)
		return;
	shutdown(child->sock, SHUT_WR);
	/* An answer that nobody waits for must not keep it. */
	while ((left = kt_deadline_left_ms(deadline_ns)) > 0) {
		int n = poll(&fd, 1, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || read(child->sock, chunk, sizeof(chunk)) <= 0)
			break;
	}
	close(child->sock);
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*child = (struct kt_apart_child){0};
}
