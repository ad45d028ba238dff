// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/libvirt.h"
#include "model/json.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define SYSTEM  "qemu:///system"
#define SESSION "qemu:///session"

/* libvirt/virterror.h */
enum {
	VIR_ERR_NO_SUPPORT = 3,
	VIR_ERR_NO_CONNECT = 5,
	VIR_ERR_INVALID_CONN = 6,
	VIR_ERR_SYSTEM_ERROR = 38,
	VIR_ERR_NO_DOMAIN = 42,
	VIR_ERR_AUTH_FAILED = 45,
	VIR_ERR_AUTH_CANCELLED = 79,
	VIR_ERR_AUTH_UNAVAILABLE = 80,
	VIR_ERR_ACCESS_DENIED = 88,
};

#define UUID_SIZE 37 /* VIR_UUID_STRING_BUFLEN */

typedef struct _virConnect virConnect;
typedef struct _virDomain virDomain;

/* What is used of libvirt, by its own names and types. */
struct lib {
	virConnect *(*virConnectOpen)(const char *uri);
	int (*virConnectClose)(virConnect *conn);
	virDomain *(*virDomainLookupByName)(virConnect *conn, const char *name);
	virDomain *(*virDomainLookupByUUIDString)(virConnect *conn, const char *uuid);
	virDomain *(*virDomainLookupByID)(virConnect *conn, int id);
	int (*virDomainGetUUIDString)(virDomain *domain, char *uuid);
	const char *(*virDomainGetName)(virDomain *domain);
	int (*virDomainIsActive)(virDomain *domain);
	int (*virDomainFree)(virDomain *domain);
	int (*virGetLastErrorCode)(void);
	const char *(*virGetLastErrorMessage)(void);
	int (*virDomainQemuMonitorCommand)(virDomain *domain, const char *command, char **result,
					   unsigned int flags);
	/* NULL before 8.2. */
	int (*virDomainQemuMonitorCommandWithFiles)(virDomain *domain, const char *command,
						    unsigned int n_in, int *in, unsigned int *n_out,
						    int **out, char **result, unsigned int flags);
};

struct libvirt {
	struct host_monitor base;
	struct lib lib;
	virConnect *conn;
	virDomain *domain;
};

/* --- the library --- */

#ifdef KT_STATIC
/* libvirt's library would bring a C library of its own along. */
static struct kt_error *load(struct lib *lib)
{
	(void)lib;
	return kt_error_hint(
		kt_error_new(KT_ERROR_UNSUPPORTED,
			     "this is the static ktstr-gdb, which has no libvirt"),
		"name the guest by pid:N or qmp:PATH, or use a ktstr-gdb of a package");
}
#else

struct wanted {
	const char *name;
	void *to; /* a pointer to a function of struct lib */
};

/* POSIX has a pointer to a function fit into a void *. */
static bool find_function(void *library, const struct wanted *wanted)
{
	void *found = dlsym(library, wanted->name);

	memcpy(wanted->to, &found, sizeof(found));
	return found != NULL;
}

static struct kt_error *load(struct lib *lib)
{
	const struct wanted of_libvirt[] = {
		{"virConnectOpen", &lib->virConnectOpen},
		{"virConnectClose", &lib->virConnectClose},
		{"virDomainLookupByName", &lib->virDomainLookupByName},
		{"virDomainLookupByUUIDString", &lib->virDomainLookupByUUIDString},
		{"virDomainLookupByID", &lib->virDomainLookupByID},
		{"virDomainGetUUIDString", &lib->virDomainGetUUIDString},
		{"virDomainGetName", &lib->virDomainGetName},
		{"virDomainIsActive", &lib->virDomainIsActive},
		{"virDomainFree", &lib->virDomainFree},
		{"virGetLastErrorCode", &lib->virGetLastErrorCode},
		{"virGetLastErrorMessage", &lib->virGetLastErrorMessage},
	};
	const struct wanted of_qemu[] = {
		{"virDomainQemuMonitorCommand", &lib->virDomainQemuMonitorCommand},
		{"virDomainQemuMonitorCommandWithFiles",
		 &lib->virDomainQemuMonitorCommandWithFiles},
	};
	void *libvirt = dlopen("libvirt.so.0", RTLD_NOW | RTLD_LOCAL);
	void *qemu = libvirt ? dlopen("libvirt-qemu.so.0", RTLD_NOW | RTLD_LOCAL) : NULL;
	bool ok = qemu != NULL;

