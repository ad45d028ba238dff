// SPDX-License-Identifier: LGPL-2.1-or-later
/* Programs at perf events of a synthetic kernel, whose memory may be anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/bpf_holders.h"
#include "introspect/bpf_perf.h"
#include "tests/introspect/spoil.h"
#include "tests/introspect/tasks.h"

enum { PERF_FOPS, LINK_FOPS, N_OPS };
static const char *const ops[N_OPS] = {"perf_fops", "bpf_link_fops"};

#define REGISTER UINT64_C(0xffffffff81320000)
#define CLOCKS   UINT64_C(0xffffffff82320000)
enum { KPROBE = 2, TRACEPOINT = 5, PERF_EVENT = 7 };               /* BPF_PROG_TYPE_* */
enum { LINK_RAW_TRACEPOINT = 1, LINK_TRACING = 2 };                /* BPF_LINK_TYPE_* */
enum { AT_KPROBE, AT_UPROBE = 16, AT_SYSCALL = 32, AT_NONE = 48 }; /* from REGISTER */

static int setup_perf(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"perf_event", "attr.type", 0, 4},
		{"perf_event", "attr.config", 8, 8},
		{"perf_event", "bpf_cookie", 16, 8},
		{"perf_event", "tp_event", 24, 8},
		{"perf_event", "prog", 32, 8},
		{"perf_event", "pmu", 40, 8},
		{"trace_event_call", "class", 0, 8},
		{"trace_event_call", "tp", 8, 8},
		{"trace_event_call", "name", 8, 8},
		{"trace_event_class", "reg", 8, 8},
		{"trace_probe_event", "call", 16, 48},
		{"trace_probe_event", "probes", 64, 16},
		{"trace_probe", "list", 8, 16},
		{"trace_kprobe", "tp", 64, 24},
		{"trace_kprobe", "rp.kp.addr", 0, 8},
		{"trace_kprobe", "rp.kp.offset", 8, 4},
		{"trace_kprobe", "rp.handler", 16, 8},
		{"trace_kprobe", "symbol", 24, 8},
		{"trace_uprobe", "tp", 64, 24},
		{"trace_uprobe", "offset", 8, 8},
		{"trace_uprobe", "filename", 16, 8},
		{"trace_uprobe", "consumer.ret_handler", 24, 8},
		{"tracepoint", "name", 0, 8},
		{"bpf_link", "type", 0, 4},
		{"bpf_link", "prog", 8, 8},
		{"bpf_raw_tp_link", "btp", 16, 8},
		{"bpf_raw_event_map", "tp", 0, 8},
	};

	setup(state);
	setup_tasks(ops, N_OPS);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_enum(&s.facts, "bpf_link_type", "BPF_LINK_TYPE_RAW_TRACEPOINT", LINK_RAW_TRACEPOINT);
	fake_enum(&s.facts, "bpf_link_type", "BPF_LINK_TYPE_TRACING", LINK_TRACING);
	fake_symbol(&s.facts, "kprobe_register", REGISTER + AT_KPROBE);
	fake_symbol(&s.facts, "trace_uprobe_register", REGISTER + AT_UPROBE);
	fake_symbol(&s.facts, "syscall_enter_register", REGISTER + AT_SYSCALL);
	fake_symbol(&s.facts, "perf_cpu_clock", CLOCKS);
	fake_symbol(&s.facts, "perf_task_clock", CLOCKS + 512);
	return 0;
}

static void set(const char *type, const char *path, gaddr_t at, uint64_t value)
{
	synth_set(&s, type, path, at, value);
}

static uint64_t text(const char *words)
{
	gaddr_t at = synth_alloc(&s, strlen(words) + 1);

	textmem_put(s.mem, at, words, strlen(words));
	return synth_va(at);
}

static gaddr_t put_prog(uint32_t id, uint32_t type)
{
	gaddr_t prog = synth_prog(&s, id).prog;

	set("bpf_prog", "type", prog, type);
	return prog;
}

/* An event of a class with that reg; the physical address of its call is *call_ret. */
static gaddr_t put_event(gaddr_t prog, unsigned int reg, gaddr_t *call_ret)
{
	gaddr_t event = synth_alloc(&s, 48), class = synth_alloc(&s, 16);

	*call_ret = synth_alloc(&s, 96) + 16;
	set("perf_event", "attr.type", event, 1);
	set("perf_event", "attr.config", event, 2);
	set("perf_event", "tp_event", event, synth_va(*call_ret));
	set("perf_event", "prog", event, prog ? synth_va(prog) : 0);
	set("trace_event_call", "class", *call_ret, synth_va(class));
	set("trace_event_class", "reg", class, REGISTER + s.kaslr + reg);
	return event;
}

