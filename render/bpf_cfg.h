/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control flow of a program as a graph in Graphviz' language. Internal to render/ and cli/. */
#ifndef KT_RENDER_BPF_CFG_H
#define KT_RENDER_BPF_CFG_H

#include "render/bpf_disasm.h"

/*
 * As `bpftool prog dump xlated ID visual`: a cluster for each function, in it a node for each basic
 * block, and the edges between them. Instructions count from the beginning of their function. Where
 * bpftool is wrong, this is right: jumps of 32 bits (gotol), lines of source of subprograms. A
 * target beyond its function has no edge. The caller frees *ret.
 */
struct kt_error *render_insns_dot(const struct insns *insns, const struct render_insns *how,
				  char **ret);

#endif
