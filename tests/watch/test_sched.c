// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What happens to sched_ext, at a stub that follows a script: which registers are asked for and
 * given back, what is an event, and that nothing a guest has in its memory does harm. The guests
 * that are real are tests/guest/sched-watch.sh's.
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
#include "watch/watch_impl.h"

#define ROOT    UINT64_C(0xffffffff82000000)
#define ENABLE  UINT64_C(0xffffffff82000010)
#define HOTPLUG UINT64_C(0xffffffff82000018)
#define REJECT  UINT64_C(0xffffffff82000020)
#define BYPASS  UINT64_C(0xffffffff81001004)
#define SCHED   UINT64_C(0xffff888000010000)
#define INFO    UINT64_C(0xffff888000011000)
#define MESSAGE UINT64_C(0xffff888000012000)
#define TASK    UINT64_C(0xffff888000013000)
#define PERCPU  UINT64_C(0x1000000)
#define CURRENT 0x40
#define NUMBER  0x48

/* --- the guest --- */

static struct piece {
	gaddr_t addr;
	uint8_t bytes[0x400];
} memory[16];
static size_t n_pieces;
static uint64_t pc, arg, general[3];

/* What the kernel does before each stop. */
typedef void happens_fn(void);
static happens_fn *const *happens;
static size_t stop_now;

static void put(gaddr_t addr, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		size_t p = 0;

		while (p < n_pieces && (addr + i < memory[p].addr ||
					addr + i >= memory[p].addr + sizeof(memory[p].bytes)))
			p++;
		if (p == n_pieces) {
			assert_true(n_pieces < sizeof(memory) / sizeof(memory[0]));
			memory[n_pieces++] = (struct piece){.addr = (addr + i) & ~UINT64_C(0x3ff)};
		}
		memory[p].bytes[addr + i - memory[p].addr] = (uint8_t)(i < 8 ? value >> 8 * i : 0);
	}
}

static void put_text(gaddr_t addr, const char *text)
{
	for (size_t i = 0; i <= strlen(text); i++)
		put(addr + i, (unsigned char)text[i], 1);
}

static const char *read_memory(const char *request)
{
	static char reply[0x4000];
	unsigned long long addr;
	unsigned int len;

	if (sscanf(request, "m%llx,%x", &addr, &len) != 2 || len * 2 >= sizeof(reply))
		return "E22";
	for (unsigned int i = 0; i < len; i++) {
		size_t p = 0;

		while (p < n_pieces && (addr + i < memory[p].addr ||
					addr + i >= memory[p].addr + sizeof(memory[p].bytes)))
			p++;
		if (p == n_pieces)
			return "E14";
		snprintf(reply + 2 * (size_t)i, 3, "%02x",
			 memory[p].bytes[addr + i - memory[p].addr]);
	}
	return reply;
}

static const char *serve(const char *request)
{
	static char reply[17];
	unsigned int n;

	if (!strncmp(request, "qXfer:features:read:target.xml:0", 32))
		return "l<target><reg name=\"rip\" bitsize=\"64\"/><reg name=\"rdi\" bitsize=\"64\"/>"
		       "<reg name=\"rsi\" bitsize=\"64\"/><reg name=\"gs_base\" bitsize=\"64\"/>"
		       "<reg name=\"rax\" bitsize=\"64\"/><reg name=\"rsp\" bitsize=\"64\"/>"
		       "<reg name=\"rbp\" bitsize=\"64\"/><reg name=\"rbx\" bitsize=\"64\"/>"
		       "<reg name=\"rcx\" bitsize=\"64\"/><reg name=\"rdx\" bitsize=\"64\"/>"
		       "<reg name=\"r8\" bitsize=\"64\"/><reg name=\"r9\" bitsize=\"64\"/>"
		       "<reg name=\"r10\" bitsize=\"64\"/><reg name=\"r11\" bitsize=\"64\"/>"
		       "<reg name=\"r12\" bitsize=\"64\"/><reg name=\"r13\" bitsize=\"64\"/>"
		       "<reg name=\"r14\" bitsize=\"64\"/><reg name=\"r15\" bitsize=\"64\"/></target>";
	if (!strncmp(request, "qXfer", 5))
		return "E00";
	if (!strncmp(request, "Hg", 2) || !strncmp(request, "Qqemu", 5))
		return "OK";
	if (request[0] == 'm')
		return read_memory(request);
	if (!strncmp(request, "qThreadExtraInfo,", 17)) {
		if (happens && happens[stop_now])
			happens[stop_now++]();
		return "4350552330";
	}
	if (sscanf(request, "p%x", &n) == 1 && n < 18) {
		const uint64_t values[18] = {pc,      SCHED, arg,        PERCPU,     0,
					     MESSAGE, 0,     general[0], general[1], general[2]};

		for (size_t i = 0; i < 8; i++)
			snprintf(reply + 2 * i, 3, "%02x",
				 (unsigned int)(values[n] >> 8 * i & 0xff));
		return reply;
	}
	return NULL;
}

