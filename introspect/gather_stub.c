// SPDX-License-Identifier: LGPL-2.1-or-later
#include <poll.h>

#include "introspect/gather_stub.h"
#include "util/clock.h"

static struct kt_error *stub_stop(void *context, struct source *source_ret, int64_t *stopped_ns_ret)
{
	struct gather_stub *stub = context;
	struct kt_error *err = rsp_client_connect(stub->target, stub->options, &stub->client);

	if (err)
		return err;
	if (!stub->asked)
		stub->was_paused = !rsp_client_was_running(stub->client);
	stub->asked = true;
	*source_ret = source_from_stub(stub->client);
	*stopped_ns_ret = rsp_client_stats(stub->client)->connected_ns;
	return NULL;
}

static struct kt_error *stub_resume(void *context, int64_t *pause_ns_ret)
{
	struct gather_stub *stub = context;
	struct kt_error *err = rsp_client_detach(stub->client);

	*pause_ns_ret = rsp_client_stats(stub->client)->pause_ns;
	rsp_client_destroy(stub->client);
	stub->client = NULL;
	return err;
}

static struct kt_error *stub_rest(void *context, int64_t ns)
{
	struct gather_stub *stub = context;
	struct pollfd fd = {.fd = stub->options->cancel_fd, .events = POLLIN};
	struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	/* A guest that is to be left stopped does not get to run. */
	if (stub->options->leave_stopped)
		time = (struct timespec){0};
	if (ppoll(&fd, 1, &time, NULL) > 0)
		return kt_error_new(KT_ERROR_CANCELLED, "interrupted");
	return NULL;
}

struct gather_stops gather_stub_stops(struct gather_stub *stub)
{
	return (struct gather_stops){
		.context = stub,
		.stop = stub_stop,
		.resume = stub_resume,
		.rest = stub_rest,
	};
}

void gather_stub_deinit(struct gather_stub *stub)
{
	rsp_client_destroy(stub->client);
	stub->client = NULL;
}
