// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "host/qmp.h"
#include "model/json.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fdpass.h"

/* connect(2) to a Unix socket with a full queue gives EAGAIN, and nothing to poll for. */
#define QUEUE_RETRY_MS 10
/* The rest of a greeting that is not QMP's comes at once. */
#define STRANGER_MS 200
/* As many bytes of it are looked at. */
#define STRANGER_LEN 512

struct qmp {
	struct host_monitor base;
	int fd;
	json_int_t last_id;
	struct kt_buf in; /* what came and is not taken yet */
	/* Where the object in front of it is being looked for the end of. */
	size_t scanned;
	unsigned int depth;
	bool in_string, escaped;
};

static void qmp_destroy(struct host_monitor *monitor)
{
	struct qmp *qmp = (struct qmp *)monitor;

	close(qmp->fd);
	kt_buf_deinit(&qmp->in);
	free(qmp);
}

/* --- bytes --- */

static struct kt_error *wait_until(int fd, short events, int64_t deadline_ns)
{
	struct pollfd pfd = {.fd = fd, .events = events};

	for (;;) {
		int left_ms = kt_deadline_left_ms(deadline_ns);
		int n = poll(&pfd, 1, left_ms);

		if (n > 0)
			return NULL;
		if (n < 0 && errno != EINTR)
			return kt_error_os(errno, "cannot wait for QEMU");
		if (!n && !left_ms)
			return kt_error_new(KT_ERROR_TIMEOUT, "QEMU's monitor does not answer");
	}
}

static struct kt_error *gone(void)
{
	return kt_error_new(KT_ERROR_CLOSED, "QEMU closed its monitor");
}

/* Waits for bytes, and takes what there is. */
static struct kt_error *receive(struct qmp *qmp, int64_t deadline_ns)
{
	struct kt_error *err = wait_until(qmp->fd, POLLIN, deadline_ns);
	char bytes[16384];
	ssize_t n;

	if (err)
		return err;
	n = recv(qmp->fd, bytes, sizeof(bytes), 0);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return gone();
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? NULL : kt_error_os(errno, "cannot read");
	kt_buf_append(&qmp->in, bytes, (size_t)n);
	return kt_buf_failed(&qmp->in) ? kt_error_no_memory() : NULL;
}

static struct kt_error *transmit(struct qmp *qmp, const char *data, size_t len, int fd)
{
	while (len) {
		/* The descriptor goes along with the first byte. */
		ssize_t n = kt_fd_send(qmp->fd, data, len, fd);
		struct kt_error *err = NULL;

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
			fd = n ? -1 : fd;
		} else if (errno == EAGAIN) {
			err = wait_until(qmp->fd, POLLOUT, qmp->base.deadline_ns);
		} else {
			err = errno == EPIPE || errno == ECONNRESET
				      ? gone()
				      : kt_error_os(errno, "cannot write");
		}
		if (err)
			return err;
	}
	return NULL;
}

/* --- objects --- */

/* Connecting to a GDB stub stops the guest: it is let go. Nobody else understands this. */
static void let_go(struct qmp *qmp)
{
	(void)send(qmp->fd, "+$D;1#b0", 8, MSG_NOSIGNAL);
}

static struct kt_error *is_stub(void)
{
	return kt_error_hint(kt_error_new(KT_ERROR_PROTOCOL, "this is a GDB stub, and not QMP"),
			     "give its address without \"qmp:\"");
}

/* Something else speaks there. */
static struct kt_error *stranger(struct qmp *qmp)
{
	int64_t deadline = kt_deadline_ms(STRANGER_MS);
	static const char hmp[] = "monitor - type 'help'";
	struct kt_error *err = NULL;
	size_t len = 0, seen;

	while (!err && qmp->in.len < STRANGER_LEN)
		err = receive(qmp, deadline);
	kt_error_destroy(err);
	seen = qmp->in.len < STRANGER_LEN ? qmp->in.len : STRANGER_LEN;
	if (memmem(qmp->in.data, seen, hmp, strlen(hmp)))
		return kt_error_hint(
			kt_error_new(KT_ERROR_PROTOCOL,
				     "this is QEMU's monitor for people (HMP), and not QMP"),
			"start QEMU with -qmp unix:PATH,server=on,wait=off, too");
	if (memchr("+$", qmp->in.data[0], 2)) {
		let_go(qmp);
		return is_stub();
	}
	while (len < qmp->in.len && len < 60 && isprint((unsigned char)qmp->in.data[len]))
		len++;
	return kt_error_new(KT_ERROR_PROTOCOL, "this is not QMP: it says '%.*s'", (int)len,
			    qmp->in.data);
}

/* Looks at one more byte. True: it is the last one of an object. */
static bool ends_object(struct qmp *qmp, char c)
{
	if (qmp->in_string) {
		qmp->in_string = qmp->escaped || c != '"';
		qmp->escaped = !qmp->escaped && c == '\\';
	} else if (c == '"') {
		qmp->in_string = true;
	} else if (c == '{' || c == '[') {
		qmp->depth++;
	} else if (c == '}' || c == ']') {
		return --qmp->depth == 0;
	}
	return false;
}

