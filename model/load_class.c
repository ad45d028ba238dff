// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/load_class.h"

#include <errno.h>

#include "logparse/last.h"

const char *kt_load_class_name(enum kt_load_class class)
{
	static const char *const names[] = {
		[KT_LOAD_PROG_TYPE] = "Program Type",
		[KT_LOAD_MAP_TYPE] = "Map Type",
		[KT_LOAD_ATTACH_TYPE] = "Attach Type",
		[KT_LOAD_HELPER] = "Helper",
		[KT_LOAD_KFUNC] = "Kfunc",
		[KT_LOAD_KSYM] = "Ksym",
		[KT_LOAD_CORE] = "CO-RE Relocation",
		[KT_LOAD_BTF] = "BTF",
		[KT_LOAD_REQUEST] = "Load Request",
		[KT_LOAD_POLICY] = "Policy",
		[KT_LOAD_TOO_LARGE] = "Too Large",
		[KT_LOAD_MEMORY] = "Memory Limit",
		[KT_LOAD_OBJECT] = "Object",
	};

	return (size_t) class < sizeof(names) / sizeof(names[0]) ? names[class] : NULL;
}

/* A line that has all of these words says the class. */
struct rule {
	enum kt_load_class class;
	const char *words[3];
};

/*
 * In the verifier's log, but not its own judgement. Quoted from libbpf 1.1 to 1.6, whose words
 * about the invalid call are put in place of the kernel's:
 *
 *	failed to resolve CO-RE relocation <byte_off> [12] struct task_struct___x.gone (0:0 @ ...)
 *	kfunc 'bpf_gone' is referenced but wasn't resolved
 *	invalid func unknown#195896080
 *	invalid func bpf_loop#181
 */
static const struct rule put_in[] = {
	{KT_LOAD_CORE, {"failed to resolve CO-RE relocation "}},
	{KT_LOAD_CORE, {"invalid func unknown#195896080"}},
	{KT_LOAD_KFUNC, {"kfunc '", "' is referenced but wasn't resolved"}},
	{KT_LOAD_KFUNC, {"invalid func unknown#2002"}},
	{KT_LOAD_MAP_TYPE, {"BPF map '", "is referenced but wasn't created"}},
	{KT_LOAD_MAP_TYPE, {"invalid func unknown#2001"}},
	{KT_LOAD_HELPER, {"invalid func unknown#"}},
	{KT_LOAD_HELPER, {"invalid func bpf_", "#"}},
};

/*
 * libbpf's own reasons (1.1 to 1.6), and those of this tool's guest:
 *
 *	extern (func ksym) 'bpf_gone': not found in kernel or module BTFs
 *	extern (func ksym) 'bpf_x': func_proto [5] incompatible with vmlinux [1234]
 *	extern (var ksym) 'gone': not found in kernel BTF
 *	extern 'gone' (strong): not resolved
 *	struct_ops init_kern: struct gone_ops is not found in kernel BTF
 *	struct_ops init_kern x: Cannot find member gone in kernel BTF
 *	prog 'p': failed to find kernel BTF type ID of 'gone': -3
 *	map 'm': failed to create: Invalid argument(-22)
 *	BTF is mandatory, can't proceed.
 */
static const struct rule libbpf_says[] = {
	{KT_LOAD_KFUNC, {"extern (func ksym) '", "': not found in kernel"}},
	{KT_LOAD_KFUNC, {"extern (func ksym) '", "incompatible with "}},
	{KT_LOAD_KSYM, {"extern (var ksym) '", "': not found in kernel"}},
	{KT_LOAD_KSYM, {"extern (var ksym) '", "': incompatible types"}},
	{KT_LOAD_KSYM, {"extern (ksym) '", "': resolution is ambiguous"}},
	{KT_LOAD_KSYM, {"extern '", "' (strong): not resolved"}},
	{KT_LOAD_KSYM, {"extern (", "ksym) '", "': not found"}},
	{KT_LOAD_REQUEST, {"failed to find kernel BTF type ID of '"}},
	{KT_LOAD_REQUEST, {"struct_ops ", " not found in kernel BTF"}},
	{KT_LOAD_REQUEST, {"struct_ops ", "Cannot find member "}},
	{KT_LOAD_REQUEST, {"struct_ops ", "Unmatched member type "}},
	{KT_LOAD_REQUEST, {"struct_ops ", "Error in size of member "}},
	{KT_LOAD_REQUEST, {" is not found in vmlinux BTF"}},
	{KT_LOAD_REQUEST, {"no BTF target in section name"}},
	{KT_LOAD_REQUEST, {"a freplace program loads only against its target program"}},
	{KT_LOAD_BTF, {"BTF is mandatory, can't proceed"}},
	{KT_LOAD_BTF, {"failed to find valid kernel BTF"}},
	{KT_LOAD_BTF, {"Error loading vmlinux BTF"}},
	{KT_LOAD_BTF, {"failed to parse target BTF"}},
	{KT_LOAD_BTF, {"kernel doesn't support BTF"}},
	{KT_LOAD_BTF, {"kernel doesn't support global data"}},
	{KT_LOAD_CORE, {"failed to perform CO-RE relocations"}},
	{KT_LOAD_CORE, {"relo #", "failed to relocate"}},
	{KT_LOAD_MEMORY, {"try raising 'ulimit -l'"}},
	{KT_LOAD_MEMORY, {"map '", "failed to create: ", "(-12)"}},
	{KT_LOAD_MEMORY, {"map '", "failed to create: ", "(-1)"}},
	{KT_LOAD_TOO_LARGE, {"map '", "failed to create: ", "(-7)"}},
	{KT_LOAD_MAP_TYPE, {"map '", "failed to create: "}},
	{KT_LOAD_MAP_TYPE, {"error: unsupported map type"}},
	{KT_LOAD_OBJECT, {"missing BPF prog type, check ELF section name"}},
	{KT_LOAD_OBJECT, {"its ELF section's name is no program type"}},
	{KT_LOAD_OBJECT, {"this object has no BPF program"}},
	{KT_LOAD_OBJECT, {"libbpf crashed on it"}},
	{KT_LOAD_OBJECT, {"BTF is required, but is missing or corrupted"}},
	{KT_LOAD_OBJECT, {"legacy map definitions in 'maps' section"}},
	{KT_LOAD_OBJECT, {"extern (kcfg) '"}},
	{KT_LOAD_OBJECT, {"libbpf: elf: "}},
	{KT_LOAD_OBJECT, {"libbpf: ELF "}},
	{KT_LOAD_OBJECT, {"libbpf: sec '"}},
};