static gaddr_t put_kprobe(uint32_t id, const char *symbol, uint32_t offset, uint64_t handler)
{
	gaddr_t call, event = put_event(put_prog(id, KPROBE), AT_KPROBE, &call);
	gaddr_t probe = synth_alloc(&s, 96);

	set("trace_probe_event", "probes", call - 16, synth_va(probe) + 64 + 8);
	set("trace_kprobe", "rp.kp.addr", probe, 0x1234);
	set("trace_kprobe", "rp.kp.offset", probe, offset);
	set("trace_kprobe", "rp.handler", probe, handler);
	set("trace_kprobe", "symbol", probe, symbol ? text(symbol) : 0);
	return event;
}

static gaddr_t put_uprobe(uint32_t id, const char *file, uint64_t offset)
{
	gaddr_t call, event = put_event(put_prog(id, KPROBE), AT_UPROBE, &call);
	gaddr_t probe = synth_alloc(&s, 96);

	set("trace_probe_event", "probes", call - 16, synth_va(probe) + 64 + 8);
	set("trace_uprobe", "offset", probe, offset);
	set("trace_uprobe", "filename", probe, text(file));
	return event;
}

static gaddr_t put_tracepoint(uint32_t id, const char *name)
{
	gaddr_t call, event = put_event(put_prog(id, TRACEPOINT), AT_NONE, &call);
	gaddr_t tp = synth_alloc(&s, 16);

	set("trace_event_call", "tp", call, synth_va(tp));
	set("tracepoint", "name", tp, text(name));
	return event;
}

static gaddr_t put_link(uint32_t id, uint32_t type, const char *name)
{
	gaddr_t link = synth_alloc(&s, 32), map = synth_alloc(&s, 8), tp = synth_alloc(&s, 16);

	set("bpf_link", "type", link, type);
	set("bpf_link", "prog", link, synth_va(put_prog(id, TRACEPOINT)));
	set("bpf_raw_tp_link", "btp", link, synth_va(map));
	set("bpf_raw_event_map", "tp", map, synth_va(tp));
	set("tracepoint", "name", tp, text(name));
	return link;
}

static struct kt_error *try_read(struct perf_progs *ret)
{
	struct bpf_perf *perf;
	struct guest *guest;
	struct kt_error *err;

	synth_cpu(&s);
	err = synth_guest(&s, &guest);
	if (err)
		return err;
	err = bpf_perf_read(guest, &perf);
	guest_destroy(guest);
	if (err)
		return err;
	/* No guest any more: nothing may be read from here on. */
	err = bpf_perf_finish(perf, &s.facts, ret);
	bpf_perf_destroy(perf);
	return err;
}

/* "1:3 5 kprobe do_init+4": pid, fd, program, and what it is at. */
static void assert_progs(const struct perf_progs *progs, const char *const *wanted)
{
	size_t i;

	for (i = 0; i < progs->n && wanted[i]; i++) {
		const struct perf_prog *p = &progs->all[i];
		const struct link *e = p->event;
		const char *place = e->func ? e->func : e->file ? e->file : e->tracepoint;
		char got[256];
		int len = snprintf(got, sizeof(got), "%u:%u(%s) %llu %s %s", p->pid, p->fd, p->comm,
				   (unsigned long long)e->prog_id.value,
				   e->perf_type ? e->perf_type : "-",
				   place                  ? place
				   : e->event_config_name ? e->event_config_name
							  : "-");

		if (e->offset.known)
			len += snprintf(got + len, sizeof(got) - (size_t)len, "+%llu",
					(unsigned long long)e->offset.value);
		if (e->addr.known)
			snprintf(got + len, sizeof(got) - (size_t)len, "@%llx",
				 (unsigned long long)e->addr.value);
		assert_string_equal(got, wanted[i]);
	}
	assert_int_equal(i, progs->n);
	assert_null(wanted[i]);
}

