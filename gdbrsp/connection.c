// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "gdbrsp/connection.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/stub_address.h"

/* A socket buffer's worth, so that one recv(2) empties it. */
#define INPUT_SIZE (64 * 1024)
/* A stub that always has bytes for us must not keep us from looking at cancel_fd. */
#define CANCEL_LOOK_INTERVAL 16
/* connect(2) to a Unix socket with a full queue gives EAGAIN, and nothing to poll for. */
#define UNIX_RETRY_NS INT64_C(10000000)

struct rsp_connection {
	int fd;
	struct kt_buf out;
	size_t sent; /* of out */
	unsigned int receives;
	bool may_spin; /* nobody else wants our CPU */
	bool is_tcp;
	uint8_t in[INPUT_SIZE];
};

/*
 * Waits for events on fd (-1: only for time to pass), at most max_ns. *ready_ret: they came. That
 * max_ns passed is no error here.
 */
static struct kt_error *wait_for(int fd, short events, int cancel_fd, int64_t max_ns,
				 bool *ready_ret)
{
	const struct timespec max = {.tv_sec = max_ns / 1000000000, .tv_nsec = max_ns % 1000000000};
	struct pollfd fds[] = {
		{.fd = cancel_fd, .events = POLLIN},
		{.fd = fd, .events = events},
	};
	int n = ppoll(fds, 2, &max, NULL);

	if (n < 0 && errno != EINTR)
		return kt_error_os(errno, "cannot wait for the GDB stub");
	if (n > 0 && fds[0].revents)
		return kt_error_new(KT_ERROR_CANCELLED, "interrupted");
	*ready_ret = n > 0 && fds[1].revents;
	return NULL;
}

static struct kt_error *wait_until(int fd, short events, const struct rsp_patience *patience)
{
	bool ready = false;

	while (!ready) {
		int64_t left_ns = patience->deadline_ns - kt_now_ns();
		struct kt_error *err;

		left_ns = left_ns > 0 ? left_ns : 0;
		err = wait_for(fd, events, patience->cancel_fd, left_ns, &ready);
		if (err)
			return err;
		if (!ready && !left_ns)
			return kt_error_new(KT_ERROR_TIMEOUT, "no answer in time");
	}
	return NULL;
}

/*
 * The stub may have accepted already and stopped the guest. So an interrupted connect(2) is waited
 * for a little longer, and the connection can be ended properly.
 */
#define CONNECT_GRACE_MS 1000

static struct kt_error *wait_for_connect(int fd, const struct rsp_patience *patience)
{
	struct rsp_patience grace = {.cancel_fd = -1};
	struct kt_error *late, *err = wait_until(fd, POLLOUT, patience);

	if (!err || kt_error_code(err) != KT_ERROR_CANCELLED)
		return err;
	grace.deadline_ns = kt_deadline_ms(CONNECT_GRACE_MS);
	late = wait_until(fd, POLLOUT, &grace);
	kt_error_destroy(late ? late : err);
	return late ? err : NULL;
}

/* The outcome of a connect(2) that was not finished at once. */
static struct kt_error *finish_connect(int fd, const struct rsp_patience *patience)
{
	struct kt_error *err = wait_for_connect(fd, patience);
	int errnum = 0;
	socklen_t len = sizeof(errnum);

	if (err)
		return err;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0)
		errnum = errno;
	return errnum ? kt_error_os(errnum, "cannot connect") : NULL;
}

/* Gives the socket to the guardian before connect(2) can stop the guest. */
static struct kt_error *make_socket(int family, struct rsp_guardian *guardian, int *ret)
{
	_cleanup_close_ int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct kt_error *err;

	if (fd < 0)
		return kt_error_os(errno, "cannot make a socket");
	err = rsp_guardian_hold(guardian, fd);
	if (err)
		return err;
	*ret = kt_take_fd(&fd);
	return NULL;
}