static void make_facts(struct kfacts *facts)
{
	facts->kernel.arch = (char *)"x86_64";
	fake_symbol(facts, "scx_root", ROOT);
	fake_symbol(facts, "scx_enable_seq", ENABLE);
	fake_symbol(facts, "scx_hotplug_seq", HOTPLUG);
	fake_symbol(facts, "scx_nr_rejected", REJECT);
	fake_symbol(facts, "current_task", CURRENT);
	fake_symbol(facts, "cpu_number", NUMBER);
	fake_member(facts, "scx_sched", "ops.name", 0, 128);
	fake_member(facts, "scx_sched", "exit_kind.counter", 0x80, 4);
	fake_member(facts, "scx_sched", "exit_info", 0x88, 8);
	fake_member(facts, "scx_sched", "bypass_depth", 0x90, 4);
	fake_member(facts, "scx_exit_info", "kind", 0, 4);
	fake_member(facts, "scx_exit_info", "exit_code", 8, 8);
	fake_member(facts, "scx_exit_info", "msg", 16, 8);
	fake_member(facts, "task_struct", "comm", 0, 16);
	fake_member(facts, "task_struct", "pid", 16, 4);
	fake_member(facts, "task_struct", "tgid", 20, 4);
	fake_member(facts, "task_struct", "scx.disallow", 24, 1);
	fake_member(facts, "task_struct", "scx.tasks_node", 32, 16);
	fake_member(facts, "task_struct", "scx.tasks_node.next", 32, 8);
	fake_member(facts, "list_head", "prev", 8, 8);
	fake_enum(facts, "scx_exit_kind", "SCX_EXIT_ERROR_STALL", 1026);
}

struct session {
	struct kfacts facts;
	struct watch watch;
	struct stub *stub;
};

/* A watch whose points are those of a kernel that has them, as sched_points_set_more() leaves them.
 */
static void begin(struct session *s, const struct stub_step *script, happens_fn *const *what)
{
	static const struct rsp_options options = {.timeout_ms = 60000, .cancel_fd = -1};
	static const gaddr_t addrs[SCHED_POINTS] = {
		[SCHED_AT_ROOT] = ROOT,       [SCHED_AT_EXIT] = ROOT,
		[SCHED_AT_BYPASS] = BYPASS,   [SCHED_AT_ENABLED] = ENABLE,
		[SCHED_AT_HOTPLUG] = HOTPLUG, [SCHED_AT_REJECTED] = REJECT,
	};
	struct rsp_client *client;
	struct sched *sched = &s->watch.sched;
	int fd;

	memset(s, 0, sizeof(*s));
	n_pieces = stop_now = 0;
	happens = what;
	pc = arg = 0;
	memset(general, 0, sizeof(general));
	put(ROOT, 0, 8);
	put(ENABLE, 4, 8);
	put(HOTPLUG, 7, 8);
	put(REJECT, 0, 8);
	put(PERCPU + CURRENT, TASK, 8);
	put(PERCPU + NUMBER, 3, 4);
	put_text(TASK, "enabler");
	put(TASK + 16, 77, 8);
	put_text(SCHED, "mine");
	put(SCHED + 0x80, 0, 4);
	put(SCHED + 0x88, INFO, 8);
	put(SCHED + 0x90, 0, 4);
	put(INFO, 0, 24);
	put_text(MESSAGE, "");
	make_facts(&s->facts);
	s->stub = stub_start(script, 0, &fd);
	assert_null(rsp_client_from_fd(fd, &options, &client));
	stop_init(&s->watch.stop, client, &watch_x86_64, &s->facts);
	s->watch.identity.next_check_ns = INT64_MAX;
	sched->on = true;
	sched->stop = &s->watch.stop;
	sched->facts = &s->facts;
	assert_null(sched_dump_views_init(&sched->views, &s->facts, 0));
	sched_reject_init(&sched->reject, &s->facts);
	sched->now.enable_seq = (struct program_number){true, 4};
	sched->now.hotplug_seq = (struct program_number){true, 7};
	sched->now.nr_rejected = (struct program_number){true, 0};
	sched->points.breakpoint_len = 1;
	sched->points.more = true;
	sched->points.bypass_argument = 1;
	for (size_t i = 0; i < SCHED_POINTS; i++) {
		sched->points.at[i].addr = addrs[i];
		sched->points.at[i].set = addrs[i] != 0;
	}
	assert_null(rsp_client_resume(client, NULL, NULL, 0));
}

