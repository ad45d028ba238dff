// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The catalogue against this machine's kernel: programs of a few instructions that it rejects, each
 * for another reason. The log of each leads to the entry that is meant. Where bpf(2) is not
 * permitted, everything is skipped; what this kernel does not have or words otherwise, is named and
 * skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "logparse/catalog.h"
#include "logparse/last.h"
#include "tests/logparse/insns.h"

#define LOG_SIZE (1 << 20)

/*
 * Maps that a program's instructions may refer to, by the number in place of a descriptor. What the
 * array has at 0 is never NULL, and newer kernels know that.
 */
enum { MAP_NONE, MAP_ARRAY, MAP_RINGBUF, MAP_READ_ONLY, MAP_HASH, N_MAPS };

static int maps[N_MAPS];
static char *kernel_log; /* shared with children */

static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr, size_t size)
{
	return (int)syscall(__NR_bpf, cmd, attr, size);
}

static int make_map(uint32_t type, uint32_t key, uint32_t value, uint32_t n, uint32_t flags)
{
	union bpf_attr attr = {
		.map_type = type,
		.key_size = key,
		.value_size = value,
		.max_entries = n,
		.map_flags = flags,
	};

	return sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

struct program {
	const char *id; /* of the entry */
	uint32_t type;  /* 0: a socket filter */
	uint32_t attach_type, attach_id, flags;
	bool weak;                /* loaded with CAP_BPF alone */
	bool bare;                /* loaded without any capability */
	bool not_gpl;             /* under another license */
	const char *kfunc;        /* that CALL_KFUNC(0) is of */
	unsigned int n_functions; /* that the program calls, each of them once */
	struct {
		bool global;    /* the second function is global, and takes a pointer to an int */
		uint32_t begin; /* the instruction at which it begins, as func_info has it; 0: no
				   BTF */
	} second;
	unsigned int n_more; /* copies of the last instruction but one that are put behind it */
	struct bpf_insn insns[24];
};

static const struct program programs[] = {
	{"null-check", .insns = {LOOKUP(MAP_HASH), LDX(BPF_DW, R0, R0, 0), EXIT}},
	{"number-dereference", .insns = {MOV(R1, 0), LDX(BPF_DW, R0, R1, 0), EXIT}},
	{"bad-dereference", BPF_PROG_TYPE_XDP,
	 .insns = {LDX(BPF_W, R2, R1, 4), LDX(BPF_B, R0, R2, 0), EXIT}},
	{"modified-pointer",
	 .insns = {MOV_X(R6, R1), CALL(BPF_FUNC_get_prandom_u32), ALU(BPF_AND, R0, 8),
		   ALU_X(BPF_ADD, R6, R0), LDX(BPF_W, R0, R6, 0), EXIT}},
	{"unreadable-register", .insns = {MOV_X(R0, R2), EXIT}},
	{"frame-pointer", .insns = {MOV(R10, 0), MOV(R0, 0), EXIT}},
	{"pointer-32-bit", .insns = {MOV_X(R0, R10), ALU32(BPF_ADD, R0, 4), MOV(R0, 0), EXIT}},
	{"null-check-arithmetic",
	 .insns = {LOOKUP(MAP_HASH), ALU(BPF_ADD, R0, 8), MOV(R0, 0), EXIT}},
	{"pointer-arithmetic", BPF_PROG_TYPE_XDP,
	 .insns = {LDX(BPF_W, R2, R1, 4), ALU(BPF_ADD, R2, 8), MOV(R0, 0), EXIT}},
	{"pointer-operator", .insns = {MOV_X(R2, R1), ALU(BPF_AND, R2, 8), MOV(R0, 0), EXIT}},
	{"pointer-subtraction", .insns = {MOV(R0, 8), ALU_X(BPF_SUB, R0, R10), MOV(R0, 0), EXIT}},
	{"two-pointers", .insns = {MOV_X(R2, R10), ALU_X(BPF_ADD, R2, R1), MOV(R0, 0), EXIT}},
	{"pointer-offset",
	 .insns = {MOV_X(R2, R10), ALU(BPF_ADD, R2, INT32_MAX), MOV(R0, 0), EXIT}},
	{"object-bounds",
	 .insns = {LOOKUP(MAP_ARRAY), JUMP(BPF_JEQ, R0, 0, 1), LDX(BPF_DW, R0, R0, 44), EXIT}},
	{"upper-bound", .insns = {LOOKUP(MAP_ARRAY), JUMP(BPF_JEQ, R0, 0, 5), MOV_X(R6, R0),
				  CALL(BPF_FUNC_get_prandom_u32), ALU(BPF_AND, R0, 63),
				  ALU_X(BPF_ADD, R6, R0), LDX(BPF_DW, R0, R6, 0), EXIT}},
	{"lower-bound",
	 .insns = {LOOKUP(MAP_ARRAY), JUMP(BPF_JEQ, R0, 0, 5), LDX(BPF_DW, R1, R0, 0),
		   JUMP(BPF_JSLT, R1, -30, 3), JUMP(BPF_JSGT, R1, 30, 2), ALU_X(BPF_ADD, R0, R1),
		   LDX(BPF_B, R0, R0, 0), EXIT}},
	{"packet-bounds", BPF_PROG_TYPE_XDP,
	 .insns = {LDX(BPF_W, R2, R1, 0), LDX(BPF_B, R0, R2, 12), EXIT}},
	{"helper-size", BPF_PROG_TYPE_KPROBE,
	 .insns = {CALL(BPF_FUNC_ktime_get_ns), MOV_X(R1, R10), ALU(BPF_ADD, R1, -8), MOV_X(R2, R0),
		   MOV(R3, 0), CALL(BPF_FUNC_probe_read_kernel), MOV(R0, 0), EXIT}},
	{"zero-size", BPF_PROG_TYPE_KPROBE,
	 .insns = {CALL(BPF_FUNC_get_prandom_u32), MOV_X(R1, R10), ALU(BPF_ADD, R1, -8),
		   ALU(BPF_AND, R0, 7), MOV_X(R2, R0), CALL(BPF_FUNC_get_current_comm), MOV(R0, 0),
		   EXIT}},
	{"stack-uninitialized", .weak = true, .insns = {LDX(BPF_DW, R0, R10, -8), EXIT}},
	{"stack-bounds", .insns = {ST(BPF_DW, R10, -520, 0), MOV(R0, 0), EXIT}},
	{"stack-variable",
	 .insns = {CALL(BPF_FUNC_get_prandom_u32), ALU(BPF_AND, R0, 1023), MOV_X(R1, R10),
		   ALU_X(BPF_ADD, R1, R0), ST(BPF_B, R1, -8, 0), MOV(R0, 0), EXIT}},
	{"stack-spill", .weak = true,
	 .insns = {STX(BPF_DW, R10, R1, -8), ST(BPF_B, R10, -8, 0), MOV(R0, 0), EXIT}},
	{"stack-escape", .insns = {CALL_PC(1), EXIT, MOV_X(R0, R10), EXIT}},
	{"read-only-memory", .insns = {LOOKUP(MAP_READ_ONLY), JUMP(BPF_JEQ, R0, 0, 1),
				       ST(BPF_DW, R0, 0, 7), MOV(R0, 0), EXIT}},
	{"context-access", .insns = {LDX(BPF_W, R0, R1, 4096), EXIT}},
	{"misaligned-access", .flags = BPF_F_STRICT_ALIGNMENT,
	 .insns = {ST(BPF_DW, R10, -8, 0), LDX(BPF_W, R0, R10, -7), EXIT}},
	{"atomic-operation", .insns = {MOV(R2, 1), ATOMIC_ADD(BPF_W, R1, R2, 0), MOV(R0, 0), EXIT}},
	{"unreleased-reference", BPF_PROG_TYPE_KPROBE,
	 .insns = {LD_MAP(R1, MAP_RINGBUF), MOV(R2, 8), MOV(R3, 0), CALL(BPF_FUNC_ringbuf_reserve),
		   MOV(R0, 0), EXIT}},
	{"release-unowned", BPF_PROG_TYPE_SCHED_CLS,
	 .insns = {LDX(BPF_DW, R1, R1, 168), JUMP(BPF_JNE, R1, 0, 2), MOV(R0, 0), EXIT,
		   CALL(BPF_FUNC_sk_fullsock), JUMP(BPF_JNE, R0, 0, 2), MOV(R0, 0), EXIT,
		   MOV_X(R1, R0), CALL(BPF_FUNC_sk_release), MOV(R0, 0), EXIT}},
	{"argument-type", .insns = {MOV(R2, 0), LD_MAP(R1, MAP_ARRAY),
				    CALL(BPF_FUNC_map_lookup_elem), MOV(R0, 0), EXIT}},
	{"map-argument", BPF_PROG_TYPE_XDP,
	 .insns = {LD_MAP(R2, MAP_ARRAY), MOV(R3, 0), CALL(BPF_FUNC_tail_call), MOV(R0, 0), EXIT}},
	{"return-value", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS,
	 .insns = {MOV(R0, 5), EXIT}},
	{"sleep", BPF_PROG_TYPE_KPROBE,
	 .insns = {MOV_X(R1, R10), ALU(BPF_ADD, R1, -8), MOV(R2, 8), MOV(R3, 0),
		   CALL(BPF_FUNC_copy_from_user), MOV(R0, 0), EXIT}},
	{"packet-load", BPF_PROG_TYPE_KPROBE, .insns = {LD_ABS(BPF_B, 0), EXIT}},
	{"tail-call", BPF_PROG_TYPE_XDP,
	 .insns = {CALL_PC(1), EXIT, LD_MAP(R2, MAP_ARRAY), MOV(R3, 0), CALL(BPF_FUNC_tail_call),
		   MOV(R0, 0), EXIT}},
	{"unreachable-code", .insns = {MOV(R0, 0), EXIT, MOV(R0, 1), EXIT}},
	{"infinite-loop", .insns = {CALL(BPF_FUNC_get_prandom_u32), JUMP(BPF_JEQ, R0, 1, 1),
				    JUMP_ALWAYS(-3), MOV(R0, 0), EXIT}},
	{"jump-range", .insns = {MOV(R0, 0), JUMP(BPF_JEQ, R0, 1, 100), EXIT}},
	{"fall-through", .insns = {EXIT, MOV(R0, 0)}},
	{"call-target", .insns = {CALL_PC(100), EXIT}},
	{"callback", .insns = {MOV(R1, 4), LD_PSEUDO(R2, BPF_PSEUDO_FUNC, 5), MOV(R3, 0),
			       MOV(R4, 0), CALL(BPF_FUNC_loop), EXIT, MOV(R0, 0), EXIT}},
	{"bad-instruction", .insns = {MOV(R0, 0), ALU(BPF_DIV, R0, 0), EXIT}},
	{"arena", .insns = {MOV(R0, 0), CAST_ARENA(R0, R0), EXIT}},
	{"map-reference", .insns = {LD_PSEUDO(R0, BPF_PSEUDO_MAP_FD, 9999), MOV(R0, 0), EXIT}},
	{"kernel-symbol", .insns = {LD_PSEUDO(R0, BPF_PSEUDO_BTF_ID, INT32_MAX), MOV(R0, 0), EXIT}},
	{"core-relocation", .insns = {CALL(195896080), EXIT}},
	{"missing-map-or-kfunc", .insns = {CALL(2001000007), EXIT}},
	{"kfunc-unavailable", .insns = {CALL_KFUNC(1), EXIT}},
	{"helper-not-allowed", .insns = {CALL(BPF_FUNC_override_return), EXIT}},
	{"license", BPF_PROG_TYPE_KPROBE, .not_gpl = true,
	 .insns = {MOV_X(R1, R10), ALU(BPF_ADD, R1, -8), MOV(R2, 8), MOV(R3, 0),
		   CALL(BPF_FUNC_probe_read_kernel), MOV(R0, 0), EXIT}},
	{"capability", .weak = true, .insns = {LD_MAP(R1, MAP_ARRAY), LDX(BPF_W, R0, R1, 0), EXIT}},
	{"address-leak", .weak = true, .insns = {MOV_X(R0, R10), EXIT}},
	{"unprivileged-pointer", .weak = true,
	 .insns = {LOOKUP(MAP_ARRAY), JUMP(BPF_JEQ, R0, 0, 4), LDX(BPF_DW, R1, R0, 0),
		   JUMP(BPF_JSLT, R1, -30, 2), JUMP(BPF_JSGT, R1, 30, 1), ALU_X(BPF_ADD, R0, R1),
		   MOV(R0, 0), EXIT}},
	{"too-many-instructions",
	 .insns = {MOV(R0, 0), ALU(BPF_ADD, R0, 1), JUMP(BPF_JLT, R0, 10000000, -2), EXIT}},
	{"too-many-branches", .n_more = 9000,
	 .insns = {MOV_X(R6, R1), LDX(BPF_W, R0, R6, 0), JUMP(BPF_JEQ, R0, 7, 0), EXIT}},
	{"stack-size", .insns = {ST(BPF_DW, R10, -512, 0), CALL_PC(1), EXIT,
				 ST(BPF_DW, R10, -512, 0), MOV(R0, 0), EXIT}},
	{"call-depth", .insns = {CALL_PC(1), EXIT, CALL_PC(1), EXIT, CALL_PC(1), EXIT, CALL_PC(1),
				 EXIT, CALL_PC(1), EXIT, CALL_PC(1), EXIT, CALL_PC(1), EXIT,
				 CALL_PC(1), EXIT, MOV(R0, 0), EXIT}},
	{"attach-target", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, 1, .insns = {MOV(R0, 0), EXIT}},
	{"too-many-parts", .n_functions = 300},
	{"back-edge", .bare = true, .insns = {MOV(R0, 0), JUMP(BPF_JEQ, R0, 1, -2), EXIT}},
	{"function-result", .second = {true, 3},
	 .insns = {MOV(R1, 0), CALL_PC(1), EXIT, MOV_X(R0, R10), EXIT}},
	{"btf-description", .second = {false, 4},
	 .insns = {MOV(R1, 0), CALL_PC(1), EXIT, MOV(R0, 0), EXIT}},
	{"preemption", BPF_PROG_TYPE_SCHED_CLS, .kfunc = "bpf_preempt_enable",
	 .insns = {CALL_KFUNC(0), MOV(R0, 0), EXIT}},
	{"rcu-section", BPF_PROG_TYPE_SCHED_CLS, .kfunc = "bpf_rcu_read_unlock",
	 .insns = {CALL_KFUNC(0), MOV(R0, 0), EXIT}},
	{"locked-region", BPF_PROG_TYPE_SCHED_CLS, .kfunc = "bpf_preempt_disable",
	 .insns = {CALL_KFUNC(0), MOV(R0, 0), EXIT}},
	{"number-argument", BPF_PROG_TYPE_SCHED_CLS, .kfunc = "bpf_iter_num_new",
	 .insns = {MOV_X(R2, R1), MOV_X(R1, R10), ALU(BPF_ADD, R1, -8), MOV(R3, 9), CALL_KFUNC(0),
		   MOV(R0, 0), EXIT}},
	{"iterator-state", BPF_PROG_TYPE_SCHED_CLS, .kfunc = "bpf_iter_num_next",
	 .insns = {MOV_X(R1, R10), ALU(BPF_ADD, R1, -8), CALL_KFUNC(0), MOV(R0, 0), EXIT}},
	{"dynptr-state", BPF_PROG_TYPE_SCHED_CLS,
	 .insns = {MOV_X(R1, R10), ALU(BPF_ADD, R1, -8), MOV(R2, 8), MOV_X(R3, R10),
		   ALU(BPF_ADD, R3, -24), MOV(R4, 0), MOV(R5, 0), CALL(BPF_FUNC_dynptr_read),
		   MOV(R0, 0), EXIT}},
	{"null-argument", BPF_PROG_TYPE_SCHED_CLS, .kfunc = "bpf_dynptr_from_skb",
	 .insns = {MOV(R1, 0), MOV(R2, 0), MOV_X(R3, R10), ALU(BPF_ADD, R3, -16), CALL_KFUNC(0),
		   MOV(R0, 0), EXIT}},
	{"sleepable-program", .flags = BPF_F_SLEEPABLE, .insns = {MOV(R0, 0), EXIT}},
};

#define N_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

/* The kernel's number of a function; 0: it has none. */
static int32_t kfunc_id(const char *name)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int32_t id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) : 0;

	btf__free(btf);
	return id > 0 ? id : 0;
}