/* *ret is NULL if there is no whole object yet. */
static struct kt_error *take_object(struct qmp *qmp, json_t **ret)
{
	json_error_t why;
	size_t blanks = 0;
	bool whole = false;

	*ret = NULL;
	if (!qmp->scanned) {
		while (blanks < qmp->in.len && isspace((unsigned char)qmp->in.data[blanks]))
			blanks++;
		kt_buf_consume(&qmp->in, blanks);
		if (qmp->in.len && qmp->in.data[0] != '{')
			return stranger(qmp);
	}
	while (!whole && qmp->scanned < qmp->in.len)
		whole = ends_object(qmp, qmp->in.data[qmp->scanned++]);
	if (!whole && qmp->in.len > HOST_REPLY_MAX)
		return kt_error_new(KT_ERROR_PROTOCOL, "QEMU's monitor says more than %d bytes",
				    HOST_REPLY_MAX);
	if (!whole)
		return NULL;
	*ret = kt_json_load((struct kt_text){qmp->in.data, qmp->scanned}, 0, &why);
	kt_buf_consume(&qmp->in, qmp->scanned);
	qmp->scanned = 0;
	if (*ret)
		return NULL;
	return kt_error_new(KT_ERROR_PROTOCOL, "QEMU's monitor says what is no JSON: %.100s",
			    why.text);
}

/* The next object that is no event. */
static struct kt_error *next_object(struct qmp *qmp, json_t **ret)
{
	for (;;) {
		json_t *object;
		struct kt_error *err = take_object(qmp, &object);

		if (err)
			return err;
		if (!object) {
			err = receive(qmp, qmp->base.deadline_ns);
			if (err)
				return err;
		} else if (json_object_get(object, "event")) {
			json_decref(object);
			/* Events without end must not keep us from looking at the clock. */
			if (kt_now_ns() >= qmp->base.deadline_ns)
				return kt_error_new(KT_ERROR_TIMEOUT,
						    "QEMU's monitor does not answer");
		} else {
			*ret = object;
			return NULL;
		}
	}
}

static struct kt_error *qmp_execute(struct host_monitor *monitor, json_t *command, int fd,
				    json_t **ret)
{
	struct qmp *qmp = (struct qmp *)monitor;
	_cleanup_free_ char *line = NULL;
	json_t *reply = NULL;
	struct kt_error *err;

	if (json_object_set_new(command, "id", json_integer(++qmp->last_id)))
		return kt_error_no_memory();
	err = kt_json_dump_line(json_incref(command), &line);
	if (!err) {
		size_t len = strlen(line);

		line[len] = '\n'; /* over the NUL: a line ends with it */
		err = transmit(qmp, line, len + 1, fd);
	}
	while (!err) {
		json_int_t id;

		err = next_object(qmp, &reply);
		if (err)
			break;
		id = json_integer_value(json_object_get(reply, "id"));
		if (id == qmp->last_id)
			break;
		json_decref(reply);
		/* A late answer to something that was given up is passed over. */
		if (id < 1 || id > qmp->last_id)
			err = kt_error_new(KT_ERROR_PROTOCOL,
					   "QEMU's monitor answers what was not asked");
	}
	if (!err)
		*ret = reply;
	return err;
}

/* --- the greeting --- */

/*
 * From QEMU 8.1 on a GDB stub says nothing, and answers this. QEMU's guest agent says nothing
 * either, and answers this with an error in JSON. A monitor that somebody has stays silent.
 */
static struct kt_error *no_greeting(struct qmp *qmp)
{
	let_go(qmp);
	kt_error_destroy(receive(qmp, kt_deadline_ms(STRANGER_MS)));
	if (qmp->in.len && memchr("+$", qmp->in.data[0], 2))
		return is_stub();
	if (qmp->in.len)
		return kt_error_hint(kt_error_new(KT_ERROR_PROTOCOL,
						  "this is not QMP: it answers, but without a "
						  "greeting"),
				     "QEMU's guest agent is like that; the monitor is another "
				     "socket, of -qmp");
	return kt_error_hint(
		kt_error_new(KT_ERROR_TIMEOUT,
			     "no greeting of QMP comes: is another client connected to it?"),
		"QEMU's monitor serves one client at a time (libvirt, Proxmox VE and others keep "
		"theirs); give QEMU a second one, with -qmp");
}

/* {"QMP": {"version": {...}, "capabilities": ["oob"]}} */
static struct kt_error *greet(struct qmp *qmp)
{
	static const struct host_monitor_ops ops = {qmp_execute, qmp_destroy};
	json_t *greeting = NULL;
	struct kt_error *err = next_object(qmp, &greeting);
	bool is_qmp = json_object_get(greeting, "QMP") != NULL;

