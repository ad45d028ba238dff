/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a type of an object fits one of a kernel, by libbpf's rules for CO-RE. Where libbpf's
 * versions differ, or the BTF leads nowhere, the answer is that it fits: nothing is sure then.
 */
#ifndef KT_PREFLIGHT_COMPAT_H
#define KT_PREFLIGHT_COMPAT_H

#include <bpf/btf.h>
#include <stdbool.h>
#include <stdint.h>

/* A relocation's kind: enum bpf_core_relo_kind, which linux/bpf.h has since 5.17. */
enum pf_core_kind {
	PF_CORE_FIELD_OFFSET = 0,
	PF_CORE_FIELD_SIZE = 1,
	PF_CORE_FIELD_EXISTS = 2,
	PF_CORE_FIELD_SIGNED = 3,
	PF_CORE_FIELD_LSHIFT = 4,
	PF_CORE_FIELD_RSHIFT = 5,
	PF_CORE_TYPE_ID_LOCAL = 6,
	PF_CORE_TYPE_ID_TARGET = 7,
	PF_CORE_TYPE_EXISTS = 8,
	PF_CORE_TYPE_SIZE = 9,
	PF_CORE_ENUMVAL_EXISTS = 10,
	PF_CORE_ENUMVAL_VALUE = 11,
	PF_CORE_TYPE_MATCHES = 12,
};

/* Of the same kind; enums of 32 and 64 bits are. */
bool pf_same_kind(const struct btf_type *a, const struct btf_type *b);

/* bpf_core_types_are_compat(): kinds, behind pointers and in prototypes; no names. */
bool pf_types_fit(const struct btf *local, uint32_t local_id, const struct btf *target,
		  uint32_t target_id);

/* bpf_core_fields_are_compat(): the types of a member that both have. */
bool pf_fields_fit(const struct btf *local, uint32_t local_id, const struct btf *target,
		   uint32_t target_id);

#endif
