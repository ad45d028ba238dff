/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machine code of a program, for people and as bpftool's JSON. Internal to render/ and cli/. */
#ifndef KT_RENDER_JITED_H
#define KT_RENDER_JITED_H

#include "model/jited.h"
#include "render/bpf_disasm.h"
#include "util/error.h"

/*
 * As `bpftool prog dump jited`: each function by its prototype and its name, lines of source,
 * "   0:\tpushq\t%rbp" a line, with opcodes a line of bytes after each. Behind a call is the name
 * of what it calls. The caller frees *ret.
 */
struct kt_error *render_jited_text(const struct jited *jited, const struct render_insns *how,
				   char **ret);

/* As `bpftool -j prog dump jited`: docs/json.md has its keys. */
struct kt_error *render_jited_json(const struct jited *jited, const struct render_insns *how,
				   char **ret);

#endif