	for (size_t i = 0; ok && i < sizeof(of_libvirt) / sizeof(*of_libvirt); i++)
		ok = find_function(libvirt, &of_libvirt[i]);
	ok = ok && find_function(qemu, &of_qemu[0]);
	if (ok)
		find_function(qemu, &of_qemu[1]);
	if (ok)
		return NULL;
	return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
					  "libvirt's library is not on this machine (libvirt.so.0, "
					  "libvirt-qemu.so.0)"),
			     "install libvirt0, or name the guest by pid:N or qmp:PATH");
}
#endif

/* --- what libvirt says --- */

static struct kt_error *say(const struct lib *lib, enum kt_error_code code)
{
	const char *message = lib->virGetLastErrorMessage();
	struct kt_error *err = kt_error_new(code, "libvirt says: %.300s",
					    message ? message : "nothing");

	switch (lib->virGetLastErrorCode()) {
	case VIR_ERR_AUTH_FAILED:
	case VIR_ERR_AUTH_CANCELLED:
	case VIR_ERR_AUTH_UNAVAILABLE:
	case VIR_ERR_ACCESS_DENIED:
		return kt_error_hint(err, "root may, and so may users of the group libvirt");
	case VIR_ERR_SYSTEM_ERROR:
	case VIR_ERR_NO_CONNECT:
		return kt_error_hint(err, "does libvirtd (or virtqemud) run, and may this user "
					  "connect to it?");
	default: return err;
	}
}

/* --- the domain --- */

/* A domain that fits. The first one is kept. */
struct candidates {
	struct libvirt *to;
	struct kt_buf names;  /* "libvirt+qemu:///system:UUID (name)", separated by ", " */
	char uuid[UUID_SIZE]; /* of the last one */
	size_t n;
};

static void take(struct candidates *c, const char *uri, virConnect *conn, virDomain *domain)
{
	struct lib *lib = &c->to->lib;
	char uuid[UUID_SIZE] = "";
	bool again;

	lib->virDomainGetUUIDString(domain, uuid);
	again = c->to->conn == conn && !strcmp(uuid, c->uuid);
	if (!again) {
		c->n++;
		memcpy(c->uuid, uuid, sizeof(uuid));
		kt_buf_printf(&c->names, "%slibvirt+%s:%s (%.100s)", c->n > 1 ? ", " : "", uri,
			      uuid, lib->virDomainGetName(domain));
	}
	if (c->n == 1 && !again) {
		c->to->conn = conn;
		c->to->domain = domain;
	} else {
		lib->virDomainFree(domain);
	}
}

static struct kt_error *look_in(struct candidates *c, const char *uri, const char *name)
{
	struct lib *lib = &c->to->lib;
	virConnect *conn = lib->virConnectOpen(uri);
	bool is_number = *name && strspn(name, "0123456789") == strlen(name) && strlen(name) < 10;
	virDomain *found[3];

	if (!conn)
		return kt_error_wrap(say(lib, KT_ERROR_CLOSED), "%s", uri);
	found[0] = is_number ? lib->virDomainLookupByID(conn, atoi(name)) : NULL;
	found[1] = lib->virDomainLookupByName(conn, name);
	found[2] = strlen(name) == UUID_SIZE - 1 ? lib->virDomainLookupByUUIDString(conn, name)
						 : NULL;
	for (size_t i = 0; i < 3; i++)
		if (found[i])
			take(c, uri, conn, found[i]);
	if (c->to->conn != conn)
		lib->virConnectClose(conn);
	return NULL;
}

/*
 * Where there was no login, as with sudo or cron, the variable is not set, and libvirt's library
 * looks for the session's socket in ~/.cache. This process is the keeper: it has no threads yet.
 */
static void set_runtime_dir(void)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/run/user/%u", (unsigned int)geteuid());
	if (!getenv("XDG_RUNTIME_DIR") && stat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid())
		setenv("XDG_RUNTIME_DIR", path, 0);
}

