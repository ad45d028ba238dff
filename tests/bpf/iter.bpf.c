// SPDX-License-Identifier: LGPL-2.1-or-later
/* An iterator and a system-call program: sleepable, no maps, and one of only two instructions. */
#include "fixture.h"

struct seq_file;
struct task_struct {
	int pid;
} CORE;
struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 seq_num;
} CORE;
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} CORE;

SEC("iter/task")
int iter_every_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	__u32 pid;

	if (!task)
		return 0;
	pid = (__u32)task->pid;
	bpf_seq_write(ctx->meta->seq, &pid, sizeof(pid));
	return 0;
}

SEC("syscall")
int tiny(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
