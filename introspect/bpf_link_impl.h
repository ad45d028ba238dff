/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The families of links: what bpf_link.c reads of each. Internal to bpf_link*.c. */
#ifndef KT_INTROSPECT_BPF_LINK_IMPL_H
#define KT_INTROSPECT_BPF_LINK_IMPL_H

#include "introspect/bpf_link_chain.h"

/* Links to devices, network namespaces, netfilter's hooks, sockmaps. */
extern const struct link_rows bpf_link_net_rows;

/*
 * Links to perf events. The first table tells what kind of event it is and leads to its
 * trace_event_call, at which the chains of the second begin: of bpf_link_perf_kind().
 */
extern const struct link_rows bpf_link_perf_rows, bpf_link_call_rows;

/* The symbols that tell kinds of events apart. */
bool bpf_link_perf_wants(struct wants *wants);

struct bpf_link_perf_symbols {
	gaddr_t kprobe, uprobe, syscall_enter, syscall_exit; /* 0: this kernel has none */
};
void bpf_link_perf_symbols_init(struct bpf_link_perf_symbols *symbols, const struct guest *guest);

/* A "type" for bpf_link_call_rows; NULL: the event has no call that is known. */
const char *bpf_link_perf_kind(const struct bpf_link_perf_symbols *symbols,
			       const struct link_values *values);
struct kt_error *bpf_link_perf_finish(struct link_values *values);

/* The names of its event_type and event_config, as perf and bpftool have them. */
struct kt_error *bpf_link_event_names(struct link *link);

/* Links to many functions. */
extern const struct link_rows bpf_link_multi_rows;

bool bpf_link_multi_wants(struct wants *wants);

/* Fills funcs and path of each link that has them. */
struct kt_error *bpf_link_multi_read(struct guest *guest, struct link_values *values, size_t n);

/* kaslr_offset: the guest's. */
struct kt_error *bpf_link_multi_finish(struct link_values *values, const struct kfacts *facts,
				       int64_t kaslr_offset);

#endif
