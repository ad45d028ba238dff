// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The watch at a stub that follows a script: what is asked for at each stop, and that nothing
 * a guest has in its memory is taken for a load that is none. The guests that are real are
 * tests/guest/watch.sh's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/stub.h"
#include "tests/memory/fake_facts.h"
#include "util/cursor.h"
#include "watch/watch_impl.h"

#define FINALIZE    UINT64_C(0xffffffff81001004)
#define RETURN      UINT64_C(0xffffffff81002000)
#define PROGRAM     UINT64_C(0xffffffff81003000)
#define EXIT        UINT64_C(0xffffffff81004000)
#define TASK_A      UINT64_C(0xffff888000010000)
#define TASK_B      UINT64_C(0xffff888000020000)
#define ENV_A       UINT64_C(0xffff888000030000)
#define ENV_B       UINT64_C(0xffff888000040000)
#define LOG         0x100                    /* in an env */
#define LOADERS_LOG UINT64_C(0x7fff00001000) /* its text, in the loader's memory */
#define PERCPU      UINT64_C(0x1000000)
#define CURRENT     0x40

/* --- the guest: bytes at addresses, and what a CPU's registers are at each stop --- */

static struct piece {
	gaddr_t addr;
	uint8_t bytes[0x400];
} memory[16];
static size_t n_pieces;

struct registers {
	uint64_t pc, arg, result, percpu;
};
static const struct registers *stops;
static size_t stop_now;
static bool fetched; /* the registers of the vCPU that stopped */

static uint8_t *at(gaddr_t addr)
{
	for (size_t i = 0; i < n_pieces; i++)
		if (addr >= memory[i].addr && addr < memory[i].addr + sizeof(memory[i].bytes))
			return memory[i].bytes + (addr - memory[i].addr);
	assert_true(n_pieces < sizeof(memory) / sizeof(memory[0]));
	memory[n_pieces] = (struct piece){.addr = addr & ~UINT64_C(0x3ff)};
	return memory[n_pieces++].bytes + (addr & 0x3ff);
}

static void put(gaddr_t addr, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at(addr)[i] = (uint8_t)(value >> 8 * i);
}

static const char *read_memory(const char *request)
{
	static char reply[2 * sizeof(memory[0].bytes) + 1];
	unsigned long long addr;
	unsigned int len;

	if (sscanf(request, "m%llx,%x", &addr, &len) != 2)
		return "E22";
	for (unsigned int i = 0; i < len; i++) {
		bool found = false;

		for (size_t p = 0; p < n_pieces && !found; p++)
			if (addr + i >= memory[p].addr &&
			    addr + i < memory[p].addr + sizeof(memory[p].bytes)) {
				snprintf(reply + 2 * i, 3, "%02x",
					 memory[p].bytes[addr + i - memory[p].addr]);
				found = true;
			}
		if (!found)
			return "E14";
	}
	return reply;
}

static const char *read_register(const char *request)
{
	const struct registers *r = &stops[stop_now];
	const uint64_t values[] = {r->pc, r->arg, r->result, r->percpu};
	static char reply[17];
	unsigned int n = 9;

	if (sscanf(request, "p%x", &n) != 1 || n > 3)
		return "E00";
	if (!fetched) /* a copy that is as old as the reset, as under KVM */
		return "f0ff000000000000";
	for (size_t i = 0; i < 8; i++)
		snprintf(reply + 2 * i, 3, "%02x", (unsigned int)(values[n] >> 8 * i & 0xff));
	return reply;
}

/* All but what changes the guest, which the script has to have. */
static const char *serve(const char *request)
{
	if (!strncmp(request, "qXfer:features:read:target.xml:0", 32))
		return "l<target><reg name=\"rip\" bitsize=\"64\"/><reg name=\"rdi\" bitsize=\"64\"/>"
		       "<reg name=\"rax\" bitsize=\"64\"/><reg name=\"gs_base\" bitsize=\"64\"/>"
		       "<reg name=\"r9\" bitsize=\"64\"/></target>";
	if (!strncmp(request, "qXfer", 5))
		return "E00";
	if (!strncmp(request, "Hg", 2))
		return "OK";
	if (request[0] == 'm')
		return read_memory(request);
	if (!strncmp(request, "qThreadExtraInfo,", 17)) {
		/* This is asked first at each stop. */
		stop_now++;
		fetched = true;
		return "4350552330";
	}
	if (request[0] == 'p')
		return read_register(request);
	/* What is next changes the guest, and lets it run. */
	fetched = false;
	return NULL;
}

