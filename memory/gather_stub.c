// SPDX-License-Identifier: LGPL-2.1-or-later
#include <poll.h>

#include "memory/gather_stub.h"
#include "util/clock.h"

static void hang_up(struct gather_stub *stub)
{
	rsp_client_destroy(stub->client);
	stub->client = NULL;
}

static struct kt_error *connect_to_guest(struct gather_stub *stub)
{
	struct kt_error *err = rsp_client_connect(stub->target, stub->options, &stub->client);

	if (err)
		return err;
	stub->stopped_ns = rsp_client_stats(stub->client)->connected_ns;
	stub->was_paused |= !rsp_client_was_running(stub->client);
	stub->stands = stub->was_paused || rsp_client_leaves_stopped(stub->client);
	return NULL;
}

/*
 * Ctrl-Z, while nothing was read: the guardian let the guest go, and after `fg` a new connection
 * goes on from here.
 */
static struct kt_error *pass_over_let_go(struct gather_stub *stub, struct kt_error *err)
{
	if (!err || !rsp_client_was_let_go(stub->client))
		return err;
	kt_error_destroy(err);
	hang_up(stub);
	return NULL;
}

static struct kt_error *stub_stop(void *context, struct source *source_ret)
{
	struct gather_stub *stub = context;
	struct kt_error *err = NULL;
	struct rsp_stop stop;

	stub->stopped_ns = kt_now_ns();
	if (stub->client && rsp_client_runs(stub->client))
		err = pass_over_let_go(stub, rsp_client_interrupt(stub->client, &stop));
	if (!err && !stub->client)
		err = connect_to_guest(stub);
	if (err)
		return err;
	*source_ret = source_from_stub(stub->client);
	return NULL;
}

/* A connection that an error left in the middle is given up: the guest runs again by the detach. */
static struct kt_error *stub_resume(void *context, int64_t *pause_ns_ret)
{
	struct gather_stub *stub = context;
	struct kt_error *err = NULL;

	if (!stub->stands)
		err = rsp_client_resume(stub->client, NULL, NULL, 0);
	if (err) {
		kt_error_destroy(err);
		err = rsp_client_detach(stub->client);
		hang_up(stub);
	}
	*pause_ns_ret = kt_now_ns() - stub->stopped_ns;
	return err;
}

/* For a guest that stands anyway, and where there is no connection (yet). */
static struct kt_error *look_while_stopped(struct gather_stub *stub, struct gmem_read *reads,
					   size_t n, struct gather_look *ret)
{
	struct source source;
	struct kt_error *err = stub_stop(stub, &source), *own;
	int64_t stopped_ns = kt_now_ns();

	if (err)
		return err;
	err = source.read_physical(source.context, reads, n);
	ret->read_ns = kt_now_ns() - stopped_ns;
	own = stub_resume(stub, &ret->pause_ns);
	return kt_error_join(err, own);
}

/* A connection that an error left in the middle is given up, as above. */
static struct kt_error *stub_look(void *context, struct gmem_read *reads, size_t n,
				  struct gather_look *ret)
{
	struct gather_stub *stub = context;
	int64_t asked_ns = kt_now_ns(), stopped_ns = 0, end_ns;
	struct kt_error *err;

	if (!stub->client || stub->stands)
		return look_while_stopped(stub, reads, n, ret);
	err = source_glance(stub->client, reads, n, &stopped_ns);
	end_ns = kt_now_ns();
	*ret = (struct gather_look){.pause_ns = end_ns - asked_ns, .read_ns = end_ns - stopped_ns};
	if (!err)
		return NULL;
	err = pass_over_let_go(stub, err);
	if (!err)
		return look_while_stopped(stub, reads, n, ret);
	hang_up(stub);
	return err;
}

/* Without a connection to wait on, or for a guest that stands anyway. */
static struct kt_error *sleep_for(const struct gather_stub *stub, int64_t ns)
{
	struct pollfd fd = {.fd = stub->options->cancel_fd, .events = POLLIN};
	struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	if (ppoll(&fd, 1, &time, NULL) > 0)
		return kt_error_new(KT_ERROR_CANCELLED, "interrupted");
	return NULL;
}

static struct kt_error *stub_rest(void *context, int64_t ns)
{
	struct gather_stub *stub = context;
	struct kt_error *err;
	struct rsp_stop stop;

	if (!stub->client || stub->stands)
		return sleep_for(stub, stub->stands ? 0 : ns);
	err = rsp_client_wait(stub->client, ns + 1, &stop);
	if (!err) {
		/* Somebody at QEMU's monitor, or the guest itself. That is not for us to undo. */
		stub->stands = true;
		rsp_client_set_leave_stopped(stub->client, true);
	} else if (kt_error_code(err) == KT_ERROR_TIMEOUT) {
		kt_error_destroy(err);
		err = NULL;
	}
	return pass_over_let_go(stub, err);
}

struct gather_stops gather_stub_stops(struct gather_stub *stub)
{
	return (struct gather_stops){
		.context = stub,
		.stop = stub_stop,
		.resume = stub_resume,
		.look = stub_look,
		.rest = stub_rest,
	};
}

void gather_stub_deinit(struct gather_stub *stub)
{
	hang_up(stub);
}
