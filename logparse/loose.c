// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/loose.h"

#include <ctype.h>

#include "logparse/line.h"

/* The line that the node stands for, behind a blank and a source line. */
static bool own_line(const struct log_node *node, struct kt_text *line, struct kt_line *l)
{
	struct kt_text rest = {node->start, (size_t)(node->end - node->start)};

	while (kt_text_next_line(&rest, line)) {
		kt_line_read(*line, l);
		if (l->kind != KT_LINE_BLANK && l->kind != KT_LINE_SOURCE)
			return true;
	}
	return false;
}

/* "r4 = *(u32 *)(r0 +24)", "if w0 == 0x5 goto pc+17314": registers and sizes are no numbers. */
static uint64_t hash_without_numbers(struct kt_text text)
{
	uint64_t hash = text.len ? 1 : 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == '+' || c == '-')
			c = ' ';
		if (isdigit((unsigned char)c) &&
		    (!i || !isalpha((unsigned char)text.data[i - 1]) || text.data[i - 1] == 'x')) {
			while (i + 1 < text.len && isalnum((unsigned char)text.data[i + 1]))
				i++;
			c = '#';
		}
		if (c != ' ')
			hash = node_mix(hash, (unsigned char)c);
	}
	return hash;
}

uint64_t node_loose_shape(const struct log_node *node)
{
	struct kt_text line;
	struct kt_line l;
	size_t skip;

	if (node->loop || !own_line(node, &line, &l))
		return node->shape;
	if (l.kind != KT_LINE_INSN && l.kind != KT_LINE_POP && l.kind != KT_LINE_SAFE &&
	    l.kind != KT_LINE_STATE)
		return node->shape;
	skip = l.index_len;
	if (l.kind == KT_LINE_INSN && l.fixed_len >= skip + 4)
		skip += 4; /* "(61)", which is hashed as it is */
	return node_mix(
		hash_without_numbers((struct kt_text){line.data + skip, l.fixed_len - skip}),
		l.kind == KT_LINE_INSN ? (uint64_t)line.data[l.index_len + 1] << 8 |
						 (unsigned char)line.data[l.index_len + 2]
				       : l.kind);
}
