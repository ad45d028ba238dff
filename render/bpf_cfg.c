// SPDX-License-Identifier: LGPL-2.1-or-later
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "render/bpf_cfg.h"
#include "render/text.h"
#include "util/cleanup.h"

/* Numbers of a function's blocks: two that have no instructions, and the others behind them. */
enum { ENTRY, EXIT, FIRST_BLOCK };

/* One per instruction, and one behind the last. */
struct graph {
	const struct insns *insns;
	const struct render_insns *how;
	uint32_t *function; /* which one begins there, by the order in which calls name them, from 1
			     */
	uint32_t *block;    /* which block of its function begins there; 0: none */
	size_t line, proto; /* of the source, and of the functions with a type, so far */
	struct kt_buf out;
};

static bool is_jump(const struct insn *insn)
{
	uint8_t class = BPF_CLASS(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && BPF_OP(insn->code) != BPF_CALL &&
	       BPF_OP(insn->code) != BPF_EXIT;
}

/* Nothing goes on behind it but at its target. */
static bool is_goto(const struct insn *insn)
{
	return is_jump(insn) && BPF_OP(insn->code) == BPF_JA;
}

/* What a distance leads to from i; n if that is no instruction from first to end. */
static size_t target_of(const struct graph *g, size_t i, int64_t distance, size_t first, size_t end)
{
	int64_t target = (int64_t)i + 1 + distance;

	return target >= (int64_t)first && target < (int64_t)end ? (size_t)target : g->insns->n;
}

static size_t jump_target(const struct graph *g, size_t i, size_t first, size_t end)
{
	const struct insn *insn = &g->insns->all[i];
	bool wide = insn->code == (BPF_JMP32 | BPF_JA); /* gotol, since 6.6 */

	return target_of(g, i, wide ? insn->imm : insn->off, first, end);
}

static void find_functions(struct graph *g)
{
	uint32_t n = 1;

	g->function[0] = n++;
	for (size_t i = 0; i < g->insns->n; i++) {
		const struct insn *insn = &g->insns->all[i];
		size_t target;

		if (render_insn_is_double(g->insns, i))
			i++;
		if (insn->code != (BPF_JMP | BPF_CALL) || insn->src != BPF_PSEUDO_CALL)
			continue;
		target = target_of(g, i, insn->off, 0, g->insns->n);
		if (target < g->insns->n && !g->function[target])
			g->function[target] = n++;
	}
}

/* Marks where blocks of the function begin, and numbers them. Returns that of the last one. */
static uint32_t find_blocks(struct graph *g, size_t first, size_t end)
{
	uint32_t n = FIRST_BLOCK;

	g->block[first] = n;
	for (size_t i = first; i < end; i++) {
		const struct insn *insn = &g->insns->all[i];

		if (render_insn_is_double(g->insns, i))
			i++;
		if (!is_jump(insn))
			continue;
		g->block[jump_target(g, i, first, end)] = n;
		if (!is_goto(insn) && i + 1 < end)
			g->block[i + 1] = n;
	}
	for (size_t i = first; i < end; i++)
		if (g->block[i])
			g->block[i] = n++;
	g->block[g->insns->n] = 0;
	return n - 1;
}

/* The end of the block that begins at i. */
static size_t block_end(const struct graph *g, size_t i, size_t end)
{
	for (i++; i < end && !g->block[i]; i++)
		;
	return i;
}

/* --- nodes --- */

static void put_escaped(struct graph *g, const char *text, const char *special)
{
	struct kt_buf shown = KT_BUF_INIT;

	render_append_visible(&shown, text, false);
	for (const char *p = shown.data ? shown.data : ""; *p; p++) {
		if (strchr(special, *p))
			kt_buf_appendc(&g->out, '\\');
		kt_buf_appendc(&g->out, *p);
	}
	g->out.failed |= shown.failed;
	kt_buf_deinit(&shown);
}

#define OF_SOURCE "\\\"{}<>| "
#define OF_INSNS  "\\\"{}<>|&"
#define END_LINE  "\\l\\\n"

static void put_proto(struct graph *g, size_t i)
{
	const struct insns *insns = g->insns;

	while (g->proto < insns->n_functions && insns->functions[g->proto].insn < i)
		g->proto++;
	if (g->proto == insns->n_functions || insns->functions[g->proto].insn != i ||
	    !insns->functions[g->proto].proto)
		return;
	kt_buf_appends(&g->out, "; ");
	put_escaped(g, insns->functions[g->proto].proto, OF_SOURCE);
	kt_buf_appends(&g->out, ":" END_LINE);
}

/* bpftool leaves out what is before the last slashes of a long path. */
static const char *short_path(const char *path)
{
	size_t len = strlen(path);
	const char *slash = len > 32 ? strchr(path + len - 32, '/') : path;

	if (!slash)
		slash = strrchr(path, '/');
	return slash && slash >= path + 3 ? slash : path;
}

/* The line that i is of, if the block did not have it yet: *last. */
static void put_line(struct graph *g, size_t i, const struct insn_line **last)
{
	const struct insns *insns = g->insns;
	const struct insn_line *line;

	while (g->line + 1 < insns->n_lines && insns->lines[g->line + 1].at <= i)
		g->line++;
	line = g->line < insns->n_lines && insns->lines[g->line].at <= i ? &insns->lines[g->line]
									   : NULL;
	if (!line || line == *last)
		return;
	*last = line;
	if (!line->source || !*line->source)
		return;
	if (g->how->linum) {
		const char *file = line->file ? line->file : "";

		kt_buf_printf(&g->out, "; [%s", short_path(file) > file ? "..." : "");
		put_escaped(g, short_path(file), OF_SOURCE);
		kt_buf_printf(&g->out, " line:%u col:%u]" END_LINE, line->line, line->column);
	}
	kt_buf_appends(&g->out, "; ");
	put_escaped(g, line->source, OF_SOURCE);
	kt_buf_appends(&g->out, END_LINE);
}

static void put_insn(struct graph *g, size_t i)
{
	struct kt_buf text = KT_BUF_INIT;

	render_insn(&text, g->insns, i);
	put_escaped(g, text.data ? text.data : "", OF_INSNS);
	g->out.failed |= text.failed;
	kt_buf_deinit(&text);
	kt_buf_appends(&g->out, END_LINE);
	if (!g->how->opcodes)
		return;
	kt_buf_appends(&g->out, "\\ \\ \\ \\ ");
	render_insn_bytes(&g->out, g->insns, i);
	kt_buf_appends(&g->out, END_LINE);
}

static void put_block(struct graph *g, uint32_t function, size_t first, size_t i, size_t end)
{
	const struct insn_line *last = NULL;

	kt_buf_printf(&g->out, "\tfn_%u_bb_%u [shape=record,style=filled,label=\"{\\\n", function,
		      g->block[i]);
	while (i < end) {
		put_proto(g, i);
		put_line(g, i, &last);
		kt_buf_printf(&g->out, "%zu: ", i - first);
		put_insn(g, i);
		i += render_insn_is_double(g->insns, i) ? 2 : 1;
		if (i < end)
			kt_buf_appends(&g->out, "| ");
	}
	kt_buf_appends(&g->out, "}\"];\n\n");
}

static void put_special(struct graph *g, uint32_t function, uint32_t block, const char *label)
{
	kt_buf_printf(&g->out, "\tfn_%u_bb_%u [shape=Mdiamond,style=filled,label=\"%s\"];\n\n",
		      function, block, label);
}

/* --- edges --- */

static void put_edge(struct graph *g, uint32_t function, uint32_t from, uint32_t to)
{
	kt_buf_printf(&g->out,
		      "\tfn_%u_bb_%u:s -> fn_%u_bb_%u:n [style=\"solid,bold\", color=black, "
		      "weight=10, constraint=true];\n",
		      function, from, function, to);
}

/* The last instruction of a block may be the second half of one that takes the place of two. */
static size_t last_insn(const struct graph *g, size_t i, size_t end)
{
	size_t last = i;

	for (; i < end; i += render_insn_is_double(g->insns, i) ? 2 : 1)
		last = i;
	return last;
}

/* As bpftool, what ends the function goes on to the next block. */
static void put_edges(struct graph *g, uint32_t function, size_t first, size_t end, uint32_t n)
{
	put_edge(g, function, ENTRY, FIRST_BLOCK);
	for (size_t i = first; i < end; i = block_end(g, i, end)) {
		size_t last = last_insn(g, i, block_end(g, i, end));
		const struct insn *insn = &g->insns->all[last];
		size_t target = g->insns->n;

		if (is_jump(insn))
			target = jump_target(g, last, first, end);
		if (!is_goto(insn))
			put_edge(g, function, g->block[i],
				 g->block[i] < n ? g->block[i] + 1 : EXIT);
		if (target < g->insns->n)
			put_edge(g, function, g->block[i], g->block[target]);
	}
	kt_buf_printf(&g->out,
		      "\tfn_%u_bb_%u:s -> fn_%u_bb_%u:n [style=\"invis\", constraint=true];\n",
		      function, ENTRY, function, EXIT);
}

static void put_function(struct graph *g, size_t first, size_t end)
{
	uint32_t number = g->function[first] - 1, n = find_blocks(g, first, end);

	kt_buf_printf(&g->out,
		      "subgraph \"cluster_%u\" {\n\tstyle=\"dashed\";\n\tcolor=\"black\";\n"
		      "\tlabel=\"func_%u ()\";\n",
		      number, number);
	put_special(g, number, ENTRY, "ENTRY");
	for (size_t i = first; i < end; i = block_end(g, i, end))
		put_block(g, number, first, i, block_end(g, i, end));
	put_special(g, number, EXIT, "EXIT");
	put_edges(g, number, first, end, n);
	kt_buf_appends(&g->out, "}\n");
}

struct kt_error *render_insns_dot(const struct insns *insns, const struct render_insns *how,
				  char **ret)
{
	_cleanup_free_ uint32_t *function = calloc(insns->n + 1, sizeof(*function));
	_cleanup_free_ uint32_t *block = calloc(insns->n + 1, sizeof(*block));
	struct graph g = {.insns = insns,
			  .how = how,
			  .function = function,
			  .block = block,
			  .out = KT_BUF_INIT};

	if (!function || !block)
		return kt_error_no_memory();
	kt_buf_appends(&g.out, "digraph \"DOT graph for eBPF program\" {\n");
	if (insns->n)
		find_functions(&g);
	for (size_t first = 0, end; first < insns->n; first = end) {
		for (end = first + 1; end < insns->n && !function[end]; end++)
			;
		put_function(&g, first, end);
	}
	kt_buf_appends(&g.out, "}\n");
	return kt_buf_finish(&g.out, ret);
}
