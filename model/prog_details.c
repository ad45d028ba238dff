// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/prog_details.h"
#include "util/cleanup.h"

/* --- calls --- */

/* The name of what an instruction calls, or NULL: then it has an address. */
static const char *callee(const struct insn *insn)
{
	/* No function: the kernel's own instruction, which is shown as a call of this helper. */
	if (!insn->callee && insn->src == 0 && insn->imm == BPF_FUNC_tail_call)
		return "bpf_tail_call";
	return insn->callee;
}

static int compare_callees(const void *a, const void *b)
{
	const struct insn *x = *(const struct insn *const *)a, *y = *(const struct insn *const *)b;
	const char *one = callee(x), *other = callee(y);

	if (one && other)
		return strcmp(one, other);
	if (one || other)
		return one ? -1 : 1;
	return (x->callee_addr > y->callee_addr) - (x->callee_addr < y->callee_addr);
}

static bool is_call(const struct insn *insn, uint8_t src)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src == src;
}

/* Of the calls with that src: 0, BPF_PSEUDO_KFUNC_CALL. */
static struct kt_error *find_calls(const struct insns *insns, uint8_t src, struct prog_calls *ret)
{
	_cleanup_free_ const struct insn **calls = calloc(insns->n + 1, sizeof(*calls));
	size_t n = 0;

	if (!calls)
		return kt_error_no_memory();
	for (size_t i = 0; i < insns->n; i++) {
		const struct insn *insn = &insns->all[i];

		if (is_call(insn, src) && (callee(insn) || insn->callee_addr))
			calls[n++] = insn;
		/* What is behind it is no instruction. */
		i += insn->code == (BPF_LD | BPF_IMM | BPF_DW);
	}
	qsort(calls, n, sizeof(*calls), compare_callees);
	ret->names = calloc(n + 1, sizeof(*ret->names));
	if (!ret->names)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		const char *name = callee(calls[i]);
		char **text = &ret->names[ret->n];

		if (i && !compare_callees(&calls[i - 1], &calls[i]))
			continue;
		if (name)
			*text = strdup(name);
		else if (asprintf(text, "0x%" PRIx64, calls[i]->callee_addr) < 0)
			*text = NULL;
		if (!*text)
			return kt_error_no_memory();
		ret->n++;
	}
	return NULL;
}

/* --- functions --- */

static const char *proto_at(const struct insns *insns, uint64_t at)
{
	for (size_t i = 0; i < insns->n_functions; i++)
		if (insns->functions[i].insn == at)
			return insns->functions[i].proto;
	return NULL;
}

/*
 * The kernel's own list; where the program is interpreted it has none of the subprograms, and their
 * BTF tells where they are.
 */
static struct kt_error *find_functions(const struct insns *insns, struct prog_details *out)
{
	const struct program *program = out->program;
	size_t n = insns->n_subprogs;

	if (n == 1 && insns->n_functions > 1)
		n = insns->n_functions;
	out->functions = calloc(n + 1, sizeof(*out->functions));
	if (!out->functions)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		struct prog_function *function = &out->functions[i];

		if (i < insns->n_subprogs) {
			function->at = insns->subprogs[i].at;
			function->stack_depth = insns->subprogs[i].stack_depth;
		} else {
			function->at = (struct program_number){true, insns->functions[i].insn};
		}
		if (function->at.known)
			function->proto = proto_at(insns, function->at.value);
		/* Without a list of subprograms the one tag is that of all of them. */
		if (n == program->n_prog_tags)
			function->tag = program->prog_tags[i];
	}
	out->n_functions = n;
	return NULL;
}

/* --- maps --- */

static int compare_map(const void *id, const void *map)
{
	uint32_t a = *(const uint32_t *)id, b = ((const struct map *)map)->id;

	return (a > b) - (a < b);
}

static struct kt_error *find_maps(const struct maps *maps, struct prog_details *out)
{
	const struct program *program = out->program;

	out->maps_known = program->map_ids_known;
	out->maps = calloc(program->n_map_ids + 1, sizeof(*out->maps));
	if (!out->maps)
		return kt_error_no_memory();
	for (size_t i = 0; i < program->n_map_ids; i++) {
		uint32_t id = program->map_ids[i];

		out->maps[i].id = id;
		if (maps->n)
			out->maps[i].map = (const struct map *)bsearch(
				&id, maps->all, maps->n, sizeof(*maps->all), compare_map);
	}
	out->n_maps = program->n_map_ids;
	return NULL;
}

struct kt_error *prog_details_init(struct prog_details *ret, const struct program *program,
				   const struct insns *insns, const struct maps *maps)
{
	struct kt_error *err;

	*ret = (struct prog_details){.program = program};
	err = find_calls(insns, 0, &ret->helpers);
	if (!err)
		err = find_calls(insns, BPF_PSEUDO_KFUNC_CALL, &ret->kfuncs);
	if (!err)
		err = find_functions(insns, ret);
	return err ? err : find_maps(maps, ret);
}

static void prog_calls_deinit(struct prog_calls *calls)
{
	for (size_t i = 0; i < calls->n; i++)
		free(calls->names[i]);
	free(calls->names);
}

void prog_details_deinit(struct prog_details *details)
{
	prog_calls_deinit(&details->helpers);
	prog_calls_deinit(&details->kfuncs);
	free(details->functions);
	free(details->maps);
	*details = (struct prog_details){0};
}