/* The stub says nothing more: what the client does to get away from it is tested elsewhere. */
static void leave(struct session *s)
{
	const char *failure;

	sched_deinit(&s->watch.sched);
	rsp_client_destroy(s->watch.stop.client);
	failure = stub_join(s->stub);
	if (failure && !strstr(failure, "hung up"))
		fail_msg("%s", failure);
}

static struct sched_event next(struct session *s, enum sched_event_kind kind)
{
	struct watch_event event;
	struct kt_error *err = watch_next(&s->watch, 60000, &event);

	if (err)
		fail_msg("%s", kt_error_message(err));
	assert_int_equal(event.kind, WATCH_SCHED);
	assert_int_equal(event.sched.kind, kind);
	return event.sched;
}

#define SERVE                                                                                      \
	{                                                                                          \
		STUB_SERVE, NULL, 0, serve                                                         \
	}
#define RUNS                                                                                       \
	{                                                                                          \
		STUB_EXPECT, "vCont;c"                                                             \
	}
#define WRITTEN(addr)                                                                              \
	{                                                                                          \
		STUB_REPLY, "T05thread:p01.01;watch:" addr ";"                                     \
	}
#define OK(request)                                                                                \
	{STUB_EXPECT, request},                                                                    \
	{                                                                                          \
		STUB_REPLY, "OK"                                                                   \
	}
/* Behind a step: the vCPU is no more where it was. */
#define MOVED                                                                                      \
	{STUB_EXPECT, "qThreadExtraInfo,p01.01"}, {STUB_REPLY, "4350552330"}, {STUB_EXPECT, "p0"}, \
	{                                                                                          \
		STUB_REPLY, "0910008100000000"                                                     \
	}
static void nothing(void)
{
}

/* --- what is seen --- */

static void scheduler_comes(void)
{
	put(ROOT, SCHED, 8);
}

static void it_counts(void)
{
	put(ENABLE, 5, 8);
}

static void a_cpu_goes(void)
{
	put(HOTPLUG, 8, 8);
}

static void bypass_begins(void)
{
	pc = BYPASS;
	arg = 0xffffff01; /* only the lowest byte of a bool counts */
}

static void test_comes_and_counts(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		RUNS,
		WRITTEN("ffffffff82000000"),
		SERVE,
		/* The register that waited at scx_root goes to the scheduler's exit_kind. */
		OK("z2,ffffffff82000000,4"),
		OK("Z2,ffff888000010080,4"),
		/* There is none left for exit_info's kind, as under KVM. */
		{STUB_EXPECT, "Z2,ffff888000011000,4"},
		{STUB_REPLY, "E22"},
		SERVE,
		RUNS,
		WRITTEN("ffffffff82000010"),
		SERVE,
		RUNS,
		WRITTEN("ffffffff82000018"),
		SERVE,
		RUNS,
		/* QEMU may tell of what is no point of ours any more. */
		WRITTEN("ffffffff82000ff8"),
		SERVE,
		RUNS,
		{STUB_REPLY, "T05thread:p01.01;"},
		SERVE,
		/* ftrace has put a call there: one step, the breakpoint away. */
		OK("z1,ffffffff81001004,1"),
		{STUB_EXPECT, "vCont;s:p01.01"},
		{STUB_REPLY, "T05thread:p01.01;"},
		MOVED,
		OK("Z1,ffffffff81001004,1"),
		RUNS,
		{STUB_RAW, "+"},
		{STUB_RESYNC},
		{STUB_DRAIN},
		{STUB_END},
	};
	static happens_fn *const what[] = {scheduler_comes, it_counts,     a_cpu_goes,
					   nothing,         bypass_begins, NULL};
	struct sched_event event;
	struct session s;

	(void)state;
	begin(&s, script, what);
	event = next(&s, SCHED_ENABLING);
	assert_string_equal(event.ops, "mine");
	assert_string_equal(event.comm, "enabler");
	assert_int_equal(event.pid.value, 77);
	assert_int_equal(event.cpu.value, 3);
	assert_false(event.late);
	event = next(&s, SCHED_ENABLED);
	assert_int_equal(event.count.value, 5);
	assert_int_equal(event.more, 1);
	assert_false(event.late);
	event = next(&s, SCHED_HOTPLUG);
	assert_int_equal(event.count.value, 8);
	event = next(&s, SCHED_BYPASS);
	assert_int_equal(event.on.value, 1);
	assert_int_equal(event.depth.value, 0);
	leave(&s);
}

