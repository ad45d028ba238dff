/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modules of a synthetic kernel, with their symbols. Include once, after walk.h. */
#ifndef KT_TESTS_INTROSPECT_MODULES_H
#define KT_TESTS_INTROSPECT_MODULES_H

#include <elf.h>

#include "tests/introspect/walk.h"

#define MODULES 0x0b06000 /* offset in the image where synth.h has nothing */

static gaddr_t last_module; /* that was put; 0: none */
/* What its table has as marks of an assembler, as on arm64: a name of `strings`; 0: those are not
 * defined. */
static uint32_t mark;

enum {
	MARK_X = 31,
	MARK_DOT_L = 34,
	MARK_L0 = 38,
	MARK_RISCV = 42,
	MARK_X_DOT = 49,
	MARK_BARE = 54
};

static void setup_modules(void)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"module", "list", 8, 16},
		{"module", "list.next", 8, 8},
		{"module", "name", 24, 56},
		{"module", "kallsyms", 80, 8},
		{"module", "mem", 88, 64},
		{"module_memory", "base", 0, 8},
		{"module_memory", "size", 8, 4},
		{"mod_kallsyms", "symtab", 0, 8},
		{"mod_kallsyms", "num_symtab", 8, 4},
		{"mod_kallsyms", "strtab", 16, 8},
		{"list_head", "next", 0, 8},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_symbol(&s.facts, "modules", SYNTH_TEXT + MODULES);
	textmem_put_uint(s.mem, SYNTH_IMAGE + MODULES, SYNTH_TEXT + s.kaslr + MODULES, 8);
	last_module = 0;
	mark = 0;
}

/* Behind the others; its symbols are at base + 0x10, 0x40 and 0x80, in another order. */
static gaddr_t put_module(const char *name, gaddr_t base)
{
	static const char strings[] =
		"\0second\0first\0third\0gone\0again\0$x\0.Lx\0L0x\0$xrv64\0$x.1\0$";
	static const struct {
		uint32_t name, section;
		uint64_t at;
	} symbols[] = {
		{0, 0, 0},                                      /* as each table begins */
		{31, 1, 0x40},    {31, 1, 0x44},                /* marks of an assembler */
		{1, 1, 0x40},     {8, 1, 0x10},  {14, 1, 0x80}, /* second, first, third */
		{20, 0, 0x44},                                  /* gone: it is not defined */
		{25, 1, 0x40},                                  /* again, at the second one */
		{1, 1, 0x100000},                               /* data */
	};
	gaddr_t module = synth_alloc(&s, 160), kallsyms = synth_alloc(&s, 24);
	gaddr_t strtab = synth_alloc(&s, sizeof(strings)), n = sizeof(symbols) / sizeof(symbols[0]);
	gaddr_t table = synth_alloc(&s, 24 * n);

	textmem_put(s.mem, strtab, strings, sizeof(strings));
	for (size_t i = 0; i < n; i++) {
		bool is_mark = symbols[i].name == MARK_X;

		textmem_put_uint(s.mem, table + 24 * i, is_mark ? mark : symbols[i].name, 4);
		textmem_put_uint(s.mem, table + 24 * i + 4,
				 (is_mark && !mark ? 0 : symbols[i].section) << 16 | STT_FUNC, 4);
		textmem_put_uint(s.mem, table + 24 * i + 8, base + symbols[i].at, 8);
	}
	synth_set(&s, "mod_kallsyms", "symtab", kallsyms, synth_va(table));
	synth_set(&s, "mod_kallsyms", "num_symtab", kallsyms, n);
	synth_set(&s, "mod_kallsyms", "strtab", kallsyms, synth_va(strtab));
	synth_set(&s, "module", "kallsyms", module, synth_va(kallsyms));
	synth_set(&s, "module", "list.next", module, SYNTH_TEXT + s.kaslr + MODULES);
	textmem_put(s.mem, module + 24, name, strlen(name));
	textmem_put_uint(s.mem, module + 88, base, 8);
	textmem_put_uint(s.mem, module + 96, 0x1000, 4);
	textmem_put_uint(s.mem, last_module ? last_module + 8 : SYNTH_IMAGE + MODULES,
			 synth_va(module) + 8, 8);
	last_module = module;
	return module;
}

#endif
