// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * bpf_perf_link_fill_link_info() in kernel/bpf/syscall.c (6.6): what is told depends on the type of
 * program, and of kprobe programs on the function that registers the event. Its flags would tell,
 * too, but their bits moved in 6.2, and no type has their names.
 */
#include <linux/bpf.h>
#include <string.h>

#include "introspect/bpf_link_impl.h"

/* clang-format off */
#define EVENT HOP("bpf_perf_link", "perf_file"), HOP("file", "private_data")

static const struct link_row rows[] = {
	{"PERF_EVENT", LINK_AT(cookie), VALUE_NUMBER, .hops = {EVENT, HOP("perf_event", "bpf_cookie")}},
	{"PERF_EVENT", LINK_AT(event_type), VALUE_NUMBER, .hops = {EVENT, HOP("perf_event", "attr.type")}},
	{"PERF_EVENT", LINK_AT(event_config), VALUE_NUMBER,
	 .hops = {EVENT, HOP("perf_event", "attr.config")}},
	{"PERF_EVENT", VALUE_AT(prog_type), VALUE_NUMBER,
	 .hops = {HOP("bpf_link", "prog"), HOP("bpf_prog", "type")}},
	{"PERF_EVENT", VALUE_AT(call), VALUE_NUMBER, .hops = {EVENT, HOP("perf_event", "tp_event")}},
	{"PERF_EVENT", VALUE_AT(reg), VALUE_NUMBER,
	 .hops = {EVENT, HOP("perf_event", "tp_event"), HOP("trace_event_call", "class"),
		  HOP("trace_event_class", "reg")}},
};

/* trace_probe_primary_from_call() */
#define PROBE(type)                                                                                \
	{"trace_probe_event", "call", HOP_UP}, {"trace_probe_event", "probes", HOP_FIRST},         \
	{"trace_probe", "list", HOP_UP}, {type, "tp", HOP_UP}

/* In place of a type of link: bpf_link_perf_kind(). */
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
const struct link_rows bpf_link_call_rows = LINK_ROWS(call_rows);

/* The reg of each kind's trace_event_class. */
static const struct {
	const char *name;
	size_t at;
} symbols[] = {
	{"kprobe_register", offsetof(struct bpf_link_perf_symbols, kprobe)},
	{"trace_uprobe_register", offsetof(struct bpf_link_perf_symbols, uprobe)},
	{"syscall_enter_register", offsetof(struct bpf_link_perf_symbols, syscall_enter)},
	{"syscall_exit_register", offsetof(struct bpf_link_perf_symbols, syscall_exit)},
};
#define N_SYMBOLS (sizeof(symbols) / sizeof(symbols[0]))

bool bpf_link_perf_wants(struct wants *wants)
{
	for (size_t i = 0; i < N_SYMBOLS; i++)
		if (!wants_add(wants, KFACTS_SYMBOL, symbols[i].name, NULL, true))
			return false;
	return link_rows_want(&bpf_link_perf_rows, wants) &&
	       link_rows_want(&bpf_link_call_rows, wants);
}

void bpf_link_perf_symbols_init(struct bpf_link_perf_symbols *ret, const struct guest *guest)
{
	*ret = (struct bpf_link_perf_symbols){0};
	for (size_t i = 0; i < N_SYMBOLS; i++) {
		gaddr_t *at = (void *)((char *)ret + symbols[i].at);

		if (!guest_symbol(guest, symbols[i].name, at))
			*at = 0;
	}
}

static bool is_at(const struct link_values *values, gaddr_t symbol)
{
	return values->reg.known && symbol && values->reg.value == symbol;
}

const char *bpf_link_perf_kind(const struct bpf_link_perf_symbols *known,
			       const struct link_values *values)
{
	if (!values->call.known || !values->call.value || !values->prog_type.known)
		return NULL;
	if (values->prog_type.value == BPF_PROG_TYPE_TRACEPOINT)
		return is_at(values, known->syscall_enter) || is_at(values, known->syscall_exit)
			       ? "syscall"
			       : "tracepoint";
	if (values->prog_type.value != BPF_PROG_TYPE_KPROBE)
		return NULL;
	return is_at(values, known->kprobe)   ? "kprobe"
	       : is_at(values, known->uprobe) ? "uprobe"
					      : NULL;
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
