// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "gdbrsp/target.h"
#include "util/stub_address.h"

#define DEFAULT_TARGET ":1234"

struct kt_error *rsp_target_parse(const char *text, struct rsp_target *ret)
{
	struct kt_stub_address address = {0};
	struct rsp_target target = {.text = strdup(text ? text : DEFAULT_TARGET)};
	struct kt_error *err;

	if (!target.text)
		return kt_error_no_memory();
	err = kt_error_hint(kt_stub_address_parse(target.text, &address),
			    "a target is " KT_STUB_ADDRESS_FORMS);
	target.host = address.host;
	target.port = address.port;
	target.path = address.path;
	if (!err && target.port && !target.host) {
		target.host = strdup("localhost");
		err = target.host ? NULL : kt_error_no_memory();
	}
	if (err)
		rsp_target_deinit(&target);
	else
		*ret = target;
	return err;
}

void rsp_target_deinit(struct rsp_target *target)
{
	free(target->host);
	free(target->port);
	free(target->path);
	free(target->text);
	*target = (struct rsp_target){0};
}