/* Calls of n functions, and the functions. */
static size_t assemble_functions(unsigned int n, struct bpf_insn *insns)
{
	size_t len = 0;

	for (unsigned int i = 0; i < n; i++)
		insns[len++] = (struct bpf_insn)CALL_PC((int)(n + i));
	insns[len++] = (struct bpf_insn)EXIT;
	for (unsigned int i = 0; i < n; i++) {
		insns[len++] = (struct bpf_insn)MOV(R0, 0);
		insns[len++] = (struct bpf_insn)EXIT;
	}
	return len;
}

/* The instructions, with the maps' descriptors, and the kfunc's number. */
static size_t assemble(const struct program *p, struct bpf_insn *insns)
{
	size_t n = sizeof(p->insns) / sizeof(p->insns[0]), len = 0;

	if (p->n_functions)
		return assemble_functions(p->n_functions, insns);
	while (n && !p->insns[n - 1].code)
		n--;
	for (size_t i = 0; i < n; i++) {
		unsigned int copies = i == n - 2 ? p->n_more : 0;

		for (unsigned int c = 0; c <= copies; c++)
			insns[len++] = p->insns[i];
		if (p->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) &&
		    p->insns[i].src_reg == BPF_PSEUDO_MAP_FD && p->insns[i].imm < N_MAPS)
			insns[len - 1].imm = maps[p->insns[i].imm];
		if (p->kfunc && p->insns[i].src_reg == BPF_PSEUDO_KFUNC_CALL &&
		    p->insns[i].code == (BPF_JMP | BPF_CALL))
			insns[len - 1].imm = kfunc_id(p->kfunc);
	}
	return len;
}

