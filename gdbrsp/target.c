// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "gdbrsp/target.h"
#include "util/cleanup.h"

#define DEFAULT_TARGET ":1234"

static struct kt_error *bad_target(const char *text, const char *why)
{
	struct kt_error *err = kt_error_new(KT_ERROR_USAGE, "'%s' is not a GDB stub's address: %s",
					    text, why);

	return kt_error_hint(err, "a target is HOST:PORT, [V6ADDR]:PORT, :PORT, PORT or unix:PATH");
}

static bool port_is_valid(const char *port)
{
	size_t digits = strspn(port, "0123456789");

	if (digits == 0 || digits > 5 || port[digits])
		return false;
	return atoi(port) >= 1 && atoi(port) <= 65535;
}

static struct kt_error *parse_unix(const char *text, const char *path, struct rsp_target *target)
{
	if (!*path)
		return bad_target(text, "the path is empty");
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return bad_target(text, "the path is too long for a Unix socket (107 bytes)");
	target->path = strdup(path);
	return target->path ? NULL : kt_error_no_memory();
}

/* Where the host ends and the port begins: the colon behind `]`, or the only one. */
static struct kt_error *parse_tcp(const char *text, const char *address, struct rsp_target *target)
{
	const char *colon = strrchr(address, ':');
	const char *port = colon ? colon + 1 : address;
	const char *host = address;
	size_t host_len = colon ? (size_t)(colon - address) : 0;

	if (host_len >= 2 && host[0] == '[' && host[host_len - 1] == ']') {
		host++;
		host_len -= 2;
		if (host_len == 0)
			return bad_target(text, "the address is empty");
	} else if (memchr(host, ':', host_len)) {
		return bad_target(text, "an IPv6 address needs brackets");
	} else if (strcspn(host, "[]/ ") < host_len) {
		return bad_target(text, "the host is not a name or an address");
	}
	if (!colon && address[0] == '/')
		return bad_target(text, "a Unix socket is unix:PATH");
	if (!port_is_valid(port))
		return bad_target(text, "the port is not a number from 1 to 65535");
	target->host = host_len ? strndup(host, host_len) : strdup("localhost");
	target->port = strdup(port);
	return target->host && target->port ? NULL : kt_error_no_memory();
}

struct kt_error *rsp_target_parse(const char *text, struct rsp_target *ret)
{
	struct rsp_target target = {0};
	struct kt_error *err;

	if (!text)
		text = DEFAULT_TARGET;
	target.text = strdup(text);
	if (!target.text)
		return kt_error_no_memory();
	if (!strncmp(text, "unix:", 5))
		err = parse_unix(text, text + 5, &target);
	else if (!strncmp(text, "tcp:", 4) && strchr(text + 4, ':')) /* as QEMU's -gdb has it */
		err = parse_tcp(text, text + 4, &target);
	else
		err = parse_tcp(text, text, &target);
	if (err) {
		rsp_target_deinit(&target);
		return err;
	}
	*ret = target;
	return NULL;
}

void rsp_target_deinit(struct rsp_target *target)
{
	free(target->host);
	free(target->port);
	free(target->path);
	free(target->text);
	*target = (struct rsp_target){0};
}
