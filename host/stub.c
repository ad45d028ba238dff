// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/stub.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* Of our character devices. A number follows. */
#define LABEL_PREFIX "ktstr-gdb-"
/* QEMU's own, for -s, `-gdb ADDRESS` and `gdbserver ADDRESS`. */
#define QEMU_LABEL "gdb"
/* What `gdbserver` prints when it worked (hmp_gdbserver(), 7.2 to 11.1). */
#define STARTED "Waiting for gdb connection"
/* The socket in our private directory. */
#define SOCKET_NAME "gdb"

#define _cleanup_json_ _cleanup_(json_decrefp)

void host_vm_deinit(struct host_vm *vm)
{
	free(vm->address);
	*vm = (struct host_vm){0};
}

void host_stub_init(struct host_stub *stub, struct host_monitor *monitor)
{
	*stub = (struct host_stub){.monitor = monitor};
	snprintf(stub->label, sizeof(stub->label), LABEL_PREFIX "%ld", (long)getpid());
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* A question that an older QEMU may not know: *ret stays NULL then. */
static struct kt_error *ask(struct host_stub *stub, const char *command, json_t *args, json_t **ret)
{
	struct kt_error *err = host_monitor_run(stub->monitor, command, args, ret);
	enum kt_error_code code = err ? kt_error_code(err) : 0;

	if (!err || (code != KT_ERROR_UNSUPPORTED && code != KT_ERROR_NOT_FOUND))
		return err;
	kt_error_destroy(err);
	return NULL;
}

/* --- what QEMU says of itself and its guest --- */

/* {"running": true, "singlestep": false, "status": "running"} */
static struct kt_error *look_at_state(struct host_stub *stub, struct host_vm *vm)
{
	_cleanup_json_ json_t *status = NULL;
	struct kt_error *err = host_monitor_run(stub->monitor, "query-status", NULL, &status);

	if (err && kt_error_code(err) == KT_ERROR_UNSUPPORTED)
		return kt_error_wrap(err, "this monitor has no guest");
	if (err)
		return err;
	if (!json_is_boolean(json_object_get(status, "running")))
		return kt_error_new(KT_ERROR_PROTOCOL, "QEMU does not say whether the guest runs");
	vm->runs = json_is_true(json_object_get(status, "running"));
	snprintf(vm->state, sizeof(vm->state), "%s", text_of(status, "status"));
	if (strcmp(vm->state, "inmigrate") && strcmp(vm->state, "preconfig"))
		return NULL;
	return kt_error_hint(kt_error_new(KT_ERROR_NOT_READY,
					  "the guest is not there yet: QEMU is in state '%s'",
					  vm->state),
			     "--wait SECONDS waits for it");
}

static struct kt_error *look_at_migration(struct host_stub *stub)
{
	static const char *const under_way[] = {
		"setup",
		"active",
		"pre-switchover",
		"device",
		"wait-unplug",
		"cancelling",
		"colo",
		"postcopy-active",
		"postcopy-paused",
		"postcopy-recover",
		"postcopy-recover-setup",
	};
	_cleanup_json_ json_t *migration = NULL;
	struct kt_error *err = ask(stub, "query-migrate", NULL, &migration);
	const char *status = text_of(migration, "status");

	for (size_t i = 0; !err && i < sizeof(under_way) / sizeof(*under_way); i++)
		if (!strcmp(status, under_way[i]))
			err = kt_error_hint(kt_error_new(KT_ERROR_NOT_READY,
							 "the guest is being migrated ('%s')",
							 status),
					    "--wait SECONDS waits for the end of it");
	return err;
}

/* The path of an object such as sev-guest or tdx-guest; "": none. */
static struct kt_error *look_at_secrecy(struct host_stub *stub)
{
	_cleanup_json_ json_t *secret = NULL;
	json_t *args = json_pack("{s:s, s:s}", "path", "/machine", "property",
				 "confidential-guest-support");
	struct kt_error *err = args ? ask(stub, "qom-get", args, &secret) : kt_error_no_memory();
	const char *path = secret ? json_string_value(secret) : NULL;

	if (err || !path || !*path)
		return err;
	return kt_error_new(KT_ERROR_UNSUPPORTED,
			    "this is a confidential guest (%.100s): its memory cannot be read from "
			    "outside",
			    path);
}

/* --- a stub that is there --- */

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Any other device may have "gdb" in its label, too, so it has to be a socket. */
static bool is_stub(const struct host_stub *stub, const char *label, const char *filename)
{
	if (!strcmp(label, QEMU_LABEL) || (stub->gdb_label && !strcmp(label, stub->gdb_label)))
		return true;
	return strcasestr(label, "gdb") && (begins(filename, "disconnected:") ||
					    begins(filename, "unix:") || begins(filename, "tcp:"));
}

/* QEMU has a relative path from where it was started. */
static struct kt_error *unix_address(const struct host_stub *stub, const char *path, char **ret)
{
	char link[64], cwd[PATH_MAX] = "";
	ssize_t n = 0;

	if (*path != '/' && stub->monitor->pid) {
		snprintf(link, sizeof(link), "/proc/%ld/cwd", (long)stub->monitor->pid);
		n = readlink(link, cwd, sizeof(cwd) - 2);
	}
	if (n > 0)
		strcpy(cwd + n, "/");
	return asprintf(ret, "unix:%s%s", n > 0 ? cwd : "", path) < 0 ? kt_error_no_memory() : NULL;
}

/* "tcp:0.0.0.0:1234,server=on", "tcp::::1234,server=on" (7.2), "unix:PATH,server=on" */
static struct kt_error *address_of(const struct host_stub *stub, const char *text, char **ret)
{
	const char *options = strstr(text, ",server");
	_cleanup_free_ char *place = strndup(text,
					     options ? (size_t)(options - text) : strlen(text));
	char *host, *port;
	bool anywhere, v6;
	int n;

	if (!place)
		return kt_error_no_memory();
	if (begins(place, "unix:"))
		return unix_address(stub, place + strlen("unix:"), ret);
	port = strrchr(place, ':');
	if (!begins(place, "tcp:") || !options || port < place + strlen("tcp:"))
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "the guest's stub is on '%.100s', where nobody can connect to",
				    text);
	*port++ = '\0';
	host = place + strlen("tcp:");
	anywhere = !*host || !strcmp(host, "0.0.0.0") || !strcmp(host, "::") ||
		   !strcmp(host, "[::]");
	v6 = strchr(host, ':') && *host != '[';
	n = asprintf(ret, "%s%s%s:%s", v6 && !anywhere ? "[" : "", anywhere ? "" : host,
		     v6 && !anywhere ? "]" : "", port);
	return n < 0 ? kt_error_no_memory() : NULL;
}

