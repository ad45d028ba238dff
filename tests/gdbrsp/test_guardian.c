// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A client that is ended, or stopped, at each request of a conversation: what the stub gets then
 * has a whole detach in it, behind a `vAttach`, and nothing after it. The detach comes in a flight
 * of its own: a stop that a vCPU asked for at the same time would undo one that does not.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gdbrsp/rescue.h"
#include "tests/gdbrsp/visit.h"

/* What comes in, up to the end, is answered as by QEMU; the nth request brings the end. */
struct peer {
	int fd;
	pid_t client;
	int nth, sig, requests, after;
	bool attached, detached, late;
	/*
	 * A vCPU came to a breakpoint as the first byte of the last words stopped the guest. QEMU
	 * carries out that stop when it has read what has come by then.
	 */
	bool stop_is_due;
	char request[512];
};

/* QEMU's main loop has read all that has come, and comes to what it was asked for meanwhile. */
static void end_of_flight(struct peer *p)
{
	char c;

	if (p->stop_is_due && recv(p->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) != 1) {
		p->stop_is_due = false;
		p->detached = false;
	}
}

static bool next_request(struct peer *p)
{
	size_t len = 0;
	char c = 0;

	while (c != '$')
		if (recv(p->fd, &c, 1, 0) != 1)
			return false;
	while (recv(p->fd, &c, 1, 0) == 1 && c != '#')
		if (len < sizeof(p->request) - 1)
			p->request[len++] = c;
	p->request[len] = '\0';
	return recv(p->fd, &c, 1, 0) == 1 && recv(p->fd, &c, 1, 0) == 1;
}

static const char *answer(const char *request)
{
	if (!strncmp(request, "qSupported", 10))
		return "PacketSize=1000;multiprocess+";
	if (!strcmp(request, "qfThreadInfo"))
		return "mp07.01";
	if (!strcmp(request, "qsThreadInfo"))
		return "l";
	if (!strcmp(request, "qAttached"))
		return "1";
	if (*request == '?' || *request == 'v')
		return "T05thread:p07.01;";
	return *request == 'm' ? "00112233" : *request ? "OK" : "";
}

static void reply(struct peer *p, const char *payload)
{
	unsigned int sum = 0;
	char packet[128];
	int n;

	for (const char *c = payload; *c; c++)
		sum += (unsigned char)*c;
	n = snprintf(packet, sizeof(packet), "+$%s#%02x", payload, sum & 0xff);
	(void)!send(p->fd, packet, (size_t)n, MSG_NOSIGNAL);
}

/* Half a reply is there, and the rest of them comes when the client is gone or stands. */
static void end_client(struct peer *p)
{
	(void)!send(p->fd, "+$T0", 4, MSG_NOSIGNAL);
	kill(p->client, p->sig);
	if (p->sig == SIGKILL)
		waitpid(p->client, NULL, 0);
	(void)!send(p->fd, "5#b9", 4, MSG_NOSIGNAL);
}

static void serve(struct peer *p)
{
	reply(p, "T02thread:01;");
	while (next_request(p)) {
		bool is_detach = !strncmp(p->request, "D;", 2);

		if (p->requests++ == p->nth) {
			end_client(p);
			p->attached = p->detached = false;
			p->stop_is_due = true;
		}
		if (p->requests > p->nth && !strncmp(p->request, "vAttach;", 8))
			p->attached = true;
		p->late |= p->detached;
		p->detached |= is_detach && p->attached;
		if (p->attached)
			end_of_flight(p);
		reply(p, answer(p->request));
	}
}

