// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/io.h"
#include "vm/migrate.h"
#include "vm/ram.h"
#include "vm/snapshot_key.h"
#include "vm/warm.h"

/* QEMU answers within 0.1 s on an idle machine; these are for a busy one. */
#define RESTORE_MAX_MS 30000
#define KEEP_MAX_MS    30000
/* For each piece of the work that is sent, and for the guest's first word after all of it. */
#define SEND_MAX_MS 45000
#define PIECE       (64u << 10)

bool vm_warm_open(struct vm_warm *warm, const struct vm_config *config)
{
	struct kt_error *err;

	if (!vm_snapshot_possible(config))
		return false;
	warm->monitor.cancel_fd = config->cancel_fd;
	err = vm_snapshots_open(config->cache_dir, &warm->snapshots);
	if (err && config->progress)
		config->progress(config->progress_arg, kt_error_message(err));
	kt_error_destroy(err);
	return warm->snapshots.dir_fd >= 0;
}

static void drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* QEMU has its own. */
static void drop_files(struct vm_warm *warm)
{
	drop(&warm->snapshot_fd);
	drop(&warm->ram.fd);
}

void vm_warm_deinit(struct vm_warm *warm)
{
	drop_files(warm);
	vm_monitor_close(&warm->monitor);
	vm_snapshots_close(&warm->snapshots);
}

/*
 * Where QEMU looks for the guest's memory: a link in the private directory, which leads to a
 * descriptor of this process. So it is this very file, whatever becomes of its name.
 */
static struct kt_error *place_ram(const struct vm_guard *guard, int fd)
{
	_cleanup_free_ char *path = vm_guard_path(guard, VM_QEMU_RAM);
	char target[64];

	if (!path)
		return kt_error_no_memory();
	snprintf(target, sizeof(target), "/proc/%ld/fd/%d", (long)getpid(), fd);
	(void)unlink(path);
	return symlink(target, path) ? kt_error_os(errno, "cannot make %s", path) : NULL;
}

static struct kt_error *give_ram(struct vm_warm *warm, const struct vm_guard *guard)
{
	struct kt_error *err = NULL;

	if (!warm->ram.size)
		return NULL;
	if (warm->how == VM_START_KEEP)
		err = vm_ram_create(warm->ram.size, &warm->ram.fd);
	return err ? err
		   : place_ram(guard,
			       warm->how == VM_START_KEEP ? warm->ram.fd : warm->snapshot_fd);
}

struct kt_error *vm_warm_choose(struct vm_warm *warm, const struct vm_guard *guard,
				const struct vm_config *config, const char *accel,
				const char *initrd)
{
	struct kt_error *err;

	drop_files(warm);
	err = vm_snapshot_key(guard, config, accel, initrd, warm->key);
	if (err || vm_snapshot_is_never(&warm->snapshots, warm->key)) {
		/* What is wrong with a file is told where it is used. */
		kt_error_destroy(err);
		warm->how = VM_START_BOOT;
		return NULL;
	}
	warm->snapshot_fd = vm_snapshot_find(&warm->snapshots, warm->key);
	warm->how = warm->snapshot_fd >= 0 ? VM_START_RESTORE : VM_START_KEEP;
	warm->ram.size = vm_qemu_ram(config);
	err = give_ram(warm, guard);
	return err ? err : vm_monitor_listen(&warm->monitor, guard->dir);
}

static struct kt_error *check_version(const struct vm_warm *warm, const struct vm_snapshot_of *of)
{
	return strcmp(of->qemu, warm->monitor.version)
		       ? kt_error_new(KT_ERROR_MISMATCH,
				      "the snapshot is of QEMU %s, and this is %s", of->qemu,
				      warm->monitor.version)
		       : NULL;
}

struct kt_error *vm_warm_restore(struct vm_warm *warm, struct vm_channel *channel, const char *work)
{
	struct vm_snapshot_of of;
	struct kt_error *err = NULL;