/* --- a task is refused --- */

#define FIRST  UINT64_C(0xffff888000014000)
#define SECOND UINT64_C(0xffff888000015000)

/* On the list of all tasks, before TASK. */
static void put_task(gaddr_t task, const char *comm, uint64_t pid, uint64_t disallow)
{
	put_text(task, comm);
	put(task + 16, pid, 4);
	put(task + 20, pid, 4);
	put(task + 24, disallow, 1);
	put(task + 32, TASK + 32, 8);
	put(TASK + 40, task + 32, 8);
}

/* The second one may be sched_ext's, and is on the list as well, behind the first. */
static void one_is_refused(void)
{
	put(REJECT, 1, 8);
	put_task(FIRST, "sixteen letters!", 42, 1);
	put_task(SECOND, "another", 43, 0);
	put(FIRST + 32, SECOND + 32, 8);
	put(SECOND + 40, FIRST + 32, 8);
	general[0] = SECOND;
	general[1] = FIRST;
	general[2] = FIRST;
}

/* The first one has the look of a task, but is on no list: its next one does not lead back. */
static void a_leftover(void)
{
	put(REJECT, 2, 8);
	put_task(SECOND, "another", 43, 1);
	put(SECOND + 40, TASK + 32, 8);
}

static void only_leftovers(void)
{
	put(REJECT, 3, 8);
	put(SECOND + 32, 0x1000, 8);
	general[1] = SECOND;
	general[2] = FIRST + 4;
}

/* Two that all of it is true of. */
static void two_of_them(void)
{
	put(REJECT, 4, 8);
	put_task(FIRST, "one", 42, 1);
	put_task(SECOND, "another", 43, 1);
	put(FIRST + 32, SECOND + 32, 8);
	put(SECOND + 40, FIRST + 32, 8);
	general[0] = FIRST;
	general[1] = SECOND;
}

static void test_rejected(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,    RUNS,         WRITTEN("ffffffff82000020"),
		SERVE,         RUNS,         WRITTEN("ffffffff82000020"),
		SERVE,         RUNS,         WRITTEN("ffffffff82000020"),
		SERVE,         RUNS,         WRITTEN("ffffffff82000020"),
		SERVE,         RUNS,         {STUB_RAW, "+"},
		{STUB_RESYNC}, {STUB_DRAIN}, {STUB_END},
	};
	static happens_fn *const what[] = {one_is_refused, a_leftover, only_leftovers, two_of_them,
					   NULL};
	struct sched_event event;
	struct session s;

	(void)state;
	begin(&s, script, what);
	event = next(&s, SCHED_REJECTED);
	assert_int_equal(event.count.value, 1);
	assert_int_equal(event.pid.value, 77);
	assert_true(event.rejected_pid.known);
	assert_int_equal(event.rejected_pid.value, 42);
	assert_string_equal(event.rejected_comm, "sixteen letters!");
	event = next(&s, SCHED_REJECTED);
	assert_int_equal(event.rejected_pid.value, 43);
	for (size_t i = 0; i < 2; i++) {
		event = next(&s, SCHED_REJECTED);
		assert_int_equal(event.more, 1);
		assert_false(event.rejected_pid.known);
	}
	leave(&s);
}

/* --- how it ends --- */

static void it_stalls(void)
{
	put(SCHED + 0x80, 1026, 4);
}

static void it_is_told(void)
{
	put(SCHED + 0x80, 0xffffffff, 4); /* SCX_EXIT_DONE, whatever number that is */
	put(INFO, 1026, 4);
	put(INFO + 8, 5, 8);
	put(INFO + 16, MESSAGE, 8);
	put_text(MESSAGE, "late[9] failed to run for 2.004s");
}

/* What was seen at an instant is not taken from a later one. */
static void scheduler_goes(void)
{
	put(ROOT, 0, 8);
	put_text(MESSAGE, "other words");
}

