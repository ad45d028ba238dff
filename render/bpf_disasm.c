// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/bpf_disasm.h"
#include "render/hex_json.h"
#include "render/insn_line.h"
#include "render/text.h"
#include "third_party/disasm/disasm.h"

bool render_insn_is_double(const struct insns *insns, size_t i)
{
	return insns->all[i].code == (BPF_LD | BPF_IMM | BPF_DW);
}

/*
 * disasm.c has no text for some opcodes, and would look beyond its tables for one. The verifier
 * refuses them; but what is here comes from a guest, and may be anything. Gives the class of such
 * an opcode, or NULL.
 */
static const char *class_without_text(const struct insn *insn)
{
	uint8_t op = BPF_OP(insn->code);
	bool is_may_goto = insn->code == (BPF_JMP | BPF_JCOND) && insn->src == BPF_MAY_GOTO;

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64: return bpf_alu_string[op >> 4] ? NULL : "alu";
	case BPF_LDX: return insn->code == (BPF_LDX | BPF_MEMSX | BPF_DW) ? "ldx" : NULL;
	case BPF_JMP:
	case BPF_JMP32: return op >= BPF_JCOND && !is_may_goto ? "jmp" : NULL;
	default: return NULL;
	}
}

/* The callbacks' argument: one instruction, and where its text goes. */
struct printing {
	struct kt_buf *out;
	const struct insn *insn;
	struct kt_buf scratch; /* the text that the last callback returned */
};

static __printf(2, 3) void print(void *arg, const char *format, ...)
{
	struct printing *printing = arg;
	va_list args;

	va_start(args, format);
	kt_buf_vprintf(printing->out, format, args);
	va_end(args);
}

static const char *scratch(struct printing *printing)
{
	return printing->scratch.data ? printing->scratch.data : "";
}

/* The target of a call: "+3#name", "name", an address in place of the name; NULL: nothing is known.
 */
static const char *print_call(void *arg, const struct bpf_insn *insn)
{
	struct printing *printing = arg;
	const struct insn *call = printing->insn;

	printing->scratch.len = 0;
	if (insn->src_reg == BPF_PSEUDO_CALL)
		kt_buf_printf(&printing->scratch, "%+d", call->off);
	else if (!call->callee && !call->callee_addr)
		return NULL;
	if (insn->src_reg == BPF_PSEUDO_CALL && (call->callee || call->callee_addr))
		kt_buf_appendc(&printing->scratch, '#');
	if (call->callee)
		render_append_visible(&printing->scratch, call->callee, false);
	else if (call->callee_addr)
		kt_buf_printf(&printing->scratch, "0x%" PRIx64, call->callee_addr);
	return scratch(printing);
}

/* A constant of 64 bits, or what it stands for, as bpftool has it. */
static const char *print_constant(void *arg, const struct bpf_insn *insn, __u64 value)
{
	struct printing *printing = arg;
	struct kt_buf *out = &printing->scratch;

	out->len = 0;
	switch (insn->src_reg) {
	case BPF_PSEUDO_MAP_FD: kt_buf_printf(out, "map[id:%d]", insn->imm); break;
	case BPF_PSEUDO_MAP_VALUE:
		kt_buf_printf(out, "map[id:%d][0]+%d", insn->imm, insn[1].imm);
		break;
	case BPF_PSEUDO_MAP_IDX_VALUE:
		kt_buf_printf(out, "map[idx:%d]+%d", insn->imm, insn[1].imm);
		break;
	case BPF_PSEUDO_FUNC: kt_buf_printf(out, "subprog[%+d]", insn->imm); break;
	default: kt_buf_printf(out, "0x%" PRIx64, (uint64_t)value); break;
	}
	return scratch(printing);
}

void render_insn(struct kt_buf *out, const struct insns *insns, size_t i)
{
	const struct insn *insn = &insns->all[i];
	struct printing printing = {.out = out, .insn = insn};
	const struct bpf_insn_cbs callbacks = {print, print_call, print_constant, &printing};
	const struct bpf_insn pair[2] = {
		{
			.code = insn->code,
			.dst_reg = insn->dst & 15u,
			.src_reg = insn->src & 15u,
			.off = insn->off,
			.imm = insn->imm,
		},
		{.imm = i + 1 < insns->n ? insn[1].imm : 0},
	};

	if (class_without_text(insn)) {
		kt_buf_printf(out, "BUG_%s_%02x", class_without_text(insn), insn->code);
		return;
	}
	print_bpf_insn(&callbacks, pair, true);
	if (out->len && out->data[out->len - 1] == '\n')
		out->data[--out->len] = '\0';
	out->failed |= printing.scratch.failed;
	kt_buf_deinit(&printing.scratch);
}

