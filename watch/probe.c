// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libbpf's src/features.c, and bpf_object__probe_loading() (1.1 to 1.7). Instructions are seen as
 * the verifier leaves them: it has put an address into `imm` of a helper's call and into that of a
 * load of a map's value, whose source register it has cleared.
 */
#include <string.h>

#include "watch/probe.h"

/* enum bpf_prog_type of the UAPI */
enum { SOCKET_FILTER = 1, KPROBE = 2, TRACEPOINT = 5, CGROUP_SOCK = 9 };

#define MOV_K    0xb7 /* 64 bits, with a constant */
#define MOV_X    0xbf
#define ADD_K    0x07
#define ST_DW    0x7a
#define LD_IMM64 0x18
#define CALL     0x85
#define EXIT     0x95
#define ANY      INT32_MIN /* `imm` may be anything */

struct insn {
	uint8_t code, dst;
	int32_t imm;
};

static const struct {
	const char *name; /* "": it has none */
	uint8_t type, n;
	struct insn insns[PROBE_INSNS];
} probes[] = {
	{"libbpf_nametest", SOCKET_FILTER, 2, {{MOV_K, 0, 0}, {EXIT, 0, 0}}},
	{"", SOCKET_FILTER, 2, {{MOV_K, 0, 0}, {EXIT, 0, 0}}},
	{"", TRACEPOINT, 2, {{MOV_K, 0, 0}, {EXIT, 0, 0}}},
	{"", CGROUP_SOCK, 2, {{MOV_K, 0, 0}, {EXIT, 0, 0}}},
	{"", KPROBE, 2, {{MOV_K, 0, 0}, {EXIT, 0, 0}}},
	{"",
	 SOCKET_FILTER,
	 5,
	 {{LD_IMM64, 1, ANY}, {0, 0, ANY}, {ST_DW, 1, 42}, {MOV_K, 0, 0}, {EXIT, 0, 0}}},
	{"",
	 TRACEPOINT,
	 6,
	 {{MOV_X, 1, 0},
	  {ADD_K, 1, -8},
	  {MOV_K, 2, 8},
	  {MOV_K, 3, 0},
	  {CALL, 0, ANY},
	  {EXIT, 0, 0}}},
	{"", TRACEPOINT, 2, {{CALL, 0, ANY}, {EXIT, 0, 0}}},
	{"det_arg_ctx", KPROBE, 4, {{CALL, 0, ANY}, {EXIT, 0, 0}, {CALL, 0, ANY}, {EXIT, 0, 0}}},
	{"global_reloc", TRACEPOINT, 3, {{LD_IMM64, 1, ANY}, {0, 0, ANY}, {EXIT, 0, 0}}},
};

static bool is_same(const struct insn *want, const uint8_t *insn)
{
	int32_t imm;

	memcpy(&imm, insn + 4, sizeof(imm)); /* x86-64's byte order, as this machine's */
	return insn[0] == want->code && (insn[1] & 0x0f) == want->dst &&
	       (want->imm == ANY || imm == want->imm);
}

enum bpf_load_probe probe_of(const char *name, uint64_t type, uint64_t len, const uint8_t *insns)
{
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		size_t same = 0;

		if (type != probes[i].type || len != probes[i].n ||
		    strcmp(name, probes[i].name) != 0)
			continue;
		while (same < len && is_same(&probes[i].insns[same], insns + same * 8))
			same++;
		if (same == len)
			return *name ? BPF_LOAD_IS_PROBE : BPF_LOAD_MAYBE_PROBE;
	}
	return BPF_LOAD_NO_PROBE;
}
