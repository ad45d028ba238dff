// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <linux/bpf.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/bpf_disasm.h"

/* Newer than the oldest headers that this builds with, or the kernel's own. */
#define MODE_MEMSX       0x80
#define MODE_NOSPEC      0xc0
#define JCOND            0xe0
#define ATOMIC_LOAD_ACQ  0x100
#define ATOMIC_STORE_REL 0x110
#define ADDR_SPACE_CAST  1
#define ADDR_PERCPU      (-1)

static const char *const size_names[] = {"u32", "u16", "u8", "u64"};
static const char *const signed_size_names[] = {"s32", "s16", "s8", "s64"};

static const char *size_of(uint8_t code)
{
	return size_names[BPF_SIZE(code) >> 3];
}

static const char *alu_op(uint8_t code, bool is_signed)
{
	static const char *const ops[16] = {"+=",  "-=",  "*=", "/=", "|=", "&=",   "<<=",
					    ">>=", "neg", "%=", "^=", "=",  "s>>=", "endian"};

	if (is_signed)
		return BPF_OP(code) == BPF_DIV ? "s/=" : "s%=";
	return ops[BPF_OP(code) >> 4];
}

static bool is_movsx(const struct insn *insn)
{
	return BPF_OP(insn->code) == BPF_MOV &&
	       (insn->off == 8 || insn->off == 16 || insn->off == 32);
}

static bool is_signed_division(const struct insn *insn)
{
	return (BPF_OP(insn->code) == BPF_DIV || BPF_OP(insn->code) == BPF_MOD) && insn->off == 1;
}

static void put_bad(struct kt_buf *out, const char *what, const struct insn *insn)
{
	kt_buf_printf(out, "BUG_%s%02x", what, insn->code);
}

/* Byte order. */
static void put_end(struct kt_buf *out, const struct insn *insn)
{
	const char *how = BPF_SRC(insn->code) == BPF_TO_BE ? "be" : "le";

	if (BPF_CLASS(insn->code) == BPF_ALU64)
		how = "bswap";
	kt_buf_printf(out, "(%02x) r%d = %s%d r%d", insn->code, insn->dst, how, insn->imm,
		      insn->dst);
}

static void put_alu(struct kt_buf *out, const struct insn *insn)
{
	char reg = BPF_CLASS(insn->code) == BPF_ALU ? 'w' : 'r';
	const char *op = alu_op(insn->code, is_signed_division(insn));
	bool is_mov64 = insn->code == (BPF_ALU64 | BPF_MOV | BPF_X);

	if (BPF_OP(insn->code) == BPF_END) {
		put_end(out, insn);
	} else if (BPF_OP(insn->code) == BPF_NEG) {
		kt_buf_printf(out, "(%02x) %c%d = -%c%d", insn->code, reg, insn->dst, reg,
			      insn->dst);
	} else if (!op) {
		put_bad(out, "alu_", insn);
	} else if (is_mov64 && insn->off == ADDR_SPACE_CAST) {
		kt_buf_printf(out, "(%02x) r%d = addr_space_cast(r%d, %u, %u)", insn->code,
			      insn->dst, insn->src, (uint32_t)insn->imm >> 16,
			      (uint32_t)insn->imm & 0xffff);
	} else if (is_mov64 && insn->off == ADDR_PERCPU) {
		kt_buf_printf(out, "(%02x) r%d = &(void __percpu *)(r%d)", insn->code, insn->dst,
			      insn->src);
	} else if (BPF_SRC(insn->code) == BPF_X) {
		kt_buf_printf(out, "(%02x) %c%d %s ", insn->code, reg, insn->dst, op);
		if (is_movsx(insn))
			kt_buf_printf(out, "(s%d)", insn->off);
		kt_buf_printf(out, "%c%d", reg, insn->src);
	} else {
		kt_buf_printf(out, "(%02x) %c%d %s %d", insn->code, reg, insn->dst, op, insn->imm);
	}
}

static const char *atomic_name(int32_t imm)
{
	switch (imm & ~BPF_FETCH) {
	case BPF_ADD: return "add";
	case BPF_AND: return "and";
	case BPF_OR: return "or";
	case BPF_XOR: return "xor";
	default: return NULL;
	}
}