	json_decref(greeting);
	if (err && kt_error_code(err) == KT_ERROR_TIMEOUT && !qmp->in.len) {
		kt_error_destroy(err);
		return no_greeting(qmp);
	}
	if (err)
		return err;
	if (!is_qmp)
		return kt_error_new(KT_ERROR_PROTOCOL, "this is not QMP: its greeting is another");
	qmp->base.ops = &ops;
	return host_monitor_run(&qmp->base, "qmp_capabilities", NULL, NULL);
}

/* Loopback, or a Unix socket. */
static bool is_here(const struct sockaddr_storage *addr)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)addr;

	switch (addr->ss_family) {
	case AF_INET: return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	case AF_INET6: return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	default: return true;
	}
}

static void look_at_peer(struct qmp *qmp)
{
	struct sockaddr_storage addr = {.ss_family = AF_UNIX};
	socklen_t addr_len = sizeof(addr);
	struct ucred cred;
	socklen_t len = sizeof(cred);

	getpeername(qmp->fd, (struct sockaddr *)&addr, &addr_len);
	qmp->base.is_here = is_here(&addr);
	qmp->base.passes_fds = addr.ss_family == AF_UNIX;
	if (qmp->base.passes_fds && !getsockopt(qmp->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		qmp->base.pid = cred.pid;
}

struct kt_error *host_qmp_from_fd(int fd, int64_t deadline_ns, struct host_monitor **ret)
{
	struct qmp *qmp = calloc(1, sizeof(*qmp));
	struct kt_error *err;

	if (!qmp) {
		close(fd);
		return kt_error_no_memory();
	}
	qmp->fd = fd;
	qmp->base.deadline_ns = deadline_ns;
	look_at_peer(qmp);
	err = greet(qmp);
	if (err)
		qmp_destroy(&qmp->base);
	else
		*ret = &qmp->base;
	return err;
}

/* --- connecting --- */

static struct kt_error *explain(int errnum)
{
	struct kt_error *err = kt_error_os(errnum, "cannot connect");

	switch (errnum) {
	case ENOENT:
		return kt_error_hint(err, "QEMU makes it with -qmp unix:PATH,server=on,wait=off");
	case ECONNREFUSED: return kt_error_hint(err, "no QEMU listens there (any more)");
	case EACCES:
	case EPERM: return kt_error_hint(err, "who starts QEMU may connect; so may root");
	default: return err;
	}
}

static struct kt_error *connect_to(const struct sockaddr *addr, socklen_t addr_len,
				   int64_t deadline_ns, int *ret)
{
	_cleanup_close_ int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
					0);
	int errnum = 0;
	socklen_t len = sizeof(errnum);
	struct kt_error *err;

	if (fd < 0)
		return kt_error_os(errno, "cannot make a socket");
	while (connect(fd, addr, addr_len) < 0) {
		if (errno == EINPROGRESS) {
			err = wait_until(fd, POLLOUT, deadline_ns);
			if (err)
				return err;
			if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0)
				errnum = errno;
			if (errnum)
				return explain(errnum);
			break;
		}
		if (errno != EAGAIN && errno != EINTR)
			return explain(errno);
		if (!kt_deadline_left_ms(deadline_ns))
			return kt_error_hint(kt_error_new(KT_ERROR_TIMEOUT,
							  "its queue of connections is full"),
					     "QEMU's monitor serves one client at a time, and "
					     "others wait already");
		poll(NULL, 0, QUEUE_RETRY_MS);
	}
	*ret = kt_take_fd(&fd);
	return NULL;
}

static struct kt_error *connect_unix(const char *path, int64_t deadline_ns, int *ret)
{
	struct sockaddr_un addr;
	int errnum = kt_stub_address_unix(path, &addr);

	if (errnum)
		return explain(errnum);
	return connect_to((struct sockaddr *)&addr, sizeof(addr), deadline_ns, ret);
}

static struct kt_error *connect_tcp(const struct kt_stub_address *address, int64_t deadline_ns,
				    int *ret)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	/* NULL is the loopback, for which a minimal system has no name. */
	const char *host = strcmp(address->host, "localhost") ? address->host : NULL;
	struct kt_error *err = NULL;
	struct addrinfo *list;
	int rc = getaddrinfo(host, address->port, &hints, &list);

	if (rc)
		return kt_error_new(KT_ERROR_NOT_FOUND, "cannot resolve '%s': %s", address->host,
				    rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		int64_t now = kt_now_ns();

		kt_error_destroy(err);
		/* An address that swallows everything must leave time for the next one. */
		err = connect_to(ai->ai_addr, ai->ai_addrlen,
				 ai->ai_next ? now + (deadline_ns - now) / 2 : deadline_ns, ret);
		if (!err)
			break;
	}
	freeaddrinfo(list);
	return err;
}

struct kt_error *host_qmp_open(const struct kt_stub_address *address, int64_t deadline_ns,
			       struct host_monitor **ret)
{
	struct kt_error *err;
	int fd = -1;

	err = address->path ? connect_unix(address->path, deadline_ns, &fd)
			    : connect_tcp(address, deadline_ns, &fd);
	return err ? err : host_qmp_from_fd(fd, deadline_ns, ret);
}