/* With CAP_BPF alone, kernel addresses must not leak, and speculation counts. */
static void drop_capabilities(bool all)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	if (!all)
		data[CAP_BPF / 32].effective = data[CAP_BPF / 32].permitted = 1U << (CAP_BPF % 32);
	if (syscall(__NR_capset, &header, data))
		_exit(255);
}

/* BTF of two functions: int prog(void), int second(int *p). */
static void add_btf(const struct program *p, union bpf_attr *attr)
{
	static struct bpf_func_info info[2];
	static char log[4096];
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED),
	    pointer = btf__add_ptr(btf, number);
	int proto = btf__add_func_proto(btf, number), second;
	union bpf_attr load = {0};
	uint32_t size;

	info[0].type_id = (uint32_t)btf__add_func(btf, "prog", BTF_FUNC_GLOBAL, proto);
	second = btf__add_func_proto(btf, number);
	btf__add_func_param(btf, "p", pointer);
	info[1].type_id = (uint32_t)btf__add_func(
		btf, "second", p->second.global ? BTF_FUNC_GLOBAL : BTF_FUNC_STATIC, second);
	info[1].insn_off = p->second.begin;
	load.btf = (uintptr_t)btf__raw_data(btf, &size);
	load.btf_size = size;
	load.btf_log_buf = (uintptr_t)log;
	load.btf_log_size = sizeof(log);
	load.btf_log_level = 1;
	attr->prog_btf_fd = (uint32_t)sys_bpf(BPF_BTF_LOAD, &load, sizeof(load));
	attr->func_info = (uintptr_t)info;
	attr->func_info_cnt = 2;
	attr->func_info_rec_size = sizeof(info[0]);
	btf__free(btf);
}