static struct kt_error *open_socket(const struct sockaddr *addr, socklen_t addr_len,
				    const struct rsp_patience *patience,
				    struct rsp_guardian *guardian, int *ret)
{
	_cleanup_close_ int fd = -1;
	struct kt_error *err = make_socket(addr->sa_family, guardian, &fd);

	if (err)
		return err;
	while (connect(fd, addr, addr_len) < 0) {
		bool ready;

		if (errno == EINPROGRESS || errno == EINTR) {
			err = finish_connect(fd, patience);
			break;
		}
		if (errno != EAGAIN)
			return kt_error_os(errno, "cannot connect");
		if (kt_deadline_left_ms(patience->deadline_ns) == 0)
			return kt_error_new(KT_ERROR_TIMEOUT, "its queue of connections is full");
		err = wait_for(-1, 0, patience->cancel_fd, UNIX_RETRY_NS, &ready);
		if (err)
			return err;
	}
	if (err)
		return err;
	*ret = kt_take_fd(&fd);
	return NULL;
}

static struct kt_error *open_unix(const char *path, const struct rsp_patience *patience,
				  struct rsp_guardian *guardian, int *ret)
{
	struct sockaddr_un addr;
	int errnum = kt_stub_address_unix(path, &addr);

	if (errnum)
		return kt_error_os(errnum, "cannot connect");
	return open_socket((struct sockaddr *)&addr, sizeof(addr), patience, guardian, ret);
}

static struct kt_error *open_address(const struct addrinfo *ai, const struct rsp_patience *patience,
				     struct rsp_guardian *guardian, int *ret)
{
	struct rsp_patience share = *patience;
	struct kt_error *err;
	int one = 1;

	/* An address that swallows everything must leave time for the next one. */
	if (ai->ai_next) {
		int64_t now = kt_now_ns();

		share.deadline_ns = now + (patience->deadline_ns - now) / 2;
	}
	err = open_socket(ai->ai_addr, ai->ai_addrlen, &share, guardian, ret);
	if (!err) /* without it, small requests wait for the ack of the ones before */
		setsockopt(*ret, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return err;
}

static struct kt_error *open_tcp(const struct rsp_target *target,
				 const struct rsp_patience *patience, struct rsp_guardian *guardian,
				 int *ret)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct kt_error *err = NULL;
	struct addrinfo *list;
	/* NULL is the loopback, for which a minimal system has no name: no /etc/hosts. */
	const char *host = strcmp(target->host, "localhost") ? target->host : NULL;
	int rc = getaddrinfo(host, target->port, &hints, &list);

	if (rc == EAI_SYSTEM)
		return kt_error_os(errno, "cannot resolve '%s'", target->host);
	if (rc)
		return kt_error_new(KT_ERROR_NOT_FOUND, "cannot resolve '%s': %s", target->host,
				    gai_strerror(rc));
	/* localhost is ::1 and 127.0.0.1, and `-s` may listen on one of them only. */
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		kt_error_destroy(err);
		err = open_address(ai, patience, guardian, ret);
		if (!err || kt_error_code(err) == KT_ERROR_CANCELLED)
			break;
	}
	freeaddrinfo(list);
	return err;
}

/* One end of a pair for the client, the other one for a stub that the dialer starts. */
static struct kt_error *open_dialed(const struct rsp_dialer *dialer,
				    const struct rsp_patience *patience,
				    struct rsp_guardian *guardian, struct rsp_dialed *dialed_ret,
				    int *ret)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	struct kt_error *err;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair))
		return kt_error_os(errno, "cannot make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	err = rsp_guardian_hold(guardian, ours);
	if (!err)
		err = dialer->dial(dialer->context, theirs, patience, dialed_ret);
	if (!err)
		*ret = kt_take_fd(&ours);
	return err;
}

