// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/object.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "btf/btf_lookup.h"
#include "util/cleanup.h"

#define INSN_SIZE sizeof(struct bpf_insn)

/* libbpf's print function has no context pointer. */
static _Thread_local struct kt_buf *words;

__attribute__((format(printf, 2, 0))) static int capture(enum libbpf_print_level level,
							 const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN && words)
		kt_buf_vprintf(words, fmt, ap);
	return 0;
}

/* As every libbpf wants it: an ELF for BPF, with all of its table of sections. */
static bool is_object(const void *data, size_t len)
{
	Elf *elf = (elf_version(EV_CURRENT), elf_memory((char *)(uintptr_t)data, len));
	GElf_Ehdr ehdr;
	bool ok = elf && elf_kind(elf) == ELF_K_ELF && gelf_getclass(elf) == ELFCLASS64 &&
		  gelf_getehdr(elf, &ehdr) && ehdr.e_type == ET_REL &&
		  (ehdr.e_machine == EM_BPF || ehdr.e_machine == EM_NONE) && ehdr.e_shoff &&
		  ehdr.e_shoff < len && ehdr.e_shnum * sizeof(Elf64_Shdr) <= len - ehdr.e_shoff;

	if (elf)
		elf_end(elf);
	return ok;
}

static struct kt_error *not_opened(const void *data, size_t len, int errnum, struct kt_buf *said)
{
	struct kt_text headline = {NULL, 0}, rest = {said->data, said->len}, line;
	bool sure = !is_object(data, len);
	enum kt_error_code code = sure ? KT_ERROR_FORMAT : KT_ERROR_UNSUPPORTED;
	char who[64] = "libbpf";

	if (errnum == ENOMEM)
		return kt_error_no_memory();
	kt_load_classify(0, rest, &headline);
	if (!headline.len && kt_text_next_line(&rest, &line)) {
		kt_text_take(&line, KT_TEXT("libbpf: "));
		headline = line;
	}
	if (!sure)
		snprintf(who, sizeof(who), "libbpf %u.%u, which this tool has,",
			 libbpf_major_version(), libbpf_minor_version());
	if (!headline.len)
		return kt_error_new(code, "%s cannot open it", who);
	return kt_error_new(code, "%s cannot open it: %.*s", who,
			    (int)(headline.len < 300 ? headline.len : 300), headline.data);
}

static struct kt_error *open_libbpf(const void *data, size_t len, const char *name,
				    struct pf_object *o)
{
	_cleanup_(kt_buf_deinit) struct kt_buf said = KT_BUF_INIT;
	struct bpf_object_open_opts opts = {.sz = sizeof(opts), .object_name = name};
	libbpf_print_fn_t print = libbpf_set_print(capture);
	struct bpf_program *program;
	int errnum;

	words = &said;
	o->obj = bpf_object__open_mem(data, len, &opts);
	errnum = errno;
	words = NULL;
	libbpf_set_print(print);
	if (!o->obj)
		return not_opened(data, len, errnum, &said);
	bpf_object__for_each_program (program, o->obj)
		if (!kt_vec_push(&o->programs, program))
			return kt_error_no_memory();
	return NULL;
}

static struct kt_error *read_sections(struct pf_object *o)
{
	size_t names, n;

	if (elf_getshdrstrndx(o->elf, &names) || elf_getshdrnum(o->elf, &n))
		return kt_error_new(KT_ERROR_FORMAT, "its ELF has no sections");
	for (size_t i = 0; i < n; i++) {
		struct pf_section section = {.name = ""};
		Elf_Scn *scn = elf_getscn(o->elf, i);
		Elf_Data *data = i && scn ? elf_rawdata(scn, NULL) : NULL;
		const char *name;
		GElf_Shdr shdr;

		if (data && gelf_getshdr(scn, &shdr)) {
			name = elf_strptr(o->elf, names, shdr.sh_name);
			section.name = name ? name : "";
			section.data = data->d_buf;
			section.len = data->d_buf ? data->d_size : 0;
			section.code = shdr.sh_type == SHT_PROGBITS &&
				       (shdr.sh_flags & SHF_EXECINSTR) && section.len &&
				       !((uintptr_t)section.data % _Alignof(struct bpf_insn));
		}
		if (!kt_vec_push(&o->sections, section))
			return kt_error_no_memory();
	}
	return NULL;
}

