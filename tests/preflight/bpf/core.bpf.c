// SPDX-License-Identifier: LGPL-2.1-or-later
/* CO-RE relocations that find nothing: on every path, on some, on none that is taken. */
#include "lacks.h"

struct task_struct {
	int pid;
	int tgidd;
} CORE;

struct gone_struct {
	int value;
} CORE;

enum bpf_cmd___x {
	BPF_GONE_CMD = 77,
};

const volatile int wanted;
__u64 sink;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

SEC("tp_btf/sched_switch")
int BPF_PROG(field_there, int preempt, struct task_struct *prev)
{
	sink = prev->pid;
	return 0;
}

SEC("raw_tp/sched_switch")
int BPF_PROG(field_gone, int preempt, struct task_struct *prev)
{
	sink = BPF_CORE_READ(prev, tgidd);
	return 0;
}

SEC("raw_tp/sched_switch")
int BPF_PROG(field_guarded, int preempt, struct task_struct *prev)
{
	if (bpf_core_field_exists(prev->tgidd))
		sink = BPF_CORE_READ(prev, tgidd);
	return 0;
}

SEC("raw_tp/sched_switch")
int BPF_PROG(field_not_wanted, int preempt, struct task_struct *prev)
{
	if (wanted)
		sink = BPF_CORE_READ(prev, tgidd);
	return 0;
}

/* The kernel cannot know: it walks both sides, but check only says that it may. */
SEC("raw_tp/sched_switch")
int BPF_PROG(field_on_a_side, int preempt, struct task_struct *prev)
{
	if (bpf_get_prandom_u32() == 5)
		sink = BPF_CORE_READ(prev, tgidd);
	return 0;
}

SEC("raw_tp/sched_switch")
int BPF_PROG(field_behind_lookup, int preempt, struct task_struct *prev)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&counts, &key);

	if (!count)
		return 0;
	*count += BPF_CORE_READ(prev, tgidd);
	return 0;
}

SEC("raw_tp/sched_switch")
int BPF_PROG(type_gone, int preempt, struct task_struct *prev)
{
	sink = BPF_CORE_READ((struct gone_struct *)prev, value);
	return 0;
}

SEC("raw_tp/sched_switch")
int BPF_PROG(type_size_guarded, int preempt, struct task_struct *prev)
{
	if (bpf_core_type_exists(struct gone_struct))
		sink = bpf_core_type_size(struct gone_struct);
	return 0;
}

SEC("raw_tp/sched_switch")
int enumerator_gone(void *ctx)
{
	sink = bpf_core_enum_value(enum bpf_cmd___x, BPF_GONE_CMD);
	return 0;
}

SEC("raw_tp/sched_switch")
int enumerator_guarded(void *ctx)
{
	if (bpf_core_enum_value_exists(enum bpf_cmd___x, BPF_GONE_CMD))
		sink = bpf_core_enum_value(enum bpf_cmd___x, BPF_GONE_CMD);
	return 0;
}

static __attribute__((noinline)) int subprogram(struct task_struct *task)
{
	return BPF_CORE_READ(task, tgidd);
}

SEC("raw_tp/sched_switch")
int BPF_PROG(field_in_subprogram, int preempt, struct task_struct *prev)
{
	sink = subprogram(prev);
	return 0;
}

char _license[] SEC("license") = "GPL";
