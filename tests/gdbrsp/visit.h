/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client at a scripted stub: what the tests of its comings and goings share. */
#ifndef KT_TESTS_GDBRSP_VISIT_H
#define KT_TESTS_GDBRSP_VISIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gdbrsp/client.h"
#include "tests/lib/stub.h"
#include "util/clock.h"

/* Long enough for a handshake on a busy machine, short enough to be waited for. */
#define SHORT_MS 1000

static const struct rsp_options options
	__attribute__((unused)) = {.timeout_ms = 60000, .cancel_fd = -1};
static const struct rsp_options impatient
	__attribute__((unused)) = {.timeout_ms = SHORT_MS, .cancel_fd = -1};

static inline struct kt_error *connect_to(const struct stub_step *script,
					  const struct rsp_options *o, struct stub **stub_ret,
					  struct rsp_client **ret)
{
	int fd;

	*stub_ret = stub_start(script, 0, &fd);
	return rsp_client_from_fd(fd, o, ret);
}

static inline void assert_no_error(struct kt_error *err)
{
	if (err)
		fail_msg("%s", kt_error_message(err));
}

static inline void assert_joined(struct stub *stub)
{
	const char *failure = stub_join(stub);

	if (failure)
		fail_msg("%s", failure);
}

/* A connect that must fail, with this in its message. */
static inline void check_refused(const struct stub_step *script, const struct rsp_options *o,
				 enum kt_error_code code, const char *says)
{
	struct rsp_client *client = NULL;
	struct stub *stub;
	struct kt_error *err = connect_to(script, o, &stub, &client);

	assert_non_null(err);
	assert_null(client);
	if (kt_error_code(err) != code || !strstr(kt_error_message(err), says))
		fail_msg("%d: %s", kt_error_code(err), kt_error_message(err));
	assert_null(strchr(kt_error_message(err), '\n'));
	kt_error_destroy(err);
	assert_joined(stub);
}

#endif
