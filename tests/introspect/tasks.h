/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes of a synthetic kernel, and their files. Include once, after walk.h. */
#ifndef KT_TESTS_INTROSPECT_TASKS_H
#define KT_TESTS_INTROSPECT_TASKS_H

#include "tests/introspect/walk.h"

/* Offset in the image where synth.h has nothing. */
#define PID_NS 0x0b00300
/* Addresses of operations, of which nothing is read. */
#define OPS UINT64_C(0xffffffff81310000)

#define TASK_LINKS 32 /* task_struct.pid_links */

static gaddr_t pids; /* the node of init_pid_ns.idr */

/* ops: the symbols of n file_operations. */
static void setup_tasks(const char *const *ops, size_t n)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"pid_namespace", "idr.idr_rt.xa_head", 8, 8},
		{"pid", "tasks", 16, 32},
		{"task_struct", "files", 0, 8},
		{"task_struct", "comm", 8, 16},
		{"task_struct", "tgid", 24, 4},
		{"task_struct", "pid_links", TASK_LINKS, 64},
		{"files_struct", "fdt", 8, 8},
		{"fdtable", "max_fds", 0, 4},
		{"fdtable", "fd", 8, 8},
		{"fdtable", "open_fds", 16, 8},
		{"file", "f_op", 16, 8},
		{"file", "private_data", 24, 8},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	for (size_t i = 0; i < n; i++)
		fake_symbol(&s.facts, ops[i], OPS + 16 * i);
	fake_symbol(&s.facts, "init_pid_ns", SYNTH_TEXT + PID_NS);
	pids = synth_alloc(&s, 40 + 512);
	synth_set(&s, "pid_namespace", "idr.idr_rt.xa_head", SYNTH_IMAGE + PID_NS,
		  synth_va(pids) | 2);
}

/* A thread with these files; the first one of a process if tgid is its own number. */
static gaddr_t put_task(uint32_t id, uint32_t tgid, gaddr_t files, const char *comm)
{
	gaddr_t pid = synth_alloc(&s, 48), task = synth_alloc(&s, 96);

	synth_set(&s, "task_struct", "files", task, files ? synth_va(files) : 0);
	synth_set(&s, "task_struct", "tgid", task, tgid);
	textmem_put(s.mem, task + 8, comm, strlen(comm));
	textmem_put_uint(s.mem, pid + 16, synth_va(task) + TASK_LINKS, 8);
	if (id == tgid)
		textmem_put_uint(s.mem, pid + 24, synth_va(task) + TASK_LINKS + 16, 8);
	textmem_put_uint(s.mem, pids + 40 + 8 * id, synth_va(pid), 8);
	return task;
}

struct table {
	gaddr_t files, fdt, slots, bitmap;
};

static struct table put_table(uint32_t max_fds)
{
	struct table t = {synth_alloc(&s, 16), synth_alloc(&s, 32), synth_alloc(&s, 8 * max_fds),
			  synth_alloc(&s, max_fds / 8)};

	synth_set(&s, "files_struct", "fdt", t.files, synth_va(t.fdt));
	synth_set(&s, "fdtable", "max_fds", t.fdt, max_fds);
	synth_set(&s, "fdtable", "fd", t.fdt, synth_va(t.slots));
	synth_set(&s, "fdtable", "open_fds", t.fdt, synth_va(t.bitmap));
	return t;
}

/* op: the index of its operations. */
static gaddr_t put_file(int op, gaddr_t object)
{
	gaddr_t file = synth_alloc(&s, 64);

	synth_set(&s, "file", "f_op", file, OPS + s.kaslr + 16 * (unsigned int)op);
	synth_set(&s, "file", "private_data", file, object ? synth_va(object) : 0);
	return synth_va(file);
}

static void put_fd(const struct table *t, uint32_t fd, gaddr_t file)
{
	textmem_put_uint(s.mem, t->slots + 8 * fd, file, 8);
	textmem_put_uint(s.mem, t->bitmap + fd / 64 * 8, UINT64_C(1) << fd % 64, 8);
}

#endif