/* --- its kernel --- */

static void make_facts(struct kfacts *facts)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"bpf_verifier_env", "prog", 0x8, 8},
		{"bpf_verifier_env", "log", LOG, 0x80},
		{"bpf_verifier_env", "log.level", LOG + 0x18, 4},
		{"bpf_verifier_env", "log.ubuf", LOG + 0x20, 8},
		{"bpf_verifier_env", "log.len_total", LOG + 0x28, 4},
		{"bpf_verifier_env", "log.end_pos", LOG + 0x30, 8},
		{"bpf_verifier_env", "subprog_cnt", 0x40, 4},
		{"bpf_verifier_env", "insn_processed", 0x48, 4},
		{"bpf_verifier_env", "total_states", 0x50, 4},
		{"bpf_verifier_env", "subprog_info", 0x200, 0x100},
		{"bpf_subprog_info", "stack_depth", 8, 2},
		{"bpf_prog", "len", 0, 4},
		{"bpf_prog", "jited_len", 4, 4},
		{"bpf_prog", "type", 8, 4},
		{"bpf_prog", "tag", 0x10, 8},
		{"bpf_prog", "gpl_compatible", 0x18, 1},
		{"bpf_prog", "aux", 0x20, 8},
		{"bpf_prog_aux", "id", 0, 4},
		{"bpf_prog_aux", "name", 0x10, 16},
		{"bpf_prog_aux", "load_time", 0x20, 8},
		{"bpf_prog_aux", "used_maps", 0x28, 8},
		{"bpf_prog_aux", "used_map_cnt", 0x30, 4},
		{"bpf_prog_aux", "func", 0x38, 8},
		{"bpf_prog_aux", "func_cnt", 0x40, 4},
		{"bpf_prog_aux", "prog", 0x48, 8},
		{"bpf_prog_aux", "verified_insns", 0x50, 4},
		{"task_struct", "comm", 0, 16},
		{"task_struct", "tgid", 0x10, 4},
	};

	facts->kernel.arch = (char *)"x86_64";
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_size(facts, "bpf_subprog_info", 0x10);
	fake_symbol(facts, "current_task", CURRENT);
	fake_enum(facts, "bpf_prog_type", "BPF_PROG_TYPE_XDP", 6);
}

/* A load under way, and its program, which lies behind the env. */
static void put_load(gaddr_t env, gaddr_t task, const char *name, uint32_t insns)
{
	gaddr_t prog = env + 0x1000, aux = env + 0x2000;

	put(env + 0x8, prog, 8);
	put(env + LOG + 0x18, 4, 4);
	put(env + LOG + 0x20, LOADERS_LOG, 8);
	put(env + LOG + 0x28, 0x100, 4);
	put(env + LOG + 0x30, 0x10, 8);
	put(env + 0x40, 2, 4);
	put(env + 0x48, insns, 4);
	put(env + 0x50, insns / 10, 4);
	put(env + 0x208, 16, 2);
	put(env + 0x218, 40, 2);
	put(prog + 8, 6, 4);
	put(prog + 0x20, aux, 8);
	put(aux + 0x48, prog, 8);
	put(aux + 0x50, insns, 4);
	strcpy((char *)at(aux + 0x10), name);
	strcpy((char *)at(task), "a_loader");
	put(task + 0x10, (uint32_t)(task >> 16 & 0xffff), 4);
}

struct session {
	struct kfacts facts;
	struct watch watch;
	struct stub *stub;
};