static void test_ends(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		RUNS,
		WRITTEN("ffffffff82000000"),
		SERVE,
		OK("z2,ffffffff82000000,4"),
		OK("Z2,ffff888000010080,4"),
		OK("Z2,ffff888000011000,4"),
		SERVE,
		RUNS,
		WRITTEN("ffff888000010080"),
		SERVE,
		RUNS,
		WRITTEN("ffff888000011000"),
		SERVE,
		RUNS,
		WRITTEN("ffffffff82000000"),
		SERVE,
		OK("z2,ffff888000010080,4"),
		OK("z2,ffff888000011000,4"),
		OK("Z2,ffffffff82000000,4"),
		SERVE,
		RUNS,
		{STUB_RAW, "+"},
		{STUB_RESYNC},
		{STUB_DRAIN},
		{STUB_END},
	};
	static happens_fn *const what[] = {scheduler_comes, it_stalls, it_is_told, scheduler_goes,
					   NULL};
	struct sched_event event;
	struct session s;

	(void)state;
	begin(&s, script, what);
	event = next(&s, SCHED_ENABLING);
	event = next(&s, SCHED_EXIT);
	assert_true(event.is_error);
	assert_string_equal(event.ops, "mine");
	assert_string_equal(event.exit.kind_name, "SCX_EXIT_ERROR_STALL");
	assert_string_equal(event.exit.message, "late[9] failed to run for 2.004s");
	assert_int_equal(event.exit.code.value, 5);
	/* There is no kernel to be found here: the dump says so, and has what it could get. */
	assert_non_null(event.dump);
	assert_string_equal(event.dump->task.comm, "enabler");
	assert_int_equal(event.dump->cpu.value, 3);
	assert_int_not_equal(event.dump->why[0], 0);
	sched_event_deinit(&event);
	event = next(&s, SCHED_DISABLED);
	assert_string_equal(event.exit.message, "other words");
	assert_false(s.watch.sched.points.at[SCHED_AT_INFO].set);
	sched_event_deinit(&event);
	leave(&s);
}

static void it_stalls_as_a_cpu_goes(void)
{
	it_stalls();
	a_cpu_goes();
}

/* Two vCPUs stopped at once, and the stub told of the other one. */
static void test_a_write_that_nobody_told(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		RUNS,
		WRITTEN("ffffffff82000000"),
		SERVE,
		OK("z2,ffffffff82000000,4"),
		OK("Z2,ffff888000010080,4"),
		OK("Z2,ffff888000011000,4"),
		SERVE,
		RUNS,
		WRITTEN("ffffffff82000018"),
		SERVE,
		RUNS,
		WRITTEN("ffff888000011000"),
		SERVE,
		RUNS,
		{STUB_RAW, "+"},
		{STUB_RESYNC},
		{STUB_DRAIN},
		{STUB_END},
	};
	static happens_fn *const what[] = {scheduler_comes, it_stalls_as_a_cpu_goes, it_is_told,
					   NULL};
	struct sched_event event;
	struct session s;

	(void)state;
	begin(&s, script, what);
	event = next(&s, SCHED_ENABLING);
	event = next(&s, SCHED_HOTPLUG);
	assert_false(event.late);
	event = next(&s, SCHED_EXIT);
	assert_true(event.late);
	assert_true(event.is_error);
	assert_string_equal(event.exit.message, "late[9] failed to run for 2.004s");
	/* Who stopped is not who ended it. */
	assert_non_null(event.dump);
	assert_false(event.dump->cpu.known);
	assert_int_equal(event.dump->n_frames, 0);
	sched_event_deinit(&event);
	leave(&s);
}

/* --- what is no scheduler --- */

/* QEMU is gone before the message is there: what was read at the instant is not lost. */
static void test_gone_before_the_message(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		RUNS,
		WRITTEN("ffffffff82000000"),
		SERVE,
		OK("z2,ffffffff82000000,4"),
		OK("Z2,ffff888000010080,4"),
		OK("Z2,ffff888000011000,4"),
		SERVE,
		RUNS,
		WRITTEN("ffff888000010080"),
		SERVE,
		RUNS,
		{STUB_CLOSE},
		{STUB_END},
	};
	static happens_fn *const what[] = {scheduler_comes, it_stalls, NULL};
	struct watch_event last;
	struct sched_event event;
	struct kt_error *err;
	struct session s;

	(void)state;
	begin(&s, script, what);
	event = next(&s, SCHED_ENABLING);
	event = next(&s, SCHED_EXIT);
	assert_true(event.is_error);
	assert_non_null(event.dump);
	assert_string_equal(event.dump->task.comm, "enabler");
	sched_event_deinit(&event);
	err = watch_next(&s.watch, 60000, &last);
	assert_true(err || last.kind == WATCH_END);
	kt_error_destroy(err);
	leave(&s);
}

