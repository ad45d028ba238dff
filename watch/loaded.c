// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * For kernels without bpf_vlog_finalize(): a load that passes gives its loader a file descriptor,
 * which leads to the program. If another thread of the loader closes it before bpf_prog_load()
 * returns, it leads to nothing, or to another file: the caller proves that it is a program.
 */
#include "watch/loaded.h"
#include "util/cleanup.h"
#include "util/cursor.h"

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

bool loaded_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_LINKS; i++)
		if (!wants_add(wants, KFACTS_MEMBER, links[i].type, links[i].path, true))
			return false;
	return true;
}

/* *ret: the pointer at addr; 0: null, or not mapped. */
static struct kt_error *follow(const struct stop *stop, const struct kfacts *facts, gaddr_t addr,
			       gaddr_t *ret)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct gmem memory = stop_memory(stop);
	uint8_t pointer[POINTER_LEN];
	struct kt_error *err;

	*ret = 0;
	if (!gmem_batch_add(&batch, addr, pointer, sizeof(pointer)))
		return kt_error_no_memory();
	err = gmem_batch_read(&batch, memory.read, memory.source);
	if (!err && !batch.reads.data[0].fault)
		*ret = kt_load_uint(pointer, sizeof(pointer), kfacts_kernel(facts)->big_endian);
	return err;
}

struct kt_error *loaded_find(const struct stop *stop, const struct kfacts *facts, gaddr_t task,
			     uint32_t fd, gaddr_t *ret)
{
	gaddr_t at = task;

	*ret = 0;
	if (fd >= MAX_FD)
		return NULL;
	for (size_t i = 0; i < N_LINKS; i++) {
		struct kfacts_member member;
		struct kt_error *err;

		if (!kfacts_member(facts, links[i].type, links[i].path, &member))
			return NULL;
		err = follow(stop, facts, at + member.offset, &at);
		if (!err && at && i == LINK_ARRAY)
			err = follow(stop, facts, at + (uint64_t)fd * POINTER_LEN, &at);
		if (err || !at)
			return err;
	}
	*ret = at;
	return NULL;
}
