/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A kernel image of a few kilobytes that has what a real one has: banner, build ID, BTF, and
 * symbols as .symtab or kallsyms.
 */
#ifndef KT_TESTS_BTF_FAKE_KERNEL_H
#define KT_TESTS_BTF_FAKE_KERNEL_H

#include <bpf/btf.h>
#include <stdio.h>

#include "tests/btf/elf_writer.h"

#define FAKE_TEXT     0xffffffff81000000ull
#define FAKE_RODATA   0xffffffff82000000ull
#define FAKE_NOTES    0xffffffff82400000ull
#define FAKE_DATA     0xffffffff82600000ull
#define FAKE_PROG_IDR (FAKE_DATA + 0x1230)
#define FAKE_RELEASE  "6.99.1-fake"
#define FAKE_BANNER   "Linux version " FAKE_RELEASE " (me@here) (a compiler) #1 SMP"

/* What is left out or done otherwise. */
struct fake_options {
	bool no_btf, no_symbols, no_build_id, no_banner, no_banner_symbol;
	bool no_bpf;   /* no prog_idr; the BTF is the caller's */
	bool kallsyms; /* instead of .symtab */
	enum kw_release release;
	uint8_t build_id;         /* its first byte */
	const struct kt_buf *btf; /* instead of its own */
};

/* struct bpf_prog, with the shapes that real ones have had, and an anonymous tk_core. */
static inline void fake_btf(struct kt_buf *out)
{
	struct btf *btf = btf__new_empty();
	int u8_, u16_, u32_, u64_, aux, ptr, tag, anon, tk;
	const void *data;
	uint32_t len;

	btf__add_int(btf, "long unsigned int", 8, 0);
	u8_ = btf__add_int(btf, "unsigned char", 1, 0);
	u16_ = btf__add_int(btf, "short unsigned int", 2, 0);
	u32_ = btf__add_int(btf, "unsigned int", 4, 0);
	u64_ = btf__add_int(btf, "long long unsigned int", 8, 0);
	aux = btf__add_struct(btf, "bpf_prog_aux", 16);
	btf__add_field(btf, "id", u32_, 0, 0);
	btf__add_field(btf, "verified_insns", u32_, 32, 0);
	ptr = btf__add_ptr(btf, aux);
	tag = btf__add_array(btf, u32_, u8_, 8);
	anon = btf__add_union(btf, NULL, 32);
	btf__add_field(btf, "tag", tag, 0, 0);
	btf__add_field(btf, "digest", u64_, 0, 0);
	btf__add_struct(btf, "bpf_prog", 64);
	btf__add_field(btf, "pages", u16_, 0, 0);
	btf__add_field(btf, "jited", u16_, 16, 1);
	btf__add_field(btf, "gpl_compatible", u16_, 18, 1);
	btf__add_field(btf, NULL, anon, 64, 0);
	btf__add_field(btf, "aux", ptr, 320, 0);
	btf__add_enum(btf, "bpf_prog_type", 4);
	btf__add_enum_value(btf, "BPF_PROG_TYPE_UNSPEC", 0);
	btf__add_enum_value(btf, "BPF_PROG_TYPE_KPROBE", 2);
	tk = btf__add_struct(btf, "timekeeper", 24);
	btf__add_field(btf, "xtime_sec", u64_, 64, 0);
	btf__add_struct(btf, NULL, 32);
	btf__add_field(btf, "seq", u32_, 0, 0);
	btf__add_field(btf, "timekeeper", tk, 64, 0);
	data = btf__raw_data(btf, &len);
	kt_buf_append(out, data, len);
	btf__free(btf);
}

static inline void fake_symtab(struct kt_buf *table, struct kt_buf *strings,
			       const struct kw_symbol *syms, size_t n)
{
	kt_buf_appendc(strings, '\0');
	for (size_t i = 0; i < 24; i++)
		kt_buf_appendc(table, '\0');
	for (size_t i = 0; i < n; i++) {
		bool global = syms[i].type < 'a';

		kw_uint(table, strings->len, 4, false);
		kw_uint(table,
			global ? ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT)
			       : ELF64_ST_INFO(STB_LOCAL, STT_OBJECT),
			1, false);
		kw_uint(table, 0, 1, false);
		kw_uint(table, 1, 2, false);
		kw_uint(table, syms[i].addr, 8, false);
		kw_uint(table, 8, 8, false);
		kt_buf_append(strings, syms[i].name, strlen(syms[i].name) + 1);
	}
}

