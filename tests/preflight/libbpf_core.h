/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libbpf's own verdict on a CO-RE relocation, and on two types: functions that its static library
 * has and its headers have not (src/relo_core.h, the same from 1.0 on). Weak: without a static
 * library they are NULL, and who wants them skips.
 */
#ifndef KT_TESTS_PREFLIGHT_LIBBPF_CORE_H
#define KT_TESTS_PREFLIGHT_LIBBPF_CORE_H

#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct bpf_core_cand {
	const struct btf *btf;
	__u32 id;
};

struct bpf_core_cand_list {
	struct bpf_core_cand *cands;
	int len;
};

struct bpf_core_relo_res {
	__u64 orig_val, new_val;
	bool poison, validate, fail_memsz_adjust;
	__u32 orig_sz, orig_type_id, new_sz, new_type_id;
};

/* Of three struct bpf_core_spec, 1.6 KB each. */
#define CORE_SCRATCH 16384

extern int bpf_core_types_are_compat(const struct btf *local, __u32 local_id,
				     const struct btf *target, __u32 target_id)
	__attribute__((weak));
extern int bpf_core_calc_relo_insn(const char *program, const struct bpf_core_relo *relo, int i,
				   const struct btf *local, struct bpf_core_cand_list *cands,
				   void *scratch, struct bpf_core_relo_res *res)
	__attribute__((weak));

static inline bool core_has_libbpf(void)
{
	return &bpf_core_types_are_compat && &bpf_core_calc_relo_insn;
}

/* "a___b" is "a". The names of these tests have three underscores there only. */
static inline size_t core_plain_len(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour ? (size_t)(flavour - name) : strlen(name);
}

/* As libbpf chooses candidates: of the same kind and name, but for flavours. */
static inline bool core_is_candidate(const struct btf *local, __u32 root, const struct btf *target,
				     __u32 id)
{
	const struct btf_type *a = btf__type_by_id(local, root), *b = btf__type_by_id(target, id);
	const char *name = btf__name_by_offset(local, a->name_off);
	const char *have = btf__name_by_offset(target, b->name_off);
	size_t len = core_plain_len(name);

	return *have &&
	       (btf_kind(a) == btf_kind(b) || (btf_is_any_enum(a) && btf_is_any_enum(b))) &&
	       core_plain_len(have) == len && !memcmp(have, name, len);
}

enum core_verdict { CORE_FINDS, CORE_POISONS, CORE_REFUSES };

/* What libbpf does to an instruction with the relocation. access is added to the strings of local.
 */
static inline enum core_verdict core_ask_libbpf(struct btf *local, __u32 type, const char *access,
						__u32 kind, const struct btf *target)
{
	const struct bpf_core_relo relo = {
		.type_id = type,
		.access_str_off = (__u32)btf__add_str(local, access),
		.kind = (enum bpf_core_relo_kind)kind,
	};
	struct bpf_core_cand_list cands = {calloc(btf__type_cnt(target), sizeof(*cands.cands)), 0};
	struct bpf_core_relo_res res = {0};
	void *scratch = calloc(1, CORE_SCRATCH);
	int err;

	if (!cands.cands || !scratch)
		abort();
	for (__u32 id = 1; id < btf__type_cnt(target); id++)
		if (core_is_candidate(local, type, target, id))
			cands.cands[cands.len++] = (struct bpf_core_cand){target, id};
	err = bpf_core_calc_relo_insn("test", &relo, 0, local, &cands, scratch, &res);
	free(cands.cands);
	free(scratch);
	return err ? CORE_REFUSES : res.poison ? CORE_POISONS : CORE_FINDS;
}

#endif
