// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "host/monitor.h"

void host_monitor_destroy(struct host_monitor *monitor)
{
	if (monitor)
		monitor->ops->destroy(monitor);
}

/* {"error": {"class": "CommandNotFound", "desc": "The command x has not been found"}} */
static struct kt_error *qmp_error(const json_t *error, const char *command)
{
	const char *class = json_string_value(json_object_get(error, "class"));
	const char *desc = json_string_value(json_object_get(error, "desc"));

	if (class && !strcmp(class, "CommandNotFound"))
		return kt_error_new(KT_ERROR_UNSUPPORTED, "QEMU has no command '%s'", command);
	return kt_error_new(KT_ERROR_NOT_FOUND, "QEMU refuses '%s': %.300s", command,
			    desc ? desc : "no reason given");
}

/* Takes args. */
static struct kt_error *run(struct host_monitor *monitor, const char *command, json_t *args, int fd,
			    json_t **ret)
{
	json_t *reply = NULL, *json, *value;
	struct kt_error *err;

	json = args ? json_pack("{s:s, s:o}", "execute", command, "arguments", args)
		    : json_pack("{s:s}", "execute", command);
	if (!json)
		return kt_error_no_memory();
	err = monitor->ops->execute(monitor, json, fd, &reply);
	json_decref(json);
	if (err)
		return kt_error_wrap(err, "cannot run '%s'", command);
	value = json_object_get(reply, "return");
	if (!value)
		err = qmp_error(json_object_get(reply, "error"), command);
	else if (ret)
		*ret = json_incref(value);
	json_decref(reply);
	return err;
}

struct kt_error *host_monitor_run(struct host_monitor *monitor, const char *command, json_t *args,
				  json_t **ret)
{
	return run(monitor, command, args, -1, ret);
}

struct kt_error *host_monitor_getfd(struct host_monitor *monitor, const char *name, int fd)
{
	json_t *args = json_pack("{s:s}", "fdname", name);

	return args ? run(monitor, "getfd", args, fd, NULL) : kt_error_no_memory();
}

struct kt_error *host_monitor_hmp(struct host_monitor *monitor, const char *line, char **text_ret)
{
	json_t *args = json_pack("{s:s}", "command-line", line), *output = NULL;
	const char *text;
	struct kt_error *err;
	char *copy;

	if (!args)
		return kt_error_no_memory();
	err = run(monitor, "human-monitor-command", args, -1, &output);
	if (err)
		return err;
	text = json_string_value(output);
	copy = text ? strdup(text) : NULL;
	json_decref(output);
	if (!text)
		return kt_error_new(KT_ERROR_PROTOCOL, "QEMU answers '%s' without a text", line);
	if (!copy)
		return kt_error_no_memory();
	*text_ret = copy;
	return NULL;
}