/* Asking a session that does not run would start it. */
static bool session_runs(void)
{
	static const char *const names[] = {"virtqemud-sock", "libvirt-sock"};
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char path[256];

	for (size_t i = 0; dir && i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/libvirt/%s", dir, names[i]);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* Errors of one place count only if the other one does not have the domain. */
static struct kt_error *look_around(struct candidates *c, const char *name)
{
	struct kt_error *err = NULL, *of_system;

	if (geteuid() && session_runs())
		err = look_in(c, SESSION, name);
	of_system = look_in(c, SYSTEM, name);
	if (!c->n && !of_system)
		return err;
	kt_error_destroy(err);
	if (!c->n)
		return of_system;
	kt_error_destroy(of_system);
	return NULL;
}

static struct kt_error *check(const struct candidates *c, const char *name)
{
	const struct libvirt *to = c->to;
	int active;

	if (!c->n)
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
						  "libvirt has no domain '%.100s'", name),
				     "`virsh list --all` lists them, `ktstr-gdb list` those that "
				     "run; libvirt+URI:DOMAIN names another connection");
	if (c->n > 1)
		return kt_error_new(KT_ERROR_USAGE,
				    "'%.100s' names %zu domains; give one of these: %s", name, c->n,
				    c->names.data ? c->names.data : "");
	active = to->lib.virDomainIsActive(to->domain);
	if (active < 0)
		return say(&to->lib, KT_ERROR_CLOSED);
	if (!active)
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_READY,
						  "the domain '%.100s' does not run",
						  to->lib.virDomainGetName(to->domain)),
				     "`virsh start` starts it; --wait SECONDS waits for that");
	return NULL;
}

/* A host in the URI: "qemu+ssh://host/system". */
static bool is_remote(const char *uri)
{
	const char *host = strstr(uri, "://");

	return host && host[3] && host[3] != '/';
}

static struct kt_error *find_domain(struct libvirt *libvirt, const char *uri, const char *name)
{
	struct candidates c = {.to = libvirt};
	struct kt_error *err;

	if (uri && is_remote(uri))
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "the domain runs on another host (%.100s)", uri),
				     "start the tool there");
	set_runtime_dir();
	err = uri ? look_in(&c, uri, name) : look_around(&c, name);
	if (!err)
		err = check(&c, name);
	kt_buf_deinit(&c.names);
	return err;
}

/* --- the monitor --- */

static struct kt_error *libvirt_execute(struct host_monitor *monitor, json_t *command, int fd,
					json_t **ret)
{
	struct libvirt *libvirt = (struct libvirt *)monitor;
	struct lib *lib = &libvirt->lib;
	_cleanup_free_ char *line = NULL, *result = NULL;
	struct kt_error *err = kt_json_dump_line(json_incref(command), &line);
	json_error_t why;
	size_t len;
	int rc;

	if (err)
		return err;
	if (fd >= 0)
		rc = lib->virDomainQemuMonitorCommandWithFiles(libvirt->domain, line, 1, &fd, NULL,
							       NULL, &result, 0);
	else
		rc = lib->virDomainQemuMonitorCommand(libvirt->domain, line, &result, 0);
	if (rc < 0 || !result) {
		int code = lib->virGetLastErrorCode();

		return say(lib, code == VIR_ERR_NO_SUPPORT || code == VIR_ERR_INVALID_CONN
					? KT_ERROR_UNSUPPORTED
					: KT_ERROR_CLOSED);
	}
	len = strlen(result);
	*ret = len <= HOST_REPLY_MAX ? kt_json_load((struct kt_text){result, len}, 0, &why) : NULL;
	if (*ret)
		return NULL;
	return kt_error_new(KT_ERROR_PROTOCOL, "libvirt passes on what is no reply of QEMU's");
}

static void libvirt_destroy(struct host_monitor *monitor)
{
	struct libvirt *libvirt = (struct libvirt *)monitor;

	if (libvirt->domain)
		libvirt->lib.virDomainFree(libvirt->domain);
	if (libvirt->conn)
		libvirt->lib.virConnectClose(libvirt->conn);
	free(libvirt);
}

struct kt_error *host_libvirt_open(const char *uri, const char *domain, struct host_monitor **ret)
{
	static const struct host_monitor_ops ops = {libvirt_execute, libvirt_destroy};
	struct libvirt *libvirt = calloc(1, sizeof(*libvirt));
	struct kt_error *err;

	if (!libvirt)
		return kt_error_no_memory();
	libvirt->base.ops = &ops;
	libvirt->base.is_here = true;
	err = load(&libvirt->lib);
	if (!err)
		err = find_domain(libvirt, uri, domain);
	if (err) {
		libvirt_destroy(&libvirt->base);
		return err;
	}
	libvirt->base.passes_fds = libvirt->lib.virDomainQemuMonitorCommandWithFiles != NULL;
	*ret = &libvirt->base;
	return NULL;
}
