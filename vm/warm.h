/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest that is booted once: it comes up, waits for its work, and is kept as a snapshot there; or
 * it is restored from one. Then it gets the work, a clock and entropy. Internal to vm/.
 */
#ifndef KT_VM_WARM_H
#define KT_VM_WARM_H

#include "vm/channel.h"
#include "vm/config.h"
#include "vm/guard.h"
#include "vm/migrate.h"
#include "vm/monitor.h"
#include "vm/qemu.h"
#include "vm/snapshot.h"

struct vm_warm {
	enum vm_start how; /* this start of QEMU; VM_START_BOOT: all here is unused */
	struct vm_snapshots snapshots;
	char key[VM_SNAPSHOT_KEY_SIZE];
	int snapshot_fd;           /* to restore from; -1: none */
	struct vm_migrate_ram ram; /* fd: while a guest is to be kept */
	struct vm_monitor monitor;
	int64_t due_ns;  /* when a guest that was restored has to have begun its work */
	int64_t keep_ns; /* what it took to keep it; 0: it was not kept */
};

/* clang-format off */
#define VM_WARM_INIT {.snapshots = VM_SNAPSHOTS_INIT, .snapshot_fd = -1, .ram = {.fd = -1}, \
	.monitor = VM_MONITOR_INIT}
/* clang-format on */

/* Opens the cache. False: these guests are booted, and not kept. */
bool vm_warm_open(struct vm_warm *warm, const struct vm_config *config);
void vm_warm_deinit(struct vm_warm *warm);

/*
 * Before QEMU is started: sets warm->how, and listens for a monitor if need be. initrd: the
 * initramfs without the work.
 */
struct kt_error *vm_warm_choose(struct vm_warm *warm, const struct vm_guard *guard,
				const struct vm_config *config, const char *accel,
				const char *initrd);

/*
 * After QEMU was started with VM_START_RESTORE: has it restore the guest, and sends the work.
 * Errors, but for CANCELLED: the snapshot is of no use.
 */
struct kt_error *vm_warm_restore(struct vm_warm *warm, struct vm_channel *channel,
				 const char *work);

/*
 * When a guest that was booted says that it waits: keeps it, if that is possible. False: it may
 * stand still now.
 */
bool vm_warm_keep(struct vm_warm *warm, const struct vm_config *config);

/* Gives it the work, an archive at that path. KT_ERROR_CLOSED, TIMEOUT, CANCELLED, OS. */
struct kt_error *vm_warm_send(struct vm_warm *warm, struct vm_channel *channel, const char *work);

/* Such guests are not kept from now on: this one cannot be. */
void vm_warm_never(struct vm_warm *warm);

/* Removes the snapshot, which does not live. */
void vm_warm_discard(struct vm_warm *warm);

#endif