static void put_atomic(struct kt_buf *out, const struct insn *insn)
{
	const char *size = size_of(insn->code), *name = atomic_name(insn->imm);
	const char *wide = BPF_SIZE(insn->code) == BPF_DW ? "64" : "";

	if (name && !(insn->imm & BPF_FETCH))
		kt_buf_printf(out, "(%02x) lock *(%s *)(r%d %+d) %s r%d", insn->code, size,
			      insn->dst, insn->off, alu_op((uint8_t)insn->imm, false), insn->src);
	else if (insn->imm == BPF_CMPXCHG)
		kt_buf_printf(out, "(%02x) r0 = atomic%s_cmpxchg((%s *)(r%d %+d), r0, r%d)",
			      insn->code, wide, size, insn->dst, insn->off, insn->src);
	else if (insn->imm == BPF_XCHG)
		kt_buf_printf(out, "(%02x) r%d = atomic%s_xchg((%s *)(r%d %+d), r%d)", insn->code,
			      insn->src, wide, size, insn->dst, insn->off, insn->src);
	else if (name)
		kt_buf_printf(out, "(%02x) r%d = atomic%s_fetch_%s((%s *)(r%d %+d), r%d)",
			      insn->code, insn->src, wide, name, size, insn->dst, insn->off,
			      insn->src);
	else if (insn->imm == ATOMIC_LOAD_ACQ)
		kt_buf_printf(out, "(%02x) r%d = load_acquire((%s *)(r%d %+d))", insn->code,
			      insn->dst, size, insn->src, insn->off);
	else if (insn->imm == ATOMIC_STORE_REL)
		kt_buf_printf(out, "(%02x) store_release((%s *)(r%d %+d), r%d)", insn->code, size,
			      insn->dst, insn->off, insn->src);
	else
		put_bad(out, "", insn);
}

static void put_store(struct kt_buf *out, const struct insn *insn)
{
	uint8_t mode = BPF_MODE(insn->code);
	bool is_register = BPF_CLASS(insn->code) == BPF_STX;

	if (mode == BPF_MEM)
		kt_buf_printf(out,
			      is_register ? "(%02x) *(%s *)(r%d %+d) = r%d"
					  : "(%02x) *(%s *)(r%d %+d) = %d",
			      insn->code, size_of(insn->code), insn->dst, insn->off,
			      is_register ? insn->src : insn->imm);
	else if (is_register && mode == BPF_ATOMIC)
		put_atomic(out, insn);
	else if (!is_register && mode == MODE_NOSPEC)
		kt_buf_printf(out, "(%02x) nospec", insn->code);
	else
		put_bad(out, is_register ? "" : "st_", insn);
}

static void put_load(struct kt_buf *out, const struct insn *insn)
{
	bool is_signed = BPF_MODE(insn->code) == MODE_MEMSX;

	if (BPF_MODE(insn->code) != BPF_MEM && !is_signed)
		put_bad(out, "ldx_", insn);
	else
		kt_buf_printf(out, "(%02x) r%d = *(%s *)(r%d %+d)", insn->code, insn->dst,
			      is_signed ? signed_size_names[BPF_SIZE(insn->code) >> 3]
					: size_of(insn->code),
			      insn->src, insn->off);
}

bool render_insn_is_double(const struct insns *insns, size_t i)
{
	return insns->all[i].code == (BPF_LD | BPF_IMM | BPF_DW);
}

/* The 64-bit constant, or what it stands for. */
static void put_constant(struct kt_buf *out, const struct insns *insns, size_t i)
{
	const struct insn *insn = &insns->all[i];
	int32_t second = i + 1 < insns->n ? insn[1].imm : 0;
	uint64_t imm = (uint64_t)(uint32_t)second << 32 | (uint32_t)insn->imm;

	kt_buf_printf(out, "(%02x) r%d = ", insn->code, insn->dst);
	switch (insn->src) {
	case BPF_PSEUDO_MAP_FD: kt_buf_printf(out, "map[id:%d]", insn->imm); return;
	case BPF_PSEUDO_MAP_VALUE:
		kt_buf_printf(out, "map[id:%d][0]+%d", insn->imm, second);
		return;
	case BPF_PSEUDO_MAP_IDX_VALUE:
		kt_buf_printf(out, "map[idx:%d]+%d", insn->imm, second);
		return;
	case BPF_PSEUDO_FUNC: kt_buf_printf(out, "subprog[%+d]", insn->imm); return;
	default: kt_buf_printf(out, "0x%" PRIx64, imm); return;
	}
}

static void put_ld(struct kt_buf *out, const struct insns *insns, size_t i)
{
	const struct insn *insn = &insns->all[i];

	if (BPF_MODE(insn->code) == BPF_ABS)
		kt_buf_printf(out, "(%02x) r0 = *(%s *)skb[%d]", insn->code, size_of(insn->code),
			      insn->imm);
	else if (BPF_MODE(insn->code) == BPF_IND)
		kt_buf_printf(out, "(%02x) r0 = *(%s *)skb[r%d + %d]", insn->code,
			      size_of(insn->code), insn->src, insn->imm);
	else if (render_insn_is_double(insns, i))
		put_constant(out, insns, i);
	else
		put_bad(out, "ld_", insn);
}

/* A helper by its number, which a call only has where the JIT takes it for itself. */
static const char *helper_name(int32_t id)
{
#define NAME(name) "bpf_" #name
	static const char *const names[] = {__BPF_FUNC_MAPPER(NAME)};
#undef NAME
	return id >= 0 && (size_t)id < sizeof(names) / sizeof(names[0]) ? names[id] : NULL;
}

