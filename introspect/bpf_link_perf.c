// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * bpf_perf_link_fill_link_info() in kernel/bpf/syscall.c (6.6): what is told depends on the type of
 * program, and of kprobe programs on the function that registers the event. Its flags would tell,
 * too, but their bits moved in 6.2, and no type has their names.
 */
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <string.h>

#include "introspect/bpf_link_impl.h"

/* clang-format off */
/* What both tables have of an event; the hops of to_event lead to it. */
#define EVENT_ROWS(type, to_event)                                                                 \
	{type, LINK_AT(cookie), VALUE_NUMBER, .hops = {to_event HOP("perf_event", "bpf_cookie")}}, \
	{type, LINK_AT(event_type), VALUE_NUMBER, .hops = {to_event HOP("perf_event", "attr.type")}}, \
	{type, LINK_AT(event_config), VALUE_NUMBER,                                                \
	 .hops = {to_event HOP("perf_event", "attr.config")}},                                     \
	{type, VALUE_AT(call), VALUE_NUMBER, .hops = {to_event HOP("perf_event", "tp_event")}},    \
	{type, VALUE_AT(reg), VALUE_NUMBER,                                                        \
	 .hops = {to_event HOP("perf_event", "tp_event"), HOP("trace_event_call", "class"),        \
		  HOP("trace_event_class", "reg")}}
#define LINKED HOP("bpf_perf_link", "perf_file"), HOP("file", "private_data"),

static const struct link_row rows[] = {
	EVENT_ROWS("PERF_EVENT", LINKED),
	{"PERF_EVENT", VALUE_AT(prog_type), VALUE_NUMBER,
	 .hops = {HOP("bpf_link", "prog"), HOP("bpf_prog", "type")}},
};

/* In place of a type of link: an event. */
static const struct link_row event_rows[] = {
	EVENT_ROWS("event", ),
	{"event", LINK_AT(prog_id), VALUE_NUMBER,
	 .hops = {HOP("perf_event", "prog"), HOP("bpf_prog", "aux"), HOP("bpf_prog_aux", "id")}},
	{"event", VALUE_AT(pmu), VALUE_NUMBER, .hops = {HOP("perf_event", "pmu")}},
	{"event", VALUE_AT(has_prog), VALUE_IS_SET, .hops = {HOP("perf_event", "prog")}},
	{"event", VALUE_AT(prog_type), VALUE_NUMBER,
	 .hops = {HOP("perf_event", "prog"), HOP("bpf_prog", "type")}},
};

/* trace_probe_primary_from_call() */
#define PROBE(type)                                                                                \
	{"trace_probe_event", "call", HOP_UP}, {"trace_probe_event", "probes", HOP_FIRST},         \
	{"trace_probe", "list", HOP_UP}, {type, "tp", HOP_UP}

/* In place of a type of link: kind_of(). */
static const struct link_row call_rows[] = {
	{"kprobe", LINK_AT(addr), VALUE_NUMBER,
	 .hops = {PROBE("trace_kprobe"), HOP("trace_kprobe", "rp.kp.addr")}},
	{"kprobe", LINK_AT(offset), VALUE_NUMBER,
	 .hops = {PROBE("trace_kprobe"), HOP("trace_kprobe", "rp.kp.offset")}},
	{"kprobe", LINK_AT(func), VALUE_STRING,
	 .hops = {PROBE("trace_kprobe"), HOP("trace_kprobe", "symbol")}},
	{"kprobe", LINK_AT(retprobe), VALUE_IS_SET,
	 .hops = {PROBE("trace_kprobe"), HOP("trace_kprobe", "rp.handler")}},
	{"kprobe", LINK_AT(missed), VALUE_NUMBER,
	 .hops = {PROBE("trace_kprobe"), HOP("trace_kprobe", "rp.kp.nmissed")}},
	{"kprobe", VALUE_AT(missed_returns), VALUE_NUMBER,
	 .hops = {PROBE("trace_kprobe"), HOP("trace_kprobe", "rp.nmissed")}},
	{"uprobe", LINK_AT(file), VALUE_TEXT,
	 .hops = {PROBE("trace_uprobe"), HOP("trace_uprobe", "filename")}},
	{"uprobe", LINK_AT(offset), VALUE_NUMBER,
	 .hops = {PROBE("trace_uprobe"), HOP("trace_uprobe", "offset")}},
	{"uprobe", LINK_AT(ref_ctr_offset), VALUE_NUMBER,
	 .hops = {PROBE("trace_uprobe"), HOP("trace_uprobe", "ref_ctr_offset")}},
	{"uprobe", LINK_AT(retprobe), VALUE_IS_SET,
	 .hops = {PROBE("trace_uprobe"), HOP("trace_uprobe", "consumer.ret_handler")}},
	{"tracepoint", LINK_AT(tracepoint), VALUE_TEXT,
	 .hops = {HOP("trace_event_call", "tp"), HOP("tracepoint", "name")}},
	{"syscall", LINK_AT(tracepoint), VALUE_TEXT, .hops = {HOP("trace_event_call", "name")}},
};
/* clang-format on */

const struct link_rows bpf_link_perf_rows = LINK_ROWS(rows);
const struct link_rows bpf_link_event_rows = LINK_ROWS(event_rows);
static const struct link_rows all_call_rows = LINK_ROWS(call_rows);

