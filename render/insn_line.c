// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/insn_line.h"
#include "model/json.h"
#include "model/json_put.h"
#include "render/text.h"

void render_insn_line(struct kt_buf *out, const struct insn_line *line, bool linum)
{
	if (!line || !line->source)
		return;
	kt_buf_appends(out, "; ");
	render_append_visible(out, line->source, true); /* it may have tabs */
	if (linum) {
		kt_buf_appends(out, " [file:");
		render_append_visible(out, line->file ? line->file : "", false);
		kt_buf_printf(out, " line_num:%u line_col:%u]", line->line, line->column);
	}
	kt_buf_appendc(out, '\n');
}

void render_insn_line_json(json_t *object, const struct insn_line *line, bool linum)
{
	if (line && line->source)
		json_object_set_new(object, "src", kt_json_text(line->source));
	if (!line || !linum)
		return;
	if (line->file)
		json_object_set_new(object, "file", kt_json_text(line->file));
	if (line->line)
		json_object_set_new(object, "line_num", json_integer(line->line));
	if (line->column)
		json_object_set_new(object, "line_col", json_integer(line->column));
}