static struct kt_error *open_listening(const struct rsp_target *target,
				       const struct rsp_patience *patience,
				       struct rsp_guardian *guardian, struct rsp_dialed *dialed_ret,
				       int *ret)
{
	const struct rsp_dialer *dialer = target->dialer;
	struct kt_error *err = NULL;

	if (dialer)
		err = dialer->dial(dialer->context, -1, patience, dialed_ret);
	if (err)
		return err;
	if (dialer && dialed_ret->was_paused) /* before connect(2) */
		rsp_guardian_set_leave_stopped(guardian, true);
	return target->path ? open_unix(target->path, patience, guardian, ret)
			    : open_tcp(target, patience, guardian, ret);
}

/* A yield takes less than a microsecond when nobody else wants the CPU. */
#define LONG_YIELD_NS 50000

static bool yield_is_short(void)
{
	int64_t before = kt_now_ns();

	sched_yield();
	return kt_now_ns() - before < LONG_YIELD_NS;
}

static struct rsp_connection *connection_new(int fd)
{
	struct rsp_connection *conn = malloc(sizeof(*conn));

	if (!conn)
		return NULL;
	conn->fd = fd;
	conn->out = (struct kt_buf)KT_BUF_INIT;
	conn->sent = 0;
	conn->receives = 0;
	conn->may_spin = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	return conn;
}

static bool is_tcp(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
	       (domain == AF_INET || domain == AF_INET6);
}

struct kt_error *rsp_connection_open(const struct rsp_target *target,
				     const struct rsp_patience *patience,
				     struct rsp_guardian *guardian, struct rsp_dialed *dialed_ret,
				     struct rsp_connection **ret)
{
	_cleanup_close_ int fd = -1;
	struct kt_error *err;
	bool ready, may_spin;

	/* Connecting stops the guest. Do not, if the user has cancelled already. */
	err = wait_for(-1, 0, patience->cancel_fd, 0, &ready);
	if (err)
		return err;
	/* To find it out later would cost the stop a time slice of somebody else. */
	may_spin = yield_is_short();
	if (target->path || target->port)
		err = open_listening(target, patience, guardian, dialed_ret, &fd);
	else
		err = open_dialed(target->dialer, patience, guardian, dialed_ret, &fd);
	if (err)
		return err;
	err = rsp_connection_from_fd(kt_take_fd(&fd), ret);
	if (!err)
		(*ret)->may_spin &= may_spin;
	return err;
}

struct kt_error *rsp_connection_from_fd(int fd, struct rsp_connection **ret)
{
	struct rsp_connection *conn;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		struct kt_error *err = kt_error_os(errno, "cannot use the socket");

		if (fd >= 0)
			close(fd);
		return err;
	}
	conn = connection_new(fd);
	if (conn)
		conn->is_tcp = is_tcp(fd);
	if (!conn) {
		close(fd);
		return kt_error_no_memory();
	}
	*ret = conn;
	return NULL;
}

void rsp_connection_destroy(struct rsp_connection *conn)
{
	if (!conn)
		return;
	close(conn->fd);
	kt_buf_deinit(&conn->out);
	free(conn);
}

struct kt_buf *rsp_connection_output(struct rsp_connection *conn)
{
	return &conn->out;
}

void rsp_connection_drop_output(struct rsp_connection *conn)
{
	kt_buf_deinit(&conn->out);
	conn->sent = 0;
}

static bool output_is_pending(const struct rsp_connection *conn)
{
	return conn->sent < conn->out.len;
}

static struct kt_error *lost(int errnum, const char *doing)
{
	if (errnum == EPIPE || errnum == ECONNRESET)
		return kt_error_new(KT_ERROR_CLOSED, "the GDB stub closed the connection");
	return kt_error_os(errnum, "cannot %s the GDB stub", doing);
}

