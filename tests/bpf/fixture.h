/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the fixture programs share. The program contexts are UAPI and come from linux/bpf.h; a
 * kernel's own types are written by hand, with the members in use and no others: CO-RE finds them
 * by name, so that one object fits every kernel.
 */
#ifndef KTSTR_FIXTURE_H
#define KTSTR_FIXTURE_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define CORE __attribute__((preserve_access_index))

#define ARRAY(map, count, val)                                                                     \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(max_entries, count);                                                        \
		__type(key, __u32);                                                                \
		__type(value, val);                                                                \
	} map SEC(".maps")

#define HASH(map, count, val)                                                                      \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_HASH);                                                   \
		__uint(max_entries, count);                                                        \
		__type(key, __u32);                                                                \
		__type(value, val);                                                                \
	} map SEC(".maps")

#endif