/* The reg of each kind's trace_event_class. */
static const struct {
	const char *name;
	const char *kind;
} symbols[] = {
	{"kprobe_register", "kprobe"},
	{"trace_uprobe_register", "uprobe"},
	{"syscall_enter_register", "syscall"},
	{"syscall_exit_register", "syscall"},
};
#define N_SYMBOLS (sizeof(symbols) / sizeof(symbols[0]))

/*
 * The PMUs of clocks. Since 6.5 (perf/core: Rework forwarding of {task|cpu}-clock events) attr.type
 * of such an event is overwritten with its PMU's number, which the kernel gives out as it boots. A
 * link is shown with it, as the kernel tells bpftool.
 */
static const struct {
	const char *name;
	uint64_t config;
} clocks[] = {
	{"perf_cpu_clock", PERF_COUNT_SW_CPU_CLOCK},
	{"perf_task_clock", PERF_COUNT_SW_TASK_CLOCK},
};
#define N_CLOCKS (sizeof(clocks) / sizeof(clocks[0]))

bool bpf_link_perf_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_SYMBOLS; i++)
		if (!wants_add(wants, KFACTS_SYMBOL, symbols[i].name, NULL, true))
			return false;
	for (size_t i = 0; i < N_CLOCKS; i++)
		if (!wants_add(wants, KFACTS_SYMBOL, clocks[i].name, NULL, true))
			return false;
	return link_rows_want(&bpf_link_perf_rows, wants) &&
	       link_rows_want(&bpf_link_event_rows, wants) && link_rows_want(&all_call_rows, wants);
}

/* A "type" for call_rows; NULL: the event has no call that is known. */
static const char *kind_of(const gaddr_t known[N_SYMBOLS], const struct link_values *values)
{
	const char *kind = NULL;

	if (!values->call.known || !values->call.value || !values->prog_type.known)
		return NULL;
	for (size_t i = 0; i < N_SYMBOLS && values->reg.known; i++)
		if (known[i] && known[i] == values->reg.value)
			kind = symbols[i].kind;
	if (values->prog_type.value == BPF_PROG_TYPE_TRACEPOINT)
		return kind && strcmp(kind, "syscall") == 0 ? kind : "tracepoint";
	if (values->prog_type.value != BPF_PROG_TYPE_KPROBE || !kind)
		return NULL;
	return strcmp(kind, "syscall") == 0 ? NULL : kind;
}

/* What the user asked for. */
static void take_clocks(struct guest *guest, struct link_values *values, size_t n)
{
	for (size_t c = 0; c < N_CLOCKS; c++) {
		gaddr_t pmu;

		if (!guest_symbol(guest, clocks[c].name, &pmu))
			continue;
		for (size_t i = 0; i < n; i++) {
			if (!values[i].pmu.known || values[i].pmu.value != pmu)
				continue;
			values[i].link.event_type.value = PERF_TYPE_SOFTWARE;
			values[i].link.event_config.value = clocks[c].config;
		}
	}
}

struct kt_error *bpf_link_calls_read(struct guest *guest, struct link_values *values, size_t n,
				     struct bpf_link_calls *ret)
{
	struct kt_error *err = link_layout_init(&ret->layout, &all_call_rows, guest_facts(guest));
	gaddr_t known[N_SYMBOLS];

	take_clocks(guest, values, n);
	for (size_t i = 0; i < N_SYMBOLS; i++)
		if (!guest_symbol(guest, symbols[i].name, &known[i]))
			known[i] = 0;
	for (size_t i = 0; i < n && !err; i++) {
		const char *kind = kind_of(known, &values[i]);

		if (kind &&
		    !link_chains_begin(&ret->chains, &ret->layout, kind, i, values[i].call.value))
			err = kt_error_no_memory();
	}
	if (!err)
		err = link_chains_read(&ret->chains, guest);
	if (!err)
		link_chains_take_numbers(&ret->chains, values);
	return err;
}

void bpf_link_calls_deinit(struct bpf_link_calls *calls)
{
	link_chains_deinit(&calls->chains);
	link_layout_deinit(&calls->layout);
}

static const char *perf_type(const struct link_values *values)
{
	const struct link *link = &values->link;

	if (!values->prog_type.known)
		return NULL;
	if (values->prog_type.value == BPF_PROG_TYPE_PERF_EVENT)
		return "event";
	if (link->tracepoint)
		return "tracepoint";
	if (!link->retprobe.known)
		return NULL;
	if (link->addr.known)
		return link->retprobe.value ? "kretprobe" : "kprobe";
	return link->retprobe.value ? "uretprobe" : "uprobe";
}

struct kt_error *bpf_link_perf_finish(struct link_values *values)
{
	struct link *link = &values->link;
	const char *type;

	if (!values->prog_type.known)
		return NULL;
	/* trace_kprobe_missed() */
	if (link->missed.known && link->retprobe.value)
		link->missed = (struct program_number){values->missed_returns.known,
						       link->missed.value +
							       values->missed_returns.value};
	type = perf_type(values);
	if (!type || strcmp(type, "event") != 0)
		link->event_type = link->event_config = (struct program_number){0};
	if (!type)
		return NULL;
	link->perf_type = strdup(type);
	return link->perf_type ? bpf_link_event_names(link) : kt_error_no_memory();
}
