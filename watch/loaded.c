// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * For kernels that have no bpf_vlog_finalize(): a load that passed gave its loader a file
 * descriptor, and that leads to the program. Nobody can close it before the load returns, but
 * another thread of the loader; then what it leads to is no program, or another one.
 */
#include "util/cleanup.h"
#include "util/cursor.h"
#include "watch/watch_impl.h"

#define MAX_FD (1u << 20)

static const struct {
	const char *type, *path;
} links[] = {
	{"task_struct", "files"},
	{"files_struct", "fdt"},
	{"fdtable", "fd"}, /* an array of pointers to struct file */
	{"file", "private_data"},
};
#define N_LINKS     (sizeof(links) / sizeof(links[0]))
#define LINK_ARRAY  2
#define POINTER_LEN 8

bool watch_loaded_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_LINKS; i++)
		if (!wants_add(wants, KFACTS_MEMBER, links[i].type, links[i].path, true))
			return false;
	return true;
}

static struct kt_error *follow(struct watch *watch, gaddr_t addr, gaddr_t *ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	uint8_t pointer[POINTER_LEN];
	struct kt_error *err;

	*ret = 0;
	if (!gmem_batch_add(&batch, addr, pointer, sizeof(pointer)))
		return kt_error_no_memory();
	err = watch_read(watch, &batch);
	if (!err && !batch.reads.data[0].fault)
		*ret = kt_load_uint(pointer, sizeof(pointer), watch->progs.big_endian);
	return err;
}

struct kt_error *watch_find_loaded(struct watch *watch, gaddr_t task, uint32_t fd, gaddr_t *ret)
{
	gaddr_t at = task;

	*ret = 0;
	if (fd >= MAX_FD)
		return NULL;
	for (size_t i = 0; i < N_LINKS; i++) {
		struct kfacts_member member;
		struct kt_error *err;

		if (!kfacts_member(watch->facts, links[i].type, links[i].path, &member))
			return NULL;
		err = follow(watch, at + member.offset, &at);
		if (!err && at && i == LINK_ARRAY)
			err = follow(watch, at + (uint64_t)fd * POINTER_LEN, &at);
		if (err || !at)
			return err;
	}
	*ret = at;
	return NULL;
}
