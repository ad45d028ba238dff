// SPDX-License-Identifier: LGPL-2.1-or-later
/* QEMU's monitor (HMP), through the stub: `qRcmd,HEX`, whose output comes as packets "O HEX". */
#include <stdlib.h>
#include <string.h>

#include "gdbrsp/client.h"
#include "gdbrsp/exchange.h"
#include "util/cleanup.h"

#define OUTPUT_MAX 65536

struct command {
	struct rsp_batch batch;
	const char *text;
	struct kt_buf output;
	bool sent, unsupported;
};

static enum rsp_turn command_next(struct rsp_batch *batch, struct kt_buf *payload,
				  struct rsp_ticket *ticket)
{
	struct command *command = (struct command *)batch;

	if (command->sent)
		return RSP_TURN_DONE;
	command->sent = true;
	*ticket = (struct rsp_ticket){.kind = RSP_KIND_CONSOLE, .reply_len = OUTPUT_MAX};
	kt_buf_appends(payload, "qRcmd,");
	rsp_hex_append(payload, command->text, strlen(command->text));
	return RSP_TURN_SEND;
}

/* "O2222..." is output; "OK" ends it, and so does an error or an empty reply: there is no monitor.
 */
static struct kt_error *command_reply(struct rsp_batch *batch, const struct rsp_ticket *ticket,
				      const struct rsp_reply *reply)
{
	struct command *command = (struct command *)batch;
	size_t len = reply->len ? (reply->len - 1) / 2 : 0;
	uint8_t *bytes;
	bool ok;

	(void)ticket;
	if (rsp_reply_is(reply, "OK"))
		return NULL;
	if (!reply->len || reply->data[0] != 'O') {
		command->unsupported = true;
		return NULL;
	}
	if (command->output.len + len > OUTPUT_MAX)
		return kt_error_new(KT_ERROR_PROTOCOL,
				    "QEMU's monitor says more than %d bytes to "
				    "'%s'",
				    OUTPUT_MAX, command->text);
	bytes = malloc(len + 1);
	ok = bytes && rsp_hex_decode(bytes, len, reply->data + 1);
	if (ok)
		kt_buf_append(&command->output, (const char *)bytes, len);
	if (!bytes || kt_buf_failed(&command->output)) {
		free(bytes);
		return kt_error_no_memory();
	}
	free(bytes);
	return ok ? NULL : rsp_bad_reply(reply, "a monitor command");
}

struct kt_error *rsp_client_monitor(struct rsp_client *client, const char *command, char **ret)
{
	struct command c = {
		.batch = {.next = command_next, .reply = command_reply},
		.text = command,
	};
	struct kt_error *err = rsp_exchange(client, &c.batch);

	if (!err && c.unsupported)
		err = kt_error_new(KT_ERROR_UNSUPPORTED, "this GDB stub has no monitor");
	if (!err)
		return kt_buf_finish(&c.output, ret);
	kt_buf_deinit(&c.output);
	return kt_error_wrap(err, "cannot ask QEMU's monitor");
}
