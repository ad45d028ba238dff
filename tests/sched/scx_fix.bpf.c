// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A small scheduler, and its bad relatives: each struct sched_ext_ops below is one that the
 * loader can choose. One object for Linux 6.12 to 7.3: what moved is relocated (CO-RE), what was
 * renamed is weak.
 */

/*
 * A newer bpftool (7.5) declares kfuncs in vmlinux.h, with the names and arguments of that
 * kernel; and libbpf before 1.4 refuses ops with a member that the running kernel lacks, even if
 * it is zero: so both are declared here, as far as they are used.
 */
#define BPF_NO_KFUNC_PROTOTYPES
#define sched_ext_ops sched_ext_ops___of_vmlinux_h
#include "vmlinux.h"
#undef sched_ext_ops
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#ifndef bpf_ksym_exists /* libbpf 1.2 */
#define bpf_ksym_exists(sym) (!!(void *)(sym))
#endif

#define NR_QUEUES 4

char LICENSE[] SEC("license") = "GPL";

struct sched_ext_ops {
	s32 (*select_cpu)(struct task_struct *p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*dispatch)(s32 cpu, struct task_struct *prev);
	s32 (*init_task)(struct task_struct *p, struct scx_init_task_args *args);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	u64 flags;
	u32 timeout_ms;
	char name[SCX_OPS_NAME_LEN];
};

s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;
s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			   bool *is_idle) __ksym;
void scx_bpf_error_bstr(char *fmt, unsigned long long *data, u32 data__sz) __ksym;
/* The first of each pair since 6.13; the second is gone in 6.18. */
void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
bool scx_bpf_dsq_move_to_local(u64 dsq_id) __ksym __weak;
bool scx_bpf_consume(u64 dsq_id) __ksym __weak;

void scx_bpf_dsq_insert_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
			      u64 enq_flags) __ksym __weak;
void scx_bpf_dispatch_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
			    u64 enq_flags) __ksym __weak;

/* Set by the loader: the kernel is told of an error that long after init; 0: never. */
const volatile __u64 fail_after_ms = 0;

/* What the kernel does not forgive, and when; set by the loader, too. */
enum { DIE_NOT, DIE_WRONG_CPU, DIE_WRONG_QUEUE, DIE_REJECTS, DIE_STALLS };
const volatile __u32 die_how = DIE_NOT;
const volatile __u64 die_after_ms = 0;

/* Statistics, and why the kernel let go of us; plain types, for the skeleton. */
__u64 enqueued, dispatched, picked[NR_QUEUES], idle_found;
__u32 pid_bits[32];
int exit_kind;
char exit_reason[128], exit_message[512];

static u64 started_ns;
/* Read and written anew each time round: else no state of the verifier is like another. */
volatile __u32 never_set, turns;

static __always_inline void insert(struct task_struct *p, u64 dsq_id, u64 enq_flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_insert))
		scx_bpf_dsq_insert(p, dsq_id, SCX_SLICE_DFL, enq_flags);
	else if (bpf_ksym_exists(scx_bpf_dispatch))
		scx_bpf_dispatch(p, dsq_id, SCX_SLICE_DFL, enq_flags);
}

static __always_inline bool move_to_local(u64 dsq_id)
{
	if (bpf_ksym_exists(scx_bpf_dsq_move_to_local))
		return scx_bpf_dsq_move_to_local(dsq_id);
	if (bpf_ksym_exists(scx_bpf_consume))
		return scx_bpf_consume(dsq_id);
	return false;
}

static __always_inline s32 create_queues(void)
{
	s32 err = 0;

#pragma clang loop unroll(disable)
	for (u64 i = 0; i < NR_QUEUES && !err; i++)
		err = scx_bpf_create_dsq(i, -1);
	started_ns = bpf_ktime_get_ns();
	return err;
}

/* The loader looks at exit_kind: it comes last. */
static __always_inline void record_exit(const struct scx_exit_info *info)
{
	bpf_probe_read_kernel_str(exit_reason, sizeof(exit_reason), info->reason);
	bpf_probe_read_kernel_str(exit_message, sizeof(exit_message), info->msg);
	exit_kind = info->kind;
}

static __always_inline void fail_if_due(void)
{
	static char fmt[] = "scx_fix fails, as it was told to, after %llu ms";
	unsigned long long ms = (bpf_ktime_get_ns() - started_ns) / 1000000;

	if (fail_after_ms && ms >= fail_after_ms)
		scx_bpf_error_bstr(fmt, &ms, sizeof(ms));
}

/* --- the good one: four queues, picked round robin --- */

SEC("struct_ops/fix_select_cpu")
s32 BPF_PROG(fix_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle) {
		idle_found++;
		insert(p, SCX_DSQ_LOCAL, 0);
	}
	return cpu;
}