/* libbpf gives externs other types when it opens an object. */
static struct kt_error *read_btf(struct pf_object *o)
{
	const struct pf_section *section;
	libbpf_print_fn_t print;
	size_t index;

	section = bpf_object__btf(o->obj) ? pf_section_find(o, ".BTF", &index) : NULL;
	if (!section || !section->data || section->len > UINT32_MAX)
		return NULL;
	print = libbpf_set_print(NULL);
	o->btf = btf__new(section->data, (uint32_t)section->len);
	libbpf_set_print(print);
	return o->btf || errno != ENOMEM ? NULL : kt_error_no_memory();
}

/* A symbol of the only symbol table. */
struct symbols {
	Elf_Data *data;
	size_t n, strings;
};

static bool find_symbols(struct pf_object *o, struct symbols *ret)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(o->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_SYMTAB || !shdr.sh_entsize)
			continue;
		ret->data = elf_getdata(scn, NULL);
		ret->n = ret->data ? ret->data->d_size / sizeof(Elf64_Sym) : 0;
		ret->strings = shdr.sh_link;
		return ret->data;
	}
	return false;
}

static const char *symbol_at(struct pf_object *o, const struct symbols *symbols, size_t i,
			     GElf_Sym *ret)
{
	const char *name = NULL;

	if (i <= INT32_MAX && gelf_getsym(symbols->data, (int)i, ret))
		name = elf_strptr(o->elf, symbols->strings, ret->st_name);
	return name;
}

static uint32_t find_ksym(const struct btf *btf, const char *name)
{
	uint32_t n = btf ? btf__type_cnt(btf) : 0;

	for (uint32_t id = 1; id < n; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!t || !btf_is_datasec(t) || strcmp(btf_name_of(btf, t->name_off), ".ksyms"))
			continue;
		for (uint32_t i = 0; i < btf_vlen(t); i++) {
			uint32_t type = btf_var_secinfos(t)[i].type;
			const struct btf_type *v = btf__type_by_id(btf, type);

			if (v && (btf_is_var(v) || btf_is_func(v)) &&
			    !strcmp(btf_name_of(btf, v->name_off), name))
				return type;
		}
	}
	return 0;
}

static bool add_symbol(struct pf_object *o, const GElf_Sym *sym, const char *name)
{
	const struct pf_section *section;

	if (sym->st_shndx == SHN_UNDEF) {
		struct pf_extern e = {name, GELF_ST_BIND(sym->st_info) == STB_WEAK,
				      find_ksym(o->btf, name)};

		return !*name || !e.type || kt_vec_push(&o->externs, e);
	}
	if (GELF_ST_TYPE(sym->st_info) != STT_FUNC || sym->st_shndx >= o->sections.len)
		return true;
	section = &o->sections.data[sym->st_shndx];
	if (!section->code || sym->st_value % INSN_SIZE || sym->st_size % INSN_SIZE ||
	    !sym->st_size || sym->st_value > section->len ||
	    sym->st_size > section->len - sym->st_value)
		return true;
	return kt_vec_push(&o->funcs,
			   (struct pf_func){name, sym->st_shndx, sym->st_value / INSN_SIZE,
					    sym->st_size / INSN_SIZE});
}

static bool add_relocs(struct pf_object *o, const struct symbols *symbols, Elf_Scn *scn,
		       const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data ? data->d_size / sizeof(Elf64_Rel) : 0;

	for (size_t i = 0; i < n && i <= INT32_MAX; i++) {
		struct pf_reloc r = {.section = shdr->sh_info};
		GElf_Rel rel;
		GElf_Sym sym;

		if (!gelf_getrel(data, (int)i, &rel))
			break;
		r.name = symbol_at(o, symbols, GELF_R_SYM(rel.r_info), &sym);
		if (!r.name)
			continue;
		r.offset = rel.r_offset;
		r.value = sym.st_value;
		r.target = sym.st_shndx;
		r.kind = sym.st_shndx == SHN_UNDEF                  ? PF_SYM_EXTERN
			 : GELF_ST_TYPE(sym.st_info) == STT_SECTION ? PF_SYM_SECTION
								    : PF_SYM_DEFINED;
		if (!kt_vec_push(&o->relocs, r))
			return false;
	}
	return true;
}