static void begin(struct session *s, const struct stub_step *script, const struct registers *regs)
{
	static const struct rsp_options options = {.timeout_ms = 60000, .cancel_fd = -1};
	struct rsp_client *client;
	int fd;

	memset(s, 0, sizeof(*s));
	stops = regs;
	stop_now = SIZE_MAX;
	n_pieces = 0;
	put(FINALIZE, 0x00441f0f, 5); /* the no-op for ftrace */
	put(RETURN, 0xc18941, 3);     /* mov %eax,%r9d */
	put(PERCPU + CURRENT, TASK_A, 8);
	put(2 * PERCPU + CURRENT, TASK_B, 8);
	make_facts(&s->facts);
	s->stub = stub_start(script, 0, &fd);
	assert_null(rsp_client_from_fd(fd, &options, &client));
	stop_init(&s->watch.stop, client, &watch_x86_64, &s->facts);
	assert_null(reader_init(&s->watch.reader, &s->watch.stop, &s->facts, 0));
	s->watch.pending.reader = &s->watch.reader;
	s->watch.identity.next_check_ns = INT64_MAX;
	s->watch.places.breakpoint_len = 1;
	s->watch.places.at[WATCH_AT_FINALIZE].addr = FINALIZE;
	s->watch.places.at[WATCH_AT_RETURN].addr = RETURN;
	s->watch.places.at[WATCH_AT_FINALIZE].set = s->watch.places.at[WATCH_AT_RETURN].set = true;
	assert_null(rsp_client_resume(client, NULL, NULL, 0));
}

static void forget(struct session *s)
{
	const char *failure;

	pending_deinit(&s->watch.pending);
	rsp_client_destroy(s->watch.stop.client);
	failure = stub_join(s->stub);
	if (failure)
		fail_msg("%s", failure);
}

static void finish(struct session *s)
{
	assert_null(watch_end(&s->watch));
	forget(s);
}

static struct watch_event next(struct session *s)
{
	struct watch_event event;
	struct kt_error *err = watch_next(&s->watch, 60000, &event);

	if (err)
		fail_msg("%s", kt_error_message(err));
	return event;
}

#define SERVE                                                                                      \
	{                                                                                          \
		STUB_SERVE, NULL, 0, serve                                                         \
	}
#define RUNS                                                                                       \
	{                                                                                          \
		STUB_EXPECT, "vCont;c"                                                             \
	}
/* Behind a step: the vCPU is no more where it was. */
#define MOVED                                                                                      \
	{STUB_EXPECT, "qThreadExtraInfo,p01.01"}, {STUB_REPLY, "4350552330"}, {STUB_EXPECT, "p0"}, \
	{                                                                                          \
		STUB_REPLY, "0910008100000000"                                                     \
	}
/* rip, as a number of the target description above: past the no-op, past the move */
#define PAST_NOP                                                                                   \
	{STUB_EXPECT, "P0=09100081ffffffff"},                                                      \
	{                                                                                          \
		STUB_REPLY, "OK"                                                                   \
	}
#define PAST_MOVE                                                                                  \
	{STUB_EXPECT, "P0=03200081ffffffff"},                                                      \
	{                                                                                          \
		STUB_REPLY, "OK"                                                                   \
	}
#define STOPS(cpu, sum)                                                                            \
	{                                                                                          \
		STUB_RAW, "+$T05thread:p01.0" cpu ";#" sum                                         \
	}
#define END                                                                                        \
	{STUB_INTERRUPTED}, {STUB_RAW, "$T02thread:p01.01;#03"},                                   \
		{STUB_EXPECT, "z1,ffffffff81001004,1"}, {STUB_REPLY, "OK"},                        \
		{STUB_EXPECT, "z1,ffffffff81002000,1"}, {STUB_REPLY, "OK"}, STUB_BYE,              \
	{                                                                                          \
		STUB_END                                                                           \
	}

/*
 * Two loads on two CPUs, whose stops interleave, and one stop that QEMU tells of once too often.
 * Each result goes to its own load.
 */
