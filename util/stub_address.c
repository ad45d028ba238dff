// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "util/stub_address.h"

static struct kt_error *bad_address(const char *text, const char *why)
{
	return kt_error_new(KT_ERROR_USAGE, "'%s' is not a GDB stub's address: %s", text, why);
}

static bool port_is_valid(const char *port)
{
	size_t digits = strspn(port, "0123456789");

	if (digits == 0 || digits > 5 || port[digits])
		return false;
	return atoi(port) >= 1 && atoi(port) <= 65535;
}

static struct kt_error *parse_unix(const char *text, struct kt_stub_address *address)
{
	const char *path = text + strlen("unix:");

	if (!*path)
		return bad_address(text, "the path is empty");
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return bad_address(text, "the path is too long for a Unix socket (107 bytes)");
	address->path = strdup(path);
	return address->path ? NULL : kt_error_no_memory();
}

static struct kt_error *parse_tcp(const char *text, struct kt_stub_address *address)
{
	/* "tcp:1234" is a host of that name, as for QEMU. */
	const char *host = !strncmp(text, "tcp:", 4) && strchr(text + 4, ':') ? text + 4 : text;
	/* The colon behind "]", or the only one. */
	const char *colon = strrchr(host, ':');
	const char *port = colon ? colon + 1 : host;
	size_t host_len = colon ? (size_t)(colon - host) : 0;

	if (host_len >= 2 && host[0] == '[' && host[host_len - 1] == ']') {
		host++;
		host_len -= 2;
		if (host_len == 0)
			return bad_address(text, "the address is empty");
	} else if (memchr(host, ':', host_len)) {
		return bad_address(text, "an IPv6 address needs brackets");
	} else if (strcspn(host, "[]/ ") < host_len) {
		return bad_address(text, "the host is not a name or an address");
	}
	if (!colon && host[0] == '/')
		return bad_address(text, "a Unix socket is unix:PATH");
	if (!port_is_valid(port))
		return bad_address(text, "the port is not a number from 1 to 65535");
	address->host = host_len ? strndup(host, host_len) : NULL;
	address->port = strdup(port);
	return address->port && (address->host || !host_len) ? NULL : kt_error_no_memory();
}

struct kt_error *kt_stub_address_parse(const char *text, struct kt_stub_address *ret)
{
	struct kt_stub_address address = {0};
	struct kt_error *err = strncmp(text, "unix:", strlen("unix:")) ? parse_tcp(text, &address)
								       : parse_unix(text, &address);

	if (err)
		kt_stub_address_deinit(&address);
	else
		*ret = address;
	return err;
}

int kt_stub_address_unix(const char *path, struct sockaddr_un *ret)
{
	struct stat st;

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret->sun_path))
		return ENAMETOOLONG;
	strcpy(ret->sun_path, path);
	return stat(path, &st) == 0 && !S_ISSOCK(st.st_mode) ? ENOTSOCK : 0;
}

void kt_stub_address_deinit(struct kt_stub_address *address)
{
	free(address->host);
	free(address->port);
	free(address->path);
	*address = (struct kt_stub_address){0};
}