SEC("struct_ops/fix_enqueue")
void BPF_PROG(fix_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 pid = p->pid, bits = 0;

#pragma clang loop unroll(disable)
	for (u32 i = 0; i < 16 && pid; i++) {
		pid >>= 1;
		bits++;
	}
	pid_bits[bits & 31]++;
	enqueued++;
	insert(p, p->pid & (NR_QUEUES - 1), enq_flags);
}

SEC("struct_ops/fix_dispatch")
void BPF_PROG(fix_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = dispatched++;

	fail_if_due();
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < NR_QUEUES; i++) {
		u32 queue = (first + i) & (NR_QUEUES - 1);

		if (move_to_local(queue)) {
			picked[queue]++;
			return;
		}
	}
}

/* Sleepable, which the loader says: "struct_ops.s/" needs libbpf 1.2. */
SEC("struct_ops/fix_init")
s32 BPF_PROG(fix_init)
{
	return create_queues();
}

SEC("struct_ops/fix_exit")
void BPF_PROG(fix_exit, struct scx_exit_info *info)
{
	record_exit(info);
}

/* --- one that never dispatches --- */

/* An own select_cpu, and all flags: without them the kernel lets some tasks run all the same. */
SEC("struct_ops/stall_select_cpu")
s32 BPF_PROG(stall_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

SEC("struct_ops/stall_enqueue")
void BPF_PROG(stall_enqueue, struct task_struct *p, u64 enq_flags)
{
	enqueued++;
	insert(p, 0, enq_flags);
}

SEC("struct_ops/stall_dispatch")
void BPF_PROG(stall_dispatch, s32 cpu, struct task_struct *prev)
{
	dispatched++;
}

SEC("struct_ops/stall_init")
s32 BPF_PROG(stall_init)
{
	return create_queues();
}

SEC("struct_ops/stall_exit")
void BPF_PROG(stall_exit, struct scx_exit_info *info)
{
	record_exit(info);
}

/* --- one that keeps every task, and counts by itself what it has where --- */

/* The first ones are first in, first out, the last one is ordered by vtime. */
#define HOLD_QUEUE(i) (0x1000 + (i))
#define HOLD_SLICE(i) (1000000 * (1 + (i)))

struct held {
	__u64 queue, order, slice, vtime;
	__u32 weight;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32); /* pid */
	__type(value, struct held);
} held_tasks SEC(".maps");

__u64 held, held_depth[NR_QUEUES];