static void test_two_at_once(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		RUNS,
		STOPS("1", "06"),
		SERVE,
		PAST_NOP,
		RUNS,
		STOPS("2", "07"),
		SERVE,
		PAST_NOP,
		RUNS,
		STOPS("1", "06"),
		SERVE, /* on no breakpoint */
		RUNS,
		STOPS("2", "07"),
		SERVE,
		{STUB_EXPECT, "P4=eaffffff00000000"},
		{STUB_REPLY, "OK"},
		PAST_MOVE,
		RUNS,
		STOPS("1", "06"),
		SERVE,
		{STUB_EXPECT, "P4=0500000000000000"},
		{STUB_REPLY, "OK"},
		PAST_MOVE,
		RUNS,
		{STUB_RAW, "+"},
		END,
	};
	static const struct registers regs[] = {
		{FINALIZE, ENV_A + LOG, 0, PERCPU},
		{FINALIZE, ENV_B + LOG, 0, 2 * PERCPU},
		{FINALIZE + 5, ENV_A + LOG, 0, PERCPU},
		{RETURN, 0, UINT64_C(0xffffffffffffffea), 2 * PERCPU},
		{RETURN, 0, 5, PERCPU},
	};
	struct watch_event event;
	struct session s;

	(void)state;
	begin(&s, script, regs);
	put_load(ENV_A, TASK_A, "prog_a", 1230);
	put_load(ENV_B, TASK_B, "prog_b", 4560);
	event = next(&s);
	assert_int_equal(event.kind, WATCH_LOAD);
	assert_string_equal(event.load.name, "prog_b");
	assert_string_equal(event.load.type, "xdp");
	assert_int_equal(event.load.pid, TASK_B >> 16 & 0xffff);
	assert_int_equal(event.load.error.value, 22);
	assert_int_equal(event.load.verified_insns.value, 4560);
	assert_int_equal(event.load.total_states.value, 456);
	assert_false(event.load.peak_states.known); /* this kernel has none */
	assert_int_equal(event.load.n_stack_depth, 2);
	assert_int_equal(event.load.stack_depth[1], 40);
	bpf_load_deinit(&event.load);
	event = next(&s);
	assert_string_equal(event.load.name, "prog_a");
	assert_true(event.load.error.known);
	assert_int_equal(event.load.error.value, 0);
	assert_int_equal(event.load.verified_insns.value, 1230);
	bpf_load_deinit(&event.load);
	finish(&s);
}

/* ftrace has put a call where the no-op was: one step of one CPU, the breakpoint away. */
static void test_step_over(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		RUNS,
		STOPS("1", "06"),
		SERVE,
		{STUB_EXPECT, "z1,ffffffff81001004,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "vCont;s:p01.01"},
		{STUB_REPLY, "T05thread:p01.01;"},
		/* Another vCPU's stop ended the step: nothing was executed. */
		{STUB_EXPECT, "qThreadExtraInfo,p01.01"},
		{STUB_REPLY, "4350552330"},
		{STUB_EXPECT, "p0"},
		{STUB_REPLY, "04100081ffffffff"},
		{STUB_EXPECT, "vCont;s:p01.01"},
		{STUB_REPLY, "T05thread:p01.01;"},
		MOVED,
		{STUB_EXPECT, "Z1,ffffffff81001004,1"},
		{STUB_REPLY, "OK"},
		RUNS,
		STOPS("1", "06"),
		SERVE,
		{STUB_EXPECT, "P4=0500000000000000"},
		{STUB_REPLY, "OK"},
		PAST_MOVE,
		RUNS,
		{STUB_RAW, "+"},
		END,
	};
	static const struct registers regs[] = {
		{FINALIZE, ENV_A + LOG, 0, PERCPU},
		{RETURN, 0, 5, PERCPU},
	};
	struct watch_event event;
	struct session s;

	(void)state;
	begin(&s, script, regs);
	put(FINALIZE, 0xe8, 1);
	put_load(ENV_A, TASK_A, "prog_a", 1230);
	event = next(&s);
	assert_int_equal(event.load.verified_insns.value, 1230);
	bpf_load_deinit(&event.load);
	finish(&s);
}

/* What is no program's env: unreadable, no program, a program that is not the aux's. */
static void test_no_program(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		RUNS,
		STOPS("1", "06"),
		SERVE,
		PAST_NOP,
		RUNS,
		STOPS("1", "06"),
		SERVE,
		PAST_NOP,
		RUNS,
		STOPS("1", "06"),
		SERVE,
		{STUB_EXPECT, "P4=f3ffffff00000000"},
		{STUB_REPLY, "OK"},
		PAST_MOVE,
		RUNS,
		{STUB_RAW, "+"},
		END,
	};
	static const struct registers regs[] = {
		{FINALIZE, UINT64_C(0xffff8880dead0000), 0, PERCPU},
		{FINALIZE, ENV_A + LOG, 0, PERCPU},
		{RETURN, 0, UINT64_C(0xfffffff3), PERCPU},
	};
	struct watch_event event;
	struct session s;

	(void)state;
	begin(&s, script, regs);
	put_load(ENV_A, TASK_A, "prog_a", 1230);
	put(ENV_A + 0x2000 + 0x48, ENV_B, 8);
	event = next(&s);
	assert_int_equal(event.kind, WATCH_LOAD);
	assert_int_equal(event.load.error.value, 13);
	assert_string_equal(event.load.comm, "a_loader");
	assert_null(event.load.type);
	assert_false(event.load.verified_insns.known);
	assert_int_equal(event.load.n_stack_depth, 0);
	bpf_load_deinit(&event.load);
	finish(&s);
}

