// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/op.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "r0" to "r10", "w0" to "w10". */
static bool take_reg(struct kt_text *text, uint8_t *ret)
{
	size_t n = 2;
	uint8_t reg;

	if (text->len < 2 || (text->data[0] != 'r' && text->data[0] != 'w') ||
	    !is_digit(text->data[1]))
		return false;
	reg = (uint8_t)(text->data[1] - '0');
	if (text->len > 2 && is_digit(text->data[2]))
		reg = (uint8_t)(reg * 10 + text->data[n++] - '0');
	if (reg > 10 || (text->len > n && is_digit(text->data[n])))
		return false;
	kt_text_skip(text, n);
	*ret = reg;
	return true;
}

/* A number up to the next blank, comma or parenthesis. */
static struct kt_text take_value(struct kt_text *text)
{
	struct kt_text value = {text->data, 0};

	while (value.len < text->len && !memchr(" ,);", text->data[value.len], 4))
		value.len++;
	kt_text_skip(text, value.len);
	if (!value.len || !(is_digit(value.data[0]) || value.data[0] == '-'))
		value.len = 0;
	return value;
}

static int32_t take_int(struct kt_text *text)
{
	bool minus = text->len && text->data[0] == '-';
	int32_t n = 0;

	if (text->len && (minus || text->data[0] == '+'))
		kt_text_skip(text, 1);
	for (; text->len && is_digit(text->data[0]); kt_text_skip(text, 1))
		if (n < 100000000)
			n = n * 10 + (text->data[0] - '0');
	return minus ? -n : n;
}

/* "*(u32 *)(r0 +4)", "(u64 *)(r10 -8)". */
static bool take_memory(struct kt_text *text, struct kt_op *op)
{
	struct kt_text rest = *text;
	int32_t bits;

	kt_text_take(&rest, KT_TEXT("*"));
	if (!kt_text_take(&rest, KT_TEXT("(")) ||
	    (!kt_text_take(&rest, KT_TEXT("u")) && !kt_text_take(&rest, KT_TEXT("s"))))
		return false;
	bits = take_int(&rest);
	if (bits < 8 || bits > 64 || !kt_text_take(&rest, KT_TEXT(" *)(")) ||
	    !take_reg(&rest, &op->base))
		return false;
	kt_text_take(&rest, KT_TEXT(" "));
	op->offset = take_int(&rest);
	if (!kt_text_take(&rest, KT_TEXT(")")))
		return false;
	op->size = (uint32_t)bits / 8;
	*text = rest;
	return true;
}

/* What stands right of "r1 ": "= 7", "= r2", "= *(u32 *)(r0 +4)", "+= r4", "s>>= 3", "= -r1". */
static void read_value(struct kt_text rest, uint8_t opcode, struct kt_op *ret)
{
	uint8_t class = opcode & 7;
	struct kt_text source;

	if (!kt_text_take(&rest, KT_TEXT("= "))) {
		const char *equals = rest.len ? memchr(rest.data, '=', rest.len) : NULL;

		if (!equals || equals - rest.data > 4 || equals == rest.data)
			return;
		ret->kind = KT_OP_ALTER;
		/* "s>>=", "s/=", "s%=" */
		ret->op = rest.data[rest.data[0] == 's' && rest.data[1] != '='];
		kt_text_skip(&rest, (size_t)(equals - rest.data) + 1);
		kt_text_take(&rest, KT_TEXT(" "));
		if (!take_reg(&rest, &ret->src))
			ret->value = take_value(&rest);
		return;
	}
	source = rest;
	if (class == 1) {
		/* "r1 = *(s8 *)(r2 +0)", "r1 = load_acquire((u64 *)(r2 +0))" */
		kt_text_take(&rest, KT_TEXT("load_acquire("));
		ret->kind = take_memory(&rest, ret) ? KT_OP_LOAD : KT_OP_OTHER;
	} else if (class == 3) {
		/* "r2 = atomic64_fetch_add((u64 *)(r10 -8), r2)", "r1 = load_acquire(...)" */
		bool load = kt_text_take(&rest, KT_TEXT("load_acquire("));
		const char *p = rest.len ? memchr(rest.data, '(', rest.len) : NULL;

		if (p && !load)
			kt_text_skip(&rest, (size_t)(p - rest.data) + 1);
		if (take_memory(&rest, ret))
			ret->kind = load ? KT_OP_LOAD : KT_OP_ATOMIC;
	} else if (take_reg(&rest, &ret->src)) {
		ret->kind = KT_OP_COPY;
		if (ret->src == ret->dst && ret->narrow)
			ret->kind = KT_OP_ALTER;
	} else if ((source.len && is_digit(source.data[0])) || kt_text_take(&rest, KT_TEXT("-"))) {
		if (source.data[0] == '-' && take_reg(&rest, &ret->src)) {
			ret->kind = KT_OP_ALTER; /* "r1 = -r1" */
			return;
		}
		ret->kind = KT_OP_CONST;
		ret->value = take_value(&source);
	} else {
		/*
		 * "r1 = (s8)r2", "r1 = be16 r1", "r1 = bswap64 r1",
		 * "r1 = addr_space_cast(r2, 0, 1)", "r0 = &(void __percpu *)(r1)"
		 */
		for (; rest.len; kt_text_skip(&rest, 1)) {
			bool inside = rest.data > source.data &&
				      memchr(" ()", rest.data[-1], 3) == NULL;

			if (!inside && take_reg(&rest, &ret->src)) {
				ret->kind = KT_OP_ALTER;
				ret->narrow = true;
				return;
			}
		}
	}
}

