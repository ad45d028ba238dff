// SPDX-License-Identifier: LGPL-2.1-or-later
/* What programs attach to: there, and not there. */
#include "lacks.h"

SEC("fentry/bpf_prog_putt")
int fentry_gone(void *ctx)
{
	return 0;
}

SEC("fentry/bpf_prog_put")
int fentry_there(void *ctx)
{
	return 0;
}

SEC("tp_btf/sched_swich")
int tracepoint_gone(void *ctx)
{
	return 0;
}

SEC("lsm/file_opened")
int lsm_gone(void *ctx)
{
	return 0;
}

SEC("lsm_cgroup/socket_bind")
int lsm_cgroup(void *ctx)
{
	return 1;
}

SEC("iter/tasks")
int iter_gone(void *ctx)
{
	return 0;
}

SEC("?fentry/bpf_prog_putt")
int optional(void *ctx)
{
	return 0;
}

SEC("kprobe/gone_function")
int kprobe_is_attached_later(void *ctx)
{
	return 0;
}

SEC("syscall")
int type_of_5_14(void *ctx)
{
	return 0;
}

SEC("cgroup/connect4")
int cgroup_connect(struct bpf_sock_addr *ctx)
{
	return 1;
}

char _license[] SEC("license") = "GPL";