static int compare_relocs(const void *a, const void *b)
{
	const struct pf_reloc *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static struct kt_error *read_symbols(struct pf_object *o)
{
	struct symbols symbols;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	GElf_Sym sym;

	if (!find_symbols(o, &symbols))
		return NULL;
	for (size_t i = 1; i < symbols.n; i++) {
		const char *name = symbol_at(o, &symbols, i, &sym);

		if (name && !add_symbol(o, &sym, name))
			return kt_error_no_memory();
	}
	while ((scn = elf_nextscn(o->elf, scn))) {
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_REL &&
		    shdr.sh_info < o->sections.len && !add_relocs(o, &symbols, scn, &shdr))
			return kt_error_no_memory();
	}
	if (o->relocs.len)
		qsort(o->relocs.data, o->relocs.len, sizeof(*o->relocs.data), compare_relocs);
	return NULL;
}

static struct kt_error *read_elf(const void *data, size_t len, struct pf_object *o)
{
	struct kt_error *err;
	size_t index;

	elf_version(EV_CURRENT);
	/* libelf writes to it only if it is told to. */
	o->elf = elf_memory((char *)data, len);
	if (!o->elf)
		return kt_error_new(KT_ERROR_FORMAT, "libelf cannot open it: %s", elf_errmsg(-1));
	err = read_sections(o);
	if (!err)
		err = read_btf(o);
	if (!err)
		err = read_symbols(o);
	o->license = "";
	if (!err && pf_section_find(o, "license", &index)) {
		const struct pf_section *s = &o->sections.data[index];

		if (s->len && memchr(s->data, 0, s->len))
			o->license = (const char *)s->data;
	}
	return err;
}

struct kt_error *pf_object_open(const void *data, size_t len, const char *name,
				struct pf_object *ret)
{
	struct pf_object o = {0};
	struct kt_error *err = open_libbpf(data, len, name, &o);

	if (!err)
		err = read_elf(data, len, &o);
	if (err)
		pf_object_close(&o);
	else
		*ret = o;
	return err;
}

void pf_object_close(struct pf_object *o)
{
	bpf_object__close(o->obj);
	btf__free(o->btf);
	kt_vec_free(&o->programs);
	kt_vec_free(&o->sections);
	kt_vec_free(&o->funcs);
	kt_vec_free(&o->relocs);
	kt_vec_free(&o->externs);
	kt_vec_free(&o->cores);
	if (o->elf)
		elf_end(o->elf);
	*o = (struct pf_object){0};
}

const struct pf_func *pf_program_func(const struct pf_object *o, const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);
	const char *section = bpf_program__section_name(program);

	section += *section == '?';
	kt_vec_for_each (&o->funcs, f) {
		const char *own = o->sections.data[f->section].name;

		/* libbpf takes the "?" of an optional program off. */
		own += *own == '?';
		if (!strcmp(f->name, name) && !strcmp(own, section) &&
		    f->n == bpf_program__insn_cnt(program))
			return f;
	}
	return NULL;
}

const struct pf_func *pf_func_at(const struct pf_object *o, size_t section, size_t insn)
{
	kt_vec_for_each (&o->funcs, f)
		if (f->section == section && f->first == insn)
			return f;
	return NULL;
}

const struct pf_reloc *pf_reloc_at(const struct pf_object *o, size_t section, size_t offset)
{
	const struct pf_reloc key = {.section = section, .offset = offset};

	return o->relocs.len ? bsearch(&key, o->relocs.data, o->relocs.len, sizeof(*o->relocs.data),
				       compare_relocs)
			     : NULL;
}

const struct pf_section *pf_section_find(const struct pf_object *o, const char *name,
					 size_t *index_ret)
{
	for (size_t i = 0; i < o->sections.len; i++) {
		if (strcmp(o->sections.data[i].name, name))
			continue;
		*index_ret = i;
		return &o->sections.data[i];
	}
	return NULL;
}
