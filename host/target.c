// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "host/target.h"

#define DEFAULT_TARGET ":1234"

static bool begins(const char *text, const char *with, const char **rest_ret)
{
	size_t len = strlen(with);

	if (strncmp(text, with, len))
		return false;
	*rest_ret = text + len;
	return true;
}

static struct kt_error *add_local_host(struct kt_stub_address *address)
{
	if (!address->port || address->host)
		return NULL;
	address->host = strdup("localhost");
	return address->host ? NULL : kt_error_no_memory();
}

/* PATH has a slash or names a file here; HOST:PORT has neither. "qmp:unix:PATH" is QEMU's form. */
static struct kt_error *parse_qmp(const char *rest, struct kt_stub_address *address)
{
	bool tcp = strncmp(rest, "unix:", strlen("unix:")) && !strchr(rest, '/') &&
		   strchr(rest, ':');
	char *text = NULL;
	struct kt_error *err;

	if (!*rest)
		return kt_error_new(KT_ERROR_USAGE, "'qmp:' lacks the path of the socket");
	if (!tcp && strncmp(rest, "unix:", strlen("unix:"))) {
		text = malloc(strlen("unix:") + strlen(rest) + 1);
		if (!text)
			return kt_error_no_memory();
		strcpy(stpcpy(text, "unix:"), rest);
	}
	err = kt_stub_address_parse(text ? text : rest, address);
	free(text);
	return err;
}

static struct kt_error *parse_pid(const char *rest, pid_t *ret)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(rest, &end, 10);
	if (rest[strspn(rest, "0123456789")] || !*rest || errno || pid < 1 || pid > INT_MAX)
		return kt_error_new(KT_ERROR_USAGE, "'pid:%s' is not the number of a process",
				    rest);
	*ret = (pid_t)pid;
	return NULL;
}

/* "URI:DOMAIN": a URI has colons itself, so the last one counts. A domain's name with a colon
 * has to be given by its UUID. */
static struct kt_error *parse_libvirt_uri(const char *rest, struct host_target *target)
{
	const char *colon = strrchr(rest, ':');

	if (!colon || colon == rest || colon[1] == '/' || !strstr(rest, "://"))
		return kt_error_new(KT_ERROR_USAGE,
				    "'libvirt+%s' lacks a URI or a domain behind it", rest);
	target->uri = strndup(rest, (size_t)(colon - rest));
	target->domain = strdup(colon + 1);
	return target->uri && target->domain ? NULL : kt_error_no_memory();
}

static struct kt_error *parse(const char *text, struct host_target *target)
{
	const char *rest;

	if (begins(text, "qmp:", &rest)) {
		target->kind = HOST_TARGET_QMP;
		return parse_qmp(rest, &target->address);
	}
	if (begins(text, "pid:", &rest)) {
		target->kind = HOST_TARGET_PID;
		return parse_pid(rest, &target->pid);
	}
	if (begins(text, "libvirt+", &rest)) {
		target->kind = HOST_TARGET_LIBVIRT;
		return parse_libvirt_uri(rest, target);
	}
	if (begins(text, "libvirt:", &rest)) {
		target->kind = HOST_TARGET_LIBVIRT;
		target->domain = strdup(rest);
		return target->domain ? NULL : kt_error_no_memory();
	}
	target->kind = HOST_TARGET_STUB;
	return kt_stub_address_parse(text, &target->address);
}

struct kt_error *host_target_parse(const char *text, struct host_target *ret)
{
	struct host_target target = {.text = strdup(text ? text : DEFAULT_TARGET)};
	struct kt_error *err;

	if (!target.text)
		return kt_error_no_memory();
	err = parse(target.text, &target);
	if (!err && target.domain && !*target.domain)
		err = kt_error_new(KT_ERROR_USAGE, "'%s' lacks the domain", target.text);
	if (err && kt_error_code(err) == KT_ERROR_USAGE)
		err = kt_error_hint(err, "a target is " HOST_TARGET_FORMS);
	if (!err)
		err = add_local_host(&target.address);
	if (err)
		host_target_deinit(&target);
	else
		*ret = target;
	return err;
}

void host_target_deinit(struct host_target *target)
{
	kt_stub_address_deinit(&target->address);
	free(target->text);
	free(target->uri);
	free(target->domain);
	*target = (struct host_target){0};
}