static void test_kinds(void **state)
{
	static const char *const wanted[] = {
		"1:3(init) 1 kprobe do_init+4@1234",
		"1:4(init) 2 kretprobe -@1234",
		"1:5(init) 3 uprobe /bin/sh+99",
		"1:6(init) 4 tracepoint sched_switch",
		"1:7(init) 5 tracepoint sys_enter_open",
		"1:8(init) 6 raw_tracepoint module_free",
		"1:9(init) 8 event page-faults",
		"2:5(other) 3 uprobe /bin/sh+99",
		NULL,
	};
	struct table one = put_table(64), two = put_table(64);
	gaddr_t call, event, uprobe;
	struct perf_progs progs;

	(void)state;
	put_fd(&one, 3, put_file(PERF_FOPS, put_kprobe(1, "do_init", 4, 0)));
	put_fd(&one, 4, put_file(PERF_FOPS, put_kprobe(2, NULL, 4, 1)));
	uprobe = put_file(PERF_FOPS, put_uprobe(3, "/bin/sh", 99));
	put_fd(&one, 5, uprobe);
	put_fd(&two, 5, uprobe);
	put_fd(&one, 6, put_file(PERF_FOPS, put_tracepoint(4, "sched_switch")));
	event = put_event(put_prog(5, TRACEPOINT), AT_SYSCALL, &call);
	set("trace_event_call", "name", call, text("sys_enter_open"));
	put_fd(&one, 7, put_file(PERF_FOPS, event));
	put_fd(&one, 8, put_file(LINK_FOPS, put_link(6, LINK_RAW_TRACEPOINT, "module_free")));
	put_fd(&two, 8, put_file(LINK_FOPS, put_link(7, LINK_TRACING, "no")));
	put_fd(&one, 9, put_file(PERF_FOPS, put_event(put_prog(8, PERF_EVENT), AT_NONE, &call)));
	put_fd(&two, 9, put_file(PERF_FOPS, put_event(0, AT_NONE, &call))); /* it counts */
	put_fd(&two, 10, put_file(N_OPS, event));
	put_task(1, 1, one.files, "init");
	put_task(2, 2, two.files, "other");
	assert_null(bpf_perf_check(&s.facts));
	assert_null(try_read(&progs));
	assert_progs(&progs, wanted);
	assert_int_equal(progs.n_unreadable, 0);
	/* Two descriptors of one event are told once. */
	assert_ptr_equal(progs.all[2].event, progs.all[7].event);
	perf_progs_deinit(&progs);
}

/* Since 6.5 the kernel writes over their type. */
static void test_clocks(void **state)
{
	static const char *const wanted[] = {
		"1:3(init) 1 event cpu-clock",
		"1:4(init) 2 event task-clock",
		"1:5(init) 3 event -",
		NULL,
	};
	const uint64_t pmus[] = {CLOCKS, CLOCKS + 512, CLOCKS + 8};
	struct table t = put_table(64);
	struct perf_progs progs;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		gaddr_t call, event = put_event(put_prog(i + 1, PERF_EVENT), AT_NONE, &call);

		set("perf_event", "attr.type", event, 6 + i);
		set("perf_event", "attr.config", event, 0);
		set("perf_event", "pmu", event, pmus[i] + s.kaslr);
		put_fd(&t, 3 + i, put_file(PERF_FOPS, event));
	}
	put_task(1, 1, t.files, "init");
	assert_null(try_read(&progs));
	assert_progs(&progs, wanted);
	assert_int_equal(progs.all[0].event->event_type.value, 1);
	assert_string_equal(progs.all[0].event->event_type_name, "software");
	assert_int_equal(progs.all[2].event->event_type.value, 8);
	perf_progs_deinit(&progs);
}