struct kt_error *rsp_connection_flush(struct rsp_connection *conn)
{
	if (kt_buf_failed(&conn->out))
		return kt_error_no_memory();
	while (output_is_pending(conn)) {
		ssize_t n = send(conn->fd, conn->out.data + conn->sent, conn->out.len - conn->sent,
				 MSG_NOSIGNAL);

		if (n >= 0)
			conn->sent += (size_t)n;
		else if (errno == EAGAIN)
			return NULL;
		else if (errno != EINTR)
			return lost(errno, "write to");
	}
	/* All is out: start over in the same memory. */
	conn->out.len = 0;
	conn->sent = 0;
	return NULL;
}

/*
 * QEMU writes an ack ("+") and the reply behind it with a call each, and leaves Nagle's algorithm
 * on: the reply waits for TCP's acknowledgement of the ack. Linux holds that back for 40 ms once a
 * connection talks to and fro, and so long the guest stands still (seen with QEMU 7.2: 80 ms each
 * look of a watch). This one sends it at once; it holds for a while only.
 */
static void acknowledge(const struct rsp_connection *conn)
{
	int one = 1;

	if (conn->is_tcp)
		(void)setsockopt(conn->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
}

/* *len_ret 0: nothing there yet. */
static struct kt_error *receive_now(struct rsp_connection *conn, size_t *len_ret)
{
	ssize_t n;

	do {
		n = recv(conn->fd, conn->in, sizeof(conn->in), 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return kt_error_new(KT_ERROR_CLOSED, "the GDB stub closed the connection");
	if (n < 0 && errno != EAGAIN)
		return lost(errno, "read from");
	*len_ret = n > 0 ? (size_t)n : 0;
	if (n > 0)
		acknowledge(conn);
	return NULL;
}

/* Checks cancel_fd and the deadline, for a stub whose bytes never end. */
static struct kt_error *look_up(struct rsp_connection *conn, const struct rsp_patience *patience)
{
	bool ready;

	if (conn->receives++ % CANCEL_LOOK_INTERVAL)
		return NULL;
	if (kt_now_ns() >= patience->deadline_ns)
		return kt_error_new(KT_ERROR_TIMEOUT, "no end in time");
	return wait_for(-1, 0, patience->cancel_fd, 0, &ready);
}

/*
 * Polling beats sleeping while the guest is stopped. QEMU writes each ack and each reply with a
 * call of its own, and waking a sleeper twice a request costs it as much as the request (4.5 us
 * against 9 us, QEMU 7.2). So sleep only after a while without a byte. On one CPU, sleep at once:
 * QEMU needs the CPU. So on a busy machine: who yields there gives a CPU away for milliseconds, but
 * who sleeps gets it back as soon as there is a byte.
 */
#define SPIN_NS 200000
static bool spin(struct rsp_connection *conn, int64_t *until_ns)
{
	if (!conn->may_spin)
		return false;
	if (!*until_ns)
		*until_ns = kt_now_ns() + SPIN_NS;
	else if (kt_now_ns() >= *until_ns)
		return false;
	conn->may_spin = yield_is_short();
	return true;
}

struct kt_error *rsp_connection_receive(struct rsp_connection *conn,
					const struct rsp_patience *patience,
					const uint8_t **data_ret, size_t *len_ret)
{
	struct kt_error *err = look_up(conn, patience);
	struct kt_error *send_err;
	int64_t spin_until_ns = 0;
	size_t len = 0;

	while (!err) {
		short events = POLLIN;

		/* The stub's last bytes explain a hang-up better than EPIPE does. */
		send_err = rsp_connection_flush(conn);
		err = receive_now(conn, &len);
		if (err || len) {
			kt_error_destroy(send_err);
			break;
		}
		if (send_err)
			return send_err;
		if (spin(conn, &spin_until_ns))
			continue;
		if (output_is_pending(conn))
			events |= POLLOUT;
		err = wait_until(conn->fd, events, patience);
	}
	if (err)
		return err;
	*data_ret = conn->in;
	*len_ret = len;
	return NULL;
}
