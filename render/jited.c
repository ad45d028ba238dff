// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/insn_line.h"
#include "render/jited.h"
#include "render/text.h"
#include "util/buf.h"

/* bpftool's word for a function whose name the kernel does not tell. */
static const char *name_of(const struct jited_func *func)
{
	return func->name ? func->name : "unknown";
}

static void put_insn(struct kt_buf *out, const struct jited_func *func,
		     const struct jited_insn *insn, bool opcodes)
{
	kt_buf_printf(out, "%4x:\t%s", insn->at, insn->operation);
	if (*insn->operands)
		kt_buf_printf(out, "\t%s", insn->operands);
	if (insn->callee)
		kt_buf_printf(out, " <%s>", insn->callee);
	kt_buf_appendc(out, '\n');
	if (!opcodes)
		return;
	for (size_t i = 0; i < insn->n; i++)
		kt_buf_printf(out, "%c%02x", i ? ' ' : '\t', func->code[insn->at + i]);
	kt_buf_appendc(out, '\n');
}

/* The line whose code begins there; of several, all but one without code, the last. */
static const struct insn_line *line_at(const struct jited_func *func, uint32_t pc, size_t *next)
{
	const struct insn_line *ret = NULL;

	for (; *next < func->lines.len && func->lines.data[*next].at <= pc; ++*next)
		if (func->lines.data[*next].at == pc)
			ret = &func->lines.data[*next];
	return ret;
}

struct kt_error *render_jited_text(const struct jited *jited, const struct render_insns *how,
				   char **ret)
{
	struct kt_buf out = KT_BUF_INIT;

	kt_vec_for_each (&jited->funcs, func) {
		size_t next_line = 0;

		if (func != jited->funcs.data)
			kt_buf_appendc(&out, '\n');
		if (func->proto) {
			render_append_visible(&out, func->proto, false);
			kt_buf_appends(&out, ":\n");
		}
		kt_buf_printf(&out, "%s:\n", name_of(func));
		kt_vec_for_each (&func->insns, insn) {
			render_insn_line(&out, line_at(func, insn->at, &next_line), how->linum);
			put_insn(&out, func, insn, how->opcodes);
		}
	}
	return kt_buf_finish(&out, ret);
}

/* "%rsp, %rbp": its operands. A comma in parentheses or brackets is a part of one. */
static json_t *json_operands(const char *text)
{
	json_t *array = json_array();
	int depth = 0;

	while (*text) {
		size_t n = 0;

		while (*text == ' ')
			text++;
		for (; text[n] && (text[n] != ',' || depth); n++) {
			depth += text[n] == '(' || text[n] == '[';
			depth -= text[n] == ')' || text[n] == ']';
		}
		json_array_append_new(array, json_stringn(text, n));
		text += n + (text[n] == ',');
	}
	return array;
}

static json_t *json_insn(const struct jited_func *func, const struct jited_insn *insn,
			 const struct render_insns *how, size_t *next_line)
{
	json_t *object = json_object();

	render_insn_line_json(object, line_at(func, insn->at, next_line), how->linum);
	json_object_set_new(object, "pc", json_sprintf("0x%x", insn->at));
	json_object_set_new(object, "operation", kt_json_text(insn->operation));
	json_object_set_new(object, "operands", json_operands(insn->operands));
	if (insn->callee)
		json_object_set_new(object, "callee", kt_json_text(insn->callee));
	if (how->opcodes) {
		json_t *bytes = json_array();

		for (size_t i = 0; i < insn->n; i++)
			json_array_append_new(bytes,
					      json_sprintf("0x%02x", func->code[insn->at + i]));
		json_object_set_new(object, "opcodes", bytes);
	}
	return object;
}

struct kt_error *render_jited_json(const struct jited *jited, const struct render_insns *how,
				   char **ret)
{
	json_t *root = json_array();

	kt_vec_for_each (&jited->funcs, func) {
		json_t *object = json_object(), *insns = json_array();
		size_t next_line = 0;

		if (func->proto)
			json_object_set_new(object, "proto", kt_json_text(func->proto));
		json_object_set_new(object, "name", kt_json_text(name_of(func)));
		kt_vec_for_each (&func->insns, insn)
			json_array_append_new(insns, json_insn(func, insn, how, &next_line));
		json_object_set_new(object, "insns", insns);
		json_array_append_new(root, object);
	}
	return kt_json_dump(root, ret);
}