/* What is known of the stub's character device, of which there is one at most. */
struct found {
	char *label, *filename; /* NULL: there is none */
};

static void found_deinit(struct found *found)
{
	free(found->label);
	free(found->filename);
}

/* [{"label": "gdb", "filename": "disconnected:unix:/tmp/gdb,server=on", "frontend-open": true}] */
static struct kt_error *find_stub(struct host_stub *stub, const char *wanted, struct found *ret)
{
	_cleanup_json_ json_t *devices = NULL;
	struct kt_error *err = host_monitor_run(stub->monitor, "query-chardev", NULL, &devices);
	const json_t *device;
	size_t i;

	if (err)
		return err;
	json_array_foreach(devices, i, device)
	{
		const char *label = text_of(device, "label");
		const char *filename = text_of(device, "filename");

		if (wanted ? strcmp(label, wanted) != 0 : !is_stub(stub, label, filename))
			continue;
		ret->label = strdup(label);
		ret->filename = strdup(filename);
		return ret->label && ret->filename ? NULL : kt_error_no_memory();
	}
	return NULL;
}

static struct kt_error *in_use(const struct found *found)
{
	return kt_error_hint(
		kt_error_new(KT_ERROR_CLOSED,
			     "somebody else uses the guest's GDB stub (character device '%.60s', "
			     "%.100s)",
			     found->label, found->filename),
		"QEMU has one stub and serves one debugger at a time: end that one first");
}

/* A keeper that was killed left our stub behind, and nobody can connect to that any more. */
static struct kt_error *end_leftover(struct host_stub *stub)
{
	char *text = NULL;
	struct kt_error *err = host_monitor_hmp(stub->monitor, "gdbserver none", &text);

	free(text);
	return err;
}

/* *address_ret: of a stub that is there and idle, NULL if there is none. */
static struct kt_error *look_for_stub(struct host_stub *stub, char **address_ret)
{
	_cleanup_(found_deinit) struct found found = {0};
	struct kt_error *err = find_stub(stub, NULL, &found);