static int talk(int fd, bool leave_stopped)
{
	struct rsp_options o = {
		.timeout_ms = 60000, .cancel_fd = -1, .leave_stopped = leave_stopped};
	char buf[4];
	struct rsp_read reads[20];
	struct rsp_client *client;
	struct kt_error *err = rsp_client_from_fd(fd, &o, &client), *detach_err;

	for (size_t i = 0; i < 20; i++)
		reads[i] = (struct rsp_read){0x1000 * i, sizeof(buf), buf, false};
	for (int i = 0; !err && i < 10; i++)
		err = rsp_client_read(client, i % 2 ? RSP_PHYSICAL : RSP_VIRTUAL, reads, 20);
	if (!err)
		return 1; /* before it was ended */
	detach_err = rsp_client_detach(client);
	if (detach_err || !strstr(kt_error_message(err), "stopped") || !kt_error_hint_text(err))
		return 2;
	kt_error_destroy(err);
	rsp_client_destroy(client);
	return 3;
}

static struct peer visit(int nth, int sig, bool leave_stopped)
{
	struct peer p = {.nth = nth, .sig = sig};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	p.client = fork();
	if (!p.client) {
		close(fds[0]);
		_exit(talk(fds[1], leave_stopped));
	}
	close(fds[1]);
	p.fd = fds[0];
	serve(&p);
	close(fds[0]);
	return p;
}

/* Requests 0 to 8 are the handshake, and then it reads. */
static void test_killed(void **state)
{
	(void)state;
	for (int nth = 0; nth < 40; nth++) {
		struct peer p = visit(nth, SIGKILL, false);

		if (!p.detached || p.late)
			fail_msg("killed at request %d: detached %d, more after that %d", nth,
				 p.detached, p.late);
	}
}

static void test_killed_leave_stopped(void **state)
{
	(void)state;
	for (int nth = 0; nth < 20; nth++) {
		struct peer p = visit(nth, SIGKILL, true);

		assert_true(p.attached);
		assert_false(p.detached);
	}
}

/* It goes on afterwards, and then says so. */
static void test_stopped(void **state)
{
	(void)state;
	for (int nth = 12; nth < 32; nth += 3) {
		struct peer p = visit(nth, SIGSTOP, false);
		int status;

		assert_true(p.detached);
		assert_false(p.late);
		kill(p.client, SIGCONT);
		assert_int_equal(waitpid(p.client, &status, 0), p.client);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 3);
	}
}

/* The last words name the process that the stub has. */
static void test_process(void **state)
{
	struct peer p = visit(30, SIGKILL, false);

	(void)state;
	assert_string_equal(p.request, "D;07");
}

/*
 * An owner that was stopped may go on as soon as the guest runs: with the `D`, and before the stub
 * has said a word on it. What it sends then must not reach the stub.
 */
static void owner_goes_on(bool steals)
{
	struct rsp_rescue rescue = {.process = "07", .deadline_ns = kt_deadline_ms(20000)};
	struct peer p = {.nth = -1};
	char last[512] = "", c;
	int fds[2], status;
	pid_t guardian;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	guardian = fork();
	if (!guardian) {
		close(fds[0]);
		rescue.fd = fds[1];
		_exit(!rsp_rescue(&rescue));
	}
	p.fd = fds[0];
	while (next_request(&p) && strncmp(p.request, "D;", 2)) {
		strcpy(last, p.request);
		reply(&p, answer(p.request));
	}
	assert_string_equal(p.request, "D;07");
	/* Another `D` may have come in between. */
	assert_string_equal(last, "vAttach;07");
	assert_int_equal(recv(fds[0], &c, 1, 0), 0);
	assert_int_equal(send(fds[1], "$?#3f", 5, MSG_NOSIGNAL), -1);
	reply(&p, "OK");
	/* It may read the reply, too. The stub's end says the same. */
	if (steals)
		(void)!recv(fds[1], last, sizeof(last), MSG_DONTWAIT);
	close(fds[0]);
	assert_int_equal(waitpid(guardian, &status, 0), guardian);
	assert_int_equal(status, 0);
	close(fds[1]);
}

static void test_owner_goes_on(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		owner_goes_on(i % 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed),        cmocka_unit_test(test_killed_leave_stopped),
		cmocka_unit_test(test_stopped),       cmocka_unit_test(test_process),
		cmocka_unit_test(test_owner_goes_on),
	};

	return cmocka_run_group_tests_name("gdbrsp/guardian", tests, NULL, NULL);
}