static int load(const struct program *p)
{
	static struct bpf_insn insns[10000];
	union bpf_attr attr = {
		.prog_type = p->type ? p->type : BPF_PROG_TYPE_SOCKET_FILTER,
		.expected_attach_type = p->attach_type,
		.attach_btf_id = p->attach_id,
		.prog_flags = p->flags,
		.insns = (uintptr_t)insns,
		.insn_cnt = (uint32_t)assemble(p, insns),
		.license = (uintptr_t)(p->not_gpl ? "Proprietary" : "GPL"),
		.log_buf = (uintptr_t)kernel_log,
		.log_size = LOG_SIZE,
		.log_level = 1,
	};
	int fd;

	if (p->second.begin)
		add_btf(p, &attr);
	if (p->weak || p->bare)
		drop_capabilities(p->bare);
	fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	return fd < 0 ? errno : 0;
}

/* Loads in a child, which may lose its capabilities. Returns the errno, or 0: it was loaded. */
static int load_apart(const struct program *p)
{
	int status;
	pid_t pid;

	memset(kernel_log, 0, LOG_SIZE);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(load(p));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 255);
	return WEXITSTATUS(status);
}

/* The last line of the log that is no statistics, for who reads why a test failed. */
static void show_end(const char *why, const struct program *p)
{
	const char *end = strstr(kernel_log, "\nprocessed ");
	size_t len = end ? (size_t)(end - kernel_log) : strlen(kernel_log);
	const char *line = memrchr(kernel_log, '\n', len);

	line = line ? line + 1 : kernel_log;
	print_message("# %s: %s: %.*s\n", p->id, why, (int)(kernel_log + len - line), line);
}