	*address_ret = NULL;
	if (err || !found.label)
		return err;
	if (!begins(found.filename, "disconnected:"))
		return in_use(&found);
	if (begins(found.label, LABEL_PREFIX))
		return end_leftover(stub);
	return address_of(stub, found.filename + strlen("disconnected:"), address_ret);
}

struct kt_error *host_stub_look(struct host_stub *stub, struct host_vm *ret)
{
	struct host_vm vm = {.pid = stub->monitor->pid};
	struct kt_error *err = look_at_state(stub, &vm);

	if (!err)
		err = look_at_migration(stub);
	if (!err)
		err = look_at_secrecy(stub);
	if (!err)
		err = look_for_stub(stub, &vm.address);
	if (err)
		host_vm_deinit(&vm);
	else
		*ret = vm;
	return err;
}

struct kt_error *host_stub_state(struct host_stub *stub, struct host_vm *ret)
{
	return look_at_state(stub, ret);
}

struct kt_error *host_stub_look_again(struct host_stub *stub, struct host_vm *vm)
{
	_cleanup_free_ char *address = NULL;
	struct kt_error *err = look_at_state(stub, vm);

	if (!err)
		err = look_for_stub(stub, &address);
	/* `gdbserver` would take the place of a stub that was started meanwhile. */
	if (!err && address && !vm->address)
		err = kt_error_hint(kt_error_new(KT_ERROR_CLOSED,
						 "somebody has started a GDB stub for the guest"),
				    "try again: that one is used then");
	return err;
}

/* --- starting one --- */

/*
 * "unknown command: 'gdbserver'" of a QEMU that was built without it, "gdbstub: current
 * accelerator doesn't support guest debugging", or why the device cannot be opened.
 */
static struct kt_error *refused(const char *said)
{
	size_t len = strcspn(said, "\r\n");
	struct kt_error *err;

	if (strstr(said, "unknown command"))
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "this QEMU has no GDB stub: it was built without 'gdbserver'");
	err = kt_error_new(KT_ERROR_UNSUPPORTED, "QEMU cannot start a GDB stub: it says '%.*s'",
			   (int)(len < 200 ? len : 200), said);
	if (strstr(said, "guest debug"))
		err = kt_error_hint(err, "its accelerator cannot be debugged; KVM and TCG can");
	return err;
}

static struct kt_error *start(struct host_stub *stub, const char *device)
{
	_cleanup_free_ char *said = NULL;
	char line[160];
	struct kt_error *err;

	snprintf(line, sizeof(line), "gdbserver %s", device);
	err = host_monitor_hmp(stub->monitor, line, &said);
	if (err)
		return err;
	return strstr(said, STARTED) ? NULL : refused(said);
}

/* After an error of ours: what QEMU says to that does not matter any more. */
static void run_quietly(struct host_stub *stub, const char *command, const char *key)
{
	json_t *args = json_pack("{s:s}", key, stub->label);

	if (args)
		kt_error_destroy(host_monitor_run(stub->monitor, command, args, NULL));
}

static struct kt_error *add_device(struct host_stub *stub, int theirs)
{
	json_t *args = json_pack("{s:s, s:{s:s, s:{s:{s:s, s:{s:s}}, s:b}}}", "id", stub->label,
				 "backend", "type", "socket", "data", "addr", "type", "fd", "data",
				 "str", stub->label, "server", 0);
	struct kt_error *err;

	if (!args)
		return kt_error_no_memory();
	err = host_monitor_getfd(stub->monitor, stub->label, theirs);
	if (err) {
		json_decref(args);
		return kt_error_wrap(err, "cannot give QEMU a socket");
	}
	err = host_monitor_run(stub->monitor, "chardev-add", args, NULL);
	if (err)
		run_quietly(stub, "closefd", "fdname");
	return err;
}

struct kt_error *host_stub_dial(struct host_stub *stub, int theirs, int64_t *stopped_ns_ret)
{
	char device[64];
	struct kt_error *err;

	/* Before it is, so that nobody who has to remove it misses it. */
	stub->there = true;
	err = add_device(stub, theirs);
	if (err) {
		stub->there = false;
		return err;
	}
	*stopped_ns_ret = kt_now_ns();
	snprintf(device, sizeof(device), "chardev:%s", stub->label);
	err = start(stub, device);
	if (err && kt_error_code(err) == KT_ERROR_UNSUPPORTED) {
		run_quietly(stub, "chardev-remove", "id");
		stub->there = false;
	}
	return err;
}