/* Who holds links, and what runs at events, in one walk of the files: each as if it were alone. */
static void test_with_holders(void **state)
{
	static const char *const wanted[] = {
		"1:3(init) 1 kprobe do_init+4@1234",
		"1:8(init) 6 raw_tracepoint module_free",
		NULL,
	};
	struct table t = put_table(64);
	struct holdings holdings, alone;
	struct perf_progs progs;
	struct bpf_perf *perf;
	struct guest *guest;
	gaddr_t link;

	(void)state;
	fake_member(&s.facts, "bpf_link", "id", 24, 4);
	link = put_link(6, LINK_RAW_TRACEPOINT, "module_free");
	set("bpf_link", "id", link, 40);
	put_fd(&t, 3, put_file(PERF_FOPS, put_kprobe(1, "do_init", 4, 0)));
	put_fd(&t, 8, put_file(LINK_FOPS, link));
	put_task(1, 1, t.files, "init");
	synth_cpu(&s);
	assert_null(synth_guest(&s, &guest));
	assert_null(bpf_holders_read_with_perf(guest, &holdings, &perf));
	assert_null(bpf_holders_read(guest, &alone));
	guest_destroy(guest);
	assert_null(bpf_perf_finish(perf, &s.facts, &progs));
	bpf_perf_destroy(perf);
	assert_progs(&progs, wanted);
	assert_int_equal(alone.n_fds, 1);
	assert_int_equal(holdings.n_fds, 1);
	assert_int_equal(holdings.fds[0].of.kind, HELD_LINK);
	assert_int_equal(holdings.fds[0].of.id, 40);
	assert_int_equal(holdings.fds[0].fd, 8);
	holdings_deinit(&holdings);
	holdings_deinit(&alone);
	perf_progs_deinit(&progs);
}

/* What cannot be read is counted; the rest is there. */
static void test_broken(void **state)
{
	static const char *const wanted[] = {
		"1:3(init) 1 - -",
		"1:4(init) 0 - -",
		"1:9(init) 9 kprobe good+0@1234",
		NULL,
	};
	struct table t = put_table(64);
	gaddr_t call, lost = put_event(put_prog(1, KPROBE), AT_KPROBE, &call), wild, gone;
	struct perf_progs progs;

	(void)state;
	set("trace_event_call", "class", call, NOWHERE);
	wild = put_event(put_prog(2, KPROBE), AT_KPROBE, &call);
	set("perf_event", "prog", wild, NOWHERE);
	gone = put_link(3, LINK_RAW_TRACEPOINT, "gone");
	set("bpf_link", "type", gone, 77);
	put_fd(&t, 3, put_file(PERF_FOPS, lost));
	put_fd(&t, 4, put_file(PERF_FOPS, wild));
	put_fd(&t, 5, put_file(LINK_FOPS, gone));
	put_fd(&t, 6, put_file(PERF_FOPS, 0));
	put_fd(&t, 7, put_file(LINK_FOPS, 0));
	put_fd(&t, 9, put_file(PERF_FOPS, put_kprobe(9, "good", 0, 0)));
	put_task(1, 1, t.files, "init");
	assert_null(try_read(&progs));
	assert_progs(&progs, wanted);
	assert_false(progs.all[1].event->prog_id.known);
	assert_int_equal(progs.n_unreadable, 1); /* the event at address 0 */
	perf_progs_deinit(&progs);
}

static void make_everything(void)
{
	struct table t = put_table(64);

	put_fd(&t, 3, put_file(PERF_FOPS, put_kprobe(1, "do_init", 4, 0)));
	put_fd(&t, 4, put_file(PERF_FOPS, put_uprobe(2, "/bin/sh", 99)));
	put_fd(&t, 5, put_file(PERF_FOPS, put_tracepoint(3, "sched_switch")));
	put_fd(&t, 6, put_file(LINK_FOPS, put_link(4, LINK_RAW_TRACEPOINT, "module_free")));
	put_task(1, 1, t.files, "init");
}

static bool reads_spoiled(void)
{
	struct perf_progs progs = {0};
	struct kt_error *err = try_read(&progs);
	bool read = !err;

	assert_true(progs.n <= 64);
	kt_error_destroy(err);
	perf_progs_deinit(&progs);
	return read;
}

static void test_each_word(void **state)
{
	(void)state;
	spoil_each_word(setup_perf, make_everything, reads_spoiled, 81);
}

static void test_lacking(void **state)
{
	struct kt_error *err;

	(void)state;
	fake_drop(&s.facts, KFACTS_SYMBOL, "perf_fops", NULL);
	err = bpf_perf_check(&s.facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
	fake_drop(&s.facts, KFACTS_MEMBER, "perf_event", "prog");
	err = bpf_perf_check(&s.facts);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	kt_error_destroy(err);
}

#define TEST_PERF(name) cmocka_unit_test_setup_teardown(name, setup_perf, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_PERF(test_kinds),  TEST_PERF(test_clocks),    TEST_PERF(test_with_holders),
		TEST_PERF(test_broken), TEST_PERF(test_each_word), TEST_PERF(test_lacking),
	};

	return cmocka_run_group_tests_name("introspect/bpf_perf", tests, NULL, NULL);
}
