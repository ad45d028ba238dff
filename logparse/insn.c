// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/insn.h"

#include <ctype.h>

#include "logparse/op.h"

/* The digits at the front, as a number of at most five; none is 0. */
static int32_t take_number(struct kt_text *text)
{
	int32_t value = 0;

	while (text->len && isdigit((unsigned char)text->data[0])) {
		value = value < 100000 ? value * 10 + (text->data[0] - '0') : value;
		text->data++;
		text->len--;
	}
	return value;
}

/* Does text begin with a register, "r0" to "r10" or "w0" to "w10"? */
static bool is_reg(struct kt_text text, uint32_t *ret)
{
	if (text.len < 2 || (text.data[0] != 'r' && text.data[0] != 'w') ||
	    !isdigit((unsigned char)text.data[1]))
		return false;
	*ret = (uint32_t)(text.data[1] - '0');
	if (text.len > 2 && isdigit((unsigned char)text.data[2]))
		*ret = *ret * 10 + (uint32_t)(text.data[2] - '0');
	return *ret <= 10;
}

uint32_t kt_insn_sets(struct kt_text insn, uint8_t opcode)
{
	uint32_t reg;

	if (opcode == 0x85 || opcode == 0x8d)
		return KT_INSN_CALL_SETS;
	/* "(16) if w0 == 0x0 goto pc+1", "(7b) *(u64 *)(r10 -8) = r1" do not begin with one. */
	if (insn.len < 6 || !is_reg((struct kt_text){insn.data + 5, insn.len - 5}, &reg))
		return 0;
	/* "(30) r0 = *(u8 *)skb[23]" calls inside; "(18) r1 = 0xff..." does not. */
	if ((opcode & 7) == 0 && opcode != 0x18)
		return KT_INSN_CALL_SETS;
	return 1U << reg;
}

bool kt_insn_stores(struct kt_text insn, struct kt_insn_store *ret)
{
	struct kt_op op;

	kt_op_read(insn, &op);
	/* An atomic one that sets a register begins with it: "(db) r2 = atomic64_fetch_add(...)".
	 */
	if ((op.kind != KT_OP_STORE && op.kind != KT_OP_ATOMIC) || op.dst != KT_OP_NO_REG)
		return false;
	*ret = (struct kt_insn_store){op.base, op.offset, (int32_t)op.size};
	return true;
}

bool kt_stack_pointer(struct kt_text value, uint32_t *frame, int32_t *offset)
{
	struct kt_text rest = value;
	uint32_t other = *frame;
	bool minus;
	int32_t n;

	if (!kt_text_take(&rest, KT_TEXT("fp")))
		return false;
	if (kt_text_take(&rest, KT_TEXT("["))) {
		other = (uint32_t)take_number(&rest);
		if (!kt_text_take(&rest, KT_TEXT("]")))
			return false;
	}
	minus = kt_text_take(&rest, KT_TEXT("-"));
	if (!rest.len)
		return false;
	n = take_number(&rest);
	if (rest.len || (!minus && n))
		return false;
	*frame = other;
	*offset = -n;
	return true;
}