/* The bytes of the instruction in the memory of a little-endian kernel. */
static void insn_bytes(const struct insn *insn, uint8_t ret[8])
{
	uint64_t value = insn->code | (uint64_t)(insn->dst & 15) << 8 |
			 (uint64_t)(insn->src & 15) << 12 | (uint64_t)(uint16_t)insn->off << 16 |
			 (uint64_t)(uint32_t)insn->imm << 32;

	for (unsigned int i = 0; i < 8; i++)
		ret[i] = (uint8_t)(value >> 8 * i);
}

static void put_bytes(struct kt_buf *out, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		kt_buf_printf(out, "%s%02x", i ? " " : "", bytes[i]);
}

void render_insn_bytes(struct kt_buf *out, const struct insns *insns, size_t i)
{
	bool is_double = render_insn_is_double(insns, i) && i + 1 < insns->n;
	uint8_t bytes[16];

	insn_bytes(&insns->all[i], bytes);
	if (is_double)
		insn_bytes(&insns->all[i + 1], bytes + 8);
	put_bytes(out, bytes, is_double ? 16 : 8);
}

/* How far a dump is in the functions and lines of the program. */
struct place {
	size_t function, line;
};

/* The function that begins at i, if it has a text; as bpftool, in the order of the BTF. */
static const char *function_at(const struct insns *insns, size_t i, struct place *place)
{
	if (place->function == insns->n_functions || insns->functions[place->function].insn != i)
		return NULL;
	return insns->functions[place->function++].proto;
}

static const struct insn_line *line_at(const struct insns *insns, size_t i, struct place *place)
{
	if (place->line == insns->n_lines || insns->lines[place->line].at != i)
		return NULL;
	return &insns->lines[place->line++];
}

static void put_source(struct kt_buf *out, const struct insns *insns, size_t i, bool linum,
		       struct place *place)
{
	const char *proto = function_at(insns, i, place);
	const struct insn_line *line = line_at(insns, i, place);

	if (proto) {
		render_append_visible(out, proto, false);
		kt_buf_appends(out, ":\n");
	}
	render_insn_line(out, line, linum);
}

struct kt_error *render_insns_text(const struct insns *insns, const struct render_insns *how,
				   char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	struct place place = {0};

	for (size_t i = 0; i < insns->n; i++) {
		bool is_double = render_insn_is_double(insns, i) && i + 1 < insns->n;

		put_source(&out, insns, i, how->linum, &place);
		kt_buf_printf(&out, "%4zu: ", i);
		render_insn(&out, insns, i);
		kt_buf_appendc(&out, '\n');
		if (how->opcodes) {
			kt_buf_appends(&out, "       ");
			render_insn_bytes(&out, insns, i);
			kt_buf_appendc(&out, '\n');
		}
		i += is_double;
	}
	return kt_buf_finish(&out, ret);
}

static json_t *json_opcodes(const struct insns *insns, size_t i, bool is_double)
{
	const struct insn *insn = &insns->all[i];
	json_t *object = json_object();
	uint8_t bytes[16];

	insn_bytes(insn, bytes);
	if (is_double)
		insn_bytes(insn + 1, bytes + 8);
	json_object_set_new(object, "code", json_sprintf("0x%02x", insn->code));
	json_object_set_new(object, "src_reg", json_sprintf("0x%x", insn->src));
	json_object_set_new(object, "dst_reg", json_sprintf("0x%x", insn->dst));
	json_object_set_new(object, "off", render_hex_json(bytes + 2, 2));
	json_object_set_new(object, "imm", render_hex_json(bytes + 4, is_double ? 12 : 4));
	return object;
}

static void put_source_json(json_t *object, const struct insns *insns, size_t i, bool linum,
			    struct place *place)
{
	const char *proto = function_at(insns, i, place);
	const struct insn_line *line = line_at(insns, i, place);

	if (proto)
		json_object_set_new(object, "proto", kt_json_text(proto));
	render_insn_line_json(object, line, linum);
}

struct kt_error *render_insns_json(const struct insns *insns, const struct render_insns *how,
				   char **ret)
{
	json_t *root = json_array();
	struct place place = {0};

	for (size_t i = 0; i < insns->n; i++) {
		bool is_double = render_insn_is_double(insns, i) && i + 1 < insns->n;
		struct kt_buf text = KT_BUF_INIT;
		json_t *object = json_object();

		put_source_json(object, insns, i, how->linum, &place);
		render_insn(&text, insns, i);
		json_object_set_new(object, "disasm", kt_json_text(text.data));
		kt_buf_deinit(&text);
		if (how->opcodes)
			json_object_set_new(object, "opcodes", json_opcodes(insns, i, is_double));
		json_array_append_new(root, object);
		i += is_double;
	}
	return kt_json_dump(root, ret);
}