/* The load's result is known, and QEMU goes away: the load is told of, and then the end. */
static void check_result_then_end(struct session *s, const char *name, const char *comm)
{
	struct watch_event event = next(s);

	assert_int_equal(event.kind, WATCH_LOAD);
	assert_true(event.load.error.known);
	assert_int_equal(event.load.error.value, 22);
	assert_string_equal(event.load.name, name);
	assert_string_equal(event.load.comm, comm);
	assert_null(event.load.log);
	bpf_load_deinit(&event.load);
	event = next(s);
	assert_int_equal(event.kind, WATCH_END);
	assert_non_null(strstr(event.why, "the guest is gone"));
	forget(s);
}

#define FINALIZED STUB_HELLO, RUNS, STOPS("1", "06"), SERVE, PAST_NOP, RUNS, STOPS("1", "06")
static const struct registers finalized_and_failed[] = {
	{FINALIZE, ENV_A + LOG, 0, PERCPU},
	{RETURN, 0, UINT64_C(0xffffffffffffffea), PERCPU},
};

static void test_gone_before_it_runs_on(void **state)
{
	static const struct stub_step script[] = {
		FINALIZED, SERVE, {STUB_EXPECT, "P4=eaffffff00000000"}, {STUB_CLOSE}, {STUB_END},
	};
	struct session s;

	(void)state;
	begin(&s, script, finalized_and_failed);
	put_load(ENV_A, TASK_A, "prog_a", 1230);
	check_result_then_end(&s, "prog_a", "a_loader");
}

/* Serves all but reads of the log. */
static const char *serve_no_log(const char *request)
{
	char log[32];

	snprintf(log, sizeof(log), "m%llx,", (unsigned long long)LOADERS_LOG);
	return strncmp(request, log, strlen(log)) ? serve(request) : NULL;
}

static void test_gone_while_the_log_is_read(void **state)
{
	static const struct stub_step script[] = {
		FINALIZED,  {STUB_SERVE, NULL, 0, serve_no_log}, {STUB_EXPECT_ANY}, {STUB_CLOSE},
		{STUB_END},
	};
	struct session s;

	(void)state;
	begin(&s, script, finalized_and_failed);
	s.watch.pending.logs = true;
	put_load(ENV_A, TASK_A, "prog_a", 1230);
	put(LOADERS_LOG, 'x', 1);
	check_result_then_end(&s, "prog_a", "a_loader");
}

/* Serves all but reads of memory. */
static const char *serve_no_memory(const char *request)
{
	return request[0] == 'm' ? NULL : serve(request);
}

/* Not even the task can be told: the load counts all the same. */
static void test_gone_while_the_task_is_read(void **state)
{
	static const struct stub_step script[] = {
		FINALIZED,  {STUB_SERVE, NULL, 0, serve_no_memory}, {STUB_EXPECT_ANY}, {STUB_CLOSE},
		{STUB_END},
	};
	struct session s;

	(void)state;
	begin(&s, script, finalized_and_failed);
	put_load(ENV_A, TASK_A, "prog_a", 1230);
	check_result_then_end(&s, "", "");
}

