/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * eBPF as text, in the syntax of the verifier's log and of `bpftool prog dump xlated`: made by the
 * kernel's own code (third_party/disasm/). Internal to render/ and cli/.
 */
#ifndef KT_RENDER_BPF_DISASM_H
#define KT_RENDER_BPF_DISASM_H

#include "model/insns.h"
#include "render/programs.h"
#include "util/buf.h"

/* Whether the instruction at i takes the place of two. */
bool render_insn_is_double(const struct insns *insns, size_t i);

/* Appends the instruction at i without a line break: "(b7) r0 = 0". */
void render_insn(struct kt_buf *out, const struct insns *insns, size_t i);

/* Appends its bytes in the memory of a little-endian kernel: "b7 00 00 00 00 00 00 00". */
void render_insn_bytes(struct kt_buf *out, const struct insns *insns, size_t i);

/* What is shown besides instructions, functions and lines of source, by bpftool's words. */
struct render_insns {
	bool opcodes; /* the bytes of each instruction */
	bool linum;   /* file, number and column of each line */
};

/*
 * The whole program: "   0: (b7) r0 = 0", with opcodes a line of bytes after each. The caller
 * frees *ret.
 */
struct kt_error *render_insns_text(const struct insns *insns, const struct render_insns *how,
				   char **ret);

/* As `bpftool -j prog dump xlated`: an array of {"disasm": ..., "opcodes": ...}. */
struct kt_error *render_insns_json(const struct insns *insns, const struct render_insns *how,
				   char **ret);

#endif
