/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a kernel is not in vmlinux, but may be in a module of it.
 *
 * The checks ask by name. The first time the answer is "may be"; each name is remembered, so that
 * the modules' files have to be read once, and only if something is not in vmlinux: a distribution
 * has thousands of them. Then the checks are done again.
 */
#ifndef KT_PREFLIGHT_MODULES_H
#define KT_PREFLIGHT_MODULES_H

#include <bpf/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "util/vec.h"

/* In place of a kind of BTF: a symbol of kallsyms. */
#define PF_SYMBOL BTF_KIND_UNKN

enum pf_in_module {
	PF_IN_NO_MODULE,
	PF_MAY_BE_IN_MODULE, /* not all modules could be read, or none was yet */
	PF_IN_MODULE,
};

/* The length of a name without its flavour: "task_struct___old" has 11. */
size_t pf_essential(const char *name);

struct pf_asked {
	char *name;
	uint32_t kind; /* BTF_KIND_*, or PF_SYMBOL */
	char *module;  /* the first one that has it; NULL: none that was read */
};

struct pf_modules {
	KT_VEC(struct pf_asked) asked;
	bool none;            /* the kernel can load none */
	bool complete;        /* all modules that the kernel has were looked into */
	char *why_not;        /* for people, after pf_modules_read(); NULL: complete */
	struct kt_error *err; /* no memory to remember what was asked */
};

void pf_modules_deinit(struct pf_modules *modules);

/*
 * Whether a module has a type, function or variable of that kind and name, flavours included, or a
 * symbol. *module_ret, of PF_IN_MODULE: its name, borrowed until the next question.
 */
enum pf_in_module pf_modules_ask(struct pf_modules *modules, uint32_t kind, const char *name,
				 const char **module_ret);

/* Looks for all that was asked in a module's BTF. Only memory can fail. */
struct kt_error *pf_modules_look_btf(struct pf_modules *modules, const char *module,
				     const struct btf *btf, uint32_t first_id);

/* The same of a symbol that it has. */
struct kt_error *pf_modules_look_symbol(struct pf_modules *modules, const char *module,
					const char *symbol);

/* Whether all that was asked is found. */
bool pf_modules_found_all(const struct pf_modules *modules);

/* Whether a symbol was asked for that no module has yet: else a module's need not be read. */
bool pf_modules_want_symbols(const struct pf_modules *modules);

/* Where the modules of a kernel are; each may be NULL. */
struct pf_module_places {
	const char *dir; /* their files, with modules.order, which tells whether these are all */
	const char
		*btf_dir; /* of files with their BTF: /sys/kernel/btf has those that are loaded */
	const char *release; /* that they have to be for; "": not known */
};

/*
 * Answers all that was asked. base is the BTF of vmlinux. A module that cannot be read is no error,
 * but then they are not complete. KT_ERROR_NO_MEMORY. (preflight/module_read.c)
 */
struct kt_error *pf_modules_read(struct pf_modules *modules, const struct pf_module_places *places,
				 struct btf *base);

#endif