static void put_call(struct kt_buf *out, const struct insn *insn)
{
	const char *helper = insn->src ? NULL : helper_name(insn->imm);

	if (insn->src == BPF_PSEUDO_CALL) {
		kt_buf_printf(out, "(%02x) call pc%+d", insn->code, insn->off);
		if (insn->callee)
			kt_buf_printf(out, "#%s", insn->callee);
		else if (insn->callee_addr)
			kt_buf_printf(out, "#0x%" PRIx64, insn->callee_addr);
		return;
	}
	kt_buf_printf(out, "(%02x) call ", insn->code);
	if (helper || insn->callee)
		kt_buf_printf(out, "%s", helper ? helper : insn->callee);
	else if (insn->callee_addr)
		kt_buf_printf(out, "0x%" PRIx64, insn->callee_addr);
	else
		kt_buf_appends(out,
			       insn->src == BPF_PSEUDO_KFUNC_CALL ? "kernel-function" : "unknown");
	kt_buf_printf(out, "#%d", insn->imm);
}

static void put_jump(struct kt_buf *out, const struct insn *insn)
{
	static const char *const ops[16] = {NULL,  "==", ">",  ">=", "&",  "!=", "s>",
					    "s>=", NULL, NULL, "<",  "<=", "s<", "s<="};
	const char *op = ops[BPF_OP(insn->code) >> 4];
	char reg = BPF_CLASS(insn->code) == BPF_JMP32 ? 'w' : 'r';

	if (BPF_OP(insn->code) == BPF_CALL)
		put_call(out, insn);
	else if (insn->code == (BPF_JMP | BPF_JA))
		kt_buf_printf(out, "(%02x) goto pc%+d", insn->code, insn->off);
	else if (insn->code == (BPF_JMP | BPF_JA | BPF_X))
		kt_buf_printf(out, "(%02x) gotox r%d", insn->code, insn->dst);
	else if (insn->code == (BPF_JMP | JCOND) && insn->src == 0)
		kt_buf_printf(out, "(%02x) may_goto pc%+d", insn->code, insn->off);
	else if (insn->code == (BPF_JMP32 | BPF_JA))
		kt_buf_printf(out, "(%02x) gotol pc%+d", insn->code, insn->imm);
	else if (insn->code == (BPF_JMP | BPF_EXIT))
		kt_buf_printf(out, "(%02x) exit", insn->code);
	else if (!op)
		put_bad(out, "jmp_", insn);
	else if (BPF_SRC(insn->code) == BPF_X)
		kt_buf_printf(out, "(%02x) if %c%d %s %c%d goto pc%+d", insn->code, reg, insn->dst,
			      op, reg, insn->src, insn->off);
	else
		kt_buf_printf(out, "(%02x) if %c%d %s 0x%x goto pc%+d", insn->code, reg, insn->dst,
			      op, (uint32_t)insn->imm, insn->off);
}

void render_insn(struct kt_buf *out, const struct insns *insns, size_t i)
{
	const struct insn *insn = &insns->all[i];

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64: put_alu(out, insn); return;
	case BPF_ST:
	case BPF_STX: put_store(out, insn); return;
	case BPF_LDX: put_load(out, insn); return;
	case BPF_LD: put_ld(out, insns, i); return;
	default: put_jump(out, insn); return;
	}
}

/* As a little-endian kernel has it in memory. */
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

struct kt_error *render_insns_text(const struct insns *insns, bool opcodes, char **ret)
{
	struct kt_buf out = KT_BUF_INIT;
	uint8_t bytes[16];

	for (size_t i = 0; i < insns->n; i++) {
		bool is_double = render_insn_is_double(insns, i) && i + 1 < insns->n;

		kt_buf_printf(&out, "%4zu: ", i);
		render_insn(&out, insns, i);
		kt_buf_appendc(&out, '\n');
		insn_bytes(&insns->all[i], bytes);
		if (is_double)
			insn_bytes(&insns->all[++i], bytes + 8);
		if (!opcodes)
			continue;
		kt_buf_appends(&out, "       ");
		put_bytes(&out, bytes, is_double ? 16 : 8);
		kt_buf_appendc(&out, '\n');
	}
	return kt_buf_finish(&out, ret);
}

/* bpftool's: ["0x01","0x00"], of an instruction's last n bytes. */
static json_t *json_bytes(const uint8_t *bytes, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_sprintf("0x%02x", bytes[i]));
	return array;
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
	json_object_set_new(object, "off", json_bytes(bytes + 2, 2));
	json_object_set_new(object, "imm", json_bytes(bytes + 4, is_double ? 12 : 4));
	return object;
}

struct kt_error *render_insns_json(const struct insns *insns, bool opcodes, char **ret)
{
	json_t *root = json_array();

	for (size_t i = 0; i < insns->n; i++) {
		bool is_double = render_insn_is_double(insns, i) && i + 1 < insns->n;
		struct kt_buf text = KT_BUF_INIT;
		json_t *object = json_object();

		render_insn(&text, insns, i);
		json_object_set_new(object, "disasm", kt_json_text(text.data));
		kt_buf_deinit(&text);
		if (opcodes)
			json_object_set_new(object, "opcodes", json_opcodes(insns, i, is_double));
		json_array_append_new(root, object);
		i += is_double;
	}
	return kt_json_dump(root, ret);
}