/* "*(u32 *)(r0 +4) = r1", "lock *(u64 *)(r1 +0) += r2", "store_release((u64 *)(r2 +0), r1)". */
static void read_store(struct kt_text rest, struct kt_op *ret)
{
	bool lock = kt_text_take(&rest, KT_TEXT("lock "));
	bool release = kt_text_take(&rest, KT_TEXT("store_release("));

	if (!take_memory(&rest, ret))
		return;
	ret->kind = KT_OP_STORE;
	if (release ? kt_text_take(&rest, KT_TEXT(", ")) : kt_text_take(&rest, KT_TEXT(" = "))) {
		if (!take_reg(&rest, &ret->src))
			ret->value = take_value(&rest);
	} else if (lock || rest.len) {
		ret->kind = KT_OP_ATOMIC;
	}
}

/* "call bpf_map_lookup_elem#1", "call pc+5", "callx r1", "if r0 == 0x0 goto pc+3", "goto pc+2". */
static void read_jump(struct kt_text rest, struct kt_op *ret)
{
	if (kt_text_take(&rest, KT_TEXT("call"))) {
		ret->kind = KT_OP_CALL;
		if (!kt_text_take(&rest, KT_TEXT(" ")) || kt_text_starts_with(rest, KT_TEXT("pc")))
			return;
		ret->name.data = rest.data;
		while (ret->name.len < rest.len && rest.data[ret->name.len] != '#' &&
		       rest.data[ret->name.len] != ' ')
			ret->name.len++;
		return;
	}
	ret->kind = KT_OP_JUMP;
	if (!kt_text_take(&rest, KT_TEXT("if ")) || !take_reg(&rest, &ret->dst) ||
	    !kt_text_take(&rest, KT_TEXT(" ")))
		return;
	while (rest.len && rest.data[0] != ' ')
		kt_text_skip(&rest, 1);
	kt_text_take(&rest, KT_TEXT(" "));
	if (!take_reg(&rest, &ret->src))
		ret->value = take_value(&rest);
}

static uint8_t hex_digit(char c)
{
	if (is_digit(c))
		return (uint8_t)(c - '0');
	return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10) : 0;
}

void kt_op_read(struct kt_text insn, struct kt_op *ret)
{
	struct kt_text rest = insn;
	uint8_t opcode, class;

	*ret = (struct kt_op){
		.dst = KT_OP_NO_REG,
		.src = KT_OP_NO_REG,
		.base = KT_OP_NO_REG,
	};
	if (insn.len < 6 || insn.data[0] != '(' || insn.data[3] != ')' || insn.data[4] != ' ')
		return;
	opcode = (uint8_t)(hex_digit(insn.data[1]) << 4 | hex_digit(insn.data[2]));
	class = opcode & 7;
	kt_text_skip(&rest, 5);
	if (class == 5 || class == 6) {
		read_jump(rest, ret);
	} else if (take_reg(&rest, &ret->dst)) {
		ret->narrow = class == 4;
		if (kt_text_take(&rest, KT_TEXT(" ")))
			read_value(rest, opcode, ret);
	} else if (class == 2 || class == 3) {
		read_store(rest, ret);
	}
}