static struct kt_error *never(void *none, struct guest *guest)
{
	(void)none;
	(void)guest;
	fail_msg("there is no kernel that could be visited");
	return NULL;
}

/* A visit that a write has come before, and then finds no kernel: nothing is lost, and the guest
 * runs on. */
static void test_visit(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		RUNS,
		{STUB_RAW, "+"},
		{STUB_INTERRUPTED},
		WRITTEN("ffffffff82000000"),
		SERVE,
		OK("z2,ffffffff82000000,4"),
		OK("Z2,ffff888000010080,4"),
		OK("Z2,ffff888000011000,4"),
		SERVE,
		RUNS,
		WRITTEN("ffffffff82000010"),
		SERVE,
		RUNS,
		{STUB_RAW, "+"},
		{STUB_RESYNC},
		{STUB_DRAIN},
		{STUB_END},
	};
	static happens_fn *const what[] = {scheduler_comes, it_counts, NULL};
	struct sched_event event;
	struct kt_error *err;
	struct session s;

	(void)state;
	begin(&s, script, what);
	s.watch.identity.facts = &s.facts;
	err = watch_visit(&s.watch, never, NULL);
	assert_non_null(err);
	kt_error_destroy(err);
	s.watch.identity.next_check_ns = INT64_MAX;
	event = next(&s, SCHED_ENABLING);
	assert_string_equal(event.ops, "mine");
	event = next(&s, SCHED_ENABLED);
	leave(&s);
}

static void nonsense_comes(void)
{
	put(ROOT, 0x1234, 8); /* not mapped */
}

static void half_a_scheduler_comes(void)
{
	put(ROOT, SCHED, 8);
	put(SCHED + 0x88, 0x5678, 8); /* nor is its exit_info */
	for (size_t i = 0; i < 128; i++)
		put(SCHED + i, 0xff, 1); /* a name without an end */
}

static void it_ends_anyhow(void)
{
	put(SCHED + 0x80, 0x80000000, 4);
}

static void test_hostile(void **state)
{
	static const struct stub_step script[] = {
		STUB_HELLO,
		RUNS,
		WRITTEN("ffffffff82000000"),
		SERVE,
		OK("z2,ffffffff82000000,4"),
		OK("Z2,12b4,4"),
		SERVE,
		RUNS,
		WRITTEN("12b4"),
		SERVE,
		RUNS,
		WRITTEN("ffffffff82000000"),
		SERVE,
		OK("z2,12b4,4"),
		OK("Z2,ffff888000010080,4"),
		OK("Z2,5678,4"),
		SERVE,
		RUNS,
		WRITTEN("ffff888000010080"),
		SERVE,
		RUNS,
		WRITTEN("ffffffff82000000"),
		SERVE,
		OK("z2,ffff888000010080,4"),
		OK("z2,5678,4"),
		OK("Z2,ffffffff82000000,4"),
		SERVE,
		RUNS,
		{STUB_RAW, "+"},
		{STUB_RESYNC},
		{STUB_DRAIN},
		{STUB_END},
	};
	static happens_fn *const what[] = {nonsense_comes, nothing,        half_a_scheduler_comes,
					   it_ends_anyhow, scheduler_goes, NULL};
	struct sched_event event;
	struct session s;

	(void)state;
	begin(&s, script, what);
	event = next(&s, SCHED_ENABLING);
	assert_string_equal(event.ops, "");
	/* It is gone, and nothing is known of it; the next one is there. */
	event = next(&s, SCHED_DISABLED);
	assert_false(event.exit.kind.known);
	event = next(&s, SCHED_ENABLING);
	assert_int_equal(strlen(event.ops), 127);
	event = next(&s, SCHED_EXIT);
	assert_int_equal(event.exit.kind.value, 0x80000000);
	assert_null(event.exit.message);
	sched_event_deinit(&event);
	event = next(&s, SCHED_DISABLED);
	sched_event_deinit(&event);
	leave(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_and_counts),
		cmocka_unit_test(test_rejected),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_a_write_that_nobody_told),
		cmocka_unit_test(test_gone_before_the_message),
		cmocka_unit_test(test_visit),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