#define N_RULES(rules) (sizeof(rules) / sizeof(rules[0]))

static bool fits(struct kt_text line, const struct rule *rule)
{
	for (size_t i = 0; i < 3 && rule->words[i]; i++) {
		struct kt_text part = {rule->words[i], strlen(rule->words[i])};

		if (!kt_text_has(line, part))
			return false;
	}
	return true;
}

/* The first rule that some line fits, and the last such line; rule n: none. */
static size_t find_rule(struct kt_text words, const struct rule *rules, size_t n,
			struct kt_text *ret)
{
	struct kt_text line;
	size_t best = n;

	while (kt_text_next_line(&words, &line)) {
		for (size_t i = 0; i < n && i <= best; i++) {
			if (!fits(kt_text_head(line, 1024), &rules[i]))
				continue;
			best = i;
			*ret = line;
			break;
		}
	}
	return best;
}

/* The last log between markers that failed, and its headline. */
static bool is_rejected(struct kt_text words, struct kt_text *ret)
{
	struct kt_log_block block;
	struct kt_log_blocks it;
	bool found = false;

	kt_log_blocks_init(&it, words);
	while (kt_log_blocks_next(&it, &block)) {
		struct kt_log_outcome outcome;

		if (block.btf)
			continue;
		kt_log_find_outcome(block.trace, &outcome);
		if (outcome.outcome != KT_LAST_FAILED || !outcome.headline.len)
			continue;
		found = true;
		*ret = outcome.headline;
	}
	return found;
}

/*
 * libbpf: prog 'p': BPF program load failed: Invalid argument
 *
 * The line that says no more than that it failed; what follows it ("failed to load object 'x'")
 * says less.
 */
static struct kt_text bare_failure(struct kt_text words)
{
	static const struct rule failure = {KT_LOAD_UNKNOWN, {"BPF program load failed: "}};
	struct kt_text line = {NULL, 0};

	find_rule(words, &failure, 1, &line);
	return line;
}

static enum kt_load_class by_errno(int errnum)
{
	switch (errnum) {
	case E2BIG: return KT_LOAD_TOO_LARGE;
	case ENOMEM: return KT_LOAD_MEMORY;
	case ENOEXEC: return KT_LOAD_OBJECT;
	default: return KT_LOAD_UNKNOWN;
	}
}

static struct kt_text tidy(struct kt_text line)
{
	kt_text_take(&line, KT_TEXT("libbpf: "));
	while (line.len && strchr(" \t\r", line.data[line.len - 1]))
		line.len--;
	return line;
}

enum kt_load_class kt_load_classify(int errnum, struct kt_text words, struct kt_text *headline_ret)
{
	struct kt_text line = {NULL, 0};
	enum kt_load_class class;
	size_t i;

	if ((i = find_rule(words, put_in, N_RULES(put_in), &line)) < N_RULES(put_in)) {
		class = put_in[i].class;
	} else if (is_rejected(words, &line)) {
		class = KT_LOAD_REJECTED;
	} else if ((i = find_rule(words, libbpf_says, N_RULES(libbpf_says), &line)) <
		   N_RULES(libbpf_says)) {
		class = libbpf_says[i].class;
	} else {
		class = by_errno(errnum);
		line = bare_failure(words);
	}
	if (headline_ret)
		*headline_ret = tidy(line);
	return class;
}
