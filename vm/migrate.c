// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/clock.h"
#include "vm/migrate.h"
#include "vm/ram.h"

/*
 * A file as "fd:" is known to QEMU 7.2 to 11; "file:" came with 8.2, and "exec:" would need a
 * shell. A descriptor that getfd has named is QEMU's, and is used up by the migration.
 */
#define FD_NAME "snapshot"
#define FD_URI  "fd:" FD_NAME

/* QEMU's default, 128 MiB/s, is for networks. */
#define BANDWIDTH (INT64_C(1) << 40)
#define POLL_US   10000
#define GO_ON_MS  30000

static struct kt_error *hand_over(struct vm_monitor *monitor, int fd)
{
	return vm_monitor_send(monitor, "getfd", json_pack("{s:s}", "fdname", FD_NAME), fd);
}

/*
 * Shared memory stays out of the stream. For one that maps the file privately it is as if it had
 * come: so QEMU's docs/system/vm-templating.rst has it. Since 4.0.
 */
static struct kt_error *ignore_shared(struct vm_monitor *monitor)
{
	return vm_monitor_send(monitor, "migrate-set-capabilities",
			       json_pack("{s:[{s:s, s:b}]}", "capabilities", "capability",
					 "x-ignore-shared", "state", 1),
			       -1);
}

static json_t *place(void)
{
	return json_pack("{s:s}", "uri", FD_URI);
}

/* "active", "completed", "failed", ... */
static struct kt_error *look(struct vm_monitor *monitor, bool *done)
{
	json_t *state = NULL;
	struct kt_error *err = vm_monitor_run(monitor, "query-migrate", NULL, -1, &state);
	const char *status = json_string_value(json_object_get(state, "status"));
	const char *why = json_string_value(json_object_get(state, "error-desc"));

	*done = !err && status && !strcmp(status, "completed");
	if (!err && status && (!strcmp(status, "failed") || !strcmp(status, "cancelled")))
		err = kt_error_new(KT_ERROR_UNSUPPORTED, "QEMU could not write it: %.200s",
				   why ? why : "it does not say why");
	json_decref(state);
	return err;
}

static struct kt_error *check_size(int fd, int64_t max)
{
	struct stat st;

	if (fstat(fd, &st))
		return kt_error_os(errno, "cannot tell the size of a snapshot");
	return st.st_size <= max ? NULL
				 : kt_error_new(KT_ERROR_UNSUPPORTED, "it has more than %lld MB",
						(long long)max >> 20);
}

static struct kt_error *write_out(struct vm_monitor *monitor, int fd,
				  const struct vm_migrate_ram *ram, int64_t max)
{
	struct kt_error *err = hand_over(monitor, fd);
	bool done = false;

	if (!err && ram->size)
		err = ignore_shared(monitor);
	if (!err)
		err = vm_monitor_send(monitor, "migrate-set-parameters",
				      json_pack("{s:I}", "max-bandwidth", (json_int_t)BANDWIDTH),
				      -1);
	if (!err)
		err = vm_monitor_send(monitor, "migrate", place(), -1);
	if (!err)
		err = vm_monitor_settle(monitor);
	while (!err && !done) {
		err = look(monitor, &done);
		if (!err)
			err = check_size(fd, (int64_t)ram->size + max);
		if (!err && !done)
			usleep(POLL_US);
	}
	/* The guest stands still now. */
	return err || !ram->size ? err : vm_ram_copy(ram->fd, fd, ram->size, (uint64_t)max);
}

struct kt_error *vm_migrate_save(struct vm_monitor *monitor, int fd,
				 const struct vm_migrate_ram *ram, int64_t max, bool *runs_ret)
{
	struct kt_error *err = write_out(monitor, fd, ram, max), *on;

	/* A time of its own: without this, the guest stands still. */
	monitor->deadline_ns = kt_deadline_ms(GO_ON_MS);
	if (err)
		kt_error_destroy(vm_monitor_run(monitor, "migrate_cancel", NULL, -1, NULL));
	on = vm_monitor_run(monitor, "cont", NULL, -1, NULL);
	*runs_ret = !on;
	if (err)
		kt_error_destroy(on);
	return err ? err : on;
}

/* A guest that ran when it was kept runs as soon as it is there: nothing is left to be waited for.
 */
struct kt_error *vm_migrate_load(struct vm_monitor *monitor, int fd, bool mapped)
{
	struct kt_error *err = hand_over(monitor, fd);

	if (!err && mapped)
		err = ignore_shared(monitor);
	if (!err)
		err = vm_monitor_send(monitor, "migrate-incoming", place(), -1);
	return err ? err : vm_monitor_settle(monitor);
}