/* --- one that listens --- */

static void remove_private(struct host_stub *stub)
{
	char path[sizeof(stub->private) + sizeof(SOCKET_NAME) + 1];

	if (!*stub->private)
		return;
	snprintf(path, sizeof(path), "%s/" SOCKET_NAME, stub->private);
	unlink(path);
	rmdir(stub->private);
	*stub->private = '\0';
}

/* Only a QEMU of this host that may enter our directory can make the socket. */
static struct kt_error *listen_privately(struct host_stub *stub, char **address_ret)
{
	char path[sizeof(stub->private) + sizeof(SOCKET_NAME) + 1], device[128];
	struct kt_error *err;
	struct stat st;

	strcpy(stub->private, "/tmp/ktstr-gdb-XXXXXX");
	if (!mkdtemp(stub->private)) {
		*stub->private = '\0';
		return kt_error_os(errno, "cannot make a directory in /tmp");
	}
	snprintf(path, sizeof(path), "%s/" SOCKET_NAME, stub->private);
	snprintf(device, sizeof(device), "unix:%s,server=on,wait=off", path);
	err = start(stub, device);
	if (err) {
		remove_private(stub);
		return err;
	}
	stub->there = true;
	if (lstat(path, &st) || !S_ISSOCK(st.st_mode)) {
		kt_error_destroy(host_stub_end(stub));
		return kt_error_new(KT_ERROR_UNSUPPORTED, "QEMU is on another host");
	}
	if (asprintf(address_ret, "unix:%s", path) >= 0)
		return NULL;
	kt_error_destroy(host_stub_end(stub));
	return kt_error_no_memory();
}

/* Port 0: the kernel chooses one, and QEMU tells which. */
static struct kt_error *listen_on_loopback(struct host_stub *stub, char **address_ret)
{
	_cleanup_(found_deinit) struct found found = {0};
	struct kt_error *err = start(stub, "tcp:127.0.0.1:0");

	if (err)
		return err;
	stub->there = true;
	err = find_stub(stub, QEMU_LABEL, &found);
	if (!err && (!found.label || !begins(found.filename, "disconnected:tcp:127.0.0.1:")))
		err = kt_error_new(KT_ERROR_PROTOCOL, "QEMU does not tell the port of its stub");
	if (!err)
		err = address_of(stub, found.filename + strlen("disconnected:"), address_ret);
	if (err)
		kt_error_destroy(host_stub_end(stub));
	return err;
}

struct kt_error *host_stub_listen(struct host_stub *stub, char **address_ret)
{
	struct kt_error *err;

	snprintf(stub->label, sizeof(stub->label), QEMU_LABEL);
	err = listen_privately(stub, address_ret);
	if (!err)
		return NULL;
	if (stub->monitor->is_here && kt_error_code(err) == KT_ERROR_UNSUPPORTED) {
		kt_error_destroy(err);
		return listen_on_loopback(stub, address_ret);
	}
	return kt_error_hint(err, "start the tool where QEMU runs, or QEMU with a stub: -gdb "
				  "tcp:HOST:PORT");
}

/* --- its end --- */

struct kt_error *host_stub_is_idle(struct host_stub *stub, bool *idle_ret)
{
	_cleanup_(found_deinit) struct found found = {0};
	struct kt_error *err = find_stub(stub, stub->there ? stub->label : NULL, &found);

	if (err)
		return err;
	*idle_ret = !found.label || begins(found.filename, "disconnected:");
	return NULL;
}

struct kt_error *host_stub_end(struct host_stub *stub)
{
	_cleanup_(found_deinit) struct found found = {0};
	struct kt_error *err;
	char *said = NULL;

	if (!stub->there) {
		remove_private(stub);
		return NULL;
	}
	/* If somebody's stub took the place of ours, QEMU has removed ours itself. */
	err = find_stub(stub, stub->label, &found);
	if (!err && found.label)
		err = host_monitor_hmp(stub->monitor, "gdbserver none", &said);
	free(said);
	if (!err)
		stub->there = false;
	remove_private(stub);
	return kt_error_wrap(err, "cannot end the GDB stub that was started for the guest");
}

struct kt_error *host_stub_continue(struct host_stub *stub)
{
	return host_monitor_run(stub->monitor, "cont", NULL, NULL);
}