SEC("struct_ops/hold_select_cpu")
s32 BPF_PROG(hold_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

SEC("struct_ops/hold_enqueue")
void BPF_PROG(hold_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 pid = p->pid, i = pid & (NR_QUEUES - 1);
	struct held it = {
		.queue = HOLD_QUEUE(i),
		.slice = HOLD_SLICE(i),
		.weight = p->scx.weight,
		.order = __sync_fetch_and_add(&held_depth[i], 1),
	};

	/* Not the order in which they come. */
	it.vtime = 1000 + (u64)pid * 7919 % 1000;
	bpf_probe_read_kernel_str(it.comm, sizeof(it.comm), p->comm);
	bpf_map_update_elem(&held_tasks, &pid, &it, BPF_ANY);
	if (i < NR_QUEUES - 1) {
		if (bpf_ksym_exists(scx_bpf_dsq_insert))
			scx_bpf_dsq_insert(p, it.queue, it.slice, enq_flags);
		else if (bpf_ksym_exists(scx_bpf_dispatch))
			scx_bpf_dispatch(p, it.queue, it.slice, enq_flags);
	} else if (bpf_ksym_exists(scx_bpf_dsq_insert_vtime)) {
		scx_bpf_dsq_insert_vtime(p, it.queue, it.slice, it.vtime, enq_flags);
	} else if (bpf_ksym_exists(scx_bpf_dispatch_vtime)) {
		scx_bpf_dispatch_vtime(p, it.queue, it.slice, it.vtime, enq_flags);
	}
	__sync_fetch_and_add(&held, 1);
}

SEC("struct_ops/hold_init")
s32 BPF_PROG(hold_init)
{
	s32 err = 0;

#pragma clang loop unroll(disable)
	for (u64 i = 0; i < NR_QUEUES && !err; i++)
		err = scx_bpf_create_dsq(HOLD_QUEUE(i), -1);
	return err;
}

SEC("struct_ops/hold_exit")
void BPF_PROG(hold_exit, struct scx_exit_info *info)
{
	record_exit(info);
}

/* --- one that dies: it does what no scheduler may --- */

#define WRONG_QUEUE 0xdead

SEC("struct_ops/die_select_cpu")
s32 BPF_PROG(die_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

/* A task that is pinned to a CPU, by the guest's init, and not the kernel's. */
static __always_inline bool is_victim(const struct task_struct *p)
{
	return p->nr_cpus_allowed == 1 && p->mm;
}

/* One goes to a CPU where it may not run; or it waits in a queue that nobody looks into. */
SEC("struct_ops/die_enqueue")
void BPF_PROG(die_enqueue, struct task_struct *p, u64 enq_flags)
{
	bool is_due = (bpf_ktime_get_ns() - started_ns) / 1000000 >= die_after_ms;

	enqueued++;
	if (is_due && die_how == DIE_WRONG_QUEUE)
		insert(p, WRONG_QUEUE, enq_flags);
	else if (is_due && die_how == DIE_WRONG_CPU && is_victim(p))
		insert(p, SCX_DSQ_LOCAL_ON | (scx_bpf_task_cpu(p) ? 0 : 1), enq_flags);
	else if (is_due && die_how == DIE_STALLS && is_victim(p))
		insert(p, NR_QUEUES - 1, enq_flags);
	else
		insert(p, (u32)p->pid % (NR_QUEUES - 1), enq_flags);
}

SEC("struct_ops/die_dispatch")
void BPF_PROG(die_dispatch, s32 cpu, struct task_struct *prev)
{
	dispatched++;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < NR_QUEUES - 1; i++)
		if (move_to_local(i))
			return;
}

SEC("struct_ops/die_init_task")
s32 BPF_PROG(die_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	/* SCHED_EXT: only who asked for it can be refused while the scheduler is enabled. */
	if (die_how == DIE_REJECTS && p->policy == 7)
		p->scx.disallow = true;
	return 0;
}

SEC("struct_ops/die_init")
s32 BPF_PROG(die_init)
{
	return create_queues();
}

SEC("struct_ops/die_exit")
void BPF_PROG(die_exit, struct scx_exit_info *info)
{
	record_exit(info);
}

/* --- one that the verifier rejects: after a bounded loop, an endless one --- */

SEC("struct_ops/rejected_dispatch")
void BPF_PROG(rejected_dispatch, s32 cpu, struct task_struct *prev)
{
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < 32; i++) {
		if (pid_bits[i] > dispatched)
			picked[i & (NR_QUEUES - 1)]++;
	}
	while (!never_set)
		turns++;
}

SEC(".struct_ops")
struct sched_ext_ops scx_fix = {
	.select_cpu = (void *)fix_select_cpu,
	.enqueue = (void *)fix_enqueue,
	.dispatch = (void *)fix_dispatch,
	.init = (void *)fix_init,
	.exit = (void *)fix_exit,
	.name = "scx_fix",
};

SEC(".struct_ops")
struct sched_ext_ops scx_fix_partial = {
	.select_cpu = (void *)fix_select_cpu,
	.enqueue = (void *)fix_enqueue,
	.dispatch = (void *)fix_dispatch,
	.init = (void *)fix_init,
	.exit = (void *)fix_exit,
	.flags = SCX_OPS_SWITCH_PARTIAL,
	.name = "scx_fix_partial",
};

SEC(".struct_ops")
struct sched_ext_ops scx_fix_stalls = {
	.select_cpu = (void *)stall_select_cpu,
	.enqueue = (void *)stall_enqueue,
	.dispatch = (void *)stall_dispatch,
	.init = (void *)stall_init,
	.exit = (void *)stall_exit,
	.flags = SCX_OPS_ENQ_LAST | SCX_OPS_ENQ_EXITING | SCX_OPS_ENQ_MIGRATION_DISABLED,
	.timeout_ms = 30000,
	.name = "scx_fix_stalls",
};

SEC(".struct_ops")
struct sched_ext_ops scx_fix_holds = {
	.select_cpu = (void *)hold_select_cpu,
	.enqueue = (void *)hold_enqueue,
	.init = (void *)hold_init,
	.exit = (void *)hold_exit,
	.flags = SCX_OPS_SWITCH_PARTIAL | SCX_OPS_ENQ_LAST,
	.timeout_ms = 15000,
	.name = "scx_fix_holds",
};

SEC(".struct_ops")
struct sched_ext_ops scx_fix_dies = {
	.select_cpu = (void *)die_select_cpu,
	.enqueue = (void *)die_enqueue,
	.dispatch = (void *)die_dispatch,
	.init_task = (void *)die_init_task,
	.init = (void *)die_init,
	.exit = (void *)die_exit,
	.timeout_ms = 2000,
	.name = "scx_fix_dies",
};

SEC(".struct_ops")
struct sched_ext_ops scx_fix_rejected = {
	.dispatch = (void *)rejected_dispatch,
	.name = "scx_fix_rejected",
};