/* Appends the ELF to out. */
static inline void fake_kernel(struct kt_buf *out, const struct fake_options *o)
{
	static const struct kw_symbol syms[] = {
		{FAKE_TEXT, 'T', "_text"},           {FAKE_TEXT + 0x1000, 't', "twice"},
		{FAKE_TEXT + 0x2000, 't', "twice"},  {FAKE_RODATA, 'D', "linux_banner"},
		{FAKE_RODATA + 16, 'd', "shadowed"}, {FAKE_RODATA + 24, 'D', "shadowed"},
		{FAKE_NOTES, 'R', "__start_notes"},  {FAKE_NOTES + 36, 'R', "__stop_notes"},
		{FAKE_PROG_IDR, 'd', "prog_idr"},
	};
	struct kw_symbol used[9];
	size_t n = 0;
	struct kt_buf text = KT_BUF_INIT, rodata = KT_BUF_INIT, notes = KT_BUF_INIT;
	struct kt_buf btf = KT_BUF_INIT, symtab = KT_BUF_INIT, strings = KT_BUF_INIT;
	struct ew_section sections[8];
	size_t n_sections = 0;
	struct kw_options kw = {.release = o->release, .pointer_size = 8};

	for (size_t i = 0; i < sizeof(syms) / sizeof(*syms); i++) {
		if (o->no_banner_symbol && !strcmp(syms[i].name, "linux_banner"))
			continue;
		if (o->no_bpf && !strcmp(syms[i].name, "prog_idr"))
			continue;
		used[n++] = syms[i];
	}
	kt_buf_append(&text, "\x90\x90\x90\x90", 4);
	if (!o->no_banner)
		kt_buf_append(&rodata, FAKE_BANNER "\n", sizeof(FAKE_BANNER "\n"));
	while (rodata.len < 256)
		kt_buf_appendc(&rodata, '\0');
	if (o->kallsyms && !o->no_symbols) {
		struct kt_buf tables = KT_BUF_INIT;

		kw.addr = FAKE_RODATA + rodata.len;
		kw_write(&tables, &kw, used, (uint32_t)n);
		kt_buf_append(&rodata, tables.data, tables.len);
		kt_buf_deinit(&tables);
	}
	kw_uint(&notes, 4, 4, false);
	kw_uint(&notes, 20, 4, false);
	kw_uint(&notes, o->no_build_id ? 99 : 3, 4, false);
	kt_buf_append(&notes, "GNU", 4);
	kw_uint(&notes, o->build_id, 4, false);
	kt_buf_append(&notes, "abcdefghijklmnop", 16);
	if (o->btf)
		kt_buf_append(&btf, o->btf->data, o->btf->len);
	else
		fake_btf(&btf);
	fake_symtab(&symtab, &strings, used, n);

	sections[n_sections++] = (struct ew_section){
		".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, FAKE_TEXT, &text, 0, 0};
	sections[n_sections++] = (struct ew_section){
		".rodata", SHT_PROGBITS, SHF_ALLOC, FAKE_RODATA, &rodata, 0, 0};
	sections[n_sections++] = (struct ew_section){".notes", SHT_NOTE, SHF_ALLOC, FAKE_NOTES,
						     &notes,   0,        0};
	if (!o->no_btf)
		sections[n_sections++] = (struct ew_section){
			".BTF", SHT_PROGBITS, SHF_ALLOC, FAKE_NOTES + 0x10000, &btf, 0, 0};
	sections[n_sections++] = (struct ew_section){
		".bss", SHT_NOBITS, SHF_ALLOC, FAKE_DATA, &(struct kt_buf){.len = 1 << 20}, 0, 0};
	if (!o->kallsyms && !o->no_symbols) {
		sections[n_sections++] = (struct ew_section){".strtab", SHT_STRTAB, 0, 0,
							     &strings,  0,          0};
		sections[n_sections] = (struct ew_section){".symtab", SHT_SYMTAB,           0, 0,
							   &symtab,   (uint32_t)n_sections, 24};
		n_sections++;
	}
	ew_write(out, EM_X86_64, false, sections, n_sections);
	kt_buf_deinit(&text);
	kt_buf_deinit(&rodata);
	kt_buf_deinit(&notes);
	kt_buf_deinit(&btf);
	kt_buf_deinit(&symtab);
	kt_buf_deinit(&strings);
}

#endif
