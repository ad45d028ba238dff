// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tracing types. None of them hangs on anything busy: a guest's counts have to stand still. */
#include "fixture.h"

struct task_struct {
	int pid;
	int tgid;
} CORE;

HASH(seen, 64, __u64);
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

/* .bss and .rodata are maps as well. */
__u64 calls;
const volatile __u32 wanted_pid = 0;

SEC("kprobe/do_init_module")
int kprobe_mod(struct pt_regs *ctx)
{
	calls++;
	return 0;
}

SEC("kretprobe/do_init_module")
int kretprobe_of_do_init_module(struct pt_regs *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	__u64 now = bpf_ktime_get_ns();

	if (wanted_pid && pid != wanted_pid)
		return 0;
	return bpf_map_update_elem(&seen, &pid, &now, BPF_ANY) ? 1 : 0;
}

SEC("tracepoint/module/module_free")
int tp_module_free(void *ctx)
{
	__u32 *slot = bpf_ringbuf_reserve(&events, sizeof(*slot), 0);

	if (!slot)
		return 0;
	*slot = bpf_get_smp_processor_id();
	bpf_ringbuf_submit(slot, 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_getpriority")
int count_calls_of_getpriority(void *ctx)
{
	calls++;
	return 0;
}

SEC("raw_tracepoint/module_load")
int same_name(struct bpf_raw_tracepoint_args *ctx)
{
	calls += ctx->args[0] != 0;
	return 0;
}

SEC("perf_event")
int sample_the_instruction_pointer(void *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 *n = bpf_map_lookup_elem(&seen, &cpu);

	if (n)
		*n += 1;
	return 0;
}

SEC("fentry/do_init_module")
int BPF_PROG(fentry_mod)
{
	calls++;
	return 0;
}

SEC("fexit/do_init_module")
int BPF_PROG(fexit_do_init_module_with_return, void *mod, long ret)
{
	calls += ret != 0;
	return 0;
}

SEC("tp_btf/module_load")
int BPF_PROG(tp_btf_modload)
{
	struct task_struct *task = bpf_get_current_task_btf();

	calls += task->pid == task->tgid;
	return 0;
}

SEC("lsm/bpf")
int BPF_PROG(lsm_bpf_allows_everything, int cmd)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
