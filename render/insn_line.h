/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line of source in front of its code, as bpftool has it. Internal to render/. */
#ifndef KT_RENDER_INSN_LINE_H
#define KT_RENDER_INSN_LINE_H

#include <jansson.h>

#include "model/insns.h"
#include "util/buf.h"

/* "; return 0;", with linum its place behind it. Nothing for NULL, or where the text is unknown. */
void render_insn_line(struct kt_buf *out, const struct insn_line *line, bool linum);

/* The keys "src", and with linum "file", "line_num", "line_col": those that are known. */
void render_insn_line_json(json_t *object, const struct insn_line *line, bool linum);

#endif