/* The caller may have enough after the load: then watch_end() has the error. */
static void test_error_after_the_last_load(void **state)
{
	static const struct stub_step script[] = {
		FINALIZED,
		SERVE,
		{STUB_EXPECT, "z1,ffffffff81002000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "vCont;s:p01.01"},
		{STUB_REPLY, "E22"},
		{STUB_CLOSE},
		{STUB_END},
	};
	struct watch_event event;
	struct kt_error *err;
	struct session s;

	(void)state;
	begin(&s, script, finalized_and_failed);
	put_load(ENV_A, TASK_A, "prog_a", 1230);
	put(RETURN, 0xe8, 1); /* an instruction that has to be executed */
	event = next(&s);
	assert_int_equal(event.kind, WATCH_LOAD);
	bpf_load_deinit(&event.load);
	err = watch_end(&s.watch);
	assert_non_null(err);
	assert_non_null(strstr(kt_error_message(err), "cannot step"));
	kt_error_destroy(err);
	forget(&s);
}

/* What a kernel never has there: no task on the CPU, an env at address 0. */
static void test_null_pointers(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		RUNS,
		STOPS("1", "06"),
		SERVE,
		PAST_NOP,
		RUNS,
		STOPS("1", "06"),
		SERVE,
		PAST_NOP,
		RUNS,
		STOPS("1", "06"),
		SERVE,
		{STUB_EXPECT, "P4=eaffffff00000000"},
		{STUB_REPLY, "OK"},
		PAST_MOVE,
		RUNS,
		{STUB_RAW, "+"},
		END,
	};
	static const struct registers regs[] = {
		{FINALIZE, LOG, 0, PERCPU},
		{FINALIZE, ENV_A + LOG, 0, PERCPU},
		{RETURN, 0, UINT64_C(0xffffffffffffffea), PERCPU},
	};
	struct watch_event event;
	struct session s;

	(void)state;
	begin(&s, script, regs);
	put_load(ENV_A, TASK_A, "prog_a", 1230);
	put(PERCPU + CURRENT, 0, 8);
	event = next(&s);
	assert_int_equal(event.kind, WATCH_LOAD);
	assert_int_equal(event.load.error.value, 22);
	assert_false(event.load.by_known);
	bpf_load_deinit(&event.load);
	finish(&s);
}

static void set_only_failing(struct places *places)
{
	places->only_failing = true;
	places->lender = WATCH_NOWHERE;
	places->at[WATCH_AT_FINALIZE].set = places->at[WATCH_AT_RETURN].set = false;
	places->at[WATCH_AT_PROGRAM].addr = PROGRAM;
	places->at[WATCH_AT_EXIT].addr = EXIT;
	places->at[WATCH_AT_PROGRAM].set = places->at[WATCH_AT_EXIT].set = true;
	put(PROGRAM, 0xe8, 1);
}

/*
 * Only loads that fail stop it, and the processor has no breakpoint left for the return: an exit
 * lends its own. Two loads that pass come by at that moment: one while it is awaited, one later. A
 * third one may be behind the exit, so the breakpoint stays at the return.
 */
