// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/jited.h"
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

struct kt_error *render_jited_text(const struct jited *jited, bool opcodes, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;

	kt_vec_for_each (&jited->funcs, func) {
		kt_buf_printf(&out, "%s%s:\n", func == jited->funcs.data ? "" : "\n",
			      name_of(func));
		kt_vec_for_each (&func->insns, insn)
			put_insn(&out, func, insn, opcodes);
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

static json_t *json_insn(const struct jited_func *func, const struct jited_insn *insn, bool opcodes)
{
	json_t *object = json_object();

	json_object_set_new(object, "pc", json_sprintf("0x%x", insn->at));
	json_object_set_new(object, "operation", kt_json_text(insn->operation));
	json_object_set_new(object, "operands", json_operands(insn->operands));
	if (insn->callee)
		json_object_set_new(object, "callee", kt_json_text(insn->callee));
	if (opcodes) {
		json_t *bytes = json_array();

		for (size_t i = 0; i < insn->n; i++)
			json_array_append_new(bytes,
					      json_sprintf("0x%02x", func->code[insn->at + i]));
		json_object_set_new(object, "opcodes", bytes);
	}
	return object;
}

struct kt_error *render_jited_json(const struct jited *jited, bool opcodes, char **ret)
{
	json_t *root = json_array();

	kt_vec_for_each (&jited->funcs, func) {
		json_t *object = json_object(), *insns = json_array();

		json_object_set_new(object, "name", kt_json_text(name_of(func)));
		kt_vec_for_each (&func->insns, insn)
			json_array_append_new(insns, json_insn(func, insn, opcodes));
		json_object_set_new(object, "insns", insns);
		json_array_append_new(root, object);
	}
	return kt_json_dump(root, ret);
}
