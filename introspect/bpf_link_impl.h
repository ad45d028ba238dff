/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The families of links: what bpf_link.c reads of each. Internal to bpf_link*.c. */
#ifndef KT_INTROSPECT_BPF_LINK_IMPL_H
#define KT_INTROSPECT_BPF_LINK_IMPL_H

#include "introspect/bpf_link_chain.h"

/* Links to devices, network namespaces, netfilter's hooks, sockmaps. */
extern const struct link_rows bpf_link_net_rows;

/* Links to perf events; and perf events by themselves, whose "type" is "event". */
extern const struct link_rows bpf_link_perf_rows, bpf_link_event_rows;

/* Both of them, and what it takes to tell kinds of events apart. */
bool bpf_link_perf_wants(struct wants *wants);

/* What is behind the trace_event_call of events. */
struct bpf_link_calls {
	struct link_layout layout;
	struct link_chains chains;
};

/*
 * Of the values that have a `call`, as the tables above found it. Numbers are taken; the texts are
 * the caller's to take. *ret is zeros, and for bpf_link_calls_deinit() after an error, too.
 */
struct kt_error *bpf_link_calls_read(struct guest *guest, struct link_values *values, size_t n,
				     struct bpf_link_calls *ret);
void bpf_link_calls_deinit(struct bpf_link_calls *calls);

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