static void check(const struct program *p, unsigned int *seen, unsigned int *other)
{
	struct kt_log_last last;
	struct kt_catalog_why why;

	if (!load_apart(p)) {
		show_end("SKIP this kernel takes the program", p);
		return;
	}
	assert_null(kt_log_find_last((struct kt_text){kernel_log, strlen(kernel_log)}, &last));
	if (last.outcome != KT_LAST_FAILED) {
		show_end("SKIP this kernel says nothing", p);
		return;
	}
	assert_null(kt_catalog_explain(&last, &why));
	if (!why.entry || strcmp(why.entry->id, p->id) != 0) {
		show_end(why.entry ? why.entry->id : "no entry", p);
		++*other;
	} else {
		assert_true(why.reason && *why.reason && why.n_remedies);
		++*seen;
	}
	kt_catalog_why_deinit(&why);
}

static void test_programs(void **state)
{
	unsigned int seen = 0, other = 0;

	(void)state;
	if (maps[MAP_ARRAY] < 0) {
		print_message("# SKIP bpf(2) is not permitted: %s\n", strerror(errno));
		skip();
	}
	for (size_t i = 0; i < N_PROGRAMS; i++)
		check(&programs[i], &seen, &other);
	print_message("# %u of %zu programs are rejected as meant\n", seen, N_PROGRAMS);
	assert_int_equal(other, 0);
	assert_true(seen > N_PROGRAMS / 2);
}

static int setup(void **state)
{
	(void)state;
	kernel_log = mmap(NULL, LOG_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			  0);
	maps[MAP_RINGBUF] = make_map(BPF_MAP_TYPE_RINGBUF, 0, 0, (uint32_t)sysconf(_SC_PAGESIZE),
				     0);
	maps[MAP_READ_ONLY] = make_map(BPF_MAP_TYPE_ARRAY, 4, 48, 1, BPF_F_RDONLY_PROG);
	maps[MAP_HASH] = make_map(BPF_MAP_TYPE_HASH, 4, 48, 1, 0);
	maps[MAP_ARRAY] = make_map(BPF_MAP_TYPE_ARRAY, 4, 48, 1, 0);
	return kernel_log == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