	warm->monitor.deadline_ns = kt_deadline_ms(RESTORE_MAX_MS);
	/* While QEMU starts. */
	if (!vm_snapshot_check(warm->snapshot_fd, warm->key, &of))
		err = kt_error_new(KT_ERROR_FORMAT, "the snapshot is damaged");
	if (!err)
		err = vm_monitor_begin(&warm->monitor);
	if (!err)
		err = check_version(warm, &of);
	if (!err)
		err = vm_migrate_load(&warm->monitor, warm->snapshot_fd, warm->ram.size);
	drop_files(warm);
	vm_monitor_close(&warm->monitor);
	/* QEMU has connected before its monitor answers. */
	if (!err)
		err = vm_channel_receive(channel);
	return err ? err : vm_warm_send(warm, channel, work);
}

static struct kt_error *keep(struct vm_warm *warm, const char *kernel, bool *runs_ret)
{
	struct vm_snapshot_file file;
	struct vm_snapshot_of of = {0};
	struct kt_error *err = vm_monitor_begin(&warm->monitor);

	if (err)
		return err;
	err = vm_snapshot_create(&warm->snapshots, warm->ram.size, &file);
	if (err)
		return err;
	snprintf(of.kernel, sizeof(of.kernel), "%s", kernel);
	snprintf(of.qemu, sizeof(of.qemu), "%s", warm->monitor.version);
	err = vm_migrate_save(&warm->monitor, file.fd, &warm->ram, VM_SNAPSHOT_MAX, runs_ret);
	if (!err)
		err = vm_snapshot_commit(&warm->snapshots, &file, warm->key, &of, VM_SNAPSHOTS_MAX);
	else
		vm_snapshot_abandon(&warm->snapshots, &file);
	return err;
}

bool vm_warm_keep(struct vm_warm *warm, const struct vm_config *config)
{
	int64_t start = kt_now_ns();
	struct kt_error *err;
	bool runs = true;

	if (config->progress)
		config->progress(config->progress_arg, "keeping the guest for the next time");
	warm->monitor.deadline_ns = kt_deadline_ms(KEEP_MAX_MS);
	err = keep(warm, config->kernel, &runs);
	drop_files(warm);
	vm_monitor_close(&warm->monitor);
	if (!err)
		warm->keep_ns = kt_now_ns() - start;
	else if (config->progress)
		config->progress(config->progress_arg, kt_error_message(err));
	kt_error_destroy(err);
	return runs;
}

static struct kt_error *send_head(struct vm_channel *channel, uint64_t size)
{
	_cleanup_(kt_buf_deinit) struct kt_buf payload = KT_BUF_INIT;
	struct kt_work work = {.size = size};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	work.realtime_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (getrandom(work.entropy, sizeof(work.entropy), 0) != sizeof(work.entropy))
		return kt_error_os(errno, "cannot get random bytes for the guest");
	kt_work_encode(&payload, &work);
	if (payload.failed)
		return kt_error_no_memory();
	return vm_channel_send_by(channel, KT_FRAME_WORK, payload.data, payload.len,
				  kt_deadline_ms(SEND_MAX_MS));
}

static bool is_cancelled(const struct vm_warm *warm)
{
	struct pollfd pfd = {warm->monitor.cancel_fd, POLLIN, 0};

	return poll(&pfd, 1, 0) > 0;
}

struct kt_error *vm_warm_send(struct vm_warm *warm, struct vm_channel *channel, const char *work)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *piece = malloc(PIECE);
	struct kt_error *err;
	off_t size, done = 0;

	if (!piece)
		return kt_error_no_memory();
	err = kt_open_file(AT_FDCWD, work, 0, &fd, &size);
	if (!err)
		err = send_head(channel, (uint64_t)size);
	while (!err && done < size) {
		size_t n;

		err = kt_read_at(fd, piece, PIECE, done, &n);
		if (!err && is_cancelled(warm))
			err = kt_error_new(KT_ERROR_CANCELLED, "cancelled");
		if (!err)
			err = vm_channel_send_by(channel, KT_FRAME_WORK_DATA, piece, n,
						 kt_deadline_ms(SEND_MAX_MS));
		done += (off_t)n;
	}
	warm->due_ns = kt_deadline_ms(SEND_MAX_MS);
	return err;
}

void vm_warm_never(struct vm_warm *warm)
{
	vm_snapshot_never(&warm->snapshots, warm->key);
	vm_monitor_close(&warm->monitor);
	warm->how = VM_START_BOOT;
}

void vm_warm_discard(struct vm_warm *warm)
{
	drop_files(warm);
	vm_monitor_close(&warm->monitor);
	vm_snapshot_remove(&warm->snapshots, warm->key);
}