static void test_only_failing(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		RUNS,
		STOPS("1", "06"),
		SERVE,
		/* past the call */
		{STUB_EXPECT, "z1,ffffffff81003000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "vCont;s:p01.01"},
		{STUB_REPLY, "T05thread:p01.01;"},
		MOVED,
		{STUB_EXPECT, "Z1,ffffffff81003000,1"},
		{STUB_REPLY, "OK"},
		/* the return instead of the exit */
		{STUB_EXPECT, "Z1,ffffffff81002000,1"},
		{STUB_REPLY, "E22"},
		{STUB_EXPECT, "z1,ffffffff81004000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "Z1,ffffffff81002000,1"},
		{STUB_REPLY, "OK"},
		RUNS,
		STOPS("2", "07"),
		SERVE,
		{STUB_EXPECT, "P4=0500000000000000"},
		{STUB_REPLY, "OK"},
		PAST_MOVE,
		RUNS,
		STOPS("1", "06"),
		SERVE,
		{STUB_EXPECT, "P4=eaffffff00000000"},
		{STUB_REPLY, "OK"},
		PAST_MOVE,
		RUNS,
		STOPS("2", "07"),
		SERVE,
		{STUB_EXPECT, "P4=0600000000000000"},
		{STUB_REPLY, "OK"},
		PAST_MOVE,
		RUNS,
		{STUB_RAW, "+"},
		{STUB_INTERRUPTED},
		{STUB_RAW, "$T02thread:p01.01;#03"},
		{STUB_EXPECT, "z1,ffffffff81002000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "z1,ffffffff81003000,1"},
		{STUB_REPLY, "OK"},
		STUB_BYE,
		{STUB_END},
	};
	static const struct registers regs[] = {
		{PROGRAM, ENV_A + 0x1000, 0, PERCPU},
		{RETURN, 0, 5, 2 * PERCPU},
		{RETURN, 0, UINT64_C(0xffffffffffffffea), PERCPU},
		{RETURN, 0, 6, 2 * PERCPU},
	};
	struct watch_event event;
	struct session s;

	(void)state;
	begin(&s, script, regs);
	set_only_failing(&s.watch.places);
	put_load(ENV_A, TASK_A, "prog_a", 1230);
	put_load(ENV_B, TASK_B, "prog_b", 4560);
	event = next(&s);
	assert_int_equal(event.kind, WATCH_LOAD);
	assert_string_equal(event.load.name, "prog_a");
	assert_string_equal(event.load.type, "xdp");
	assert_int_equal(event.load.error.value, 22);
	assert_int_equal(event.load.verified_insns.value, 1230);
	assert_false(event.load.total_states.known);
	bpf_load_deinit(&event.load);
	assert_null(watch_next(&s.watch, 200, &event));
	assert_int_equal(event.kind, WATCH_NOTHING);
	finish(&s);
}

/* Who lends a breakpoint first is panic(), and it has it back at once. */
static void test_panic_lends(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		RUNS,
		STOPS("1", "06"),
		SERVE,
		/* past the call */
		{STUB_EXPECT, "z1,ffffffff81003000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "vCont;s:p01.01"},
		{STUB_REPLY, "T05thread:p01.01;"},
		MOVED,
		{STUB_EXPECT, "Z1,ffffffff81003000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "Z1,ffffffff81002000,1"},
		{STUB_REPLY, "E22"},
		{STUB_EXPECT, "z1,ffffffff81005000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "Z1,ffffffff81002000,1"},
		{STUB_REPLY, "OK"},
		RUNS,
		STOPS("1", "06"),
		SERVE,
		{STUB_EXPECT, "z1,ffffffff81002000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "Z1,ffffffff81005000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "P4=eaffffff00000000"},
		{STUB_REPLY, "OK"},
		PAST_MOVE,
		RUNS,
		{STUB_RAW, "+"},
		{STUB_INTERRUPTED},
		{STUB_RAW, "$T02thread:p01.01;#03"},
		{STUB_EXPECT, "z1,ffffffff81005000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "z1,ffffffff81003000,1"},
		{STUB_REPLY, "OK"},
		{STUB_EXPECT, "z1,ffffffff81004000,1"},
		{STUB_REPLY, "OK"},
		STUB_BYE,
		{STUB_END},
	};
	static const struct registers regs[] = {
		{PROGRAM, ENV_A + 0x1000, 0, PERCPU},
		{RETURN, 0, UINT64_C(0xffffffffffffffea), PERCPU},
	};
	struct watch_event event;
	struct session s;

	(void)state;
	begin(&s, script, regs);
	set_only_failing(&s.watch.places);
	s.watch.places.at[WATCH_AT_PANIC].addr = UINT64_C(0xffffffff81005000);
	s.watch.places.at[WATCH_AT_PANIC].set = true;
	put_load(ENV_A, TASK_A, "prog_a", 1230);
	event = next(&s);
	assert_int_equal(event.kind, WATCH_LOAD);
	assert_string_equal(event.load.name, "prog_a");
	bpf_load_deinit(&event.load);
	assert_null(watch_next(&s.watch, 200, &event));
	assert_int_equal(event.kind, WATCH_NOTHING);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_step_over),
		cmocka_unit_test(test_no_program),
		cmocka_unit_test(test_gone_before_it_runs_on),
		cmocka_unit_test(test_gone_while_the_log_is_read),
		cmocka_unit_test(test_gone_while_the_task_is_read),
		cmocka_unit_test(test_error_after_the_last_load),
		cmocka_unit_test(test_null_pointers),
		cmocka_unit_test(test_only_failing),
		cmocka_unit_test(test_panic_lends),
	};

	return cmocka_run_group_tests_name("watch/watch", tests, NULL, NULL);
}
