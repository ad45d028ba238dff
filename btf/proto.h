/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A function of some BTF as bpftool writes it. */
#ifndef KT_BTF_PROTO_H
#define KT_BTF_PROTO_H

#include <bpf/btf.h>
#include <stdbool.h>

#include "util/buf.h"

/*
 * Appends "int main_prog(struct xdp_md * ctx)" for the type with that ID. False, and nothing
 * appended: no function, one with a type that bpftool has no text for, or too long for it. The BTF
 * may be anything.
 */
bool btf_proto(const struct btf *btf, uint32_t id, struct kt_buf *out);

#endif
